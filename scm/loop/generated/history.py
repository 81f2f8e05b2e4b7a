"""The whole made-up past of the brand in memory: what it sells, from whom, what was wanted, sold, ordered and stocked.

Pure: the same arguments give the same history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from scm.loop.generated import catalogue, demand, shelves, stories, suppliers, year
from scm.loop.generated.catalogue import CatalogueItem, Range
from scm.loop.generated.demand import Units
from scm.loop.generated.shelves import Shelves
from scm.loop.generated.stories import Stories
from scm.loop.generated.suppliers import Agreed, Factory
from scm.loop.world import chance

HISTORY_DAYS = 730
FUTURE_DAYS = 14


@dataclass(frozen=True, kw_only=True)
class History:
    """Days in order, items in order of the catalogue, and beside each item its source. Units are base units."""

    seed: int
    days: Sequence[date]
    items: Sequence[CatalogueItem]
    sources: Sequence[tuple[Factory, Agreed]]
    wanted: Units
    shelves: Shelves
    stories: Stories | None

    @property
    def go_live(self) -> date:
        """The first day on which nothing is told of what was in stock: the company's own books begin."""
        return self.days[self.shelves.closed_days]

    def place(self, sku: str) -> int:
        """This function will find an item by its SKU."""
        return next(place for place, item in enumerate(self.items) if item.sku == sku)


def make(
    *,
    last_day: date,
    seed: int,
    range_: Range = catalogue.WHOLE,
    history_days: int = HISTORY_DAYS,
    future_days: int = FUTURE_DAYS,
    volume: float = 1.0,
    with_stories: bool = True,
) -> History:
    """This function will make the history of the days up to and including `last_day`; of the last ones only demand.

    Without stories nothing is planted; only the whole catalogue has all of them.
    """
    days = year.days_until(last_day - timedelta(days=history_days - 1), last_day)
    planted = stories.before(last_day + timedelta(days=1)) if with_stories else None
    items = catalogue.items(chance.stream(seed, "catalogue"), range_, volume=volume)
    if planted is not None:
        items = [
            replace(item, weekly=planted.weekly[item.sku], sparse=1.0) if item.sku in planted.weekly else item
            for item in items
        ]
    sources = [
        (suppliers.of(item), agreed)
        for item, agreed in zip(items, suppliers.agreements(chance.stream(seed, "agreements"), items), strict=True)
    ]
    mean = demand.expected(items, days, planted)
    promoted = demand.promotions(chance.stream(seed, "promotions"), items=len(items), days=len(days))
    wanted = demand.wanted(chance.stream(seed, "demand"), items, mean, promoted)
    kept = shelves.fill(
        items,
        sources,
        wanted=wanted,
        mean=mean,
        days=days,
        closed_days=len(days) - future_days,
        seed=seed,
        stories=planted,
    )
    return History(seed=seed, days=days, items=items, sources=sources, wanted=wanted, shelves=kept, stories=planted)
