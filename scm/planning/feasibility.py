"""An independent check of a plan: every rule is read again from the problem, by code the engine does not use.

Plain loops over plain numbers, on purpose: nothing here is shared with the search, the cost arrays or the model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from scm.planning.problem import ReplenishmentPlan, ReplenishmentProblem

_MONEY = 1e-6
"""Relative tolerance for sums of money."""


@dataclass(frozen=True)
class Violation:
    """One broken rule, with the place and the figures."""

    rule: str
    """shape, negative, multiple, minimum_order_quantity, closed, supplier_minimum, budget, objective or bound."""
    text: str
    item: int | None = None
    supplier: int | None = None
    opportunity: int | None = None


def check(problem: ReplenishmentProblem, plan: ReplenishmentPlan) -> list[Violation]:
    """Return every rule of the problem that the plan breaks; an empty list is a feasible, honest plan."""
    if plan.quantities.shape != problem.need.shape:
        text = f"quantities have shape {plan.quantities.shape} and the problem has {problem.need.shape}"
        return [Violation("shape", text)]
    quantities = plan.quantities.tolist()
    found = list(_items(problem, quantities))
    found += _suppliers(problem, quantities)
    found += _budgets(problem, plan, quantities)
    found += _figures(problem, plan, quantities)
    return found


def objective_of(problem: ReplenishmentProblem, quantities: list[list[int]]) -> float:
    """Return the cost of these quantities (items × opportunities), computed item by item."""
    total = 0.0
    ordered: set[tuple[int, int]] = set()
    supplier = problem.supplier.tolist()
    today = problem.order_today.tolist()
    needs = problem.need.tolist()
    # An item without a need at an opportunity it can be ordered at costs nothing while nothing is ordered.
    for item, orders in enumerate(quantities):
        first = 0 if today[supplier[item]] else 1
        if any(orders) or any(need > 0 for need in needs[item][first:]):
            total += _item_cost(problem, item, orders, needs[item], first)
        ordered.update((supplier[item], t) for t, quantity in enumerate(orders) if quantity > 0)
    total += math.fsum(float(problem.joint_order_cost[s]) for s, _ in sorted(ordered))
    spent = _spent(problem, quantities)
    for money, budget in zip(spent, problem.budget.tolist(), strict=True):
        over = money - budget
        if over > _MONEY * max(budget, 1.0):
            total += over * problem.budget_overrun_cost
    return total


def _item_cost(problem: ReplenishmentProblem, item: int, orders: list[int], needs: list[int], first: int) -> float:
    holding, safety = float(problem.holding_cost[item]), int(problem.safety_stock[item])
    dear, cheap = float(problem.shortage_cost[item]), float(problem.safety_shortage_cost[item])
    cost, stock, surplus = 0.0, 0, 0
    for t, order in enumerate(orders):
        stock += order
        if order > 0:
            cost += float(problem.line_cost[item])
        need = max(needs[t], 0)
        surplus = max(stock - need, 0)
        if t < first:
            continue
        if stock < need:
            missing = need - stock
            cost += cheap * min(missing, safety) + dear * max(missing - safety, 0)
        else:
            cost += holding * surplus
    return cost + holding * _intervals_held(surplus, float(problem.mean_demand[item]))


def _intervals_held(surplus: int, demand: float) -> float:
    """Return unit-intervals of holding until `surplus` has sold, by the stated kinks at 1, 3, 7, 15 intervals."""
    rate = max(demand, 0.02)
    held, lower = 0.0, 0
    for intervals in (1, 3, 7, 15):
        upper = math.ceil(rate * intervals)
        in_piece = max(min(surplus, upper) - lower, 0)
        held += in_piece * min((lower + upper) / (2 * rate), 100.0)
        lower = upper
    return held + max(surplus - lower, 0) * min(1.5 * lower / rate, 100.0)


def _items(problem: ReplenishmentProblem, quantities: list[list[int]]) -> Iterator[Violation]:
    multiple, minimum = problem.order_multiple.tolist(), problem.minimum_order_quantity.tolist()
    supplier, today = problem.supplier.tolist(), problem.order_today.tolist()
    for item, orders in enumerate(quantities):
        for t, quantity in enumerate(orders):
            where = f"item {item}, opportunity {t}: quantity {quantity}"
            if quantity < 0:
                yield Violation("negative", f"{where} is below zero", item=item, opportunity=t)
            if quantity % multiple[item]:
                text = f"{where} is not a multiple of {multiple[item]}"
                yield Violation("multiple", text, item=item, opportunity=t)
            if 0 < quantity < minimum[item]:
                text = f"{where} is below the minimum order quantity {minimum[item]}"
                yield Violation("minimum_order_quantity", text, item=item, opportunity=t)
            if quantity and t == 0 and not today[supplier[item]]:
                text = f"{where}, and supplier {supplier[item]} cannot be ordered from today"
                yield Violation("closed", text, item=item, supplier=supplier[item], opportunity=t)


def _suppliers(problem: ReplenishmentProblem, quantities: list[list[int]]) -> Iterator[Violation]:
    values: dict[tuple[int, int], float] = {}
    for item, orders in enumerate(quantities):
        for t, quantity in enumerate(orders):
            if quantity > 0:
                key = (int(problem.supplier[item]), t)
                values[key] = values.get(key, 0.0) + quantity * float(problem.unit_price[item])
    for (supplier, t), value in sorted(values.items()):
        minimum = float(problem.minimum_value[supplier])
        if value < minimum * (1.0 - _MONEY):
            text = (
                f"supplier {supplier}, opportunity {t}: the order is worth {value:,.2f}, "
                f"below the minimum of {minimum:,.2f}"
            )
            yield Violation("supplier_minimum", text, supplier=supplier, opportunity=t)


def _budgets(
    problem: ReplenishmentProblem, plan: ReplenishmentPlan, quantities: list[list[int]]
) -> Iterator[Violation]:
    for t, money in enumerate(_spent(problem, quantities)):
        allowed = float(problem.budget[t]) + float(plan.budget_overrun[t])
        if money > allowed + _MONEY * max(1.0, float(min(allowed, money))):
            text = f"opportunity {t}: orders worth {money:,.2f} exceed the {allowed:,.2f} allowed and declared"
            yield Violation("budget", text, opportunity=t)


def _figures(
    problem: ReplenishmentProblem, plan: ReplenishmentPlan, quantities: list[list[int]]
) -> Iterator[Violation]:
    cost = objective_of(problem, quantities)
    if abs(cost - plan.objective) > _MONEY * max(1.0, abs(cost)) * 10:
        yield Violation("objective", f"the plan states a cost of {plan.objective:,.6f}; it is {cost:,.6f}")
    if plan.bound > plan.objective * (1.0 + _MONEY) + _MONEY:
        text = f"the stated bound {plan.bound:,.6f} exceeds the plan's own cost {plan.objective:,.6f}"
        yield Violation("bound", text)


def _spent(problem: ReplenishmentProblem, quantities: list[list[int]]) -> list[float]:
    prices = problem.unit_price.tolist()
    return [
        math.fsum(orders[t] * price for orders, price in zip(quantities, prices, strict=True))
        for t in range(problem.opportunities)
    ]
