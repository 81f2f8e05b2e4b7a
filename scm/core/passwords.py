"""Passwords and what slows guessing down: argon2id hashes, and a throttle that counts attempts in the database.

An unknown name costs as much time and gets the same answer as a wrong password, so nobody learns who exists.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

import argon2
import sqlalchemy as sa
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, dialect_insert, table_of
from scm.core.errors import InvalidInput, NotAllowed

SHORTEST, LONGEST = 10, 200
WINDOW = timedelta(minutes=15)
ATTEMPTS_BY_NAME = 8
ATTEMPTS_BY_ADDRESS = 60


class Credential(Base):
    """The argon2id hash of one user's password. Users without a row cannot sign in."""

    __tablename__ = "credential"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"), primary_key=True)
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    changed_at: Mapped[datetime] = mapped_column(types.UtcDateTime)


class LoginThrottle(Base):
    """How often one subject (`name:…` or `address:…`) was tried since an instant."""

    __tablename__ = "login_throttle"

    subject: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    attempts: Mapped[int]
    since: Mapped[datetime] = mapped_column(types.UtcDateTime)


class BadPassword(InvalidInput):
    """A new password that is too short, too long or too plain."""


class TooManyAttempts(NotAllowed):
    """Too many attempts in too short a time; the text says how long to wait."""


def set_password(session: Session, *, user_id: int, username: str, password: str, now: datetime) -> None:
    """This function will store a new password's hash over the old one. Raises `BadPassword`."""
    _refuse_weak(password, username=username)
    values = {"password_hash": _hasher().hash(password), "changed_at": now}
    insert = dialect_insert(session, table_of(Credential)).values(user_id=user_id, **values)
    session.execute(insert.on_conflict_do_update(index_elements=["user_id"], set_=values))


def matches(session: Session, *, user_id: int | None, password: str) -> bool:
    """This function will tell whether it is the user's password; for nobody (None) it takes as long and says no."""
    stored = None
    if user_id is not None:
        stored = session.scalar(sa.select(Credential.password_hash).where(Credential.user_id == user_id))
    try:
        _hasher().verify(stored or _hash_of_nobody(), password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def count_attempt(session: Session, *, username: str, address: str, now: datetime) -> None:
    """This function will count an attempt before it is made. The caller commits it, whatever comes of the attempt.

    Raises `TooManyAttempts`. One statement adds and reads, so that parallel attempts cannot pass together.
    """
    limits = ((f"name:{username.lower()[:100]}", ATTEMPTS_BY_NAME), (f"address:{address[:100]}", ATTEMPTS_BY_ADDRESS))
    for subject, limit in limits:
        attempts, since = _add(session, subject=subject, now=now)
        if attempts > limit:
            minutes = max(1, round((since + WINDOW - now).total_seconds() / 60))
            raise TooManyAttempts(f"too many attempts: wait {minutes} minutes, then try again")


def forget_attempts(session: Session, *, username: str) -> None:
    """This function will forget the attempts at a name after the right password was given."""
    session.execute(sa.delete(LoginThrottle).where(LoginThrottle.subject == f"name:{username.lower()[:100]}"))


def _add(session: Session, *, subject: str, now: datetime) -> tuple[int, datetime]:
    table = table_of(LoginThrottle)
    over = table.c.since < now - WINDOW
    statement = (
        dialect_insert(session, table)
        .values(subject=subject, attempts=1, since=now)
        .on_conflict_do_update(
            index_elements=["subject"],
            set_={
                "attempts": sa.case((over, 1), else_=table.c.attempts + 1),
                "since": sa.case((over, sa.literal(now, types.UtcDateTime)), else_=table.c.since),
            },
        )
        .returning(table.c.attempts, table.c.since)
    )
    row = session.execute(statement).one()
    return row.attempts, row.since


def _refuse_weak(password: str, *, username: str) -> None:
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadPassword(f"the password has {len(password)} characters: give {SHORTEST} to {LONGEST}")
    if not password.isprintable() or password.lower() == username.lower() or len(set(password)) < 4:
        raise BadPassword("the password is too plain: use at least four different characters, and not the user name")


@cache
def _hasher() -> argon2.PasswordHasher:
    return argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's minimum for argon2id


@cache
def _hash_of_nobody() -> str:
    return _hasher().hash("a password that nobody has")
