"""An item's past, day by day: what was asked for, what was lost, and whether there was stock. Reads only.

Demand is what the forecast learns from. Stock at the end of a day is counted back from the balances over the posted
moves; before the first move of the item nobody knows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from forecasting.history import DAYS_IN_A_BUCKET, DemandFact
from scm.master.locations import Location, LocationKind
from scm.master.partners import OWN_STOCK
from scm.sales import demand
from scm.sales.lost_demand import LostDemand
from scm.stock.balances import StockBalance
from scm.stock.moves import MoveState, StockMove


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day: units asked for, of these given up, and stock at its end (None: before the item's first move)."""

    day: date
    asked: int
    lost: int
    on_hand: int | None

    @property
    def stocked_out(self) -> bool:
        """Whether the day ended with an empty shelf."""
        return self.on_hand == 0


@dataclass(frozen=True, kw_only=True)
class Week:
    """Seven days, the last being `until`."""

    since: date
    until: date
    asked: int
    lost: int
    on_hand: int | None  # at its end
    days_out: int


def days(session: Session, *, item_id: int, site_id: int, since: date, until: date) -> list[Day]:
    """This function will tell an item's days, both ends included, in six queries."""
    asked = _asked(session, item_id, site_id, since, until)
    lost = _sums(
        session,
        sa.select(LostDemand.lost_date, sa.func.sum(LostDemand.quantity))
        .where(LostDemand.site_id == site_id, LostDemand.item_id == item_id, LostDemand.lost_date.between(since, until))
        .group_by(LostDemand.lost_date),
    )
    on_hand = _on_hand(session, item_id, site_id, since, until)
    count = (until - since).days + 1
    return [
        Day(day=day, asked=asked.get(day, 0), lost=lost.get(day, 0), on_hand=on_hand.get(day))
        for day in (since + timedelta(days=number) for number in range(count))
    ]


def weeks(told: Sequence[Day]) -> list[Week]:
    """This function will add days up to weeks, counted back from the last day; a part of a week is left out.

    >>> told = [Day(day=date(2026, 1, d), asked=d, lost=0, on_hand=0 if d == 3 else 5) for d in range(1, 9)]
    >>> [(week.since.day, week.asked, week.days_out) for week in weeks(told)]
    [(2, 35, 1)]
    """
    start = len(told) % DAYS_IN_A_BUCKET
    found = []
    for first in range(start, len(told), DAYS_IN_A_BUCKET):
        part = told[first : first + DAYS_IN_A_BUCKET]
        found.append(
            Week(
                since=part[0].day,
                until=part[-1].day,
                asked=sum(one.asked for one in part),
                lost=sum(one.lost for one in part),
                on_hand=part[-1].on_hand,
                days_out=sum(one.stocked_out for one in part),
            )
        )
    return found


def outages(told: Sequence[Day]) -> list[tuple[date, date]]:
    """This function will give the spans of days without stock, first and last day of each.

    >>> told = [Day(day=date(2026, 1, d), asked=0, lost=0, on_hand=h) for d, h in enumerate([5, 0, 0, 4, 0], start=1)]
    >>> [(first.day, last.day) for first, last in outages(told)]
    [(2, 3), (5, 5)]
    """
    found: list[tuple[date, date]] = []
    for one in told:
        if not one.stocked_out:
            continue
        if found and found[-1][1] == one.day - timedelta(days=1):
            found[-1] = (found[-1][0], one.day)
        else:
            found.append((one.day, one.day))
    return found


def _asked(session: Session, item_id: int, site_id: int, since: date, until: date) -> dict[date, int]:
    facts = (
        sa.select(DemandFact.demand_date, sa.func.sum(DemandFact.quantity))
        .where(
            DemandFact.site_id == site_id,
            DemandFact.item_id == item_id,
            DemandFact.demand_date.between(since, until),
        )
        .group_by(DemandFact.demand_date)
    )
    rows = demand.wanted(site_id=site_id).subquery()
    orders = (
        sa.select(rows.c.demand_date, sa.func.sum(rows.c.quantity))
        .where(rows.c.item_id == item_id, rows.c.demand_date.between(since, until))
        .group_by(rows.c.demand_date)
    )
    found = _sums(session, facts)
    for day, quantity in _sums(session, orders).items():
        found[day] = found.get(day, 0) + quantity
    return found


def _on_hand(session: Session, item_id: int, site_id: int, since: date, until: date) -> dict[date, int]:
    source, destination = aliased(Location), aliased(Location)
    leaves = sa.and_(source.site_id == site_id, source.kind == LocationKind.STORAGE)
    enters = sa.and_(destination.site_id == site_id, destination.kind == LocationKind.STORAGE)
    posted = (StockMove.item_id == item_id, StockMove.state == MoveState.POSTED, StockMove.owner_id == OWN_STOCK)
    first = session.scalar(sa.select(sa.func.min(StockMove.posted_date)).where(*posted))
    if first is None:
        return {}
    signed = sa.case((enters, StockMove.quantity), else_=0) - sa.case((leaves, StockMove.quantity), else_=0)
    changes = _sums(
        session,
        sa.select(StockMove.posted_date, sa.func.sum(signed))
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(*posted, StockMove.posted_date >= since, sa.or_(leaves, enters))
        .group_by(StockMove.posted_date),
    )
    level = int(
        session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(StockBalance.on_hand), 0))
            .join(Location, Location.id == StockBalance.location_id)
            .where(
                StockBalance.item_id == item_id,
                StockBalance.owner_id == OWN_STOCK,
                Location.site_id == site_id,
                Location.kind == LocationKind.STORAGE,
            )
        )
        or 0
    )
    level -= sum(quantity for day, quantity in changes.items() if day > until)
    found: dict[date, int] = {}
    day = until
    while day >= max(since, first):
        found[day] = level
        level -= changes.get(day, 0)
        day -= timedelta(days=1)
    return found


def _sums(session: Session, statement: sa.Select[*tuple[Any, ...]]) -> dict[date, int]:
    return {day: int(quantity) for day, quantity in session.execute(statement)}
