"""What each cumulated quantity of each item costs, and which quantities are worth looking at.

The cost of an item at one opportunity is convex and piecewise linear in the quantity ordered so far. So only few
levels can be optimal: the multiples next to a kink, and those a minimum order away from them. This file alone knows
the cost of surplus, shortage and run-out used in the search; `feasibility` computes them again by other code.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scm.planning.checks import Floats, Integers
from scm.planning.problem import ReplenishmentProblem

RUN_OUT_STEPS = 4
"""Run-out cost has kinks after 1, 3, 7 and 15 intervals of demand; no more than that is ever bought ahead,
except where one minimum order is more."""
SLOWEST_DEMAND = 0.02
"""Slower demand than this a interval counts as this, so that the run-out cost of dead stock stays finite."""
DEAREST_RUN_OUT = 100.0
"""A surplus unit costs at most this many intervals of holding."""


@dataclass(frozen=True)
class Active:
    """The items that need anything, in blocks by supplier, with what the search reads of them.

    Rows are in supplier order, so that a block is a slice `starts[b]:starts[b + 1]`.
    """

    item: Integers
    """(n) position in the problem."""
    supplier: Integers
    """(B) supplier of each block."""
    starts: Integers
    """(B + 1) first row of each block, and the end."""
    first: Integers
    """(n) first opportunity at which the item can be ordered."""
    need: Integers
    """(n, T) need, not below zero."""
    multiple: Integers
    minimum_packs: Integers
    unit_price: Floats

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return len(self.supplier)

    def rows_of(self, block: int) -> slice:
        """Rows of one block."""
        return slice(int(self.starts[block]), int(self.starts[block + 1]))


@dataclass(frozen=True)
class LevelGroup:
    """Items with about equally many candidate levels, so that arrays carry little padding."""

    levels: Integers
    """(g, L) candidate cumulated quantities in packs, rising; padded at the end."""
    cost: Floats
    """(T, g, L) cost of standing at a level during an opportunity; infinite in the padding."""
    before: Integers
    """(g, L) last level from which an order up to this one is large enough, −1 for none."""
    value: Floats
    """(g, L) purchase value of a level."""
    line_cost: Floats
    """(g)"""


@dataclass(frozen=True)
class ItemCosts:
    """All groups, and where each active row is found in them."""

    groups: tuple[LevelGroup, ...]
    group: Integers
    """(n) group of each row."""
    place: Integers
    """(n) row within the group."""


def active_items(problem: ReplenishmentProblem) -> Active:
    """Return the items with a need at an opportunity they can be ordered at, block by block."""
    first = np.where(problem.order_today[problem.supplier], 0, 1)
    orderable = np.arange(problem.opportunities)[None, :] >= first[:, None]
    wanted = np.flatnonzero(((problem.need > 0) & orderable).any(axis=1))
    item = wanted[np.argsort(problem.supplier[wanted], kind="stable")]
    supplier, counts = np.unique(problem.supplier[item], return_counts=True)
    return Active(
        item=item,
        supplier=supplier,
        starts=np.concatenate(([0], np.cumsum(counts))),
        first=first[item],
        need=np.maximum(problem.need[item], 0),
        multiple=problem.order_multiple[item],
        minimum_packs=problem.minimum_packs[item],
        unit_price=problem.unit_price[item],
    )


def run_out(surplus: Floats, *, holding_cost: Floats, mean_demand: Floats) -> Floats:
    """Return what it costs to hold `surplus` units beyond the last need until demand has used them up.

    Stock R that demand d uses up at an even rate is held for R/d intervals, half of it on average: h·R²/(2d).
    That parabola is followed by straight pieces with kinks after 1, 3, 7 and 15 intervals of demand (whole
    units). Arguments broadcast; costs in money, demand in units an interval.

    >>> import numpy as np
    >>> cost = run_out(np.array([10.0, 30.0, 40.0]), holding_cost=np.array(2.0), mean_demand=np.array(10.0))
    >>> [float(c) for c in cost]                    # 10 × 0.5 × 2, then + 20 × 2.0 × 2, then + 10 × 5 × 2
    [10.0, 90.0, 190.0]
    """
    total = np.zeros(np.broadcast_shapes(surplus.shape, holding_cost.shape, mean_demand.shape))
    demand = np.maximum(mean_demand, SLOWEST_DEMAND)
    kinks = [np.ceil(demand * (2**step - 1)) for step in range(RUN_OUT_STEPS + 1)]
    for lower, upper in itertools.pairwise(kinks):
        slope = np.minimum((lower + upper) / (2.0 * demand), DEAREST_RUN_OUT) * holding_cost
        total += slope * np.clip(surplus - lower, 0.0, upper - lower)
    beyond = np.minimum(1.5 * kinks[-1] / demand, DEAREST_RUN_OUT) * holding_cost
    return np.asarray(total + beyond * np.maximum(surplus - kinks[-1], 0.0))


def item_costs(problem: ReplenishmentProblem, active: Active) -> ItemCosts:
    """Return candidate levels and their costs for every active item."""
    rows, levels, counts = _candidate_levels(problem, active)
    width_class = np.ceil(np.log2(np.maximum(counts, 2))).astype(np.int64)
    group = np.zeros(rows, dtype=np.int64)
    place = np.zeros(rows, dtype=np.int64)
    groups: list[LevelGroup] = []
    for width in np.unique(width_class):
        members = np.flatnonzero(width_class == width)
        group[members], place[members] = len(groups), np.arange(len(members))
        widest = int(counts[members].max())
        groups.append(_group(problem, active, members, levels[members, :widest], counts[members]))
    return ItemCosts(tuple(groups), group, place)


def plan_costs(problem: ReplenishmentProblem, active: Active, rows: Integers, packs: Integers) -> tuple[Floats, Floats]:
    """Return the cost (k) and the purchase value at each opportunity (k, T) of any plans, on or off the levels.

    `rows` (k) are active rows, `packs` (k, T) their cumulated packs. Joint order costs are not part of it.
    """
    item = active.item[rows]
    orders = np.diff(packs, axis=1, prepend=0)
    units = (packs * active.multiple[rows][:, None]).astype(np.float64)
    cost = (orders > 0).sum(axis=1) * problem.line_cost[item]
    standing = _standing_cost(problem, item, active.need[rows][:, None, :], units[:, None, :])
    counted = np.arange(packs.shape[1])[None, :] >= active.first[rows][:, None]
    cost = cost + np.where(counted, standing[:, 0, :], 0.0).sum(axis=1)
    return cost, orders * (active.multiple * active.unit_price)[rows][:, None]


def highest_packs(costs: ItemCosts) -> Integers:
    """Return the most packs (n) that any plan of each row may come to."""
    highest = np.zeros(len(costs.group), dtype=np.int64)
    for number, group in enumerate(costs.groups):
        highest[costs.group == number] = group.levels.max(axis=1)
    return highest


def _candidate_levels(problem: ReplenishmentProblem, active: Active) -> tuple[int, Integers, Integers]:
    """Return the number of rows, sorted distinct levels in packs (left-aligned) and how many each row has."""
    need, safety = active.need, problem.safety_stock[active.item][:, None]
    demand = np.maximum(problem.mean_demand[active.item], SLOWEST_DEMAND)[:, None]
    intervals = 2.0 ** np.arange(1, RUN_OUT_STEPS + 1) - 1.0
    ahead = need[:, -1:] + np.ceil(demand * intervals).astype(np.int64)
    kinks = np.concatenate((need, np.maximum(need - safety, 0), ahead), axis=1)
    multiple, minimum = active.multiple[:, None], active.minimum_packs[:, None]
    near = np.concatenate((kinks // multiple, -(-kinks // multiple)), axis=1)
    highest = near.max(axis=1, keepdims=True) + np.where(minimum > 1, minimum, 0)
    # A minimum order can push one order up against the next: then levels differ by whole minimum orders.
    reach = active.need.shape[1] - 1
    shifts = [near + shift * minimum for shift in range(-reach, reach + 1)]
    shifted = np.concatenate(shifts, axis=1) if (minimum > 1).any() else near
    shifted = np.where(minimum > 1, shifted, np.tile(near, shifted.shape[1] // near.shape[1]))
    several = minimum * np.arange(1, reach + 2)
    levels = np.concatenate((np.zeros_like(minimum), several, shifted), axis=1)
    levels = np.where((levels < 0) | (levels > highest), 0, levels)
    levels.sort(axis=1)
    repeated = np.zeros(levels.shape, dtype=bool)
    repeated[:, 1:] = levels[:, 1:] == levels[:, :-1]
    counts = (~repeated).sum(axis=1)
    order = np.argsort(repeated, axis=1, kind="stable")
    return len(levels), np.take_along_axis(levels, order, axis=1), counts


def _group(
    problem: ReplenishmentProblem,
    active: Active,
    members: npt.NDArray[np.int64],
    levels: Integers,
    counts: Integers,
) -> LevelGroup:
    item = active.item[members]
    padding = np.arange(levels.shape[1])[None, :] >= counts[:, None]
    units = (levels * active.multiple[members][:, None]).astype(np.float64)
    standing = _standing_cost(problem, item, active.need[members][:, None, :], units[:, :, None])
    counted = np.arange(active.need.shape[1])[None, :] >= active.first[members][:, None]
    cost = np.where(counted[:, None, :], standing, 0.0)
    cost[padding] = np.inf
    reachable = levels - active.minimum_packs[members][:, None]
    fits = (levels[:, None, :] <= reachable[:, :, None]) & ~padding[:, None, :]
    return LevelGroup(
        levels=levels,
        cost=np.ascontiguousarray(np.moveaxis(cost, 2, 0)),
        before=fits.sum(axis=2) - 1,
        value=units * active.unit_price[members][:, None],
        line_cost=problem.line_cost[item],
    )


def _standing_cost(problem: ReplenishmentProblem, item: Integers, need: Integers, units: Floats) -> Floats:
    """Return the cost (k, L, T) of having ordered `units` by each opportunity, run-out included in the last.

    `need` is (k, 1, T); `units` is (k, L, 1) for levels that are asked about at every opportunity, or (k, 1, T).
    """
    column = {
        name: getattr(problem, name)[item][:, None, None].astype(np.float64)
        for name in ("holding_cost", "shortage_cost", "safety_shortage_cost", "safety_stock", "mean_demand")
    }
    surplus, short = np.maximum(units - need, 0.0), np.maximum(need - units, 0.0)
    inside = np.minimum(short, column["safety_stock"])
    cost: Floats = column["holding_cost"] * surplus + column["safety_shortage_cost"] * inside
    cost += column["shortage_cost"] * (short - inside)
    last = surplus[:, :, -1:]
    cost[:, :, -1:] += run_out(last, holding_cost=column["holding_cost"], mean_demand=column["mean_demand"])
    return cost
