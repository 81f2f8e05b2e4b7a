"""The terms of one account, counted again from the inputs stored with the plan.

This shares no code with `policy`, `requirements` or `explain`: it reads one item's stored figures and does the
arithmetic by hand, so that a wrong account cannot confirm itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StoredInputs:
    """What is stored about one item at the time of the plan, and the quantity that was planned for now."""

    on_hand: int
    backordered: int
    supply: Sequence[int]
    """Open supply by arrival bucket."""
    forecast: Sequence[float]
    """Mean demand by bucket."""
    confirmed: Sequence[int]
    """Confirmed orders by due bucket."""
    dependent: Sequence[int]
    """What work orders need of it, by the bucket of their start."""
    returns: Sequence[float]
    """Returns fit for sale again, by bucket."""
    protection_buckets: int
    """Buckets that an order placed now must cover."""
    demand_mean: float
    demand_quantile: float
    mean_demand_per_day: float
    lead_time_sd_days: float
    z: float
    order_multiple: int
    minimum_order_quantity: int
    quantity: int


def terms(inputs: StoredInputs) -> dict[str, int]:
    """Return every term of the item's account by name; they add up to the quantity.

    >>> counted = terms(StoredInputs(
    ...     on_hand=10, backordered=0, supply=[0, 4], forecast=[6.0, 6.0], confirmed=[0, 20], returns=[0.0, 0.6],
    ...     dependent=[0, 0],
    ...     protection_buckets=2, demand_mean=12.0, demand_quantile=17.0, mean_demand_per_day=6.0,
    ...     lead_time_sd_days=0.0, z=1.645, order_multiple=6, minimum_order_quantity=0, quantity=12))
    >>> {name: amount for name, amount in counted.items() if amount}  # doctest: +NORMALIZE_WHITESPACE
    {'demand': 12, 'confirmed_orders': 8, 'safety_demand': 5, 'on_hand': -10, 'on_order': -4,
     'multiple': 1}
    >>> sum(counted.values())
    12
    """
    until = inputs.protection_buckets
    demand = _half_up(math.fsum(inputs.forecast[:until]))
    safety_demand, safety_lead_time = _safety(inputs)
    counted = {
        "demand": demand,
        "confirmed_orders": max(sum(inputs.confirmed[:until]) - demand, 0),
        "dependent": sum(inputs.dependent[:until]),
        "backorders": inputs.backordered,
        "safety_demand": safety_demand,
        "safety_lead_time": safety_lead_time,
        "on_hand": -inputs.on_hand,
        "on_order": -sum(inputs.supply[:until]),
        "expected_returns": -math.floor(math.fsum(inputs.returns[:until]) + 1e-9),
    }
    need = sum(counted.values())
    counted["surplus"] = -need if need < 0 else 0
    counted["minimum"] = counted["multiple"] = 0
    if need > 0 and inputs.quantity > 0:
        if inputs.minimum_order_quantity > need:
            counted["minimum"] = inputs.minimum_order_quantity - need
        counted["multiple"] = -(need + counted["minimum"]) % inputs.order_multiple
    rest = inputs.quantity - max(need, 0) - counted["minimum"] - counted["multiple"]
    counted["fill"] = rest if rest > 0 else 0
    counted["cut"] = rest if rest < 0 else 0
    return counted


def _safety(inputs: StoredInputs) -> tuple[int, int]:
    """Return safety stock against uncertain demand, and what uncertain lead times add to it."""
    mean = inputs.demand_mean
    spread = max(inputs.demand_quantile - mean, 0.0)
    late = inputs.z * inputs.mean_demand_per_day * inputs.lead_time_sd_days
    punctual = _level(mean, spread)
    level = max(_level(mean, math.sqrt(spread * spread + late * late)), punctual)
    return punctual - _half_up(mean), level - punctual


def _level(mean: float, safety: float) -> int:
    if safety <= 1e-9:
        return _half_up(mean)
    return max(math.ceil(mean + safety - 1e-9), _half_up(mean))


def _half_up(value: float) -> int:
    return math.floor(value + 0.5 + 1e-9)
