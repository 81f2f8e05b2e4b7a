"""The wall clock, read in this one place: for audit rows, and at the edge, by whoever starts a command.

Domain functions never call it; they are given `now` and `today`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def wall_now() -> datetime:
    """This function will give the present instant in UTC."""
    return datetime.now(UTC)


def local_date(instant: datetime, *, zone: str) -> date:
    """This function will give the calendar date of an instant in a zone.

    >>> from datetime import UTC, datetime
    >>> local_date(datetime(2026, 3, 31, 23, 30, tzinfo=UTC), zone="Europe/London")
    datetime.date(2026, 4, 1)
    """
    return instant.astimezone(ZoneInfo(zone)).date()
