"""What returns have taught about items: why they come back, what was found, how their rates differ, and which open
proposals name it as a cause. Reads only; the next cycle reads the same facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales.documents import ReturnAuthorization, ReturnLine, ReturnReason, ReturnState
from aftersales.inspection import Finding, Inspection
from forecasting import signals
from forecasting.history import ReturnFact
from procurement.defects import DefectFact
from procurement.proposals import Proposal, ProposalState
from scm.master.items import Item
from scm.master.partners import Partner

LEARNING_DAYS = signals.LEARNING_WEEKS * 7
CAUSE = "returns"  # how a proposal's account names it
RATE_PLACES = Decimal("0.0001")


@dataclass(frozen=True, kw_only=True)
class Named:
    """An open proposal whose account names the item's returns as a cause, with the rates it was made from."""

    proposal_id: int
    quantity: int
    order_date: date
    return_rate: Decimal
    overall_rate: Decimal


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What a year of returns says of one item.

    `return_rate` is what the next plan counts on: the item's own record weighed against the company's, `overall_rate`.
    `defects` are units by supplier that were found defective by the supplier's fault.
    """

    item_id: int
    sku: str
    returned: int
    reasons: Mapping[ReturnReason, int]
    findings: Mapping[Finding, int]
    return_rate: Decimal
    overall_rate: Decimal
    resellable_share: Decimal
    defects: tuple[tuple[str, int], ...]
    named_by: tuple[Named, ...]

    @property
    def moves_the_plan(self) -> bool:
        """Whether an open proposal says that these returns changed it."""
        return bool(self.named_by)


def of_items(session: Session, item_ids: Iterable[int], *, site_id: int, today: date) -> list[Lesson]:
    """This function will read what the returns of the last year taught about items, by SKU, in a fixed number of
    queries."""
    wanted = sorted(set(item_ids))
    since = today - timedelta(days=LEARNING_DAYS)
    rates = signals.return_rates(session, site_id=site_id, as_of=today)
    returned = _sum(
        session,
        sa.select(ReturnFact.item_id, sa.func.sum(ReturnFact.quantity))
        .where(ReturnFact.site_id == site_id, ReturnFact.item_id.in_(wanted), ReturnFact.return_date > since)
        .group_by(ReturnFact.item_id),
    )
    reasons, findings = _reasons(session, wanted, site_id, since), _findings(session, wanted, site_id, since)
    defects, named = _defects(session, wanted, since), _named(session, wanted, site_id)
    skus = session.execute(sa.select(Item.id, Item.sku).where(Item.id.in_(wanted)).order_by(Item.sku))
    return [
        Lesson(
            item_id=row.id,
            sku=row.sku,
            returned=returned.get(row.id, 0),
            reasons=reasons[row.id],
            findings=findings[row.id],
            return_rate=_rate(rates.by_item.get(row.id, rates.overall)),
            overall_rate=_rate(rates.overall),
            resellable_share=_rate(rates.resellable_share),
            defects=tuple(defects[row.id]),
            named_by=tuple(named[row.id]),
        )
        for row in skus
    ]


def _rate(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(RATE_PLACES)


def _sum(session: Session, statement: sa.Select[int, int]) -> dict[int, int]:
    return {item_id: int(quantity) for item_id, quantity in session.execute(statement)}


def _reasons(
    session: Session, item_ids: Sequence[int], site_id: int, since: date
) -> defaultdict[int, dict[ReturnReason, int]]:
    rows = session.execute(
        sa.select(ReturnLine.item_id, ReturnLine.reason, sa.func.sum(ReturnLine.quantity))
        .join(ReturnAuthorization, ReturnAuthorization.id == ReturnLine.return_id)
        .where(
            ReturnLine.item_id.in_(item_ids),
            ReturnAuthorization.site_id == site_id,
            ReturnAuthorization.state != ReturnState.CANCELLED,
            ReturnAuthorization.authorized_date > since,
        )
        .group_by(ReturnLine.item_id, ReturnLine.reason)
        .order_by(ReturnLine.item_id, sa.func.sum(ReturnLine.quantity).desc(), ReturnLine.reason)
    )
    found: defaultdict[int, dict[ReturnReason, int]] = defaultdict(dict)
    for item_id, reason, quantity in rows:
        found[item_id][reason] = int(quantity)
    return found


def _findings(
    session: Session, item_ids: Sequence[int], site_id: int, since: date
) -> defaultdict[int, dict[Finding, int]]:
    rows = session.execute(
        sa.select(ReturnLine.item_id, Inspection.finding, sa.func.sum(Inspection.quantity))
        .join(ReturnLine, ReturnLine.id == Inspection.return_line_id)
        .join(ReturnAuthorization, ReturnAuthorization.id == ReturnLine.return_id)
        .where(
            ReturnLine.item_id.in_(item_ids),
            ReturnAuthorization.site_id == site_id,
            ReturnAuthorization.authorized_date > since,
        )
        .group_by(ReturnLine.item_id, Inspection.finding)
        .order_by(ReturnLine.item_id, sa.func.sum(Inspection.quantity).desc(), Inspection.finding)
    )
    found: defaultdict[int, dict[Finding, int]] = defaultdict(dict)
    for item_id, finding, quantity in rows:
        found[item_id][finding] = int(quantity)
    return found


def _defects(session: Session, item_ids: Sequence[int], since: date) -> defaultdict[int, list[tuple[str, int]]]:
    rows = session.execute(
        sa.select(DefectFact.item_id, Partner.code, sa.func.sum(DefectFact.quantity))
        .join(Partner, Partner.id == DefectFact.supplier_id)
        .where(DefectFact.item_id.in_(item_ids), DefectFact.found_date > since)
        .group_by(DefectFact.item_id, Partner.code)
        .order_by(DefectFact.item_id, Partner.code)
    )
    found: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for item_id, code, quantity in rows:
        found[item_id].append((code, int(quantity)))
    return found


def _named(session: Session, item_ids: Sequence[int], site_id: int) -> defaultdict[int, list[Named]]:
    rows = session.execute(
        sa.select(Proposal.id, Proposal.item_id, Proposal.quantity, Proposal.order_date, Proposal.inputs).where(
            Proposal.site_id == site_id, Proposal.state == ProposalState.OPEN, Proposal.item_id.in_(item_ids)
        )
    )
    found: defaultdict[int, list[Named]] = defaultdict(list)
    for row in rows:
        for cause in row.inputs.get("causes", ()):
            if cause["cause"] == CAUSE:
                found[row.item_id].append(
                    Named(
                        proposal_id=row.id,
                        quantity=row.quantity,
                        order_date=row.order_date,
                        return_rate=_rate(cause["return_rate"]),
                        overall_rate=_rate(cause["overall_rate"]),
                    )
                )
    return found
