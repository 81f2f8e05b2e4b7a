"""Panel: all series side by side, scaled and masked, ready to be stepped through time.

The only module that knows how history becomes the arrays the methods work on: time first, each series in
units of its own mean bucket, float32, zero where nothing was available and a mask that says so. It also
decides which buckets are origins, and what a seasonal profile may see. A part of a panel is a panel.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from forecasting import classes, methods, seasonality
from forecasting.methods import Floats

Integers = npt.NDArray[np.int64]

# Origins reach back this many horizons, and over this share of history at most.
HORIZONS_BACK = 3
LARGEST_SHARE_BACK = 2 / 3


@dataclasses.dataclass(frozen=True)
class Panel:
    """History of many series and what was learnt from all of them before any was forecast.

    `demand`, `cut` (extraordinary buckets cut) and `available` are (buckets, series); `scale` (series,)
    is the demand of a mean bucket. `past_profile` is the seasonal profile fitted up to the first origin,
    `profile` the one fitted on everything, both (season_length, series), None where history is too
    short. `ahead` covers the horizon and the longest protection interval.
    """

    demand: Floats
    cut: Floats
    available: Floats
    scale: npt.NDArray[np.float64]
    intervals: Integers
    demand_class: Integers
    past_profile: Floats | None
    profile: Floats | None
    first_origin: int
    horizon: int
    ahead: int

    @property
    def buckets(self) -> int:
        return len(self.demand)

    @property
    def series(self) -> int:
        return len(self.scale)

    @property
    def origins(self) -> range:
        """Every bucket from which the past can be forecast."""
        return range(self.first_origin, self.buckets - 1)

    def scoring_origins(self, *, count: int) -> list[int]:
        """Spread `count` origins evenly, the newest leaving room for the shortest protection interval."""
        newest = max(self.buckets - 1 - int(self.intervals.min(initial=self.ahead)), self.first_origin)
        spread = np.linspace(self.first_origin, newest, count)
        return [origin for origin in np.unique(np.rint(spread).astype(int)).tolist() if origin in self.origins]

    def part(self, columns: slice) -> Panel:
        """Take some of the series, with everything that was learnt about them."""
        chosen: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                chosen[field.name] = np.ascontiguousarray(value[..., columns])
        return dataclasses.replace(self, **chosen)


def prepare(
    *,
    history: npt.NDArray[np.floating],
    intervals: npt.NDArray[np.integer],
    groups: npt.NDArray[np.integer] | None,
    season_length: int,
    horizon: int,
) -> Panel:
    """Scale, mask and class the history, and fit its seasonal profiles.

    `history` (series, buckets) is NaN where not available, `intervals` and `groups` are (series,). Raises
    ValueError where shapes do not fit or demand is negative or infinite.
    """
    _check(history, intervals, groups)
    raw = np.ascontiguousarray(history.T, dtype=np.float64)
    available = (~np.isnan(raw)).astype(np.float32)
    raw = np.nan_to_num(raw, nan=0.0)
    scale = raw.sum(axis=0) / np.maximum(available.sum(axis=0), 1)
    scale[scale == 0] = 1.0
    demand = (raw / scale).astype(np.float32)
    buckets = len(demand)
    first_origin = buckets - 1 - min(HORIZONS_BACK * horizon, int(LARGEST_SHARE_BACK * buckets))
    past_profile = profile = None
    if season_length > 1 and buckets - season_length >= horizon:
        # A profile that had seen the buckets it is scored on would win every comparison.
        first_origin = max(first_origin, season_length - 1)
        _, members = np.unique(np.zeros(len(history)) if groups is None else groups, return_inverse=True)
        past_profile, profile = (
            seasonality.fit_profiles(
                demand=demand[:end], available=available[:end], season_length=season_length, groups=members
            )
            for end in (first_origin + 1, buckets)
        )
    return Panel(
        demand=demand,
        cut=methods.calmed(demand=demand),
        available=available,
        scale=scale,
        intervals=intervals.astype(np.int64),
        demand_class=classes.classify(demand=demand, available=available),
        past_profile=past_profile,
        profile=profile,
        first_origin=first_origin,
        horizon=horizon,
        ahead=max(horizon, int(intervals.max(initial=1))),
    )


def _check(
    history: npt.NDArray[np.floating],
    intervals: npt.NDArray[np.integer],
    groups: npt.NDArray[np.integer] | None,
) -> None:
    if history.ndim != 2 or history.shape[1] == 0:
        raise ValueError(f"History has shape {history.shape}: it must be (series, buckets), buckets ≥ 1.")
    expected = (len(history),)
    if intervals.shape != expected:
        raise ValueError(f"Protection intervals have shape {intervals.shape}: they must be {expected}.")
    if groups is not None and groups.shape != expected:
        raise ValueError(f"Groups have shape {groups.shape}: they must be {expected}.")
    if (intervals < 1).any():
        worst = int(intervals.argmin())
        raise ValueError(f"The protection interval of series {worst} is {intervals[worst]}: it must be at least 1.")
    wrong = (history < 0) | np.isinf(history)
    if wrong.any():
        series, bucket = np.argwhere(wrong)[0].tolist()
        raise ValueError(
            f"Demand of series {series} in bucket {bucket} is {history[series, bucket]}: "
            "it must be a finite number from 0 up, or NaN where nothing was available."
        )
