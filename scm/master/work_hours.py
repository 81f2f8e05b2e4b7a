"""When work centres work, by their shifts and the calendar of their site, and how long operations take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master import calendars, work_centers
from scm.master.bom_content import OperationContent
from scm.master.calendars import Calendar
from scm.master.locations import Site
from scm.master.routing import WorkCenter
from scm.master.work_centers import ShiftRow


@dataclass(frozen=True, kw_only=True, order=True)
class Window:
    """One shift of one day: from an instant to an instant, both UTC. It counts for the day it begins on."""

    starts_at: datetime
    ends_at: datetime
    day: date

    @property
    def seconds(self) -> int:
        """How long it truly lasts, also in the night in which the clocks change."""
        return int((self.ends_at - self.starts_at).total_seconds())


@dataclass(frozen=True, kw_only=True)
class Center:
    """A work centre in use, and when it works in a span of days. Each of its machines works all windows."""

    id: int
    code: str
    name: str
    machines: int
    windows: tuple[Window, ...]

    @property
    def seconds_by_day(self) -> dict[date, int]:
        """Seconds of all machines together; a day without work is missing."""
        found: dict[date, int] = {}
        for window in self.windows:
            found[window.day] = found.get(window.day, 0) + window.seconds * self.machines
        return found


def of_site(session: Session, *, site_id: int, first: date, last: date) -> dict[int, Center]:
    """This function will read when the work centres of a site work from a day to a day, both included.

    In five queries, whatever their number. One that is retired is missing.
    """
    zone = session.scalars(sa.select(Site.zone).where(Site.id == site_id)).one()
    calendar = calendars.load(session, site_id=site_id)
    rows = session.execute(
        sa.select(WorkCenter.id, WorkCenter.code, WorkCenter.name, WorkCenter.machines)
        .where(WorkCenter.site_id == site_id, ~WorkCenter.retired)
        .order_by(WorkCenter.code)
    ).all()
    shifts = work_centers.shifts(session, [row.id for row in rows])
    return {
        row.id: Center(
            **row._mapping,
            windows=tuple(
                windows(shifts.get(row.id, ()), calendar=calendar, zone=ZoneInfo(zone), first=first, last=last)
            ),
        )
        for row in rows
    }


def windows(shifts: Iterable[ShiftRow], *, calendar: Calendar, zone: ZoneInfo, first: date, last: date) -> list[Window]:
    """This function will lay the shifts of a week on the working days from `first` to `last`, in order of time."""
    by_weekday: dict[int, list[ShiftRow]] = {}
    for shift in shifts:
        by_weekday.setdefault(shift.weekday, []).append(shift)
    found = []
    day = first
    while day <= last:
        for shift in by_weekday.get(day.weekday(), []) if calendar.is_working_day(day) else []:
            ends_on = day if shift.ends_at > shift.starts_at else day + timedelta(days=1)
            starts_at = datetime.combine(day, shift.starts_at, zone).astimezone(UTC)
            ends_at = datetime.combine(ends_on, shift.ends_at, zone).astimezone(UTC)
            if ends_at > starts_at:  # a shift within the hour that the clocks skip does not take place
                found.append(Window(starts_at=starts_at, ends_at=ends_at, day=day))
        day += timedelta(days=1)
    return sorted(found)


def seconds_needed(operation: OperationContent, *, quantity: int) -> int:
    """This function will give how long one machine works on `quantity` units: set up once, then run, rounded up once.

    Four pieces take 90 seconds after ten minutes of setting up; 10 pieces take 225 seconds of running:

    >>> press = OperationContent(sequence=10, name="Press", work_center_id=1, setup_seconds=600, run_seconds=90,
    ...                          run_quantity=4)
    >>> seconds_needed(press, quantity=10)
    825
    """
    return operation.setup_seconds - (-operation.run_seconds * quantity // operation.run_quantity)


def minutes_by_center(operations: Sequence[OperationContent], *, quantity: int) -> dict[int, Fraction]:
    """This function will give the minutes that an order for `quantity` started units needs of each work centre."""
    found: dict[int, Fraction] = {}
    for operation in operations:
        seconds = Fraction(seconds_needed(operation, quantity=quantity), 60)
        found[operation.work_center_id] = found.get(operation.work_center_id, Fraction(0)) + seconds
    return found


def started(quantity: int, *, yield_rate: Decimal) -> int:
    """This function will give how many units must be started so that `quantity` good ones may be expected.

    >>> started(100, yield_rate=Decimal("0.97"))
    104
    """
    return -(-Fraction(quantity) / Fraction(yield_rate) // 1)
