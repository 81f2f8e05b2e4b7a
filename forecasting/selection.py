"""Selection: how well each candidate would have forecast the past, and the weight it earns by it.

The only module that scores and weighs candidates. Scores come from rolling origins; they are pooled by
demand class, since the best of thirty candidates on one short history is mostly luck, and a weighted
average of the best is forecast instead of a single winner.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from forecasting.candidates import Family
from forecasting.classes import DemandClass
from forecasting.methods import Floats

# Weight of the squared error of the sum over the protection interval beside that of a single bucket.
SUM_WEIGHT = 0.5
# Buckets beyond the first season of learning at which a series' own score reaches half its share.
HALF_SHARE_BUCKETS = 60.0
LEARNING_BUCKETS = 13.0
# The largest share of its own score: where sizes and intervals are steady, it says more.
OWN_SHARE = {DemandClass.SMOOTH: 0.6}
OWN_SHARE_ELSEWHERE = 0.3
# A candidate whose squared error is 1 / SHARPNESS (in logarithm) worse gets 1 / e of the weight.
SHARPNESS = 6.0
# Scores below this fraction of the median are alike: it keeps a perfect fit from outweighing the class.
SCORE_FLOOR = 1e-3


def scores(
    *,
    families: Sequence[Family],
    demand: Floats,
    available: Floats,
    intervals: npt.NDArray[np.int64],
    origins: Sequence[int],
    horizon: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Score every candidate by its squared errors from rolling origins, per bucket and on the sum.

    `demand` and `available` are (buckets, series); `intervals` (series,) is the protection interval and
    `horizon` the reach of single buckets, in buckets. Returns the mean score (candidates, series), in
    squared units of demand, and the number of origins that could be scored (series,). An origin counts
    when the series was known by then and had an available bucket within the horizon.
    """
    buckets, series = demand.shape
    candidates = sum(len(family.names) for family in families)
    score = np.zeros((candidates, series))
    counted = np.zeros(series, dtype=np.int64)
    known = np.maximum.accumulate(available, axis=0) > 0
    for origin in origins:
        ahead = min(len(families[0].shape(origin)), buckets - 1 - origin)
        window = slice(origin + 1, origin + 1 + ahead)
        mask = available[window] * known[origin]
        near = mask[:horizon]
        inside = mask * (np.arange(ahead)[:, None] < intervals)
        demanded = demand[window].astype(np.float64)
        seen = near.sum(axis=0, dtype=np.float64)
        # A sum of which less than half was seen says little about the whole.
        summed = (inside.sum(axis=0) * 2 >= intervals) / intervals
        square = (near * demanded[:horizon] ** 2).sum(axis=0)
        total = (inside * demanded).sum(axis=0)
        first = 0
        for family in families:
            shape = family.shape(origin)[:ahead]
            level = family.levels[origin].astype(np.float64)
            # Σ (y - l·s)² over the window, for all levels l at once.
            shape_square = (near * shape[:horizon] ** 2).sum(axis=0, dtype=np.float64)
            cross = (near * shape[:horizon] * demanded[:horizon]).sum(axis=0)
            bucket_error = square - 2 * level * cross + level**2 * shape_square
            sum_error = (level * (inside * shape).sum(axis=0, dtype=np.float64) - total) ** 2
            rows = slice(first, first + len(family.names))
            score[rows] += np.maximum(bucket_error, 0) / np.maximum(seen, 1)
            score[rows] += SUM_WEIGHT * summed * sum_error
            first = rows.stop
        counted += seen > 0
    return score / np.maximum(counted, 1), counted


def weights(
    *,
    score: npt.NDArray[np.float64],
    counted: npt.NDArray[np.int64],
    buckets_known: npt.NDArray[np.float64],
    demand_class: npt.NDArray[np.int64],
    keep: int,
) -> npt.NDArray[np.float64]:
    """Weigh the best `keep` candidates of each series by its own score and that of its demand class.

    `score` is (candidates, series) as from `scores`, `counted`, `buckets_known` and `demand_class` are
    (series,), of all series at once: the pools are over everything. Returns (candidates, series), each
    column adding up to 1. A series that could not be scored takes the weights of its class; a class that
    could not be scored, those of all series.
    """
    scored = (counted > 0) & (demand_class != DemandClass.NO_DEMAND)
    typical = np.maximum(np.median(score, axis=0), 1e-12)
    logarithm = np.log(score + SCORE_FLOOR * typical)
    relative = np.where(scored, logarithm - np.median(logarithm, axis=0), 0.0)
    pooled = np.zeros_like(relative)
    if scored.any():
        pooled[:] = relative[:, scored].mean(axis=1, keepdims=True)
    share = np.zeros(len(counted))
    learnt = np.maximum(buckets_known - LEARNING_BUCKETS, 0)
    for member in DemandClass:
        of_class = demand_class == member
        if (of_class & scored).any():
            pooled[:, of_class] = relative[:, of_class & scored].mean(axis=1, keepdims=True)
        share[of_class] = OWN_SHARE.get(member, OWN_SHARE_ELSEWHERE)
    share *= scored * learnt / (learnt + HALF_SHARE_BUCKETS)
    blended = share * relative + (1 - share) * pooled
    order = np.argsort(blended, axis=0, kind="stable")
    weight = np.exp(-SHARPNESS * (blended - blended.min(axis=0)))
    np.put_along_axis(weight, order[keep:], 0.0, axis=0)
    return np.asarray(weight / weight.sum(axis=0), dtype=np.float64)
