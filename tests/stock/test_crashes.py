"""A crash at any statement of a verb leaves the database as it was before the verb."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import Base, Database
from scm.stock import allocation, holds, ledger, lots, reservations
from scm.stock.ledger import Posting
from scm.stock.lots import HoldReason
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Shortage
from tests.stock import ground as grounds
from tests.stock.books import check_books
from tests.stock.ground import NOW, TODAY, Ground

Verb = Callable[[Session], Any]


class Crash(RuntimeError):
    """The power goes."""


@contextmanager
def crashing_at(database: Database, number: int) -> Iterator[list[str]]:
    """This function will let the n-th statement be the last, and give what was executed."""
    executed: list[str] = []

    def before(*arguments: Any) -> None:
        if len(executed) == number:
            raise Crash
        executed.append(arguments[2])

    sa.event.listen(database.engine, "before_cursor_execute", before)
    try:
        yield executed
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", before)


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.unit_of_work(write=False) as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(sa.select(table))), key=repr)
            for table in Base.metadata.sorted_tables
            if table.name.startswith(("stock_", "reservation", "peg", "hold", "audit"))
        }


def survive(database: Database, verb: Verb) -> None:
    """This function will crash the verb at its first statement, its second, and so on, until it gets through."""
    before = everything(database)
    for number in count():
        with crashing_at(database, number) as executed:
            try:
                with database.unit_of_work(write=True) as session:
                    verb(session)
            except Crash:
                pass
            else:
                assert number >= len(executed) > 3
                break
        assert everything(database) == before
        check_books(database)
    assert everything(database) != before
    check_books(database)


def test_every_verb_survives_a_crash_at_every_statement(database: Database) -> None:
    with database.unit_of_work(write=True) as session:
        ground: Ground = grounds.prepare(session)
        lot = lots.find_or_create(session, item_id=ground.bolt, code="A")
        for place in ground.bin_ids[:2]:
            ground.move_now(session, ground.found(3, bin_id=place, lot=lot))
            session.info.clear()  # each bin in a transaction of its own, as far as the ledger is concerned
    with database.unit_of_work(write=True) as session:
        [sale, late] = [m.id for m in ground.plan(session, ground.outbound(5), ground.outbound(5, line=2))]
    picks: list[int] = []
    survive(database, lambda s: reservations.reserve(s, [sale, late], shortage=Shortage.SPLIT))
    survive(database, lambda s: picks.extend(allocation.allocate(s, [sale], today=TODAY)[0].pick_ids))
    picked = picks[-2:]
    survive(database, lambda s: ledger.post(s, [Posting(move_id=picked[0], quantity=2)], **ground.how))
    survive(database, lambda s: ground.move_now(s, ground.lost(1, bin_id=ground.bin_ids[1], lot=lot)))
    survive(
        database,
        lambda s: holds.place(s, lot_ids=[lot], reason=HoldReason.RECALL, actor=ground.clerk, now=NOW),
    )
    survive(
        database,
        lambda s: holds.release(s, lot_ids=[lot], reason=HoldReason.RECALL, actor=ground.clerk, now=NOW),
    )
    survive(database, lambda s: reservations.fill_backorders(s, item_ids=[ground.bolt], site_id=ground.site_id))
    survive(database, lambda s: ledger.cancel(s, [late], reason="changed their mind", actor=ground.clerk))
    with database.unit_of_work(write=False) as session:
        sold = (StockMove.document_kind == "sales_order", StockMove.state == MoveState.POSTED)
        back = list(session.scalars(sa.select(StockMove.id).where(*sold)))
    survive(database, lambda s: ledger.reverse(s, back, reason="wrong", **ground.how))
