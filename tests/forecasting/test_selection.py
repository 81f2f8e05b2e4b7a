"""How candidates are scored from rolling origins and weighed by class."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from forecasting import candidates, selection
from forecasting.classes import DemandClass

ORIGINS = [3, 5, 8]
HORIZON = 3


def one_family(demand: npt.NDArray[np.float32], ahead: int) -> candidates.Family:
    """Two candidates that forecast 1 or 2 a bucket, of a shape that rises."""
    shape = np.linspace(1, 2, ahead, dtype=np.float32)[:, None] * np.ones_like(demand[:1])
    levels = np.ones((len(demand), 2, demand.shape[1]), np.float32) * np.array([1, 2], np.float32)[:, None]
    return candidates.Family(names=("one", "two"), levels=levels, shape=lambda origin: shape)


def slow_score(
    history: npt.NDArray[np.float64], *, level: float, interval: int, origins: list[int], ahead: int
) -> tuple[float, int]:
    """Score one candidate on one series, error by error."""
    shape, total, counted = np.linspace(1, 2, ahead), 0.0, 0
    for origin in origins:
        if np.isnan(history[: origin + 1]).all():
            continue
        steps = [j for j in range(ahead) if origin + 1 + j < len(history) and not np.isnan(history[origin + 1 + j])]
        errors = {j: history[origin + 1 + j] - level * shape[j] for j in steps}
        near = [error**2 for j, error in errors.items() if j < HORIZON]
        inside = [error for j, error in errors.items() if j < interval]
        if not near:
            continue
        counted += 1
        total += sum(near) / len(near)
        if 2 * len(inside) >= interval:
            total += selection.SUM_WEIGHT * sum(inside) ** 2 / interval
    return total / max(counted, 1), counted


def test_scores_are_the_mean_squared_errors_of_buckets_and_of_sums() -> None:
    generator = np.random.default_rng(1)
    history = generator.poisson(2, (4, 11)).astype(np.float64)
    history[1, [0, 4, 6, 7]] = np.nan
    history[2, :6] = np.nan
    intervals = np.array([1, 2, 3, 5])
    available = (~np.isnan(history.T)).astype(np.float32)
    demand = np.nan_to_num(history.T).astype(np.float32)
    score, counted = selection.scores(
        families=[one_family(demand, 5)],
        demand=demand,
        available=available,
        intervals=intervals,
        origins=ORIGINS,
        horizon=HORIZON,
    )
    for series in range(4):
        for candidate, level in enumerate((1.0, 2.0)):
            expected = slow_score(
                history[series], level=level, interval=int(intervals[series]), origins=ORIGINS, ahead=5
            )
            assert (score[candidate, series], counted[series]) == pytest.approx(expected)


def weigh(
    score: list[list[float]], *, classes: list[int], known: float = 90, keep: int = 12
) -> npt.NDArray[np.float64]:
    series = len(classes)
    return selection.weights(
        score=np.array(score),
        counted=np.array([0 if one == DemandClass.NO_DEMAND else 9 for one in classes]),
        buckets_known=np.full(series, known),
        demand_class=np.array(classes),
        keep=keep,
    )


def test_weights_add_up_and_the_better_candidate_weighs_more() -> None:
    weights = weigh([[1.0, 4.0], [2.0, 2.0], [4.0, 1.0]], classes=[DemandClass.SMOOTH, DemandClass.LUMPY])
    assert weights.sum(axis=0) == pytest.approx(1)
    assert weights[0, 0] > weights[1, 0] > weights[2, 0]
    assert weights[0, 1] < weights[1, 1] < weights[2, 1]


def test_only_the_best_candidates_are_kept() -> None:
    weights = weigh([[1.0], [2.0], [4.0]], classes=[DemandClass.SMOOTH], keep=2)
    assert (weights > 0).sum() == 2
    assert weights[2, 0] == 0


def test_a_short_history_follows_its_class_and_a_long_one_its_own_score() -> None:
    odd_one_out = [[1.0] * 9 + [1.1], [1.1] * 9 + [1.0]]
    classes = [int(DemandClass.SMOOTH)] * 10
    long, short = (weigh(odd_one_out, classes=classes, known=known)[:, 9] for known in (500, 15))
    assert long[1] > long[0]
    assert short[0] > short[1]


def test_a_series_without_a_score_takes_the_weights_of_all() -> None:
    weights = weigh([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0]], classes=[0, 0, int(DemandClass.NO_DEMAND)])
    assert weights[0, 2] > 0.9
