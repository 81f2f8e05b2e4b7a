"""What the next-best quantity of an item ordered now would cost: none, one multiple less or one multiple more.

Costs come from the engine's own item costs, the other items unchanged; only what the supplier's minimum value and
the budgets allow counts. Where they allow no change of one item, the alternative is to leave out the whole order.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from scm.planning import checks
from scm.planning.checks import Flags, Floats, Integers
from scm.planning.costs import active_items, plan_costs
from scm.planning.problem import ReplenishmentPlan, ReplenishmentProblem

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Alternative:
    """Another quantity for one item now."""

    kind: str
    """skip, one_multiple_less, one_multiple_more, or skip_supplier_order where the item alone cannot change."""
    quantity: int
    extra_cost: float
    """What the plan would cost more; within the plan's gap it may be below zero."""
    later: str
    """What becomes of the difference: "moved" to or from the supplier's next planned order, or "dropped"."""


@dataclass
class _Best:
    """The cheapest alternative met so far for each item."""

    difference: Floats
    quantity: Integers
    label: list[tuple[str, str]]


def next_best(problem: ReplenishmentProblem, plan: ReplenishmentPlan, item: Integers) -> list[Alternative]:
    """Return the cheapest allowed alternative for each item (positions in the problem) that is ordered now.

    Raises InvalidPlanningInput for an item that is not ordered now.
    """
    ordered_now = plan.quantities[item, 0]
    checks.refuse_where("quantities", ordered_now, ordered_now <= 0, "only an item ordered now has alternatives")
    judge = _Judge(problem, plan, item)
    packs, least = judge.orders[:, 0], problem.minimum_packs[item]
    whole, by_supplier = np.zeros(len(item), dtype=np.int64), judge.without_supplier_order()
    best = _Best(by_supplier, whole, [("skip_supplier_order", "dropped")] * len(item))
    alone = np.full(len(item), np.inf)
    changes = (
        ("skip", -packs),
        ("one_multiple_less", np.where(packs - 1 >= least, -1, 0)),
        ("one_multiple_more", np.ones(len(item), dtype=np.int64)),
    )
    for (kind, change), later in itertools.product(changes, ("dropped", "moved")):
        difference = judge.difference(change, moved=later == "moved")
        cheaper = difference < alone - _TOLERANCE
        alone = np.where(cheaper, difference, alone)
        best.difference = np.where(cheaper, difference, best.difference)
        best.quantity = np.where(cheaper, (packs + change) * problem.order_multiple[item], best.quantity)
        for place in np.flatnonzero(cheaper).tolist():
            best.label[place] = (kind, later)
    found = zip(best.label, best.quantity.tolist(), best.difference.tolist(), strict=True)
    return [Alternative(kind, quantity, extra, later) for (kind, later), quantity, extra in found]


class _Judge:
    """Costs and rules of changing one item's packs now."""

    def __init__(self, problem: ReplenishmentProblem, plan: ReplenishmentPlan, item: Integers) -> None:
        self.problem, self.plan, self.item = problem, plan, item
        self.active = active_items(problem)
        row_of_item = np.full(problem.items, -1)
        row_of_item[self.active.item] = np.arange(len(self.active.item))
        self.row = row_of_item[item]
        self.orders = plan.quantities[item] // problem.order_multiple[item][:, None]
        self.pack_value = problem.order_multiple[item] * problem.unit_price[item]
        value = plan.quantities * problem.unit_price[:, None]
        self.supplier_value = np.zeros((problem.suppliers, problem.opportunities))
        np.add.at(self.supplier_value, problem.supplier, value)
        self.spend = value.sum(axis=0)
        self.cost_now, _ = plan_costs(problem, self.active, self.row, np.cumsum(self.orders, axis=1))
        self.next_order = self._next_order()

    def difference(self, change: Integers, *, moved: bool) -> Floats:
        """Return the added cost of `change` packs now, infinite where there is no change or it is not allowed."""
        orders = self.orders.copy()
        orders[:, 0] += change
        allowed = change != 0
        if moved:
            allowed &= self.next_order > 0
            places = np.flatnonzero(allowed)
            orders[places, self.next_order[places]] -= change[places]
        least = self.problem.minimum_packs[self.item][:, None]
        allowed &= ((orders == 0) | (orders >= least)).all(axis=1)
        # An order that is not allowed may be negative; its cost is not looked at.
        packs = np.cumsum(np.where(allowed[:, None], orders, self.orders), axis=1)
        cost, _ = plan_costs(self.problem, self.active, self.row, packs)
        joint, kept = self._supplier(orders)
        allowed &= kept & self._affordable(orders)
        return np.where(allowed, cost - self.cost_now + joint, np.inf)

    def without_supplier_order(self) -> Floats:
        """Return for each item what it costs to leave out its supplier's whole order of now, later orders kept."""
        everything = np.flatnonzero(self.plan.quantities[:, 0] > 0)
        judge = self if len(everything) == len(self.item) else _Judge(self.problem, self.plan, everything)
        orders = judge.orders.copy()
        orders[:, 0] = 0
        cost, _ = plan_costs(judge.problem, judge.active, judge.row, np.cumsum(orders, axis=1))
        extra = np.bincount(self.problem.supplier[judge.item], cost - judge.cost_now, minlength=self.problem.suppliers)
        return np.asarray((extra - self.problem.joint_order_cost)[self.problem.supplier[self.item]])

    def _next_order(self) -> Integers:
        """Return the supplier's next planned opportunity after now, 0 where there is none."""
        later = self.supplier_value[self.problem.supplier[self.item]] > 0
        later[:, 0] = False
        return np.where(later.any(axis=1), later.argmax(axis=1), 0)

    def _supplier(self, orders: Integers) -> tuple[Floats, Flags]:
        """Return the change in joint order costs, and whether the supplier's minimum is kept."""
        supplier = self.problem.supplier[self.item]
        before = self.supplier_value[supplier]
        after = before + (orders - self.orders) * self.pack_value[:, None]
        small = 1e-6 * np.maximum(self.pack_value, 1.0)[:, None]
        now_ordered, then_ordered = before > small, after > small
        joint = (then_ordered.sum(axis=1) - now_ordered.sum(axis=1)) * self.problem.joint_order_cost[supplier]
        minimum = self.problem.minimum_value[supplier][:, None]
        kept = ~then_ordered | (after >= minimum * (1.0 - 1e-6))
        return np.asarray(joint, dtype=np.float64), np.asarray(kept.all(axis=1))

    def _affordable(self, orders: Integers) -> Flags:
        """Tell whether no budget is exceeded, or exceeded further."""
        added = (orders - self.orders) * self.pack_value[:, None]
        room = np.maximum(self.problem.budget - self.spend, 0.0) + 1e-6
        return np.asarray((added <= room).all(axis=1))
