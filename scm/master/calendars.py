"""Working days of a site: which weekdays it works, and the dates it is closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit
from scm.core.db import Base, dialect_insert
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master.locations import Site

LONGEST_CLOSURE_DAYS = 366


class WorkingWeek(Base):
    """The weekdays a site works; a missing row means it works."""

    __tablename__ = "working_week"

    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), primary_key=True)
    weekday: Mapped[int] = mapped_column(primary_key=True)
    works: Mapped[bool]

    __table_args__ = (sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday_exists"),)


class ClosedDay(Base):
    """A date on which a site does not work."""

    __tablename__ = "closed_day"

    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), primary_key=True)
    closed_date: Mapped[date] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(sa.String(120))


class BadWeekday(InvalidInput):
    """There is no such weekday."""


class BadClosure(InvalidInput):
    """A closure does not say why."""


class NotClosed(Conflict):
    """The site works on a date that was to be opened again."""


class WeekChanged(Conflict):
    """The working week is no longer what somebody believes."""


class NeverOpen(Conflict):
    """A site works on no day of the coming year."""


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The working days of one site, in memory: any number of dates can be asked of it without a query."""

    site_id: int
    weekdays: frozenset[int]  # 0 Monday … 6 Sunday
    closed_dates: frozenset[date]

    def is_working_day(self, day: date) -> bool:
        """This function will tell whether the site works on a date.

        >>> weekdays_only = Calendar(site_id=1, weekdays=frozenset(range(5)), closed_dates=frozenset())
        >>> [weekdays_only.is_working_day(date(2026, 1, day)) for day in (9, 10)]
        [True, False]
        """
        return day.weekday() in self.weekdays and day not in self.closed_dates

    def next_working_day(self, day: date) -> date:
        """This function will give the date itself when the site works on it, or the next one on which it does.

        Raises `NeverOpen`.

        >>> weekdays_only = Calendar(site_id=1, weekdays=frozenset(range(5)), closed_dates=frozenset())
        >>> weekdays_only.next_working_day(date(2026, 1, 10))
        datetime.date(2026, 1, 12)
        """
        for ahead in range(LONGEST_CLOSURE_DAYS + 1):
            candidate = day + timedelta(days=ahead)
            if self.is_working_day(candidate):
                return candidate
        raise NeverOpen(f"site {self.site_id} works on no day of the year from {day}: set its working week")

    def next_working_days(self, days: Iterable[date]) -> dict[date, date]:
        """This function will give `next_working_day` of many dates, each worked out once. Raises `NeverOpen`."""
        return {day: self.next_working_day(day) for day in set(days)}


def load(session: Session, *, site_id: int) -> Calendar:
    """This function will read a site's calendar; a weekday nobody spoke of is worked."""
    idle = session.scalars(
        sa.select(WorkingWeek.weekday).where(WorkingWeek.site_id == site_id, ~WorkingWeek.works)
    ).all()
    closed = session.scalars(sa.select(ClosedDay.closed_date).where(ClosedDay.site_id == site_id)).all()
    return Calendar(site_id=site_id, weekdays=frozenset(range(7)) - set(idle), closed_dates=frozenset(closed))


def close(session: Session, *, site_id: int, closed_dates: Sequence[date], reason: str, actor: Actor) -> None:
    """This function will close a site on dates; a date that is closed already takes the new reason.

    Raises `BadClosure`.
    """
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    if not 0 < len(reason.strip()) <= 120 or not reason.isprintable():
        raise BadClosure(f"closing a site needs a reason of 1 to 120 characters, not {reason[:40]!r}")
    if not closed_dates:
        return
    insert = dialect_insert(session, ClosedDay)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["site_id", "closed_date"], set_={"reason": insert.excluded.reason}
        ),
        [{"site_id": site_id, "closed_date": day, "reason": reason} for day in sorted(set(closed_dates))],
    )
    dates = [day.isoformat() for day in sorted(set(closed_dates))]
    _record(session, "calendar.close", site_id, actor, dates=dates, reason=reason)


def reopen(session: Session, *, site_id: int, closed_dates: Sequence[date], actor: Actor) -> None:
    """This function will open a site again on dates it was closed on. Raises `NotClosed`."""
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    wanted = sorted(set(closed_dates))
    of_site = sa.and_(ClosedDay.site_id == site_id, ClosedDay.closed_date.in_(wanted))
    closed = set(session.scalars(sa.select(ClosedDay.closed_date).where(of_site).with_for_update()))
    for day in wanted:
        if day not in closed:
            raise NotClosed(f"the site is not closed on {day}: there is nothing to take back")
    session.execute(sa.delete(ClosedDay).where(of_site))
    _record(session, "calendar.reopen", site_id, actor, dates=[day.isoformat() for day in wanted])


def set_weekday(session: Session, *, site_id: int, weekday: int, believed: bool, works: bool, actor: Actor) -> None:
    """This function will let a site work on a weekday (0 Monday … 6 Sunday) from now on, or not.

    Raises `BadWeekday`, `WeekChanged` when somebody has changed it since it was read, `NeverOpen` for the last day.
    """
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    if not 0 <= weekday <= 6:
        raise BadWeekday(f"weekday {weekday} does not exist: count from Monday, 0, to Sunday, 6")
    # The site's row is the lock: a weekday that nobody spoke of has no row to lock.
    session.execute(sa.select(Site.id).where(Site.id == site_id).with_for_update())
    calendar = load(session, site_id=site_id)
    if (weekday in calendar.weekdays) is not believed:
        raise WeekChanged(f"weekday {weekday}: somebody has changed it meanwhile: look at the week again")
    if not works and calendar.weekdays <= {weekday}:
        raise NeverOpen(f"site {site_id} works on no other weekday: nothing could ever leave")
    insert = dialect_insert(session, WorkingWeek).values(site_id=site_id, weekday=weekday, works=works)
    session.execute(
        insert.on_conflict_do_update(index_elements=["site_id", "weekday"], set_={"works": insert.excluded.works})
    )
    changes = {f"weekday {weekday}": [believed, works]}
    _record(session, "calendar.set_weekday", site_id, actor, changes=changes)


def closed_days(session: Session, *, site_id: int, since: date) -> list[ClosedDay]:
    """This function will list the days a site is closed on, from a day on."""
    statement = sa.select(ClosedDay).where(ClosedDay.site_id == site_id, ClosedDay.closed_date >= since)
    return list(session.scalars(statement.order_by(ClosedDay.closed_date)))


def _record(session: Session, verb: str, site_id: int, actor: Actor, **detail: Any) -> None:
    audit.record(session, actor=actor, verb=verb, document_kind="site", document_ids=[site_id], **detail)
