"""The replenishment engine: what to order from each supplier now and at the next order opportunities.

The items of a supplier share its joint order cost and minimum value, all suppliers share the budget of each
opportunity. For each supplier every pattern of order opportunities is a *lane*; inside a lane items are solved
exactly by themselves (`lanes`), a supplier's minimum by a reward on money (`minimums`), and a PuLP model chooses
lanes and the last packs (`master`). A binding budget becomes a price on money, found by a few rounds between the
model and the lanes. Every plan carries a proved bound. `solve` is the only entry.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from scm.planning import master, messages, options, solver
from scm.planning.checks import Flags, Floats, Integers
from scm.planning.costs import Active, active_items, item_costs, plan_costs
from scm.planning.master import Budget
from scm.planning.options import Lane
from scm.planning.problem import (
    BlockResult,
    Progress,
    ReplenishmentPlan,
    ReplenishmentProblem,
    Settings,
)
from scm.planning.search import BlockSearch

_SPREAD = (1.0, 0.97, 1.03, 0.93, 1.07, 0.85, 1.2)
"""Prices around the final one at which items are asked again, so that the model has plans to choose from."""
_ENOUGH_PLANS = 1_500
"""Items are not asked at further prices once they have brought so many plans."""
_LIKELY_LANES = 30
_MORE_LANES = 12
"""Beyond one lane a block, so many lanes that nearly cost as little are offered to the final choice."""
_IDLE_ROUNDS = 3
_CLOSE = 0.001
"""Price rounds end when bound and relaxed cost are this near, relatively."""

BlockPlan = tuple[Lane, Integers]


def solve(problem: ReplenishmentProblem, *, settings: Settings, progress: Progress | None = None) -> ReplenishmentPlan:
    """Return the orders of least cost found, with a proved bound and the reasons for what cannot be met.

    The same problem and settings give the same plan. Raises solver.SolverUnavailable when no solver can run and
    solver.NoSolution when the final choice has none; nothing else is raised for a valid problem.
    """
    report = _Report(progress)
    active = active_items(problem)
    if not active.blocks:
        solver.choose(settings)
        return _nothing_needed(problem, settings)
    search = BlockSearch(problem, active, item_costs(problem, active), settings)
    search.look_at_every_lane(report.steps("looking at order patterns"))
    search.settle(report.steps("meeting supplier minimums"))
    free_plans: list[BlockPlan] = [_settled(search.best(block)) for block in range(active.blocks)]
    bounds = np.array([search.bound(block) for block in range(active.blocks)])
    budget = Budget(problem.budget, problem.budget_overrun_cost)
    free_spend = options.whole_plans(problem, active, free_plans).lane_spend.sum(axis=0)
    if (free_spend <= problem.budget).all():
        plans, price = _choose_settled(search, budget), np.zeros(problem.opportunities)
    else:
        auction = _Auction(search, budget, settings)
        first = _first_price(search, budget, free_spend > problem.budget, report)
        auction.run(free_plans, bounds, first, report.steps("sharing out the budget"), farthest=3.0)
        plans, price, bounds = auction.final_plans(), auction.price, auction.bounds
    return _assemble(search, plans, free_plans, price, bounds)


def _settled(lane: Lane) -> BlockPlan:
    assert lane.best is not None
    return lane, lane.best


def _choose_settled(search: BlockSearch, budget: Budget) -> list[BlockPlan]:
    """Let the model choose each block's lane among those with a plan that keeps the minimums."""
    columns = [_settled(lane) for lanes in search.lanes for lane in lanes if lane.best is not None]
    choices = options.whole_plans(search.problem, search.active, columns)
    chosen = master.choose(choices, budget=budget, settings=search.settings, name="lanes")
    return [columns[place] for place in chosen.lanes.tolist()]


def _first_price(search: BlockSearch, budget: Budget, exceeded: Flags, report: _Report) -> Floats:
    """Return a price on money to begin with: the right one if suppliers had no minimum values."""
    problem, active = search.problem, search.active
    # An order put off for one interval costs about what holding for one costs.
    first = np.where(exceeded, float(np.median(search.holding_rate)), 0.0)
    if not problem.minimum_value[active.supplier].any():
        return first
    free_of_minimums = dataclasses.replace(problem, minimum_value=np.zeros(problem.suppliers))
    easier = BlockSearch(free_of_minimums, active, search.costs, search.settings)
    easier.look_at_every_lane(report.steps("looking at order patterns without supplier minimums"))
    easier.settle(report.steps("choosing among them"))
    plans = [_settled(easier.best(block)) for block in range(active.blocks)]
    bounds = np.array([easier.bound(block) for block in range(active.blocks)])
    auction = _Auction(easier, budget, search.settings)
    tell = report.steps("sharing out the budget without supplier minimums")
    auction.run(plans, bounds, first, tell, farthest=100.0)
    return np.maximum(auction.price, first)


class _Auction:
    """Rounds between a price on the budgets' money and the blocks, then the final choice at fixed lanes."""

    def __init__(self, search: BlockSearch, budget: Budget, settings: Settings) -> None:
        self.search, self.budget, self.settings = search, budget, settings
        self.columns: list[BlockPlan] = []
        self.price: Floats = np.zeros(len(budget.money))
        self.total_bound = -math.inf
        self.bounds: Floats = np.zeros(search.active.blocks)
        """Per block, at `price`."""

    def run(
        self, free_plans: list[BlockPlan], free_bounds: Floats, first: Floats, tell: _Steps, *, farthest: float
    ) -> None:
        """Find the price at which the blocks want about what the budgets allow, and the bound it proves.

        `first` is the price to begin with; one round takes it at most `farthest` times up or down.
        """
        search = self.search
        self.columns = [*free_plans, *(_settled(lane) for lane in search.empty_lanes())]
        self._judge(np.zeros(len(self.budget.money)), free_bounds)
        trial, idle, before = first, 0, (math.inf, -math.inf)
        for round_ in range(self.settings.price_rounds):
            bounds, plans = search.at_price(trial)
            self._judge(trial, bounds)
            self.columns += plans
            choices = options.whole_plans(search.problem, search.active, self.columns)
            wanted, relaxed = master.money_prices(choices, budget=self.budget, settings=self.settings)
            tell(round_ + 1, self.settings.price_rounds)
            small = _CLOSE * abs(relaxed)
            idle = idle + 1 if before[0] - relaxed < small and self.total_bound - before[1] < small else 0
            if relaxed - self.total_bound <= small or idle == _IDLE_ROUNDS:
                break
            before = (relaxed, self.total_bound)
            # The model's own prices jump about while it knows few plans: no far steps, and half of each.
            near = np.clip(wanted, self.price / farthest, self.price.max() * farthest + first.max())
            trial = near if round_ % 3 == 2 else 0.5 * (self.price + near)

    def _judge(self, price: Floats, bounds: Floats) -> None:
        limited = np.isfinite(self.budget.money)
        total = float(bounds.sum() - (price[limited] * self.budget.money[limited]).sum())
        if total > self.total_bound:
            self.total_bound, self.price, self.bounds = total, price, bounds

    def final_plans(self) -> list[BlockPlan]:
        """Choose lanes and the last packs of the undecided items inside them, around the final price."""
        search = self.search
        keeping = [(lane, search.plan_that_keeps(lane)) for lane in self._promising()]
        sure = {id(lane): packs for lane, packs in keeping if packs is not None}
        lanes = [lane for lane, packs in keeping if packs is not None]
        met: list[list[Integers]] = [[] for _ in lanes]
        for factor in _SPREAD:
            for plans, packs in zip(met, search.plans_at(lanes, self.price * factor), strict=True):
                plans.append(packs)
            undecided = sum(int((np.stack(plans) != plans[0]).any(axis=(0, 2)).sum()) for plans in met)
            if undecided * 2 > _ENOUGH_PLANS:
                break
        for lane, plans in zip(lanes, met, strict=True):
            if lane.minimum.any():
                plans.append(sure[id(lane)])  # so that the supplier's minimum can be kept
        try:
            cost, chosen, complete = self._choose(list(zip(lanes, met, strict=True)))
        except solver.NoSolution as error:
            search.notes.append(f"{error}; whole plans that keep the supplier minimums were chosen from instead")
            return self._choose_whole([(lane, sure[id(lane)]) for lane in lanes])
        if complete:
            return chosen
        # Once more inside the lanes chosen: fewer lanes leave room for more plans around the ones taken.
        by_lane = {id(lane): plans for lane, plans in zip(lanes, met, strict=True)}
        closer = [(lane, [*by_lane[id(lane)], packs]) for lane, packs in chosen]
        try:
            closer_cost, closer_chosen, _ = self._choose(closer)
        except solver.NoSolution as error:
            search.notes.append(f"{error}; the plan before it stands")
            return chosen
        return closer_chosen if closer_cost < cost else chosen

    def _choose_whole(self, columns: list[BlockPlan]) -> list[BlockPlan]:
        """Choose one plan a block among plans that keep the minimums; the empty ones make this always possible."""
        search = self.search
        choices = options.whole_plans(search.problem, search.active, columns)
        chosen = master.choose(choices, budget=self.budget, settings=self.settings, name="whole")
        return [columns[place] for place in chosen.lanes.tolist()]

    def _choose(self, lanes: list[tuple[Lane, list[Integers]]]) -> tuple[float, list[BlockPlan], bool]:
        """Return cost and plans chosen among these lanes, and whether every plan there is was offered."""
        search = self.search
        no_price = np.zeros(search.problem.opportunities)
        offered = options.offer(search.problem, search.active, search.highest, lanes, price=no_price)
        final = master.choose(offered.choices, budget=self.budget, settings=self.settings, name="packs")
        plans = [(lanes[place][0], offered.packs(place, final.plans)) for place in final.lanes.tolist()]
        return final.objective, plans, offered.complete

    def _promising(self) -> list[Lane]:
        """Return each block's cheapest lane at the final price, its empty one, and the closest others."""
        search = self.search

        def behind(lane: Lane) -> float:
            return lane.bound_at(self.price) - float(self.bounds[lane.block])

        possible = [lane for lanes in search.lanes for lane in lanes if math.isfinite(lane.bound)]
        # Bounds of lanes nobody has looked at near this price flatter them: look at the likely ones first.
        likely = sorted(possible, key=behind)[: search.active.blocks + _LIKELY_LANES]
        search.plans_at(likely, self.price)
        chosen: list[Lane] = []
        extra = 0
        for lane in sorted(possible, key=behind):
            if all(lane.block != known.block for known in chosen):
                chosen.append(lane)
            elif extra < _MORE_LANES:
                chosen.append(lane)
                extra += 1
        return [*chosen, *(lane for lane in search.empty_lanes() if not any(lane is known for known in chosen))]


def _assemble(
    search: BlockSearch, plans: list[BlockPlan], free_plans: list[BlockPlan], price: Floats, bounds: Floats
) -> ReplenishmentPlan:
    problem, active, settings = search.problem, search.active, search.settings
    quantities = _quantities(problem, active, plans)
    blocks: list[BlockResult] = []
    for block, (_, packs) in enumerate(plans):
        rows = np.arange(active.rows_of(block).start, active.rows_of(block).stop)
        item_cost, item_spend = plan_costs(problem, active, rows, packs)
        orders = int((packs[:, :1] > 0).any()) + int((np.diff(packs, axis=1) > 0).any(axis=0).sum())
        supplier = int(active.supplier[block])
        cost = float(item_cost.sum()) + orders * float(problem.joint_order_cost[supplier])
        spend = item_spend.sum(axis=0)
        priced = cost + float(spend @ price)
        bound = min(float(bounds[block]), priced)
        values = tuple(float(value) for value in spend)
        blocks.append(
            BlockResult(
                supplier=supplier,
                cost=cost,
                priced_cost=priced,
                bound=bound,
                gap=_gap(priced, bound),
                order_values=values,
            )
        )
    spend = np.array([block.order_values for block in blocks]).sum(axis=0)
    overrun = np.maximum(spend - problem.budget, 0.0)
    overrun[overrun <= 1e-6 * np.where(np.isfinite(problem.budget), problem.budget, 0.0)] = 0.0
    objective = sum(block.cost for block in blocks) + float(overrun.sum()) * problem.budget_overrun_cost
    limited = np.isfinite(problem.budget)
    bound = float(bounds.sum()) - float((price[limited] * problem.budget[limited]).sum())
    gap = _gap(objective, bound)
    free_quantities = _quantities(problem, active, free_plans)
    return ReplenishmentPlan(
        quantities=quantities,
        objective=objective,
        bound=min(bound, objective),
        gap=gap,
        status="optimal" if gap <= settings.relative_gap + 1e-9 else "feasible",
        solver=solver.name_of(solver.choose(settings)),
        blocks=tuple(blocks),
        budget_overrun=overrun,
        budget_price=price,
        messages=tuple(messages.about(search, quantities, free_quantities, overrun)),
    )


def _quantities(problem: ReplenishmentProblem, active: Active, plans: list[BlockPlan]) -> Integers:
    quantities = np.zeros(problem.need.shape, dtype=np.int64)
    for block, (_, packs) in enumerate(plans):
        rows = active.rows_of(block)
        orders = np.diff(packs, axis=1, prepend=0)
        quantities[active.item[rows]] = orders * active.multiple[rows][:, None]
    return quantities


def _gap(objective: float, bound: float) -> float:
    return max(objective - bound, 0.0) / objective if objective > 1e-9 else 0.0


def _nothing_needed(problem: ReplenishmentProblem, settings: Settings) -> ReplenishmentPlan:
    nothing = np.zeros(problem.opportunities)
    return ReplenishmentPlan(
        quantities=np.zeros(problem.need.shape, dtype=np.int64),
        objective=0.0,
        bound=0.0,
        gap=0.0,
        status="optimal",
        solver=solver.name_of(solver.choose(settings)),
        blocks=(),
        budget_overrun=nothing,
        budget_price=nothing,
        messages=(),
    )


class _Report:
    """Passes progress on, when anyone listens."""

    def __init__(self, progress: Progress | None) -> None:
        self.progress = progress

    def steps(self, doing: str) -> _Steps:
        return _Steps(self.progress, doing)


class _Steps:
    def __init__(self, progress: Progress | None, doing: str) -> None:
        self.progress, self.doing = progress, doing

    def __call__(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(done=done, total=total, doing=self.doing)
