"""What the engine promises of its plans, and what it refuses."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scm.planning import feasibility, replenishment, solver
from scm.planning.checks import InvalidPlanningInput
from scm.planning.problem import ReplenishmentPlan, ReplenishmentProblem, Settings
from tests.planning.instances import problem_of, retailer, with_changes


def solve(problem: ReplenishmentProblem) -> ReplenishmentPlan:
    plan = replenishment.solve(problem, settings=Settings())
    assert feasibility.check(problem, plan) == []
    return plan


@pytest.mark.parametrize("minimum", [0.0, 1.0])
def test_a_retailers_plan_is_feasible_and_proved_to_be_near_the_best(minimum: float) -> None:
    plan = solve(retailer(items=450, suppliers=5, minimum_value_orders=minimum))
    assert plan.gap <= 0.01
    assert plan.bound <= plan.objective


def test_a_binding_budget_keeps_the_money_and_is_proved_to_be_near_the_best() -> None:
    problem = retailer(items=450, suppliers=5, opportunities=3, minimum_value_orders=0.0, budget_rate=1.0)
    plan = solve(problem)
    assert plan.budget_price[0] > 0
    assert plan.gap <= 0.01
    assert "budget_short" in [message.kind for message in plan.messages]


def test_a_binding_budget_changes_which_items_are_bought_at_less_cost_than_cutting_all_alike() -> None:
    free = problem_of(
        need=np.full((20, 1), 40),
        shortage_cost=np.linspace(1.0, 9.0, 20),
        safety_shortage_cost=np.zeros(20),
        mean_demand=np.full(20, 40.0),
    )
    tight = with_changes(free, budget=np.array([4000.0]))
    plan = solve(tight)
    alike = [[20] for _ in range(20)]  # half the money: half of everything
    assert plan.objective < 0.7 * feasibility.objective_of(tight, alike)
    bought = plan.quantities[:, 0]
    assert (bought[:10] == 0).all()
    assert (bought[10:] == 40).all()
    assert solve(free).quantities.sum() == 800


@given(st.integers(0, 30))
def test_planning_again_after_ordering_orders_nothing_more(seed: int) -> None:
    problem = retailer(items=40, suppliers=2, opportunities=3, seed=seed, minimum_value_orders=0.0, today_rate=1.0)
    plan = solve(problem)
    ordered = with_changes(problem, need=problem.need - plan.quantities[:, :1])
    again = solve(ordered)
    assert again.quantities[:, 0].sum() == 0


@given(st.integers(0, 50), st.integers(1, 40), st.data())
def test_more_stock_never_raises_the_planned_total_by_more_than_one_multiple(
    seed: int, more: int, data: st.DataObject
) -> None:
    random = np.random.default_rng(seed)
    problem = problem_of(
        need=np.cumsum(random.integers(0, 40, (6, 3)), axis=1),
        order_multiple=random.integers(1, 13, 6),
        safety_stock=random.integers(0, 15, 6),
    )
    item = data.draw(st.integers(0, 5))
    need = problem.need.copy()
    need[item] -= more
    before = solve(problem).quantities.sum(axis=1)
    after = solve(with_changes(problem, need=need)).quantities.sum(axis=1)
    assert after[item] <= before[item] + problem.order_multiple[item]
    others = np.arange(6) != item
    assert (before[others] == after[others]).all()


def test_progress_is_told_and_ends() -> None:
    told: list[tuple[int, int, str]] = []

    def listen(*, done: int, total: int, doing: str) -> None:
        told.append((done, total, doing))

    replenishment.solve(retailer(items=60, suppliers=2), settings=Settings(), progress=listen)
    assert told[-1][0] == told[-1][1]
    assert all(0 <= done <= total for done, total, _ in told)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("need", [[math.nan]], r"need\[0, 0\] is nan"),
        ("need", [[2.5]], r"need\[0, 0\] is 2.5: every value must be a whole number"),
        ("mean_demand", [-1.0], r"mean_demand\[0\] is -1.0"),
        ("mean_demand", [math.nan], r"mean_demand\[0\] is nan"),
        ("order_multiple", [0], r"order_multiple\[0\] is 0"),
        ("minimum_order_quantity", [-5], r"minimum_order_quantity\[0\] is -5"),
        ("unit_price", [math.nan], r"unit_price\[0\] is nan"),
        ("unit_price", [0.0], r"unit_price\[0\] is 0.0: it must be above zero"),
        ("holding_cost", [math.inf], r"holding_cost\[0\] is inf"),
        ("safety_shortage_cost", [6.0], r"safety_shortage_cost\[0\] is 6.0"),
        ("supplier", [3], r"supplier\[0\] is 3: there are only 1 suppliers"),
        ("minimum_value", [-1.0], r"minimum_value\[0\] is -1.0"),
        ("budget", [math.nan], r"budget\[0\] is nan"),
        ("safety_stock", [1, 2], "safety_stock is of shape"),
        ("order_today", [1], "order_today is of type int64"),
    ],
)
def test_a_figure_that_cannot_be_planned_with_is_refused_by_its_position(field: str, value: Any, words: str) -> None:
    with pytest.raises(InvalidPlanningInput, match=words):
        problem_of(**({"need": [[1]]} | {field: np.array(value)}))


def test_cbc_takes_over_where_highs_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = retailer(items=60, suppliers=2, opportunities=3, budget_rate=1.0)
    with_highs = solve(problem)
    monkeypatch.setattr(solver, "highspy", None)
    with_cbc = solve(problem)
    assert (with_highs.solver, with_cbc.solver) == ("HiGHS", "CBC")
    assert with_cbc.bound <= with_highs.objective * (1 + 1e-6)
    assert with_highs.bound <= with_cbc.objective * (1 + 1e-6)


def test_a_solver_that_stops_without_a_solution_gives_no_plan_rather_than_zeros(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def give_up(self: solver.HighsArrays, lp: Any, **_: object) -> int:
        for variable in lp.variables():
            variable.varValue = 0.0  # what HiGHS leaves after a time-out without a solution
        lp.assignStatus(0, 0)
        return 0

    monkeypatch.setattr(solver.HighsArrays, "actualSolve", give_up)
    with pytest.raises(solver.NoSolution, match="stopped without a solution"):
        replenishment.solve(problem_of(need=[[5]]), settings=Settings())


def test_a_problem_cannot_be_changed_after_it_was_checked() -> None:
    problem = problem_of(need=[[5]])
    with pytest.raises(ValueError, match="read-only"):
        problem.need[0, 0] = -1
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.budget = np.array([1.0])  # type: ignore[misc]
