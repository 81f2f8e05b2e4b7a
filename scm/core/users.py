"""People, rules and jobs that act, and the roles that say what they may do."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base
from scm.core.errors import Conflict, NotAllowed, NotFound


class Role(enum.Enum):
    """What a person may do; the routes and verbs name the roles they accept."""

    PLANNER = "planner"
    BUYER = "buyer"
    APPROVER = "approver"
    WAREHOUSE = "warehouse"
    PRODUCTION = "production"
    RETURNS = "returns"
    SALES = "sales"
    ADMIN = "admin"
    SYSTEM = "system"


class User(Base):
    """Somebody (or a job) whose name stands on what was done. Never deleted: deactivated."""

    __tablename__ = "app_user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(sa.String(60), unique=True)
    display_name: Mapped[str] = mapped_column(sa.String(120))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(types.UtcDateTime)


class UserRole(Base):
    """One role of one user."""

    __tablename__ = "user_role"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(types.enum_column(Role), primary_key=True)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts, as the verbs receive it."""

    user_id: int
    username: str
    roles: frozenset[Role]

    def require(self, *accepted: Role) -> None:
        """This function will raise `RoleMissing` unless the actor has one of the accepted roles."""
        if not self.roles.intersection(accepted):
            wanted = " or ".join(sorted(role.value for role in accepted))
            raise RoleMissing(f"{self.username} may not do this: it needs the role {wanted}")


class RoleMissing(NotAllowed):
    """The actor lacks every role the verb accepts."""


class UserUnknown(NotFound):
    """There is no active user of that name."""


class UserExists(Conflict):
    """The user name is taken."""


def add(session: Session, *, username: str, display_name: str, roles: frozenset[Role], now: datetime) -> Actor:
    """This function will create a user with roles. Raises `UserExists`."""
    if session.scalar(sa.select(User.id).where(User.username == username)) is not None:
        raise UserExists(f"the user name {username} is taken: choose another")
    user = User(username=username, display_name=display_name, active=True, created_at=now)
    session.add(user)
    session.flush()
    session.add_all(UserRole(user_id=user.id, role=role) for role in sorted(roles, key=lambda role: role.value))
    session.flush()
    return Actor(user_id=user.id, username=username, roles=roles)


def actor(session: Session, *, username: str) -> Actor:
    """This function will load an active user with roles. Raises `UserUnknown`."""
    user_id = session.scalar(sa.select(User.id).where(User.username == username, User.active))
    if user_id is None:
        raise UserUnknown(f"there is no active user {username}")
    roles = session.scalars(sa.select(UserRole.role).where(UserRole.user_id == user_id))
    return Actor(user_id=user_id, username=username, roles=frozenset(roles))


def actors(session: Session, *, usernames: Iterable[str]) -> dict[str, Actor]:
    """This function will load those of some users that are active, with their roles, in one query."""
    rows = session.execute(
        sa.select(User.id, User.username, UserRole.role)
        .outerjoin(UserRole, UserRole.user_id == User.id)
        .where(User.username.in_(list(usernames)), User.active)
        .order_by(User.id)
    ).all()
    roles: dict[str, set[Role]] = defaultdict(set)
    for row in rows:
        roles[row.username].update([] if row.role is None else [row.role])
    ids = {row.username: row.id for row in rows}
    return {name: Actor(user_id=ids[name], username=name, roles=frozenset(held)) for name, held in roles.items()}
