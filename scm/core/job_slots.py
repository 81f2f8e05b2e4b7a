"""Which slots of a recurring job are due: a pure decision, data in, slots out.

A slot of a daily job is named by its business date and one of an interval by its UTC instant. Whoever opens slots
keeps their names unique, so that an hour that comes twice, a month's end or a clock set back repeats none, and every
name between the last look and now is considered, so that none is skipped.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scm.core.users import Role

DAY = timedelta(days=1)
MOST_AT_ONCE = 400  # slots opened by one look; the next look opens the rest
APART = timedelta(minutes=1)  # how far two machines' clocks, or the steps of two threads, may be apart
OPERATORS = frozenset({Role.ADMIN, Role.SYSTEM})  # who may ask for any job


class CatchUp(enum.Enum):
    """What happens to the slots that passed while no worker ran."""

    ALL = "all"  # each is run, oldest first
    LATEST = "latest"  # only the newest is run
    NONE = "none"  # only a slot that has just come is run


class Lane(enum.Enum):
    """Which of a worker's threads runs a job, so that neither long work nor a slow receiver holds up short work."""

    SHORT = "short"
    LONG = "long"
    NETWORK = "network"


@dataclass(frozen=True, kw_only=True)
class Daily:
    """Once a day at a local time; the slot's business date lies so many days before the day it is run on."""

    at: time
    days_back: int = 0

    @property
    def period(self) -> timedelta:
        """The usual distance of two slots."""
        return DAY


@dataclass(frozen=True, kw_only=True)
class Every:
    """Every so many seconds, counted from midnight UTC of 1970."""

    seconds: int

    @property
    def period(self) -> timedelta:
        """The distance of two slots."""
        return timedelta(seconds=self.seconds)


@dataclass(frozen=True, kw_only=True)
class JobRule:
    """What is known of a job without running it: when, what about missed slots, how often it is tried again."""

    name: str
    timing: Daily | Every
    catch_up: CatchUp
    lane: Lane = Lane.LONG
    attempts: int = 3
    retry_after: timedelta = timedelta(minutes=1)  # doubled by each further attempt
    grace: timedelta = timedelta(hours=1)  # how late a slot may be when nothing is caught up
    may_request: frozenset[Role] = OPERATORS


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The company's time: its zone, and the date it is pinned to when it is simulated."""

    zone: str
    pinned: date | None = None


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One time a job must run. Its name never names another one."""

    name: str
    due_at: datetime
    business_date: date | None


def due(rule: JobRule, *, since: datetime, now: datetime, calendar: Calendar) -> list[Slot]:
    """This function will give the slots after `since`, up to now, that the rule lets run, oldest first.

    A `since` in the future means that the clock was set back: the last period is looked at once more, and the names
    of its slots tell which were run. One that is hardly ahead was written by somebody else a moment ago.

    >>> nightly = JobRule(name="n", timing=Daily(at=time(1, 30), days_back=1), catch_up=CatchUp.ALL)
    >>> autumn = Calendar(zone="Europe/London")  # on 2026-10-25 half past one comes twice
    >>> slots = due(nightly, since=datetime(2026, 10, 24, tzinfo=UTC), now=datetime(2026, 10, 26, tzinfo=UTC),
    ...             calendar=autumn)
    >>> [(slot.name, f"{slot.due_at:%d %H:%M}") for slot in slots]
    [('2026-10-23', '24 00:30'), ('2026-10-24', '25 00:30')]
    """
    if now < since <= now + APART:
        return []
    since = since if since <= now else now - rule.timing.period
    if isinstance(rule.timing, Daily):
        slots = list(_days(rule.timing, since=since, now=now, calendar=calendar))
        if calendar.pinned is not None:
            # A simulated company lives the same day until it is moved: there is one slot of it.
            slots = slots[-1:]
    else:
        slots = list(_intervals(rule, since=since, now=now))
    if rule.catch_up is CatchUp.ALL:
        return slots[:MOST_AT_ONCE]
    if rule.catch_up is CatchUp.NONE:
        slots = [slot for slot in slots if now - slot.due_at <= max(rule.grace, rule.timing.period / 2)]
    return slots[-1:]


def business_date(rule: JobRule, *, now: datetime, calendar: Calendar) -> date | None:
    """This function will give the date a run by hand is about: the pinned one, or that of the latest slot."""
    if not isinstance(rule.timing, Daily):
        return None
    if calendar.pinned is not None:
        return calendar.pinned
    return now.astimezone(ZoneInfo(calendar.zone)).date() - timedelta(days=rule.timing.days_back)


def _days(timing: Daily, *, since: datetime, now: datetime, calendar: Calendar) -> Iterator[Slot]:
    zone = ZoneInfo(calendar.zone)
    day, last = since.astimezone(zone).date() - DAY, now.astimezone(zone).date()
    while day <= last:
        # Of an hour that comes twice the first counts; one that does not come is read as the hour after it.
        due_at = datetime.combine(day, timing.at, zone).astimezone(UTC)
        if since < due_at <= now:
            named = calendar.pinned or day - timedelta(days=timing.days_back)
            yield Slot(name=named.isoformat(), due_at=due_at, business_date=named)
        day += DAY


def _intervals(rule: JobRule, *, since: datetime, now: datetime) -> Iterator[Slot]:
    seconds = int(rule.timing.period.total_seconds())
    last = int(now.timestamp()) // seconds * seconds
    first = (int(since.timestamp()) // seconds + 1) * seconds
    if rule.catch_up is not CatchUp.ALL:
        first = max(first, last)
    for number in range(first, last + 1, seconds):
        due_at = datetime.fromtimestamp(number, UTC)
        yield Slot(name=f"{due_at:%Y-%m-%dT%H:%M:%SZ}", due_at=due_at, business_date=None)
