"""Small product structures and situations for the tests of multi-level planning, and slow, plain ways to plan them."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np
from hypothesis import strategies as st

from scm.planning.explosion import Structure
from scm.planning.lots import BILLION, NO_LIMIT, Lots
from scm.planning.multilevel import Situation

Walk = dict[int, int]


def structure_of(items: int, lines: list[tuple[int, int, int, int]]) -> Structure:
    """Lines as (parent, component, numerator, denominator)."""
    parent, component, numerator, denominator = np.array(lines, dtype=np.int64).reshape(-1, 4).T
    return Structure(items=items, parent=parent, component=component, numerator=numerator, denominator=denominator)


def situation_of(*, items: int, buckets: int, lots: dict[str, Any] | None = None, **arrays: Any) -> Situation:
    """A situation from what matters to a test; everything else is nothing."""
    given = dict(lots or {})
    lead_time = given.pop("lead_time", np.zeros(items, dtype=np.int64))
    plain: dict[str, Any] = {
        name: np.zeros(items, dtype=np.int64) for name in ("on_hand", "backordered", "safety_stock")
    }
    plain |= {
        name: np.zeros((items, buckets), dtype=np.int64)
        for name in ("supply", "confirmed", "forecast", "allocated", "returns")
    }
    return Situation(lots=Lots.plain(lead_time, **given), **(plain | arrays))


def walked(lines: list[tuple[int, int, int, int]], *, item: int, quantity: int) -> Walk:
    """What one order for an item needs if every occurrence of a component below it were ordered on its own: a walk
    down the tree, without levels, arrays or totals; exact only where nothing is rounded."""
    needed: Walk = {item: quantity}
    for parent, component, numerator, denominator in lines:
        if parent == item:
            amount = ceil(Fraction(quantity * numerator, denominator))
            for below, count in walked(lines, item=component, quantity=amount).items():
                needed[below] = needed.get(below, 0) + count
    return needed


@st.composite
def lines(draw: st.DrawFn, *, items: int, whole: bool = False) -> list[tuple[int, int, int, int]]:
    """Lines that only lead from lower to higher numbers, so without a cycle; each pair once at most."""
    pairs = [(up, down) for up in range(items) for down in range(up + 1, items)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=2 * items)) if pairs else []
    part = st.integers(1, 4)
    return [(up, down, draw(part), 1 if whole else draw(part)) for up, down in chosen]


@st.composite
def situations(draw: st.DrawFn, *, items: int, buckets: int, minimums: bool, limits: bool) -> Situation:
    """Small whole figures; `minimums` above the multiple and cover limits only where they are asked for."""

    def per_item(low: int, high: int) -> np.ndarray:
        return np.array(draw(st.lists(st.integers(low, high), min_size=items, max_size=items)), dtype=np.int64)

    # Drawn by a seed, because hundreds of single draws take longer than everything else together.
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    share = draw(st.sampled_from([0.1, 0.5, 0.9]))

    def per_bucket(high: int) -> np.ndarray:
        some = random.random((items, buckets)) < share
        return np.where(some, random.integers(0, high + 1, (items, buckets)), 0)

    lots = {
        "lead_time": per_item(0, buckets // 2),
        "cover": per_item(1, 4),
        "multiple": per_item(1, 4),
        "yield_billionths": np.array([draw(st.sampled_from([BILLION, 950_000_000, 666_666_667]))] * items),
    }
    if minimums:
        lots["minimum"] = per_item(0, 12)
    if limits:
        lots["cover_limit"] = np.array([draw(st.sampled_from([NO_LIMIT, 1, 2, 3, 6])) for _ in range(items)])
    return situation_of(
        items=items,
        buckets=buckets,
        lots=lots,
        on_hand=per_item(0, 12),
        backordered=per_item(0, 3),
        safety_stock=per_item(0, 4),
        supply=per_bucket(6),
        confirmed=per_bucket(8),
        forecast=per_bucket(9) / 2,
        allocated=per_bucket(3),
        returns=per_bucket(1) / 2,
    )


def planned_plainly(situation: Situation, lines: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int]]:
    """(item, release, quantity) of every planned order, worked out item by item and bucket by bucket with fractions.

    Lines must lead from lower to higher numbers. Demand of each bucket is looked up again for every order."""
    buckets = situation.forecast.shape[1]
    needed: list[list[int]] = [[0] * buckets for _ in range(len(situation.on_hand))]
    found: list[tuple[int, int, int]] = []
    for item in range(len(situation.on_hand)):
        lots = situation.lots.of(np.array([item]))
        lead, cover, least, pack = (
            int(getattr(lots, name)[0]) for name in ("lead_time", "cover", "minimum", "multiple")
        )
        good = Fraction(int(lots.yield_billionths[0]), BILLION)
        limit = int(lots.cover_limit[0])
        started = 0
        for release in range(buckets - lead):
            arrival = release + lead
            made = floor(started * good)
            if _missing(situation, needed[item], item, arrival) <= made:
                continue
            target = _most_missing(situation, needed[item], item, arrival, min(arrival + cover - 1, buckets - 1))
            quantity = max(ceil(Fraction(target) / good) - started, least)
            quantity = ceil(Fraction(quantity, pack)) * pack
            if limit != NO_LIMIT:
                quantity = _within_limit(
                    situation, needed[item], item, arrival, arrival + limit - 1, quantity, started, good, least, pack
                )
            if quantity:
                started += quantity
                found.append((item, release, quantity))
                for up, down, numerator, denominator in lines:
                    if up == item:
                        needed[down][release] += ceil(Fraction(quantity * numerator, denominator))
    return found


def _within_limit(
    situation: Situation,
    needed: list[int],
    item: int,
    first: int,
    last: int,
    wanted: int,
    started: int,
    good: Fraction,
    least: int,
    pack: int,
) -> int:
    buckets = situation.forecast.shape[1]
    most = _most_missing(situation, needed, item, first, min(last, buckets - 1))
    if last > buckets - 1:
        most += _gross(situation, needed, item, buckets - 1) * (last - buckets + 1) // buckets
    quantity = wanted
    while quantity > 0 and floor((started + quantity) * good) > most:
        quantity -= pack
    return quantity if quantity >= max(least, 1) else 0


def _most_missing(situation: Situation, needed: list[int], item: int, first: int, last: int) -> int:
    return max(_missing(situation, needed, item, bucket) for bucket in range(first, last + 1))


def _missing(situation: Situation, needed: list[int], item: int, bucket: int) -> int:
    there = int(situation.on_hand[item]) + int(situation.supply[item, : bucket + 1].sum())
    back = floor(float(situation.returns[item, : bucket + 1].sum()))
    return _gross(situation, needed, item, bucket) + int(situation.safety_stock[item]) - there - back


def _gross(situation: Situation, needed: list[int], item: int, bucket: int) -> int:
    forecast = floor(float(situation.forecast[item, : bucket + 1].sum()) + 0.5)
    confirmed = int(situation.confirmed[item, : bucket + 1].sum())
    inner = sum(needed[: bucket + 1]) + int(situation.allocated[item, : bucket + 1].sum())
    return max(forecast, confirmed) + inner + int(situation.backordered[item])
