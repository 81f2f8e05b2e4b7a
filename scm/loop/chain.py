"""The chain of documents: what a document came from and what came of it, from the demand to the refund.

Items → proposals → purchase orders → goods receipts → sales orders → waves → shipments → invoices → returns →
inspections → credit notes. Two sides meet in the sales order: supply that was bought for it (by pegs), and what left
for its customer. A page shows this as the line on top of a document; it reads only, in a bounded number of queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from scm.loop import chain_steps
from scm.loop.chain_steps import MOST

# The stages in the order in which goods and money pass them. A stage is named as the kind of its documents, but for
# what a return brings to the door, which is a goods receipt too.
STAGES = (
    "item",
    "proposal",
    "purchase_order",
    "goods_receipt",
    "sales_order",
    "prior_sale",
    "wave",
    "shipment",
    "customer_invoice",
    "return_authorization",
    "return_receipt",
    "inspection",
    "credit_note",
)
Neighbours = Mapping[str, tuple[str, ...]]
# From a document to its neighbours. What is reached upwards goes on upwards, what is reached downwards downwards.
UP: Neighbours = {
    "proposal": ("item",),
    "purchase_order": ("goods_receipt", "proposal", "item"),
    "goods_receipt": ("purchase_order",),
    "sales_order": ("purchase_order",),
    "wave": ("sales_order",),
    "shipment": ("sales_order", "wave"),
    "customer_invoice": ("shipment", "sales_order"),
    "return_authorization": ("shipment", "customer_invoice", "sales_order", "prior_sale"),
    "return_receipt": ("return_authorization",),
    "inspection": ("return_authorization",),
    "credit_note": ("return_authorization", "customer_invoice"),
}
DOWN: Neighbours = {
    "proposal": ("purchase_order",),
    "purchase_order": ("goods_receipt", "sales_order"),
    "sales_order": ("wave", "shipment", "customer_invoice", "return_authorization"),
    "wave": ("shipment",),
    "shipment": ("customer_invoice", "return_authorization"),
    "customer_invoice": ("return_authorization", "credit_note"),
    "return_authorization": ("return_receipt", "inspection", "credit_note"),
}
# A stage is asked for once all stages that lead to it are known; the receipts of an order found upwards come last.
UPWARDS = (*(stage for stage in STAGES[::-1] if stage != "goods_receipt"), "goods_receipt")
# A wave joins orders that have nothing else in common: only its own chain goes through it.
ONLY_AS_START = frozenset({"wave"})


@dataclass(frozen=True, kw_only=True)
class Link:
    """One document of the chain. `state` is the word its room keeps, `day` or `at` when it began or happened."""

    kind: str
    id: int
    number: str
    state: str
    day: date | None = None
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The documents of one stage, the newest last; `more` when there are too many to name."""

    name: str
    links: tuple[Link, ...]
    more: bool
    current: bool

    @property
    def kind(self) -> str:
        """What the documents of the stage are."""
        return chain_steps.kind_of(self.name)


def of_document(session: Session, *, kind: str, document_id: int) -> tuple[Stage, ...]:
    """This function will read the chain of a document, in its order; stages without documents are left out.

    At most 50 documents are named for a stage. `kind` is the `document_kind` used everywhere. The answer is empty for
    a document that is not there, and for kinds that stand in no chain, such as a count.
    """
    if kind not in STAGES:
        return ()
    start = chain_steps.stage_of(session, kind=kind, document_id=document_id)
    found: dict[str, set[int]] = {start: {document_id}}
    more: set[str] = set()
    for neighbours, order in ((UP, UPWARDS), (DOWN, STAGES)):
        for stage, ids in _walk(session, start, document_id, neighbours=neighbours, order=order).items():
            found.setdefault(stage, set()).update(ids[:MOST])
            if len(ids) > MOST:
                more.add(stage)
    links = _links(session, found)
    return tuple(
        Stage(name=stage, links=tuple(links[stage]), more=stage in more, current=stage == start)
        for stage in STAGES
        if links[stage]
    )


def _walk(
    session: Session, start: str, document_id: int, *, neighbours: Neighbours, order: Sequence[str]
) -> dict[str, list[int]]:
    """What is reached from the start in one direction; each stage is asked for once, from all that lead to it.

    The start's own stage stays as it is: other receipts of the same order are no part of a receipt's chain.
    """
    reached: dict[str, list[int]] = {start: [document_id]}
    for target in order:
        sources = {
            stage: ids[:MOST]
            for stage, ids in reached.items()
            if target in neighbours.get(stage, ()) and (stage == start or stage not in ONLY_AS_START)
        }
        if sources and target != start:
            reached[target] = chain_steps.reach(session, target, sources)
    return reached


def _links(session: Session, found: Mapping[str, set[int]]) -> defaultdict[str, list[Link]]:
    links: defaultdict[str, list[Link]] = defaultdict(list)
    wanted = {stage: sorted(ids, reverse=True)[:MOST] for stage, ids in found.items()}
    for row in chain_steps.heads(session, wanted):
        links[row.stage].append(
            Link(
                kind=chain_steps.kind_of(row.stage),
                id=row.id,
                number=row.number,
                state=row.state,
                day=row.day,
                at=row.at,
            )
        )
    return links
