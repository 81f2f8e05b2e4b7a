"""Quantiles: how far demand over the protection interval may end up from its forecast.

The only module that turns errors from rolling origins into quantiles. It works on all series at once,
because what a series' own errors cannot tell is taken from its demand class.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

from forecasting.classes import DemandClass
from forecasting.methods import Floats

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

# An error grows with the square root of its forecast, plus this share of a mean bucket per bucket, so
# that a forecast near zero does not promise certainty.
FORECAST_FLOOR = 0.5
# Independent intervals at which a series' own variance weighs as much as that of its class.
VARIANCE_HALF_WEIGHT = 2.0
# Independent errors expected beyond a quantile at which a series' own quantile weighs as much as its class's.
QUANTILE_HALF_WEIGHT = 2.0
# Share of the gamma law in the answer; the rest is what the errors themselves say.
GAMMA_SHARE = 0.5
# Beyond this many pooled errors every k-th is used: more do not change a quantile.
LARGEST_POOL = 200_000


def quantiles_of_sum(
    *,
    errors: Floats,
    origin_forecasts: Floats,
    forecasts: Doubles,
    intervals: Integers,
    demand_class: Integers,
    quantiles: tuple[float, ...],
) -> Doubles:
    """Estimate quantiles of demand summed over each series' protection interval.

    `errors` and `origin_forecasts` are (origins, series), oldest first: demand less forecast summed over
    the interval, and that forecast, both NaN where an origin does not count. `forecasts` (series,) is the
    sum to put quantiles on, `intervals` (series,) its length in buckets. All in units of each series'
    mean bucket, so that series can be pooled. Returns (series, quantiles), ≥ 0, ordered as `quantiles` are.

    Half of the answer is the forecast plus a standardised error times the series' spread: own quantiles,
    shrunk to those of the demand class by the number of independent errors behind them. The other half
    is the gamma law of the same mean and variance, which is steadier where errors are few.
    """
    relative = errors.astype(np.float64) / _growth(origin_forecasts.astype(np.float64), intervals)
    spread = _spread(relative, intervals, demand_class)
    deviation = spread * _growth(forecasts, intervals)
    gamma = _gamma(forecasts, deviation, quantiles)
    pool = _unseen_standardised(relative, intervals, demand_class)
    if not np.isfinite(pool).any():
        return _ordered(gamma, forecasts, quantiles)
    count = np.isfinite(relative).sum(axis=0)
    own = _row_quantiles(np.sort((relative / spread).T, axis=1), count, quantiles)
    rarity = np.minimum(quantiles, 1 - np.array(quantiles))
    beyond = (count / intervals)[:, None] * rarity
    share = beyond / (beyond + QUANTILE_HALF_WEIGHT)
    standardised = share * own + (1 - share) * _pooled_quantiles(pool, demand_class, quantiles)
    empirical = np.maximum(forecasts[:, None] + standardised * deviation[:, None], 0)
    return _ordered(GAMMA_SHARE * gamma + (1 - GAMMA_SHARE) * empirical, forecasts, quantiles)


def _ordered(found: Doubles, forecasts: Doubles, quantiles: tuple[float, ...]) -> Doubles:
    """Remove crossings, and say 0 where 0 is forecast."""
    answer = np.where(forecasts[:, None] > 0, found, 0.0)
    order = np.argsort(quantiles, kind="stable")
    answer[:, order] = np.maximum.accumulate(answer[:, order], axis=1)
    return answer


def _growth(forecasts: Doubles, intervals: Integers) -> Doubles:
    """Say how errors grow with the forecast: with its square root, as sums of independent demand do."""
    return np.asarray(np.sqrt(forecasts + FORECAST_FLOOR * intervals), dtype=np.float64)


def _spread(relative: Doubles, intervals: Integers, demand_class: Integers) -> Doubles:
    """Estimate the standard deviation of each series' relative errors, shrunk to that of its class.

    `relative` is (origins, series). Without an error in the class all classes stand in, and without any
    at all a variance of 1: a bucket then deviates by about its mean.
    """
    known = np.isfinite(relative)
    count = known.sum(axis=0)
    independent = count / intervals  # overlapping intervals repeat each other
    own = (np.where(known, relative, 0.0) ** 2).sum(axis=0) / np.maximum(count, 1)
    everywhere = _weighted_mean(own, independent, otherwise=1.0)
    usual = np.empty(len(own))
    for member in DemandClass:
        of_class = demand_class == member
        usual[of_class] = _weighted_mean(own[of_class], independent[of_class], otherwise=everywhere)
    share = independent / (independent + VARIANCE_HALF_WEIGHT)
    variance = share * own + (1 - share) * usual
    return np.asarray(np.sqrt(np.maximum(variance, 1e-12)), dtype=np.float64)


def _weighted_mean(values: Doubles, weights: Doubles, *, otherwise: float) -> float:
    total = float((values * weights).sum())
    return total / float(weights.sum()) if total > 0 else otherwise


def _unseen_standardised(relative: Doubles, intervals: Integers, demand_class: Integers) -> Doubles:
    """Divide the errors of each half of the origins by the spread that the other half knows.

    An error divided by a spread that it helped to make cannot be large, and the tail of the pool would be
    cut off: coverage of the 0.99 quantile fell to 0.94 that way.
    """
    middle = len(relative) // 2
    older, newer = relative[:middle], relative[middle:]
    return np.concatenate(
        [
            older / _spread(newer, intervals, demand_class),
            newer / _spread(older, intervals, demand_class),
        ]
    )


def _pooled_quantiles(pool: Doubles, demand_class: Integers, quantiles: tuple[float, ...]) -> Doubles:
    """Take quantiles of the standardised errors of each series' class, or of all classes if it has none."""
    found = np.tile(_finite_quantiles(pool, quantiles), (pool.shape[1], 1))
    for member in DemandClass:
        of_class = demand_class == member
        if np.isfinite(pool[:, of_class]).any():
            found[of_class] = _finite_quantiles(pool[:, of_class], quantiles)
    return found


def _finite_quantiles(pool: Doubles, quantiles: tuple[float, ...]) -> Doubles:
    finite = pool[np.isfinite(pool)]
    return np.quantile(finite[:: -(-len(finite) // LARGEST_POOL)], quantiles)


def _row_quantiles(ordered: Doubles, count: Integers, quantiles: tuple[float, ...]) -> Doubles:
    """Interpolate quantiles of the first `count` values of each ascending row (NaN last), 0 if none."""
    rows = np.arange(len(ordered))
    last = np.maximum(count - 1, 0)
    found = np.empty((len(ordered), len(quantiles)))
    for k, quantile in enumerate(quantiles):
        position = quantile * last
        below = np.floor(position).astype(np.int64)
        above = np.minimum(below + 1, last)
        part = position - below
        found[:, k] = ordered[rows, below] * (1 - part) + ordered[rows, above] * part
    return np.where(count[:, None] > 0, found, 0.0)


def _gamma(mean: Doubles, deviation: Doubles, quantiles: tuple[float, ...]) -> Doubles:
    """Return the quantiles (series, quantiles) of the gamma law with this mean and standard deviation."""
    above_zero = np.maximum(mean, 1e-6)
    shape = np.clip((above_zero / deviation) ** 2, 1e-3, 1e6)
    scale = above_zero / shape
    return np.asarray(gammaincinv(shape[:, None], np.array(quantiles)) * scale[:, None], dtype=np.float64)
