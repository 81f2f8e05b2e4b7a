"""Back-test: the weighted forecast as it would have been made at every origin, and its errors.

The only module that blends candidates by their weights, for the future and for the past alike, so that
what is measured is what is forecast. The weights themselves were learnt on the same origins, so the
errors flatter a little; pooling by class keeps that small.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from forecasting.candidates import Family
from forecasting.methods import Floats


@dataclasses.dataclass(frozen=True)
class Backtest:
    """Errors of the blended forecast from rolling origins, in units of demand.

    `errors` (origins, series) is demand less forecast summed over the protection interval, NaN where an
    origin does not count; the sums are (series,) over the origins that count; `square_error` (series,) is the
    mean over single buckets of the horizon.
    """

    errors: Floats
    forecasts: Floats
    demand_sum: npt.NDArray[np.float64]
    forecast_sum: npt.NDArray[np.float64]
    absolute_error_sum: npt.NDArray[np.float64]
    square_error: npt.NDArray[np.float64]


class Blend:
    """The weighted average of all candidates, at any origin."""

    def __init__(self, *, families: Sequence[Family], weights: npt.NDArray[np.float64]) -> None:
        """Weigh `families` by `weights` (candidates, series), in the order of their names."""
        single = weights.astype(np.float32)
        self._parts = []
        first = 0
        for family in families:
            last = first + len(family.names)
            level = np.einsum("tks,ks->ts", family.levels, single[first:last])
            self._parts.append((level, family.shape))
            first = last

    def at(self, origin: int) -> Floats:
        """Forecast the buckets after `origin`, as (ahead, series)."""
        blended = sum(level[origin] * shape(origin) for level, shape in self._parts)
        return np.asarray(blended, dtype=np.float32)


def run(
    *,
    blend: Blend,
    demand: Floats,
    available: Floats,
    intervals: npt.NDArray[np.int64],
    origins: Sequence[int],
    horizon: int,
) -> Backtest:
    """Compare the blend with what followed each origin.

    `demand` and `available` are (buckets, series), `intervals` (series,) in buckets. An origin counts for
    a series that was known by then, whose whole interval has passed and at least half of it available;
    the error of a partly available interval is scaled up as a sum of independent errors would be.
    """
    buckets, series = demand.shape
    known = np.maximum.accumulate(available, axis=0) > 0
    errors = np.full((len(origins), series), np.nan, dtype=np.float32)
    forecasts = np.full_like(errors, np.nan)
    sums = np.zeros((3, series))
    square, seen = np.zeros(series), np.zeros(series)
    for row, origin in enumerate(origins):
        expected = blend.at(origin)
        ahead = min(len(expected), buckets - 1 - origin)
        expected = expected[:ahead]
        window = slice(origin + 1, origin + 1 + ahead)
        mask = available[window] * known[origin]
        inside = mask * (np.arange(ahead)[:, None] < intervals)
        demanded = (inside * demand[window]).sum(axis=0)
        forecast = (inside * expected).sum(axis=0)
        present = inside.sum(axis=0)
        counts = (origin + intervals < buckets) & (present * 2 >= intervals)
        error = (demanded - forecast) * np.sqrt(intervals / np.maximum(present, 1)).astype(np.float32)
        errors[row] = np.where(counts, error, np.nan)
        forecasts[row] = np.where(counts, forecast * intervals / np.maximum(present, 1), np.nan)
        sums += counts * np.stack([demanded, forecast, np.abs(demanded - forecast)])
        square += (mask * (demand[window] - expected) ** 2)[:horizon].sum(axis=0)
        seen += mask[:horizon].sum(axis=0)
    return Backtest(
        errors=errors,
        forecasts=forecasts,
        demand_sum=sums[0],
        forecast_sum=sums[1],
        absolute_error_sum=sums[2],
        square_error=square / np.maximum(seen, 1),
    )


def join(parts: Sequence[Backtest]) -> Backtest:
    """Put the back-tests of chunks of series side by side again."""
    fields = [field.name for field in dataclasses.fields(Backtest)]
    return Backtest(**{name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in fields})
