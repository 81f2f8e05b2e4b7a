"""A place where the books disagree, as every proof names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement: the place in words, what the ledgers say should be there, and what is."""

    place: str
    expected: int | str
    found: int | str


# Each check is one statement, so that what it compares is of one instant even while others post.
Check = Callable[[Session], Iterator[Finding]]
