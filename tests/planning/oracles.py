"""Two other ways to the best plan of a small problem: trying everything, and one plain PuLP model solved by HiGHS."""

from __future__ import annotations

import itertools
import math

import pulp

from scm.planning import feasibility, solver
from scm.planning.problem import ReplenishmentProblem, Settings

Terms = list[tuple[pulp.LpVariable, float]]
Orders = dict[tuple[int, int], pulp.LpVariable]

EXACT = Settings(relative_gap=0.0, node_limit=100_000)


def most_packs(problem: ReplenishmentProblem, item: int) -> int:
    """The stated limits: nothing of an item without a need it can be ordered for; else fifteen intervals of demand
    beyond the last need, and one minimum order more."""
    first = 0 if problem.order_today[problem.supplier[item]] else 1
    if not (problem.need[item][first:] > 0).any():
        return 0
    multiple = int(problem.order_multiple[item])
    needs = [max(int(need), 0) for need in problem.need[item]]
    ahead = needs[-1] + math.ceil(max(float(problem.mean_demand[item]), 0.02) * 15)
    minimum = -(-int(problem.minimum_order_quantity[item]) // multiple)
    return -(-max(*needs, ahead) // multiple) + (minimum if minimum > 1 else 0)


def best_by_trying_everything(problem: ReplenishmentProblem) -> float:
    """Least cost over every combination of orders that breaks no rule; for two or three tiny items only."""
    choices = []
    for item in range(problem.items):
        multiple, most = int(problem.order_multiple[item]), most_packs(problem, item)
        orders = itertools.product(range(most + 1), repeat=problem.opportunities)
        choices.append([[multiple * packs for packs in one] for one in orders if sum(one) <= most])
    best = math.inf
    for plan in itertools.product(*choices):
        quantities = [list(orders) for orders in plan]
        cost = feasibility.objective_of(problem, quantities)
        if cost < best and _allowed(problem, quantities):
            best = cost
    return best


def _allowed(problem: ReplenishmentProblem, quantities: list[list[int]]) -> bool:
    values: dict[tuple[int, int], float] = {}
    for item, orders in enumerate(quantities):
        supplier = int(problem.supplier[item])
        for t, quantity in enumerate(orders):
            if 0 < quantity < problem.minimum_order_quantity[item]:
                return False
            if quantity and t == 0 and not problem.order_today[supplier]:
                return False
            if quantity:
                value = quantity * float(problem.unit_price[item])
                values[supplier, t] = values.get((supplier, t), 0.0) + value
    return all(value >= problem.minimum_value[supplier] - 1e-9 for (supplier, _), value in values.items())


def best_by_one_model(problem: ReplenishmentProblem) -> float:
    """Least cost of the whole problem as one natural MILP: packs, order lines and supplier orders as variables."""
    lp = pulp.LpProblem("natural", pulp.LpMinimize)
    opportunities = range(problem.opportunities)
    objective: Terms = []
    order = {
        (s, t): lp.add_variable(f"order{s}x{t}", 0, 1 if t or problem.order_today[s] else 0, pulp.LpInteger)
        for s in range(problem.suppliers)
        for t in opportunities
    }
    objective += [(order[s, t], float(problem.joint_order_cost[s])) for s, t in order]
    packs = {}
    for item in range(problem.items):
        for t in opportunities:
            packs[item, t] = _order_line(lp, problem, item, t, order, objective)
        _standing(lp, problem, item, packs, objective)
    for s, t in order:
        mine = [item for item in range(problem.items) if problem.supplier[item] == s]
        value = [(packs[item, t], _pack_value(problem, item)) for item in mine]
        floor = [*value, (order[s, t], -float(problem.minimum_value[s]))]
        _add(lp, floor, pulp.LpConstraintGE, 0.0)
    for t in opportunities:
        if math.isfinite(problem.budget[t]):
            overrun = lp.add_variable(f"overrun{t}", 0)
            objective.append((overrun, problem.budget_overrun_cost))
            spend = [(packs[item, t], _pack_value(problem, item)) for item in range(problem.items)]
            _add(lp, [*spend, (overrun, -1.0)], pulp.LpConstraintLE, float(problem.budget[t]))
    lp.setObjective(solver.expression(objective))
    return solver.run(lp, solver.choose(EXACT), read=[]).objective


def _order_line(
    lp: pulp.LpProblem, problem: ReplenishmentProblem, item: int, t: int, order: Orders, objective: Terms
) -> pulp.LpVariable:
    most = most_packs(problem, item)
    least = max(-(-int(problem.minimum_order_quantity[item]) // int(problem.order_multiple[item])), 1)
    packs = lp.add_variable(f"packs{item}x{t}", 0, most, pulp.LpInteger)
    line = lp.add_variable(f"line{item}x{t}", 0, 1, pulp.LpInteger)
    objective.append((line, float(problem.line_cost[item])))
    _add(lp, [(packs, 1.0), (line, -float(most))], pulp.LpConstraintLE, 0.0)
    _add(lp, [(packs, 1.0), (line, -float(least))], pulp.LpConstraintGE, 0.0)
    _add(lp, [(line, 1.0), (order[int(problem.supplier[item]), t], -1.0)], pulp.LpConstraintLE, 0.0)
    return packs


def _standing(lp: pulp.LpProblem, problem: ReplenishmentProblem, item: int, packs: Orders, objective: Terms) -> None:
    multiple, safety = float(problem.order_multiple[item]), float(problem.safety_stock[item])
    holding = float(problem.holding_cost[item])
    first = 0 if problem.order_today[problem.supplier[item]] else 1
    if not any(need > 0 for need in problem.need[item][first:]):
        return
    last = problem.opportunities - 1
    _add(lp, [(packs[item, t], 1.0) for t in range(last + 1)], pulp.LpConstraintLE, float(most_packs(problem, item)))
    for t in range(first, last + 1):
        inside = lp.add_variable(f"inside{item}x{t}", 0, safety)
        beyond = lp.add_variable(f"beyond{item}x{t}", 0)
        surplus = lp.add_variable(f"surplus{item}x{t}", 0)
        objective += [
            (inside, float(problem.safety_shortage_cost[item])),
            (beyond, float(problem.shortage_cost[item])),
            (surplus, holding),
        ]
        ordered = [(packs[item, earlier], multiple) for earlier in range(t + 1)]
        terms = [*ordered, (inside, 1.0), (beyond, 1.0), (surplus, -1.0)]
        _add(lp, terms, pulp.LpConstraintEQ, float(max(int(problem.need[item, t]), 0)))
    rate, lower = max(float(problem.mean_demand[item]), 0.02), 0
    pieces = []
    for number, intervals in enumerate((1, 3, 7, 15, None)):
        upper = None if intervals is None else math.ceil(rate * intervals)
        slope = 1.5 * lower / rate if upper is None else (lower + upper) / (2 * rate)
        piece = lp.add_variable(f"piece{item}x{number}", 0, None if upper is None else upper - lower)
        pieces.append((piece, -1.0))
        objective.append((piece, holding * min(slope, 100.0)))
        lower = lower if upper is None else upper
    _add(lp, [(surplus, 1.0), *pieces], pulp.LpConstraintEQ, 0.0)


def _pack_value(problem: ReplenishmentProblem, item: int) -> float:
    return float(problem.order_multiple[item]) * float(problem.unit_price[item])


def _add(lp: pulp.LpProblem, terms: Terms, sense: int, right: float) -> None:
    lp.addConstraint(pulp.LpConstraint(solver.expression(terms), sense, f"row{len(lp.constraints())}", right))
