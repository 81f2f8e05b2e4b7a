"""Which plans of which items the PuLP model may choose from inside each lane.

An item on which all the plans met so far agree is decided. The others bring those plans and their neighbours, a
few packs more or less at one order; where a lane is small enough they bring every plan there is, and then the
model's answer for that lane is exact.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from scm.planning.checks import Flags, Floats, Integers
from scm.planning.costs import Active, plan_costs
from scm.planning.master import Choices
from scm.planning.problem import ReplenishmentProblem

_EVERY_PLAN = 1_500
"""So many plans together are cheap to offer whole."""
_NEIGHBOURS = 6_000
"""So many neighbours of plans, before those that break a rule or are the same are left out."""
_STEPS = (1, 2, 4, 8, 16, 32, 64)


@dataclass
class Lane:
    """One block with one pattern of open opportunities, and what the search has learnt of it."""

    block: int
    open: Flags
    minimum: Floats
    """(T) supplier minimum where the lane orders."""
    joint_cost: float
    relaxed: float
    """Cost of the lane's cheapest plan if the supplier had no minimum value."""
    bound: float
    """No plan of the lane is cheaper (money costing nothing extra)."""
    kept: bool
    """Whether the lane's cheapest plan keeps the supplier minimums."""
    net_price: Floats
    """(T) the dearest that money may be so that the lane still reaches its minimum; infinity while unknown."""
    raised: bool = False
    """Whether rewards on money have been looked for."""
    priced: list[tuple[Floats, float]] = field(default_factory=list)
    """Prices on money, and the bound on cost + price × spend proved there."""
    pool: list[Integers] = field(default_factory=list)
    """Plans met: cumulated packs (rows of the block, T)."""
    filled: list[Integers] = field(default_factory=list)
    """Plans that the model found to keep the minimums, at one price or another."""
    best: Integers | None = None
    """The cheapest plan that keeps the minimums, when one was found."""
    best_cost: float = math.inf

    def bound_at(self, price: Floats) -> float:
        """Return the most that is known to bound cost + price × spend from below at this price.

        The bound is concave in the price and rises with it. So with a the largest share of a price p looked at
        before that lies below this price, it is at least a × bound(p) + (1 − a) × bound(0).
        """
        best = self.bound + float(self.minimum @ price)
        for known, bound in self.priced:
            positive = known > 0
            share = min(1.0, float((price[positive] / known[positive]).min(initial=1.0)))
            best = max(best, share * bound + (1.0 - share) * self.bound)
        return best


@dataclass(frozen=True)
class Offer:
    """The choices of the model, and what the chosen positions mean."""

    lanes: tuple[Lane, ...]
    choices: Choices
    decided: tuple[Integers, ...]
    """Per lane: cumulated packs of its block, right for the decided items."""
    plan_packs: Integers
    """(p, T) cumulated packs of every plan offered."""
    complete: bool
    """Whether every plan there is was offered."""

    def packs(self, lane: int, plans: Integers) -> Integers:
        """Return the cumulated packs of a lane's block when these plans are taken."""
        packs = self.decided[lane].copy()
        mine = plans[self.choices.plan_lane[plans] == lane]
        packs[self.choices.plan_row[mine]] = self.plan_packs[mine]
        return packs


def whole_plans(problem: ReplenishmentProblem, active: Active, columns: Sequence[tuple[Lane, Integers]]) -> Choices:
    """Return choices among complete block plans (lane, cumulated packs); the same block may come many times."""
    costs, spends = [], []
    for lane, packs in columns:
        rows = np.arange(active.rows_of(lane.block).start, active.rows_of(lane.block).stop)
        cost, spend = plan_costs(problem, active, rows, packs)
        costs.append(float(cost.sum()) + lane.joint_cost)
        spends.append(spend.sum(axis=0))
    periods = problem.opportunities
    nothing = np.zeros(0, dtype=np.int64)
    return Choices(
        lane_block=np.array([lane.block for lane, _ in columns], dtype=np.int64),
        lane_cost=np.array(costs),
        lane_spend=np.array(spends).reshape(-1, periods),
        lane_minimum=np.zeros((len(columns), periods)),
        plan_lane=nothing,
        plan_row=nothing,
        plan_cost=np.zeros(0),
        plan_spend=np.zeros((0, periods)),
    )


def offer(
    problem: ReplenishmentProblem,
    active: Active,
    highest: Integers,
    lanes: Sequence[tuple[Lane, Sequence[Integers]]],
    *,
    price: Floats,
) -> Offer:
    """Return for each lane what is decided and what the model may choose; costs include price × spend.

    Each lane comes with the plans met in it (at least one); `highest` (n) is the most packs of each row.
    """
    plan_lane, plan_row, plan_packs, plan_cost, plan_spend = [], [], [], [], []
    lane_cost, lane_spend, decided = [], [], []
    whole = sum(_count_of_plans(active, highest, lane) for lane, _ in lanes) <= _EVERY_PLAN
    for number, (lane, met) in enumerate(lanes):
        start, stop = active.rows_of(lane.block).start, active.rows_of(lane.block).stop
        base = met[-1]
        if whole:
            row, packs = _every_plan(active, highest, lane, start, stop)
        else:
            row, packs = _plans_of(active, highest, lane, np.stack(met), _NEIGHBOURS // len(lanes))
        cost, spend = plan_costs(problem, active, start + row, packs)
        fixed_cost, fixed_spend = plan_costs(problem, active, np.arange(start, stop), base)
        free = np.isin(np.arange(stop - start), row)
        fixed = fixed_spend[~free].sum(axis=0)
        lane_cost.append(float(fixed_cost[~free].sum() + fixed @ price) + lane.joint_cost)
        lane_spend.append(fixed)
        decided.append(base)
        plan_lane.append(np.full(len(row), number))
        plan_row.append(row)
        plan_packs.append(packs)
        plan_cost.append(cost + spend @ price)
        plan_spend.append(spend)
    choices = Choices(
        lane_block=np.array([lane.block for lane, _ in lanes], dtype=np.int64),
        lane_cost=np.array(lane_cost),
        lane_spend=np.array(lane_spend),
        lane_minimum=np.array([lane.minimum for lane, _ in lanes]),
        plan_lane=np.concatenate(plan_lane),
        plan_row=np.concatenate(plan_row),
        plan_cost=np.concatenate(plan_cost),
        plan_spend=np.concatenate(plan_spend),
    )
    return Offer(tuple(lane for lane, _ in lanes), choices, tuple(decided), np.concatenate(plan_packs), whole)


def _count_of_plans(active: Active, highest: Integers, lane: Lane) -> int:
    """Return at most how many plans there are for all items of a lane together."""
    orders = int(lane.open.sum())
    return sum(math.comb(int(most) + orders, orders) for most in highest[active.rows_of(lane.block)])


def _plans_of(active: Active, highest: Integers, lane: Lane, met: Integers, limit: int) -> tuple[Integers, Integers]:
    """Return the row within the block (p) and cumulated packs (p, T) of every plan offered.

    `met` (k, rows, T) are plans of the whole block; with more than `limit` neighbours, they are left out.
    """
    start, stop = active.rows_of(lane.block).start, active.rows_of(lane.block).stop
    orders = int(lane.open.sum())
    free = np.flatnonzero((met != met[0]).any(axis=(0, 2)))
    span = (met[:, free].max(axis=0) - met[:, free].min(axis=0)).max(axis=1)
    plans = _distinct(np.tile(free, len(met)), met[:, free].reshape(-1, met.shape[2]))
    if len(plans) * 2 * len(_STEPS) * orders > limit:
        return _split(plans)
    span_of_row = np.zeros(stop - start, dtype=np.int64)
    span_of_row[free] = span
    return _split(_with_neighbours(active, highest, lane, start, plans, span_of_row[plans[:, 0]]))


def _with_neighbours(
    active: Active, highest: Integers, lane: Lane, start: int, plans: Integers, span: Integers
) -> Integers:
    """Return the plans and those with some packs more, less, earlier or later at one order.

    `span` is how many packs the plans met for an item differ by; larger steps would only leave their range.
    """
    found = [plans]
    opened = np.flatnonzero(lane.open).tolist()
    for period, step in itertools.product(opened, _STEPS):
        useful = plans[span > step]
        for until in [later for later in opened if later > period] + [None]:
            for sign in (step, -step):
                moved = useful.copy()
                moved[:, 1 + period : None if until is None else 1 + until] += sign
                found.append(_allowed(active, highest, start, *_split(moved)))
    return np.unique(np.concatenate(found), axis=0)


def _allowed(active: Active, highest: Integers, start: int, row: Integers, packs: Integers) -> Integers:
    """Return row and packs, side by side, of the plans whose every order is nothing or large enough."""
    orders = np.diff(packs, axis=1, prepend=0)
    least = active.minimum_packs[start + row][:, None]
    fits = ((orders == 0) | (orders >= least)).all(axis=1) & (packs[:, -1] <= highest[start + row])
    return np.concatenate((row[fits, None], packs[fits]), axis=1)


def _every_plan(active: Active, highest: Integers, lane: Lane, start: int, stop: int) -> tuple[Integers, Integers]:
    """Return all plans of all items of a small lane."""
    opened = np.flatnonzero(lane.open)
    if not len(opened):  # nothing to choose: every item follows the only plan there is
        return np.zeros(0, dtype=np.int64), np.zeros((0, len(lane.open)), dtype=np.int64)
    last_open = np.cumsum(lane.open)  # how many orders lie at or before each opportunity
    plans = []
    for row in range(stop - start):
        stairs = itertools.combinations_with_replacement(range(int(highest[start + row]) + 1), len(opened))
        levels = np.array(list(stairs), dtype=np.int64).reshape(-1, len(opened))
        packs = np.concatenate((np.zeros((len(levels), 1), dtype=np.int64), levels), axis=1)[:, last_open]
        plans.append(_allowed(active, highest, start, np.full(len(packs), row), packs))
    return _split(np.concatenate(plans))


def _distinct(row: Integers, packs: Integers) -> Integers:
    return np.unique(np.concatenate((row[:, None], packs), axis=1), axis=0)


def _split(plans: Integers) -> tuple[Integers, Integers]:
    return plans[:, 0], plans[:, 1:]
