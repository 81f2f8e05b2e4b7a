"""One thing of a draft is changed at a time, as people do on a page: its terms, a line, an operation.

Items, subcontractors and work centres are named by their codes. Every verb takes what somebody `believes` the whole
revision to be (`bom_approving.believed`), and raises what `bom_approving.edit` raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.users import Actor
from scm.master import bom_approving, bom_content, bom_writing, items, partners
from scm.master.bom import Bom, BomKind
from scm.master.bom_checking import PartUnknown
from scm.master.bom_content import BomContent, LineContent, OperationContent, SubstituteContent
from scm.master.bom_writing import BomUnknown
from scm.master.routing import WorkCenter

STEP = 10  # between the numbers of lines and of operations, so that one more fits in between


@dataclass(frozen=True, kw_only=True)
class Hand:
    """Who changes which revision, believing it to say what."""

    bom_id: int
    company_id: int
    believes: str
    actor: Actor
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a revision says besides its components."""

    kind: BomKind
    valid_from: date
    valid_until: date | None
    output_quantity: int
    yield_rate: Decimal
    subcontractor: str
    lead_time_days: int
    minimum_order_quantity: int
    order_multiple: int
    cover_limit_days: int | None


@dataclass(frozen=True, kw_only=True)
class Line:
    """A component by its SKU; `substitutes` are SKUs with quantities, the first choice first."""

    line_number: int | None  # none: behind the last one
    component: str
    quantity: int
    scrap_rate: Decimal
    substitutes: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, kw_only=True)
class Step:
    """An operation at a work centre by its code."""

    sequence: int | None  # none: behind the last one
    name: str
    work_center: str
    setup_seconds: int
    run_seconds: int
    run_quantity: int


def begin(
    session: Session,
    *,
    sku: str,
    kind: BomKind,
    valid_from: date,
    output_quantity: int,
    subcontractor: str,
    site_id: int,
    company_id: int,
    actor: Actor,
) -> int:
    """This function will write a draft without lines, the next revision of an item at a site, and give its id.

    Raises `PartUnknown`, and what `bom_writing.create` raises.
    """
    content = BomContent(
        kind=kind,
        valid_from=valid_from,
        output_quantity=output_quantity,
        partner_id=_partner(session, subcontractor, company_id=company_id),
        lines=(),
    )
    item_id = _items(session, [sku], company_id=company_id)[sku]
    return bom_writing.create(session, content, site_id=site_id, item_id=item_id, company_id=company_id, actor=actor)


def set_terms(session: Session, terms: Terms, *, hand: Hand) -> None:
    """This function will change what a draft says besides its components."""
    values = {name: value for name, value in vars(terms).items() if name != "subcontractor"}
    partner_id = _partner(session, terms.subcontractor, company_id=hand.company_id)
    _edit(session, hand, lambda content: replace(content, partner_id=partner_id, **values))


def set_line(session: Session, line: Line, *, hand: Hand) -> None:
    """This function will add a line to a draft, or change the one of that number."""
    found = _items(session, [line.component, *(sku for sku, _ in line.substitutes)], company_id=hand.company_id)

    def change(content: BomContent) -> BomContent:
        number = line.line_number or max([one.line_number for one in content.lines], default=0) + STEP
        wanted = LineContent(
            line_number=number,
            item_id=found[line.component],
            quantity=line.quantity,
            scrap_rate=line.scrap_rate,
            substitutes=tuple(
                SubstituteContent(item_id=found[sku], priority=priority, quantity=quantity)
                for priority, (sku, quantity) in enumerate(line.substitutes, start=1)
            ),
        )
        lines = {one.line_number: one for one in content.lines} | {number: wanted}
        return replace(content, lines=tuple(lines[key] for key in sorted(lines)))

    _edit(session, hand, change)


def remove_line(session: Session, line_number: int, *, hand: Hand) -> None:
    """This function will take a line out of a draft. Raises `PartUnknown`."""

    def change(content: BomContent) -> BomContent:
        kept = tuple(line for line in content.lines if line.line_number != line_number)
        if len(kept) == len(content.lines):
            raise PartUnknown(f"the bill of materials has no line {line_number}: load it again")
        return replace(content, lines=kept)

    _edit(session, hand, change)


def set_operation(session: Session, step: Step, *, hand: Hand) -> None:
    """This function will add an operation to a draft, or change the one of that sequence. Raises `PartUnknown`."""
    center_id = session.scalar(
        sa.select(WorkCenter.id)
        .join(Bom, Bom.site_id == WorkCenter.site_id)
        .where(Bom.id == hand.bom_id, WorkCenter.code == step.work_center)
    )
    if center_id is None:
        raise PartUnknown(f"the site has no work centre {step.work_center[:40]!r}: add it first")

    def change(content: BomContent) -> BomContent:
        sequence = step.sequence or max([one.sequence for one in content.operations], default=0) + STEP
        wanted = OperationContent(
            sequence=sequence,
            name=step.name.strip(),
            work_center_id=center_id,
            setup_seconds=step.setup_seconds,
            run_seconds=step.run_seconds,
            run_quantity=step.run_quantity,
        )
        steps = {one.sequence: one for one in content.operations} | {sequence: wanted}
        return replace(content, operations=tuple(steps[key] for key in sorted(steps)))

    _edit(session, hand, change)


def remove_operation(session: Session, sequence: int, *, hand: Hand) -> None:
    """This function will take an operation out of a draft. Raises `PartUnknown`."""

    def change(content: BomContent) -> BomContent:
        kept = tuple(step for step in content.operations if step.sequence != sequence)
        if len(kept) == len(content.operations):
            raise PartUnknown(f"the routing has no operation {sequence}: load it again")
        return replace(content, operations=kept)

    _edit(session, hand, change)


def _edit(session: Session, hand: Hand, change: Callable[[BomContent], BomContent]) -> None:
    present = bom_content.read(session, [hand.bom_id]).get(hand.bom_id)
    if present is None:
        raise BomUnknown(f"there is no bill of materials {hand.bom_id} in this company")
    bom_approving.edit(
        session,
        bom_id=hand.bom_id,
        believes=hand.believes,
        content=change(present),
        company_id=hand.company_id,
        actor=hand.actor,
        now=hand.now,
    )


def _items(session: Session, skus: Sequence[str], *, company_id: int) -> dict[str, int]:
    found = items.ids_by_sku(session, skus, company_id=company_id)
    for sku in skus:
        if sku not in found:
            raise PartUnknown(f"there is no item {sku[:40]!r}: add it first")
    return found


def _partner(session: Session, code: str, *, company_id: int) -> int | None:
    if not code:
        return None
    found = partners.ids_by_code(session, [code], company_id=company_id)
    if code not in found:
        raise PartUnknown(f"there is no supplier {code[:40]!r}: add it first")
    return found[code]
