"""The replenishment engine: what to order from each supplier now and at the next order opportunities.

The items of a supplier share its joint order cost and minimum value, all suppliers share the budget of each
opportunity. For each supplier every pattern of order opportunities is a *lane*; inside a lane items are solved
exactly by themselves (`lanes`), a supplier's minimum by a reward on money (`minimums`), and a PuLP model chooses
lanes and the last packs (`master`). A binding budget becomes a price on money, found by a few rounds between the
model and the lanes. Every plan carries a proved bound. `solve` is the only entry.
"""

from __future__ import annotations

import math

import numpy as np

from scm.planning import master, messages, options, solver
from scm.planning.checks import Floats, Integers
from scm.planning.costs import Active, active_items, item_costs, plan_costs
from scm.planning.master import Budget
from scm.planning.options import Lane
from scm.planning.problem import (
    BlockResult,
    Message,
    Progress,
    ReplenishmentPlan,
    ReplenishmentProblem,
    Settings,
)
from scm.planning.search import BlockSearch

_SPREAD = (0.8, 0.93, 1.0, 1.07, 1.25)
"""Prices around the final one at which items are asked again, so that the model has plans to choose from."""
_CLOSE = 0.001
"""Price rounds end when bound and relaxed cost are this near, relatively."""

BlockPlan = tuple[Lane, Integers]


def solve(
    problem: ReplenishmentProblem, *, settings: Settings, progress: Progress | None = None
) -> ReplenishmentPlan:
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
        auction.run(free_plans, bounds, report)
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


class _Auction:
    """Rounds between a price on the budgets' money and the blocks, then the final choice at fixed lanes."""

    def __init__(self, search: BlockSearch, budget: Budget, settings: Settings) -> None:
        self.search, self.budget, self.settings = search, budget, settings
        self.columns: list[BlockPlan] = []
        self.price: Floats = np.zeros(len(budget.money))
        self.total_bound = -math.inf
        self.bounds: Floats = np.zeros(search.active.blocks)
        """Per block, at `price`."""

    def run(self, free_plans: list[BlockPlan], free_bounds: Floats, report: _Report) -> None:
        """Find the price at which the blocks want about what the budgets allow, and the bound it proves."""
        search = self.search
        empty = [next(lane for lane in lanes if not lane.open.any()) for lanes in search.lanes]
        self.columns = [*free_plans, *(_settled(lane) for lane in empty)]
        self._judge(np.zeros(len(self.budget.money)), free_bounds)
        tell = report.steps("sharing out the budget")
        for round_ in range(self.settings.price_rounds):
            choices = options.whole_plans(search.problem, search.active, self.columns)
            wanted, relaxed = master.money_prices(choices, budget=self.budget, settings=self.settings)
            tell(round_, self.settings.price_rounds)
            if relaxed - self.total_bound <= _CLOSE * abs(relaxed):
                break
            # Half way to the best price so far: the model's own prices jump about while it knows few plans.
            trial = wanted if round_ % 3 == 0 else 0.5 * (self.price + wanted)
            bounds, plans = search.at_price(trial)
            self._judge(trial, bounds)
            self.columns += plans

    def _judge(self, price: Floats, bounds: Floats) -> None:
        limited = np.isfinite(self.budget.money)
        total = float(bounds.sum() - (price[limited] * self.budget.money[limited]).sum())
        if total > self.total_bound:
            self.total_bound, self.price, self.bounds = total, price, bounds

    def final_plans(self) -> list[BlockPlan]:
        """Choose lanes by whole plans, then the last packs of the undecided items inside those lanes."""
        search = self.search
        choices = options.whole_plans(search.problem, search.active, self.columns)
        chosen = master.choose(choices, budget=self.budget, settings=self.settings, name="lanes")
        lanes = [self.columns[place][0] for place in chosen.lanes.tolist()]
        for factor in _SPREAD:
            search.ask_lanes(lanes, self.price * factor)
        offered = options.offer(search.problem, search.active, search.highest, lanes)
        final = master.choose(offered.choices, budget=self.budget, settings=self.settings, name="packs")
        return [(lane, offered.packs(place, final.plans)) for place, lane in enumerate(lanes)]


def _assemble(
    search: BlockSearch, plans: list[BlockPlan], free_plans: list[BlockPlan], price: Floats, bounds: Floats
) -> ReplenishmentPlan:
    problem, active, settings = search.problem, search.active, search.settings
    quantities = _quantities(problem, active, plans)
    blocks: list[BlockResult] = []
    for block, (lane, packs) in enumerate(plans):
        rows = np.arange(active.rows_of(block).start, active.rows_of(block).stop)
        item_cost, item_spend = plan_costs(problem, active, rows, packs)
        orders = int((packs[:, :1] > 0).any()) + int((np.diff(packs, axis=1) > 0).any(axis=0).sum())
        supplier = int(active.supplier[block])
        cost = float(item_cost.sum()) + orders * float(problem.joint_order_cost[supplier])
        spend = item_spend.sum(axis=0)
        priced = cost + float(spend @ price)
        bound = min(float(bounds[block]), priced)
        values = tuple(float(value) for value in spend)
        blocks.append(BlockResult(
            supplier=supplier, cost=cost, priced_cost=priced, bound=bound,
            gap=_gap(priced, bound), order_values=values,
        ))
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
