"""What customers would have bought every day if there always had been stock: by item and channel. Pure, seeded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from scm.loop.generated import year
from scm.loop.generated.catalogue import CatalogueItem, Family
from scm.loop.generated.stories import Stories
from scm.loop.generated.year import CHANNELS, DISTRIBUTORS, Channel

Units = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

GROWTH_A_YEAR = 0.12
PROMOTIONS = 40  # of one item, two weeks each, spread over the whole time
PROMOTION_DAYS, PROMOTION_LIFT = 14, 1.8
CASE = 6  # distributors buy by the case
LAUNCH_DAYS = 28  # until a new item sells as its sister does
FESTIVE = "FESTIVE"
FESTIVE_ALWAYS, FESTIVE_PEAK = 0.2, 6.0  # of its mean, most of the year and before the Spring Festival


def expected(items: Sequence[CatalogueItem], days: Sequence[date], stories: Stories | None) -> Floats:
    """This function will give mean demand by day, item and channel: what the season and an item's life make of it."""
    level = np.array([item.weekly / 7 for item in items])
    of_family = {item.family.code: np.array([_season(item.family, day) for day in days]) for item in items}
    own = np.stack([of_family[item.family.code] for item in items], axis=1)
    age = np.array([(day - days[-1]).days / 365 for day in days])
    base = own * level * np.power(1 + GROWTH_A_YEAR, age)[:, None]
    if stories is not None:
        _live(base, items, days, stories)
    shares = np.array([[channel.share * _of_weekday(channel, day) for channel in CHANNELS] for day in days])
    lifts = np.array([[year.lift(channel.code, day) for channel in CHANNELS] for day in days])
    means: Floats = base[:, :, None] * (shares * lifts)[:, None, :]
    return means


def promotions(draw: np.random.Generator, *, items: int, days: int) -> Floats:
    """This function will draw when items were promoted: a factor by day and item, for the channels of consumers."""
    factor = np.ones((days, items))
    for _ in range(max(1, PROMOTIONS * items // 400)):
        start, item = int(draw.integers(0, days)), int(draw.integers(0, items))
        factor[start : start + PROMOTION_DAYS, item] = PROMOTION_LIFT
    return factor


def wanted(draw: np.random.Generator, items: Sequence[CatalogueItem], mean: Floats, promoted: Floats) -> Units:
    """This function will draw what customers want, by day, item and channel, in base units.

    Items that sell sparsely are asked for on some days only; distributors want whole cases.
    """
    consumers = np.array([channel.code != DISTRIBUTORS for channel in CHANNELS])
    means = mean * np.where(consumers, promoted[:, :, None], 1.0)
    sparse = np.array([item.sparse for item in items])[None, :, None]
    awake = draw.random(means.shape) < sparse
    single = draw.poisson(np.where(awake, means / sparse, 0.0))
    cases = CASE * draw.poisson(means / CASE)
    drawn: Units = np.where(consumers, single, cases).astype(np.int64)
    return drawn


def _season(family: Family, day: date) -> float:
    if family.code == FESTIVE:
        return FESTIVE_ALWAYS + FESTIVE_PEAK * year.festive(day)
    return year.season_of(day, swing=family.swing, peak_week=family.peak_week)


def _of_weekday(channel: Channel, day: date) -> float:
    return channel.weekdays[day.weekday()] * 7 / sum(channel.weekdays)


def _live(base: Floats, items: Sequence[CatalogueItem], days: Sequence[date], stories: Stories) -> None:
    """One item is new, one is on its way out."""
    place = {item.sku: number for number, item in enumerate(items)}
    day = np.array([one.toordinal() for one in days])
    since = day - stories.launch_date.toordinal()
    ramp = np.clip(since / LAUNCH_DAYS, 0.0, 1.0)
    base[:, place[stories.launched]] = base[:, place[stories.launched_like]] * np.where(
        since < 0, 0.0, 0.3 + 0.7 * ramp
    )
    gone = day >= stories.phase_out_date.toordinal()
    base[:, place[stories.phased_out]] *= np.where(gone, stories.phased_out_times, 1.0)
