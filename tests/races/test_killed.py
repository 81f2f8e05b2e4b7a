"""A process is killed at any moment: what it had acknowledged is there, the books are right, and a repetition of the
command that was not answered acts at most once."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest
import sqlalchemy as sa

from scm.core.db import Database
from scm.core.idempotency import IdempotencyKey
from scm.stock.moves import MoveState, StockMove
from tests.races import crew, office
from tests.stock import ground as grounds
from tests.stock.books import check_books
from tests.stock.ground import Ground


def prepared(database: Database) -> Ground:
    with database.unit_of_work(write=True) as session:
        return grounds.prepare(session)


def found(database: Database) -> Counter[int]:
    """This function will count the postings of each quantity, which is the number of its command."""
    with database.unit_of_work(write=False) as session:
        return Counter(session.scalars(sa.select(StockMove.quantity).where(StockMove.state == MoveState.POSTED)))


@pytest.mark.parametrize("kills", [15, pytest.param(200, marks=pytest.mark.soak)])
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    database: Database, database_url: str, kills: int
) -> None:
    ground = prepared(database)
    chance = random.Random(28)
    following, replayed = 1, 0
    for _ in range(kills):
        with crew.alone(database_url, office.post_and_tell, ground, following) as (process, ear):
            told = [next(crew.told(ear))]
            time.sleep(chance.uniform(0, 0.04))
            crew.kill(process)
            told += crew.told(ear)
        assert told == list(range(following, following + len(told)))
        following += len(told)
        there = found(database)
        assert there == Counter(range(1, len(there) + 1))
        assert len(there) in (following - 1, following)
        # The client does not know whether its last command was carried out, so it sends it again.
        replayed += office.send_found(database, ground, following).replayed
        following += 1
        assert found(database) == Counter(range(1, following))
    check_books(database)
    assert replayed <= kills


def test_killed_between_effect_and_answer_the_repetition_is_answered(database: Database, database_url: str) -> None:
    ground = prepared(database)
    with crew.alone(database_url, office.die_between_effect_and_answer, ground, 7) as (process, _):
        process.join(crew.LONGEST_SECONDS)
        assert process.exitcode == -9
    assert office.send_found(database, ground, 7).replayed
    assert found(database) == Counter([7])
    check_books(database)


def test_killed_before_the_commit_nothing_happened(database: Database, database_url: str) -> None:
    ground = prepared(database)
    with crew.alone(database_url, office.die_before_the_commit, ground, 7) as (process, _):
        process.join(crew.LONGEST_SECONDS)
        assert process.exitcode == -9
    assert found(database) == Counter()
    with database.unit_of_work(write=False) as session:
        assert session.scalars(sa.select(IdempotencyKey.key)).all() == []
    assert not office.send_found(database, ground, 7).replayed
    assert found(database) == Counter([7])
