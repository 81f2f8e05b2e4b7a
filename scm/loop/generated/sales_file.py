"""The made-up sales as a file in the standard format: what was sold, what came back, what was written off.

Before the company's own books only what was in stock stands in it; of the last days, all that customers will ask for.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np

from scm.loop.generated import year
from scm.loop.generated.history import History
from scm.loop.generated.year import CHANNELS, DISTRIBUTORS, LIVE, MARKETPLACE, PRICE_PERCENT, Channel
from scm.loop.world import chance

HEADER = ("invoice", "sku", "description", "quantity", "sold_at", "unit_price", "customer", "country", "kind")
COUNTRY = "China"
# Hours in which each channel's orders come in.
HOURS = {MARKETPLACE: (7, 17), LIVE: (11, 14), DISTRIBUTORS: (9, 16)}
FESTIVAL_LIFT, FESTIVAL_PERCENT = 1.3, 85  # when many buy, prices are lower
EARLIEST_RETURN_DAYS, LATEST_RETURN_DAYS = 4, 18

Row = tuple[object, ...]


@dataclass(frozen=True)
class _Line:
    invoice: str
    item: int
    quantity: int
    at: datetime
    price: str
    customer: str


def write(path: Path, history: History) -> int:
    """This function will write the file and return the number of lines. The same history writes the same file."""
    written = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for row in _rows(history):
            out.writerow(row)
            written += 1
    return written


def _rows(history: History) -> Iterator[Row]:
    draw = chance.stream(history.seed, "sales file")
    coming_back: dict[date, list[_Line]] = defaultdict(list)
    for place, day in enumerate(history.days):
        for turn, channel in enumerate(CHANNELS):
            for line in _orders(draw, history, channel, place, turn):
                yield _row(history, line, "sale", line.quantity)
                _send_back(draw, channel, line, coming_back)
        for number, line in enumerate(coming_back.pop(day, ()), start=1):
            at = datetime.combine(day, time(15))
            back = _Line(f"R{day:%y%m%d}{number:03d}", line.item, line.quantity, at, line.price, line.customer)
            yield _row(history, back, "return", -back.quantity)
        for item in np.flatnonzero(history.shelves.written_off[place]).tolist():
            lost = int(history.shelves.written_off[place, item])
            line = _Line(f"W{day:%y%m%d}{item:03d}", item, lost, datetime.combine(day, time(16)), "0.00", "")
            yield _row(history, line, "adjustment", -lost)


def _orders(draw: np.random.Generator, history: History, channel: Channel, place: int, turn: int) -> Iterator[_Line]:
    """What a channel sold on a day, dealt out to its customers."""
    day, units = history.days[place], history.shelves.sold[place, :, turn]
    lines = [
        (item, part) for item in np.flatnonzero(units).tolist() for part in _parts(draw, channel, int(units[item]))
    ]
    order = draw.permutation(len(lines)).tolist()
    start, number = 0, 0
    first, last = HOURS[channel.code]
    lowered = FESTIVAL_PERCENT if year.lift(channel.code, day) >= FESTIVAL_LIFT else 100
    while start < len(order):
        size, number = int(draw.integers(1, channel.most_lines + 1)), number + 1
        at = datetime.combine(day, time(0)) + timedelta(minutes=int(draw.integers(first * 60, last * 60)))
        customer = channel.customer_code(int(draw.integers(1, channel.customers + 1)))
        for index in order[start : start + size]:
            item, quantity = lines[index]
            percent = PRICE_PERCENT[channel.code] * lowered
            price = f"{history.items[item].price * percent / 10_000:.2f}"
            yield _Line(f"{channel.code}-{day:%y%m%d}-{number:03d}", item, quantity, at, price, customer)
        start += size


def _parts(draw: np.random.Generator, channel: Channel, units: int) -> Iterator[int]:
    """An item's units of a day, as several people bought them."""
    while units > 0:
        part = min(units, 1 + int(draw.poisson(channel.units - 1)))
        yield part
        units -= part


def _send_back(draw: np.random.Generator, channel: Channel, line: _Line, coming_back: dict[date, list[_Line]]) -> None:
    if draw.random() < channel.returned:
        days = int(draw.integers(EARLIEST_RETURN_DAYS, LATEST_RETURN_DAYS + 1))
        quantity = int(draw.integers(1, line.quantity + 1))
        coming_back[line.at.date() + timedelta(days=days)].append(
            _Line(line.invoice, line.item, quantity, line.at, line.price, line.customer)
        )


def _row(history: History, line: _Line, kind: str, quantity: int) -> Row:
    item = history.items[line.item]
    return (
        line.invoice,
        item.sku,
        item.name,
        quantity,
        line.at.isoformat(),
        line.price,
        line.customer,
        COUNTRY,
        kind,
    )
