"""The PuLP model: which lane each supplier's block follows, and which plan each undecided item follows in it.

A lane says when the supplier is ordered from. The items that have only one sensible plan in it are part of the
lane; the others choose one of several ready plans. What they share are rows: a supplier's minimum value and the
budget of each opportunity. A budget row is elastic: overrunning it has a price, so it never makes the model
infeasible, and an overrun is itself the explanation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pulp

from scm.planning import solver
from scm.planning.checks import Floats, Integers
from scm.planning.problem import Settings


@dataclass(frozen=True)
class Choices:
    """Lanes, one of which each block follows, and plans, one of which each undecided item of that lane follows."""

    lane_block: Integers
    """(l) block of each lane, 0 … blocks − 1, every block at least once."""
    lane_cost: Floats
    """(l) joint order cost and the items that are decided."""
    lane_spend: Floats
    """(l, T) purchase value of the items that are decided."""
    lane_minimum: Floats
    """(l, T) value that the supplier's order must reach, zero for none."""
    plan_lane: Integers
    """(p)"""
    plan_row: Integers
    """(p) the item: plans with the same lane and row exclude each other."""
    plan_cost: Floats
    """(p)"""
    plan_spend: Floats
    """(p, T)"""


@dataclass(frozen=True)
class Budget:
    """Money at each opportunity (infinity for no limit) and the cost of overrunning it by one unit."""

    money: Floats
    overrun_cost: float


@dataclass(frozen=True)
class Chosen:
    """The lane of each block (positions in the choices, by block) and the plans taken inside those lanes."""

    lanes: Integers
    plans: Integers
    objective: float
    optimal: bool


def money_prices(choices: Choices, *, budget: Budget, settings: Settings) -> tuple[Floats, float]:
    """Return what one more unit of each budget would save, and the cost, when lanes may be mixed.

    Raises solver.NoSolution.
    """
    model = _Model("prices", choices, budget, whole=False)
    outcome = solver.run(model.lp, solver.choose(settings, mip=False), read=model.follow)
    prices = np.zeros(len(budget.money))
    for opportunity, row in model.budget_rows.items():
        prices[opportunity] = min(max(-float(row.pi or 0.0), 0.0), budget.overrun_cost)
    return prices, outcome.objective


def choose(choices: Choices, *, budget: Budget, settings: Settings, name: str) -> Chosen:
    """Return the cheapest lanes and plans within the budgets and above the supplier minimums.

    Raises solver.NoSolution when no choice reaches the minimums, or the solver stops without a solution.
    """
    model = _Model(name, choices, budget, whole=True)
    outcome = solver.run(model.lp, solver.choose(settings), read=[*model.follow, *model.take])
    share = np.array(outcome.values)
    if abs(share - np.rint(share)).max() > 1e-4:
        raise solver.NoSolution(f"model {name}: the solver's values are not whole")
    lanes = np.flatnonzero(share[: len(model.follow)] > 0.5)
    plans = np.flatnonzero(share[len(model.follow) :] > 0.5)
    lanes = lanes[np.argsort(choices.lane_block[lanes], kind="stable")]
    if not np.array_equal(choices.lane_block[lanes], np.unique(choices.lane_block)):
        raise solver.NoSolution(f"model {name}: the solver did not take exactly one lane for each block")
    owner = np.stack((choices.plan_lane, choices.plan_row))
    expected = np.unique(owner[:, np.isin(choices.plan_lane, lanes)], axis=1)
    taken = owner[:, plans]
    if not np.array_equal(taken[:, np.lexsort((taken[1], taken[0]))], expected):
        raise solver.NoSolution(f"model {name}: the solver did not take exactly one plan for each item")
    return Chosen(lanes, plans, outcome.objective, outcome.optimal)


class _Model:
    """`follow[l]` is 1 for the lane a block follows, `take[p]` is 1 for the plan an item follows."""

    def __init__(self, name: str, choices: Choices, budget: Budget, *, whole: bool) -> None:
        self.lp = pulp.LpProblem(name, pulp.LpMinimize)
        self.choices = choices
        kind = pulp.LpInteger if whole else pulp.LpContinuous
        self.follow = [self.lp.add_variable(f"follow{lane}", 0, 1, kind) for lane in range(len(choices.lane_block))]
        self.take = [self.lp.add_variable(f"take{p}", 0, 1, kind) for p in range(len(choices.plan_lane))]
        self.budget_rows: dict[int, pulp.LpConstraint] = {}
        costs = [*choices.lane_cost.tolist(), *choices.plan_cost.tolist()]
        objective = list(zip([*self.follow, *self.take], costs, strict=True))
        for opportunity in np.flatnonzero(np.isfinite(budget.money)).tolist():
            overrun = self.lp.add_variable(f"overrun{opportunity}", 0)
            objective.append((overrun, budget.overrun_cost))
            terms = [*self._spending(opportunity), (overrun, -1.0)]
            left = float(budget.money[opportunity])
            row = self._add(f"budget{opportunity}", terms, pulp.LpConstraintLE, left)
            self.budget_rows[opportunity] = row
        self.lp.setObjective(solver.expression(objective))
        self._one_lane_a_block()
        self._one_plan_an_item()
        self._supplier_minimums()

    def _spending(self, opportunity: int) -> list[tuple[pulp.LpVariable, float]]:
        spend = [*self.choices.lane_spend[:, opportunity].tolist()]
        spend += self.choices.plan_spend[:, opportunity].tolist()
        variables = [*self.follow, *self.take]
        return [(variable, value) for variable, value in zip(variables, spend, strict=True) if value]

    def _one_lane_a_block(self) -> None:
        members: dict[int, list[tuple[pulp.LpVariable, float]]] = {}
        for lane, block in enumerate(self.choices.lane_block.tolist()):
            members.setdefault(block, []).append((self.follow[lane], 1.0))
        for block, terms in members.items():
            self._add(f"block{block}", terms, pulp.LpConstraintEQ, 1.0)

    def _one_plan_an_item(self) -> None:
        members: dict[tuple[int, int], list[tuple[pulp.LpVariable, float]]] = {}
        owners = zip(self.choices.plan_lane.tolist(), self.choices.plan_row.tolist(), strict=True)
        for plan, owner in enumerate(owners):
            members.setdefault(owner, []).append((self.take[plan], 1.0))
        for (lane, row), terms in members.items():
            self._add(f"item{lane}x{row}", [*terms, (self.follow[lane], -1.0)], pulp.LpConstraintEQ, 0.0)

    def _supplier_minimums(self) -> None:
        choices = self.choices
        for lane, opportunity in np.argwhere(choices.lane_minimum > 0).tolist():
            minimum = float(choices.lane_minimum[lane, opportunity])
            terms = [(self.follow[lane], float(choices.lane_spend[lane, opportunity]) - minimum)]
            for plan in np.flatnonzero(choices.plan_lane == lane).tolist():
                if value := float(choices.plan_spend[plan, opportunity]):
                    terms.append((self.take[plan], value))
            self._add(f"minimum{lane}x{opportunity}", terms, pulp.LpConstraintGE, 0.0)

    def _add(
        self, name: str, terms: list[tuple[pulp.LpVariable, float]], sense: int, right: float
    ) -> pulp.LpConstraint:
        row = pulp.LpConstraint(solver.expression(terms), sense, name, right)
        self.lp.addConstraint(row)
        return row
