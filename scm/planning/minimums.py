"""Supplier minimum values: the reward on money that lifts a lane's order to its minimum, and the bound it proves.

Rewarding each unit of money by μ and paying μ × minimum back is a relaxation: the cheapest plan under it is never
dearer than the cheapest plan that keeps the minimum. The best μ is where spending just reaches the minimum, so it
is found by bisection, one opportunity after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scm.planning import lanes as lane_plans
from scm.planning.checks import Flags, Floats, Integers
from scm.planning.costs import DEAREST_RUN_OUT, Active, ItemCosts
from scm.planning.lanes import LanePlans, Lanes

_NARROWEST = 2.0**-12
"""Bisection works on the logarithm; rewards below this share of the highest count as none."""
_NEARBY = 4.0
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Raised:
    """Lanes pushed up to their supplier minimums."""

    bound: Floats
    """(l) no plan of the lane that keeps the minimums is cheaper, at the prices given."""
    reward: Floats
    """(l, T) the rewards that prove it."""
    pool: list[list[Integers]]
    """Per lane, plans (rows of the block, T) met on the way: some keep the minimums, some just miss them."""


def keeps(spend: Floats, minimum: Floats) -> Flags:
    """Tell for each lane whether every opportunity's spend (l, T) reaches its minimum (l, T)."""
    return np.asarray((spend >= minimum * (1.0 - _TOLERANCE)).all(axis=1))


def highest_reward(active: Active, holding_rate: Floats, block: Integers, open_: Flags) -> Floats:
    """Return the rewards (l, T) beyond which nothing more would be bought: the dearest run-out of the block.

    `holding_rate` is each active row's holding cost divided by its price.
    """
    dearest = np.maximum.reduceat(holding_rate, active.starts[:-1])
    return np.where(open_, (dearest[block] * (DEAREST_RUN_OUT + open_.shape[1]))[:, None], 0.0)


def raise_to(
    active: Active,
    costs: ItemCosts,
    block: Integers,
    open_: Flags,
    *,
    minimum: Floats,
    price: Floats,
    highest: Floats,
    give_up_at: Floats,
    steps: int = 8,
) -> Raised:
    """Return the best bound and rewards found for lanes whose cheapest plan misses a supplier minimum.

    Lanes are given by `block` (l) and `open_` (l, T). `minimum` (l, T) is zero where the lane does not order;
    `price` (l, T) is what money costs; `highest` (l, T) bounds the rewards looked at; a lane whose bound has
    passed `give_up_at` (l) is not pursued.
    """
    search = _Search(active, costs, block, open_, minimum, price, give_up_at)
    several = (minimum > 0).sum(axis=1) > 1
    for again in (False, True):
        for period in np.flatnonzero((minimum > 0).any(axis=0)).tolist():
            interacts = several & (search.reward > 0).any(axis=1) if again else np.ones(len(block), dtype=bool)
            search.bisect(period, highest[:, period], steps, again=again, among=interacts)
    return Raised(search.bound, search.best_reward, search.pool)


class _Search:
    """The state of one bisection over all lanes at once: the rewards so far, and the best bounds."""

    def __init__(
        self,
        active: Active,
        costs: ItemCosts,
        block: Integers,
        open_: Flags,
        minimum: Floats,
        price: Floats,
        give_up_at: Floats,
    ) -> None:
        self.active, self.costs, self.block, self.open = active, costs, block, open_
        self.minimum, self.price, self.give_up_at = minimum, price, give_up_at
        self.reward = np.zeros_like(price)
        self.best_reward = np.zeros_like(price)
        self.bound: Floats = np.full(len(block), -np.inf)
        self.pool: list[list[Integers]] = [[] for _ in block]

    def bisect(self, period: int, highest: Floats, steps: int, *, again: bool, among: Flags) -> None:
        """Set the reward of one opportunity to where its spend just reaches the minimum, the others fixed."""
        lane = np.flatnonzero(among & (self.minimum[:, period] > 0) & (self.bound < self.give_up_at))
        if not len(lane):
            return
        found = self.reward[lane, period]
        plans, _ = self._with(lane, period, np.zeros(len(lane)))
        enough = self._enough(plans, lane, period)
        self.reward[lane[enough], period] = 0.0
        lane, found = lane[~enough], found[~enough]
        low, high = np.zeros(len(lane)), highest[lane]
        if again:  # the second time round the answer is near the first
            high = np.where(found > 0, np.minimum(found * _NEARBY, high), high)
            low = np.where(found > 0, found / _NEARBY, low)
        for _ in range(steps if not again else steps - 2):
            if not len(lane):
                return
            middle = np.sqrt(np.maximum(low, high * _NARROWEST) * high)
            plans, _ = self._with(lane, period, middle)
            enough = self._enough(plans, lane, period)
            high, low = np.where(enough, middle, high), np.where(enough, low, middle)
            going_on = self.bound[lane] < self.give_up_at[lane]
            lane, low, high = lane[going_on], low[going_on], high[going_on]
        for reward in (low, high):
            plans, lanes = self._with(lane, period, reward)
            for place, number in enumerate(lane.tolist()):
                self.pool[number].append(plans.packs[lanes.rows_of(place)])
        self.reward[lane, period] = high

    def _enough(self, plans: LanePlans, lane: Integers, period: int) -> Flags:
        return np.asarray(plans.spend[:, period] >= self.minimum[lane, period] * (1.0 - _TOLERANCE))

    def _with(self, lane: Integers, period: int, reward: Floats) -> tuple[LanePlans, Lanes]:
        """Return what these lanes do with another reward at one opportunity, and note what it proves."""
        trial = self.reward[lane]
        trial[:, period] = reward
        lanes = lane_plans.lanes_of(self.active, self.costs, self.block[lane], self.open[lane])
        plans = lane_plans.evaluate(lanes, self.price[lane] - trial)
        proved = plans.priced + (trial * self.minimum[lane]).sum(axis=1)
        better = proved > self.bound[lane]
        self.bound[lane[better]] = proved[better]
        self.best_reward[lane[better]] = trial[better]
        return plans, lanes


def minimum_of(problem_minimum: Floats, active: Active, block: Integers, open_: Flags) -> Floats:
    """Return the supplier minimum (l, T) of each lane where it orders, zero elsewhere."""
    per_lane: Floats = problem_minimum[active.supplier[block]]
    return np.where(open_, per_lane[:, None], 0.0)
