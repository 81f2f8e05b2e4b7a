"""Parcels nobody expects: what arrived is written down with a photo, and later matched to a return or disposed of.

An unknown parcel is no stock: nobody knows yet what it is or whose. Only when it is matched are its goods received,
against the return it belongs to. A parcel is settled once.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from aftersales import documents, photos, returns
from aftersales.returns import ReturnRequest
from scm.core import audit, numbering, types
from scm.core.db import Base, BigId
from scm.core.documents import Machine
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.master.locations import Site

KIND = "unknown_parcel"
HANDLES = (Role.RETURNS, Role.WAREHOUSE)
LONGEST_LABEL, LONGEST_TEXT = 120, 400


class ParcelState(enum.Enum):
    """A waiting parcel stands at the desk; the other two are how it left the queue."""

    WAITING = "waiting"
    MATCHED = "matched"
    DISPOSED = "disposed"


MACHINE = Machine(
    kind=KIND,
    initial=ParcelState.WAITING,
    transitions={
        (ParcelState.WAITING, "match"): ParcelState.MATCHED,
        (ParcelState.WAITING, "dispose"): ParcelState.DISPOSED,
    },
)


class UnknownParcel(Base):
    """One parcel as it arrived, and what became of it."""

    __tablename__ = "unknown_parcel"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    number: Mapped[str] = mapped_column(sa.String(30), unique=True)
    state: Mapped[ParcelState] = mapped_column(types.enum_column(ParcelState))
    label: Mapped[str] = mapped_column(sa.String(LONGEST_LABEL))  # what was read on it, whatever it is
    sender: Mapped[str] = mapped_column(sa.String(LONGEST_LABEL))
    contents: Mapped[str] = mapped_column(sa.String(LONGEST_TEXT))
    arrived_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    arrived_date: Mapped[date]
    recorded_by: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    return_id: Mapped[int | None] = mapped_column(sa.ForeignKey("return_authorization.id"), index=True)
    settled_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    reason: Mapped[str] = mapped_column(sa.String(LONGEST_TEXT), default="")  # why it was disposed of

    __table_args__ = (
        sa.CheckConstraint("contents <> ''", name="says_what_arrived"),
        sa.CheckConstraint("(state = 'matched') = (return_id IS NOT NULL)", name="matched_to_a_return"),
        sa.CheckConstraint("(state = 'waiting') = (settled_at IS NULL)", name="settled_has_its_time"),
        sa.CheckConstraint("state <> 'disposed' OR reason <> ''", name="disposed_for_a_reason"),
        sa.Index(None, "site_id", "state"),
    )


class BadParcel(InvalidInput):
    """A parcel does not say what arrived, or says it at too great a length."""


class ParcelUnknown(NotFound):
    """There is no unknown parcel of that id."""


class CannotMatch(Conflict):
    """A return is at another site, or expects nothing any more."""


def record(
    session: Session,
    *,
    site_id: int,
    label: str,
    sender: str,
    contents: str,
    pictures: Sequence[bytes] = (),
    actor: Actor,
    now: datetime,
    today: date,
) -> int:
    """This function will write down a parcel that nobody expects, and give its id. Raises `BadParcel`, `NotAPhoto`."""
    actor.require(*HANDLES)
    label, sender, contents = label.strip(), sender.strip(), contents.strip()
    if not 0 < len(contents) <= LONGEST_TEXT:
        raise BadParcel(f"an unknown parcel: say in 1 to {LONGEST_TEXT} characters what is in it")
    if max(len(label), len(sender)) > LONGEST_LABEL:
        raise BadParcel(f"an unknown parcel: label and sender have at most {LONGEST_LABEL} characters")
    company_id = session.scalar(sa.select(Site.company_id).where(Site.id == site_id))
    if company_id is None:
        raise BadParcel(f"an unknown parcel arrived at site {site_id}, which does not exist: name the site")
    [number] = numbering.draw(session, series=numbering.UNKNOWN_PARCEL, company_id=company_id, year=today.year)
    parcel = UnknownParcel(
        company_id=company_id,
        site_id=site_id,
        number=number,
        state=MACHINE.initial,
        label=label,
        sender=sender,
        contents=contents,
        arrived_at=now,
        arrived_date=today,
        recorded_by=actor.user_id,
    )
    session.add(parcel)
    session.flush()
    photos.attach(session, pictures, parcel_id=parcel.id, actor=actor, now=now)
    _audit(session, "record", parcel, actor, photos=len(pictures))
    return parcel.id


def match(session: Session, *, parcel_id: int, return_id: int, actor: Actor, now: datetime) -> None:
    """This function will say which return a parcel belongs to; its goods are then received as that return's.

    Raises `ParcelUnknown`, `ReturnUnknown`, `CannotMatch`, `IllegalTransition`.
    """
    actor.require(*HANDLES)
    _match(session, lock(session, parcel_id), return_id=return_id, actor=actor, now=now)


def match_sale(
    session: Session,
    requests: Sequence[ReturnRequest],
    *,
    parcel_id: int,
    actor: Actor,
    now: datetime,
    today: date,
) -> int:
    """This function will authorize the return of sold goods that arrived as an unknown parcel, and match it; it gives
    the id of the return.

    Raises what `returns.authorize` raises, `ParcelUnknown`, `CannotMatch`, `IllegalTransition`.
    """
    actor.require(*HANDLES)
    parcel = lock(session, parcel_id)
    return_ids = returns.authorize(session, requests, actor=actor, now=now, today=today)
    if len(return_ids) > 1:
        raise CannotMatch(f"{parcel.number} would belong to {len(return_ids)} returns: name goods of one customer")
    _match(session, parcel, return_id=return_ids[0], actor=actor, now=now)
    return return_ids[0]


def dispose(session: Session, *, parcel_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """This function will take a parcel off the queue that belongs to nobody: sent back, given away, destroyed.

    Raises `BadParcel` without a reason, `ParcelUnknown`, `IllegalTransition`.
    """
    actor.require(*HANDLES)
    parcel = lock(session, parcel_id)
    if not 0 < len(reason.strip()) <= LONGEST_TEXT:
        raise BadParcel(f"{parcel.number}: say in 1 to {LONGEST_TEXT} characters what was done with it and why")
    parcel.state = MACHINE.advance(parcel.state, "dispose", number=parcel.number)
    parcel.reason, parcel.settled_at = reason.strip(), now
    session.flush()
    _audit(session, "dispose", parcel, actor, reason=parcel.reason)


def lock(session: Session, parcel_id: int) -> UnknownParcel:
    """This function will lock a parcel and read it as it now is. Raises `ParcelUnknown`."""
    parcel = session.scalars(
        sa.select(UnknownParcel)
        .where(UnknownParcel.id == parcel_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if parcel is None:
        raise ParcelUnknown(f"there is no unknown parcel {parcel_id}")
    return parcel


def _match(session: Session, parcel: UnknownParcel, *, return_id: int, actor: Actor, now: datetime) -> None:
    [wanted] = documents.lock_returns(session, [return_id])
    if wanted.site_id != parcel.site_id:
        raise CannotMatch(f"{parcel.number} arrived at another site than {wanted.number} is expected at")
    if not returns.arrivals(session, [return_id]):
        raise CannotMatch(f"{wanted.number} expects nothing any more: authorize what is in {parcel.number} first")
    parcel.state = MACHINE.advance(parcel.state, "match", number=parcel.number)
    parcel.return_id, parcel.settled_at = return_id, now
    session.flush()
    _audit(session, "match", parcel, actor, return_number=wanted.number)


def _audit(session: Session, action: str, parcel: UnknownParcel, actor: Actor, **detail: object) -> None:
    audit.record(
        session,
        actor=actor,
        verb=f"parcel.{action}",
        document_kind=KIND,
        document_ids=[parcel.id],
        number=parcel.number,
        **detail,
    )
