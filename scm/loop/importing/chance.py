"""Figures made up from a seed: the same seed and name always give the same figure, whatever else is drawn.

So one more item in the file does not change what was assumed about the others. Whole numbers only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Chance:
    """A seeded source of whole numbers, each drawn by name."""

    seed: int

    def between(self, low: int, high: int, *names: str | int) -> int:
        """This function will draw a number from `low` to `high`, both included, for these names.

        >>> 1 <= Chance(7).between(1, 6, "die", 3) <= 6
        True
        """
        text = "\x1f".join(str(part) for part in (self.seed, *names))
        drawn = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
        return low + drawn % (high - low + 1)

    def happens(self, percent: int, *names: str | int) -> bool:
        """This function will tell whether something of that probability happens for these names."""
        return self.between(0, 99, *names) < percent
