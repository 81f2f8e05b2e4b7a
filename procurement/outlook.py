"""What will be free on the shelf, day by day, with some orders and without them. Reads only.

It counts as the plan does: free stock and what is at the dock, less what customers wait for, plus what approved orders
bring when they are due (overdue counts as today), less the mean forecast. Orders that nobody has approved are not
counted, except those asked about; nor are returns and orders that later runs will propose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
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
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


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
    if not item_ids:
        return {}
    stand = [positions.get(item_id, Position()) for item_id in item_ids]
    demand = daily_of_all([means.get(item_id, ()) for item_id in item_ids], first_day=first_day, today=today, days=days)
    without = project_all(stand, demand=demand, less=[planned.get(item_id, ()) for item_id in item_ids], today=today)
    coming = np.cumsum(_by_day([brought[item_id] for item_id in item_ids], today=today, days=days), axis=1)
    return {
        item_id: Outlook(
            item_id=item_id,
            today=today,
            with_orders=tuple(with_them),
            without=tuple(without_them),
            forecast=item_id in means,
        )
        for item_id, with_them, without_them in zip(
            item_ids, (without + coming).tolist(), without.tolist(), strict=True
        )
    }


def project(
    position: Position, *, demand: Sequence[float], taken_out: Iterable[Coming], today: date
) -> tuple[int, ...]:
    """This function will give the free stock of one item at the end of each day, without what is taken out."""
    levels = project_all([position], demand=np.array([demand]), less=[list(taken_out)], today=today)
    return tuple(levels[0].tolist())


def daily(means: Sequence[float], *, first_day: date, today: date, days: int) -> list[float]:
    """This function will spread the weekly means of one item over days; beyond the last week it goes on."""
    found: list[float] = daily_of_all([means], first_day=first_day, today=today, days=days)[0].tolist()
    return found


def project_all(
    stand: Sequence[Position], *, demand: Floats, less: Sequence[Sequence[Coming]], today: date
) -> Integers:
    """This function will give the free stock of items (rows) at the end of each day, without what is in `less`.

    `demand` (items, days) is rounded half up as it adds up.

    >>> monday = date(2026, 1, 5)
    >>> bolts = Position(on_hand=10, supply=[(date(2026, 1, 7), 20)])
    >>> project_all([bolts], demand=np.full((1, 4), 2.5), less=[[]], today=monday).tolist()
    [[7, 5, 22, 20]]
    >>> project_all([bolts], demand=np.full((1, 4), 2.5), less=[[Coming(date(2026, 1, 7), 20)]], today=monday).tolist()
    [[7, 5, 2, 0]]
    """
    days = demand.shape[1]
    supply = [[Coming(*one) for one in position.supply] for position in stand]
    arriving = _by_day(supply, today=today, days=days) - _by_day(less, today=today, days=days)
    start = np.array([one.available + one.inbound - one.backordered for one in stand], dtype=np.int64)
    gone = np.floor(np.cumsum(demand, axis=1) + 0.5).astype(np.int64)
    return np.asarray(start[:, None] + np.cumsum(arriving, axis=1) - gone)


def daily_of_all(means: Sequence[Sequence[float]], *, first_day: date, today: date, days: int) -> Floats:
    """This function will spread the weekly means of items (rows) over days; beyond the last week it goes on.

    >>> daily_of_all([[7.0, 14.0], []], first_day=date(2026, 1, 5), today=date(2026, 1, 10), days=4).tolist()
    [[1.0, 1.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0]]
    """
    weeks = max((len(one) for one in means), default=0)
    if weeks == 0:
        return np.zeros((len(means), days))
    table = np.array([[*one, *[one[-1] if one else 0.0] * (weeks - len(one))] for one in means], dtype=np.float64)
    place = np.clip(((today - first_day).days + np.arange(days)) // BUCKET_DAYS, 0, weeks - 1)
    return np.asarray(table[:, place] / BUCKET_DAYS)


def _by_day(coming: Sequence[Iterable[Coming]], *, today: date, days: int) -> Integers:
    """What comes on each day (items, days); overdue counts as today, what is later than the last day does not."""
    found = np.zeros((len(coming), days), dtype=np.int64)
    for row, some in enumerate(coming):
        for one in some:
            place = max((one.due_date - today).days, 0)
            if place < days:
                found[row, place] += one.quantity
    return found


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
