"""The engine as a whole: what it promises for any history, and that it learns what there is to learn."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import engine
from forecasting.classes import DemandClass
from forecasting.engine import ForecastResult, ForecastSettings

Doubles = npt.NDArray[np.float64]
SMALL = ForecastSettings(season_length=4, horizon=3)


@st.composite
def portfolios(draw: st.DrawFn) -> tuple[Doubles, npt.NDArray[np.int64]]:
    """Histories of any length, with missing buckets, late starts, no demand, and bulk orders."""
    series, buckets = draw(st.integers(1, 9)), draw(st.integers(1, 30))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    chance = generator.uniform(0, 1, (series, 1))
    sizes = np.ceil(generator.lognormal(generator.uniform(-1, 9, (series, 1)), 1.5, (series, buckets)))
    history = np.where(generator.random((series, buckets)) < chance, sizes, 0.0)
    history[generator.random((series, buckets)) < draw(st.sampled_from([0.0, 0.2, 0.9]))] = np.nan
    starts = generator.integers(0, buckets + 1, series) * draw(st.booleans())
    history[np.arange(buckets) < starts[:, None]] = np.nan
    return history, generator.integers(1, 9, series)


def retail(*, series: int = 300, buckets: int = 70, seed: int = 4) -> Doubles:
    """Sparse demand whose level drifts, from a fixed seed."""
    generator = np.random.default_rng(seed)
    drift = np.exp(np.cumsum(generator.normal(0, 0.08, (series, buckets)), axis=1))
    mean = generator.lognormal(0.5, 1, (series, 1)) * drift
    return generator.negative_binomial(1, 1 / (1 + mean)).astype(np.float64)


def assert_equal(one: ForecastResult, other: ForecastResult) -> None:
    for field in dataclasses.fields(ForecastResult):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


@given(portfolios())
def test_forecasts_are_finite_ordered_and_never_negative(
    portfolio: tuple[Doubles, npt.NDArray[np.int64]],
) -> None:
    history, intervals = portfolio
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        result = engine.forecast(history, protection_buckets=intervals, settings=SMALL)
    for forecasts in (result.mean, result.protection_mean, result.protection_quantiles, result.weights):
        assert np.isfinite(forecasts).all()
        assert (forecasts >= 0).all()
    assert (np.diff(result.protection_quantiles, axis=1) >= 0).all()
    assert result.weights.sum(axis=1) == pytest.approx(1)
    assert result.mean.shape == (len(history), 3)
    assert result.weights.shape == (len(history), len(result.candidate_names))
    # Within the horizon the sum over the interval is the sum of its buckets.
    for series in np.flatnonzero(intervals <= 3):
        expected = result.mean[series, : intervals[series]].sum()
        assert result.protection_mean[series] == pytest.approx(expected, rel=1e-6)


@given(portfolios(), st.sampled_from([0.25, 3.0, 1000.0]))
def test_scaling_the_history_scales_the_forecast(
    portfolio: tuple[Doubles, npt.NDArray[np.int64]], factor: float
) -> None:
    history, intervals = portfolio
    plain = engine.forecast(history, protection_buckets=intervals, settings=SMALL)
    scaled = engine.forecast(history * factor, protection_buckets=intervals, settings=SMALL)
    for name in ("mean", "protection_mean", "protection_quantiles"):
        expected = getattr(plain, name) * factor
        tolerance = 1e-4 * factor * max(1.0, float(np.nan_to_num(history).max(initial=0)))
        np.testing.assert_allclose(getattr(scaled, name), expected, rtol=1e-4, atol=tolerance)


@given(portfolios())
def test_the_size_of_a_chunk_changes_nothing(portfolio: tuple[Doubles, npt.NDArray[np.int64]]) -> None:
    history, intervals = portfolio
    groups = intervals % 2
    whole, *parts = (
        engine.forecast(
            history,
            protection_buckets=intervals,
            groups=groups,
            settings=dataclasses.replace(SMALL, chunk_size=size),
        )
        for size in (1000, 1, 2, 7)
    )
    for part in parts:
        assert_equal(whole, part)


def test_the_size_of_a_chunk_changes_nothing_in_a_large_portfolio() -> None:
    history = retail()
    intervals = np.arange(300) % 7 + 1
    whole, *parts = (
        engine.forecast(history, protection_buckets=intervals, settings=ForecastSettings(chunk_size=size))
        for size in (1000, 7, 128)
    )
    for part in parts:
        assert_equal(whole, part)


def test_two_runs_give_the_same_numbers() -> None:
    history, intervals = retail(series=40), np.full(40, 3)
    assert_equal(
        engine.forecast(history, protection_buckets=intervals),
        engine.forecast(history.copy(), protection_buckets=intervals),
    )


def test_an_item_without_demand_is_forecast_at_zero() -> None:
    history = retail(series=20)
    history[3] = 0
    history[4] = np.nan
    result = engine.forecast(history, protection_buckets=np.full(20, 4))
    for series in (3, 4):
        assert (result.mean[series] == 0).all()
        assert (result.protection_quantiles[series] == 0).all()
        assert result.demand_class[series] == DemandClass.NO_DEMAND
        assert np.isnan(result.backtest_wape[series])


def test_a_new_item_is_forecast_from_its_few_buckets_and_spread_as_its_class() -> None:
    history = retail(series=50)
    history[0, :-2] = np.nan
    history[0, -2:] = [6, 10]
    result = engine.forecast(history, protection_buckets=np.full(50, 4))
    assert result.protection_mean[0] == pytest.approx(32, rel=0.15)
    assert result.protection_quantiles[0, 3] > 1.3 * result.protection_mean[0]


def test_steady_demand_is_forecast_as_it_was() -> None:
    result = engine.forecast(np.full((3, 40), 12.0), protection_buckets=np.array([1, 4, 20]))
    assert result.mean == pytest.approx(12, rel=1e-4)
    assert result.protection_mean == pytest.approx([12, 48, 240], rel=1e-4)
    assert result.protection_quantiles == pytest.approx(result.protection_mean[:, None] * np.ones(5), rel=0.02)


def test_demand_that_stopped_is_let_go() -> None:
    history = np.tile([10.0, 11.0, 12.0], (30, 20))
    history[0, 30:] = 0
    result = engine.forecast(history, protection_buckets=np.full(30, 4))
    assert result.protection_mean[0] < 4


def test_buckets_without_stock_do_not_lower_the_forecast() -> None:
    generator = np.random.default_rng(8)
    demand = generator.poisson(4, (200, 80)).astype(np.float64)
    without_stock = generator.random(demand.shape) < 0.16
    masked, kept = (
        engine.forecast(np.where(without_stock, value, demand), protection_buckets=np.full(200, 4))
        for value in (np.nan, 0.0)
    )
    assert masked.protection_mean.mean() == pytest.approx(16, rel=0.03)
    assert kept.protection_mean.mean() < 14.5


def test_a_bulk_order_does_not_lift_the_forecast_but_stays_in_its_tail() -> None:
    generator = np.random.default_rng(9)
    history = generator.poisson(10, (60, 70)).astype(np.float64)
    history[:30, 64] = 400
    result = engine.forecast(history, protection_buckets=np.full(60, 4))
    assert result.protection_mean[:30].mean() < 75
    assert result.protection_quantiles[:30, 4].mean() > 2 * result.protection_quantiles[30:, 4].mean()


def test_a_season_is_learnt_and_beats_doing_without() -> None:
    generator = np.random.default_rng(10)
    season = np.tile([0.4, 0.6, 1.0, 1.6, 2.0, 0.4], 20)
    demand = generator.poisson(30 * season, (100, 120)).astype(np.float64)
    intervals, actual = np.full(100, 3), demand[:, 114:117].sum(axis=1)
    error = {
        length: np.abs(
            engine.forecast(
                demand[:, :114],
                protection_buckets=intervals,
                settings=ForecastSettings(season_length=length, horizon=6),
            ).protection_mean
            - actual
        ).mean()
        for length in (1, 6)
    }
    assert error[6] < 0.5 * error[1]


def test_quantiles_cover_what_they_say_on_drifting_sparse_demand() -> None:
    history = retail(series=1500, buckets=74)
    result = engine.forecast(history[:, :70], protection_buckets=np.full(1500, 4))
    covered = (history[:, 70:].sum(axis=1)[:, None] <= result.protection_quantiles).mean(axis=0)
    assert covered[1:] == pytest.approx([0.8, 0.9, 0.95, 0.99], abs=0.05)


def test_the_backtest_measures_what_was_forecast() -> None:
    result = engine.forecast(retail(series=200), protection_buckets=np.full(200, 4))
    asked = result.demand_class != DemandClass.NO_DEMAND
    assert np.nanmedian(result.backtest_wape[asked]) < 1
    assert (np.abs(result.backtest_bias) <= result.backtest_wape + 1e-9)[np.isfinite(result.backtest_wape)].all()
    # Forecasting beats repeating the last bucket.
    assert np.nanmedian(result.rmsse) < 0.9


def test_the_method_named_is_the_heaviest_candidate() -> None:
    result = engine.forecast(retail(series=30), protection_buckets=np.full(30, 2))
    heaviest = [result.candidate_names[k] for k in result.weights.argmax(axis=1)]
    assert result.method.tolist() == heaviest


def test_progress_is_told_chunk_by_chunk() -> None:
    told: list[tuple[int, int]] = []
    engine.forecast(
        retail(series=10, buckets=20),
        protection_buckets=np.full(10, 2),
        settings=ForecastSettings(chunk_size=5),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_no_series_give_no_forecasts() -> None:
    result = engine.forecast(np.zeros((0, 20)), protection_buckets=np.zeros(0, dtype=np.int64))
    assert result.mean.shape == (0, 13)
    assert result.protection_quantiles.shape == (0, 5)


@pytest.mark.parametrize(
    ("history", "intervals", "words"),
    [
        ([[1.0, -2.0]], [1], "Demand of series 0 in bucket 1 is -2.0"),
        ([[np.inf, 2.0]], [1], "Demand of series 0 in bucket 0 is inf"),
        ([[1.0, 2.0]], [0], "protection interval of series 0 is 0"),
        ([[1.0, 2.0]], [1, 2], r"intervals have shape \(2,\)"),
        ([[]], [1], r"History has shape \(1, 0\)"),
    ],
)
def test_a_history_that_makes_no_sense_is_refused(history: list[list[float]], intervals: list[int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        engine.forecast(np.array(history), protection_buckets=np.array(intervals))


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"horizon": 0}, "horizon is 0"), ({"quantiles": (0.5, 1.0)}, "Quantile 1.0"), ({"quantiles": ()}, "quantile")],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(SMALL, **settings)  # type: ignore[arg-type]
