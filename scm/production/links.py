"""Links by which a partner who makes an order reports on it without an account.

A link is good for one order and for a while. The address holds a random token; the database only its SHA-256, so that
nobody who reads the database can report. The token is random enough that no salt and no slow hash is needed.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base, BigId
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.production import documents
from scm.production.documents import KIND, OPEN

TOKEN_BYTES = 32
LONGEST_DAYS = 90


class PartnerLink(Base):
    """One link to report on one order. Only the hash of its token is kept."""

    __tablename__ = "partner_link"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("work_order.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    made_by_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    expires_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)

    __table_args__ = (sa.CheckConstraint("expires_at > made_at", name="is_good_for_a_while"),)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link opens."""

    link_id: int
    order_id: int
    expires_at: datetime


class LinkUnknown(NotFound):
    """There is no such link, or it is not good any more."""


class NoPartner(Conflict):
    """An order has no partner to report on it."""


class BadTerm(InvalidInput):
    """A link cannot be good for so long."""


def new_token() -> str:
    """This function will make up a token that nobody can guess; whoever calls shows it once and forgets it."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def make(session: Session, order_id: int, *, token: str, days: int, actor: Actor, wall: datetime) -> None:
    """This function will let the partner of an order report on it by a token made by `new_token`.

    Earlier links of the order are revoked. `wall` is the time of the wall clock, by which links expire. Raises
    `NoPartner`, `BadTerm`, `WorkOrderUnknown`.
    """
    actor.require(Role.PLANNER)
    if type(days) is not int or not 1 <= days <= LONGEST_DAYS:
        raise BadTerm(f"a link is good for 1 to {LONGEST_DAYS} days, not {days!r}")
    [order] = documents.lock(session, [order_id])
    if order.partner_id is None or order.state not in OPEN:
        raise NoPartner(f"{order.number} is {order.state.value}: only an open order that a partner makes has a link")
    _revoke(session, order_id, wall=wall)
    link = PartnerLink(
        order_id=order_id,
        token_hash=_hash(token),
        made_at=wall,
        made_by_id=actor.user_id,
        expires_at=wall + timedelta(days=days),
    )
    session.add(link)
    session.flush()
    audit.record(
        session, actor=actor, verb=f"{KIND}.link", document_kind=KIND, document_ids=[order_id], link=link.id, days=days
    )


def revoke(session: Session, order_id: int, *, actor: Actor, wall: datetime) -> None:
    """This function will end the links of an order at once. Raises `WorkOrderUnknown`."""
    actor.require(Role.PLANNER)
    documents.lock(session, [order_id])
    _revoke(session, order_id, wall=wall)
    audit.record(session, actor=actor, verb=f"{KIND}.revoke_link", document_kind=KIND, document_ids=[order_id])


def open_link(session: Session, token: str, *, wall: datetime) -> Opened:
    """This function will give what a token opens. Raises `LinkUnknown`, whatever is wrong with it."""
    row = session.execute(
        sa.select(PartnerLink.id, PartnerLink.order_id, PartnerLink.expires_at).where(
            PartnerLink.token_hash == _hash(token), PartnerLink.revoked_at.is_(None), PartnerLink.expires_at > wall
        )
    ).one_or_none()
    if row is None:
        raise LinkUnknown("this link is not good any more: ask for a new one")
    return Opened(row.id, row.order_id, row.expires_at)


def standing(session: Session, order_id: int, *, wall: datetime) -> datetime | None:
    """This function will tell until when an order's link is good, or None."""
    return session.scalar(
        sa.select(sa.func.max(PartnerLink.expires_at)).where(
            PartnerLink.order_id == order_id, PartnerLink.revoked_at.is_(None), PartnerLink.expires_at > wall
        )
    )


def _revoke(session: Session, order_id: int, *, wall: datetime) -> None:
    session.execute(
        sa.update(PartnerLink)
        .where(PartnerLink.order_id == order_id, PartnerLink.revoked_at.is_(None))
        .values(revoked_at=wall)
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
