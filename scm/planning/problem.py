"""What the replenishment engine is asked and what it answers: frozen values, checked when they are made.

This is the whole interface of the engine. It knows items and suppliers by position only; names stay with the
caller. Money is one unit throughout (the caller's choice, for example pence), quantities are base units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from scm.planning import checks
from scm.planning.checks import Flags, Floats, Integers

MOST_OPPORTUNITIES = 6
"""Every pattern of order opportunities is looked at, and there are 2 to the power of this many."""


@dataclass(frozen=True, kw_only=True)
class ReplenishmentProblem:
    """Items of several suppliers, what each needs at the next order opportunities, and what buying costs.

    I items, S suppliers, T order opportunities (the first is now). The cost that a plan minimises is

        sum over items and opportunities, from the first at which the supplier can order, of
            holding_cost × surplus + safety_shortage_cost × shortage inside the safety stock
            + shortage_cost × shortage beyond it
        + run-out cost of the surplus left at the last opportunity (see `costs.run_out`)
        + line_cost × order lines + joint_order_cost × supplier orders + budget_overrun_cost × overrun

    where surplus and shortage compare the cumulated orders with the cumulated need (a need below zero is zero).
    Two limits are part of the problem, and of what a plan's bound proves: an item is ordered only if it has a need
    at an opportunity it can be ordered at, and no more of it than the need after the last opportunity plus 15
    intervals of demand (or its largest need), in whole multiples, and one minimum order more where it has one.
    """

    supplier: Integers
    """(I) position of the item's supplier."""
    need: Integers
    """(I, T) cumulated units that orders up to each opportunity must bring; may be negative or fall."""
    safety_stock: Integers
    """(I) the part of each need that is safety stock."""
    unit_price: Floats
    """(I) purchase price of one unit, above zero."""
    order_multiple: Integers
    """(I) orders are whole multiples of this, at least 1."""
    minimum_order_quantity: Integers
    """(I) an order is at least this (0 or 1: none)."""
    holding_cost: Floats
    """(I) cost of one surplus unit for one opportunity interval, above zero."""
    shortage_cost: Floats
    """(I) cost of one unit of expected demand left uncovered for one interval."""
    safety_shortage_cost: Floats
    """(I) cost of one unit of safety stock missing for one interval, at most `shortage_cost`."""
    mean_demand: Floats
    """(I) demand of one interval after the last opportunity: how fast a surplus runs out."""
    line_cost: Floats
    """(I) cost of one order line."""
    joint_order_cost: Floats
    """(S) cost of one order to the supplier, whatever is on it."""
    minimum_value: Floats
    """(S) an order to the supplier is worth at least this (0: none)."""
    order_today: Flags
    """(S) whether the supplier can be ordered from at the first opportunity."""
    budget: Floats
    """(T) money for the orders of all suppliers at each opportunity; infinity for no limit."""
    budget_overrun_cost: float = 10.0
    """Cost of spending one unit of money beyond a budget. So high that only dear shortages justify it."""

    def __post_init__(self) -> None:
        items, suppliers, opportunities = self._sizes()
        for name, minimum in (("need", None), ("safety_stock", 0)):
            shape = (items, opportunities) if name == "need" else (items,)
            self._set(name, checks.integers(name, getattr(self, name), shape=shape, minimum=minimum))
        for name, minimum in (("supplier", 0), ("order_multiple", 1), ("minimum_order_quantity", 0)):
            self._set(name, checks.integers(name, getattr(self, name), shape=(items,), minimum=minimum))
        for name in ("unit_price", "holding_cost", "shortage_cost", "safety_shortage_cost"):
            self._set(name, checks.floats(name, getattr(self, name), shape=(items,)))
        for name in ("mean_demand", "line_cost"):
            self._set(name, checks.floats(name, getattr(self, name), shape=(items,)))
        for name in ("joint_order_cost", "minimum_value"):
            self._set(name, checks.floats(name, getattr(self, name), shape=(suppliers,)))
        self._set("order_today", checks.flags("order_today", self.order_today, shape=(suppliers,)))
        self._set("budget", checks.floats("budget", self.budget, shape=(opportunities,), infinite=True))
        checks.floats("budget_overrun_cost", self.budget_overrun_cost, shape=())
        self._check_relations(suppliers)

    def _sizes(self) -> tuple[int, int, int]:
        need = np.asarray(self.need)
        if need.ndim != 2 or not 1 <= need.shape[1] <= MOST_OPPORTUNITIES:
            mend = f"it must have one row an item and 1 to {MOST_OPPORTUNITIES} columns"
            raise checks.InvalidPlanningInput("need", (), f"of shape {need.shape}", mend)
        return need.shape[0], len(np.atleast_1d(self.joint_order_cost)), need.shape[1]

    def _set(self, name: str, value: npt.NDArray[np.generic]) -> None:
        object.__setattr__(self, name, value)

    def _check_relations(self, suppliers: int) -> None:
        wrong = self.supplier >= suppliers
        checks.refuse_where("supplier", self.supplier, wrong, f"there are only {suppliers} suppliers")
        for name in ("unit_price", "holding_cost"):
            values: Floats = getattr(self, name)
            checks.refuse_where(name, values, values <= 0, "it must be above zero")
        wrong = self.safety_shortage_cost > self.shortage_cost
        mend = "missing safety stock cannot cost more than missing demand (shortage_cost)"
        checks.refuse_where("safety_shortage_cost", self.safety_shortage_cost, wrong, mend)

    @property
    def items(self) -> int:
        """Number of items."""
        return int(self.need.shape[0])

    @property
    def suppliers(self) -> int:
        """Number of suppliers."""
        return int(self.joint_order_cost.shape[0])

    @property
    def opportunities(self) -> int:
        """Number of order opportunities."""
        return int(self.need.shape[1])

    @property
    def minimum_packs(self) -> Integers:
        """(I) the least multiples an order may have: the minimum order quantity rounded up."""
        return np.asarray(np.maximum(-(-self.minimum_order_quantity // self.order_multiple), 1))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How hard to look for a better plan. Stops are by gap and node count, so that a plan never depends on how
    busy the machine is; time is only a guard."""

    relative_gap: float = 0.005
    node_limit: int = 200
    time_guard_seconds: float = 60.0
    price_rounds: int = 12
    solver: str = "auto"
    """"auto" is HiGHS, or CBC where highspy is missing; "highs" or "cbc" insist."""


class Progress(Protocol):
    """Told how far the solve is: `done` of `total` steps, and what is being done."""

    def __call__(self, *, done: int, total: int, doing: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Message:
    """Why something could not be met, with the figures; positions refer to the problem."""

    kind: str
    """budget_short, budget_overrun, supplier_minimum_not_reached, supplier_minimum_not_worth_it or solver."""
    text: str
    supplier: int | None = None
    opportunity: int | None = None
    items: tuple[int, ...] = ()
    amount: float = 0.0


@dataclass(frozen=True, kw_only=True)
class BlockResult:
    """How one supplier's block was solved. `bound` is proved: no plan of this block costs less at the final
    prices on the budgets' money (`priced_cost` is this plan's cost at the same prices)."""

    supplier: int
    cost: float
    priced_cost: float
    bound: float
    gap: float
    order_values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class ReplenishmentPlan:
    """What to order, at what cost, and how good that is proved to be."""

    quantities: Integers
    """(I, T) units to order at each opportunity; the first column is the order of today."""
    objective: float
    bound: float
    gap: float
    """(objective − bound) / objective: no plan can be cheaper by more than this share."""
    status: str
    """"optimal" when the gap is within the settings, else "feasible"."""
    solver: str
    blocks: tuple[BlockResult, ...]
    budget_overrun: Floats
    """(T) money spent beyond each budget."""
    budget_price: Floats
    """(T) what one more unit of money at each opportunity would save."""
    messages: tuple[Message, ...]
