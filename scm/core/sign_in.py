"""Signing in and out: sessions live in the database, so that ending one ends it everywhere.

The browser holds a random token, the database only its hash. Every sign-in makes a new token.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, passwords, types, users
from scm.core.db import Base, BigId, Database
from scm.core.errors import NotAllowed
from scm.core.preferences import Preference, Preferences
from scm.core.users import Actor, Role, User, UserRole

LASTS = timedelta(hours=12)  # since the last request
LASTS_AT_MOST = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=5)


class LoginSession(Base):
    """One signed-in browser."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """Who is behind a token. `seen_at` is when the database last heard of them."""

    actor: Actor
    display_name: str
    preferences: Preferences
    session_id: int
    seen_at: datetime


class WrongCredentials(NotAllowed):
    """Unknown name, wrong password, no password or a deactivated user: one answer for all."""


def sign_in(database: Database, *, username: str, password: str, address: str, now: datetime) -> str:
    """This function will check a password and return the token of a new session.

    Three transactions: the attempt is counted whatever comes of it, the hash is computed with no writer waiting,
    and the session is written. Raises `WrongCredentials`, `TooManyAttempts`.
    """
    database.run(lambda session: passwords.count_attempt(session, username=username, address=address, now=now))
    with database.unit_of_work(write=False) as session:
        user_id = session.scalar(sa.select(User.id).where(User.username == username, User.active))
        right = passwords.matches(session, user_id=user_id, password=password)
    if not right or user_id is None:
        raise WrongCredentials("the user name or the password is wrong")
    token = secrets.token_urlsafe(32)

    def begin(session: Session) -> None:
        passwords.forget_attempts(session, username=username)
        row = LoginSession(token_hash=_hash(token), user_id=user_id, created_at=now, seen_at=now)
        session.add(row)
        session.flush()
        actor = users.actor(session, username=username)
        audit.record(session, actor=actor, verb="user.sign_in", document_kind="user", document_ids=[user_id])

    database.run(begin)
    return token


def find(session: Session, *, token: str, now: datetime) -> SignedIn | None:
    """This function will find who is behind a token, in one query; None when the session has ended."""
    statement = (
        sa.select(
            LoginSession.id,
            LoginSession.seen_at,
            User.id.label("user_id"),
            User.username,
            User.display_name,
            UserRole.role,
            Preference.locale,
            Preference.theme,
            Preference.single_keys,
            Preference.sounds,
            Preference.site_id,
        )
        .join(User, User.id == LoginSession.user_id)
        .outerjoin(UserRole, UserRole.user_id == User.id)
        .outerjoin(Preference, Preference.user_id == User.id)
        .where(
            LoginSession.token_hash == _hash(token),
            LoginSession.ended_at.is_(None),
            LoginSession.seen_at > now - LASTS,
            LoginSession.created_at > now - LASTS_AT_MOST,
            User.active,
        )
    )
    rows = session.execute(statement).all()
    if not rows:
        return None
    first = rows[0]
    roles = frozenset(Role(row.role) for row in rows if row.role is not None)
    return SignedIn(
        actor=Actor(user_id=first.user_id, username=first.username, roles=roles),
        display_name=first.display_name,
        preferences=Preferences.of(first),
        session_id=first.id,
        seen_at=first.seen_at,
    )


def touch(session: Session, *, session_id: int, now: datetime) -> None:
    """This function will note that a session is in use."""
    session.execute(sa.update(LoginSession).where(LoginSession.id == session_id).values(seen_at=now))


def sign_out(session: Session, *, token: str, actor: Actor, now: datetime) -> None:
    """This function will end the session behind a token; the token is worthless from then on."""
    session.execute(
        sa.update(LoginSession)
        .where(LoginSession.token_hash == _hash(token), LoginSession.ended_at.is_(None))
        .values(ended_at=now)
    )
    audit.record(session, actor=actor, verb="user.sign_out", document_kind="user", document_ids=[actor.user_id])


def end_all(session: Session, *, user_id: int, now: datetime, except_token: str | None = None) -> None:
    """This function will end every session of a user but, if one is named, that of a token."""
    statement = sa.update(LoginSession).where(LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))
    if except_token is not None:
        statement = statement.where(LoginSession.token_hash != _hash(except_token))
    session.execute(statement.values(ended_at=now))


def change_password(session: Session, *, actor: Actor, old: str, new: str, token: str, now: datetime) -> None:
    """This function will change one's own password and end all other sessions.

    Raises `WrongCredentials` when the old one is wrong, `BadPassword` when the new one is too weak.
    """
    if not passwords.matches(session, user_id=actor.user_id, password=old):
        raise WrongCredentials("the present password is wrong")
    passwords.set_password(session, user_id=actor.user_id, username=actor.username, password=new, now=now)
    end_all(session, user_id=actor.user_id, now=now, except_token=token)
    audit.record(session, actor=actor, verb="user.change_password", document_kind="user", document_ids=[actor.user_id])


def reset_password(session: Session, *, username: str, new: str, actor: Actor, now: datetime) -> None:
    """This function will give a user a new password in an administrator's name and end all their sessions.

    Raises `RoleMissing`, `UserUnknown`, `BadPassword`.
    """
    actor.require(Role.ADMIN, Role.SYSTEM)
    user = users.actor(session, username=username)
    passwords.set_password(session, user_id=user.user_id, username=username, password=new, now=now)
    end_all(session, user_id=user.user_id, now=now)
    audit.record(session, actor=actor, verb="user.reset_password", document_kind="user", document_ids=[user.user_id])


def forget_ended(session: Session, *, now: datetime) -> int:
    """This function will delete sessions that ended or ran out a month ago, and return how many."""
    over = now - timedelta(days=30)
    result = session.execute(sa.delete(LoginSession).where(LoginSession.seen_at < over))
    return int(getattr(result, "rowcount", 0))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
