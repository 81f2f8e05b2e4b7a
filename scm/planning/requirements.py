"""Netting: what each order opportunity must bring, from stock, dated supply, forecast and confirmed orders.

It alone decides what is counted against what. Everything is in whole base units; the cumulated forecast is rounded
once per opportunity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scm.planning import checks
from scm.planning.checks import Floats, Integers
from scm.planning.policy import round_down, round_half_up


@dataclass(frozen=True, kw_only=True)
class Positions:
    """Where each item stands, over B buckets (days, say) from today and T order opportunities.

    I items. Bucket 0 is today. What is overdue counts in bucket 0.
    """

    on_hand: Integers
    """(I)"""
    backordered: Integers
    """(I) ordered by customers, due already, not delivered."""
    supply: Integers
    """(I, B) open purchase orders by the bucket of their arrival."""
    forecast: Floats
    """(I, B) mean demand."""
    confirmed: Integers
    """(I, B) confirmed customer orders still to deliver, by due bucket; backorders are not among them."""
    dependent: Integers
    """(I, B) what work orders, planned and open, need of the item as a component, by the bucket of their start."""
    safety_demand: Integers
    """(I) safety stock against uncertain demand."""
    safety_lead_time: Integers
    """(I) safety stock against uncertain lead times."""
    returns: Floats
    """(I, B) returned units that will be fit for sale again, by the bucket of their return to the shelf."""
    protection_end: Integers
    """(I, T) buckets that an order at each opportunity must cover: up to the arrival of the next one's order."""

    def __post_init__(self) -> None:
        items, buckets = np.shape(self.forecast)
        opportunities = np.shape(self.protection_end)[1]
        for name in ("on_hand", "backordered", "safety_demand", "safety_lead_time"):
            self._set(name, checks.integers(name, getattr(self, name), shape=(items,)))
        for name in ("supply", "confirmed", "dependent"):
            self._set(name, checks.integers(name, getattr(self, name), shape=(items, buckets)))
        for name in ("forecast", "returns"):
            self._set(name, checks.floats(name, getattr(self, name), shape=(items, buckets)))
        ends = checks.integers("protection_end", self.protection_end, shape=(items, opportunities))
        self._set("protection_end", ends)
        mend = f"the forecast covers only {buckets} buckets"
        checks.refuse_where("protection_end", ends, ends > buckets, mend)
        falls = np.zeros(ends.shape, dtype=bool)
        falls[:, 1:] = ends[:, 1:] < ends[:, :-1]
        checks.refuse_where("protection_end", ends, falls, "it must not fall from one opportunity to the next")

    def _set(self, name: str, value: npt.NDArray[np.generic]) -> None:
        object.__setattr__(self, name, value)


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """Per item (rows) and opportunity (columns): the terms of the net requirement, whole units.

    `need` = demand + confirmed_orders + dependent + backordered + safety_demand + safety_lead_time − on_hand − on_order
    − expected_returns, exactly; it is cumulated over the opportunities and negative where more is there than is needed.
    """

    demand: Integers
    """(I, T) forecast up to the end of protection, rounded half up once."""
    confirmed_orders: Integers
    """(I, T) confirmed orders beyond that forecast (orders consume the forecast of the same time)."""
    dependent: Integers
    """(I, T) what work orders need that start before the end of protection; it consumes no forecast."""
    backordered: Integers
    """(I)"""
    safety_demand: Integers
    """(I)"""
    safety_lead_time: Integers
    """(I)"""
    on_hand: Integers
    """(I)"""
    on_order: Integers
    """(I, T) open supply that arrives before the end of protection."""
    expected_returns: Integers
    """(I, T) returns fit for sale before the end of protection, rounded down once."""
    need: Integers
    """(I, T)"""
    projected_available: Integers
    """(I, B) stock at the end of each bucket if nothing more is ordered; negative where it runs short."""

    @property
    def safety_stock(self) -> Integers:
        """Both parts of the safety stock (I)."""
        return self.safety_demand + self.safety_lead_time

    @property
    def order_up_to_level(self) -> Integers:
        """(I, T) gross requirement with safety stock: what stock and supply are compared with."""
        moving = self.demand + self.confirmed_orders + self.dependent
        return moving + self.backordered[:, None] + self.safety_stock[:, None]

    @property
    def net_requirement(self) -> Integers:
        """(I, T) what each opportunity adds to the need of those before it, never below zero."""
        reached = np.maximum.accumulate(np.maximum(self.need, 0), axis=1)
        return np.diff(reached, axis=1, prepend=0)


def net(*, positions: Positions) -> Requirements:
    """Return the net requirement of every item at every order opportunity.

    Worked example: 10 on hand, 4 arriving on day 1, forecast 3 a day, one confirmed order of 20 due on day 2,
    safety stock 5, an order now must cover 4 days. The forecast of 12 is consumed by the order of 20, so 8 more
    are counted: 12 + 8 + 5 − 10 − 4 = 11.

    >>> import numpy as np
    >>> requirements = net(positions=Positions(
    ...     on_hand=np.array([10]), backordered=np.array([0]), supply=np.array([[0, 4, 0, 0, 0]]),
    ...     forecast=np.full((1, 5), 3.0), confirmed=np.array([[0, 0, 20, 0, 0]]), returns=np.zeros((1, 5)),
    ...     dependent=np.zeros((1, 5), dtype=int),
    ...     safety_demand=np.array([5]), safety_lead_time=np.array([0]), protection_end=np.array([[4]])))
    >>> int(requirements.need[0, 0])
    11
    >>> requirements.projected_available[0].tolist()
    [7, 8, -6, -6, -6]
    """
    demand = round_half_up(_up_to(positions.forecast, positions.protection_end))
    confirmed = _up_to(positions.confirmed, positions.protection_end)
    beyond_forecast = np.maximum(confirmed - demand, 0)
    on_order = _up_to(positions.supply, positions.protection_end)
    dependent = _up_to(positions.dependent, positions.protection_end)
    returned = round_down(_up_to(positions.returns, positions.protection_end))
    fixed = positions.backordered + positions.safety_demand + positions.safety_lead_time - positions.on_hand
    return Requirements(
        demand=demand,
        confirmed_orders=beyond_forecast,
        dependent=dependent,
        backordered=positions.backordered,
        safety_demand=positions.safety_demand,
        safety_lead_time=positions.safety_lead_time,
        on_hand=positions.on_hand,
        on_order=on_order,
        expected_returns=returned,
        need=demand + beyond_forecast + dependent + fixed[:, None] - on_order - returned,
        projected_available=_projected(positions),
    )


def _projected(positions: Positions) -> Integers:
    expected = round_half_up(np.cumsum(positions.forecast, axis=1))
    gross = np.maximum(expected, np.cumsum(positions.confirmed, axis=1)) + np.cumsum(positions.dependent, axis=1)
    start = positions.on_hand - positions.backordered
    returned = round_down(np.cumsum(positions.returns, axis=1))
    return np.asarray(start[:, None] + np.cumsum(positions.supply, axis=1) + returned - gross)


def _up_to(values: npt.NDArray[checks.Kind], ends: Integers) -> npt.NDArray[checks.Kind]:
    """Return the sums of `values` (I, B) over the first `ends` (I, T) buckets."""
    sums = np.zeros((values.shape[0], values.shape[1] + 1), dtype=values.dtype)
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return np.take_along_axis(sums, ends, axis=1)
