"""The delivery of outbox messages: which are due, who tries one, and what became of it.

A message is claimed in one transaction, sent with none open, and its outcome is written in another. A worker that is
killed between the last two leaves a claim that runs out, and the message is sent again under the same key: at least
once. What fails is tried again after ever longer pauses; what failed too often, or can never succeed, is dead until a
person sends it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.db import table_of
from scm.core.errors import Conflict, NotFound
from scm.core.outbox import OutboxMessage
from scm.core.users import Actor, Role

KIND = "outbox_message"
MOST_ATTEMPTS = 10
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=6)
CLAIM = timedelta(minutes=5)  # longer than any sender waits
LONGEST_ERROR = 400


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A message as its sender needs it. `attempt` counts from 1."""

    id: int
    message_key: str
    topic: str
    recipient: str
    document_kind: str
    document_id: int
    payload: dict[str, Any]
    created_at: datetime
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """How many messages wait, since when the oldest does, and how many are dead."""

    waiting: int
    oldest_at: datetime | None
    dead: int


class MessageUnknown(NotFound):
    """There is no such message."""


class NotDead(Conflict):
    """Only a dead message is sent again by hand."""


def due(session: Session, *, now: datetime) -> bool:
    """This function will tell whether a message waits for a delivery that may be tried now."""
    return session.scalar(sa.select(OutboxMessage.id).where(_due(now)).limit(1)) is not None


def claim(session: Session, *, now: datetime, count: int = 1) -> list[Envelope]:
    """This function will claim the messages that have waited longest, for this caller to send.

    A message whose senders were all killed, as often as it may be tried, is dead instead.
    """
    rows = session.scalars(
        sa.select(OutboxMessage)
        .where(_due(now))
        .order_by(OutboxMessage.id)
        .limit(count)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        if row.attempts >= MOST_ATTEMPTS:
            row.dead_at, row.claimed_until_at = now, None
            row.last_error = f"none of {row.attempts} attempts came to an end"
        else:
            row.attempts, row.claimed_until_at = row.attempts + 1, now + CLAIM
    session.flush()
    return [
        Envelope(
            id=row.id,
            message_key=row.message_key,
            topic=row.topic,
            recipient=row.recipient,
            document_kind=row.document_kind,
            document_id=row.document_id,
            payload=row.payload,
            created_at=row.created_at,
            attempt=row.attempts,
        )
        for row in rows
        if row.dead_at is None
    ]


def delivered(session: Session, envelope: Envelope, *, now: datetime) -> None:
    """This function will note that the receiver took the message."""
    session.execute(
        sa.update(table_of(OutboxMessage))
        .where(OutboxMessage.id == envelope.id)
        .values(delivered_at=now, dead_at=None, claimed_until_at=None, next_attempt_at=None, last_error="")
    )


def failed(session: Session, envelope: Envelope, *, error: str, for_good: bool, now: datetime) -> bool:
    """This function will note a failed attempt and tell whether the message is dead now.

    The pause before the next attempt is doubled each time, from half a minute up to six hours.
    """
    dead = for_good or envelope.attempt >= MOST_ATTEMPTS
    pause = min(FIRST_PAUSE * 2 ** (envelope.attempt - 1), LONGEST_PAUSE)
    session.execute(
        sa.update(table_of(OutboxMessage))
        .where(OutboxMessage.id == envelope.id, OutboxMessage.delivered_at.is_(None))
        .values(
            claimed_until_at=None,
            next_attempt_at=None if dead else now + pause,
            dead_at=now if dead else None,
            last_error=error[:LONGEST_ERROR],
        )
    )
    return dead


def send_again(session: Session, message_ids: Sequence[int], *, actor: Actor) -> None:
    """This function will let dead messages be tried from the start. Raises `MessageUnknown`, `NotDead`."""
    actor.require(Role.ADMIN, Role.SYSTEM)
    wanted = sorted(set(message_ids))
    rows = session.scalars(
        sa.select(OutboxMessage)
        .where(OutboxMessage.id.in_(wanted))
        .order_by(OutboxMessage.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    missing = set(wanted) - {row.id for row in rows}
    if missing:
        raise MessageUnknown(f"there is no message {min(missing)}")
    for row in rows:
        if row.dead_at is None:
            state = "was delivered" if row.delivered_at else "still waits for its next attempt"
            raise NotDead(f"message {row.message_key} {state}: only a dead message is sent again by hand")
        row.attempts, row.dead_at, row.next_attempt_at, row.claimed_until_at = 0, None, None, None
    session.flush()
    audit.record(session, actor=actor, verb="outbox.send_again", document_kind=KIND, document_ids=wanted)


def backlog(session: Session) -> Backlog:
    """This function will count what waits and what is dead."""
    open_ = sa.and_(OutboxMessage.delivered_at.is_(None), OutboxMessage.dead_at.is_(None))
    row = session.execute(sa.select(sa.func.count(), sa.func.min(OutboxMessage.created_at)).where(open_)).one()
    dead = session.scalar(sa.select(sa.func.count()).where(OutboxMessage.dead_at.is_not(None)))
    return Backlog(waiting=row[0], oldest_at=row[1], dead=dead or 0)


def _due(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        OutboxMessage.delivered_at.is_(None),
        OutboxMessage.dead_at.is_(None),
        sa.or_(OutboxMessage.next_attempt_at.is_(None), OutboxMessage.next_attempt_at <= now),
        sa.or_(OutboxMessage.claimed_until_at.is_(None), OutboxMessage.claimed_until_at < now),
    )
