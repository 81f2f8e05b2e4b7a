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
from scm.planning.checks import Flags, Floats, Integers
from scm.planning.costs import Active, ItemCosts, highest_packs, plan_costs
from scm.planning.master import Budget
from scm.planning.options import Lane
from scm.planning.problem import ReplenishmentProblem, Settings
from scm.planning.solver import NoSolution

_NEAR = 1e-9
_NEARLY = 0.02
"""While prices are sought, a plan may miss a supplier minimum by this share; the final model keeps it."""
_BADLY = 0.1
_RECENT = 8
"""So many of the plans met last are offered when a minimum is to be filled; earlier ones are for other prices."""
_CLOSE_ENOUGH = 0.001


class BlockSearch:
    """All lanes of all blocks of one problem, and what is known of them."""

    def __init__(self, problem: ReplenishmentProblem, active: Active, costs: ItemCosts, settings: Settings) -> None:
        self.problem, self.active, self.costs, self.settings = problem, active, costs, settings
        self.highest = highest_packs(costs)
        self.holding_rate = problem.holding_cost[active.item] / active.unit_price
        self.lanes: list[list[Lane]] = [[] for _ in range(active.blocks)]
        self.no_budget = Budget(np.full(problem.opportunities, np.inf), 0.0)
        self.notes: list[str] = []

    # -- price zero -------------------------------------------------------------------------------------------

    def look_at_every_lane(self, tell: Callable[[int, int], None]) -> None:
        """Bound every lane of every block by its cheapest plan without supplier minimums."""
        periods = self.problem.opportunities
        for pattern in range(2**periods):
            open_ = np.array([pattern >> period & 1 == 1 for period in range(periods)])
            blocks = np.flatnonzero(~open_[0] | self.problem.order_today[self.active.supplier])
            if not len(blocks):
                continue
            opens = np.tile(open_, (len(blocks), 1))
            lanes = lane_plans.lanes_of(self.active, self.costs, blocks, opens)
            plans = lane_plans.evaluate(lanes, np.zeros(opens.shape))
            minimum = minimums.minimum_of(self.problem.minimum_value, self.active, blocks, opens)
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
        while waiting:
            to_raise: list[Lane] = []
            for block in sorted(waiting):
                lane = self._next_lane(block, tried)
                if lane is None:
                    waiting.discard(block)
                elif lane.kept or lane.raised:
                    tried.add(id(lane))
                    self.ensure_best(lane)
                else:
                    to_raise.append(lane)
            self._raise(to_raise)
            tell(self.active.blocks - len(waiting), self.active.blocks)

    def ensure_best(self, lane: Lane) -> bool:
        """Tell whether the lane has a plan that keeps the minimums, after looking for one."""
        if lane.best is None and lane.kept:
            lane.best, lane.best_cost = lane.pool[0], lane.bound
        elif lane.best is None and (found := self.filled(lane, np.zeros(len(lane.open)))):
            lane.best, lane.best_cost = found
        return lane.best is not None

    def empty_lanes(self) -> list[Lane]:
        """Return the lane of each block that never orders; it breaks no minimum and costs no money."""
        return [next(lane for lane in lanes if not lane.open.any()) for lanes in self.lanes]

    def plan_that_keeps(self, lane: Lane) -> Integers | None:
        """Return a plan of the lane that keeps the supplier's minimums, the latest known or a new one."""
        if lane.filled:
            return lane.filled[-1]
        return lane.best if self.ensure_best(lane) else None

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
        net_price = np.full(len(open_), np.inf)
        lane = Lane(block, open_, minimum, joint, relaxed, relaxed, kept, net_price, pool=[packs])
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
        return None if lane.bound >= self._worth_beating(block) else lane

    def _worth_beating(self, block: int) -> float:
        """Return the bound from which a lane of the block is not worth a look."""
        return self.best(block).best_cost * (1.0 - self.settings.relative_gap) - _NEAR

    def _raise(self, chosen: list[Lane]) -> None:
        """Bound lanes that miss a minimum better, and learn what money must cost for them to reach it."""
        if not chosen:
            return
        block, open_ = _stacked(chosen)
        minimum = np.array([lane.minimum for lane in chosen])
        give_up_at = np.array([self._worth_beating(lane.block) - lane.joint_cost for lane in chosen])
        raised = minimums.raise_to(
            self.active,
            self.costs,
            block,
            open_,
            minimum=minimum,
            price=np.zeros(open_.shape),
            reward=np.zeros(open_.shape),
            lowest=np.zeros(open_.shape),
            highest=minimums.highest_reward(self.active, self.holding_rate, block, open_),
            wanted=minimum > 0,
            give_up_at=give_up_at,
            evenly=np.zeros(len(chosen), dtype=bool),
        )
        for place, lane in enumerate(chosen):
            lane.raised = bool(raised.bound[place] < give_up_at[place])
            lane.bound = max(lane.bound, float(raised.bound[place]) + lane.joint_cost)
            lane.net_price = np.where(raised.reward[place] > 0, -raised.reward[place], lane.net_price)
            lane.pool += raised.pool[place]

    def filled(self, lane: Lane, price: Floats) -> tuple[Integers, float] | None:
        """Return the model's choice of whole packs that keeps the lane's minimums, and its cost at the price.

        The model chooses among the plans met; when they cannot reach the minimums together, also among those
        that buy all they can at one opportunity. None when even these cannot.
        """
        pool = lane.pool[-_RECENT:]
        for attempt in ("near", "far"):
            if attempt == "far":
                pool = [*pool, *self._greediest(lane)]
            offered = options.offer(self.problem, self.active, self.highest, [(lane, pool)], price=price)
            name = f"fill{self.active.supplier[lane.block]}"
            try:
                chosen = master.choose(offered.choices, budget=self.no_budget, settings=self.settings, name=name)
            except NoSolution as error:
                failure = str(error)
            else:
                lane.filled.append(offered.packs(0, chosen.plans))
                return lane.filled[-1], chosen.objective
        self.notes.append(failure)
        return None

    def _greediest(self, lane: Lane) -> list[Integers]:
        """Return for each open opportunity the plan that buys there all that is sensible."""
        opened = np.flatnonzero(lane.open)
        block, open_ = _stacked([lane] * len(opened))
        highest = minimums.highest_reward(self.active, self.holding_rate, block, open_)
        price = np.zeros(open_.shape)
        price[np.arange(len(opened)), opened] = -highest[0, opened]
        lanes = lane_plans.lanes_of(self.active, self.costs, block, open_)
        plans = lane_plans.evaluate(lanes, price)
        return [plans.packs[lanes.rows_of(place)] for place in range(len(opened))]

    # -- a price on money -------------------------------------------------------------------------------------

    def at_price(self, price: Floats) -> tuple[Floats, list[tuple[Lane, Integers]]]:
        """Return per block the least priced cost any plan can have, and the plan that comes closest.

        Lanes are looked at in the order of what earlier prices say of them, so most never are.
        """
        known = [np.array([lane.bound_at(price) for lane in lanes]) for lanes in self.lanes]
        plan: dict[tuple[int, int], Integers] = {}
        closest: list[int] = [0] * self.active.blocks
        least = np.full(self.active.blocks, np.inf)
        waiting = list(range(self.active.blocks))
        while waiting:
            pairs = []
            for block in waiting:
                looked_at = [place for place in range(len(known[block])) if (block, place) in plan]
                lowest = int(known[block].argmin())
                if looked_at:
                    closest[block] = min(looked_at, key=lambda place: float(known[block][place]))
                    least[block] = float(known[block][closest[block]])
                    if least[block] <= known[block][lowest] * (1.0 + _CLOSE_ENOUGH):
                        continue
                pairs.append((block, lowest))
            lanes = [self.lanes[block][place] for block, place in pairs]
            best = np.array([least[block] for block, _ in pairs])
            for pair, (bound, packs) in zip(pairs, self._price_lanes(lanes, price, best), strict=True):
                known[pair[0]][pair[1]] = max(known[pair[0]][pair[1]], bound)
                plan[pair] = packs
            waiting = [block for block, _ in pairs]
        columns = []
        for block, place in enumerate(closest):
            lane = self.lanes[block][place]
            columns.append((lane, self._usable(lane, plan[block, place], float(known[block][place]), price)))
        return np.array([bounds.min() for bounds in known]), columns

    def _usable(self, lane: Lane, packs: Integers, bound: float, price: Floats) -> Integers:
        """Return the plan, or one that keeps the minimums where it misses them badly."""
        rows = np.arange(self.active.rows_of(lane.block).start, self.active.rows_of(lane.block).stop)
        _, spend = plan_costs(self.problem, self.active, rows, packs)
        if (spend.sum(axis=0) >= lane.minimum * (1.0 - _BADLY)).all():
            return packs
        for earlier in lane.filled:
            cost, spend = plan_costs(self.problem, self.active, rows, earlier)
            priced = float(cost.sum() + spend.sum(axis=0) @ price) + lane.joint_cost
            if priced <= bound * (1.0 + _NEARLY):
                return earlier
        found = self.filled(lane, price)
        return packs if found is None else found[0]

    def plans_at(self, lanes: list[Lane], price: Floats) -> list[Integers]:
        """Return what each of these lanes would do at a price on money."""
        return [packs for _, packs in self._price_lanes(lanes, price, np.full(len(lanes), np.inf))]

    def _price_lanes(self, chosen: list[Lane], price: Floats, give_up_at: Floats) -> list[tuple[float, Integers]]:
        """Return bound and plan of each lane at a price; where the price breaks a minimum, a reward mends it.

        A lane whose bound has passed `give_up_at` (one a lane) is left as it is then.
        """
        if not chosen:
            return []
        joint = np.array([lane.joint_cost for lane in chosen])
        lanes = lane_plans.lanes_of(self.active, self.costs, *_stacked(chosen))
        minimum = np.array([lane.minimum for lane in chosen])
        net_price = np.array([lane.net_price for lane in chosen])
        reward = np.where(minimum > 0, np.maximum(price - net_price, 0.0), 0.0)
        plans = lane_plans.evaluate(lanes, price - reward)
        bound = plans.priced + (reward * minimum).sum(axis=1)
        packs = [plans.packs[lanes.rows_of(place)] for place in range(len(chosen))]
        missed = plans.spend < minimum * (1.0 - _NEARLY)
        beyond = (reward > 0) & (plans.spend > minimum * (1.0 + _NEARLY))
        mend = np.flatnonzero((missed | beyond).any(axis=1))
        if len(mend):
            mended = [chosen[place] for place in mend]
            understood = np.array([lane.kept or lane.raised for lane in mended])
            block, open_ = _stacked(mended)
            dearest = minimums.highest_reward(self.active, self.holding_rate, block, open_) + price
            dearer = np.maximum(reward[mend] * 1.5, price)
            raised = minimums.raise_to(
                self.active,
                self.costs,
                block,
                open_,
                minimum=minimum[mend],
                price=np.tile(price, (len(mend), 1)),
                reward=reward[mend],
                lowest=np.where(missed, reward, 0.0)[mend],
                highest=np.where(missed[mend], np.where(understood[:, None], dearer, dearest), reward[mend]),
                wanted=(missed | beyond)[mend],
                give_up_at=(give_up_at - joint)[mend],
                evenly=understood,
            )
            bound[mend] = np.maximum(bound[mend], raised.bound)
            for number, (place, lane) in enumerate(zip(mend.tolist(), mended, strict=True)):
                lane.pool += raised.pool[number]
                packs[place] = raised.pool[number][-1] if raised.pool[number] else packs[place]
                if bound[place] < give_up_at[place] - joint[place]:
                    lane.raised = True
                    found = (missed | beyond)[place]
                    lane.net_price = np.where(found, price - raised.reward[number], lane.net_price)
        for lane, proved in zip(chosen, (bound + joint).tolist(), strict=True):
            lane.priced.append((price, proved))
        return list(zip((bound + joint).tolist(), packs, strict=True))


def _stacked(chosen: list[Lane]) -> tuple[Integers, Flags]:
    """Return the blocks and the open opportunities of some lanes as arrays."""
    block = np.array([lane.block for lane in chosen], dtype=np.int64)
    return block, np.array([lane.open for lane in chosen])
