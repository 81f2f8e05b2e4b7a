"""The solvers behind PuLP: HiGHS fed by arrays, CBC where highspy is missing. It alone starts a solver.

PuLP's own HiGHS interface adds rows one call at a time and calls a time-out optimal. Here the whole model goes over
in one call, and the status says whether there is a solution at all: after a time-out without one, HiGHS leaves zeros,
which a careless reader would take for "order nothing".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pulp

from scm.planning.problem import Settings

highspy: Any
try:
    import highspy
except ImportError:  # there is no wheel for some machines; CBC comes with PuLP
    highspy = None


class SolverUnavailable(ValueError):
    """The solver asked for cannot run here."""


class NoSolution(ValueError):
    """The solver stopped without any solution, so there are no values to read."""


@dataclass(frozen=True)
class Outcome:
    """What a solver answered: the values of the variables asked for, the objective and the proved bound."""

    values: list[float]
    objective: float
    bound: float
    """The solver's own bound; minus infinity where it reports none (CBC through PuLP)."""
    optimal: bool
    """Whether the solver proved optimality within its gap; otherwise it stopped with a feasible solution."""


def choose(settings: Settings, *, mip: bool = True) -> pulp.LpSolver:
    """Return the solver that `settings` name: one thread, gap stop, node limit, time only as a guard.

    Raises SolverUnavailable when a named solver, or both with "auto", cannot run here.
    """
    wanted = settings.solver
    if wanted in ("auto", "highs") and highspy is not None:
        return HighsArrays(
            mip=mip,
            relative_gap=settings.relative_gap,
            node_limit=settings.node_limit,
            time_guard_seconds=settings.time_guard_seconds,
        )
    if wanted in ("auto", "cbc"):
        cbc = pulp.COIN_CMD(
            path=pulp.PULP_CBC_CMD.pulp_cbc_path,
            mip=mip,
            msg=False,
            threads=1,
            gapRel=settings.relative_gap,
            maxNodes=settings.node_limit,
            timeLimit=settings.time_guard_seconds,
        )
        if cbc.available():
            return cbc
    raise SolverUnavailable(f'solver "{wanted}" cannot run here: install highspy, or set solver="auto"')


def name_of(solver: pulp.LpSolver) -> str:
    """Return the solver's name for the plan's record."""
    return "HiGHS" if isinstance(solver, HighsArrays) else "CBC"


def run(model: pulp.LpProblem, solver: pulp.LpSolver, *, read: Sequence[pulp.LpVariable]) -> Outcome:
    """Solve `model` and return the values of the variables in `read`.

    Raises NoSolution unless the solver holds an optimal or a feasible solution (`sol_status` 1 or 2).
    """
    model.solve(solver)
    if model.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        reason = pulp.LpStatus[model.status].lower()
        raise NoSolution(f"model {model.name}: {name_of(solver)} stopped without a solution ({reason})")
    values = [variable.varValue for variable in read]
    if any(value is None or not math.isfinite(value) for value in values):
        raise NoSolution(f"model {model.name}: {name_of(solver)} left variables without a value")
    bound = solver.bound if isinstance(solver, HighsArrays) else -math.inf
    optimal = model.sol_status == pulp.LpSolutionOptimal
    return Outcome(values, float(pulp.value(model.objective)), bound, optimal)


def expression(terms: Sequence[tuple[pulp.LpVariable, float]]) -> pulp.LpAffineExpression:
    """Return a linear expression from (variable, factor) pairs in one step."""
    return pulp.LpAffineExpression(terms)


class HighsArrays(pulp.LpSolver):  # type: ignore[misc]  # PuLP ships no types
    """HiGHS, handed the whole model as one set of arrays, on one thread."""

    name = "HighsArrays"

    def __init__(self, *, mip: bool, relative_gap: float, node_limit: int, time_guard_seconds: float) -> None:
        super().__init__(mip=mip, msg=False, timeLimit=time_guard_seconds)
        self.relative_gap = relative_gap
        self.node_limit = node_limit
        self.bound = -math.inf

    def available(self) -> bool:
        """Tell whether highspy is installed."""
        return highspy is not None

    def actualSolve(self, lp: pulp.LpProblem, **_: object) -> int:  # PuLP's name
        """Solve `lp`, set its values, duals and true status, and return the status."""
        variables, rows = lp.variables(), lp.constraints()
        highs = highspy.Highs()
        options = {
            "output_flag": False,
            "threads": 1,
            "random_seed": 0,
            "mip_rel_gap": self.relative_gap,
            "mip_max_nodes": self.node_limit,
            "time_limit": float(self.timeLimit),
        }
        for option, value in options.items():
            highs.setOptionValue(option, value)
        highs.passModel(_as_arrays(lp, variables, rows, mip=self.mip))
        highs.run()
        status = self._read(highs, variables, rows)
        lp.assignStatus(*status)
        return status[0]

    def _read(self, highs: Any, variables: list[Any], rows: list[Any]) -> tuple[int, int]:
        """Copy the solution, if there is one, and return PuLP's pair of status codes."""
        info, model_status = highs.getInfo(), highs.getModelStatus()
        statuses = highspy.HighsModelStatus
        feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        solution = highs.getSolution()
        values = list(solution.col_value) if feasible else [None] * len(variables)
        for variable, value in zip(variables, values, strict=True):
            variable.varValue = value
        if feasible and solution.dual_valid:
            for row, dual in zip(rows, solution.row_dual, strict=True):
                row.pi = dual
        self.bound = -math.inf
        if model_status == statuses.kOptimal:
            is_mip = self.mip and any(variable.cat == pulp.LpInteger for variable in variables)
            self.bound = info.mip_dual_bound if is_mip else info.objective_function_value
            return pulp.LpStatusOptimal, pulp.LpSolutionOptimal
        if model_status in (statuses.kInfeasible, statuses.kUnboundedOrInfeasible):
            return pulp.LpStatusInfeasible, pulp.LpSolutionInfeasible
        if model_status == statuses.kUnbounded:
            return pulp.LpStatusUnbounded, pulp.LpSolutionUnbounded
        self.bound = info.mip_dual_bound
        if feasible:
            return pulp.LpStatusNotSolved, pulp.LpSolutionIntegerFeasible
        return pulp.LpStatusNotSolved, pulp.LpSolutionNoSolutionFound


def _as_arrays(lp: Any, variables: list[Any], rows: list[Any], *, mip: bool) -> Any:
    """Return the model as one HighsLp: columns, bounds and a row-wise matrix."""
    infinity = highspy.kHighsInf
    position = {id(variable): index for index, variable in enumerate(variables)}
    costs = np.zeros(len(variables))
    for variable, factor in lp.objective.items():
        costs[position[id(variable)]] = factor
    starts = np.zeros(len(rows) + 1, dtype=np.int32)
    np.cumsum([len(row) for row in rows], out=starts[1:])
    columns = [position[id(variable)] for row in rows for variable in row]
    senses = np.array([row.sense for row in rows], dtype=np.int64)
    right = np.array([-row.constant for row in rows], dtype=np.float64)

    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(variables), len(rows)
    model.sense_ = highspy.ObjSense.kMaximize if lp.sense == pulp.LpMaximize else highspy.ObjSense.kMinimize
    model.offset_ = float(lp.objective.constant)
    model.col_cost_ = costs
    model.col_lower_ = np.array([-infinity if v.lowBound is None else v.lowBound for v in variables], float)
    model.col_upper_ = np.array([infinity if v.upBound is None else v.upBound for v in variables], float)
    model.row_lower_ = np.where(senses == pulp.LpConstraintLE, -infinity, right)
    model.row_upper_ = np.where(senses == pulp.LpConstraintGE, infinity, right)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = starts
    model.a_matrix_.index_ = np.array(columns, dtype=np.int32)
    factors = itertools.chain.from_iterable(row.values() for row in rows)
    model.a_matrix_.value_ = np.fromiter(factors, dtype=np.float64, count=len(columns))
    if mip and any(variable.cat == pulp.LpInteger for variable in variables):
        kinds = {True: highspy.HighsVarType.kInteger, False: highspy.HighsVarType.kContinuous}
        model.integrality_ = [kinds[variable.cat == pulp.LpInteger] for variable in variables]
    return model
