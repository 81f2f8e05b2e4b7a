"""How much stock a shop that reviews its orders weekly would have on go-live day: in bins, and on its way.

Pure, seeded, in whole numbers. The position of an item covers its demand over review and lead time, and some safety;
what was ordered at the reviews of the last lead time is still on its way, the rest is in the bins, give or take.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scm.loop.importing.chance import Chance

EMPTY_PERCENT = 3  # items that happen to be sold out
LEAST_PERCENT, MOST_PERCENT = 70, 130  # what is really there, of what should be
MOST_LEFTOVERS = 12  # of an item that has stopped selling


@dataclass(frozen=True, kw_only=True)
class Source:
    """How one item is bought, as far as stock depends on it."""

    lead_time_days: int
    review_period_days: int
    review_weekday: int
    minimum_order_quantity: int
    order_multiple: int


@dataclass(frozen=True)
class Arrival:
    """A quantity that was ordered on one date and is due on another."""

    ordered_date: date
    due_date: date
    quantity: int


def position(weekly: Sequence[int], source: Source) -> int:
    """This function will give what should be in the bins and on its way together.

    Mean demand over review and lead time, and 1.5 standard deviations of it, but no more than as much again: one bulk
    order in thirteen weeks is no reason to hold another.

    >>> position([7] * 13, Source(lead_time_days=7, review_period_days=7, review_weekday=0,
    ...                           minimum_order_quantity=1, order_multiple=1))
    14
    """
    weeks, total = len(weekly), sum(weekly)
    days = source.lead_time_days + source.review_period_days
    cover = -(-total * days // (7 * weeks))
    # variance of a week × weeks²; the deviation of `days` days is its root × √(days / 7) / weeks
    spread = max(0, weeks * sum(week * week for week in weekly) - total * total)
    safety = 3 * math.isqrt(spread * days // 7) // (2 * weeks)
    return cover + min(safety, cover)


def on_its_way(weekly: Sequence[int], source: Source, *, sku: str, go_live: date, chance: Chance) -> list[Arrival]:
    """This function will list what the reviews before go-live ordered that had not arrived: due on go-live or later."""
    weeks, total = len(weekly), sum(weekly)
    days_since_review = (go_live.weekday() - source.review_weekday - 1) % 7 + 1
    reviewed = go_live - timedelta(days=days_since_review)
    arrivals, ordered = [], 0
    reviews = [
        reviewed - timedelta(days=back)
        for back in range(0, source.lead_time_days - days_since_review + 1, source.review_period_days)
    ]
    lot = -(-max(1, source.minimum_order_quantity) // source.order_multiple) * source.order_multiple
    start = chance.between(0, lot * 7 * weeks - 1, "review", sku)  # where in its lot the item stood before them
    for number, review in enumerate(reversed(reviews), start=1):
        needed = (total * source.review_period_days * number + start) // (lot * 7 * weeks) * lot
        if needed > ordered:
            arrivals.append(Arrival(review, review + timedelta(days=source.lead_time_days), needed - ordered))
            ordered = needed
    return arrivals


def in_bins(weekly: Sequence[int], source: Source, *, sku: str, coming: int, chance: Chance) -> int:
    """This function will give what is in the bins of one item on go-live day; `coming` is on its way."""
    if chance.happens(EMPTY_PERCENT, "empty", sku):
        return 0
    if not sum(weekly):
        return chance.between(0, MOST_LEFTOVERS, "leftovers", sku)
    should = max(1, position(weekly, source) - coming)
    return max(1, should * chance.between(LEAST_PERCENT, MOST_PERCENT, "stock", sku) // 100)
