"""The independent check finds each planted violation, and nothing in an honest plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from scm.planning import feasibility, replenishment
from scm.planning.problem import ReplenishmentPlan, ReplenishmentProblem, Settings
from tests.planning.instances import problem_of


@pytest.fixture(scope="module")
def problem() -> ReplenishmentProblem:
    return problem_of(
        need=[[20, 30], [14, 20], [9, 9]],
        supplier=np.array([0, 0, 1]),
        order_multiple=np.array([6, 1, 1]),
        minimum_order_quantity=np.array([12, 0, 0]),
        joint_order_cost=np.array([5.0, 5.0]),
        minimum_value=np.array([200.0, 0.0]),
        order_today=np.array([True, False]),
        budget=np.array([400.0, 400.0]),
    )


@pytest.fixture(scope="module")
def plan(problem: ReplenishmentProblem) -> ReplenishmentPlan:
    return replenishment.solve(problem, settings=Settings())


def test_an_honest_plan_breaks_nothing(problem: ReplenishmentProblem, plan: ReplenishmentPlan) -> None:
    assert feasibility.check(problem, plan) == []


def planted(item: int, opportunity: int, quantity: int) -> Callable[[Any], Any]:
    def plant(quantities: Any) -> Any:
        quantities[item, opportunity] = quantity
        return quantities

    return plant


@pytest.mark.parametrize(
    ("rule", "plant"),
    [
        ("negative", planted(1, 1, -1)),
        ("multiple", planted(0, 0, 25)),
        ("minimum_order_quantity", planted(0, 0, 6)),
        ("closed", planted(2, 0, 9)),
        ("budget", planted(1, 0, 100)),
        ("supplier_minimum", lambda quantities: np.where(np.arange(2)[None, :] == 0, 0, 1) * np.array([[0], [3], [9]])),
        ("objective", planted(1, 0, 0)),
    ],
)
def test_a_planted_violation_is_found(
    problem: ReplenishmentProblem, plan: ReplenishmentPlan, rule: str, plant: Callable[[Any], Any]
) -> None:
    broken = dataclasses.replace(plan, quantities=plant(plan.quantities.copy()))
    assert rule in {violation.rule for violation in feasibility.check(problem, broken)}


def test_a_false_figure_is_found(problem: ReplenishmentProblem, plan: ReplenishmentPlan) -> None:
    cheaper = dataclasses.replace(plan, objective=plan.objective - 1.0, bound=plan.bound - 1.0)
    assert [violation.rule for violation in feasibility.check(problem, cheaper)] == ["objective"]
    boast = dataclasses.replace(plan, bound=plan.objective + 1.0)
    assert [violation.rule for violation in feasibility.check(problem, boast)] == ["bound"]
    reshaped = dataclasses.replace(plan, quantities=plan.quantities[:, :1])
    assert [violation.rule for violation in feasibility.check(problem, reshaped)] == ["shape"]


def test_a_declared_overrun_is_allowed_and_a_silent_one_is_not() -> None:
    problem = problem_of(need=[[10]], budget=np.array([50.0]), budget_overrun_cost=0.1)
    plan = replenishment.solve(problem, settings=Settings())
    assert plan.budget_overrun.tolist() == [50.0]
    assert feasibility.check(problem, plan) == []
    silent = dataclasses.replace(plan, budget_overrun=np.zeros(1))
    assert [violation.rule for violation in feasibility.check(problem, silent)] == ["budget"]
