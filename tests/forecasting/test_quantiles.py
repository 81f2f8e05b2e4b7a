"""Quantiles of demand over the protection interval: coverage, order, and what little evidence does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from forecasting import quantiles
from forecasting.classes import DemandClass

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


def estimate(
    errors: npt.NDArray[np.float64], *, forecast: float = 8.0, interval: int = 4, levels: tuple[float, ...] = LEVELS
) -> npt.NDArray[np.float64]:
    series = errors.shape[1]
    return quantiles.quantiles_of_sum(
        errors=errors.astype(np.float32),
        origin_forecasts=np.where(np.isnan(errors), np.nan, 8.0).astype(np.float32),
        forecasts=np.full(series, forecast),
        intervals=np.full(series, interval),
        demand_class=np.full(series, int(DemandClass.LUMPY)),
        quantiles=levels,
    )


def gamma_errors(*, origins: int = 40, series: int = 500) -> npt.NDArray[np.float64]:
    return np.random.default_rng(2).gamma(2, 4, (origins, series)) - 8


def test_quantiles_of_a_known_law_are_met() -> None:
    found = estimate(gamma_errors())
    # The quantiles of the gamma law of shape 2 and scale 4.
    assert np.median(found, axis=0) == pytest.approx([6.71, 11.98, 15.56, 18.98, 26.55], rel=0.05)


def test_quantiles_keep_the_order_they_were_asked_in() -> None:
    asked = (0.99, 0.5, 0.9)
    found = estimate(gamma_errors(series=20), levels=asked)
    assert (found[:, 0] >= found[:, 2]).all() and (found[:, 2] >= found[:, 1]).all()
    assert (found[:, 1] >= 0).all()


def test_a_series_without_errors_takes_the_spread_of_its_class() -> None:
    errors = gamma_errors(series=50)
    errors[:, 7] = np.nan
    found = estimate(errors)
    assert found[7] == pytest.approx(np.median(found, axis=0), rel=0.1)


def test_a_wild_series_is_believed_in_part() -> None:
    errors = gamma_errors(series=50)
    errors[:, 7] *= 3
    found = estimate(errors)
    assert 1.3 < found[7, 3] / np.median(found[:, 3]) < 3


def test_without_any_error_the_gamma_law_of_a_bucket_as_wide_as_its_mean_answers() -> None:
    found = estimate(np.full((0, 3), np.nan), forecast=4.0)
    # Variance 4 + 0.5 · 4 = 6 around 4: shape 16 / 6, scale 1.5; its median and 0.95 quantile.
    assert found[:, [0, 3]] == pytest.approx(np.tile([3.51, 8.69], (3, 1)), abs=0.01)


def test_the_spread_follows_the_level() -> None:
    low, high = (estimate(gamma_errors(series=30), forecast=forecast) for forecast in (2.0, 32.0))
    assert ((high[:, 3] - 32) > 1.5 * (low[:, 3] - 2)).all()


def test_nothing_is_expected_where_nothing_is_forecast() -> None:
    assert (estimate(gamma_errors(series=5), forecast=0.0) == 0).all()
