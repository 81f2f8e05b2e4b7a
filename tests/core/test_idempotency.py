"""A command acts once per key. What happens between twins that run at the same moment is in tests/races."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import idempotency, outbox
from scm.core.db import Database
from scm.core.errors import Conflict
from scm.core.idempotency import Answer, BadKey, IdempotencyKey, KeyReused
from scm.core.outbox import OutboxMessage

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def send(
    database: Database,
    *,
    key: str = "k1",
    body: Any = None,
    principal: str = "mira",
    work: Callable[[Session], Any] | None = None,
) -> Answer:
    return idempotency.run_once(
        database, principal=principal, command="write", key=key, body=body, now=NOW, work=work or write_one
    )


def write_one(session: Session) -> str:
    return outbox.put(
        session, topic="t", recipient="r", document_kind="d", document_id=1, payload={"a": [1, None, "ü"]}, now=NOW
    )


def effects(database: Database) -> int:
    with database.unit_of_work(write=False) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(OutboxMessage)) or 0


def test_a_repetition_is_answered_from_memory(database: Database) -> None:
    first = send(database, body={"b": 1, "a": 2})
    again = send(database, body={"a": 2, "b": 1})
    assert (first.replayed, again.replayed) == (False, True)
    assert first.value == again.value
    assert effects(database) == 1


def test_nothing_is_an_answer_too(database: Database) -> None:
    assert send(database, work=lambda session: None).value is None
    assert send(database) == Answer(value=None, replayed=True)


def test_another_body_under_the_same_key_is_refused(database: Database) -> None:
    send(database, body=[1])
    with pytest.raises(KeyReused, match="use a new key"):
        send(database, body=[2])
    assert effects(database) == 1


def test_another_person_may_use_the_same_key(database: Database) -> None:
    send(database, principal="mira")
    assert not send(database, principal="joe").replayed
    assert effects(database) == 2


def test_a_refusal_is_not_remembered(database: Database) -> None:
    def refuse(session: Session) -> None:
        write_one(session)
        raise Conflict("not now")

    with pytest.raises(Conflict, match="not now"):
        send(database, work=refuse)
    assert effects(database) == 0
    assert not send(database).replayed


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "a\x00b"])
def test_a_key_is_short_and_printable(database: Database, key: str) -> None:
    with pytest.raises(BadKey, match="1 to 200 printable"):
        send(database, key=key)
    assert effects(database) == 0


def test_keys_are_kept_for_thirty_days(database: Database) -> None:
    send(database)
    for days, forgotten in ((30, 0), (31, 1), (32, 0)):
        with database.unit_of_work(write=True) as session:
            assert idempotency.forget_before(session, now=NOW + timedelta(days=days)) == forgotten
    with database.unit_of_work(write=False) as session:
        assert session.scalars(sa.select(IdempotencyKey.key)).all() == []
