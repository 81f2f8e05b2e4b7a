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
    reward: Floats
    """(T) rewards on money that prove the bound."""
    kept: bool
    """Whether the lane's cheapest plan keeps the supplier minimums."""
    pool: list[Integers] = field(default_factory=list)
    """Plans met: cumulated packs (rows of the block, T)."""
    best: Integers | None = None
    """The cheapest plan that keeps the minimums, when one was found."""
    best_cost: float = math.inf


@dataclass(frozen=True)
class Offer:
    """The choices of the model, and what the chosen positions mean."""

    lanes: tuple[Lane, ...]
    choices: Choices
    decided: tuple[Integers, ...]
    """Per lane: cumulated packs of its block, right for the decided items."""
    plan_packs: Integers
    """(p, T) cumulated packs of every plan offered."""

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
    problem: ReplenishmentProblem, active: Active, highest: Integers, lanes: Sequence[Lane]
) -> Offer:
    """Return for each lane what is decided and what the model may choose; `highest` is the most packs a row."""
    plan_lane, plan_row, plan_packs, plan_cost, plan_spend = [], [], [], [], []
    lane_cost, lane_spend, decided = [], [], []
    for number, lane in enumerate(lanes):
        start, stop = active.rows_of(lane.block).start, active.rows_of(lane.block).stop
        base = lane.pool[-1] if lane.best is None else lane.best
        row, packs = _plans_of(active, highest, lane, start, stop, _EVERY_PLAN // len(lanes))
        cost, spend = plan_costs(problem, active, start + row, packs)
        fixed_cost, fixed_spend = plan_costs(problem, active, np.arange(start, stop), base)
        free = np.isin(np.arange(stop - start), row)
        lane_cost.append(float(fixed_cost[~free].sum()) + lane.joint_cost)
        lane_spend.append(fixed_spend[~free].sum(axis=0))
        decided.append(base)
        plan_lane.append(np.full(len(row), number))
        plan_row.append(row)
        plan_packs.append(packs)
        plan_cost.append(cost)
        plan_spend.append(spend)
    choices = Choices(
        lane_block=np.array([lane.block for lane in lanes], dtype=np.int64),
        lane_cost=np.array(lane_cost),
        lane_spend=np.array(lane_spend),
        lane_minimum=np.array([lane.minimum for lane in lanes]),
        plan_lane=np.concatenate(plan_lane),
        plan_row=np.concatenate(plan_row),
        plan_cost=np.concatenate(plan_cost),
        plan_spend=np.concatenate(plan_spend),
    )
    return Offer(tuple(lanes), choices, tuple(decided), np.concatenate(plan_packs))


def _plans_of(
    active: Active, highest: Integers, lane: Lane, start: int, stop: int, limit: int
) -> tuple[Integers, Integers]:
    """Return the row within the block (p) and cumulated packs (p, T) of every plan offered."""
    orders = int(lane.open.sum())
    if sum(math.comb(int(most) + orders, orders) for most in highest[start:stop]) <= limit:
        return _every_plan(active, highest, lane, start, stop)
    pool = np.stack(lane.pool if lane.best is None else [*lane.pool, lane.best])
    free = np.flatnonzero((pool != pool[0]).any(axis=(0, 2)))
    met = pool[:, free].reshape(-1, pool.shape[2])
    row = np.tile(free, len(pool))
    span = (pool[:, free].max(axis=0) - pool[:, free].min(axis=0)).max(axis=1)
    span = np.tile(span, len(pool))
    packs = _distinct(row, met)
    plans = [packs]
    from_pool, from_row, from_span = met, row, span
    for period, step in itertools.product(np.flatnonzero(lane.open), _STEPS):
        useful = from_span > step
        for sign in (step, -step):
            moved = from_pool[useful].copy()
            moved[:, period:] += sign
            plans.append(_allowed(active, highest, start, from_row[useful], moved))
            for later in np.flatnonzero(lane.open[period + 1 :]) + period + 1:
                shifted = from_pool[useful].copy()
                shifted[:, period:later] += sign
                plans.append(_allowed(active, highest, start, from_row[useful], shifted))
    both = _distinct(*_split(np.concatenate(plans)))
    return _split(both)


def _allowed(active: Active, highest: Integers, start: int, row: Integers, packs: Integers) -> Integers:
    """Return row and packs, side by side, of the plans whose every order is nothing or large enough."""
    orders = np.diff(packs, axis=1, prepend=0)
    least = active.minimum_packs[start + row][:, None]
    fits = ((orders == 0) | (orders >= least)).all(axis=1) & (packs[:, -1] <= highest[start + row])
    return np.concatenate((row[fits, None], packs[fits]), axis=1)


def _every_plan(
    active: Active, highest: Integers, lane: Lane, start: int, stop: int
) -> tuple[Integers, Integers]:
    """Return all plans of all items of a small lane."""
    opened = np.flatnonzero(lane.open)
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
