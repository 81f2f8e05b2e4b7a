"""Finds the sale that each return reverses, and the sales that were cancelled so soon that they never were demand.

Pure: arrays in, arrays out. Only sales of those items to those customers that returned something are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scm.loop.importing.lines import Flags, Int64

CANCELLED_WITHIN_SECONDS = 24 * 3600
UNMATCHED = -1


@dataclass(frozen=True)
class Matches:
    """By line: the place of the sale that a return reverses (or -1), and whether a line never was demand."""

    sale: Int64
    never_demand: Flags


@dataclass(slots=True)
class _Sale:
    """A sale that something may be returned of."""

    place: int
    seconds: int
    price: int
    left: int


def match(
    *, is_sale: Flags, is_return: Flags, item: Int64, customer: Int64, quantity: Int64, price: Int64, seconds: Int64
) -> Matches:
    """This function will match returns to sales.

    A return reverses the latest earlier sale of the item to the customer that has enough left that was not returned;
    a sale at the price of the return goes before any other. `customer` -1 is anonymous and matches nothing. A sale
    that is returned whole, by one line, within a day was never demand, and nor was its return.
    """
    count = len(item)
    sale: Int64 = np.full(count, UNMATCHED, dtype=np.int64)
    pair = np.where(customer >= 0, customer * (int(item.max(initial=0)) + 1) + item, -1)
    returned = np.flatnonzero(is_return & (pair >= 0))
    candidates = np.flatnonzero(is_sale & np.isin(pair, pair[returned]) & (pair >= 0))
    candidates = candidates[np.argsort(seconds[candidates], kind="stable")]
    of_pair: dict[int, list[_Sale]] = {}
    for place, key, at, units, paid in zip(
        candidates.tolist(),
        pair[candidates].tolist(),
        seconds[candidates].tolist(),
        quantity[candidates].tolist(),
        price[candidates].tolist(),
        strict=True,
    ):
        of_pair.setdefault(key, []).append(_Sale(place, at, paid, units))
    for place in returned[np.argsort(seconds[returned], kind="stable")].tolist():
        need, at, paid = -int(quantity[place]), int(seconds[place]), int(price[place])
        fits = [sold for sold in of_pair.get(int(pair[place]), ()) if sold.seconds <= at and sold.left >= need]
        if fits:
            chosen = ([sold for sold in fits if sold.price == paid] or fits)[-1]
            chosen.left -= need
            sale[place] = chosen.place
    return Matches(sale, _never_demand(sale, quantity, seconds))


def _never_demand(sale: Int64, quantity: Int64, seconds: Int64) -> Flags:
    returns = np.flatnonzero(sale >= 0)
    of_them = sale[returns]
    cancels = (quantity[returns] == -quantity[of_them]) & (
        seconds[returns] - seconds[of_them] <= CANCELLED_WITHIN_SECONDS
    )
    flags: Flags = np.zeros(len(sale), dtype=np.bool_)
    flags[returns[cancels]] = True
    flags[of_them[cancels]] = True
    return flags
