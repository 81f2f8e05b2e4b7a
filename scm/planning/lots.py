"""Lot sizing of made and bought items against their need over time: when an order is released, and for how many.

An order is released in the last bucket from which it still arrives before the projected stock falls below the safety
stock, and brings what is needed up to the end of its cover. Yield, minimum and multiple are applied once an order. A
cover limit makes an order smaller, or blocks it where its smallest lot would be more than so many buckets of demand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scm.planning import checks, ratios
from scm.planning.checks import Flags, Integers

BILLION = 10**9
NO_LIMIT = -1
TERMS = (
    "demand",
    "confirmed_orders",
    "dependent",
    "allocated",
    "backordered",
    "safety_stock",
    "on_hand",
    "on_order",
    "expected_returns",
    "planned_before",
    "yield_loss",
    "minimum",
    "multiple",
    "cover_limit",
)
"""Names of the terms of an order."""
_ORDER_COLUMNS = ("item", "release", "arrival", "due", "counted_until", "quantity", "output")
_CUT_COLUMNS = ("item", "release", "wanted", "kept")
FIELDS = ("lead_time", "cover", "minimum", "multiple", "yield_billionths", "cover_limit")


@dataclass(frozen=True, kw_only=True)
class Lots:
    """How each of I items is ordered. Raises InvalidPlanningInput."""

    planned: Flags
    """(I) whether orders are planned for the item here; the others only collect what is needed of them."""
    lead_time: Integers
    """(I) buckets from release to arrival."""
    cover: Integers
    """(I) buckets of demand, from its arrival on, that one order brings together; at least 1."""
    minimum: Integers
    """(I) an order is at least this (0 or 1: none)."""
    multiple: Integers
    """(I) orders are whole multiples of this, at least 1."""
    yield_billionths: Integers
    """(I) good units of a billion that are started; the rest is lost on the way."""
    cover_limit: Integers
    """(I) an order never brings stock for more than so many buckets of demand from its arrival; -1: no limit."""

    def __post_init__(self) -> None:
        shape = np.shape(self.lead_time)
        object.__setattr__(self, "planned", checks.flags("planned", np.asarray(self.planned), shape=shape))
        for name, lowest in zip(FIELDS, (0, 1, 0, 1, 1, NO_LIMIT), strict=True):
            values = checks.integers(name, getattr(self, name), shape=shape, minimum=lowest)
            object.__setattr__(self, name, values)
        too_good = self.yield_billionths > BILLION
        checks.refuse_where("yield_billionths", self.yield_billionths, too_good, f"it must not exceed {BILLION}")
        checks.refuse_where("cover_limit", self.cover_limit, self.cover_limit == 0, "give at least 1, or -1 for none")

    @classmethod
    def plain(cls, lead_time: npt.ArrayLike, **others: npt.ArrayLike) -> Lots:
        """Return lots of items that are all planned, lot for lot, bucket by bucket, but for what is named."""
        days = np.asarray(lead_time)
        neutral = {"planned": np.ones(days.shape, dtype=np.bool_), "lead_time": days}
        for name, value in zip(FIELDS[1:], (1, 0, 1, BILLION, NO_LIMIT), strict=True):
            neutral[name] = np.full(days.shape, value)
        return cls(**(neutral | {name: np.asarray(value) for name, value in others.items()}))

    def of(self, rows: Integers) -> Lots:
        """Return those of some items."""
        return Lots(planned=self.planned[rows], **{name: getattr(self, name)[rows] for name in FIELDS})


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Demand and supply of N items, cumulated over B buckets, whole units."""

    demand: Integers
    """(N, B) forecast"""
    confirmed_orders: Integers
    """(N, B) customer orders beyond the forecast"""
    dependent: Integers
    """(N, B) needed by planned orders"""
    allocated: Integers
    """(N, B) needed by open work orders"""
    backordered: Integers
    """(N)"""
    safety_stock: Integers
    """(N)"""
    on_hand: Integers
    """(N)"""
    on_order: Integers
    """(N, B)"""
    expected_returns: Integers
    """(N, B)"""

    def at(self, rows: Integers, buckets: Integers) -> dict[str, Integers]:
        """Return the signed terms of the need of some items, each up to a bucket."""
        place = (rows, buckets)
        return {
            "demand": self.demand[place],
            "confirmed_orders": self.confirmed_orders[place],
            "dependent": self.dependent[place],
            "allocated": self.allocated[place],
            "backordered": self.backordered[rows],
            "safety_stock": self.safety_stock[rows],
            "on_hand": -self.on_hand[rows],
            "on_order": -self.on_order[place],
            "expected_returns": -self.expected_returns[place],
        }

    @property
    def gross(self) -> Integers:
        """(N, B) all demand."""
        moving = self.demand + self.confirmed_orders + self.dependent + self.allocated
        return np.asarray(moving + self.backordered[:, None])

    @property
    def shortage(self) -> Integers:
        """(N, B) what is missing, safety stock included, at the end of each bucket; negative where there is more."""
        fixed = self.safety_stock - self.on_hand
        return np.asarray(self.gross + fixed[:, None] - self.on_order - self.expected_returns)


@dataclass(frozen=True, kw_only=True)
class PlannedOrders:
    """One row an order. `quantity` is what is started and the exact sum of `terms`; `output` is the good part."""

    item: Integers
    release: Integers
    arrival: Integers
    due: Integers
    """bucket in which the stock would fall below its safety stock without it; before `arrival` where it is too late"""
    counted_until: Integers
    """last bucket that its terms count: the one of its cover in which most is missing"""
    quantity: Integers
    output: Integers
    terms: Mapping[str, Integers]
    """signed units: the need's terms, `planned_before` (orders released before it), `yield_loss`, `minimum`,
    `multiple`, `cover_limit`"""

    @property
    def late(self) -> Integers:
        """Buckets by which each order arrives after it is due."""
        return self.arrival - self.due


@dataclass(frozen=True, kw_only=True)
class Cuts:
    """Orders that a cover limit made smaller: `wanted` became `kept`, 0 where even the smallest lot was too much."""

    item: Integers
    release: Integers
    wanted: Integers
    kept: Integers


def size(*, curves: Curves, lots: Lots, rows: Integers) -> tuple[PlannedOrders, Cuts]:
    """Return orders and cuts of N items; `rows` (N) are the names they get in the answer."""
    return _Sizing(curves, lots, rows).run()


def joined_orders(parts: Sequence[PlannedOrders]) -> PlannedOrders:
    """Return orders as one, in the order of items, then of release."""
    columns = [{name: getattr(part, name) for name in _ORDER_COLUMNS} | dict(part.terms) for part in parts]
    order = np.lexsort((_column(columns, "release"), _column(columns, "item")))
    return PlannedOrders(
        terms={name: _column(columns, name)[order] for name in TERMS},
        **{name: _column(columns, name)[order] for name in _ORDER_COLUMNS},
    )


def joined_cuts(parts: Sequence[Cuts]) -> Cuts:
    """Return cuts as one, in the order of items, then of release."""
    columns = [vars(part) for part in parts]
    order = np.lexsort((_column(columns, "release"), _column(columns, "item")))
    return Cuts(**{name: _column(columns, name)[order] for name in _CUT_COLUMNS})


class _Sizing:
    """The orders of N items, built up bucket by bucket of release."""

    def __init__(self, curves: Curves, lots: Lots, rows: Integers) -> None:
        self.curves, self.lots, self.rows = curves, lots, rows
        self.shortage = curves.shortage
        self.buckets = self.shortage.shape[1]
        self.good, self.started = ratios.lowest_terms(lots.yield_billionths, np.full(len(rows), BILLION))
        self.done = np.zeros(len(rows), dtype=np.int64)  # started so far
        self.output = np.zeros(len(rows), dtype=np.int64)  # good units of it
        self.was_cut = np.zeros(len(rows), dtype=np.bool_)
        self.orders: list[dict[str, Integers]] = []
        self.cuts: list[dict[str, Integers]] = []

    def run(self) -> tuple[PlannedOrders, Cuts]:
        every = np.arange(len(self.rows))
        for release in range(self.buckets):
            arrival = self.lots.lead_time + release
            within = arrival < self.buckets
            now = self.shortage[every, np.minimum(arrival, self.buckets - 1)]
            wanting = within & (now > self.output)
            self.was_cut &= wanting
            self._release(release, np.flatnonzero(wanting))
        terms = {name: _column(self.orders, name) for name in TERMS}
        orders = PlannedOrders(terms=terms, **{name: _column(self.orders, name) for name in _ORDER_COLUMNS})
        return orders, Cuts(**{name: _column(self.cuts, name) for name in _CUT_COLUMNS})

    def _release(self, release: int, at: Integers) -> None:
        if not len(at):
            return
        lots, arrival = self.lots, self.lots.lead_time[at] + release
        last = np.minimum(arrival + lots.cover[at] - 1, self.buckets - 1)
        peak = self._peak(at, arrival, last)
        target = self.shortage[at, peak]
        terms = self.curves.at(at, peak) | {"planned_before": -self.output[at]}
        lacking = target - self.output[at]
        raw = self._to_start(at, target) - self.done[at]
        above_minimum = np.maximum(raw, lots.minimum[at])
        wanted = -(-above_minimum // lots.multiple[at]) * lots.multiple[at]
        allowed = self._allowed(at, arrival)
        kept = np.minimum(wanted, np.where(allowed < np.maximum(lots.minimum[at], 1), 0, allowed))
        self._note_cuts(release, at, wanted, kept)
        terms |= {
            "yield_loss": raw - lacking,
            "minimum": above_minimum - raw,
            "multiple": wanted - above_minimum,
            "cover_limit": kept - wanted,
        }
        before = self.output[at]
        due = self._short_since(at, arrival)
        self.done[at] += kept
        self.output[at] = ratios.floor_of(self.done[at], numerator=self.good[at], denominator=self.started[at])
        row = {
            "item": self.rows[at],
            "release": np.full(len(at), release),
            "arrival": arrival,
            "due": due,
            "counted_until": peak,
            "quantity": kept,
            "output": self.output[at] - before,
        }
        self.orders.append({name: values[kept > 0] for name, values in (row | terms).items()})

    def _peak(self, at: Integers, first: Integers, last: Integers) -> Integers:
        """The bucket from `first` to `last` in which most is missing, the earliest of them.

        What is missing before an order can arrive is no reason for it, unless it is still missing then.
        """
        bucket = np.arange(self.buckets)
        within = (bucket >= first[:, None]) & (bucket <= last[:, None])
        missing = np.where(within, self.shortage[at], np.iinfo(np.int64).min)
        return np.asarray(np.argmax(missing, axis=1), dtype=np.int64)

    def _short_since(self, at: Integers, arrival: Integers) -> Integers:
        """The first of the buckets up to the arrival in which, without a gap, something is missing."""
        bucket = np.arange(self.buckets)
        enough = (self.shortage[at] <= self.output[at][:, None]) & (bucket < arrival[:, None])
        return np.asarray(np.where(enough, bucket + 1, 0).max(axis=1), dtype=np.int64)

    def _to_start(self, at: Integers, output: Integers) -> Integers:
        """Least quantity started, in all orders so far together, that gives so many good units."""
        return ratios.ceil_of(output, numerator=self.started[at], denominator=self.good[at])

    def _allowed(self, at: Integers, arrival: Integers) -> Integers:
        """The largest lot that its cover limit allows; beyond the horizon demand goes on at its mean."""
        limit = self.lots.cover_limit[at]
        last = arrival + limit - 1
        beyond = np.maximum(last - (self.buckets - 1), 0)
        rate = self.curves.gross[at, -1]
        peak = self._peak(at, arrival, np.clip(last, arrival, self.buckets - 1))
        most = self.shortage[at, peak] + rate * beyond // self.buckets
        room = np.maximum(self._to_start(at, most + 1) - 1 - self.done[at], 0)
        lot = room // self.lots.multiple[at] * self.lots.multiple[at]
        return np.where(limit == NO_LIMIT, np.int64(checks.LARGEST), lot)

    def _note_cuts(self, release: int, at: Integers, wanted: Integers, kept: Integers) -> None:
        cut = kept < wanted
        new = cut & ~self.was_cut[at]
        self.was_cut[at] = cut
        values = {"item": self.rows[at], "release": np.full(len(at), release), "wanted": wanted, "kept": kept}
        self.cuts.append({name: column[new] for name, column in values.items()})


def _column(parts: Sequence[Mapping[str, Integers]], name: str) -> Integers:
    return np.concatenate([part[name] for part in parts]) if parts else np.zeros(0, dtype=np.int64)
