"""Ten processes send the same commands: each acts once, and every sender gets the answer."""

from __future__ import annotations

from collections import Counter

import pytest
import sqlalchemy as sa

from scm.core.db import Database
from scm.core.outbox import OutboxMessage
from tests.races import crew, office

KEYS = [f"key-{n}" for n in range(200)]


def effects(database: Database) -> Counter[str]:
    with database.unit_of_work(write=False) as session:
        return Counter(session.scalars(sa.select(OutboxMessage.topic)))


def test_a_key_sent_by_ten_acts_once(database: Database, database_url: str) -> None:
    answers = crew.together(database_url, office.send_commands, count=10, args=(KEYS,))
    together: Counter[str] = sum(answers, Counter())
    assert together["acted"] == len(KEYS)
    assert together["replayed"] == 9 * len(KEYS)
    assert effects(database) == Counter(KEYS)


def test_without_the_key_a_command_acts_for_every_sender(database: Database, database_url: str) -> None:
    crew.together(database_url, office.without_remembering_send, count=3, args=(KEYS[:5],))
    assert effects(database) == Counter(dict.fromkeys(KEYS[:5], 3))


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_twin_that_still_runs_after_a_second_is_said_to(database: Database, database_url: str) -> None:
    assert crew.together(database_url, office.hold_a_command, count=2, args=("k",)) == ["slow acted", "still running"]
    assert effects(database) == Counter({"k": 1})


@pytest.mark.parametrize("backend", ["sqlite"])
def test_on_sqlite_the_twin_waits_as_long_as_for_any_writer(database: Database, database_url: str) -> None:
    """There the wait is that for the one writer, SCM_LOCK_TIMEOUT_SECONDS, whatever that one is doing."""
    answers = crew.together(database_url, office.hold_a_command, count=2, args=("k",), lock_timeout_seconds=0.3)
    assert answers == ["slow acted", "still running"]
    assert effects(database) == Counter({"k": 1})
