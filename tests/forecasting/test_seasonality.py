"""Seasonal profiles: what they find, whom they ask, and how much they believe."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from forecasting import panels, seasonality

Floats = npt.NDArray[np.float32]
WEEK = np.array([1.0, 0.5, 0.5, 1.0, 1.5, 2.0, 0.5])


def fit(demand: Floats, *, groups: list[int] | None = None, available: Floats | None = None) -> Floats:
    return seasonality.fit_profiles(
        demand=demand,
        available=np.ones_like(demand) if available is None else available,
        season_length=7,
        groups=np.array(groups or [0] * demand.shape[1]),
    )


def weekly(*levels: float, weeks: int = 20) -> Floats:
    return np.outer(np.tile(WEEK, weeks), levels).astype(np.float32)


def test_a_long_and_clear_season_is_found() -> None:
    assert fit(weekly(10, 500)) == pytest.approx(np.stack([WEEK, WEEK], axis=1), abs=0.01)


def test_after_one_season_half_of_it_is_believed() -> None:
    assert fit(weekly(10, 500, weeks=1))[:, 0] == pytest.approx(1 + (WEEK - 1) / 2, abs=0.001)


def test_a_new_series_takes_the_profile_of_its_group() -> None:
    demand = np.concatenate([weekly(*[10.0] * 12), weekly(*[10.0] * 12)[:, :12][::-1]], axis=1)
    known = np.ones_like(demand)
    known[:-3, [0, 12]] = 0
    demand = demand * known
    profiles = fit(demand, groups=[0] * 12 + [1] * 12, available=known)
    assert np.corrcoef(profiles[:, 0], WEEK)[0, 1] > 0.9
    assert np.corrcoef(profiles[:, 12], WEEK[::-1])[0, 1] > 0.9


def test_the_mean_of_a_profile_is_one_and_no_index_is_negative() -> None:
    generator = np.random.default_rng(5)
    demand = generator.poisson(0.3, (60, 40)).astype(np.float32)
    profiles = fit(demand, groups=[n % 3 for n in range(40)])
    assert profiles.mean(axis=0) == pytest.approx(1, abs=1e-5)
    assert (profiles >= 0).all()


def test_less_than_a_season_is_refused() -> None:
    with pytest.raises(ValueError, match="5 buckets are less than one season of 7"):
        fit(np.ones((5, 1), dtype=np.float32))


def test_the_profile_that_is_scored_has_not_seen_what_it_is_scored_on() -> None:
    generator = np.random.default_rng(6)
    history = generator.poisson(5, (6, 40)).astype(np.float64)

    def prepared(past: npt.NDArray[np.float64]) -> panels.Panel:
        intervals = np.full(6, 3)
        return panels.prepare(history=past, intervals=intervals, groups=None, season_length=7, horizon=4)

    panel = prepared(history)
    later = history.copy()
    # The same total, so that the scale stays, at other phases after the first origin.
    later[:, panel.first_origin + 1 :] = np.roll(later[:, panel.first_origin + 1 :], 3, axis=1)
    other = prepared(later)
    assert panel.past_profile is not None and other.past_profile is not None
    assert panel.profile is not None and other.profile is not None
    assert (panel.past_profile == other.past_profile).all()
    assert not np.allclose(panel.profile, other.profile)


def test_no_profile_is_offered_before_a_season_and_a_horizon_have_passed() -> None:
    history = np.ones((2, 11))
    short, long = (
        panels.prepare(history=past, intervals=np.array([2, 2]), groups=None, season_length=7, horizon=4)
        for past in (history[:, :10], history)
    )
    assert short.profile is None
    assert long.profile is not None
