"""The people of a company, as an administrator keeps them: added, renamed, given roles, let go, shut out.

Nobody shuts themselves out, and the user that jobs act as stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit, passwords, preferences, sign_in, users
from scm.core.errors import Conflict, InvalidInput, NotAllowed
from scm.core.passwords import Credential
from scm.core.preferences import Preference
from scm.core.sign_in import LoginSession
from scm.core.users import Actor, Role, User, UserRole, UserUnknown

GIVEN = frozenset(Role) - {Role.SYSTEM}
LONGEST_USERNAME, LONGEST_NAME = 60, 120


@dataclass(frozen=True, kw_only=True)
class Person:
    """One person, as the page of users shows them."""

    user_id: int
    username: str
    display_name: str
    active: bool
    roles: frozenset[Role]
    has_password: bool
    locale: str | None
    sessions: int
    seen_at: datetime | None


class BadUser(InvalidInput):
    """A person cannot be added or changed like this."""


class UserChanged(Conflict):
    """The person is no longer what somebody believes."""


class NotThisUser(NotAllowed):
    """Nobody shuts themselves out, and nobody changes the user that jobs act as."""


def everybody(session: Session, *, now: datetime) -> list[Person]:
    """This function will list all people but the user that jobs act as, in three queries."""
    roles: dict[int, set[Role]] = defaultdict(set)
    for row in session.execute(sa.select(UserRole.user_id, UserRole.role)):
        roles[row.user_id].add(row.role)
    live = sa.and_(LoginSession.ended_at.is_(None), LoginSession.seen_at > now - sign_in.LASTS)
    seen = {
        row.user_id: row
        for row in session.execute(
            sa.select(
                LoginSession.user_id,
                sa.func.max(LoginSession.seen_at).label("seen_at"),
                sa.func.sum(sa.case((live, 1), else_=0)).label("sessions"),
            ).group_by(LoginSession.user_id)
        )
    }
    rows = session.execute(
        sa.select(User, Credential.user_id.label("has_password"), Preference.locale)
        .outerjoin(Credential, Credential.user_id == User.id)
        .outerjoin(Preference, Preference.user_id == User.id)
        .order_by(User.username)
    )
    return [
        Person(
            user_id=row.User.id,
            username=row.User.username,
            display_name=row.User.display_name,
            active=row.User.active,
            roles=frozenset(roles[row.User.id]),
            has_password=row.has_password is not None,
            locale=row.locale,
            sessions=int(seen[row.User.id].sessions) if row.User.id in seen else 0,
            seen_at=seen[row.User.id].seen_at if row.User.id in seen else None,
        )
        for row in rows
        if Role.SYSTEM not in roles[row.User.id]
    ]


def add(
    session: Session,
    *,
    username: str,
    display_name: str,
    roles: Set[Role],
    password: str,
    actor: Actor,
    now: datetime,
    locale: str | None = None,
) -> Actor:
    """This function will add a person who can sign in. Raises `BadUser`, `UserExists`, `BadPassword`."""
    actor.require(Role.ADMIN, Role.SYSTEM)
    known = username.isascii() and username.replace(".", "").replace("-", "").replace("_", "").isalnum()
    if not known or len(username) > LONGEST_USERNAME or username != username.lower():
        raise BadUser(
            f"the user name is {username[:40]!r}: give 1 to {LONGEST_USERNAME} small letters, digits, dots and hyphens"
        )
    _refuse_name(username, display_name)
    _refuse_roles(username, roles)
    added = users.add(session, username=username, display_name=display_name, roles=frozenset(roles), now=now)
    passwords.set_password(session, user_id=added.user_id, username=username, password=password, now=now)
    if locale is not None:
        preferences.change(session, actor=added, locale=locale)
    _record(session, "user.add", added.user_id, actor, username=username, roles=_names(roles))
    return added


def change(
    session: Session,
    *,
    username: str,
    display_name: str,
    believed: Set[Role],
    wanted: Set[Role],
    actor: Actor,
) -> None:
    """This function will rename a person and give them other roles, if they still have the believed ones.

    What is open in a browser follows with the next click. Raises `UserUnknown`, `BadUser`, `UserChanged`,
    `NotThisUser`.
    """
    actor.require(Role.ADMIN)
    user, present = _lock(session, username)
    _refuse_name(username, display_name)
    _refuse_roles(username, wanted)
    if present != believed:
        raise UserChanged(
            f"{username} has the roles {', '.join(_names(present))} by now: nothing was changed, look again"
        )
    if user.id == actor.user_id and Role.ADMIN not in wanted:
        raise NotThisUser(f"{username} cannot give up the own role admin: ask another administrator")
    changes: dict[str, Any] = {}
    if user.display_name != display_name:
        changes["display_name"] = [user.display_name, display_name]
    if present != wanted:
        changes["roles"] = [_names(present), _names(wanted)]
    user.display_name = display_name
    session.execute(sa.delete(UserRole).where(UserRole.user_id == user.id))
    session.add_all(UserRole(user_id=user.id, role=role) for role in sorted(wanted, key=lambda role: role.value))
    session.flush()
    _record(session, "user.change", user.id, actor, changes=changes)


def set_active(session: Session, *, username: str, active: bool, actor: Actor, now: datetime) -> None:
    """This function will let a person go, ending their sessions, or take them back. Raises as `change` does."""
    actor.require(Role.ADMIN)
    user, _ = _lock(session, username)
    if user.id == actor.user_id:
        raise NotThisUser(f"{username} cannot shut out the own user: ask another administrator")
    user.active = active
    if not active:
        sign_in.end_all(session, user_id=user.id, now=now)
    session.flush()
    _record(session, "user.take_back" if active else "user.let_go", user.id, actor)


def end_sessions(session: Session, *, username: str, actor: Actor, now: datetime) -> None:
    """This function will sign a person out everywhere. Raises `UserUnknown`, `NotThisUser`."""
    actor.require(Role.ADMIN)
    user, _ = _lock(session, username)
    sign_in.end_all(session, user_id=user.id, now=now)
    _record(session, "user.end_sessions", user.id, actor)


def _lock(session: Session, username: str) -> tuple[User, frozenset[Role]]:
    user = session.scalars(
        sa.select(User).where(User.username == username).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if user is None:
        raise UserUnknown(f"there is no user {username[:60]}")
    present = frozenset(session.scalars(sa.select(UserRole.role).where(UserRole.user_id == user.id)))
    if Role.SYSTEM in present:
        raise NotThisUser(f"{username} is the user that jobs act as: it stays as it is")
    return user, present


def _refuse_name(username: str, display_name: str) -> None:
    if not 0 < len(display_name.strip()) <= LONGEST_NAME or not display_name.isprintable():
        raise BadUser(f"{username}: the name is {display_name[:40]!r}: give 1 to {LONGEST_NAME} printable characters")


def _refuse_roles(username: str, roles: Set[Role]) -> None:
    if not roles or not roles <= GIVEN:
        known = ", ".join(_names(GIVEN))
        raise BadUser(f"{username} would have the roles {', '.join(_names(roles)) or 'none'}: give some of {known}")


def _names(roles: Set[Role]) -> Sequence[str]:
    return sorted(role.value for role in roles)


def _record(session: Session, verb: str, user_id: int, actor: Actor, **detail: Any) -> None:
    audit.record(session, actor=actor, verb=verb, document_kind="user", document_ids=[user_id], **detail)
