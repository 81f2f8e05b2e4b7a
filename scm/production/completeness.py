"""Is everything there? Per component of an order: needed, issued, promised, free, short, and when it is expected."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master.bom import BomSubstitute
from scm.master.items import Item
from scm.production.documents import WorkOrder, WorkOrderComponent, WorkOrderState
from scm.production.progress import Progress
from scm.stock import projection
from scm.stock.projection import Position


class Availability(enum.Enum):
    """How far one component is from being on the floor."""

    ISSUED = "issued"  # all of it is there
    READY = "ready"  # what is missing is promised to the order, or free
    EXPECTED = "expected"  # it is short, and what is on order comes in time
    LATE = "late"  # it is short, and what is on order comes after the order should start
    MISSING = "missing"  # it is short, and nothing on order covers it


@dataclass(frozen=True, kw_only=True, slots=True)
class Substitute:
    """What may stand in for a component, and how much of it is free."""

    item_id: int
    sku: str
    name: str
    priority: int
    free: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ComponentLine:
    """One component of an order as it stands. Quantities are base units."""

    component_id: int
    item_id: int
    sku: str
    name: str
    unit_id: int
    needed: int
    issued: int  # used, or at the partner's
    promised: int
    free: int  # at the site, promised to nobody
    short: int
    expected_date: date | None
    availability: Availability
    replaces_id: int | None
    substitutes: tuple[Substitute, ...]

    @property
    def open(self) -> int:
        """How much is still to be issued."""
        return max(0, self.needed - self.issued)


def of_orders(session: Session, found: Sequence[Progress], *, today: date) -> dict[int, list[ComponentLine]]:
    """This function will compare what orders need with what is there and on order, each order for itself.

    Two orders that want the same free goods are both told so: the first to be released gets them.
    """
    cards = _cards(session, found)
    lines: dict[int, list[ComponentLine]] = {progress.order.id: [] for progress in found}
    for site_id in sorted({progress.order.site_id for progress in found}):
        here = [progress for progress in found if progress.order.site_id == site_id]
        substitutes = _substitutes(session, here)
        wanted = {c.item_id for p in here for c in p.components}
        wanted |= {other.item_id for some in substitutes.values() for other in some}
        positions = projection.positions(session, site_id=site_id, item_ids=wanted)
        for progress in here:
            for component in progress.components:
                others = substitutes.get(component.bom_line_id or 0, [])
                lines[progress.order.id].append(
                    _line(progress, component, positions, cards[component.item_id], others, today=today)
                )
    return lines


def earliest(position: Position, quantity: int, *, today: date, own: Sequence[tuple[date, int]]) -> date | None:
    """This function will give the first day on which so much is free for an order, or None.

    `own` is what the order itself has planned to take, which must not stand in its own way.

    >>> from datetime import date
    >>> two = Position(on_hand=3, supply=[(date(2026, 1, 9), 5)], demand=[(date(2026, 1, 7), 6)])
    >>> earliest(two, 6, today=date(2026, 1, 5), own=[(date(2026, 1, 7), 6)])
    datetime.date(2026, 1, 9)
    """
    demand = list(position.demand)
    for due, taken in own:
        left = taken
        for i, (day, planned) in enumerate(demand):
            if day == due and left:
                less = min(left, planned)
                demand[i] = (day, planned - less)
                left -= less
    rest = replace(position, demand=demand)
    days = sorted({today, *(max(today, due) for due, _ in position.supply)})
    return next((day for day in days if projection.available_to_promise(rest, on=day) >= quantity), None)


def _line(
    progress: Progress,
    component: WorkOrderComponent,
    positions: dict[int, Position],
    card: sa.Row[int, str, str, int],
    others: Sequence[sa.Row[int, int, str, str, int]],
    *,
    today: date,
) -> ComponentLine:
    used = progress.consumption[component.id]
    issued = used.used + max(0, used.there)
    position = positions.get(component.item_id, Position())
    missing = max(0, component.needed - issued)
    free = max(0, position.available)
    ended = progress.order.state in (WorkOrderState.CLOSED, WorkOrderState.CANCELLED)
    short = 0 if ended else max(0, missing - used.promised - free)
    expected = None
    if short:
        own = [(move.due_date, move.quantity) for move in used.waiting]
        expected = earliest(position, missing, today=today, own=own)
    return ComponentLine(
        component_id=component.id,
        item_id=component.item_id,
        sku=card.sku,
        name=card.name,
        unit_id=card.base_unit_id,
        needed=component.needed,
        issued=issued,
        promised=used.promised,
        free=free,
        short=short,
        expected_date=expected,
        availability=_availability(progress.order, missing=missing, short=short, expected=expected),
        replaces_id=component.replaces_id,
        substitutes=tuple(
            Substitute(
                item_id=other.item_id,
                sku=other.sku,
                name=other.name,
                priority=other.priority,
                free=max(0, positions.get(other.item_id, Position()).available),
            )
            for other in others
        )
        if short
        else (),
    )


def _availability(order: WorkOrder, *, missing: int, short: int, expected: date | None) -> Availability:
    if not missing:
        return Availability.ISSUED
    if not short:
        return Availability.READY
    if expected is None:
        return Availability.MISSING
    return Availability.EXPECTED if expected <= order.start_date else Availability.LATE


def _cards(session: Session, found: Sequence[Progress]) -> dict[int, sa.Row[int, str, str, int]]:
    wanted = sorted({component.item_id for progress in found for component in progress.components})
    rows = session.execute(
        sa.select(Item.id, Item.sku, Item.shown_name.label("name"), Item.base_unit_id).where(Item.id.in_(wanted))
    )
    return {row.id: row for row in rows}


def _substitutes(session: Session, found: Sequence[Progress]) -> dict[int, list[sa.Row[int, int, str, str, int]]]:
    wanted = sorted({c.bom_line_id for p in found for c in p.components if c.bom_line_id is not None})
    rows = session.execute(
        sa.select(
            BomSubstitute.bom_line_id,
            BomSubstitute.item_id,
            Item.sku,
            Item.shown_name.label("name"),
            BomSubstitute.priority,
        )
        .join(Item, Item.id == BomSubstitute.item_id)
        .where(BomSubstitute.bom_line_id.in_(wanted))
        .order_by(BomSubstitute.bom_line_id, BomSubstitute.priority)
    )
    by_line: dict[int, list[sa.Row[int, int, str, str, int]]] = {}
    for row in rows:
        by_line.setdefault(row.bom_line_id, []).append(row)
    return by_line
