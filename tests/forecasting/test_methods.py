"""Each method against its definition, with buckets missing, and never looking ahead."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import methods
from tests.forecasting import reference

Floats = npt.NDArray[np.float32]

# A missing bucket, a missing start, a gap longer than a window, nothing at all, and one bulk order.
SERIES: list[list[float | None]] = [
    [3, 0, 5, None, 2, 0, 0, 7, 4, 1, 6, 2],
    [None, None, None, 4, 0, 0, 9, 0, 0, 0, 2, 0],
    [8, 1, None, None, None, None, None, 3, 0, 5, 0, 1],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [2, 3, 2, 3, 2, 3, 2, 3, 90, 2, 3, 2],
]
buckets = st.one_of(st.none(), st.just(0.0), st.integers(0, 50).map(float))
histories = st.lists(st.lists(buckets, min_size=12, max_size=12), min_size=1, max_size=4)


def arrays(series: list[list[float | None]]) -> tuple[Floats, Floats]:
    raw = np.array(series, dtype=np.float64).T
    return np.nan_to_num(raw, nan=0.0).astype(np.float32), (~np.isnan(raw)).astype(np.float32)


def close(found: Floats, expected: list[float]) -> bool:
    return bool(np.allclose(found, expected, rtol=2e-5, atol=1e-5))


@given(histories)
def test_exponential_smoothing_weighs_the_past_as_its_definition_says(series: list[list[float | None]]) -> None:
    for chosen in (SERIES, series):
        demand, available = arrays(chosen)
        exposure = np.tile(np.array([0.5, 1.0, 1.5], np.float32), 4)[:, None] * np.ones_like(demand)
        found = methods.exponential_levels(
            demand=demand, available=available, exposure=exposure, rates=methods.SMOOTHING_RATES
        )
        for k, rate in enumerate(methods.SMOOTHING_RATES):
            for n, one in enumerate(chosen):
                expected = reference.exponential(one, rate=rate, exposure=exposure[:, n].tolist())
                assert close(found[:, k, n], expected)


@given(histories)
def test_croston_divides_size_by_interval(series: list[list[float | None]]) -> None:
    for chosen in (SERIES, series):
        demand, available = arrays(chosen)
        found = methods.croston_levels(demand=demand, available=available, rates=methods.CROSTON_RATES)
        for k, rate in enumerate(methods.CROSTON_RATES):
            for n, one in enumerate(chosen):
                assert close(found[:, k, n], reference.croston(one, rate=rate))


@given(histories)
def test_tsb_multiplies_size_by_probability(series: list[list[float | None]]) -> None:
    for chosen in (SERIES, series):
        demand, available = arrays(chosen)
        found = methods.tsb_levels(demand=demand, available=available, rates=methods.TSB_RATES)
        for k, (size_rate, probability_rate) in enumerate(methods.TSB_RATES):
            for n, one in enumerate(chosen):
                expected = reference.tsb(one, size_rate=size_rate, probability_rate=probability_rate)
                assert close(found[:, k, n], expected)


@given(histories)
def test_averages_pass_over_missing_buckets(series: list[list[float | None]]) -> None:
    for chosen in (SERIES, series):
        demand, available = arrays(chosen)
        found = methods.average_levels(demand=demand, available=available, windows=(2, 4))
        for k, window in enumerate((2, 4, 12)):
            for n, one in enumerate(chosen):
                assert close(found[:, k, n], reference.average(one, window=window))


def test_a_rare_order_of_usual_size_is_not_cut_and_a_bulk_order_is() -> None:
    sizes = [5, 7, 6, 5, 7, 6, 6]
    rare = [value for size in sizes for value in (size, 0, 0, 0)]
    demand = np.array([rare, rare], dtype=np.float32).T
    demand[24, 1] = 600
    cut = methods.calmed(demand=demand)
    assert (cut[:, 0] == demand[:, 0]).all()
    assert cut[24, 1] < 12
    assert (np.delete(cut[:, 1], 24) == np.delete(demand[:, 1], 24)).all()


def test_a_bucket_is_judged_by_the_buckets_before_it_only() -> None:
    demand, _ = arrays(SERIES)
    shorter = methods.calmed(demand=demand[:9])
    assert (methods.calmed(demand=demand)[:9] == shorter).all()


@pytest.mark.parametrize("end", [1, 5, 11])
def test_no_method_looks_ahead(end: int) -> None:
    demand, available = arrays(SERIES)
    exposure = np.ones_like(demand)

    def all_levels(until: int) -> Floats:
        past, known = demand[:until], available[:until]
        return np.concatenate(
            [
                methods.exponential_levels(
                    demand=past, available=known, exposure=exposure[:until], rates=methods.SMOOTHING_RATES
                ),
                methods.croston_levels(demand=past, available=known, rates=methods.CROSTON_RATES),
                methods.tsb_levels(demand=past, available=known, rates=methods.TSB_RATES),
                methods.average_levels(demand=past, available=known, windows=methods.WINDOWS),
            ],
            axis=1,
        )

    assert (all_levels(12)[:end] == all_levels(end)).all()


def test_levels_follow_a_step_at_the_speed_of_their_rate() -> None:
    """After a step from 10 to 20, SES has moved by 1 - (1 - rate)^n of it."""
    steady = np.full((400, 1), 10.0, dtype=np.float32)
    demand = np.concatenate([steady, np.full((5, 1), 20.0, dtype=np.float32)])
    ones = np.ones_like(demand)
    levels = methods.exponential_levels(demand=demand, available=ones, exposure=ones, rates=(0.2,))
    assert levels[399, 0, 0] == pytest.approx(10, rel=1e-5)
    assert levels[404, 0, 0] == pytest.approx(20 - 10 * 0.8**5, rel=1e-5)
