"""What one site is short of and another has to spare, sent over lanes that arrive in time. Numbers in, numbers out.

Moving comes before buying: it costs no purchase, and total stock stays what it was. No site sends what it needs itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scm.planning import requirements
from scm.planning.checks import Flags, Floats, Integers
from scm.planning.requirements import Positions, Requirements


@dataclass(frozen=True, kw_only=True)
class Way:
    """A lane between two sites, by their places in the lists. `joint_cost` is that of one transfer, minor units."""

    lane_id: int
    from_site: int
    to_site: int
    transit_days: int
    joint_cost: float
    priority: int


@dataclass(frozen=True, kw_only=True)
class Moved:
    """So much of every item (I) over one way, and what the receiver was short of just before, other ways counted."""

    way: Way
    quantity: Integers
    short_before: Integers
    spare_before: Integers


def spare(positions: Positions, required: Requirements, *, review_days: Integers) -> Integers:
    """Return what each item of a site can be spared (I): what is free now and beyond its own need.

    Its own need reaches to the end of the first protection interval and `review_days` (I) more, with its safety stock,
    and at no day until then may the projected stock fall below the safety stock. What is only on order is not spared.

    Worked example: 50 on hand, demand of 2 a day, 10 days protected and 5 more, safety stock 4. After 15 days 20 are
    left, 16 above the safety stock.

    >>> import numpy as np
    >>> lone = Positions(
    ...     on_hand=np.array([50]), backordered=np.array([0]), supply=np.zeros((1, 20), dtype=np.int64),
    ...     forecast=np.full((1, 20), 2.0), confirmed=np.zeros((1, 20), dtype=np.int64),
    ...     dependent=np.zeros((1, 20), dtype=np.int64), returns=np.zeros((1, 20)),
    ...     safety_demand=np.array([4]), safety_lead_time=np.array([0]), protection_end=np.array([[10]]))
    >>> spare(lone, requirements.net(positions=lone), review_days=np.array([5])).tolist()
    [16]
    """
    buckets = positions.forecast.shape[1]
    ends = np.minimum(positions.protection_end[:, 0] + review_days, buckets)
    further = requirements.net(positions=replace(positions, protection_end=ends[:, None]))
    until = np.arange(buckets)[None, :] < ends[:, None]
    largest = np.iinfo(np.int64).max
    lowest = np.where(until, required.projected_available, largest).min(axis=1)
    above_safety = np.where(until.any(axis=1), lowest - required.safety_stock, 0)
    free_now = positions.on_hand - positions.backordered
    return np.asarray(np.maximum(np.minimum(np.minimum(-further.need[:, 0], above_safety), free_now), 0))


def first_short_day(required: Requirements) -> Integers:
    """Return the day on which each item runs out if nothing is ordered (I); the number of days when it never does."""
    below = required.projected_available < 0
    days = below.shape[1]
    return np.asarray(np.where(below.any(axis=1), below.argmax(axis=1), days), dtype=np.int64)


def decide(
    *,
    need: Sequence[Integers],
    spare: Sequence[Integers],
    runs_out: Sequence[Integers],
    bought_after: Sequence[Floats],
    protected: Sequence[Integers],
    price: Floats,
    ways: Sequence[Way],
) -> list[Moved]:
    """Return what to move over each way that is used, the way of the lowest priority first.

    Each sequence has an entry for each site, each of the same I items. A way arrives in time when it does so within the
    protected days, and before the stock runs out (`runs_out`, days) or bought goods would come (`bought_after`, days).
    A way is not used when all it would carry is worth less (at `price`, minor units) than a transfer costs.

    >>> import numpy as np
    >>> [moved] = decide(
    ...     need=[np.array([30]), np.array([-50])], spare=[np.array([0]), np.array([20])],
    ...     runs_out=[np.array([4]), np.array([99])], bought_after=[np.array([7.0])] * 2,
    ...     protected=[np.array([14])] * 2, price=np.array([400.0]),
    ...     ways=[Way(lane_id=1, from_site=1, to_site=0, transit_days=2, joint_cost=500.0, priority=1)])
    >>> moved.quantity.tolist(), moved.short_before.tolist()
    ([20], [30])
    """
    short = [np.maximum(one, 0) for one in need]
    left = [one.copy() for one in spare]
    found = []
    for way in sorted(ways, key=lambda way: (way.priority, way.transit_days, way.to_site, way.from_site)):
        giver, taker = way.from_site, way.to_site
        timely = _in_time(way, runs_out[taker], bought_after[taker], protected[taker])
        quantity = np.where(timely, np.minimum(short[taker], left[giver]), 0)
        if not quantity.any() or float((quantity * price).sum()) < way.joint_cost:
            continue
        found.append(
            Moved(way=way, quantity=quantity, short_before=short[taker].copy(), spare_before=left[giver].copy())
        )
        short[taker] -= quantity
        left[giver] -= quantity
    return found


def _in_time(way: Way, runs_out: Integers, bought_after: Floats, protected: Integers) -> Flags:
    days = way.transit_days
    return (days < protected) & ((days <= runs_out) | (days <= bought_after))
