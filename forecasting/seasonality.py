"""Seasonal profiles: how much more than usual is asked for at each phase of the season.

The only module that fits seasonal indices. A profile is multiplicative, has a mean of 1 over the season,
is shrunk from the series' own index to that of its group and of all, and damped towards 1 while few
seasons have been seen. The caller chooses how much of the past a profile may see.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Buckets with demand at which a series' own index weighs as much as its group's.
OWN_INDEX_HALF_WEIGHT = 30.0
# Weight of a group, in square roots of buckets with demand, at which it counts as much as all series
# together: some ten series asked for every week of half a year.
GROUP_HALF_WEIGHT = 50.0
# Largest own index that enters a group, so that one order does not become everybody's season.
LARGEST_INDEX = 6.0


def fit_profiles(
    *,
    demand: npt.NDArray[np.float32],
    available: npt.NDArray[np.float32],
    season_length: int,
    groups: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """Fit the multiplicative index of each phase (bucket number modulo season length) for each series.

    `demand` and `available` are (buckets, series), `groups` is (series,) with 0..n-1. Needs at least one
    season of buckets. Returns (season_length, series), mean 1 over the phases. Only series known for a
    whole season shape their group; a series' own index enters from its second season on.

    >>> demand = np.array([[3.0], [1.0]] * 4, dtype=np.float32)
    >>> none = np.zeros(1, dtype=np.int64)
    >>> fit_profiles(
    ...     demand=demand, available=np.ones_like(demand), season_length=2, groups=none
    ... ).ravel().tolist()  # index 1.5 and 0.5, damped to 16 / 17 after four seasons
    [1.470588207244873, 0.529411792755127]
    """
    buckets, series = demand.shape
    if buckets < season_length:
        raise ValueError(f"{buckets} buckets are less than one season of {season_length}.")
    total = np.zeros((season_length, series))
    count = np.zeros((season_length, series))
    for t in range(buckets):
        total[t % season_length] += demand[t]
        count[t % season_length] += available[t]
    seen = count.sum(axis=0)
    times_asked = (demand > 0).sum(axis=0)
    rate = total / np.maximum(count, 1)
    level = total.sum(axis=0) / np.maximum(seen, 1)
    own = np.where(count > 0, rate / np.where(level > 0, level, 1.0), 1.0)
    own = np.where(level > 0, own, 1.0)
    whole = (seen >= season_length) & (level > 0)
    pooled = _group_profiles(own=own, weight=np.sqrt(times_asked) * whole, groups=groups)[:, groups]
    evidence = times_asked * np.clip(seen / season_length - 1.0, 0.0, 1.0)
    share = evidence / (evidence + OWN_INDEX_HALF_WEIGHT)
    index = share * own + (1 - share) * pooled
    # What one season showed may have been a trend, or chance: half of it is believed, of two 4 / 5.
    seasons = buckets / season_length
    damped = 1 + (index - 1) * seasons**2 / (seasons**2 + 1)
    return np.asarray(damped / damped.mean(axis=0), dtype=np.float32)


def _group_profiles(
    *, own: npt.NDArray[np.float64], weight: npt.NDArray[np.float64], groups: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Average the own indices of each group, shrunk to the average of all, as (season_length, groups)."""
    group_count = int(groups.max(initial=-1)) + 1
    limited = np.minimum(own, LARGEST_INDEX) * weight
    everywhere = (limited.sum(axis=1) / weight.sum() if weight.sum() > 0 else np.ones(len(own)))[:, None]
    sums = np.stack([np.bincount(groups, weights=phase, minlength=group_count) for phase in limited])
    weights = np.bincount(groups, weights=weight, minlength=group_count)
    pooled = (sums + GROUP_HALF_WEIGHT * everywhere) / (weights + GROUP_HALF_WEIGHT)
    return np.asarray(pooled / pooled.mean(axis=0), dtype=np.float64)
