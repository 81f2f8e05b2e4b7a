"""The clock that a channel promises to ship by: a pure decision from the instant of the order and the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scm.sales.promising import WorkingCalendar


def ship_by_at(
    calendar: WorkingCalendar, *, ordered_at: datetime, cut_off: time | None, hours: int | None
) -> datetime | None:
    """This function will give the instant by which a channel has promised that an order leaves; None without a clock.

    The clock starts with the order. An order after the channel's cut-off, in the site's local time, or on a day on
    which the site rests counts from the midnight with which the next working day begins. From then on hours are hours.
    Without a cut-off the clock never waits, as marketplaces count. Raises `NeverWorks`.

        >>> calendar = WorkingCalendar("MAIN", "Europe/London", closed_weekdays=frozenset({5, 6}))
        >>> friday = datetime(2026, 1, 9, 15, tzinfo=UTC)
        >>> [str(ship_by_at(calendar, ordered_at=friday, cut_off=time(hour), hours=24)) for hour in (16, 14)]
        ['2026-01-10 15:00:00+00:00', '2026-01-13 00:00:00+00:00']
    """
    if hours is None:
        return None
    zone = ZoneInfo(calendar.zone)
    local = ordered_at.astimezone(zone)
    starts = ordered_at
    if cut_off is not None and (local.time() > cut_off or not calendar.works(local.date())):
        day = calendar.first_working_day(from_date=local.date() + timedelta(days=1))
        starts = datetime.combine(day, time(0), tzinfo=zone)
    return starts.astimezone(UTC) + timedelta(hours=hours)
