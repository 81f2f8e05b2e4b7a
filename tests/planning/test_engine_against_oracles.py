"""The engine's plan against trying everything and against one plain model, on blocks small enough for both."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scm.planning import feasibility, replenishment
from scm.planning.problem import ReplenishmentPlan, ReplenishmentProblem, Settings
from tests.planning import oracles
from tests.planning.instances import problem_of


@st.composite
def small_problems(
    draw: st.DrawFn, *, items: int, opportunities: int, highest: int, budget: bool = False
) -> ReplenishmentProblem:
    """One or two suppliers, a few items, small whole figures."""
    suppliers = draw(st.integers(1, 2))

    def per_item(low: int, high: int) -> np.ndarray:
        return np.array(draw(st.lists(st.integers(low, high), min_size=items, max_size=items)))

    growth = np.array([per_item(-2, highest // opportunities) for _ in range(opportunities)]).T
    need = np.cumsum(growth, axis=1) + per_item(-2, 2)[:, None]
    price = per_item(1, 6).astype(float)
    money = np.full(opportunities, np.inf)
    if budget:
        money = np.array([float(draw(st.integers(0, 4 * highest))) for _ in range(opportunities)])
    return problem_of(
        need=need,
        supplier=per_item(0, suppliers - 1),
        safety_stock=per_item(0, 3),
        unit_price=price,
        order_multiple=per_item(1, 3),
        minimum_order_quantity=per_item(0, 5),
        holding_cost=price * 0.1,
        shortage_cost=price * per_item(1, 4),
        safety_shortage_cost=price * 0.3,
        mean_demand=per_item(0, 1) * 0.3,
        line_cost=per_item(0, 2).astype(float),
        joint_order_cost=np.array([float(draw(st.integers(0, 12))) for _ in range(suppliers)]),
        minimum_value=np.array([float(draw(st.sampled_from([0, 0, 10, 25]))) for _ in range(suppliers)]),
        order_today=np.array([draw(st.booleans()) for _ in range(suppliers)]),
        budget=money,
    )


def exact_plan(problem: ReplenishmentProblem) -> ReplenishmentPlan:
    plan = replenishment.solve(problem, settings=oracles.EXACT)
    assert feasibility.check(problem, plan) == []
    return plan


@given(small_problems(items=2, opportunities=2, highest=4))
def test_the_plan_costs_what_trying_everything_finds(problem: ReplenishmentProblem) -> None:
    plan = exact_plan(problem)
    assert plan.objective == pytest.approx(oracles.best_by_trying_everything(problem), abs=1e-6)
    assert plan.bound <= plan.objective + 1e-9


@given(small_problems(items=5, opportunities=3, highest=30))
def test_the_plan_costs_what_one_plain_model_of_the_same_problem_costs(problem: ReplenishmentProblem) -> None:
    plan = exact_plan(problem)
    assert plan.bound <= oracles.best_by_one_model(problem) + 1e-5
    assert plan.objective == pytest.approx(oracles.best_by_one_model(problem), rel=1e-4, abs=1e-4)


@settings(max_examples=8)
@given(small_problems(items=5, opportunities=2, highest=20, budget=True))
def test_under_a_budget_the_best_plan_lies_between_bound_and_cost(problem: ReplenishmentProblem) -> None:
    plan = replenishment.solve(problem, settings=Settings())
    assert feasibility.check(problem, plan) == []
    best = oracles.best_by_one_model(problem)
    assert plan.bound <= best * (1 + 1e-6) + 1e-5
    assert plan.objective >= best * (1 - 1e-6) - 1e-5


@settings(max_examples=5)
@given(small_problems(items=5, opportunities=2, highest=20, budget=True))
def test_the_same_problem_gives_the_same_plan(problem: ReplenishmentProblem) -> None:
    again = dataclasses.replace(problem)
    first = replenishment.solve(problem, settings=Settings())
    second = replenishment.solve(again, settings=Settings())
    assert np.array_equal(first.quantities, second.quantities)
    assert (first.objective, first.bound, first.messages) == (second.objective, second.bound, second.messages)
