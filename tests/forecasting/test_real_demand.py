"""The engine on a real retailer's weeks: better than every simple method, and honest about its tails."""

from __future__ import annotations

import collections
import csv
import gzip
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from forecasting import accuracy, engine, methods

Doubles = npt.NDArray[np.float64]

FIRST_WEEK = date(2009, 11, 30)
WEEKS = 92
INTERVAL = 4
ORIGINS = (67, 75, 83)  # within the last 26 weeks


@pytest.fixture(scope="module")
def weekly(data_directory: Path) -> Doubles:
    """Units sold a week (items, weeks) of every merchandise code, NaN before an item's first sale."""
    sold: collections.defaultdict[str, Doubles] = collections.defaultdict(lambda: np.zeros(WEEKS))
    week_of: dict[str, int] = {}
    source = data_directory / "online_retail" / "online_retail_2009-12_to_2011-09-04.csv.gz"
    with gzip.open(source, "rt", encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        for _, code, _, quantity, moment, *_ in rows:
            if quantity[0] != "-" and code[0].isdigit():
                day = moment[:10]
                if day not in week_of:
                    week_of[day] = (date.fromisoformat(day) - FIRST_WEEK).days // 7
                sold[code.upper()][week_of[day]] += int(quantity)
    history = np.array([sold[code] for code in sorted(sold)])
    history = history[history.any(axis=1)]
    history[np.arange(WEEKS) < (history > 0).argmax(axis=1)[:, None]] = np.nan
    return history


def simple_forecasts(past: Doubles) -> dict[str, Doubles]:
    """Forecast the interval by the methods people start with."""
    available = (~np.isnan(past.T)).astype(np.float32)
    demand = np.nan_to_num(past.T).astype(np.float32)
    smooth = methods.exponential_levels(
        demand=demand, available=available, exposure=np.ones_like(demand), rates=(0.1, 0.2)
    )
    average = methods.average_levels(demand=demand, available=available, windows=(13,))
    tsb = methods.tsb_levels(demand=demand, available=available, rates=((0.1, 0.1),))
    levels = np.concatenate([smooth, average[:, :1], tsb], axis=1)[-1] * INTERVAL
    last_year = demand[-52 : -52 + INTERVAL].sum(axis=0)
    names = ("ses_0.1", "ses_0.2", "average_13", "tsb", "seasonal_naive")
    return dict(zip(names, np.vstack([levels, last_year]).astype(np.float64), strict=True))


@pytest.mark.data
def test_the_engine_beats_every_simple_method_on_real_weeks(weekly: Doubles) -> None:
    actual: list[Doubles] = []
    covered: list[npt.NDArray[np.bool_]] = []
    found: collections.defaultdict[str, list[Doubles]] = collections.defaultdict(list)
    for origin in ORIGINS:
        history = weekly[~np.isnan(weekly[:, origin])]
        past, ahead = history[:, : origin + 1], history[:, origin + 1 : origin + 1 + INTERVAL].sum(axis=1)
        result = engine.forecast(past, protection_buckets=np.full(len(past), INTERVAL))
        actual.append(ahead)
        covered.append(ahead[:, None] <= result.protection_quantiles)
        found["engine"].append(result.protection_mean)
        for name, forecast in simple_forecasts(past).items():
            found[name].append(forecast)
    demand = np.concatenate(actual)
    wapes = {name: accuracy.wape(demand=demand, forecast=np.concatenate(one)) for name, one in found.items()}
    best_simple = min(wape for name, wape in wapes.items() if name != "engine")
    assert wapes["engine"] < 0.95 * best_simple, wapes
    assert abs(accuracy.bias(demand=demand, forecast=np.concatenate(found["engine"]))) < 0.1
    assert np.concatenate(covered).mean(axis=0)[2:] == pytest.approx([0.9, 0.95, 0.99], abs=0.03)
