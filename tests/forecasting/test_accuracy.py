"""The measures of accuracy beyond their worked examples: what is left out, refused, or cannot be said."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import accuracy

NAN = math.nan
amounts = st.lists(st.integers(0, 1000).map(float), min_size=2, max_size=20)


def test_buckets_without_known_demand_are_left_out() -> None:
    assert accuracy.wape(demand=[10, NAN, 30], forecast=[12, 500, 26]) == pytest.approx(6 / 40)
    assert accuracy.bias(demand=[10, NAN, 30], forecast=[12, 500, 26]) == pytest.approx(-2 / 40)


def test_what_cannot_be_measured_is_nan() -> None:
    assert math.isnan(accuracy.wape(demand=[0, 0], forecast=[1, 2]))
    assert math.isnan(accuracy.mase(demand=[5], forecast=[6], history=[4]))
    assert math.isnan(accuracy.rmsse(demand=[5], forecast=[6], history=[4, 4, 4]))
    assert math.isnan(accuracy.tracking_signal(demand=[5, 5], forecast=[5, 5]))
    assert math.isnan(accuracy.pinball_loss(demand=[], forecast=[], quantile=0.5))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(2,\), its forecast \(3,\)"):
        accuracy.wape(demand=[1, 2], forecast=[1, 2, 3])
    with pytest.raises(ValueError, match=r"Quantile 1\.0"):
        accuracy.pinball_loss(demand=[1], forecast=[1], quantile=1.0)
    with pytest.raises(ValueError, match="Season length 0"):
        accuracy.mase(demand=[1], forecast=[1], history=[1, 2], season_length=0)


def test_the_seasonal_scale_compares_with_the_same_bucket_a_season_ago() -> None:
    # Steps of two: |5 - 1|, |9 - 3| have the mean 5; the error is 10.
    history = [1.0, 3.0, 5.0, 9.0]
    assert accuracy.mase(demand=[20], forecast=[10], history=history, season_length=2) == pytest.approx(2)
    # √(100 / ((16 + 36) / 2))
    found = accuracy.rmsse(demand=[20], forecast=[10], history=history, season_length=2)
    assert found == pytest.approx((100 / 26) ** 0.5)


@given(amounts)
def test_a_perfect_forecast_has_no_error(demand: list[float]) -> None:
    if sum(demand) > 0:
        assert accuracy.wape(demand=demand, forecast=demand) == 0
        assert accuracy.bias(demand=demand, forecast=demand) == 0
        assert accuracy.forecast_value_added(demand=demand, forecast=demand, reference=[0.0] * len(demand)) == 1


@given(amounts)
def test_bias_never_exceeds_wape(demand: list[float]) -> None:
    if sum(demand) > 0:
        forecast = demand[1:] + demand[:1]
        wape = accuracy.wape(demand=demand, forecast=forecast)
        assert abs(accuracy.bias(demand=demand, forecast=forecast)) <= wape + 1e-12


def test_the_pinball_loss_is_least_at_the_quantile() -> None:
    demand = list(range(1, 101))
    losses = {
        level: accuracy.pinball_loss(demand=demand, forecast=[level] * 100, quantile=0.9) for level in (80, 90, 99)
    }
    assert min(losses, key=losses.__getitem__) == 90


def test_the_tracking_signal_counts_one_sided_errors() -> None:
    assert accuracy.tracking_signal(demand=[10] * 6, forecast=[13] * 6) == pytest.approx(6)
    assert accuracy.tracking_signal(demand=[10] * 6, forecast=[7] * 6) == pytest.approx(-6)
