"""The account of every quantity ordered now: whole-unit terms that add up to it, and nothing else.

    demand + confirmed_orders + dependent + backorders + safety_demand + safety_lead_time − on_hand − on_order
        − expected_returns = need
    need + surplus + minimum + multiple + fill + cut = quantity

`surplus` lifts a need below zero to zero: there is more than is needed. `minimum` raises what is needed to the
minimum order quantity and `multiple` rounds it up to whole multiples. `fill` is whole multiples beyond that, bought
to reach the supplier's minimum value or brought forward into this order. `cut` is what the plan leaves short:
multiples not bought, because the budget binds or because leaving them costs less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scm.planning import checks
from scm.planning.alternatives import Alternative, next_best
from scm.planning.checks import Flags, Floats, Integers
from scm.planning.problem import ReplenishmentPlan, ReplenishmentProblem
from scm.planning.requirements import Requirements

TERMS = (
    "demand",
    "confirmed_orders",
    "dependent",
    "backorders",
    "safety_demand",
    "safety_lead_time",
    "on_hand",
    "on_order",
    "expected_returns",
    "surplus",
    "minimum",
    "multiple",
    "fill",
    "cut",
)
"""In the order in which they are read; on_hand, on_order, expected_returns and cut are negative."""

BINDING = (
    "need",
    "minimum_order_quantity",
    "order_multiple",
    "supplier_minimum_value",
    "brought_forward",
    "budget",
    "cheaper_to_wait",
)
"""What decided the last units: the value of `Account.binding`."""


@dataclass(frozen=True)
class Account:
    """Why one item is ordered in this quantity now, or not at all although it is needed."""

    item: int
    quantity: int
    terms: dict[str, int]
    """Every term of TERMS, in that order; they add up to `quantity`."""
    binding: str
    """One of BINDING."""
    alternative: Alternative | None
    """The cheapest other quantity the constraints allow; None for an item that is not ordered now."""
    stock_out_risk: float
    """Probability that demand over the protection interval exceeds stock and supply if nothing is ordered."""

    @property
    def need(self) -> int:
        """What is needed after stock and supply, before any rounding."""
        return sum(self.terms[name] for name in TERMS[: TERMS.index("surplus")])


def account_for(
    problem: ReplenishmentProblem,
    plan: ReplenishmentPlan,
    requirements: Requirements,
    *,
    quantile_probabilities: Floats,
    demand_quantiles: Floats,
) -> list[Account]:
    """Return the account of every item that is ordered now, or needed now and not ordered although it could be.

    `requirements` are those the problem's need was taken from. `demand_quantiles` (I, Q) is demand over the first
    opportunity's protection interval at rising `quantile_probabilities` (Q). Raises InvalidPlanningInput when the
    requirements are not the problem's.
    """
    differs = requirements.need != problem.need
    checks.refuse_where("requirements.need", requirements.need, differs, "it is not what the problem was given")
    quantity = plan.quantities[:, 0]
    possible = problem.order_today[problem.supplier]
    item = np.flatnonzero(possible & ((quantity > 0) | (problem.need[:, 0] > 0)))
    terms = _terms(problem, requirements, item, quantity[item])
    binding = _binding(problem, plan, item, terms)
    ordered = np.flatnonzero(quantity[item] > 0)
    alternatives: list[Alternative | None] = [None] * len(item)
    for place, other in zip(ordered.tolist(), next_best(problem, plan, item[ordered]), strict=True):
        alternatives[place] = other
    risk = stock_out_risk(
        available=_available(requirements)[item],
        probabilities=quantile_probabilities,
        demand_quantiles=demand_quantiles[item],
    )
    columns = [terms[name].tolist() for name in TERMS]
    return [
        Account(number, units, dict(zip(TERMS, amounts, strict=True)), because, other, chance)
        for number, units, amounts, because, other, chance in zip(
            item.tolist(),
            quantity[item].tolist(),
            zip(*columns, strict=True),
            binding,
            alternatives,
            risk.tolist(),
            strict=True,
        )
    ]


def stock_out_risk(*, available: Integers, probabilities: Floats, demand_quantiles: Floats) -> Floats:
    """Return P(demand > available) of each item by interpolating its quantiles.

    `demand_quantiles` (I, Q) at rising `probabilities` (Q), from (0, 0) up. Beyond the highest quantile the risk
    stays at what is left there: it is at most that. Raises InvalidPlanningInput.

    >>> import numpy as np
    >>> risk = stock_out_risk(available=np.array([15, 40, -1]), probabilities=np.array([0.5, 0.9]),
    ...                       demand_quantiles=np.array([[10.0, 20.0]] * 3))
    >>> [round(float(r), 3) for r in risk]
    [0.3, 0.1, 1.0]
    """
    count = len(available)
    levels = checks.floats("quantile_probabilities", probabilities, shape=np.shape(probabilities))
    quantiles = checks.floats("demand_quantiles", demand_quantiles, shape=(count, len(levels)))
    falls = np.diff(quantiles, axis=1, prepend=0.0) < -1e-9
    checks.refuse_where("demand_quantiles", quantiles, falls, "quantiles must rise with their probability")
    at = np.concatenate((np.zeros((count, 1)), quantiles), axis=1)
    share = np.concatenate(([0.0], levels))
    right = (at <= available[:, None]).sum(axis=1)  # the first quantile above what is available
    left = np.clip(right - 1, 0, len(share) - 1)
    right = np.clip(right, 0, len(share) - 1)
    rows = np.arange(count)
    width = at[rows, right] - at[rows, left]
    along = np.where(width > 0, (available - at[rows, left]) / np.where(width > 0, width, 1.0), 0.0)
    below = share[left] + along * (share[right] - share[left])
    return np.where(available < 0, 1.0, 1.0 - below)


def _available(requirements: Requirements) -> Integers:
    """Return what is there for demand: stock and supply, less what customers are already owed beyond forecast."""
    owed = requirements.backordered + requirements.confirmed_orders[:, 0] + requirements.dependent[:, 0]
    return requirements.on_hand + requirements.on_order[:, 0] + requirements.expected_returns[:, 0] - owed


def _terms(
    problem: ReplenishmentProblem, requirements: Requirements, item: Integers, quantity: Integers
) -> dict[str, Integers]:
    need = requirements.need[item, 0]
    needed = np.maximum(need, 0)
    multiple = problem.order_multiple[item]
    raised = np.maximum(needed, problem.minimum_order_quantity[item])
    rounded = -(-raised // multiple) * multiple
    ordered_for_need = (quantity > 0) & (needed > 0)
    minimum = np.where(ordered_for_need, raised - needed, 0)
    rounding = np.where(ordered_for_need, rounded - raised, 0)
    beyond = quantity - needed - minimum - rounding
    return {
        "demand": requirements.demand[item, 0],
        "confirmed_orders": requirements.confirmed_orders[item, 0],
        "dependent": requirements.dependent[item, 0],
        "backorders": requirements.backordered[item],
        "safety_demand": requirements.safety_demand[item],
        "safety_lead_time": requirements.safety_lead_time[item],
        "on_hand": -requirements.on_hand[item],
        "on_order": -requirements.on_order[item, 0],
        "expected_returns": -requirements.expected_returns[item, 0],
        "surplus": needed - need,
        "minimum": minimum,
        "multiple": rounding,
        "fill": np.maximum(beyond, 0),
        "cut": np.minimum(beyond, 0),
    }


def _binding(
    problem: ReplenishmentProblem, plan: ReplenishmentPlan, item: Integers, terms: dict[str, Integers]
) -> list[str]:
    supplier = problem.supplier[item]
    value = plan.quantities[:, 0] * problem.unit_price
    ordered_value = np.bincount(problem.supplier, value, problem.suppliers)
    fill_value = np.bincount(supplier, terms["fill"] * problem.unit_price[item], problem.suppliers)
    minimum = problem.minimum_value
    # The minimum decided a supplier's fill when the order would miss it without the fill.
    for_minimum = (minimum > 0) & (ordered_value - fill_value < minimum)
    nothing_ordered = (minimum > 0) & (ordered_value == 0)
    reasons: list[tuple[Flags, str]] = [
        ((terms["fill"] > 0) & for_minimum[supplier], "supplier_minimum_value"),
        (terms["fill"] > 0, "brought_forward"),
        ((terms["cut"] < 0) & bool(plan.budget_price[0] > 0), "budget"),
        ((terms["cut"] < 0) & nothing_ordered[supplier], "supplier_minimum_value"),
        (terms["cut"] < 0, "cheaper_to_wait"),
        (terms["minimum"] > 0, "minimum_order_quantity"),
        (terms["multiple"] > 0, "order_multiple"),
    ]
    applies = [np.asarray(condition) for condition, _ in reasons]
    chosen = np.select(applies, [BINDING.index(name) for _, name in reasons], default=BINDING.index("need"))
    return [BINDING[place] for place in chosen.tolist()]
