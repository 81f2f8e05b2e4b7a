"""Stock policy for single items: safety stock, reorder point, order-up-to level, and the textbook lot sizes.

It alone turns a forecast distribution into whole units of stock. Everything here is a pure function of numbers;
the level is rounded once, upwards, and the safety stock is what the rounded demand leaves of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from scm.planning import checks
from scm.planning.checks import Floats, Integers

_DUST = 1e-9
"""A float this little above a whole number is that whole number."""


@dataclass(frozen=True)
class StockTargets:
    """Whole-unit targets of many items; `order_up_to_level` = `demand` + `safety_stock` exactly."""

    demand: Integers
    """Mean demand over the protection interval, rounded half up."""
    safety_demand: Integers
    """Safety stock that would be needed if lead times were certain."""
    safety_lead_time: Integers
    """Safety stock added because lead times vary."""
    order_up_to_level: Integers

    @property
    def safety_stock(self) -> Integers:
        """Both parts of the safety stock."""
        return self.safety_demand + self.safety_lead_time


def service_factor(*, cycle_service_level: float) -> float:
    """Return the standard normal quantile z of a cycle service level between 0 and 1.

    >>> round(service_factor(cycle_service_level=0.95), 4)
    1.6449
    """
    if not 0.0 < cycle_service_level < 1.0:
        raise checks.InvalidPlanningInput(
            "cycle_service_level", (), cycle_service_level, "it must lie between 0 and 1, both excluded"
        )
    return NormalDist().inv_cdf(cycle_service_level)


def stock_targets(
    *,
    demand_mean: npt.ArrayLike,
    demand_quantile: npt.ArrayLike,
    mean_demand_per_day: npt.ArrayLike,
    lead_time_sd_days: npt.ArrayLike,
    z: npt.ArrayLike,
) -> StockTargets:
    """Return demand, both parts of safety stock and the order-up-to level of each item, in whole units.

    All arguments have one value an item (`z` may be one for all): mean and quantile of demand over the protection
    interval (lead time + review period), mean demand a day, standard deviation of the lead time in days, and the
    service factor of the quantile's probability. With d = max(0, quantile − mean) and
    l = z × mean demand a day × lead-time standard deviation,

        safety = sqrt(d² + l²)         (independent demand and lead time; Silver, Pyke & Peterson, ch. 7)

    The level is mean + safety rounded up once; demand is the mean rounded half up; safety stock is the
    difference. Its demand part is the same account with l = 0, and the lead-time part is the rest, so a supplier
    who becomes less punctual changes only the lead-time part. A quantile below the mean (very sparse demand)
    counts as the mean. Raises InvalidPlanningInput for NaN or negative values.

    >>> targets = stock_targets(demand_mean=[100.0], demand_quantile=[130.0], mean_demand_per_day=[10.0],
    ...                         lead_time_sd_days=[2.5], z=1.6)
    >>> [int(part[0]) for part in (targets.demand, targets.safety_demand, targets.safety_lead_time)]
    [100, 30, 20]
    >>> int(targets.order_up_to_level[0])
    150
    """
    shape = np.shape(demand_mean)
    mean = checks.floats("demand_mean", demand_mean, shape=shape)
    quantile = checks.floats("demand_quantile", demand_quantile, shape=shape)
    per_day = checks.floats("mean_demand_per_day", mean_demand_per_day, shape=shape)
    spread_days = checks.floats("lead_time_sd_days", lead_time_sd_days, shape=shape)
    factor = checks.floats("z", np.broadcast_to(np.asarray(z, dtype=np.float64), shape), shape=shape)
    from_demand = np.maximum(quantile - mean, 0.0)
    from_lead_time = factor * per_day * spread_days
    demand = round_half_up(mean)
    level_if_punctual = _level(mean, from_demand, demand)
    level = np.maximum(_level(mean, np.hypot(from_demand, from_lead_time), demand), level_if_punctual)
    return StockTargets(
        demand=demand,
        safety_demand=level_if_punctual - demand,
        safety_lead_time=level - level_if_punctual,
        order_up_to_level=level,
    )


def reorder_point(*, lead_time_demand_mean: npt.ArrayLike, safety_stock: npt.ArrayLike) -> Integers:
    """Return the stock at which to order: mean demand over the lead time, rounded up once, plus safety stock.

    >>> int(reorder_point(lead_time_demand_mean=[40.2], safety_stock=[15])[0])
    56
    """
    shape = np.shape(lead_time_demand_mean)
    mean = checks.floats("lead_time_demand_mean", lead_time_demand_mean, shape=shape)
    return round_up(mean) + checks.integers("safety_stock", safety_stock, shape=shape)


def order_up_to_level(*, demand: npt.ArrayLike, safety_stock: npt.ArrayLike) -> Integers:
    """Return demand over the protection interval plus safety stock, both already whole units.

    >>> int(order_up_to_level(demand=[100], safety_stock=[50])[0])
    150
    """
    shape = np.shape(demand)
    whole_demand = checks.integers("demand", demand, shape=shape)
    return whole_demand + checks.integers("safety_stock", safety_stock, shape=shape)


def round_half_up(values: Floats) -> Integers:
    """Return the nearest whole numbers, halves upwards (NumPy's own rounding takes halves to the even side)."""
    return np.floor(values + 0.5 + _DUST).astype(np.int64)


def round_down(values: Floats) -> Integers:
    """Return the whole numbers below, taking floating dust below a whole number for that number."""
    return np.floor(values + _DUST).astype(np.int64)


def round_up(values: Floats) -> Integers:
    """Return the next whole numbers, taking floating dust above a whole number for that number."""
    return np.ceil(values - _DUST).astype(np.int64)


def _level(mean: Floats, safety: Floats, demand: Integers) -> Integers:
    """Return the rounded-up level; without any safety it is the rounded demand itself."""
    return np.where(safety > _DUST, np.maximum(round_up(mean + safety), demand), demand)


def economic_order_quantity(*, fixed_cost: float, holding_cost: float, demand_rate: float) -> float:
    """Return the order quantity sqrt(2·K·λ/h) that balances ordering against holding (Harris 1913).

    `fixed_cost` K per order, `holding_cost` h per unit and time, `demand_rate` λ per time; all positive.

    >>> round(economic_order_quantity(fixed_cost=8, holding_cost=0.225, demand_rate=1300), 10)
    304.0467800264
    """
    _require_positive(fixed_cost=fixed_cost, holding_cost=holding_cost, demand_rate=demand_rate)
    return math.sqrt(2.0 * fixed_cost * demand_rate / holding_cost)


def newsvendor(*, holding_cost: float, stockout_cost: float, demand_mean: float, demand_sd: float) -> float:
    """Return the level whose normal probability is the critical ratio p/(p + h) (Snyder & Shen, ch. 4).

    >>> round(newsvendor(holding_cost=0.18, stockout_cost=0.70, demand_mean=50, demand_sd=8), 10)
    56.6039559274
    """
    _require_positive(holding_cost=holding_cost, stockout_cost=stockout_cost, demand_sd=demand_sd)
    ratio = stockout_cost / (stockout_cost + holding_cost)
    return NormalDist(demand_mean, demand_sd).inv_cdf(ratio)


def wagner_whitin(
    *,
    demand: Sequence[float],
    fixed_cost: float,
    holding_cost: float,
    purchase_cost: Sequence[float] | None = None,
) -> tuple[float, list[float]]:
    """Return the least cost and the order of each period for known demand without backorders.

    Dynamic programme over the period an order covers up to (Wagner & Whitin 1958); holding is paid on stock at
    the end of each period. `purchase_cost`, when given, is a price per unit and period.

    >>> wagner_whitin(demand=[90, 120, 80, 70], fixed_cost=500, holding_cost=2)
    (1380.0, [210.0, 0.0, 150.0, 0.0])
    """
    periods = len(demand)
    prices = [0.0] * periods if purchase_cost is None else list(purchase_cost)
    if len(prices) != periods:
        raise checks.InvalidPlanningInput("purchase_cost", (), f"{len(prices)} long", f"give {periods} prices")
    checks.floats("demand", list(demand), shape=(periods,))
    _require_positive(fixed_cost=fixed_cost, holding_cost=holding_cost)
    best = [0.0] * (periods + 1)  # best[t]: least cost of periods t and later
    covers_to = [periods] * (periods + 1)
    for start in reversed(range(periods)):
        best[start] = math.inf
        held = 0.0
        bought = 0.0
        for end in range(start, periods):
            held += holding_cost * (end - start) * demand[end]
            bought += prices[start] * demand[end]
            cost = fixed_cost + held + bought + best[end + 1]
            if cost < best[start]:
                best[start], covers_to[start] = cost, end + 1
    orders = [0.0] * periods
    start = 0
    while start < periods:
        orders[start] = float(sum(demand[start : covers_to[start]]))
        start = covers_to[start]
    return best[0], orders


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise checks.InvalidPlanningInput(name, (), value, "it must be a positive number")
