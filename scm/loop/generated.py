"""A small trading company made up from a seed, as a file of sales in the standard format.

It is for trying the product without data: about a hundred bought items in families with a season of their own, steady
and sparse, customers who buy several things at once, some returns and write-offs. Everything in it is invented, and
every page of a company built from it says so.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

HEADER = ("invoice", "sku", "description", "quantity", "sold_at", "unit_price", "customer", "country", "kind")
FAMILIES = (
    ("KT", "Kitchen", ("Stoneware mug", "Oak board", "Enamel jug", "Linen towel", "Storage jar"), 0.1, 48),
    ("LV", "Living", ("Wool throw", "Table lamp", "Cushion cover", "Rattan basket", "Wall clock"), 0.25, 46),
    ("GD", "Garden", ("Clay pot", "Plant stand", "Watering can", "Bird feeder", "Lantern"), 0.6, 22),
    ("XM", "Festive", ("Glass bauble", "Paper star", "Candle ring", "Advent bag", "Ribbon reel"), 0.9, 49),
    ("BT", "Bath", ("Hand towel", "Soap dish", "Bath mat", "Brush set", "Glass tumbler"), 0.05, 10),
)
FINISHES = ("oat", "moss", "slate", "clay")
HISTORY_DAYS = 560
CUSTOMERS = 400
RETURN_SHARE = 0.03
WRITE_OFFS_A_WEEK = 1.5


class _Item(NamedTuple):
    sku: str
    name: str
    price: float
    weekly: float  # mean units a week
    sparse: float  # share of its buying occasions that really happen
    swing: float
    peak_week: int


@dataclass(frozen=True)
class _Line:
    invoice: str
    item: _Item
    quantity: int
    sold_at: datetime
    customer: str


def write(
    path: Path,
    *,
    last_day: date,
    seed: int,
    finishes: Sequence[str] = FINISHES,
    history_days: int = HISTORY_DAYS,
) -> int:
    """This function will write the company's sales up to and including `last_day` and return the number of lines.

    There are 25 things, each in every finish. The same arguments write the same file.
    """
    draw = np.random.default_rng(seed)
    items = _items(draw, finishes)
    written = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for row in _rows(draw, items, last_day=last_day, history_days=history_days):
            out.writerow(row)
            written += 1
    return written


def _items(draw: np.random.Generator, finishes: Sequence[str]) -> list[_Item]:
    items = []
    for prefix, family, things, swing, peak_week in FAMILIES:
        for number, (thing, finish) in enumerate(((t, f) for t in things for f in finishes), start=1):
            items.append(
                _Item(
                    sku=f"{prefix}-{number:03d}",
                    name=f"{thing}, {finish} ({family})",
                    price=round(float(np.exp(draw.normal(2.2, 0.5))), 2),
                    weekly=float(np.exp(draw.normal(2.3, 1.0))),
                    sparse=float(draw.choice([1.0, 1.0, 0.4, 0.15])),
                    swing=swing,
                    peak_week=peak_week,
                )
            )
    return items


def _rows(
    draw: np.random.Generator, items: list[_Item], *, last_day: date, history_days: int
) -> Iterator[tuple[object, ...]]:
    invoice = 100_000
    recent: list[_Line] = []
    for offset in range(history_days, -1, -1):
        day = last_day - timedelta(days=offset)
        for customer, basket in _baskets(draw, items, day):
            invoice += 1
            minute = int(draw.integers(8 * 60, 18 * 60))
            sold_at = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
            for item, quantity in basket:
                line = _Line(str(invoice), item, quantity, sold_at, customer)
                recent.append(line)
                yield _row(line, "sale", line.quantity)
        invoice += 1
        yield from _returns(draw, recent, day=day, invoice=invoice)
        yield from _write_offs(draw, items, day=day, invoice=invoice)
        recent = [line for line in recent if (day - line.sold_at.date()).days < 30]


def _baskets(draw: np.random.Generator, items: list[_Item], day: date) -> Iterator[tuple[str, list[tuple[_Item, int]]]]:
    """The day's demand of every item, handed out to a few customers who buy several things at once."""
    if day.weekday() == 5:  # the shop rests on Saturdays
        return
    week = day.isocalendar().week
    wanted: list[tuple[_Item, int]] = []
    for item in items:
        season = 1 + item.swing * np.cos(2 * np.pi * (week - item.peak_week) / 52)
        if draw.random() < item.sparse:
            units = int(draw.poisson(item.weekly * season / 6 / item.sparse))
            if units:
                wanted.append((item, units))
    order = draw.permutation(len(wanted))
    start = 0
    while start < len(wanted):
        size = int(draw.integers(1, 9))
        basket = [wanted[index] for index in order[start : start + size]]
        yield f"C{int(draw.integers(1, CUSTOMERS + 1)):05d}", basket
        start += size


def _returns(
    draw: np.random.Generator, recent: list[_Line], *, day: date, invoice: int
) -> Iterator[tuple[object, ...]]:
    old = [line for line in recent if (day - line.sold_at.date()).days >= 3]
    for _ in range(int(draw.poisson(len(old) / 27 * RETURN_SHARE))):
        line = old[int(draw.integers(len(old)))]
        quantity = int(draw.integers(1, line.quantity + 1))
        at = datetime.combine(day, datetime.min.time()) + timedelta(hours=15)
        yield _row(_Line(f"R{invoice}", line.item, quantity, at, line.customer), "return", -quantity)


def _write_offs(
    draw: np.random.Generator, items: list[_Item], *, day: date, invoice: int
) -> Iterator[tuple[object, ...]]:
    for _ in range(int(draw.poisson(WRITE_OFFS_A_WEEK / 7))):
        item = items[int(draw.integers(len(items)))]
        at = datetime.combine(day, datetime.min.time()) + timedelta(hours=16)
        quantity = int(draw.integers(1, 6))
        yield (f"W{invoice}", item.sku, item.name, -quantity, at.isoformat(), "0.00", "", "", "adjustment")


def _row(line: _Line, kind: str, quantity: int) -> tuple[object, ...]:
    return (
        line.invoice,
        line.item.sku,
        line.item.name,
        quantity,
        line.sold_at.isoformat(),
        f"{line.item.price:.2f}",
        line.customer,
        "United Kingdom",
        kind,
    )
