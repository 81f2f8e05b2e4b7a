"""The forecasting engine: from the history of all series to their forecasts, in one call.

Pure arithmetic on arrays: no database, no clock, no randomness. Series are stepped through time together
in chunks, which bound memory and could be run anywhere; whatever is learnt across series (seasonal
groups, class pools) is learnt from all of them at once between the passes over the chunks, so that the
size of a chunk cannot change a result.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from forecasting import backtest, candidates, panels, quantiles, selection
from forecasting.candidates import Family
from forecasting.methods import Floats
from forecasting.panels import Panel

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class ForecastSettings:
    """What to forecast, and how much work to spend on it.

    `season_length` is in buckets, 1 for none; `origins` is the number of rolling origins that score the
    candidates, `candidates_kept` how many of them are averaged for a series.
    """

    season_length: int = 52
    horizon: int = 13
    quantiles: tuple[float, ...] = (0.5, 0.8, 0.9, 0.95, 0.99)
    chunk_size: int = 1000
    origins: int = 10
    candidates_kept: int = 12

    def __post_init__(self) -> None:
        for name in ("season_length", "horizon", "chunk_size", "origins", "candidates_kept"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be at least 1.")
        if not self.quantiles:
            raise ValueError("At least one quantile is needed.")
        for quantile in self.quantiles:
            if not 0 < quantile < 1:
                raise ValueError(f"Quantile {quantile} is not between 0 and 1.")


@dataclasses.dataclass(frozen=True)
class ForecastResult:
    """Forecasts of all series, in the units of their history.

    `mean` is (series, horizon); `protection_mean` (series,) and `protection_quantiles`
    (series, quantiles) are of demand summed over the protection interval. `demand_class` holds
    `classes.DemandClass` values, `method` the name of the heaviest candidate, `weights`
    (series, candidates) what each of `candidate_names` contributed. `backtest_wape` and `backtest_bias`
    are of sums over the protection interval from rolling origins, `rmsse` of single buckets scaled by the
    naive forecast's error in the history; NaN where there was nothing to measure.
    """

    mean: Doubles
    protection_mean: Doubles
    protection_quantiles: Doubles
    demand_class: Integers
    method: npt.NDArray[np.str_]
    weights: Doubles
    candidate_names: tuple[str, ...]
    backtest_wape: Doubles
    backtest_bias: Doubles
    rmsse: Doubles


def forecast(
    history: npt.NDArray[np.floating],
    *,
    protection_buckets: npt.NDArray[np.integer],
    groups: npt.NDArray[np.integer] | None = None,
    settings: ForecastSettings = ForecastSettings(),
    progress: Progress | None = None,
) -> ForecastResult:
    """Forecast every series, with quantiles of its demand over lead time plus review period.

    `history` is (series, buckets) of demand ≥ 0, oldest first, NaN where the item did not exist yet or
    nothing was available to sell; `protection_buckets` (series,) whole buckets ≥ 1; `groups` (series,)
    any whole numbers, series of one group sharing a seasonal profile. `progress` is called with the chunks
    done and their total. The same input gives the same numbers whatever the chunk size.
    Raises ValueError on negative or infinite demand, or shapes that do not fit.
    """
    panel = panels.prepare(
        history=history,
        intervals=protection_buckets,
        groups=groups,
        season_length=settings.season_length,
        horizon=settings.horizon,
    )
    parts = _parts(series=panel.series, chunk_size=settings.chunk_size)
    done = 0

    def report() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, 2 * len(parts))

    scored = []
    origins = panel.scoring_origins(count=settings.origins)
    for columns in parts:
        scored.append(score_chunk(panel.part(columns), origins=origins))
        report()
    weights = selection.weights(
        score=np.concatenate([score for score, _ in scored], axis=1),
        counted=np.concatenate([counted for _, counted in scored]),
        buckets_known=panel.available.sum(axis=0, dtype=np.float64),
        demand_class=panel.demand_class,
        keep=settings.candidates_kept,
    )
    blended = []
    for columns in parts:
        blended.append(blend_chunk(panel.part(columns), weights=weights[:, columns]))
        report()
    future = np.concatenate([ahead for ahead, _ in blended], axis=1)
    measured = backtest.join([measured for _, measured in blended])
    return _result(panel, settings, weights, future, measured)


def score_chunk(panel: Panel, *, origins: Sequence[int]) -> tuple[Doubles, Integers]:
    """Score every candidate of a part of the panel at the origins.

    Returns (candidates, series) and the number of origins that counted (series,).
    """
    return selection.scores(
        families=_families(panel, _flat(panel), panel.past_profile),
        demand=panel.demand,
        available=panel.available,
        intervals=panel.intervals,
        origins=origins,
        horizon=panel.horizon,
    )


def blend_chunk(panel: Panel, *, weights: Doubles) -> tuple[Floats, backtest.Backtest]:
    """Forecast a part of the panel with its `weights` (candidates, series), and back-test it.

    Returns the forecast (ahead, series) and its errors, both in units of each series' mean bucket. The
    back-test uses the seasonal profile that had seen the past of the first origin only.
    """
    flat = _flat(panel)
    past = backtest.Blend(families=_families(panel, flat, panel.past_profile), weights=weights)
    measured = backtest.run(
        blend=past,
        demand=panel.demand,
        available=panel.available,
        intervals=panel.intervals,
        origins=panel.origins,
        horizon=panel.horizon,
    )
    now = backtest.Blend(families=_families(panel, flat, panel.profile), weights=weights)
    return now.at(panel.buckets - 1), measured


def _parts(*, series: int, chunk_size: int) -> list[slice]:
    """Cut the series into chunks, none of a single series unless there is only one.

    NumPy adds up one column pairwise and several columns row by row, which differ in the last bit.
    """
    starts = list(range(0, max(series, 1), max(chunk_size, 2)))
    if series - starts[-1] == 1 and len(starts) > 1:
        starts.pop()
    return [slice(start, stop) for start, stop in zip(starts, [*starts[1:], series], strict=True)]


def _flat(panel: Panel) -> Family:
    return candidates.flat(demand=panel.demand, cut=panel.cut, available=panel.available, ahead=panel.ahead)


def _families(panel: Panel, flat: Family, profile: Floats | None) -> list[Family]:
    """Add the seasonal families to the flat one where history is long enough for a profile."""
    if profile is None:
        return [flat]
    season_length = len(profile)
    naive = [
        candidates.seasonal_naive(
            demand=panel.demand,
            available=panel.available,
            mean=flat.levels[:, -1],
            season_length=season_length,
            seasons=seasons,
            ahead=panel.ahead,
        )
        for seasons in _naive_seasons(panel, season_length)
    ]
    profiled = candidates.seasonal(cut=panel.cut, available=panel.available, profile=profile, ahead=panel.ahead)
    return [flat, profiled, *naive]


def _naive_seasons(panel: Panel, season_length: int) -> list[int]:
    """Say over how many seasons the naive methods average: no more than history holds."""
    return [seasons for seasons in (1, 2) if panel.buckets - seasons * season_length >= panel.horizon]


def _candidate_names(panel: Panel) -> tuple[str, ...]:
    """Name the candidates in the order of their weights."""
    if panel.profile is None:
        return candidates.FLAT_NAMES
    naive = _naive_seasons(panel, len(panel.profile))
    return (*candidates.FLAT_NAMES, *candidates.SEASONAL_NAMES, *map(candidates.naive_name, naive))


def _result(
    panel: Panel, settings: ForecastSettings, weights: Doubles, future: Floats, measured: backtest.Backtest
) -> ForecastResult:
    """Bring everything back to the units of the history and add the quantiles."""
    until = np.arange(panel.ahead)[:, None] < panel.intervals
    total = np.where(until, future, 0).sum(axis=0, dtype=np.float64)
    summed = quantiles.quantiles_of_sum(
        errors=measured.errors,
        origin_forecasts=measured.forecasts,
        forecasts=total,
        intervals=panel.intervals,
        demand_class=panel.demand_class,
        quantiles=settings.quantiles,
    )
    names = _candidate_names(panel)
    naive_square = _naive_square_error(panel)
    return ForecastResult(
        mean=(future[: panel.horizon] * panel.scale).T,
        protection_mean=total * panel.scale,
        protection_quantiles=summed * panel.scale[:, None],
        demand_class=panel.demand_class,
        method=np.array(names)[weights.argmax(axis=0)],
        weights=weights.T,
        candidate_names=names,
        backtest_wape=_divided(measured.absolute_error_sum, measured.demand_sum),
        backtest_bias=_divided(measured.forecast_sum - measured.demand_sum, measured.demand_sum),
        rmsse=np.sqrt(_divided(measured.square_error, naive_square)),
    )


def _naive_square_error(panel: Panel) -> Doubles:
    """Measure the mean squared error of repeating the last bucket, over each whole history."""
    both = panel.available[1:] * panel.available[:-1]
    steps = both * np.diff(panel.demand, axis=0) ** 2
    return np.asarray(steps.sum(axis=0, dtype=np.float64) / np.maximum(both.sum(axis=0), 1))


def _divided(part: Doubles, whole: Doubles) -> Doubles:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
