"""The search over lanes: for each block, lanes in the order of their bounds until no other can be better.

At price zero it finds for each block the cheapest plan that keeps the supplier's minimums, with a bound. At a
price on the budgets' money it finds the cheapest plan at that price and the bound there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from scm.planning import lanes as lane_plans
from scm.planning import master, minimums, options
from scm.planning.checks import Floats, Integers
from scm.planning.costs import Active, ItemCosts, highest_packs
from scm.planning.lanes import LanePlans, Lanes
from scm.planning.master import Budget
from scm.planning.options import Lane
from scm.planning.problem import ReplenishmentProblem, Settings
from scm.planning.solver import NoSolution

_NEAR = 1e-9


class BlockSearch:
    """All lanes of all blocks of one problem, and what is known of them."""

    def __init__(
        self, problem: ReplenishmentProblem, active: Active, costs: ItemCosts, settings: Settings
    ) -> None:
        self.problem, self.active, self.costs, self.settings = problem, active, costs, settings
        self.highest = highest_packs(costs)
        self.holding_rate = problem.holding_cost[active.item] / active.unit_price
        self.lanes: list[list[Lane]] = [[] for _ in range(active.blocks)]
        self.notes: list[str] = []

    # -- price zero -------------------------------------------------------------------------------------------

    def look_at_every_lane(self, tell: Callable[[int, int], None]) -> None:
        """Bound every lane of every block by its cheapest plan without supplier minimums."""
        periods = self.problem.opportunities
        for pattern in range(2**periods):
            open_ = np.array([pattern >> period & 1 == 1 for period in range(periods)])
            blocks = np.flatnonzero(
                ~open_[0] | self.problem.order_today[self.active.supplier]
            )
            if not len(blocks):
                continue
            lanes = lane_plans.lanes_of(self.active, blocks, np.tile(open_, (len(blocks), 1)))
            plans = lane_plans.evaluate(self.active, self.costs, lanes, np.zeros(lanes.open.shape))
            minimum = minimums.minimum_of(self.problem.minimum_value, self.active, lanes)
            kept = minimums.keeps(plans.spend, minimum)
            for place, block in enumerate(blocks.tolist()):
                packs = plans.packs[lanes.rows_of(place)]
                self._remember(block, open_, minimum[place], float(plans.priced[place]), bool(kept[place]), packs)
            tell(pattern + 1, 2**periods)
        self._refuse_unreachable()

    def settle(self, tell: Callable[[int, int], None]) -> None:
        """Give every block a plan that keeps its supplier's minimums, proved to be within the gap if possible."""
        waiting = set(range(self.active.blocks))
        tried: set[int] = set()
        raised: set[int] = set()
        while waiting:
            to_raise: list[Lane] = []
            for block in sorted(waiting):
                lane = self._next_lane(block, tried)
                if lane is None:
                    waiting.discard(block)
                elif lane.kept:
                    lane.best, lane.best_cost = lane.pool[0], lane.bound
                    tried.add(id(lane))
                elif id(lane) not in raised:
                    raised.add(id(lane))
                    to_raise.append(lane)
                else:
                    tried.add(id(lane))
                    self._fill(lane)
            self._raise(to_raise)
            tell(self.active.blocks - len(waiting), self.active.blocks)

    def best(self, block: int) -> Lane:
        """Return the lane with the cheapest plan known for a block."""
        return min(self.lanes[block], key=lambda lane: lane.best_cost)

    def bound(self, block: int) -> float:
        """Return the least any plan of the block can cost."""
        return min(min(lane.bound for lane in self.lanes[block]), self.best(block).best_cost)

    def would_order_without_minimum(self, block: int) -> bool:
        """Tell whether the block's cheapest lane would order if its supplier had no minimum value."""
        return bool(min(self.lanes[block], key=lambda lane: lane.relaxed).open.any())

    def _remember(
        self, block: int, open_: np.ndarray, minimum: Floats, cost: float, kept: bool, packs: Integers
    ) -> None:
        joint = float(self.problem.joint_order_cost[self.active.supplier[block]]) * int(open_.sum())
        relaxed = cost + joint
        lane = Lane(block, open_, minimum, joint, relaxed, relaxed, np.zeros(len(open_)), kept, [packs])
        if not open_.any():
            lane.best, lane.best_cost = packs, lane.bound
        self.lanes[block].append(lane)

    def _refuse_unreachable(self) -> None:
        """Close the lanes whose minimums exceed all that can sensibly be bought."""
        for block, lanes in enumerate(self.lanes):
            sensible = self.most_value(block)
            for lane in lanes:
                if lane.minimum.sum() > sensible * (1.0 + _NEAR):
                    lane.bound = math.inf

    def most_value(self, block: int) -> float:
        """Return the purchase value of the largest plans considered for a block's items."""
        rows = self.active.rows_of(block)
        return float((self.highest * self.active.multiple * self.active.unit_price)[rows].sum())

    def _next_lane(self, block: int, tried: set[int]) -> Lane | None:
        """Return the most promising lane not tried yet, or None when none can beat the best by the gap."""
        untried = [lane for lane in self.lanes[block] if id(lane) not in tried and math.isfinite(lane.bound)]
        if not untried:
            return None
        lane = min(untried, key=lambda candidate: candidate.bound)
        best_cost = self.best(block).best_cost
        good_enough = lane.bound >= best_cost * (1.0 - self.settings.relative_gap) - _NEAR
        return None if good_enough else lane

    def _raise(self, chosen: list[Lane]) -> None:
        if not chosen:
            return
        lanes = self._as_lanes(chosen)
        raised = minimums.raise_to(
            self.active,
            self.costs,
            lanes,
            minimum=np.array([lane.minimum for lane in chosen]),
            price=np.zeros(lanes.open.shape),
            highest=minimums.highest_reward(self.active, self.holding_rate, lanes),
        )
        for place, lane in enumerate(chosen):
            lane.bound = max(lane.bound, float(raised.bound[place]) + lane.joint_cost)
            lane.reward = raised.reward[place]
            lane.pool += [plans.packs[lanes.rows_of(place)] for plans in raised.plans]

    def _fill(self, lane: Lane) -> None:
        """Let the model choose whole packs that reach the lane's minimums; a lane that cannot stays without."""
        no_budget = Budget(np.full(self.problem.opportunities, np.inf), 0.0)
        offered = options.offer(self.problem, self.active, self.highest, [lane])
        name = f"fill{self.active.supplier[lane.block]}"
        try:
            chosen = master.choose(offered.choices, budget=no_budget, settings=self.settings, name=name)
        except NoSolution as error:
            self.notes.append(str(error))
            return
        lane.best, lane.best_cost = offered.packs(0, chosen.plans), chosen.objective

    def _as_lanes(self, chosen: list[Lane]) -> Lanes:
        block = np.array([lane.block for lane in chosen], dtype=np.int64)
        return lane_plans.lanes_of(self.active, block, np.array([lane.open for lane in chosen]))

    # -- a price on money -------------------------------------------------------------------------------------

    def at_price(self, price: Floats) -> tuple[Floats, list[tuple[Lane, Integers]]]:
        """Return per block the least priced cost any plan can have, and the plan that comes closest.

        A lane's bound at price zero holds at any price, since money only costs more; so lanes are looked at
        in that order and most never are.
        """
        priced = [[lane.bound + float(lane.minimum @ price) for lane in lanes] for lanes in self.lanes]
        plan: list[list[Integers | None]] = [[None] * len(lanes) for lanes in self.lanes]
        waiting = list(range(self.active.blocks))
        while waiting:
            lowest = [int(np.argmin(priced[block])) for block in waiting]
            pairs = [(b, l) for b, l in zip(waiting, lowest, strict=True) if plan[b][l] is None]
            for (block, place), (bound, packs) in zip(pairs, self._price_lanes(pairs, price), strict=True):
                priced[block][place] = max(priced[block][place], bound)
                plan[block][place] = packs
            waiting = [block for block, _ in pairs]
        closest = [int(np.argmin(bounds)) for bounds in priced]
        columns = []
        for block, place in enumerate(closest):
            packs_of_lane = plan[block][place]
            assert packs_of_lane is not None
            columns.append((self.lanes[block][place], packs_of_lane))
        return np.array([min(bounds) for bounds in priced]), columns

    def ask_lanes(self, lanes: list[Lane], price: Floats) -> None:
        """Add to each lane's pool what it would do at a price on money."""
        pairs = [
            (lane.block, place)
            for lane in lanes
            for place, candidate in enumerate(self.lanes[lane.block])
            if candidate is lane
        ]
        self._price_lanes(pairs, price)

    def _price_lanes(
        self, pairs: list[tuple[int, int]], price: Floats
    ) -> list[tuple[float, Integers]]:
        """Return bound and plan of each (block, lane) at a price; a missed minimum is raised to again."""
        if not pairs:
            return []
        chosen = [self.lanes[block][place] for block, place in pairs]
        lanes = self._as_lanes(chosen)
        minimum = np.array([lane.minimum for lane in chosen])
        # Under this reward the lane does at the price what it did without one, which reached the minimum.
        enough = np.where(minimum > 0, np.array([lane.reward for lane in chosen]) + price, 0.0)
        known = np.where(np.array([lane.reward for lane in chosen]) > 0, enough, 0.0)
        plans = lane_plans.evaluate(self.active, self.costs, lanes, price - known)
        bound = plans.priced + (known * minimum).sum(axis=1)
        packs = [plans.packs[lanes.rows_of(place)] for place in range(len(chosen))]
        missed = np.flatnonzero(~minimums.keeps(plans.spend, minimum))
        if len(missed):
            self._raise_at_price([chosen[place] for place in missed], missed, price, enough, bound, packs)
        joint = np.array([lane.joint_cost for lane in chosen])
        for lane, lane_packs in zip(chosen, packs, strict=True):
            lane.pool.append(lane_packs)
        return list(zip((bound + joint).tolist(), packs, strict=True))

    def _raise_at_price(
        self,
        chosen: list[Lane],
        places: Integers,
        price: Floats,
        enough: Floats,
        bound: Floats,
        packs: list[Integers],
    ) -> None:
        """Improve `bound` and `packs` of the lanes at `places` whose plan missed a minimum at the price."""
        lanes = self._as_lanes(chosen)
        raised = minimums.raise_to(
            self.active,
            self.costs,
            lanes,
            minimum=np.array([lane.minimum for lane in chosen]),
            price=np.tile(price, (len(chosen), 1)),
            highest=enough[places],
            steps=5,
        )
        bound[places] = np.maximum(bound[places], raised.bound)
        last: LanePlans = raised.plans[-1]
        for number, place in enumerate(places.tolist()):
            packs[place] = last.packs[lanes.rows_of(number)]
