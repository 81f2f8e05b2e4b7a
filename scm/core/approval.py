"""Approval as a mechanism: somebody else agrees to exactly what was submitted.

The content is hashed when approval is requested; an approval counts only while the document still has that content.
Each room brings its own rules about who may approve what; that the requester is not the approver is decided here,
and by a CHECK in the database.
"""

from __future__ import annotations

import enum
import hashlib
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId
from scm.core.errors import Conflict, NotAllowed
from scm.core.users import Actor


class Decision(enum.Enum):
    """Where a request for approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    VOID = "void"


class Approval(Base):
    """One request for approval of one version of one document, and its answer."""

    __tablename__ = "approval"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    subject_kind: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)
    content_hash: Mapped[str] = mapped_column(sa.String(64))
    requester_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    requested_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    approver_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    decided_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    decision: Mapped[Decision] = mapped_column(types.enum_column(Decision))
    comment: Mapped[str] = mapped_column(sa.String(400), default="")

    __table_args__ = (
        sa.CheckConstraint("approver_id IS NULL OR approver_id <> requester_id", name="requester_is_not_approver"),
        sa.CheckConstraint(
            "decision NOT IN ('approved', 'rejected') OR approver_id IS NOT NULL", name="decided_by_somebody"
        ),
        sa.Index(
            "uq_approval_one_open",
            "subject_kind",
            "subject_id",
            unique=True,
            sqlite_where=sa.text("decision IN ('pending', 'approved')"),
            postgresql_where=sa.text("decision IN ('pending', 'approved')"),
        ),
    )


class ApprovalHandover(Base):
    """One approver asked another to decide on a request. The newest row says whose turn it is."""

    __tablename__ = "approval_handover"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    approval_id: Mapped[int] = mapped_column(sa.ForeignKey("approval.id"), index=True)
    from_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    to_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    handed_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    comment: Mapped[str] = mapped_column(sa.String(400), default="")

    __table_args__ = (sa.CheckConstraint("from_id <> to_id", name="to_somebody_else"),)


class SelfApproval(NotAllowed):
    """The requester tried to decide on their own request."""


class NotPending(Conflict):
    """There is no open request for approval of this document."""


class ContentChanged(Conflict):
    """The document is no longer what was submitted or approved."""


def content_hash(content: Any) -> str:
    """This function will hash a JSON value so that any change of it shows."""
    return hashlib.sha256(types.canonical_json(content).encode()).hexdigest()


def request(
    session: Session, *, subject_kind: str, subject_id: int, content: Any, requester: Actor, now: datetime
) -> None:
    """This function will open a request for approval of this content; an earlier open one becomes void."""
    void(session, subject_kind=subject_kind, subject_id=subject_id, now=now)
    session.add(
        Approval(
            subject_kind=subject_kind,
            subject_id=subject_id,
            content_hash=content_hash(content),
            requester_id=requester.user_id,
            requested_at=now,
            decision=Decision.PENDING,
        )
    )
    session.flush()


def decide(
    session: Session,
    *,
    subject_kind: str,
    subject_id: int,
    number: str,
    content: Any,
    decision: Decision,
    approver: Actor,
    now: datetime,
    comment: str = "",
) -> None:
    """This function will approve or reject the open request. The caller holds the document's lock.

    Raises `NotPending`, `SelfApproval`, and `ContentChanged` when the document was edited after it was submitted.
    """
    row = _open(session, subject_kind=subject_kind, subject_id=subject_id)
    if row is None or row.decision is not Decision.PENDING:
        raise NotPending(f"{number} is not waiting for approval: submit it first")
    refuse_requester(requester_id=row.requester_id, approver=approver, number=number)
    if row.content_hash != content_hash(content):
        raise ContentChanged(f"{number} was changed after it was submitted: submit it again")
    row.decision = decision
    row.approver_id = approver.user_id
    row.decided_at = now
    row.comment = comment
    session.flush()


def refuse_requester(*, requester_id: int, approver: Actor, number: str) -> None:
    """This function will raise `SelfApproval` when somebody would decide on their own request."""
    if requester_id == approver.user_id:
        raise SelfApproval(f"{approver.username} submitted {number}: somebody else must decide on it")


def hand_over(
    session: Session,
    *,
    subject_kind: str,
    subject_id: int,
    number: str,
    approver: Actor,
    to: Actor,
    now: datetime,
    comment: str = "",
) -> None:
    """This function will ask another person to decide on the open request. The caller holds the document's lock.

    Raises `NotPending`, and `SelfApproval` when either of them is the requester or both are the same.
    """
    row = _open(session, subject_kind=subject_kind, subject_id=subject_id)
    if row is None or row.decision is not Decision.PENDING:
        raise NotPending(f"{number} is not waiting for approval: there is nothing to hand over")
    for person in (approver, to):
        refuse_requester(requester_id=row.requester_id, approver=person, number=number)
    if approver.user_id == to.user_id:
        raise SelfApproval(f"{approver.username} cannot hand {number} over to themselves: name somebody else")
    session.add(
        ApprovalHandover(approval_id=row.id, from_id=approver.user_id, to_id=to.user_id, handed_at=now, comment=comment)
    )
    session.flush()


def require_approved(session: Session, *, subject_kind: str, subject_id: int, number: str, content: Any) -> None:
    """This function will raise unless this very content was approved. Raises `NotPending` or `ContentChanged`."""
    row = _open(session, subject_kind=subject_kind, subject_id=subject_id)
    if row is None or row.decision is not Decision.APPROVED:
        raise NotPending(f"{number} is not approved")
    if row.content_hash != content_hash(content):
        raise ContentChanged(f"{number} was changed after it was approved: submit it again")


def void(session: Session, *, subject_kind: str, subject_id: int, now: datetime) -> None:
    """This function will void an open request or approval, because the document changed or was withdrawn."""
    row = _open(session, subject_kind=subject_kind, subject_id=subject_id)
    if row is not None:
        row.decision = Decision.VOID
        row.decided_at = now
        session.flush()


def _open(session: Session, *, subject_kind: str, subject_id: int) -> Approval | None:
    return session.scalars(
        sa.select(Approval)
        .where(
            Approval.subject_kind == subject_kind,
            Approval.subject_id == subject_id,
            Approval.decision.in_([Decision.PENDING, Decision.APPROVED]),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
