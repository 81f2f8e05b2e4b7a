"""Who did what: one append-only row per verb and document. A trigger refuses to change or delete a row.

Rows are collected in the session and written in one statement just before the commit, in the same transaction
as the change they describe.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from scm.core import bulk, clock, types
from scm.core.db import Base, BigId, table_of
from scm.core.users import Actor

_PENDING = "audit_rows"
MANY = 200  # rows for which the bulk path is cheaper
_MARKS = "audit_marks"  # how many rows were noted when each transaction or savepoint began


class AuditRow(Base):
    """One thing one person (or rule, or job) did to one document, by the wall clock."""

    __tablename__ = "audit_row"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    actor_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    verb: Mapped[str] = mapped_column(sa.String(60))
    document_kind: Mapped[str] = mapped_column(sa.String(40))
    document_id: Mapped[int] = mapped_column(sa.BigInteger)
    detail: Mapped[dict[str, Any]] = mapped_column(types.Json)

    __table_args__ = (
        sa.Index(None, "document_kind", "document_id"),
        sa.Index(None, "at"),
        sa.Index(None, "actor_id", "at"),
    )


def record(
    session: Session,
    *,
    actor: Actor,
    verb: str,
    document_kind: str,
    document_ids: list[int],
    **detail: Any,
) -> None:
    """This function will note that `actor` did `verb` to each of the documents, with the same detail."""
    rows = session.info.setdefault(_PENDING, [])
    for document_id in document_ids:
        rows.append(
            {
                "at": clock.wall_now(),
                "actor_id": actor.user_id,
                "verb": verb,
                "document_kind": document_kind,
                "document_id": document_id,
                "detail": detail,
            }
        )


def write_pending(session: Session) -> None:
    """This function will write the rows noted so far; the commit of a unit of work calls it."""
    rows = session.info.pop(_PENDING, None)
    if rows and len(rows) > MANY:
        bulk.insert_rows(session, table_of(AuditRow), rows)
    elif rows:
        session.execute(sa.insert(AuditRow), rows)


@event.listens_for(Session, "before_commit")
def _before_commit(session: Session) -> None:
    if not session.in_nested_transaction():
        write_pending(session)


@event.listens_for(Session, "after_transaction_create")
def _after_transaction_create(session: Session, transaction: SessionTransaction) -> None:
    session.info.setdefault(_MARKS, {})[transaction] = len(session.info.get(_PENDING, ()))


@event.listens_for(Session, "after_soft_rollback")
def _after_soft_rollback(session: Session, transaction: SessionTransaction) -> None:
    """Work that was undone is forgotten; what was noted before a savepoint stays when only the savepoint is undone."""
    del session.info.get(_PENDING, [])[session.info.get(_MARKS, {}).get(transaction, 0) :]
