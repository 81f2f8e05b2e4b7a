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
_STEPS, _STEPS_AGAIN = 8, 5
_NEARBY = 4.0
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Raised:
    """Lanes pushed up to their supplier minimums."""

    bound: Floats
    """(l) no plan of the lane that keeps the minimums is cheaper, at the prices given."""
    reward: Floats
    """(l, T) rewards at which every minimum is about reached."""
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
    reward: Floats,
    lowest: Floats,
    highest: Floats,
    wanted: Flags,
    give_up_at: Floats,
    evenly: Flags,
) -> Raised:
    """Return the best bound and the rewards found for lanes whose cheapest plan misses a supplier minimum.

    Lanes are given by `block` (l) and `open_` (l, T). `minimum` (l, T) is zero where the lane does not order;
    `price` (l, T) is what money costs. The search begins at `reward` (l, T); where `wanted` (l, T), rewards
    between `lowest` and `highest` are looked at, `evenly` (l) or on the logarithm. A lane whose bound has
    passed `give_up_at` (l) is not pursued.
    """
    search = _Search(active, costs, block, open_, minimum, price, reward, lowest, give_up_at)
    several = wanted.sum(axis=1) > 1
    for again in (False, True):
        for period in np.flatnonzero(wanted.any(axis=0)).tolist():
            among = wanted[:, period] & (several & (search.reward > lowest).any(axis=1) if again else True)
            search.bisect(period, highest[:, period], among, again=again, evenly=evenly)
    return Raised(search.bound, search.reward, search.pool)


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
        reward: Floats,
        lowest: Floats,
        give_up_at: Floats,
    ) -> None:
        self.active, self.costs, self.block, self.open = active, costs, block, open_
        self.minimum, self.price, self.give_up_at = minimum, price, give_up_at
        self.lowest, self.reward = lowest, reward.copy()
        self.bound: Floats = np.full(len(block), -np.inf)
        self.pool: list[list[Integers]] = [[] for _ in block]
        self.gathered: tuple[Integers, Lanes] | None = None

    def bisect(self, period: int, highest: Floats, among: Flags, *, again: bool, evenly: Flags) -> None:
        """Set the reward of one opportunity to where its spend just reaches the minimum, the others fixed."""
        lane = np.flatnonzero(among & (self.bound < self.give_up_at))
        if not len(lane):
            return
        found = self.reward[lane, period]
        plans, _ = self._with(lane, period, self.lowest[lane, period])
        enough = self._enough(plans, lane, period)
        self.reward[lane[enough], period] = self.lowest[lane[enough], period]
        lane, found = lane[~enough], found[~enough]
        low, high = self.lowest[lane, period], highest[lane]
        if again:  # the second time round the answer is near the first
            moved = found > low
            high = np.where(moved, np.minimum(found * _NEARBY, high), high)
            low = np.where(moved, np.maximum(found / _NEARBY, low), low)
        for _ in range(_STEPS_AGAIN if again or evenly[lane].all() else _STEPS):
            if not len(lane):
                return
            by_logarithm = np.sqrt(np.maximum(low, high * _NARROWEST) * high)
            middle = np.where(evenly[lane], (low + high) / 2, by_logarithm)
            plans, _ = self._with(lane, period, middle)
            enough = self._enough(plans, lane, period)
            high, low = np.where(enough, middle, high), np.where(enough, low, middle)
            going_on = self.bound[lane] < self.give_up_at[lane]
            lane, low, high = lane[going_on], low[going_on], high[going_on]
        if not len(lane):
            return
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
        lanes = self._lanes(lane)
        plans = lane_plans.evaluate(lanes, self.price[lane] - trial)
        proved = plans.priced + (trial * self.minimum[lane]).sum(axis=1)
        self.bound[lane] = np.maximum(self.bound[lane], proved)
        return plans, lanes

    def _lanes(self, lane: Integers) -> Lanes:
        if self.gathered is None or not np.array_equal(self.gathered[0], lane):
            lanes = lane_plans.lanes_of(self.active, self.costs, self.block[lane], self.open[lane])
            self.gathered = (lane, lanes)
        return self.gathered[1]


def minimum_of(problem_minimum: Floats, active: Active, block: Integers, open_: Flags) -> Floats:
    """Return the supplier minimum (l, T) of each lane where it orders, zero elsewhere."""
    per_lane: Floats = problem_minimum[active.supplier[block]]
    return np.where(open_, per_lane[:, None], 0.0)
