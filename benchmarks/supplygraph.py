"""Planning a real maker's production day by day, beside what the firm made: SupplyGraph, January to May 2023.

41 consumer goods, daily sales orders, production and deliveries (Wasi 2024). Every morning from day 29 on, the day's
production is planned from the orders of the days before, never from later ones: the forecasting engine on daily
demand, safety stock at 95 %, netting, and lots that last as many days as the firm's own have lasted so far. Both sides
start with the same stock and backlog, and both serve orders by the same rule: from stock and the day's production, the
oldest first. Opening stock is not in the data; it is the least with which the firm could have delivered what it did.

Two plans: one may make no more units a day than the firm made on that day, all items together, and uses what is left of
them to make ahead, for a week at most; one has no such limit.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.reporting import Figure
from forecasting import engine
from scm.planning import explosion, multilevel, policy, ratios
from scm.planning.checks import Integers
from scm.planning.lots import Lots
from scm.planning.multilevel import Situation

FOLDER = "production"
FIRST = 28
HORIZON = 14
LONGEST_COVER = 7
PROTECTION = 2
LEVEL = 0.95
AHEAD = 7
UNIT = 1000  # the files count thousandths of a case; so do we, in whole numbers
_DAYS = range(1, LONGEST_COVER + 1)
SETTINGS = engine.ForecastSettings(season_length=7, horizon=HORIZON)


@dataclass(frozen=True, kw_only=True)
class Firm:
    """(days, items), in thousandths of a unit."""

    items: tuple[str, ...]
    orders: Integers
    production: Integers
    deliveries: Integers


class UnlikeSupplyGraph(ValueError):
    """A file is not as the others, or not as expected."""


def measure(folder: Path) -> list[Figure]:
    """This function will compare the firm's production with both plans."""
    firm = read(folder)
    figures = []
    stock, backlog = standing(firm, FIRST)
    for name, made in (
        ("the firm", firm.production[FIRST:]),
        ("plan within the firm's daily volume", planned(firm, within_volume=True)),
        ("plan without limit", planned(firm, within_volume=False)),
    ):
        figures += _figures(name, firm.orders, made, stock, backlog)
    return figures


def read(folder: Path) -> Firm:
    """This function will read the four files. Raises `UnlikeSupplyGraph` naming file, row, column and value."""
    names = {"orders": "sales_order", "production": "production", "deliveries": "delivery"}
    tables = {field: _table(folder / f"{name}_2023-01_to_05.csv") for field, name in names.items()}
    heads = {field: (table[0], table[1]) for field, table in tables.items()}
    for field, head in heads.items():
        if head != heads["orders"]:
            raise UnlikeSupplyGraph(f"{field}: days or items differ from those of the sales orders")
    return Firm(items=heads["orders"][0], **{field: table[2] for field, table in tables.items()})


def standing(firm: Firm, day: int) -> tuple[Integers, Integers]:
    """This function will give stock and backlog at the beginning of a day."""
    moved = np.cumsum(firm.production - firm.deliveries, axis=0)
    opening = np.maximum(-moved.min(axis=0), 0)
    owed = firm.orders[:day].sum(axis=0) - firm.deliveries[:day].sum(axis=0)
    return opening + moved[day - 1], np.maximum(owed, 0)


def planned(firm: Firm, *, within_volume: bool) -> Integers:
    """This function will plan each day's production from what is known in its morning: (days from FIRST on, items)."""
    stock, backlog = standing(firm, FIRST)
    made = []
    for day in range(FIRST, len(firm.orders)):
        morning = _morning(firm.orders[:day], stock, backlog)
        limit = int(firm.production[day].sum()) if within_volume else None
        quantity = _made_today(morning, firm.production[:day], limit)
        made.append(quantity)
        stock, backlog = served(stock, backlog, quantity, firm.orders[day])
    return np.array(made, dtype=np.int64)


def served(stock: Integers, backlog: Integers, made: Integers, ordered: Integers) -> tuple[Integers, Integers]:
    """This function will give stock and backlog after a day."""
    left = stock + made - backlog - ordered
    return np.maximum(left, 0), np.maximum(-left, 0)


def _morning(orders: Integers, stock: Integers, backlog: Integers) -> Situation:
    """Where everything stands in the morning after some days; orders are made lot for lot."""
    items = orders.shape[1]
    known = engine.forecast(
        orders.T.astype(np.float64), protection_buckets=np.full(items, PROTECTION), settings=SETTINGS
    )
    mean = np.maximum(known.protection_mean, 0)
    safety = policy.stock_targets(
        demand_mean=mean,
        demand_quantile=np.maximum(known.protection_quantiles[:, SETTINGS.quantiles.index(LEVEL)], mean),
        mean_demand_per_day=mean / PROTECTION,
        lead_time_sd_days=np.zeros(items),
        z=policy.service_factor(cycle_service_level=LEVEL),
    ).safety_stock
    nothing = np.zeros((items, HORIZON), dtype=np.int64)
    return Situation(
        on_hand=stock,
        backordered=backlog,
        safety_stock=safety,
        supply=nothing,
        confirmed=nothing,
        forecast=np.maximum(known.mean, 0),
        allocated=nothing,
        returns=nothing.astype(np.float64),
        lots=Lots.plain(np.zeros(items, dtype=np.int64)),
    )


def _made_today(morning: Situation, production: Integers, limit: int | None) -> Integers:
    """What the plan makes today: first lots for what is needed today; then, within a limit, the needs of later days."""
    items = len(morning.on_hand)
    runs = np.maximum((production > 0).sum(axis=0), 1)
    lasting = np.clip(-(-len(production) // runs), 1, LONGEST_COVER)
    at_once = np.zeros(items, dtype=np.int64)
    if limit is None:
        return _released(morning, Lots.plain(at_once, cover=lasting))
    lots = [_released(morning, Lots.plain(at_once, cover=np.minimum(days, lasting))) for days in _DAYS]
    ahead = [_released(morning, Lots.plain(np.full(items, days - 1))) for days in _DAYS]
    return _shared_out(np.array([*lots, *ahead]), limit)


def _released(morning: Situation, lots: Lots) -> Integers:
    orders = multilevel.plan(situation=replace(morning, lots=lots), structure=_flat(len(morning.on_hand))).orders
    today = orders.release == 0
    quantity = np.zeros(len(morning.on_hand), dtype=np.int64)
    quantity[orders.item[today]] = orders.quantity[today]
    return quantity


def _flat(items: int) -> explosion.Structure:
    none = np.zeros(0, dtype=np.int64)
    return explosion.Structure(items=items, parent=none, component=none, numerator=none, denominator=none)


def _shared_out(steps: Integers, limit: int) -> Integers:
    """What is made within a limit: all items step by step (steps, items), the step that does not fit in proportion."""
    made = np.zeros(steps.shape[1], dtype=np.int64)
    for step in steps:
        more = np.maximum(step - made, 0)
        room, total = limit - int(made.sum()), int(more.sum())
        if total > room:
            return np.asarray(made + ratios.floor_of(more, numerator=room, denominator=total), dtype=np.int64)
        made = made + more
    return made


def _figures(name: str, orders: Integers, made: Integers, stock: Integers, backlog: Integers) -> list[Figure]:
    """Measures over the days from FIRST on, all items together, in units."""
    ordered = orders[FIRST:]
    at_once, stocks, owed, beyond, complete, lines = 0, [], [], 0, 0, 0
    for day, quantity in enumerate(made):
        free = np.maximum(stock + quantity - backlog, 0)
        at_once += int(np.minimum(free, ordered[day]).sum())
        lines += int((ordered[day] > 0).sum())
        complete += int(((ordered[day] > 0) & (free >= ordered[day])).sum())
        stock, backlog = served(stock, backlog, quantity, ordered[day])
        stocks.append(int(stock.sum()))
        owed.append(int(backlog.sum()))
        if day + AHEAD < len(ordered):
            wanted = ordered[day + 1 : day + 1 + AHEAD].sum(axis=0)
            beyond += int(np.minimum(quantity, np.maximum(stock - wanted, 0)).sum())
    judged = int(made[: len(made) - AHEAD].sum())
    return [
        Figure(f"SupplyGraph, {name}: ordered units served on their day, %", 100 * at_once / int(ordered.sum())),
        Figure(f"SupplyGraph, {name}: order lines complete on their day, %", 100 * complete / lines),
        Figure(f"SupplyGraph, {name}: mean stock, units", float(np.mean(stocks)) / UNIT),
        Figure(f"SupplyGraph, {name}: mean backlog, units", float(np.mean(owed)) / UNIT),
        Figure(f"SupplyGraph, {name}: made beyond the next week's orders, %", 100 * beyond / judged),
        Figure(f"SupplyGraph, {name}: units made", int(made.sum()) / UNIT),
        Figure(f"SupplyGraph, {name}: production runs", int((made > 0).sum())),
        Figure(f"SupplyGraph, {name}: WAPE of a day's production against its orders, %", _wape(made, ordered, 1)),
        Figure(f"SupplyGraph, {name}: WAPE of a week's production against its orders, %", _wape(made, ordered, 7)),
    ]


def _wape(made: Integers, ordered: Integers, days: int) -> float:
    whole = len(made) // days * days
    shape = (-1, days, made.shape[1])
    of_made, of_ordered = (values[:whole].reshape(shape).sum(axis=1) for values in (made, ordered))
    return 100 * float(np.abs(of_made - of_ordered).sum() / of_ordered.sum())


def _table(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], Integers]:
    """Items, days, and quantities in thousandths, exactly."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    items, days, table = tuple(rows[0][1:]), [], []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]):
            raise UnlikeSupplyGraph(f"{path.name}, row {number}: {len(row)} cells instead of {len(rows[0])}")
        days.append(row[0])
        table.append([_thousandths(path, number, *cell) for cell in zip(items, row[1:], strict=True)])
    return items, tuple(days), np.array(table, dtype=np.int64)


def _thousandths(path: Path, number: int, item: str, text: str) -> int:
    try:
        quantity = Fraction(text) * UNIT
    except ValueError as error:
        raise UnlikeSupplyGraph(f"{path.name}, row {number}, {item}: {text!r} is not a quantity") from error
    if quantity < 0 or quantity.denominator != 1:
        raise UnlikeSupplyGraph(f"{path.name}, row {number}, {item}: {text!r} is below 0 or finer than thousandths")
    return int(quantity)
