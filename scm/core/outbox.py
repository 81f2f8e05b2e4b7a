"""Messages that must leave the system, written in the transaction of the change that causes them.

Nothing here sends anything: a message is delivered later, at least once, outside any transaction. Its key is
stable, so that the receiver can tell a repetition. How far its delivery is stands in `scm.core.deliveries`.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId


class OutboxMessage(Base):
    """One message to one recipient: its topic says what it is about, its payload is JSON."""

    __tablename__ = "outbox_message"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_key: Mapped[str] = mapped_column(sa.String(36), unique=True)
    topic: Mapped[str] = mapped_column(sa.String(60))
    recipient: Mapped[str] = mapped_column(sa.String(200))
    document_kind: Mapped[str] = mapped_column(sa.String(40))
    document_id: Mapped[int] = mapped_column(sa.BigInteger)
    payload: Mapped[dict[str, Any]] = mapped_column(types.Json)
    created_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_attempt_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    claimed_until_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    dead_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    last_error: Mapped[str] = mapped_column(sa.String(400), default="", server_default="")

    __table_args__ = (
        sa.Index(None, "document_kind", "document_id"),
        sa.Index(
            "ix_outbox_message_waiting",
            "next_attempt_at",
            sqlite_where=sa.text("delivered_at IS NULL AND dead_at IS NULL"),
            postgresql_where=sa.text("delivered_at IS NULL AND dead_at IS NULL"),
        ),
        sa.Index(
            "ix_outbox_message_dead",
            "dead_at",
            sqlite_where=sa.text("dead_at IS NOT NULL"),
            postgresql_where=sa.text("dead_at IS NOT NULL"),
        ),
    )


def put(
    session: Session,
    *,
    topic: str,
    recipient: str,
    document_kind: str,
    document_id: int,
    payload: dict[str, Any],
    now: datetime,
) -> str:
    """This function will write a message and return its key, which names it for ever."""
    key = str(uuid.uuid4())
    session.add(
        OutboxMessage(
            message_key=key,
            topic=topic,
            recipient=recipient,
            document_kind=document_kind,
            document_id=document_id,
            payload=payload,
            created_at=now,
        )
    )
    session.flush()
    return key
