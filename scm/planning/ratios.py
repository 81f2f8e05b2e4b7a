"""Exact multiplication of whole quantities by a ratio of two whole numbers, over arrays, without any float.

A product that does not fit into 64 bits is computed by Python's own integers, so that the result is always exact.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from scm.planning import checks
from scm.planning.checks import Integers

LARGEST_PART = 10**18
_SAFE = 2**62


def ceil_of(quantity: npt.ArrayLike, *, numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Integers:
    """Return quantity × numerator / denominator, rounded up once.

    All three are whole; the denominator is at least 1. Raises InvalidPlanningInput where the result is beyond 1e12.

    >>> ceil_of([10, 9], numerator=1, denominator=3).tolist()
    [4, 3]
    """
    return _times(quantity, numerator, denominator, up=True)


def floor_of(quantity: npt.ArrayLike, *, numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> Integers:
    """Return quantity × numerator / denominator, rounded down once. Otherwise as `ceil_of`.

    >>> floor_of([10, 9], numerator=1, denominator=3).tolist()
    [3, 3]
    """
    return _times(quantity, numerator, denominator, up=False)


def lowest_terms(numerator: Integers, denominator: Integers) -> tuple[Integers, Integers]:
    """Return the same ratios in lowest terms.

    >>> [part.tolist() for part in lowest_terms(np.array([950_000_000]), np.array([10**9]))]
    [[19], [20]]
    """
    shared = np.gcd(numerator, denominator)
    return numerator // shared, denominator // shared


def parts_of(name: str, ratio: Fraction) -> tuple[int, int]:
    """Return numerator and denominator. Raises InvalidPlanningInput where one is beyond 1e18."""
    if max(ratio.numerator, ratio.denominator) > LARGEST_PART:
        raise checks.InvalidPlanningInput(name, (), ratio, "a ratio needs more than eighteen digits: use rounder rates")
    return ratio.numerator, ratio.denominator


def _times(quantity: npt.ArrayLike, numerator: npt.ArrayLike, denominator: npt.ArrayLike, *, up: bool) -> Integers:
    counts, over, under = np.broadcast_arrays(
        np.asarray(quantity, dtype=np.int64), np.asarray(numerator, dtype=np.int64), np.asarray(denominator, np.int64)
    )
    # Splitting off whole denominators leaves one product below numerator × denominator and one near the result.
    whole, rest = np.divmod(counts, under)
    sizes = over.astype(np.float64)
    narrow = sizes * np.maximum(under, np.abs(whole)) < _SAFE
    if narrow.all():
        return _checked(whole * over + _divided(rest * over, under, up=up))
    result = np.empty(counts.shape, dtype=object)
    result[narrow] = whole[narrow] * over[narrow] + _divided(rest[narrow] * over[narrow], under[narrow], up=up)
    for position in np.argwhere(~narrow).tolist():
        at = tuple(position)
        product = int(counts[at]) * int(over[at])
        result[at] = -(-product // int(under[at])) if up else product // int(under[at])
    return _checked(result)


def _divided(values: Integers, by: Integers, *, up: bool) -> Integers:
    return -(-values // by) if up else values // by


def _checked(values: npt.NDArray[np.generic]) -> Integers:
    mend = f"it must not exceed {checks.LARGEST:.0f}"
    too_large = np.asarray(np.abs(values.astype(np.float64)) > checks.LARGEST, dtype=np.bool_)
    checks.refuse_where("quantity", values, too_large, mend)
    return values.astype(np.int64)
