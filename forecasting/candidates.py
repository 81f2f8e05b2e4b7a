"""Candidates: the families of methods that compete for each series, and the shape each one forecasts.

This module alone decides which methods take part. A family forecasts level × shape: the level of each of
its candidates after every bucket, and one shape for the buckets after an origin that all of them share
(flat, the seasonal profile, or last season's demand itself).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from forecasting import methods
from forecasting.methods import Floats


@dataclasses.dataclass(frozen=True)
class Family:
    """Candidates that share a shape.

    `levels` is (buckets, candidates, series); `shape(origin)` returns (ahead, series), the multiplier of
    the level for each bucket after bucket `origin`.
    """

    names: tuple[str, ...]
    levels: Floats
    shape: Callable[[int], Floats]


def flat(*, demand: Floats, cut: Floats, available: Floats, ahead: int) -> Family:
    """Build the methods without a season.

    `demand`, `cut` (demand with extraordinary buckets cut) and `available` are (buckets, series); `ahead`
    is the number of buckets to forecast. The last candidate is the mean of the past.
    """
    ones = np.ones_like(demand)
    levels = np.concatenate(
        [
            methods.exponential_levels(
                demand=demand, available=available, exposure=ones, rates=methods.SMOOTHING_RATES
            ),
            methods.exponential_levels(demand=cut, available=available, exposure=ones, rates=methods.CALM_RATES),
            methods.croston_levels(demand=demand, available=available, rates=methods.CROSTON_RATES),
            methods.tsb_levels(demand=demand, available=available, rates=methods.TSB_RATES),
            methods.average_levels(demand=demand, available=available, windows=methods.WINDOWS),
        ],
        axis=1,
    )
    shape = np.ones((ahead, demand.shape[1]), dtype=np.float32)
    return Family(names=FLAT_NAMES, levels=levels, shape=lambda origin: shape)


def seasonal(*, cut: Floats, available: Floats, profile: Floats, ahead: int) -> Family:
    """Build exponential smoothing free of season, multiplied by the profile of the buckets ahead.

    `cut` and `available` are (buckets, series), `profile` is (season_length, series) with mean 1; what
    the profile was fitted on is the caller's to answer for.
    """
    season_length = len(profile)
    exposure = profile[np.arange(len(cut)) % season_length]
    levels = methods.exponential_levels(
        demand=cut, available=available, exposure=exposure, rates=methods.SEASONAL_RATES
    )

    def shape(origin: int) -> Floats:
        return profile[np.arange(origin + 1, origin + 1 + ahead) % season_length]

    return Family(names=SEASONAL_NAMES, levels=levels, shape=shape)


def seasonal_naive(
    *, demand: Floats, available: Floats, mean: Floats, season_length: int, seasons: int, ahead: int
) -> Family:
    """Build the repetition of the same buckets of the last season, or of the mean of several seasons.

    `demand` and `available` are (buckets, series). Where none of the seasons knows the bucket, `mean`
    (buckets, series), the mean up to the origin, stands in.
    """
    series = demand.shape[1]
    steps = np.arange(1, ahead + 1)

    def shape(origin: int) -> Floats:
        total = np.zeros((ahead, series), dtype=np.float32)
        count = np.zeros((ahead, series), dtype=np.float32)
        # The newest bucket of the same phase that is not after the origin.
        newest = origin + steps - season_length * -(-steps // season_length)
        for season in range(seasons):
            bucket = newest - season * season_length
            known = bucket >= 0
            total[known] += demand[bucket[known]]
            count[known] += available[bucket[known]]
        return np.where(count > 0, total / np.maximum(count, 1), mean[origin])

    level = np.broadcast_to(np.float32(1), (len(demand), 1, series))
    return Family(names=(naive_name(seasons),), levels=level, shape=shape)


def naive_name(seasons: int) -> str:
    """Name the seasonal naive method that averages this many seasons."""
    return "seasonal_naive" if seasons == 1 else f"seasonal_naive_mean_{seasons}"


FLAT_NAMES = (
    *(f"ses_{rate}" for rate in methods.SMOOTHING_RATES),
    *(f"calm_ses_{rate}" for rate in methods.CALM_RATES),
    *(f"croston_sba_{rate}" for rate in methods.CROSTON_RATES),
    *(f"tsb_{size}_{probability}" for size, probability in methods.TSB_RATES),
    *(f"average_{window}" for window in methods.WINDOWS),
    "mean",
)
SEASONAL_NAMES = tuple(f"seasonal_ses_{rate}" for rate in methods.SEASONAL_RATES)
