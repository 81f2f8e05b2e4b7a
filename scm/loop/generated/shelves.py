"""The stock behind two years of sales, day by day: what was ordered, when it came, and what could not be sold. Pure.

A planner of the past reviews each supplier on its day and orders up to what the season should need, as well as people
without a tool do: from eight weeks of sales, and with half an eye on the calendar. What is not there is not sold, and
nobody hears of it: from the sales alone a demand that met an empty shelf cannot be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from scm.loop.generated.catalogue import CatalogueItem
from scm.loop.generated.stories import Stories
from scm.loop.generated.suppliers import Agreed, Factory
from scm.loop.world import chance

Units = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LOOK_BACK_DAYS, LEAST_DAYS = 56, 21
SAFETY, SPREAD = 1.6, 3.0  # standard deviations of demand, whose variance is so many times its mean
SEEN_OF_CALENDAR = 0.6  # how much of what the calendar brings was thought of
WRITE_OFFS_A_DAY = 0.2
DRIFT_DAYS = 80
BULK_WEEKS, EXPIRING_WEEKS, CASE = 52, 52, 6


@dataclass(frozen=True, kw_only=True)
class PastOrder:
    """What was ordered of one item. Days are places in the calendar; one past its end has not come yet."""

    factory: Factory
    item: int
    ordered: int
    arrives: int
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Shelves:
    """Arrays are (days, items), sold (days, items, channels); `opening` is what was there before the first day.

    `on_hand` is at the end of each day. After `closed_days` nothing was limited any more: that is the future.
    """

    opening: Units
    sold: Units
    written_off: Units
    received: Units
    on_hand: Units
    orders: Sequence[PastOrder]
    closed_days: int


def fill(
    items: Sequence[CatalogueItem],
    sources: Sequence[tuple[Factory, Agreed]],
    *,
    wanted: Units,
    mean: Floats,
    days: Sequence[date],
    closed_days: int,
    seed: int,
    stories: Stories | None,
) -> Shelves:
    """This function will keep the shelves for the first `closed_days`; what is wanted later is sold without asking."""
    count, total, lost_goods = len(items), mean.sum(axis=2), chance.stream(seed, "lost goods")
    usual = np.array([item.weekly / 7 for item in items])
    lead = np.array([factory.lead_time_days for factory, _ in sources])
    period = np.array([factory.period_days for factory, _ in sources])
    packs = np.array([agreed.order_multiple for _, agreed in sources])
    least = np.array([agreed.minimum_order_quantity for _, agreed in sources])
    on_hand = np.ceil(total[: LOOK_BACK_DAYS // 2].mean(axis=0) * 1.5 * (lead + period)).astype(np.int64)
    on_hand += least
    opening, coming = on_hand.copy(), np.zeros((len(days) + 200, count), dtype=np.int64)
    sold, written_off = wanted.copy(), np.zeros((len(days), count), dtype=np.int64)
    received, ends = np.zeros((len(days), count), dtype=np.int64), np.zeros((len(days), count), dtype=np.int64)
    orders: list[PastOrder] = []
    for day in range(closed_days):
        received[day] = coming[day]
        on_hand += coming[day]
        for factory, places in _reviewed(sources, days[day]):
            reach = (lead + period)[places]
            seen = _forecast(sold, ends, total, usual, day, places, int(reach[0]))
            needed = seen * reach
            target = np.ceil(needed + SAFETY * np.sqrt(SPREAD * needed)).astype(np.int64)
            position = on_hand[places] + coming[day + 1 :, places].sum(axis=0)
            short = np.maximum(target - position, 0)
            lots = -(-np.maximum(short, np.where(short > 0, least[places], 0)) // packs[places]) * packs[places]
            _overrule(lots, items, places, days[day], stories)
            lots = -(-lots // packs[places]) * packs[places]
            lasts = _lead_time(seed, factory, days[day], stories)
            for place, quantity in zip(places.tolist(), lots.tolist(), strict=True):
                if quantity:
                    arrives = day + lasts
                    orders.append(
                        PastOrder(factory=factory, item=place, ordered=day, arrives=arrives, quantity=quantity)
                    )
                    coming[arrives, place] += quantity
        for channel in range(wanted.shape[2]):
            sold[day, :, channel] = np.minimum(wanted[day, :, channel], on_hand)
            on_hand -= sold[day, :, channel]
        for _ in range(int(lost_goods.poisson(WRITE_OFFS_A_DAY * count / 400))):
            place = int(lost_goods.integers(count))
            lost = min(int(lost_goods.integers(1, 4)), int(on_hand[place]))
            written_off[day, place] += lost
            on_hand[place] -= lost
        ends[day] = on_hand
    return Shelves(
        opening=opening,
        sold=sold,
        written_off=written_off,
        received=received,
        on_hand=ends,
        orders=orders,
        closed_days=closed_days,
    )


def _reviewed(sources: Sequence[tuple[Factory, Agreed]], day: date) -> list[tuple[Factory, Units]]:
    """The suppliers reviewed on a day, and the places of their items."""
    found: dict[str, tuple[Factory, list[int]]] = {}
    for place, (factory, _) in enumerate(sources):
        weeks = day.toordinal() // 7
        if day.weekday() == factory.weekday and weeks % (factory.period_days // 7) == 0:
            found.setdefault(factory.code, (factory, []))[1].append(place)
    return [(factory, np.array(places)) for factory, places in found.values()]


def _forecast(sold: Units, ends: Units, total: Floats, usual: Floats, day: int, places: Units, reach: int) -> Floats:
    """Mean demand a day over the days an order must last: the last weeks' sales, and a part of what the year brings."""
    since = max(0, day - LOOK_BACK_DAYS)
    if day - since < LOOK_BACK_DAYS // 2:
        known: Floats = total[day : day + reach, places].mean(axis=0)
        return known
    there = (ends[since:day, places] > 0).sum(axis=0)  # nobody counts days without stock as days without demand
    lately = sold[since:day, places].sum(axis=(0, 2)) / np.maximum(there, LEAST_DAYS)
    behind = total[since:day, places].mean(axis=0)
    ahead = total[day : day + reach, places].mean(axis=0)
    change = np.divide(ahead, behind, out=np.ones_like(ahead), where=behind > 0)
    seen: Floats = np.maximum(lately, 0.15 * usual[places]) * (1 + SEEN_OF_CALENDAR * (np.clip(change, 0.3, 8.0) - 1))
    return seen


def _overrule(lots: Units, items: Sequence[CatalogueItem], places: Units, day: date, stories: Stories | None) -> None:
    """What no planner decides: a factory takes no orders, an item is new, one is doomed, two are bought for a year."""
    if stories is None:
        return
    for turn, place in enumerate(places.tolist()):
        if items[place].sku == stories.bestseller:
            if stories.refused_from <= day < stories.refused_until:
                lots[turn] = 0
        elif items[place].sku == stories.phased_out:
            if 0 <= (day - stories.bulk_date).days < 7:
                lots[turn] = -(-int(items[place].weekly * BULK_WEEKS) // CASE) * CASE
            elif day > stories.bulk_date:
                lots[turn] = 0
        elif items[place].sku == stories.expiring:
            if 0 <= (day - stories.bulk_date).days < 7:
                lots[turn] = -(-int(items[place].weekly * EXPIRING_WEEKS) // CASE) * CASE
        elif items[place].sku == stories.launched:
            ahead = (stories.launch_date - day).days
            if ahead >= 0:
                lots[turn] = CASE * 10 if 28 <= ahead < 35 else 0


def _lead_time(seed: int, factory: Factory, day: date, stories: Stories | None) -> int:
    draw, factor = chance.stream(seed, "lead time", factory.code, day), 1.0
    if stories is not None and factory.code == stories.late_supplier:
        factor = drift(day, stories)
    return max(1, round(factory.lead_time_days * factor * float(np.exp(draw.normal(0.0, factory.spread)))))


def drift(day: date, stories: Stories) -> float:
    """This function will say what a late supplier's lead times are multiplied by: it grows over three months."""
    share = (day - stories.drift_from).days / DRIFT_DAYS
    return 1 + (stories.drift_factor - 1) * min(1.0, max(0.0, share))
