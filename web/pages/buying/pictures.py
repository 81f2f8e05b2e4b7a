"""The small pictures of an order's evidence as figures for SVG: places only, no colours, no requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from procurement.evidence import Measured
from procurement.outlook import Outlook
from procurement.prices import Paid

WIDTH = 240
SPAN = 312  # of the projected stock
MOST_BARS = 14
STEP, BAR = 17, 13
BAR_HEIGHT, BASE = 36, 50


@dataclass(frozen=True)
class Bar:
    """One bar of the lead times: deliveries that took `first` to `last` days, of which `late` were late."""

    x: int
    first: int
    last: int
    count: int
    late: int
    height: int
    late_height: int
    labelled: bool


@dataclass(frozen=True)
class Steps:
    """The prices of an item as a step line, and where its first and last point stand."""

    path: str
    first: tuple[int, int, Decimal, date]
    last: tuple[int, int, Decimal, date]


@dataclass(frozen=True)
class Projection:
    """Free stock by day, with the order and without it. `zero` is where nothing is left."""

    with_order: str
    without: str
    zero: int
    with_end: int
    without_end: int
    weeks: Sequence[tuple[int, date]]
    out_x: int | None
    high: int
    low: int


def bars(measured: Measured) -> list[Bar]:
    """This function will gather deliveries into at most fourteen bars.

    >>> [(bar.first, bar.count, bar.late) for bar in bars(Measured(days=[(7, 2, False), (9, 1, True)], agreed_days=7,
    ...     median_days=7, p90_days=9, on_time=2, n=3, overdue=0))]
    [(7, 2, 0), (8, 0, 0), (9, 1, 1)]
    """
    first, last = measured.days[0][0], measured.days[-1][0]
    width = -(-(last - first + 1) // MOST_BARS)
    count = (last - first) // width + 1
    total, late = [0] * count, [0] * count
    for days, deliveries, was_late in measured.days:
        total[(days - first) // width] += deliveries
        late[(days - first) // width] += deliveries if was_late else 0
    high = max(total)
    every = 1 if count <= 7 else 2
    return [
        Bar(
            x=STEP * place,
            first=first + place * width,
            last=first + (place + 1) * width - 1,
            count=total[place],
            late=late[place],
            height=_scaled(total[place], high),
            late_height=_scaled(late[place], high),
            labelled=place % every == 0,
        )
        for place in range(count)
    ]


def steps(paid: Sequence[Paid], *, price: Decimal, day: date) -> Steps | None:
    """This function will draw what was paid, and last what is asked now; none for a first order."""
    if not paid:
        return None
    points = [*((one.ordered_date, one.unit_price) for one in paid), (day, price)]
    begin, span = points[0][0], max((day - points[0][0]).days, 1)
    low, high = min(value for _, value in points), max(value for _, value in points)
    places = [
        (4 + round((WIDTH - 40) * (when - begin).days / span), _height(value, low, high), value, when)
        for when, value in points
    ]
    path = f"M{places[0][0]} {places[0][1]}" + "".join(f"H{x}V{y}" for x, y, _, _ in places[1:])
    return Steps(path=path, first=places[0], last=places[-1])


def projection(found: Outlook) -> Projection:
    """This function will draw the free stock of an item day by day."""
    high = max(*found.with_orders, *found.without, 1)
    low = min(*found.with_orders, *found.without, 0)
    count = len(found.without)

    def y(level: int) -> int:
        return 6 + round(72 * (high - level) / (high - low))

    def x(place: int) -> int:
        return round((SPAN - 4) * place / max(count - 1, 1)) + 2

    def line(levels: Sequence[int]) -> str:
        return "M" + "L".join(f"{x(place)} {y(level)}" for place, level in enumerate(levels))

    out = found.out_without
    ends = _apart(y(found.with_orders[-1]), y(found.without[-1]))
    return Projection(
        with_order=line(found.with_orders),
        without=line(found.without),
        zero=y(0),
        with_end=ends[0],
        without_end=ends[1],
        weeks=[(x(place), found.today + timedelta(days=place)) for place in range(0, count, 14)],
        out_x=None if out is None else x((out - found.today).days),
        high=high,
        low=low,
    )


def _scaled(count: int, high: int) -> int:
    return 0 if count == 0 else max(3, round(BAR_HEIGHT * count / high))


def _height(value: Decimal, low: Decimal, high: Decimal) -> int:
    return 30 if high == low else 46 - round(28 * float((value - low) / (high - low)))


def _apart(first: int, second: int) -> tuple[int, int]:
    """Two labels at the right edge, a line of type apart."""
    gap = 13
    if abs(first - second) >= gap:
        return first, second
    middle = (first + second) // 2
    return (middle - gap // 2, middle + gap // 2 + 1) if first <= second else (middle + gap // 2 + 1, middle - gap // 2)
