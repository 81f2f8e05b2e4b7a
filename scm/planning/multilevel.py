"""Time-phased netting through all levels of the product structure: what to make or order, how many, and when.

Level by level from the top: demand of customers and forecast, and what the orders planned above need, against stock and
open supply. Everything is whole units; minimum, multiple, safety stock and yield are applied once an order, over all
the demand that the order covers. Each quantity is the exact sum of its terms.

More stock or confirmed supply of an item never raises the order released first, and never raises the item's planned
quantity over the horizon, as long as its minimum order is not above its multiple; above it, by less than one minimum
(orders then begin at other days, and the last one may overshoot).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scm.planning import checks, explosion, lots
from scm.planning.checks import Floats, Integers
from scm.planning.explosion import Components, Structure
from scm.planning.lots import Curves, Lots, PlannedOrders
from scm.planning.policy import round_down, round_half_up


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Where I items stand, over B buckets (days, say) from today, and how each is ordered.

    Bucket 0 is today. What is overdue counts in bucket 0. Raises InvalidPlanningInput.
    """

    on_hand: Integers
    """(I)"""
    backordered: Integers
    """(I) ordered by customers, due already, not delivered."""
    safety_stock: Integers
    """(I)"""
    supply: Integers
    """(I, B) open purchase and work orders, good units, by the bucket of their arrival."""
    confirmed: Integers
    """(I, B) confirmed customer orders still to deliver, by due bucket; backorders are not among them."""
    forecast: Floats
    """(I, B) mean demand of customers; confirmed orders consume the forecast of the same time."""
    allocated: Integers
    """(I, B) components that open work orders still need, by the bucket in which they need them."""
    returns: Floats
    """(I, B) returned units that will be fit for use again."""
    lots: Lots

    def __post_init__(self) -> None:
        items, buckets = np.shape(self.forecast)
        for name in ("on_hand", "backordered", "safety_stock"):
            self._set(name, checks.integers(name, getattr(self, name), shape=(items,)))
        for name in ("supply", "confirmed", "allocated"):
            self._set(name, checks.integers(name, getattr(self, name), shape=(items, buckets)))
        for name in ("forecast", "returns"):
            self._set(name, checks.floats(name, getattr(self, name), shape=(items, buckets)))
        if len(self.lots.planned) != items:
            raise checks.InvalidPlanningInput("lots", (), f"for {len(self.lots.planned)} items", f"give {items}")
        late = self.lots.planned & (self.lots.lead_time >= buckets)
        checks.refuse_where("lead_time", self.lots.lead_time, late, f"the horizon has only {buckets} buckets")

    def _set(self, name: str, value: npt.NDArray[np.generic]) -> None:
        object.__setattr__(self, name, value)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Planned orders of all items, and what they mean for each."""

    orders: PlannedOrders
    """in the order of items, then of release"""
    dependent: Integers
    """(I, B) what planned orders need of each item, by the bucket of their release."""
    projected_available: Integers
    """(I, B) stock at the end of each bucket with the planned orders; negative where it runs short."""
    cuts: lots.Cuts
    """Where a cover limit made an order smaller or blocked it; the first bucket of each run of such buckets."""


def plan(*, situation: Situation, structure: Structure) -> Plan:
    """Return the planned orders of all items that are to be planned, level by level.

    Worked example: 10 chairs are due in bucket 3; a chair takes 2 buckets and 4 legs, legs take 1 bucket, 15 are there.
    The chairs are released in bucket 1, the 25 legs missing in bucket 0.

    >>> whole = np.zeros((2, 5), dtype=np.int64)
    >>> chairs = whole.copy(); chairs[0, 3] = 10
    >>> made = plan(structure=Structure(items=2, parent=[0], component=[1], numerator=[4], denominator=[1]),
    ...             situation=Situation(on_hand=[0, 15], backordered=[0, 0], safety_stock=[0, 0], supply=whole,
    ...                 confirmed=chairs, forecast=whole, allocated=whole, returns=whole, lots=Lots.plain([2, 1])))
    >>> [getattr(made.orders, name).tolist() for name in ("item", "release", "quantity")]
    [[0, 1], [1, 0], [10, 25]]
    """
    items, buckets = situation.forecast.shape
    dependent = np.zeros((items, buckets), dtype=np.int64)
    arrivals = np.zeros((items, buckets), dtype=np.int64)
    orders: list[PlannedOrders] = []
    cuts: list[lots.Cuts] = []
    for level in range(int(structure.levels.max(initial=0)) + 1):
        rows = np.flatnonzero((structure.levels == level) & situation.lots.planned)
        found, cut = lots.size(curves=_curves(situation, dependent, rows), lots=situation.lots.of(rows), rows=rows)
        below = components(structure, found)
        np.add.at(dependent, (below.item, found.release[below.order]), below.quantity)
        np.add.at(arrivals, (found.item, found.arrival), found.output)
        orders.append(found)
        cuts.append(cut)
    all_rows = np.arange(items)
    short = _curves(situation, dependent, all_rows).shortage
    return Plan(
        orders=lots.joined_orders(orders),
        dependent=dependent,
        projected_available=np.cumsum(arrivals, axis=1) + situation.safety_stock[:, None] - short,
        cuts=lots.joined_cuts(cuts),
    )


def components(structure: Structure, orders: PlannedOrders) -> Components:
    """Return what planned orders need of their components, one row a component of an order."""
    return explosion.components(structure, item=orders.item, quantity=orders.quantity, bucket=orders.release)


def _curves(situation: Situation, dependent: Integers, rows: Integers) -> Curves:
    """Cumulated demand and supply of some items, each float curve rounded once a bucket."""
    forecast = round_half_up(np.cumsum(situation.forecast[rows], axis=1))
    confirmed = np.cumsum(situation.confirmed[rows], axis=1)
    return Curves(
        demand=forecast,
        confirmed_orders=np.maximum(confirmed - forecast, 0),
        dependent=np.cumsum(dependent[rows], axis=1),
        allocated=np.cumsum(situation.allocated[rows], axis=1),
        backordered=situation.backordered[rows],
        safety_stock=situation.safety_stock[rows],
        on_hand=situation.on_hand[rows],
        on_order=np.cumsum(situation.supply[rows], axis=1),
        expected_returns=round_down(np.cumsum(situation.returns[rows], axis=1)),
    )
