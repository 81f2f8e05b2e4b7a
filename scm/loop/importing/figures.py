"""What the lines before go-live say of each item: its price and its recent weeks. Assumptions are sized by these.

Pure, and in whole numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scm.loop.importing.lines import Flags, Int64

RECENT_WEEKS = 13


@dataclass(frozen=True)
class Figures:
    """By item number (the place of its SKU). Prices are millionths; weeks end the day before go-live."""

    sold: Flags  # at any time
    median_price: Int64  # of its sales before go-live, else of all its sales; 0 if it was never sold at a price
    weekly: npt.NDArray[np.int64]  # items × RECENT_WEEKS

    @property
    def recent(self) -> Int64:
        """The demand of the recent weeks together."""
        total: Int64 = self.weekly.sum(axis=1)
        return total


def of_items(
    *,
    count: int,
    is_sale: Flags,
    is_demand: Flags,
    item: Int64,
    quantity: Int64,
    price: Int64,
    day: Int64,
    go_live: int,
) -> Figures:
    """This function will sum up the lines of `count` items; `is_demand` are the sales that count as demand."""
    sold = np.zeros(count, dtype=np.bool_)
    sold[item[is_sale]] = True
    priced = is_sale & (price > 0)
    before = priced & (day < go_live)
    median = _medians(count, item[before], price[before])
    median = np.where(median > 0, median, _medians(count, item[priced], price[priced]))
    start = go_live - 7 * RECENT_WEEKS
    recent = is_demand & (day >= start) & (day < go_live)
    place = item[recent] * RECENT_WEEKS + (day[recent] - start) // 7
    weekly: Int64 = np.zeros(count * RECENT_WEEKS, dtype=np.int64)
    np.add.at(weekly, place, quantity[recent])
    return Figures(sold, median, weekly.reshape(count, RECENT_WEEKS))


def _medians(count: int, item: Int64, price: Int64) -> Int64:
    """The lower median price of each item, 0 where it has none.

    >>> _medians(3, np.array([0, 0, 0, 2]), np.array([5, 1, 3, 7])).tolist()
    [3, 0, 7]
    """
    order = np.lexsort((price, item))
    grouped = item[order]
    first = np.searchsorted(grouped, np.arange(count), side="left")
    size = np.searchsorted(grouped, np.arange(count), side="right") - first
    medians: Int64 = np.zeros(count, dtype=np.int64)
    there = size > 0
    medians[there] = price[order][(first + (size - 1) // 2)[there]]
    return medians
