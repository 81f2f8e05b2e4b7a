"""The case: that something was found, since when, and what people decided about it. What was found is replaced freely.

A case is known by its kind and subject while it is open; when its cause comes back after it was closed, it is a new
case. What was said about it is append-only.
"""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId
from scm.core.errors import NotFound
from scm.loop.exceptions.findings import Kind

KIND = "exception_case"


class EntryAction(enum.Enum):
    """What somebody did about a case."""

    COMMENT = "comment"
    SNOOZE = "snooze"
    WAKE = "wake"
    HAND_OVER = "hand_over"
    ACCEPT = "accept"
    SOLVE = "solve"


class ExceptionCase(Base):
    """One exception of one site from the day it was first seen until its cause went."""

    __tablename__ = "exception_case"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    kind: Mapped[Kind] = mapped_column(types.enum_column(Kind))
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)
    label: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(200))
    amount: Mapped[int | None] = mapped_column(sa.BigInteger)  # at risk, in the company's minor units
    quantity: Mapped[int | None] = mapped_column(sa.BigInteger)
    due_date: Mapped[date | None]
    facts: Mapped[dict[str, Any]] = mapped_column(types.Json)
    first_seen_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    first_seen_date: Mapped[date]
    closed_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    closed_date: Mapped[date | None]
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    snoozed_until: Mapped[date | None]
    snoozed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    snooze_comment: Mapped[str] = mapped_column(sa.String(400))
    accepted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    accepted_reason: Mapped[str] = mapped_column(sa.String(400))
    accepted_amount: Mapped[int | None] = mapped_column(sa.BigInteger)  # what was at risk when it was accepted
    solved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))

    __table_args__ = (
        sa.CheckConstraint("(closed_at IS NULL) = (closed_date IS NULL)", name="closed_has_its_date"),
        sa.CheckConstraint("accepted_by_id IS NULL OR accepted_reason <> ''", name="accepted_with_a_reason"),
        sa.CheckConstraint("(snoozed_until IS NULL) = (snoozed_by_id IS NULL)", name="snoozed_by_somebody"),
        sa.Index(
            "uq_exception_case_open",
            "site_id",
            "kind",
            "subject_id",
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index(None, "site_id", "closed_date"),
    )


class ExceptionEntry(Base):
    """One thing somebody said or did about a case. Append-only."""

    __tablename__ = "exception_entry"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("exception_case.id"), index=True)
    at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    actor_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    action: Mapped[EntryAction] = mapped_column(types.enum_column(EntryAction))
    text: Mapped[str] = mapped_column(sa.String(400))
    until_date: Mapped[date | None]
    to_user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))


class ExceptionCheck(Base):
    """When the finders last looked at a site."""

    __tablename__ = "exception_check"

    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), primary_key=True)
    checked_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    checked_date: Mapped[date]


class CaseUnknown(NotFound):
    """There is no open exception of that number at this site."""


def lock(session: Session, case_ids: list[int], *, site_id: int) -> list[ExceptionCase]:
    """This function will lock open cases of a site in the order of their ids. Raises `CaseUnknown`."""
    wanted = sorted(set(case_ids))
    found = session.scalars(
        sa.select(ExceptionCase)
        .where(ExceptionCase.id.in_(wanted), ExceptionCase.site_id == site_id, ExceptionCase.closed_at.is_(None))
        .order_by(ExceptionCase.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    absent = set(wanted) - {case.id for case in found}
    if absent or not wanted:
        named = f"exception {min(absent)}" if absent else "an exception"
        raise CaseUnknown(f"{named} is not open here: its cause may have gone meanwhile, load the page again")
    return list(found)
