"""The company: its currency, its zone, and for a simulated company the business date it has reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit
from scm.core.db import Base
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.preferences import LOCALES
from scm.core.users import Actor, Role

LONGEST_NAME = 100


class Company(Base):
    """Owns sites, number series, cost and journal. There is one for now, and every row names it."""

    __tablename__ = "company"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(20), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    currency: Mapped[str] = mapped_column(sa.String(3))
    zone: Mapped[str] = mapped_column(sa.String(40))
    simulated: Mapped[bool] = mapped_column(default=False)
    generated: Mapped[bool] = mapped_column(default=False)  # its data was made up by a seed, and pages say so
    business_date: Mapped[date | None]
    go_live_date: Mapped[date | None]
    default_locale: Mapped[str | None] = mapped_column(sa.String(10))  # none: what the browser asks for

    __table_args__ = (sa.CheckConstraint("simulated OR business_date IS NULL", name="only_simulated_pins_its_date"),)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What an administrator may change of a company."""

    name: str
    default_locale: str | None


class BadFacts(InvalidInput):
    """A company cannot be called like this."""


class FactsChanged(Conflict):
    """The company is no longer what somebody believes."""


class CompanyMissing(NotFound):
    """The database holds no company yet."""


class NotSimulated(Conflict):
    """The company is real: nothing may move its date or make up its events."""


class DateGoesBack(InvalidInput):
    """A business date may only go forward."""


def only(session: Session) -> Company:
    """This function will load the company. Raises `CompanyMissing`."""
    company = session.scalars(sa.select(Company).order_by(Company.id).limit(1)).one_or_none()
    if company is None:
        raise CompanyMissing("this database holds no company yet: create one with scm init")
    return company


def change(session: Session, *, believed: Facts, wanted: Facts, actor: Actor) -> None:
    """This function will change what a company is called and how its pages speak, if it still is as believed.

    Raises `BadFacts`, `FactsChanged`.
    """
    actor.require(Role.ADMIN)
    if not 0 < len(wanted.name.strip()) <= LONGEST_NAME or not wanted.name.isprintable():
        raise BadFacts(f"the company's name is {wanted.name[:40]!r}: give 1 to {LONGEST_NAME} printable characters")
    if wanted.default_locale not in (None, *LOCALES):
        raise BadFacts(f"the language is {wanted.default_locale!r}: it must be one of {', '.join(LOCALES)}")
    company = session.scalars(
        sa.select(Company).order_by(Company.id).limit(1).with_for_update().execution_options(populate_existing=True)
    ).one()
    present = Facts(name=company.name, default_locale=company.default_locale)
    if present != believed:
        raise FactsChanged(
            f"somebody has changed the company meanwhile: it is called {present.name} and speaks "
            f"{present.default_locale or 'as the browser asks'}; nothing was changed"
        )
    changes = {
        name: [getattr(present, name), getattr(wanted, name)]
        for name in vars(wanted)
        if getattr(present, name) != getattr(wanted, name)
    }
    company.name, company.default_locale = wanted.name.strip(), wanted.default_locale
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb="company.change",
        document_kind="company",
        document_ids=[company.id],
        changes=changes,
    )


def require_simulated(company: Company) -> None:
    """This function will refuse a real company. Raises `NotSimulated`."""
    if not company.simulated:
        raise NotSimulated(
            f"{company.name} was not created as a simulated company: its date is the calendar's, its events are real"
        )


def business_time(company: Company, *, wall: datetime) -> tuple[datetime, date]:
    """This function will give the instant and the day of business at a moment of the wall clock.

    A simulated company keeps its pinned day and takes the time of day from the clock of its zone.
    """
    zone = ZoneInfo(company.zone)
    local = wall.astimezone(zone)
    if company.business_date is None:
        return wall, local.date()
    moved = datetime.combine(company.business_date, local.time(), tzinfo=zone)
    return moved.astimezone(UTC), company.business_date


def go_live(session: Session, company: Company, *, go_live: date) -> None:
    """This function will set the first day kept in these books, once; a simulated company starts on it."""
    if company.go_live_date is None:
        company.go_live_date = go_live
        if company.simulated:
            company.business_date = go_live
        session.flush()


def set_business_date(session: Session, company: Company, *, today: date) -> None:
    """This function will pin the date a simulated company has reached. Raises `NotSimulated`, `DateGoesBack`."""
    require_simulated(company)
    if company.business_date is not None and today < company.business_date:
        raise DateGoesBack(f"{company.name} has reached {company.business_date}: {today} lies before it")
    company.business_date = today
    session.flush()
