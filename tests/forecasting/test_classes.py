"""Where the limits between the demand classes lie."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from forecasting.classes import DemandClass, classify


def class_of(history: Sequence[float | None]) -> DemandClass:
    raw = np.array([history], dtype=np.float64).T
    available = (~np.isnan(raw)).astype(np.float64)
    return DemandClass(int(classify(demand=np.nan_to_num(raw), available=available)[0]))


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([4, 5, 6, 5], DemandClass.SMOOTH),
        ([1, 1, 1, 30], DemandClass.ERRATIC),
        ([4, 0, 5, 0], DemandClass.INTERMITTENT),
        ([1, 0, 1, 0, 1, 0, 30, 0], DemandClass.LUMPY),
        ([0, 0, 0, 0], DemandClass.NO_DEMAND),
        ([None, None, None, None], DemandClass.NO_DEMAND),
    ],
)
def test_a_series_falls_into_its_class(history: list[float | None], expected: DemandClass) -> None:
    assert class_of(history) is expected


def test_an_interval_of_exactly_the_limit_is_intermittent() -> None:
    assert class_of([5.0] * 25 + [0.0] * 8) is DemandClass.INTERMITTENT  # 33 / 25 = 1.32
    assert class_of([5.0] * 25 + [0.0] * 7) is DemandClass.SMOOTH


def test_a_squared_variation_of_exactly_the_limit_is_erratic() -> None:
    assert class_of([3.0, 17.0]) is DemandClass.ERRATIC  # (7 / 10)² = 0.49
    assert class_of([3.1, 16.9]) is DemandClass.SMOOTH


def test_buckets_without_stock_do_not_make_demand_intermittent() -> None:
    assert class_of([5, None, 5, None, 5, None]) is DemandClass.SMOOTH
    assert class_of([5, 0, 5, 0, 5, 0]) is DemandClass.INTERMITTENT
