"""How urgent it is to send an order: what runs out without it, and whether it would still come in time."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, timedelta

SOON_DAYS = 7


class Level(enum.IntEnum):
    """The most urgent first."""

    TOO_LATE = 0  # runs out before the order can arrive, even if it is sent today
    SOON = 1  # must be sent within a week
    CALM = 2  # runs out later, or not within what is looked at


@dataclass(frozen=True, order=True)
class Urgency:
    """Sorts by level, then by the day the order must be sent."""

    level: Level
    send_by: date
    out_date: date | None


def of_line(*, out_date: date | None, lead_time_days: int, today: date) -> Urgency:
    """This function will tell how urgent an order line is; `out_date` is when the item runs out without the order.

    >>> of_line(out_date=date(2026, 1, 20), lead_time_days=7, today=date(2026, 1, 5))
    Urgency(level=<Level.CALM: 2>, send_by=datetime.date(2026, 1, 13), out_date=datetime.date(2026, 1, 20))
    >>> of_line(out_date=date(2026, 1, 9), lead_time_days=7, today=date(2026, 1, 5)).level.name
    'TOO_LATE'
    """
    if out_date is None:
        return Urgency(Level.CALM, date.max, None)
    send_by = out_date - timedelta(days=lead_time_days)
    if send_by < today:
        return Urgency(Level.TOO_LATE, send_by, out_date)
    return Urgency(Level.SOON if send_by <= today + timedelta(days=SOON_DAYS) else Level.CALM, send_by, out_date)
