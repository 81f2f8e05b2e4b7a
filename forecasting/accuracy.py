"""Accuracy: measures of how far forecasts were from demand.

Pure functions of arrays. Demand that is NaN (a bucket with nothing available, or not yet known) is left
out together with its forecast. A measure that cannot be taken, for lack of demand or of a scale, is NaN.
Bias and tracking signal are positive when the forecast was too high.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


def wape(*, demand: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """Compute the weighted absolute percentage error, Σ|demand - forecast| / Σ demand, as a ratio.

    >>> wape(demand=[10, 0, 30], forecast=[12, 4, 26])  # (2 + 4 + 4) / 40
    0.25
    """
    actual, expected = _paired(demand, forecast)
    return _ratio(float(np.abs(actual - expected).sum()), float(actual.sum()))


def bias(*, demand: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """Compute the bias, Σ(forecast - demand) / Σ demand, as a ratio.

    >>> bias(demand=[10, 0, 30], forecast=[12, 4, 26])  # (2 + 4 - 4) / 40
    0.05
    """
    actual, expected = _paired(demand, forecast)
    return _ratio(float((expected - actual).sum()), float(actual.sum()))


def mase(*, demand: npt.ArrayLike, forecast: npt.ArrayLike, history: npt.ArrayLike, season_length: int = 1) -> float:
    """Compute the mean absolute scaled error: the mean error over that of a naive forecast in the past.

    `history` is the demand before the forecast; the scale is the mean of |y(t) - y(t - season_length)|
    over it. Hyndman and Koehler, International Journal of Forecasting 22 (2006).

    >>> mase(demand=[5, 7], forecast=[6, 4], history=[1, 3, 2, 6])  # 2 / ((2 + 1 + 4) / 3)
    0.8571428571428571
    """
    actual, expected = _paired(demand, forecast)
    steps = np.abs(_steps(history, season_length))
    return _ratio(_mean(np.abs(actual - expected)), _mean(steps))


def rmsse(*, demand: npt.ArrayLike, forecast: npt.ArrayLike, history: npt.ArrayLike, season_length: int = 1) -> float:
    """Compute the root mean squared scaled error: as `mase`, of squares, as the M5 competition did.

    >>> rmsse(demand=[5, 7], forecast=[6, 4], history=[1, 3, 2, 6])  # √(5 / ((4 + 1 + 16) / 3))
    0.8451542547285166
    """
    actual, expected = _paired(demand, forecast)
    squares = _steps(history, season_length) ** 2
    return float(np.sqrt(_ratio(_mean((actual - expected) ** 2), _mean(squares))))


def pinball_loss(*, demand: npt.ArrayLike, forecast: npt.ArrayLike, quantile: float) -> float:
    """Compute the mean pinball loss of a quantile forecast, in units of demand.

    Demand above the forecast costs `quantile` a unit, below it 1 - `quantile`. Its expectation is least
    at the true quantile (Koenker and Bassett, 1978).

    >>> round(pinball_loss(demand=[10, 10], forecast=[8, 15], quantile=0.9), 6)  # (0.9·2 + 0.1·5) / 2
    1.15
    """
    if not 0 < quantile < 1:
        raise ValueError(f"Quantile {quantile} is not between 0 and 1.")
    actual, expected = _paired(demand, forecast)
    short = actual - expected
    return _mean(np.maximum(quantile * short, (quantile - 1) * short))


def tracking_signal(*, demand: npt.ArrayLike, forecast: npt.ArrayLike) -> float:
    """Compute the tracking signal, Σ(forecast - demand) over the mean absolute deviation.

    It lies between -n and n for n buckets; beyond ±4 a forecast is usually called out of control
    (Brown, 1959).

    >>> tracking_signal(demand=[10, 10, 10, 10], forecast=[12, 9, 13, 12])  # (2 - 1 + 3 + 2) / (8 / 4)
    3.0
    """
    actual, expected = _paired(demand, forecast)
    return _ratio(float((expected - actual).sum()), _mean(np.abs(actual - expected)))


def forecast_value_added(*, demand: npt.ArrayLike, forecast: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Compute the wape that a step saved: wape of the reference less wape of the forecast.

    `reference` is the forecast before the step (naive before statistical, statistical before override).
    Both are measured on the same buckets. Negative when the step made the forecast worse.

    >>> forecast_value_added(demand=[10, 30], forecast=[12, 26], reference=[16, 20])  # 16/40 - 6/40
    0.25
    """
    return wape(demand=demand, forecast=reference) - wape(demand=demand, forecast=forecast)


def _paired(demand: npt.ArrayLike, forecast: npt.ArrayLike) -> tuple[Doubles, Doubles]:
    actual, expected = np.asarray(demand, dtype=np.float64), np.asarray(forecast, dtype=np.float64)
    if actual.shape != expected.shape:
        raise ValueError(f"Demand has shape {actual.shape}, its forecast {expected.shape}.")
    known = ~np.isnan(actual)
    return actual[known], expected[known]


def _steps(history: npt.ArrayLike, season_length: int) -> Doubles:
    if season_length < 1:
        raise ValueError(f"Season length {season_length} is less than 1.")
    past = np.asarray(history, dtype=np.float64)
    steps = past[season_length:] - past[:-season_length]
    return np.asarray(steps[~np.isnan(steps)], dtype=np.float64)


def _mean(values: Doubles) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
