"""Candidate methods: the level each would have forecast after every bucket, for all series at once.

This module alone knows how a candidate turns past demand into a level. Every function steps through
time once and treats (candidate, series) as one array, in float32. A bucket whose `available` is 0 is
passed over: it neither moves a level nor counts as a zero. No function looks ahead: row t of a result
depends on rows 0..t of the input only.

Levels are ratios of discounted sums, so no starting value has to be guessed, and a series with a single
bucket already has a level.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SMOOTHING_RATES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
CALM_RATES = (0.05, 0.1, 0.2, 0.3, 0.5)
SEASONAL_RATES = (0.02, 0.05, 0.1, 0.2, 0.3)
CROSTON_RATES = (0.05, 0.1, 0.2)
# (rate of the size, rate of the probability)
TSB_RATES = ((0.1, 0.02), (0.1, 0.05), (0.1, 0.1), (0.2, 0.2))
WINDOWS = (4, 8, 13, 26, 52)

# A bucket is cut at size + CALM_DEVIATIONS mean absolute deviations, once CALM_AFTER sizes are known.
CALM_DEVIATIONS = 3.0
CALM_RATE = 0.1
CALM_AFTER = 6


def _column(rates: tuple[float, ...]) -> Floats:
    return np.array(rates, dtype=np.float32)[:, None]


def _ratio(numerator: Floats, denominator: Floats, out: Floats) -> None:
    out.fill(0)
    np.divide(numerator, denominator, out=out, where=denominator > 0)


def exponential_levels(*, demand: Floats, available: Floats, exposure: Floats, rates: tuple[float, ...]) -> Floats:
    """Smooth demand exponentially at each rate, per unit of exposure.

    `demand`, `available` and `exposure` are (buckets, series); exposure is 1 for a flat level, or the
    seasonal index of the bucket for a level free of season. Returns (buckets, rates, series):
    Σ w·demand / Σ w·exposure with w = rate·(1 - rate)^age over available buckets, which for exposure 1
    is simple exponential smoothing with the start-up weight divided out. 0 before the first bucket.

    >>> demand = np.array([[4.0], [8.0]], dtype=np.float32)
    >>> ones = np.ones_like(demand)
    >>> levels = exponential_levels(demand=demand, available=ones, exposure=ones, rates=(0.5,))
    >>> [round(float(level), 4) for level in levels.ravel()]  # 4, then (0.5·8 + 0.25·4) / 0.75
    [4.0, 6.6667]
    """
    buckets, series = demand.shape
    rate = _column(rates)
    weighted_demand = np.zeros((len(rates), series), dtype=np.float32)
    weighted_exposure = np.zeros_like(weighted_demand)
    levels = np.empty((buckets, len(rates), series), dtype=np.float32)
    for t in range(buckets):
        gain = rate * available[t]
        weighted_demand += gain * (demand[t] - weighted_demand)
        weighted_exposure += gain * (exposure[t] - weighted_exposure)
        _ratio(weighted_demand, weighted_exposure, levels[t])
    return levels


def croston_levels(*, demand: Floats, available: Floats, rates: tuple[float, ...]) -> Floats:
    """Forecast intermittent demand as size over interval, each smoothed when demand occurs.

    `demand` and `available` are (buckets, series). Returns (buckets, rates, series). Method of Croston
    (1972) with the factor (1 - rate/2) of Syntetos and Boylan (2005).

    >>> demand = np.array([[0.0], [6.0], [0.0]], dtype=np.float32)
    >>> levels = croston_levels(demand=demand, available=np.ones_like(demand), rates=(0.2,))
    >>> [round(float(level), 4) for level in levels.ravel()]  # 0.9 · 6 every 2 buckets
    [0.0, 2.7, 2.7]
    """
    buckets, series = demand.shape
    rate = _column(rates)
    size = np.zeros((len(rates), series), dtype=np.float32)
    interval = np.zeros_like(size)
    waited = np.zeros(series, dtype=np.float32)
    levels = np.empty((buckets, len(rates), series), dtype=np.float32)
    unbias = 1 - rate / 2
    for t in range(buckets):
        asked = (demand[t] > 0).astype(np.float32)
        waited += available[t]
        gain = rate * asked
        size += gain * (demand[t] - size)
        interval += gain * (waited - interval)
        waited *= 1 - asked
        # Both sums start at nothing and share their weights: the missing weight cancels in the ratio.
        _ratio(size, interval, levels[t])
        levels[t] *= unbias
    return levels


def tsb_levels(*, demand: Floats, available: Floats, rates: tuple[tuple[float, float], ...]) -> Floats:
    """Forecast intermittent demand as size times probability, which fades while nothing is asked for.

    `demand` and `available` are (buckets, series); `rates` are pairs (size, probability). Returns
    (buckets, rates, series). Method of Teunter, Syntetos and Babai (2011).

    >>> demand = np.array([[6.0], [0.0]], dtype=np.float32)
    >>> levels = tsb_levels(demand=demand, available=np.ones_like(demand), rates=((0.1, 0.5),))
    >>> [round(float(level), 4) for level in levels.ravel()]  # 6 · 1, then 6 · 0.25 / 0.75
    [6.0, 2.0]
    """
    buckets, series = demand.shape
    size_rate = _column(tuple(pair[0] for pair in rates))
    probability_rate = _column(tuple(pair[1] for pair in rates))
    state = np.zeros((4, len(rates), series), dtype=np.float32)
    size, size_weight, probability, probability_weight = state
    levels = np.empty((buckets, len(rates), series), dtype=np.float32)
    share = np.empty((len(rates), series), dtype=np.float32)
    for t in range(buckets):
        asked = (demand[t] > 0).astype(np.float32)
        gain = size_rate * asked
        size += gain * (demand[t] - size)
        size_weight += gain * (1 - size_weight)
        gain = probability_rate * available[t]
        probability += gain * (asked - probability)
        probability_weight += gain * (1 - probability_weight)
        _ratio(size, size_weight, levels[t])
        _ratio(probability, probability_weight, share)
        levels[t] *= share
    return levels


def average_levels(*, demand: Floats, available: Floats, windows: tuple[int, ...]) -> Floats:
    """Average the available buckets among the last ones, for each window, and over all of the past.

    `demand` and `available` are (buckets, series). Returns (buckets, windows + 1, series), the last
    candidate being the mean of everything so far. A window without any available bucket keeps the level
    it had before.

    >>> demand = np.array([[1.0], [2.0], [6.0]], dtype=np.float32)
    >>> levels = average_levels(demand=demand, available=np.ones_like(demand), windows=(2,))
    >>> levels[:, 0, 0].tolist(), levels[:, 1, 0].tolist()
    ([1.0, 1.5, 4.0], [1.0, 1.5, 3.0])
    """
    buckets, series = demand.shape
    # Differences of running totals cancel, so the totals are kept in double precision.
    total = np.cumsum(demand, axis=0, dtype=np.float64)
    count = np.cumsum(available, axis=0, dtype=np.float64)
    levels = np.empty((buckets, len(windows) + 1, series), dtype=np.float32)
    for k, window in enumerate((*windows, buckets)):
        window_total, window_count = total.copy(), count.copy()
        window_total[window:] -= total[:-window]
        window_count[window:] -= count[:-window]
        # A window of zeros must be 0, not what is left of two large totals.
        np.maximum(window_total, 0, out=window_total)
        levels[:, k] = window_total / np.maximum(window_count, 1)
        for t in np.flatnonzero((window_count == 0).any(axis=1)):
            held = levels[t - 1, k] if t else np.zeros(series, dtype=np.float32)
            levels[t, k] = np.where(window_count[t] == 0, held, levels[t, k])
    return levels


def calmed(*, demand: Floats) -> Floats:
    """Cut extraordinary buckets down to the usual spread of the sizes known before them.

    `demand` is (buckets, series), 0 where nothing was available. Returns the same shape, each bucket at
    most the mean size plus `CALM_DEVIATIONS` mean absolute deviations, both smoothed over the earlier
    buckets with demand (over all buckets, a rare order of usual size would look extraordinary). One bulk
    order then no longer lifts a level for weeks; quantiles are made from uncut errors and still see it.

    >>> sizes = np.array([4, 6] * 5 + [90], dtype=np.float32)[:, None]
    >>> [round(float(size), 1) for size in calmed(demand=sizes)[-3:, 0]]
    [4.0, 6.0, 8.6]
    """
    size, deviation, count = np.zeros((3, demand.shape[1]), dtype=np.float32)
    rate = np.float32(CALM_RATE)
    cut = np.empty_like(demand)
    for t, asked in enumerate((demand > 0).astype(np.float32)):
        limit = np.where(count >= CALM_AFTER, size + np.float32(CALM_DEVIATIONS) * deviation, np.inf)
        np.minimum(demand[t], limit, out=cut[t])
        # Gains fall from 1 to the rate as 1 / n, so that early sizes count alike. The first size has no
        # mean to deviate from.
        known = asked * (count > 0)
        deviation += known * np.maximum(rate, 1 / np.maximum(count, 1)) * (np.abs(cut[t] - size) - deviation)
        count += asked
        size += asked * np.maximum(rate, 1 / np.maximum(count, 1)) * (cut[t] - size)
    return cut
