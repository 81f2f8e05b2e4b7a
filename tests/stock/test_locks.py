"""One stock lock per transaction, in one order: pools before balances, each sorted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import Database, DatabaseBusy
from scm.master.locations import LocationKind
from scm.stock import allocation, balances, holds, ledger, lots, moves, reservations
from scm.stock.balances import BalanceKey, PoolKey, SecondStockLock
from scm.stock.ledger import Posting
from scm.stock.lots import NO_LOT, HoldReason
from tests.stock import ground as grounds
from tests.stock.books import check_books
from tests.stock.ground import NOW, TODAY, Ground


@pytest.fixture
def ground(database: Database) -> Ground:
    with database.unit_of_work(write=True) as session:
        return grounds.prepare(session)


def pools(ground: Ground) -> list[PoolKey]:
    return [PoolKey(item, ground.site_id, 1, "general") for item in ground.item_ids]


def places(ground: Ground) -> list[BalanceKey]:
    return [BalanceKey(item, place, NO_LOT, 1) for item in ground.item_ids for place in ground.bin_ids]


def test_a_second_stock_lock_raises_unless_it_asks_for_nothing_new(database: Database, ground: Ground) -> None:
    first, second = pools(ground)
    with database.unit_of_work(write=True) as session:
        locked = balances.lock(session, pools=[first])
        assert balances.lock(session, pools=[first]) is locked
        assert balances.lock(session) is locked
        with pytest.raises(SecondStockLock, match="now asks for"):
            balances.lock(session, pools=[first, second])
        with pytest.raises(SecondStockLock):
            balances.lock(session, balances=places(ground)[:1])
    with database.unit_of_work(write=True) as session:
        assert set(balances.lock(session, pools=[second]).pools) == {second}


def test_a_savepoint_that_is_undone_takes_its_lock_with_it(database: Database, ground: Ground) -> None:
    with database.unit_of_work(write=True) as session:
        with session.begin_nested() as savepoint:
            balances.lock(session, pools=pools(ground)[:1])
            savepoint.rollback()
        assert balances.held(session) is None


@pytest.mark.parametrize("backend", ["postgresql"])
def test_rows_are_locked_pools_first_and_sorted(database: Database, ground: Ground) -> None:
    """Only PostgreSQL locks rows; SQLite has one writer at a time."""
    statements: list[tuple[str, str]] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *a: statements.append((a[2], str(a[3]))))
    with database.unit_of_work(write=True) as session:
        balances.lock(session, pools=reversed(pools(ground)), balances=reversed(places(ground)))
    locking = [text for text, _ in statements if "FOR UPDATE" in text]
    tables = [table for text in locking for table in ("stock_pool", "stock_balance") if f"FROM {table}" in text]
    assert tables == sorted(tables, reverse=True)
    for text in locking:
        order = text.partition("ORDER BY")[2].partition("FOR UPDATE")[0].split(",")
        table = tables[locking.index(text)]
        key = ["item_id", "site_id", "owner_id", "pool"]
        if table == "stock_balance":
            key = ["item_id", "location_id", "lot_id", "owner_id"]
        assert [name.strip() for name in order] == [f"{table}.{name}" for name in key]


# What waits for whom on PostgreSQL. SQLite has one writer at a time, so nothing there can come in between.


@pytest.fixture
def impatient(database_url: str) -> Iterator[Database]:
    """The same database for somebody who waits a fifth of a second for a lock."""
    opened = Database(database_url, lock_timeout_seconds=0.2)
    yield opened
    opened.dispose()


def on_the_dock(database: Database, ground: Ground) -> tuple[int, int]:
    """This function will receive a lot and give it and the move that puts it away."""
    with database.unit_of_work(write=True) as session:
        lot = lots.find_or_create(session, item_id=ground.bolt, code="A")
        [inward] = ground.plan(session, ground.inbound(5))
        [leg] = ledger.post(session, [Posting(move_id=inward.id, lot_id=lot)], **ground.how).planned_next
    return lot, leg.id


def put_away(session: Session, ground: Ground, leg: int) -> None:
    ledger.post(session, [Posting(move_id=leg, destination_id=ground.bin_ids[0])], **ground.how)


def hold(session: Session, ground: Ground, lot: int) -> None:
    holds.place(session, lot_ids=[lot], reason=HoldReason.RECALL, actor=ground.clerk, now=NOW)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_lot_is_not_put_away_while_it_is_being_held(database: Database, ground: Ground, impatient: Database) -> None:
    """Nothing of it is in storage yet, so no stock row would make the two wait for each other."""
    lot, leg = on_the_dock(database, ground)
    with database.unit_of_work(write=True) as session:
        hold(session, ground, lot)
        with pytest.raises(DatabaseBusy), impatient.unit_of_work(write=True) as other:
            put_away(other, ground, leg)
    with impatient.unit_of_work(write=True) as session:
        put_away(session, ground, leg)
        assert grounds.pool(session, ground) == (0, 0)
    check_books(database)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_lot_is_not_held_while_it_is_being_put_away(database: Database, ground: Ground, impatient: Database) -> None:
    lot, leg = on_the_dock(database, ground)
    with database.unit_of_work(write=True) as session:
        put_away(session, ground, leg)
        with pytest.raises(DatabaseBusy), impatient.unit_of_work(write=True) as other:
            hold(other, ground, lot)
    with impatient.unit_of_work(write=True) as session:
        hold(session, ground, lot)
    check_books(database)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_two_postings_of_one_lot_do_not_wait_for_each_other(
    database: Database, ground: Ground, impatient: Database
) -> None:
    lot, _ = on_the_dock(database, ground)
    with database.unit_of_work(write=True) as session:
        ground.move_now(session, ground.found(1, bin_id=ground.bin_ids[1], lot=lot))
        with impatient.unit_of_work(write=True) as other:
            ground.move_now(other, replace(ground.found(1, lot=lot), destination_id=ground.at(LocationKind.RETURNS)))
    check_books(database)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_promises_are_not_given_back_while_their_bins_are_chosen(
    database: Database, ground: Ground, impatient: Database
) -> None:
    """The loss is in a bin that the allocation does not even look at, because another order's pick takes all of it."""
    with database.unit_of_work(write=True) as session:
        ground.move_now(session, ground.found(5), ground.found(5, bin_id=ground.bin_ids[1]))
    with database.unit_of_work(write=True) as session:
        [older, newer] = [m.id for m in ground.plan(session, ground.outbound(5), ground.outbound(5, line=2))]
        reservations.reserve(session, [older, newer], shortage=reservations.Shortage.REFUSE)
    with database.unit_of_work(write=True) as session:
        allocation.allocate(session, [older], today=TODAY)
    with database.unit_of_work(write=True) as session:
        allocation.allocate(session, [newer], today=TODAY)
        with pytest.raises(DatabaseBusy), impatient.unit_of_work(write=True) as other:
            ground.move_now(other, ground.lost(5))
    with impatient.unit_of_work(write=True) as session:
        [gone] = ground.move_now(session, ground.lost(5)).unreserved
        assert gone.move_id == older
    check_books(database)


@pytest.mark.parametrize("backend", ["postgresql"])
def test_backorders_that_somebody_is_working_on_are_left_to_them(
    database: Database, ground: Ground, impatient: Database
) -> None:
    with database.unit_of_work(write=True) as session:
        first, second = ground.plan(session, ground.outbound(2), ground.outbound(2, line=2))
        ground.move_now(session, ground.found(5))
    with database.unit_of_work(write=True) as session:
        moves.lock(session, [first.id])  # as whoever confirms, picks or cancels it does first
        with impatient.unit_of_work(write=True) as other:
            filled = reservations.fill_backorders(other, item_ids=[ground.bolt], site_id=ground.site_id)
            assert [outcome.move_id for outcome in filled] == [second.id]
    check_books(database)
