"""When an order will arrive: a pure decision from stock, dated supply, the working calendar and the carrier.

What is in stock leaves on the next working day by the carrier's cut-off. What waits leaves on the working day after
the supply that covers it is due, or after the agreed lead time when nothing on order covers it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scm.core.errors import Conflict

LONGEST_CLOSURE_DAYS = 366


class NeverWorks(Conflict):
    """A site has no working day within a year."""


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """When a site works: every day but these weekdays (0 is Monday) and dates."""

    site: str
    zone: str
    closed_weekdays: frozenset[int] = frozenset()
    closed_dates: frozenset[date] = frozenset()

    def works(self, day: date) -> bool:
        """Whether the site works on a day."""
        return day.weekday() not in self.closed_weekdays and day not in self.closed_dates

    def first_working_day(self, *, from_date: date) -> date:
        """The first working day on or after a date. Raises `NeverWorks`."""
        for days in range(LONGEST_CLOSURE_DAYS):
            if self.works(from_date + timedelta(days=days)):
                return from_date + timedelta(days=days)
        raise NeverWorks(f"site {self.site} has no working day in the year from {from_date}: mend its calendar")


@dataclass(frozen=True, slots=True)
class Service:
    """How a parcel travels: calendar days on the way, and the local time by which it must be ready."""

    transit_days: int
    cut_off: time


@dataclass(frozen=True, slots=True)
class Supply:
    """What may serve the waiting lines of one item.

    `ahead` units are waited for by earlier lines, `inbound` units are received and not yet put away, `due` is the
    dated supply on order, sorted; `lead_time_days` is agreed with the preferred supplier, if there is one.
    """

    ahead: int
    inbound: int
    due: Sequence[tuple[date, int]]
    lead_time_days: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """So much of an item waits, for one order line that is to be shipped by a service."""

    item_id: int
    quantity: int
    calendar: WorkingCalendar
    service: Service
    requested_date: date | None


def ship_date(
    calendar: WorkingCalendar, service: Service, *, now: datetime, today: date, requested_date: date | None
) -> date:
    """This function will give the working day on which goods in stock leave.

    It is today while the cut-off has not passed, and later only if the customer wants to have them later.

        >>> from datetime import UTC
        >>> calendar = WorkingCalendar("MAIN", "Europe/London", closed_weekdays=frozenset({5, 6}))
        >>> friday, parcel = date(2026, 1, 9), Service(transit_days=2, cut_off=time(16))
        >>> [str(ship_date(calendar, parcel, now=datetime(2026, 1, 9, hour, tzinfo=UTC), today=friday,
        ...                requested_date=None)) for hour in (15, 17)]
        ['2026-01-09', '2026-01-12']
    """
    late = now.astimezone(ZoneInfo(calendar.zone)).time() > service.cut_off
    first = calendar.first_working_day(from_date=today + timedelta(days=1) if late else today)
    if requested_date is None:
        return first
    day = requested_date - timedelta(days=service.transit_days)
    while day > first and not calendar.works(day):
        day -= timedelta(days=1)
    return max(first, day)


def arrival_date(service: Service, *, shipped: date, requested_date: date | None) -> date:
    """This function will give the date to promise for goods that leave on a day: never before it is wanted."""
    arrives = shipped + timedelta(days=service.transit_days)
    return arrives if requested_date is None else max(arrives, requested_date)


def promise_dates(lines: Sequence[Waiting], supplies: Mapping[int, Supply], *, today: date) -> list[date | None]:
    """This function will give the date to promise for each waiting line, or None where nobody can supply it.

    Lines are served in the order given, after those that waited before them.

        >>> calendar = WorkingCalendar("MAIN", "UTC")
        >>> line = Waiting(7, 10, calendar, Service(transit_days=3, cut_off=time(16)), None)
        >>> supply = Supply(ahead=5, inbound=0, due=[(date(2026, 1, 10), 15)], lead_time_days=20)
        >>> [str(day) for day in promise_dates([line, line], {7: supply}, today=date(2026, 1, 5))]
        ['2026-01-14', '2026-01-29']
    """
    needed = {item_id: supply.ahead for item_id, supply in supplies.items()}
    dates: list[date | None] = []
    for line in lines:
        needed[line.item_id] += line.quantity
        ready = _ready_date(supplies[line.item_id], needed=needed[line.item_id], today=today)
        if ready is None:
            dates.append(None)
            continue
        # Goods due on a day are put away on it and leave on the next working day.
        leaves = line.calendar.first_working_day(from_date=ready + timedelta(days=1))
        dates.append(arrival_date(line.service, shipped=leaves, requested_date=line.requested_date))
    return dates


def _ready_date(supply: Supply, *, needed: int, today: date) -> date | None:
    coming = supply.inbound
    if coming >= needed:
        return today
    for due, quantity in supply.due:
        coming += quantity
        if coming >= needed:
            return max(due, today)
    return None if supply.lead_time_days is None else today + timedelta(days=supply.lead_time_days)
