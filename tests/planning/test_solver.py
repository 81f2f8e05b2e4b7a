"""The hand-off to the solvers: true statuses, bounds and duals."""

from __future__ import annotations

import numpy as np
import pulp
import pytest

from scm.planning import solver
from scm.planning.problem import Settings


def market_split(columns: int = 40, rows: int = 5) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    """A small model of equalities that no solver settles at once, and that has no evident solution."""
    random = np.random.default_rng(1)
    lp = pulp.LpProblem("split", pulp.LpMinimize)
    take = [lp.add_variable(f"x{i}", 0, 1, pulp.LpInteger) for i in range(columns)]
    lp.setObjective(solver.expression([(take[0], 1.0)]))
    for row in range(rows):
        weights = random.integers(1, 100, columns)
        terms = [(variable, float(weight)) for variable, weight in zip(take, weights, strict=True)]
        half = float(weights.sum() // 2)
        lp.addConstraint(pulp.LpConstraint(solver.expression(terms), pulp.LpConstraintEQ, f"r{row}", half))
    return lp, take


def knapsack() -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    lp = pulp.LpProblem("knapsack", pulp.LpMaximize)
    take = [lp.add_variable(f"x{i}", 0, 1, pulp.LpInteger) for i in range(3)]
    lp.setObjective(solver.expression(list(zip(take, [5.0, 4.0, 3.0], strict=True))))
    terms = list(zip(take, [2.0, 3.0, 1.0], strict=True))
    lp.addConstraint(pulp.LpConstraint(solver.expression(terms), pulp.LpConstraintLE, "room", 5.0))
    return lp, take


@pytest.mark.parametrize("name", ["highs", "cbc"])
def test_both_solvers_agree_on_a_small_model(name: str) -> None:
    lp, take = knapsack()
    outcome = solver.run(lp, solver.choose(Settings(solver=name)), read=take)
    assert (outcome.objective, outcome.optimal) == (9.0, True)
    assert [round(value) for value in outcome.values] == [1, 1, 0]


@pytest.mark.parametrize("name", ["highs", "cbc"])
def test_a_time_out_without_a_solution_has_no_values(name: str) -> None:
    lp, take = market_split()
    with pytest.raises(solver.NoSolution, match="stopped without a solution"):
        solver.run(lp, solver.choose(Settings(solver=name, time_guard_seconds=0.01)), read=take)


def test_a_model_that_cannot_be_met_has_no_values() -> None:
    lp, take = knapsack()
    terms = [(variable, 1.0) for variable in take]
    lp.addConstraint(pulp.LpConstraint(solver.expression(terms), pulp.LpConstraintGE, "all", 4.0))
    with pytest.raises(solver.NoSolution, match="infeasible"):
        solver.run(lp, solver.choose(Settings()), read=take)


def test_the_relaxation_has_the_price_of_a_row() -> None:
    lp, take = knapsack()
    solver.run(lp, solver.choose(Settings(), mip=False), read=take)
    assert lp.constraints()[0].pi == pytest.approx(4.0 / 3.0)


def test_a_solver_that_cannot_run_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "highspy", None)
    with pytest.raises(solver.SolverUnavailable, match='solver "highs" cannot run here'):
        solver.choose(Settings(solver="highs"))
