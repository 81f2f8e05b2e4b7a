"""The audit trail is written with the change it describes, and with nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit, users
from scm.core.audit import AuditRow
from scm.core.db import Database
from scm.core.users import Actor

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def mira(database: Database) -> Actor:
    with database.unit_of_work(write=True) as session:
        return users.add(session, username="mira", display_name="Mira", roles=frozenset(), now=NOW)


def note(session: Session, actor: Actor, verb: str) -> None:
    audit.record(session, actor=actor, verb=verb, document_kind="order", document_ids=[1, 2], colour="grün")


def verbs(database: Database) -> list[str]:
    with database.unit_of_work(write=False) as session:
        return list(session.scalars(sa.select(AuditRow.verb).order_by(AuditRow.id)))


def test_one_row_per_document_is_written_at_the_commit(database: Database, mira: Actor) -> None:
    with database.unit_of_work(write=True) as session:
        note(session, mira, "place")
    with database.unit_of_work(write=False) as session:
        rows = session.scalars(sa.select(AuditRow).order_by(AuditRow.document_id)).all()
        assert [(r.actor_id, r.verb, r.document_id, r.detail) for r in rows] == [
            (mira.user_id, "place", 1, {"colour": "grün"}),
            (mira.user_id, "place", 2, {"colour": "grün"}),
        ]
        assert all(abs((row.at - datetime.now(UTC)).total_seconds()) < 60 for row in rows)


def test_what_was_undone_leaves_no_row(database: Database, mira: Actor) -> None:
    with pytest.raises(ZeroDivisionError), database.unit_of_work(write=True) as session:
        note(session, mira, "place")
        print(1 / 0)
    assert verbs(database) == []


def test_an_undone_savepoint_forgets_only_its_own_rows(database: Database, mira: Actor) -> None:
    with database.unit_of_work(write=True) as session:
        note(session, mira, "before")
        with session.begin_nested():
            note(session, mira, "kept")
        with session.begin_nested() as savepoint:
            note(session, mira, "undone")
            savepoint.rollback()
        note(session, mira, "after")
    assert verbs(database) == ["before", "before", "kept", "kept", "after", "after"]
