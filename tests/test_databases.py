"""The databases that the other tests rely on: each starts empty, and none sees another's rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import users
from scm.core.db import Database
from scm.core.users import User

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


def add_somebody(session: Session) -> None:
    users.add(session, username="mira", display_name="Mira", roles=frozenset(), now=NOW)


def number_of_users(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count(User.id)).where(User.username == "mira")) or 0


@pytest.mark.parametrize("turn", ["first", "second"])
def test_what_a_test_wrote_in_its_session_is_gone_in_the_next(session: Session, turn: str) -> None:
    assert number_of_users(session) == 0
    add_somebody(session)
    assert number_of_users(session) == 1


def test_a_test_may_not_commit_in_the_shared_session(session: Session) -> None:
    add_somebody(session)
    with pytest.raises(AssertionError, match="committed"):
        session.commit()


def test_a_savepoint_in_the_shared_session_is_no_commit(session: Session) -> None:
    with session.begin_nested():
        add_somebody(session)
    assert number_of_users(session) == 1


def test_a_session_beside_a_database_works_on_that_one(session: Session, database: Database) -> None:
    assert session.get_bind().engine is database.engine


def test_every_fresh_database_is_another(fresh_database: Callable[[], Database]) -> None:
    one, other = fresh_database(), fresh_database()
    with one.unit_of_work(write=True) as session:
        add_somebody(session)
    with one.unit_of_work(write=False) as session:
        assert number_of_users(session) == 1
    with other.unit_of_work(write=False) as session:
        assert number_of_users(session) == 0
