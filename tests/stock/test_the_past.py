"""What is posted stays posted, and no figure becomes impossible, even for somebody with an SQL prompt."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from scm.core.db import Database
from scm.stock import reservations
from scm.stock.reservations import Shortage
from tests.stock import ground as grounds
from tests.stock.ground import Ground


@pytest.fixture
def ground(database: Database) -> Ground:
    """A company with five posted bolts, three of them promised to a planned move."""
    with database.unit_of_work(write=True) as session:
        ground = grounds.prepare(session)
        ground.move_now(session, ground.found(5))
    with database.unit_of_work(write=True) as session:
        [move] = ground.plan(session, ground.outbound(3))
        reservations.reserve(session, [move.id], shortage=Shortage.REFUSE)
    return ground


def everything(database: Database, table: str) -> list[tuple[object, ...]]:
    with database.unit_of_work(write=False) as session:
        return [tuple(row) for row in session.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1, 2, 3"))]


@pytest.mark.parametrize(
    ("table", "words", "statement"),
    [
        ("stock_move", "reverse it", "UPDATE stock_move SET quantity = 6 WHERE state = 'posted'"),
        ("stock_move", "reverse it", "UPDATE stock_move SET state = 'planned' WHERE state = 'posted'"),
        ("stock_move", "reverse it", "UPDATE stock_move SET reason = 'x'"),
        ("stock_move", "reverse it", "DELETE FROM stock_move WHERE state = 'posted'"),
        ("audit_row", "append-only", "UPDATE audit_row SET verb = 'nothing'"),
        ("audit_row", "append-only", "DELETE FROM audit_row"),
    ],
)
def test_the_database_refuses_to_change_the_past(
    database: Database, ground: Ground, table: str, words: str, statement: str
) -> None:
    before = everything(database, table)
    assert before
    with pytest.raises(exc.IntegrityError, match=words), database.unit_of_work(write=True) as session:
        session.execute(sa.text(statement))
    assert everything(database, table) == before


@pytest.mark.parametrize("table", ["stock_move", "audit_row"])
def test_the_past_cannot_be_swept_away_either(database: Database, ground: Ground, table: str) -> None:
    """SQLite's REPLACE deletes without saying so, and PostgreSQL's TRUNCATE fires no trigger of a row."""
    before = everything(database, table)
    sweep = f"REPLACE INTO {table} SELECT * FROM {table}" if database.is_sqlite else f"TRUNCATE {table} CASCADE"
    with pytest.raises(exc.IntegrityError), database.unit_of_work(write=True) as session:
        session.execute(sa.text(sweep))
    assert everything(database, table) == before


def test_a_planned_move_may_change(database: Database, ground: Ground) -> None:
    with database.unit_of_work(write=True) as session:
        session.execute(sa.text("UPDATE stock_move SET quantity = 2 WHERE state = 'planned'"))


@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("reserved_is_there", "UPDATE stock_pool SET reserved = on_hand + 1"),
        ("reserved_is_there", "UPDATE stock_pool SET on_hand = reserved - 1"),
        ("reserved_is_there", "UPDATE stock_pool SET reserved = -1"),
        ("not_negative|is_there", "UPDATE stock_balance SET on_hand = -1, allocated = -1"),
        ("allocated_is_there", "UPDATE stock_balance SET allocated = on_hand + 1"),
        ("moves_something", "UPDATE stock_move SET quantity = 0 WHERE state = 'planned'"),
        ("goes_somewhere", "UPDATE stock_move SET destination_id = source_id WHERE state = 'planned'"),
        ("posted_has_its_time", "UPDATE stock_move SET state = 'posted' WHERE state = 'planned'"),
        ("promises_something", "UPDATE reservation SET quantity = 0"),
    ],
)
def test_the_database_refuses_impossible_figures(
    database: Database, ground: Ground, constraint: str, statement: str
) -> None:
    with pytest.raises(exc.IntegrityError, match=constraint), database.unit_of_work(write=True) as session:
        session.execute(sa.text(statement))
