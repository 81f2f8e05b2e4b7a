"""Checks of the arrays that enter planning; it alone turns what a caller passes into read-only arrays.

Every refusal names the field, the position and the value, so that the caller can name the item in its own words.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

Kind = TypeVar("Kind", bound=np.generic)

LARGEST = 1e12
"""Above this an integer times a price is no longer exact enough in a float."""


class InvalidPlanningInput(ValueError):
    """An array for planning has a wrong shape or a value that cannot be planned with."""

    def __init__(self, field: str, index: tuple[int, ...], value: object, mend: str) -> None:
        self.field = field
        self.index = index
        self.value = value
        where = f"{field}[{', '.join(str(part) for part in index)}]" if index else field
        super().__init__(f"{where} is {value}: {mend}")


def floats(
    name: str,
    values: npt.ArrayLike,
    *,
    shape: tuple[int, ...],
    minimum: float | None = 0.0,
    infinite: bool = False,
) -> Floats:
    """Return `values` as read-only floats of `shape`, each a number not below `minimum`.

    Raises InvalidPlanningInput naming the first offending position; infinity passes only when `infinite`.
    """
    array = _shaped(name, np.asarray(values, dtype=np.float64), shape)
    refuse_where(name, array, np.isnan(array), "every value must be a number")
    if not infinite:
        refuse_where(name, array, np.isinf(array), "every value must be finite")
    if minimum is not None:
        refuse_where(name, array, array < minimum, f"it must not be below {minimum:g}")
    return _frozen(array)


def integers(name: str, values: npt.ArrayLike, *, shape: tuple[int, ...], minimum: int | None = 0) -> Integers:
    """Return `values` as read-only integers of `shape`, each not below `minimum`.

    Floats are accepted only where every one is a whole number. Raises InvalidPlanningInput.
    """
    raw = _shaped(name, np.asarray(values), shape)
    if raw.dtype.kind not in "biu":
        raw = np.asarray(raw, dtype=np.float64)
        refuse_where(name, raw, ~np.isfinite(raw), "every value must be a whole number")
        refuse_where(name, raw, raw != np.rint(raw), "every value must be a whole number")
    refuse_where(name, raw, abs(raw.astype(np.float64)) > LARGEST, f"it must not exceed {LARGEST:.0f}")
    array = raw.astype(np.int64)
    if minimum is not None:
        refuse_where(name, array, array < minimum, f"it must not be below {minimum}")
    return _frozen(array)


def flags(name: str, values: npt.ArrayLike, *, shape: tuple[int, ...]) -> Flags:
    """Return `values` as read-only booleans of `shape`. Raises InvalidPlanningInput for anything else."""
    raw = _shaped(name, np.asarray(values), shape)
    if raw.dtype != np.bool_:
        raise InvalidPlanningInput(name, (), f"of type {raw.dtype}", "give true or false for each")
    return _frozen(raw)


def refuse_where(name: str, values: npt.NDArray[Kind], wrong: Flags, mend: str) -> None:
    """Raise InvalidPlanningInput for the first position of `values` that is `wrong`; do nothing when none is."""
    if wrong.any():
        first = tuple(int(part) for part in np.argwhere(wrong)[0])
        raise InvalidPlanningInput(name, first, values[first], mend)


def _shaped(name: str, array: npt.NDArray[Kind], shape: tuple[int, ...]) -> npt.NDArray[Kind]:
    if array.shape != shape:
        raise InvalidPlanningInput(name, (), f"of shape {array.shape}", f"it must have shape {shape}")
    return array


def _frozen(array: npt.NDArray[Kind]) -> npt.NDArray[Kind]:
    copy = array.copy()
    copy.setflags(write=False)
    return copy
