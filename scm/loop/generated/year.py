"""The retail year in China: when people buy more, when less, and through which channel. Pure.

The first days of the lunar years are those of the Hong Kong Observatory's Gregorian-lunar conversion tables.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

# The first day of the lunar year by the Gregorian one in which it falls.
SPRING_FESTIVALS = {
    2023: date(2023, 1, 22),
    2024: date(2024, 2, 10),
    2025: date(2025, 1, 29),
    2026: date(2026, 2, 17),
    2027: date(2027, 2, 6),
}
NEVER = 365  # days to a festival that is not near


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One way to sell.

    `share` is its part of an average week's units, `weekdays` what each day takes of a week, Monday first. An order has
    one to `most_lines` lines of about `units` units each; `returned` is the share of units that come back.
    """

    code: str
    share: float
    weekdays: Sequence[float]
    most_lines: int
    units: float
    returned: float
    customers: int

    def customer_code(self, number: int) -> str:
        """The code of one of its customers.

        >>> CHANNELS[0].customer_code(7)
        'M00007'
        """
        return f"{self.code[0].upper()}{number:05d}"


@dataclass(frozen=True, kw_only=True)
class Season:
    """Some days of every year, and what they multiply each channel's demand by."""

    first: tuple[int, int]  # month and day
    last: tuple[int, int]
    lift: dict[str, float]


MARKETPLACE, LIVE, DISTRIBUTORS = "market", "live", "dealer"
PRICE_PERCENT = {MARKETPLACE: 95, LIVE: 82, DISTRIBUTORS: 60}  # of the list price, on usual days
CHANNELS = (
    Channel(
        code=MARKETPLACE,
        share=0.52,
        weekdays=(1.0, 0.95, 0.95, 0.95, 1.05, 1.05, 1.05),
        most_lines=4,
        units=1.3,
        returned=0.035,
        customers=900,
    ),
    Channel(
        code=LIVE,
        share=0.16,
        weekdays=(0.4, 0.5, 1.6, 0.6, 1.8, 0.7, 1.4),
        most_lines=2,
        units=1.6,
        returned=0.11,
        customers=500,
    ),
    Channel(
        code=DISTRIBUTORS,
        share=0.32,
        weekdays=(2.6, 2.0, 0.9, 1.0, 0.5, 0.0, 0.0),
        most_lines=14,
        units=9.0,
        returned=0.006,
        customers=10,
    ),
)
SEASONS = (
    Season(first=(5, 28), last=(5, 30), lift={MARKETPLACE: 0.8, LIVE: 0.8}),  # people wait for the prices of June
    Season(first=(5, 31), last=(6, 3), lift={MARKETPLACE: 2.2, LIVE: 3.0}),
    Season(first=(6, 4), last=(6, 15), lift={MARKETPLACE: 1.4, LIVE: 1.6}),
    Season(first=(6, 16), last=(6, 18), lift={MARKETPLACE: 3.0, LIVE: 3.6}),  # 618
    Season(first=(6, 19), last=(6, 26), lift={MARKETPLACE: 0.7, LIVE: 0.7}),
    Season(first=(9, 10), last=(10, 20), lift={DISTRIBUTORS: 1.25}),  # shops stock up for November
    Season(first=(10, 1), last=(10, 7), lift={MARKETPLACE: 0.85, LIVE: 0.8, DISTRIBUTORS: 0.1}),  # National Day
    Season(first=(10, 21), last=(10, 31), lift={MARKETPLACE: 1.5, LIVE: 2.0}),
    Season(first=(11, 1), last=(11, 3), lift={MARKETPLACE: 2.6, LIVE: 3.0}),
    Season(first=(11, 4), last=(11, 9), lift={MARKETPLACE: 1.5, LIVE: 1.7}),
    Season(first=(11, 10), last=(11, 11), lift={MARKETPLACE: 5.0, LIVE: 5.5}),  # Double 11
    Season(first=(11, 12), last=(11, 20), lift={MARKETPLACE: 0.65, LIVE: 0.6}),
    Season(first=(12, 10), last=(12, 12), lift={MARKETPLACE: 2.3, LIVE: 2.2}),  # Double 12
)


def lift(channel: str, day: date) -> float:
    """This function will say what the season multiplies a channel's demand of a day by.

    >>> lift(MARKETPLACE, date(2025, 11, 11)), lift(DISTRIBUTORS, date(2026, 2, 17))
    (5.0, 0.0)
    """
    factor = 1.0
    for season in SEASONS:
        if season.first <= (day.month, day.day) <= season.last:
            factor *= season.lift.get(channel, 1.0)
    return factor * _around_new_year(channel, days_to_spring_festival(day))


def festive(day: date) -> float:
    """This function will say how strongly a day is one on which people decorate for the Spring Festival, 0–1.

    >>> festive(date(2026, 2, 5)) > 0.8, festive(date(2026, 7, 1))
    (True, 0.0)
    """
    days = days_to_spring_festival(day)
    if not 0 < days <= 45:
        return 0.0
    return math.exp(-(((days - 12) / 12) ** 2))


def season_of(day: date, *, swing: float, peak_week: int) -> float:
    """This function will say what a family's own season multiplies its demand of a day by, 1 ± `swing`."""
    place = (day - date(day.year, 1, 1)).days / 7
    return 1 + swing * math.cos(2 * math.pi * (place - peak_week) / 52.18)


def days_to_spring_festival(day: date) -> int:
    """This function will count the days until the nearest Spring Festival; below zero after it.

    >>> days_to_spring_festival(date(2026, 2, 10)), days_to_spring_festival(date(2025, 2, 3))
    (7, -5)
    """
    near = [(festival - day).days for festival in SPRING_FESTIVALS.values()]
    return min(near, key=abs, default=NEVER)


def days_until(first: date, last: date) -> list[date]:
    """This function will list the days of a period, both ends included."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def _around_new_year(channel: str, days: int) -> float:
    """Parcels rest from some days before the Spring Festival until a week after, distributors for three weeks."""
    if channel == DISTRIBUTORS:
        if -10 <= days <= 8:
            return 0.0
        return 1.4 if 9 <= days <= 40 else 1.0
    if -6 <= days <= 3:
        return 0.2
    if 4 <= days <= 12:
        return 0.7
    return 1.25 if 13 <= days <= 30 else 1.0
