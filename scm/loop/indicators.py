"""The indicators people run the business by, measured once a day and kept, so that a change can be seen.

Each is a part of a whole, both whole numbers, so that it can be said of how many things it speaks; one that has
nothing to measure is absent. Reading them takes one query.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import scorecard
from scm.core import audit
from scm.core.db import dialect_insert, table_of
from scm.core.users import Actor, Role
from scm.finance import costs
from scm.finance.journal import Account, JournalEntry, Posting
from scm.loop import cycle_runs, item_measures, kpis
from scm.loop.daily import IndicatorDay, ItemMeasure
from scm.loop.exceptions import looking
from scm.loop.exceptions.findings import Scope
from scm.loop.item_measures import PERIOD_DAYS
from scm.master.items import Item, ItemStatus
from scm.master.locations import Location, LocationKind
from scm.sales.documents import KIND as SALES_ORDER
from scm.stock.balances import StockPool
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Reservation

WEEK_DAYS = 7
SUPPLIER_DAYS = 90
PARTS = 10_000  # a rate that is known as a fraction only is kept in so many parts
Figure = tuple[int, int]


class Indicator(enum.Enum):
    """What is measured, in the order a planner reads it."""

    IN_STOCK = "in_stock"
    FILL_RATE = "fill_rate"
    OTIF = "otif"
    READY_COMPLETE = "ready_complete"
    BACKORDERED = "backordered"
    STOCK_VALUE = "stock_value"
    INVENTORY_DAYS = "inventory_days"
    SELL_THROUGH = "sell_through"
    MOVING = "moving"
    FORECAST_ERROR = "forecast_error"
    VALUE_ADDED = "value_added"
    SUPPLIER_ON_TIME = "supplier_on_time"
    RETURN_RATE = "return_rate"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One indicator today, and what it was the day before and a week before, where that was measured."""

    indicator: Indicator
    part: int
    whole: int
    value: Decimal
    since_yesterday: Decimal | None
    since_last_week: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Readings:
    """All indicators that could be measured, and when."""

    measured_date: date
    measured_at: datetime
    readings: tuple[Reading, ...]


def measure(session: Session, *, site_id: int, actor: Actor, now: datetime, today: date) -> Mapping[str, Figure]:
    """This function will measure the items and the indicators of a site as of a day, and keep them; the newest counts.

    The nightly cycle calls it after it has published. Raises `LocationUnknown`.
    """
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    scope = looking.scope_of(session, site_id=site_id, now=now, today=today)
    item_measures.measure(session, scope)
    found = {one.value: figure for one, figure in _figures(session, scope).items() if figure and figure[1]}
    values = {"measured_at": now, "figures": {name: list(figure) for name, figure in found.items()}}
    insert = dialect_insert(session, table_of(IndicatorDay)).values(site_id=site_id, measured_date=today, **values)
    session.execute(insert.on_conflict_do_update(index_elements=["site_id", "measured_date"], set_=values))
    audit.record(session, actor=actor, verb="site.measure", document_kind="site", document_ids=[site_id])
    return found


def read(session: Session, *, site_id: int, today: date) -> Readings | None:
    """This function will read the newest indicators not after a day and what became of them; in one query."""
    days = session.scalars(
        sa.select(IndicatorDay)
        .where(
            IndicatorDay.site_id == site_id,
            IndicatorDay.measured_date <= today,
            IndicatorDay.measured_date >= today - timedelta(days=2 * WEEK_DAYS),
        )
        .order_by(IndicatorDay.measured_date.desc())
    ).all()
    if not days:
        return None
    newest = days[0]
    by_date = {day.measured_date: day.figures for day in days}
    before = by_date.get(newest.measured_date - timedelta(days=1), {})
    week = by_date.get(newest.measured_date - timedelta(days=WEEK_DAYS), {})
    return Readings(
        measured_date=newest.measured_date,
        measured_at=newest.measured_at,
        readings=tuple(
            Reading(
                indicator=one,
                part=newest.figures[one.value][0],
                whole=newest.figures[one.value][1],
                value=_value(newest.figures, one) or Decimal(0),
                since_yesterday=_change(newest.figures, before, one),
                since_last_week=_change(newest.figures, week, one),
            )
            for one in Indicator
            if one.value in newest.figures
        ),
    )


def _value(figures: Mapping[str, list[int]], one: Indicator) -> Decimal | None:
    figure = figures.get(one.value)
    return Decimal(figure[0]) / figure[1] if figure else None


def _change(now: Mapping[str, list[int]], then: Mapping[str, list[int]], one: Indicator) -> Decimal | None:
    new, old = _value(now, one), _value(then, one)
    return None if new is None or old is None else new - old


def _figures(session: Session, scope: Scope) -> dict[Indicator, Figure | None]:
    ended = scope.today - timedelta(days=1)
    week, month = ended - timedelta(days=WEEK_DAYS - 1), ended - timedelta(days=PERIOD_DAYS - 1)
    asked = kpis.asked_for(session, site_id=scope.site_id, from_date=week, until_date=ended)
    value = costs.stock_value(session, company_id=scope.company_id)
    sold_cost = _cost_of_sales(session, scope, since=month)
    error, added = _forecast(session, scope)
    return {
        Indicator.IN_STOCK: _in_stock(session, scope),
        Indicator.FILL_RATE: (asked.filled, asked.units),
        Indicator.OTIF: kpis.on_time(session, site_id=scope.site_id, from_date=week, until_date=ended),
        Indicator.READY_COMPLETE: _ready_complete(session, scope),
        Indicator.BACKORDERED: (kpis.backordered(session, site_id=scope.site_id), 1),
        Indicator.STOCK_VALUE: (value, 1),
        Indicator.INVENTORY_DAYS: (value * PERIOD_DAYS, sold_cost),
        **_selling(session, scope),
        Indicator.FORECAST_ERROR: error,
        Indicator.VALUE_ADDED: added,
        Indicator.SUPPLIER_ON_TIME: _supplier_on_time(session, scope),
        Indicator.RETURN_RATE: kpis.came_back(session, site_id=scope.site_id, from_date=month, until_date=ended),
    }


def _in_stock(session: Session, scope: Scope) -> Figure:
    """Of the items that are bought and sold, those of which something can be promised now."""
    free = (
        sa.select(StockPool.item_id)
        .where(StockPool.site_id == scope.site_id)
        .group_by(StockPool.item_id)
        .having(sa.func.sum(StockPool.on_hand - StockPool.reserved) > 0)
    )
    row = session.execute(
        sa.select(
            sa.func.count(sa.case((Item.id.in_(free), 1))).label("there"), sa.func.count(Item.id).label("all")
        ).where(Item.company_id == scope.company_id, Item.status == ItemStatus.ACTIVE)
    ).one()
    return int(row[0]), int(row[1])


def _ready_complete(session: Session, scope: Scope) -> Figure:
    """Of the orders that still wait in storage for anything, those whose every unit is promised from stock."""
    by_order = (
        sa.select(
            StockMove.document_id,
            sa.func.sum(StockMove.quantity).label("wanted"),
            sa.func.sum(sa.func.coalesce(Reservation.quantity, 0)).label("promised"),
        )
        .join(Location, Location.id == StockMove.source_id)
        .outerjoin(Reservation, Reservation.move_id == StockMove.id)
        .where(
            StockMove.state == MoveState.PLANNED,
            StockMove.document_kind == SALES_ORDER,
            Location.site_id == scope.site_id,
            Location.kind == LocationKind.STORAGE,
        )
        .group_by(StockMove.document_id)
        .subquery()
    )
    complete = sa.func.count(sa.case((by_order.c.promised >= by_order.c.wanted, 1)))
    row = session.execute(sa.select(complete, sa.func.count(by_order.c.document_id))).one()
    return int(row[0]), int(row[1])


def _selling(session: Session, scope: Scope) -> dict[Indicator, Figure | None]:
    there = ItemMeasure.opening + ItemMeasure.received
    row = session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(sa.case((there > 0, ItemMeasure.sold), else_=0)), 0),
            sa.func.coalesce(sa.func.sum(sa.case((there > 0, there), else_=0)), 0),
            sa.func.count(sa.case((sa.and_(there > 0, ItemMeasure.sold > 0), 1))),
            sa.func.count(sa.case((there > 0, 1))),
        ).where(ItemMeasure.site_id == scope.site_id)
    ).one()
    return {
        Indicator.SELL_THROUGH: (int(row[0]), int(row[1])),
        Indicator.MOVING: (int(row[2]), int(row[3])),
    }


def _cost_of_sales(session: Session, scope: Scope, *, since: date) -> int:
    total = session.scalar(
        sa.select(sa.func.sum(Posting.company_amount))
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(
            JournalEntry.company_id == scope.company_id,
            JournalEntry.entry_date >= since,
            JournalEntry.entry_date < scope.today,
            Posting.account == Account.COST_OF_SALES,
        )
    )
    return max(int(total or 0), 0)


def _forecast(session: Session, scope: Scope) -> tuple[Figure | None, Figure | None]:
    """The error the newest run measured, and how much less it is than that of repeating the week before."""
    run = cycle_runs.latest(session, site_id=scope.site_id)
    measured = run.measures.get("forecast") if run else None
    if not measured or measured["wape"] is None:
        return None, None
    error, naive = round(measured["wape"] * PARTS), measured.get("naive_wape")
    return (error, PARTS), None if naive is None else (round(naive * PARTS) - error, PARTS)


def _supplier_on_time(session: Session, scope: Scope) -> Figure:
    seen = scorecard.lead_times(session, until=scope.today, since=scope.today - timedelta(days=SUPPLIER_DAYS))
    total = sum(one.n for one in seen.values())
    return total - sum(round(one.n * one.late_rate) for one in seen.values()), total
