"""A command acts once per client key, however often it is sent.

The key is inserted first, in the transaction of the effect, so there is no moment in which the effect exists
without its key. A repetition is given the remembered answer; the same key with another body is refused; a twin that
is still running is refused after one second (on SQLite after the lock timeout, because there the wait for a twin is
the wait for the one writer). Refusals of the command itself roll back and are not remembered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, Database, DatabaseBusy, dialect_insert, table_of
from scm.core.errors import Conflict, InvalidInput

KEPT_DAYS = 30
TWIN_WAIT_MILLISECONDS = 1000
LONGEST_KEY = 200


class IdempotencyKey(Base):
    """One command that was carried out, and what it answered."""

    __tablename__ = "idempotency_key"

    principal: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    command: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(LONGEST_KEY), primary_key=True)
    body_hash: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[Any] = mapped_column(types.Json, nullable=True)
    created_at: Mapped[datetime] = mapped_column(types.UtcDateTime, index=True)


class KeyReused(Conflict):
    """The key was used before with another body."""


class StillRunning(Conflict):
    """The same key is being carried out at this moment by a twin."""


class BadKey(InvalidInput):
    """The key is empty, too long or holds control characters."""


@dataclass(frozen=True)
class Answer:
    """What a command answered, and whether it was answered from memory."""

    value: Any
    replayed: bool


def run_once(
    database: Database,
    *,
    principal: str,
    command: str,
    key: str,
    body: Any,
    now: datetime,
    work: Callable[[Session], Any],
) -> Answer:
    """This function will carry out `work` in one write transaction unless `key` was carried out before.

    `body` and the value returned by `work` are JSON values. Raises `BadKey`, `KeyReused`, `StillRunning`, and
    whatever `work` raises.
    """
    _check(key)
    digest = hashlib.sha256(types.canonical_json(body).encode()).hexdigest()

    def attempt(session: Session) -> Answer:
        if _insert(session, principal=principal, command=command, key=key, digest=digest, now=now, database=database):
            value = work(session)
            _remember(session, principal=principal, command=command, key=key, value=value)
            return Answer(value=value, replayed=False)
        return _remembered(session, principal=principal, command=command, key=key, digest=digest)

    try:
        return database.run(attempt)
    except DatabaseBusy as error:
        if database.is_sqlite or _waited_for_key(error):
            raise StillRunning(
                f"{command} with key {key} could not start because another writer, perhaps its own twin, is still "
                "running: nothing was changed, send it again with the same key"
            ) from error
        raise


def forget_before(session: Session, *, now: datetime) -> int:
    """This function will delete keys older than 30 days and return how many."""
    result = session.execute(
        sa.delete(IdempotencyKey).where(IdempotencyKey.created_at < now - timedelta(days=KEPT_DAYS))
    )
    return int(getattr(result, "rowcount", 0))


def _check(key: str) -> None:
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise BadKey(f"the idempotency key {key[:40]!r} must be 1 to {LONGEST_KEY} printable characters")


def _insert(
    session: Session,
    *,
    principal: str,
    command: str,
    key: str,
    digest: str,
    now: datetime,
    database: Database,
) -> bool:
    """Insert the key; on PostgreSQL this waits for a twin's commit, at most a second, in the same round trip."""
    columns = {"principal": principal, "command": command, "key": key, "body_hash": digest, "created_at": now}
    table = table_of(IdempotencyKey)
    if database.is_sqlite:
        inserted = session.execute(dialect_insert(session, table).values(columns).on_conflict_do_nothing())
        return int(getattr(inserted, "rowcount", 0)) == 1
    names = list(columns)
    literals = [sa.literal(columns[name], table.c[name].type).label(name) for name in names]
    # Only the wait for the key is short: set_config shortens the timeout before the row and restores it after.
    short = sa.func.set_config("lock_timeout", f"{TWIN_WAIT_MILLISECONDS}ms", True)
    restored = sa.func.set_config("lock_timeout", f"{int(database.lock_timeout_seconds * 1000)}ms", True)
    source = sa.select(*literals).where(short.is_not(None))
    statement = dialect_insert(session, table).from_select(names, source).on_conflict_do_nothing().returning(restored)
    return session.execute(statement).first() is not None


def _remember(session: Session, *, principal: str, command: str, key: str, value: Any) -> None:
    session.execute(
        sa.update(IdempotencyKey)
        .where(
            IdempotencyKey.principal == principal,
            IdempotencyKey.command == command,
            IdempotencyKey.key == key,
        )
        .values(answer=value)
    )


def _remembered(session: Session, *, principal: str, command: str, key: str, digest: str) -> Answer:
    row = session.execute(
        sa.select(IdempotencyKey.body_hash, IdempotencyKey.answer).where(
            IdempotencyKey.principal == principal,
            IdempotencyKey.command == command,
            IdempotencyKey.key == key,
        )
    ).one()
    if row.body_hash != digest:
        raise KeyReused(f"the key {key} was used for another {command}: use a new key for a new request")
    return Answer(value=row.answer, replayed=True)


def _waited_for_key(error: DatabaseBusy) -> bool:
    return "idempotency_key" in str(error.__cause__)
