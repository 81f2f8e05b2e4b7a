"""Many processes want the last units: they are sold once, and nobody sees a deadlock."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from scm.core.db import Database
from scm.stock.balances import PoolKey, StockPool
from scm.stock.reservations import Reservation
from tests.races import crew, work
from tests.stock import ground as grounds
from tests.stock.books import check_books
from tests.stock.ground import Ground


def prepared(database: Database, *, stock: int, items: int = 1) -> Ground:
    with database.unit_of_work(write=True) as session:
        ground = grounds.prepare(session, items=items)
        ground.move_now(session, *[ground.found(stock, item=item) for item in ground.item_ids])
    return ground


def planned(database: Database, ground: Ground, *, count: int) -> list[int]:
    with database.unit_of_work(write=True) as session:
        return [m.id for m in ground.plan(session, *[ground.outbound(1, line=n + 1) for n in range(count)])]


def sold(database: Database) -> tuple[int, int]:
    """This function will give what is promised, and what there is."""
    with database.unit_of_work(write=False) as session:
        promised = session.scalar(sa.select(sa.func.sum(Reservation.quantity))) or 0
        return int(promised), int(session.scalar(sa.select(sa.func.sum(StockPool.on_hand))) or 0)


def test_the_last_units_are_sold_once(database: Database, database_url: str) -> None:
    ground = prepared(database, stock=20)
    ids = planned(database, ground, count=48)
    shares = [ids[n::8] for n in range(8)]
    got = crew.together(database_url, work.reserve_one_by_one, count=8, args=(shares,))
    assert sum(got) == 20
    assert sold(database) == (20, 20)
    check_books(database)


def test_without_the_lock_the_last_unit_is_sold_twice(database: Database, database_url: str) -> None:
    ground = prepared(database, stock=1)
    ids = planned(database, ground, count=2)
    assert crew.together(database_url, work.without_locks_reserve, count=2, args=(ids,)) == [1, 1]
    assert sold(database) == (2, 1)
    with pytest.raises(AssertionError):
        check_books(database)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_with_a_plain_begin_sqlite_refuses_one_of_two_orders(database: Database, database_url: str) -> None:
    """A deferred transaction that has read cannot become a writer once another has written: it would have to be
    run again, whoever is to be told. BEGIN IMMEDIATE makes it wait instead."""
    ground = prepared(database, stock=2)
    ids = planned(database, ground, count=2)
    answers = crew.together(database_url, work.with_a_plain_begin_reserve, count=2, args=(ids,))
    [refused] = [answer for answer in answers if answer != 1]
    assert refused.error == "DatabaseBusy"
    assert crew.together(database_url, work.reserve_one_by_one, count=2, args=([ids[:1], ids[1:]],)) == [1, 1]


def test_orders_with_shuffled_lines_never_deadlock(database: Database, database_url: str) -> None:
    ground = prepared(database, stock=12, items=6)
    answers = crew.together(database_url, work.order_shuffled_lines, count=6, args=(ground, 4))
    assert sum(answer["promised"] for answer in answers) == 12
    assert sum(answer["refused"] for answer in answers) == 12
    assert sold(database) == (72, 72)
    check_books(database)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_locking_in_the_order_of_the_lines_deadlocks(database: Database, database_url: str) -> None:
    """SQLite cannot deadlock: it has one lock."""
    ground = prepared(database, stock=1, items=2)
    keys = [PoolKey(item, ground.site_id, 1, "general") for item in ground.item_ids]
    answers = crew.together(database_url, work.without_sorting_lock_two, count=2, args=(keys,))
    assert sorted(answers) == ["40P01", "locked both"]
