"""What a planner must know of items: stock that will run out, stock nobody will want, sales nobody expected.

Decisions only: figures in, findings out. `planning_facts` reads what they need.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from scm.finance import money
from scm.finance.averages import StockCost
from scm.loop.exceptions.findings import Finding, Kind
from scm.stock.projection import Position

EXCESS_COVER_DAYS = 180
UNKNOWN_LEAD_TIME_DAYS = 28  # for an item nobody is agreed to deliver
MATERIAL = 1000  # a finding must be worth a thousandth of the whole
WEEK_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class Coming:
    """What one line of an approved order still brings."""

    order_id: int
    number: str
    supplier_id: int
    item_id: int
    quantity: int
    due_date: date
    unit_cost: Decimal
    sent: bool


@dataclass(frozen=True, kw_only=True)
class Band:
    """What was expected of some weeks that have passed, and what was asked for in them."""

    since: date
    weeks: int
    expected: float
    low: float
    high: float
    actual: int


@dataclass(frozen=True, kw_only=True)
class ItemFacts:
    """One item as the planner's finders see it. `weekly` is the forecast by week, from `forecast_from` on."""

    item_id: int
    sku: str
    name: str
    sale_price: Decimal | None
    bought: bool  # still replenished, and not on its way out
    lead_time_days: int | None
    position: Position
    weekly: Sequence[float]
    forecast_from: date | None
    coming: Sequence[Coming]
    cost: StockCost
    band: Band | None

    @property
    def daily(self) -> float:
        """Mean demand a day over the forecast's horizon."""
        return sum(self.weekly) / len(self.weekly) / WEEK_DAYS if self.weekly else 0.0

    @property
    def free(self) -> int:
        """What can be promised to whoever orders next; below zero when customers wait already."""
        return self.position.available + self.position.inbound - self.position.backordered


@dataclass(frozen=True, kw_only=True)
class ShortFall:
    """Stock that will run out: when, how much is missing before help comes, and what comes."""

    first_date: date
    units: int
    until: date  # the day help comes: the next supply, or what would come if it were ordered today
    next_supply: Coming | None


def levels(item: ItemFacts, *, today: date, days: int) -> list[float]:
    """This function will project the free stock at the end of each day. Supply that is overdue is not counted on."""
    level, found = float(item.free), []
    arriving: dict[date, int] = {}
    for line in item.coming:
        arriving[line.due_date] = arriving.get(line.due_date, 0) + line.quantity
    for offset in range(days):
        day = today + timedelta(days=offset)
        level += arriving.get(day, 0) - demand_on(item, day)
        found.append(level)
    return found


def demand_on(item: ItemFacts, day: date) -> float:
    """This function will give the expected demand of a day; past the forecast's end, that of its last week."""
    if not item.weekly or item.forecast_from is None:
        return 0.0
    week = (day - item.forecast_from).days // WEEK_DAYS
    return item.weekly[min(max(week, 0), len(item.weekly) - 1)] / WEEK_DAYS


def shortfall(item: ItemFacts, *, today: date) -> ShortFall | None:
    """This function will tell whether stock runs out before what is ordered today could come.

    What is missing is counted until the next supply that is on order, or else until the lead time has passed: what
    happens later, an order of today can still prevent.
    """
    lead_time = UNKNOWN_LEAD_TIME_DAYS if item.lead_time_days is None else item.lead_time_days
    projected = levels(item, today=today, days=lead_time + 1)
    first = next((offset for offset, level in enumerate(projected) if level <= -1), None)
    if first is None:
        return None
    first_date = today + timedelta(days=first)
    later = sorted((line for line in item.coming if line.due_date > first_date), key=lambda line: line.due_date)
    nearest = later[0] if later and (later[0].due_date - today).days <= lead_time else None
    help_offset = (nearest.due_date - today).days if nearest else lead_time + 1
    return ShortFall(
        first_date=first_date,
        units=math.floor(-projected[help_offset - 1] + 1e-9),
        until=today + timedelta(days=help_offset),
        next_supply=nearest or (later[0] if later else None),
    )


def stock_outs(items: Sequence[ItemFacts], *, today: date, currency: str) -> Iterator[Finding]:
    """This function will find items whose stock runs out before help can come, at their selling price."""
    for item in items:
        short = shortfall(item, today=today) if item.bought else None
        if short is None:
            continue
        supply = short.next_supply
        overdue = [line for line in item.coming if line.due_date < today]
        yield Finding(
            kind=Kind.STOCK_OUT,
            subject_id=item.item_id,
            label=item.sku,
            name=item.name,
            amount=_at_sale_price(item, short.units, currency),
            quantity=short.units,
            due_date=short.first_date,
            facts={
                "on_hand": item.position.on_hand,
                "free": item.position.available,
                "inbound": item.position.inbound,
                "backordered": item.position.backordered,
                "on_order": sum(line.quantity for line in item.coming),
                "demand_a_day": round(item.daily, 2),
                "sale_price": None if item.sale_price is None else str(item.sale_price),
                "until": short.until.isoformat(),
                "next_order": supply.number if supply else None,
                "next_quantity": supply.quantity if supply else 0,
                "next_date": supply.due_date.isoformat() if supply else None,
                "overdue_order": overdue[0].number if overdue else None,
            },
        )


def excesses(items: Sequence[ItemFacts]) -> Iterator[Finding]:
    """This function will find stock beyond half a year of demand, at cost, where it is worth speaking of."""
    whole = sum(item.cost.value for item in items)
    for item in items:
        stock = item.free
        beyond = math.floor(stock - EXCESS_COVER_DAYS * item.daily)
        if not item.weekly or beyond < 1:
            continue
        amount = item.cost.average(beyond)
        if amount <= 0 or amount * MATERIAL < whole:
            continue
        yield Finding(
            kind=Kind.EXCESS,
            subject_id=item.item_id,
            label=item.sku,
            name=item.name,
            amount=amount,
            quantity=beyond,
            facts={
                "stock": stock,
                "on_order": sum(line.quantity for line in item.coming),
                "cover_days": round(stock / item.daily) if item.daily > 0 else None,
                "limit_days": EXCESS_COVER_DAYS,
                "demand_a_day": round(item.daily, 3),
                "bought": item.bought,
            },
        )


def forecast_breaks(items: Sequence[ItemFacts], *, currency: str) -> Iterator[Finding]:
    """This function will find items that sold outside the band forecast for them, at their selling price."""
    banded = [(item, item.band) for item in items if item.band is not None and item.sale_price is not None]
    worth = {item.item_id: _at_sale_price(item, round(band.expected), currency) or 0 for item, band in banded}
    whole = sum(worth.values())
    for item, band in banded:
        if band.low <= band.actual <= band.high:
            continue
        missed = abs(band.actual - round(band.expected))
        amount = _at_sale_price(item, missed, currency) or 0
        if missed < 1 or amount * MATERIAL < whole:
            continue
        yield Finding(
            kind=Kind.FORECAST_BREAK,
            subject_id=item.item_id,
            label=item.sku,
            name=item.name,
            amount=amount,
            quantity=missed,
            due_date=None,
            facts={
                "since": band.since.isoformat(),
                "weeks": band.weeks,
                "sold": band.actual,
                "expected": round(band.expected, 1),
                "low": round(band.low, 1),
                "high": round(band.high, 1),
            },
        )


def late_supply(
    coming: Sequence[Coming],
    items: Mapping[int, ItemFacts],
    names: Mapping[int, tuple[str, str]],
    *,
    today: date,
    currency: str,
) -> Iterator[Finding]:
    """This function will find sent orders with lines past due, at the selling price of the demand that waits."""
    late: dict[int, list[Coming]] = {}
    for line in coming:
        if line.sent and line.due_date < today:
            late.setdefault(line.order_id, []).append(line)
    left = {item_id: item.position.backordered for item_id, item in items.items()}
    for order_id in sorted(late, key=lambda one: (min(line.due_date for line in late[one]), one)):
        lines = late[order_id]
        waiting, waiting_units = 0, 0
        for line in lines:
            served = min(line.quantity, max(left.get(line.item_id, 0), 0))
            if served:
                left[line.item_id] -= served
                waiting += _at_sale_price(items[line.item_id], served, currency) or 0
                waiting_units += served
        due = min(line.due_date for line in lines)
        yield Finding(
            kind=Kind.LATE_SUPPLY,
            subject_id=order_id,
            label=lines[0].number,
            name=names[lines[0].supplier_id][1],
            amount=waiting,
            quantity=sum(line.quantity for line in lines),
            due_date=due,
            facts={
                "lines": len(lines),
                "days_late": (today - due).days,
                "waiting_units": waiting_units,
                "cost": sum(money.line_amount(line.unit_cost, line.quantity, currency=currency) for line in lines),
            },
        )


def _at_sale_price(item: ItemFacts, units: int, currency: str) -> int | None:
    return None if item.sale_price is None else money.line_amount(item.sale_price, units, currency=currency)
