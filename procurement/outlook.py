"""What will be free on the shelf, day by day, with some orders and without them. Reads only.

It counts as the plan does: free stock and what is at the dock, less what customers wait for, plus what approved orders
bring when they are due (overdue counts as today), less the mean forecast. Orders that nobody has approved are not
counted, except those asked about; nor are returns and orders that later runs will propose.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from forecasting.runs import BUCKET_DAYS, ForecastLine, ForecastRun
from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderLine
from procurement.supply import UNDECIDED
from scm.master import locations
from scm.master.locations import LocationKind
from scm.stock import projection
from scm.stock.moves import MoveState, StockMove
from scm.stock.projection import Position

DAYS = 56


class Coming(NamedTuple):
    """What an order brings of an item, and when."""

    due_date: date
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """Free stock of one item at the end of each day, the first being today; negative where customers would wait."""

    item_id: int
    today: date
    with_orders: tuple[int, ...]
    without: tuple[int, ...]
    forecast: bool  # whether the newest run forecast the item

    @property
    def out_without(self) -> date | None:
        """The day on which it runs out without the orders, if it does so in time."""
        return _first_below(self.without, self.today)

    @property
    def out_with(self) -> date | None:
        """The day on which it runs out with the orders."""
        return _first_below(self.with_orders, self.today)


def ahead(
    session: Session, order_ids: Sequence[int], *, site_id: int, today: date, days: int = DAYS
) -> dict[int, Outlook]:
    """This function will project every item of some orders of a site together, by item, in eight queries."""
    planned = _planned(session, order_ids)
    brought = _brought(session, order_ids, planned)
    item_ids = sorted(brought)
    positions = projection.positions(session, site_id=site_id, item_ids=item_ids)
    means, first_day = _forecast(session, site_id=site_id, item_ids=item_ids)
    found = {}
    for item_id in item_ids:
        position = positions.get(item_id, Position())
        demand = daily(means.get(item_id, ()), first_day=first_day, today=today, days=days)
        base = project(position, demand=demand, taken_out=planned.get(item_id, ()), today=today)
        found[item_id] = Outlook(
            item_id=item_id,
            today=today,
            with_orders=tuple(
                level + sum(one.quantity for one in brought[item_id] if one.due_date <= today + timedelta(days=number))
                for number, level in enumerate(base)
            ),
            without=base,
            forecast=item_id in means,
        )
    return found


def project(
    position: Position, *, demand: Sequence[float], taken_out: Iterable[Coming], today: date
) -> tuple[int, ...]:
    """This function will give the free stock at the end of each day, the forecast rounded half up as it adds up.

    >>> monday = date(2026, 1, 5)
    >>> stand = Position(on_hand=10, supply=[(date(2026, 1, 7), 20)])
    >>> project(stand, demand=[2.5] * 4, taken_out=[], today=monday)
    (7, 5, 22, 20)
    >>> project(stand, demand=[2.5] * 4, taken_out=[Coming(date(2026, 1, 7), 20)], today=monday)
    (7, 5, 2, 0)
    """
    arriving = [0] * len(demand)
    signed = [*position.supply, *((one.due_date, -one.quantity) for one in taken_out)]
    for due_date, quantity in signed:
        place = max((due_date - today).days, 0)
        if place < len(arriving):
            arriving[place] += quantity
    level = position.available + position.inbound - position.backordered
    levels, gone = [], 0.0
    for coming, wanted in zip(arriving, demand, strict=True):
        level += coming
        gone += wanted
        levels.append(level - math.floor(gone + 0.5))
    return tuple(levels)


def daily(means: Sequence[float], *, first_day: date, today: date, days: int) -> list[float]:
    """This function will spread weekly means over days; beyond the last week it goes on.

    >>> daily([7.0, 14.0], first_day=date(2026, 1, 5), today=date(2026, 1, 10), days=4)
    [1.0, 1.0, 2.0, 2.0]
    """
    if not means:
        return [0.0] * days
    shift = (today - first_day).days
    weeks = [min(max((shift + number) // BUCKET_DAYS, 0), len(means) - 1) for number in range(days)]
    return [means[week] / BUCKET_DAYS for week in weeks]


def _brought(
    session: Session, order_ids: Sequence[int], planned: Mapping[int, list[Coming]]
) -> dict[int, list[Coming]]:
    """What the orders bring: the lines of undecided ones, of the others what is still planned; nothing if all came."""
    found: dict[int, list[Coming]] = defaultdict(list)
    rows = session.execute(
        sa.select(
            PurchaseOrderLine.item_id, PurchaseOrderLine.due_date, PurchaseOrderLine.quantity, PurchaseOrder.state
        )
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .where(PurchaseOrder.id.in_(list(order_ids)))
    )
    for row in rows:
        lines = found[row.item_id]  # also for an item of which nothing is to come any more
        if row.state in UNDECIDED:
            lines.append(Coming(row.due_date, row.quantity))
    for item_id, coming in planned.items():
        found[item_id] += coming
    return dict(found)


def _planned(session: Session, order_ids: Sequence[int]) -> Mapping[int, list[Coming]]:
    supplier = locations.of_kind(session, kind=LocationKind.SUPPLIER, site_id=None)
    found: dict[int, list[Coming]] = defaultdict(list)
    rows = session.execute(
        sa.select(StockMove.item_id, StockMove.due_date, StockMove.quantity).where(
            StockMove.document_kind == KIND,
            StockMove.document_id.in_(list(order_ids)),
            StockMove.source_id == supplier,
            StockMove.state == MoveState.PLANNED,
        )
    )
    for row in rows:
        found[row.item_id].append(Coming(row.due_date, row.quantity))
    return found


def _forecast(session: Session, *, site_id: int, item_ids: Sequence[int]) -> tuple[dict[int, Sequence[float]], date]:
    """The weekly means of the newest run by item, and the first day they are about."""
    run = session.execute(
        sa.select(ForecastRun.id, ForecastRun.as_of_date)
        .where(ForecastRun.site_id == site_id)
        .order_by(ForecastRun.id.desc())
        .limit(1)
    ).first()
    if run is None:
        return {}, date.min
    rows = session.execute(
        sa.select(ForecastLine.item_id, ForecastLine.means).where(
            ForecastLine.run_id == run.id, ForecastLine.item_id.in_(item_ids)
        )
    )
    return {row.item_id: row.means for row in rows}, run.as_of_date + timedelta(days=1)


def _first_below(levels: Sequence[int], today: date) -> date | None:
    return next((today + timedelta(days=number) for number, level in enumerate(levels) if level < 0), None)
