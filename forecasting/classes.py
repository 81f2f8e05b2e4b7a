"""Demand classes: how often an item is asked for, and how much its sizes vary.

The only module that decides which class a series belongs to. Scores and errors are pooled inside a
class, because one short, sparse history says too little about itself.
"""

from __future__ import annotations

import enum

import numpy as np
import numpy.typing as npt

INTERVAL_LIMIT = 1.32
SQUARED_VARIATION_LIMIT = 0.49


class DemandClass(enum.IntEnum):
    """The four classes of Syntetos, Boylan and Croston (2005), and the series without any demand."""

    SMOOTH = 0
    ERRATIC = 1
    INTERMITTENT = 2
    LUMPY = 3
    NO_DEMAND = 4


def classify(*, demand: npt.NDArray[np.floating], available: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Sort each series into a demand class by its average demand interval and squared variation.

    `demand` and `available` are (buckets, series); demand is 0 where `available` is 0. The interval is
    the number of available buckets per bucket with demand, the squared variation is
    (standard deviation / mean)² of the sizes in buckets with demand. Returns (series,) `DemandClass`
    values. Limits 1.32 and 0.49: Syntetos, Boylan and Croston, "On the categorization of demand
    patterns", Journal of the Operational Research Society 56 (2005).

    >>> steady, rare = [5, 6, 5, 6], [0, 9, 0, 9]
    >>> demand = np.array([steady, rare, [0, 0, 0, 0]], dtype=np.float64).T
    >>> [DemandClass(c).name for c in classify(demand=demand, available=np.ones_like(demand))]
    ['SMOOTH', 'INTERMITTENT', 'NO_DEMAND']
    """
    sizes = np.asarray(demand, dtype=np.float64)
    asked = sizes > 0
    times_asked = asked.sum(axis=0)
    divisor = np.maximum(times_asked, 1)
    interval = np.asarray(available, dtype=np.float64).sum(axis=0) / divisor
    mean_size = sizes.sum(axis=0) / divisor
    variance = (np.where(asked, sizes - mean_size, 0.0) ** 2).sum(axis=0) / divisor
    squared_variation = variance / np.where(mean_size > 0, mean_size, 1.0) ** 2
    rare = interval >= INTERVAL_LIMIT
    uneven = squared_variation >= SQUARED_VARIATION_LIMIT
    found = np.where(
        rare,
        np.where(uneven, DemandClass.LUMPY, DemandClass.INTERMITTENT),
        np.where(uneven, DemandClass.ERRATIC, DemandClass.SMOOTH),
    )
    return np.where(times_asked > 0, found, DemandClass.NO_DEMAND).astype(np.int64)
