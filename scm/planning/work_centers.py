"""When work centers are open, and how long work takes there by the clock. Instants are whole seconds from the start."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from scm.planning import checks
from scm.planning.checks import Integers

DAY_SECONDS = 86_400
NEVER = 2**62
"""The end of what finds no open time any more."""


@dataclass(frozen=True, kw_only=True)
class WorkCenters:
    """C work centers with machines alike, and the N stretches of time in which they are open.

    Shifts and closed days are in the stretches; those of a center are in order and do not overlap. Raises
    InvalidPlanningInput.
    """

    machines: Integers
    """(C) at least 1"""
    center: Integers
    """(N)"""
    opens: Integers
    """(N) second of opening"""
    closes: Integers
    """(N) second of closing, after the opening"""

    def __post_init__(self) -> None:
        count, shape = len(self.machines), np.shape(self.center)
        self._set("machines", checks.integers("machines", self.machines, shape=(count,), minimum=1))
        for name in ("center", "opens", "closes"):
            self._set(name, checks.integers(name, getattr(self, name), shape=shape))
        checks.refuse_where("center", self.center, self.center >= count, f"there are only {count} work centers")
        checks.refuse_where("closes", self.closes, self.closes <= self.opens, "a work center closes after it opens")
        order = np.lexsort((self.opens, self.center))
        for name in ("center", "opens", "closes"):
            self._set(name, getattr(self, name)[order])
        overlaps = np.zeros(shape, dtype=np.bool_)
        overlaps[1:] = (self.center[1:] == self.center[:-1]) & (self.opens[1:] < self.closes[:-1])
        checks.refuse_where("opens", self.opens, overlaps, "it must not open again before it has closed")

    def _set(self, name: str, value: npt.NDArray[np.generic]) -> None:
        object.__setattr__(self, name, value)

    @classmethod
    def daily(cls, *, machines: npt.ArrayLike, open_minutes: npt.ArrayLike, opens_at: npt.ArrayLike = 0) -> WorkCenters:
        """Return work centers that are open once a day for so many minutes (C, D), from a minute of the day on.

        A day of no minutes is closed. `opens_at` is one for all, or (C, D).
        """
        minutes = np.asarray(open_minutes, dtype=np.int64)
        from_minute = np.broadcast_to(np.asarray(opens_at, dtype=np.int64), minutes.shape)
        too_long = (minutes < 0) | (minutes + from_minute > DAY_SECONDS // 60)
        checks.refuse_where("open_minutes", minutes, too_long, "a day has 1440 minutes, those before opening included")
        center, day = np.nonzero(minutes)
        opens = day * DAY_SECONDS + from_minute[center, day] * 60
        closes = opens + minutes[center, day] * 60
        return cls(machines=np.asarray(machines, dtype=np.int64), center=center, opens=opens, closes=closes)

    @cached_property
    def clocks(self) -> tuple[Clock, ...]:
        """The clock of each work center."""
        bounds = np.searchsorted(self.center, np.arange(len(self.machines) + 1))
        return tuple(
            Clock(self.opens[low:high].tolist(), self.closes[low:high].tolist())
            for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
        )


class Clock:
    """Counts the open seconds of one work center."""

    def __init__(self, opens: list[int], closes: list[int]) -> None:
        self._opens, self._closes = opens, closes
        self._worked: list[int] = []  # open seconds up to each closing
        total = 0
        for begin, end in zip(opens, closes, strict=True):
            total += end - begin
            self._worked.append(total)

    def next_open(self, at: int) -> int:
        """Return the first instant from `at` on at which the center is open, or NEVER."""
        position = bisect_right(self._closes, at)
        return max(at, self._opens[position]) if position < len(self._opens) else NEVER

    def after(self, start: int, seconds: int) -> int:
        """Return when work of so many seconds ends that starts at an open instant; it stands still while closed."""
        if not seconds:
            return start
        position = bisect_right(self._closes, start)
        if start + seconds <= self._closes[position]:
            return start + seconds
        total = self._worked[position] - (self._closes[position] - start) + seconds
        last = bisect_left(self._worked, total)
        return self._closes[last] - (self._worked[last] - total) if last < len(self._worked) else NEVER

    def between(self, start: int, end: int) -> int:
        """Return the open seconds between two instants."""
        return self._up_to(end) - self._up_to(start)

    def _up_to(self, at: int) -> int:
        position = bisect_right(self._closes, at)
        before = self._worked[position - 1] if position else 0
        return before + max(0, at - self._opens[position]) if position < len(self._opens) else before
