"""Pegs: which units of which supply are meant for which demand, and, through all levels, for which customer order.

Of each item the earliest demand gets the earliest supply. A peg joins a stretch of a supply's units with a stretch of a
demand's units, so that shares through several levels stay whole and add up: what an order takes of a work order, and
that work order of a purchase line, is counted unit by unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scm.planning import checks, ratios
from scm.planning.checks import Integers

NOBODY = -1
"""Parent of a demand from outside; end demand of what is left as stock."""


@dataclass(frozen=True, kw_only=True)
class Supplies:
    """S supplies: stock, purchase lines, work orders and planned orders. Raises InvalidPlanningInput."""

    item: Integers
    bucket: Integers
    """of availability; what is in stock is available before all else: give -1"""
    quantity: Integers

    def __post_init__(self) -> None:
        _check(self, {"item": 0, "bucket": -1, "quantity": 0})


@dataclass(frozen=True, kw_only=True)
class Demands:
    """D demands: customer orders, forecast, and what supplies need of their components. Raises InvalidPlanningInput."""

    item: Integers
    bucket: Integers
    quantity: Integers
    parent: Integers
    """position of the supply that needs it, -1 where it comes from outside"""

    def __post_init__(self) -> None:
        _check(self, {"item": 0, "bucket": -1, "quantity": 0, "parent": NOBODY})


@dataclass(frozen=True, kw_only=True)
class Pegs:
    """One row a peg, in the order of items, then of time: `quantity` units of a supply from `supply_from` on are the
    units of a demand from `demand_from` on."""

    supply: Integers
    demand: Integers
    quantity: Integers
    supply_from: Integers
    demand_from: Integers


@dataclass(frozen=True, kw_only=True)
class Traces:
    """One row an end demand and supply: so many units of the supply, at whatever level, are there for that demand.

    `end` is the position of a demand from outside; or -1 for units that no demand from outside needs. The rows of a
    supply add up to its quantity.
    """

    end: Integers
    supply: Integers
    quantity: Integers


def peg(*, supplies: Supplies, demands: Demands) -> Pegs:
    """Return the pegs: first come, first served by bucket; of one bucket, in the order they are given.

    Worked example: orders for 6 and 5 units, 4 in stock and 10 arriving: the first takes the stock and 2 of the rest.

    >>> found = peg(supplies=Supplies(item=[0, 0], bucket=[-1, 3], quantity=[4, 10]),
    ...             demands=Demands(item=[0, 0], bucket=[1, 2], quantity=[6, 5], parent=[-1, -1]))
    >>> list(zip(found.supply.tolist(), found.demand.tolist(), found.quantity.tolist()))
    [(0, 0, 4), (1, 0, 2), (1, 1, 5)]
    """
    items = 1 + int(max(supplies.item.max(initial=-1), demands.item.max(initial=-1)))
    taken = np.lexsort((supplies.bucket, supplies.item))
    asked = np.lexsort((demands.bucket, demands.item))
    offered = _totals(supplies.item, supplies.quantity, items)
    wanted = _totals(demands.item, demands.quantity, items)
    # All units of all items on one line: each item has a stretch long enough for the larger of its two sides.
    length = np.maximum(offered, wanted)
    begin = np.cumsum(length) - length
    supply_begin = _places(supplies.item[taken], supplies.quantity[taken], begin, offered)
    demand_begin = _places(demands.item[asked], demands.quantity[asked], begin, wanted)
    matched = begin + np.minimum(offered, wanted)
    starts = np.unique(np.concatenate([supply_begin, demand_begin, begin]))
    ends = np.append(starts[1:], length.sum())
    item = np.searchsorted(begin, starts, side="right") - 1
    ends = np.minimum(ends, matched[item]) if items else ends
    starts, ends = starts[ends > starts], ends[ends > starts]
    supply = _holder(supply_begin, supplies.quantity[taken], starts)
    demand = _holder(demand_begin, demands.quantity[asked], starts)
    return Pegs(
        supply=taken[supply],
        demand=asked[demand],
        quantity=ends - starts,
        supply_from=starts - supply_begin[supply],
        demand_from=starts - demand_begin[demand],
    )


def trace(pegs: Pegs, *, supplies: Supplies, demands: Demands, levels: npt.ArrayLike) -> Traces:
    """Return how much of every supply is there for every demand from outside, through all levels.

    `levels` are the items' low-level codes. Units x to y of a supply of Q take units floor(x·n/Q) to floor(y·n/Q) of
    the n units that it needs of a component: shares are whole, and what one does not get the next one does.
    """
    level_of = np.asarray(levels, dtype=np.int64)[supplies.item]
    order = np.argsort(pegs.supply, kind="stable")
    by_demand = _Grouped(pegs.demand, len(demands.item))
    by_parent = _Grouped(demands.parent, len(supplies.item))
    parent = demands.parent[pegs.demand]
    outside = (parent == NOBODY) | (supplies.quantity[parent] == 0)  # what makes nothing passes nothing on
    # Stretches of supplies' units, each with the end demand it is there for.
    rest_supply, rest_from, rest_to = _left_over(pegs, order, supplies)
    asking = np.where(parent == NOBODY, pegs.demand, NOBODY)
    end = np.concatenate([asking[outside], np.full(len(rest_supply), NOBODY)])
    supply = np.concatenate([pegs.supply[outside], rest_supply])
    first = np.concatenate([pegs.supply_from[outside], rest_from])
    last = np.concatenate([(pegs.supply_from + pegs.quantity)[outside], rest_to])
    found: list[tuple[Integers, Integers, Integers]] = []
    for level in range(int(level_of.max(initial=-1)) + 1):
        here = level_of[supply] == level
        found.append((end[here], supply[here], (last - first)[here]))
        below = _needed(end[here], supply[here], first[here], last[here], supplies, demands, by_parent)
        pegged = _pegged(*below, pegs, by_demand)
        end = np.concatenate([end[~here], pegged[0]])
        supply = np.concatenate([supply[~here], pegged[1]])
        first = np.concatenate([first[~here], pegged[2]])
        last = np.concatenate([last[~here], pegged[3]])
    return _summed(found, len(supplies.item))


class _Grouped:
    """Positions by key, keys below zero left out."""

    def __init__(self, keys: Integers, groups: int) -> None:
        order = np.argsort(keys, kind="stable")
        self.order = order[keys[order] >= 0]
        self.begin = np.zeros(groups + 1, dtype=np.int64)
        np.cumsum(np.bincount(keys[keys >= 0], minlength=groups), out=self.begin[1:])

    def members(self, groups: Integers) -> tuple[Integers, Integers]:
        """Return, for each of some groups, its members: position in `groups`, and member, one row each."""
        sizes = self.begin[groups + 1] - self.begin[groups]
        first = self.begin[groups] - np.cumsum(sizes) + sizes
        asked = np.repeat(np.arange(len(groups)), sizes)
        return asked, self.order[np.arange(int(sizes.sum())) + np.repeat(first, sizes)]


def _needed(
    end: Integers,
    supply: Integers,
    first: Integers,
    last: Integers,
    supplies: Supplies,
    demands: Demands,
    by_parent: _Grouped,
) -> tuple[Integers, Integers, Integers, Integers]:
    """Stretches of the demands for components that belong to stretches of supplies."""
    asked, demand = by_parent.members(supply)
    made, quantity = np.maximum(supplies.quantity[supply[asked]], 1), demands.quantity[demand]
    low = ratios.floor_of(first[asked], numerator=quantity, denominator=made)
    high = ratios.floor_of(last[asked], numerator=quantity, denominator=made)
    some = high > low
    return end[asked][some], demand[some], low[some], high[some]


def _pegged(
    end: Integers, demand: Integers, first: Integers, last: Integers, pegs: Pegs, by_demand: _Grouped
) -> tuple[Integers, Integers, Integers, Integers]:
    """Stretches of supplies that are pegged to stretches of demands."""
    asked, at = by_demand.members(demand)
    low = np.maximum(first[asked], pegs.demand_from[at])
    high = np.minimum(last[asked], pegs.demand_from[at] + pegs.quantity[at])
    some = high > low
    at, low, high = at[some], low[some], high[some]
    shift = pegs.supply_from[at] - pegs.demand_from[at]
    return end[asked][some], pegs.supply[at], low + shift, high + shift


def _left_over(pegs: Pegs, order: Integers, supplies: Supplies) -> tuple[Integers, Integers, Integers]:
    """Units of supplies behind the last pegged one; demand takes a supply's units from the first on."""
    used = np.zeros(len(supplies.item), dtype=np.int64)
    np.add.at(used, pegs.supply[order], pegs.quantity[order])
    left = np.flatnonzero(supplies.quantity > used)
    return left, used[left], supplies.quantity[left]


def _summed(found: list[tuple[Integers, Integers, Integers]], supplies: int) -> Traces:
    empty = np.zeros(0, dtype=np.int64)
    end = np.concatenate([empty, *(part[0] for part in found)])
    supply = np.concatenate([empty, *(part[1] for part in found)])
    quantity = np.concatenate([empty, *(part[2] for part in found)])
    keys, place = np.unique((end + 1) * max(supplies, 1) + supply, return_inverse=True)
    total = np.zeros(len(keys), dtype=np.int64)
    np.add.at(total, place, quantity)
    return Traces(end=keys // max(supplies, 1) - 1, supply=keys % max(supplies, 1), quantity=total)


def _totals(item: Integers, quantity: Integers, items: int) -> Integers:
    totals = np.zeros(items, dtype=np.int64)
    np.add.at(totals, item, quantity)
    return totals


def _places(item: Integers, quantity: Integers, begin: Integers, total: Integers) -> Integers:
    """Where on the line each row of sorted rows begins."""
    before = np.cumsum(quantity) - quantity
    return np.asarray(before - (np.cumsum(total) - total)[item] + begin[item], dtype=np.int64)


def _holder(begin: Integers, quantity: Integers, starts: Integers) -> Integers:
    """The row whose stretch holds each start; rows of nothing hold none."""
    some = np.flatnonzero(quantity > 0)
    return some[np.searchsorted(begin[some], starts, side="right") - 1] if len(some) else some


def _check(rows: Supplies | Demands, lowest: dict[str, int]) -> None:
    shape = np.shape(rows.item)
    for name, minimum in lowest.items():
        object.__setattr__(rows, name, checks.integers(name, getattr(rows, name), shape=shape, minimum=minimum))
