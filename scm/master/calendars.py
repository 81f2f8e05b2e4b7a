"""Working days of a site: which weekdays it works, and the dates it is closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit
from scm.core.db import Base, dialect_insert
from scm.core.errors import Conflict
from scm.core.users import Actor, Role

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
    """This function will close a site on dates; a date that is closed already takes the new reason."""
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    if not closed_dates:
        return
    insert = dialect_insert(session, ClosedDay)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["site_id", "closed_date"], set_={"reason": insert.excluded.reason}
        ),
        [{"site_id": site_id, "closed_date": day, "reason": reason} for day in sorted(set(closed_dates))],
    )
    audit.record(
        session,
        actor=actor,
        verb="calendar.close",
        document_kind="site",
        document_ids=[site_id],
        dates=[day.isoformat() for day in sorted(set(closed_dates))],
    )
