"""What the processes of a crew do to stock. Each function is given its `Mate` first and returns something small.

Functions named `without_…` take a guard away in their own process before they do it: the negative controls.
"""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Session

from scm.core import db
from scm.stock import balances, ledger, moves, reservations
from scm.stock.ledger import Posting
from scm.stock.moves import StockMove
from scm.stock.reservations import Shortage
from tests.races.crew import Mate
from tests.stock.ground import Ground

# ---- reserving


def reserve_one_by_one(mate: Mate, move_ids: Sequence[Sequence[int]]) -> int:
    """This function will promise its own moves one after the other and count the units it got."""
    mate.meet()
    got = 0
    for move_id in move_ids[mate.number]:
        reserve = functools.partial(reservations.reserve, move_ids=[move_id], shortage=Shortage.SPLIT)
        [outcome] = mate.database.run(reserve)
        got += outcome.reserved
    return got


def without_locks_reserve(mate: Mate, move_ids: Sequence[int]) -> int:
    """This function will promise one move, reading the pool without a lock and writing when all have read."""
    plain = read_without_lock(mate)
    with mock.patch.object(balances, "_select_for_update", plain), mock.patch.object(db, "_begin_sqlite", no_begin):
        database = db.Database(mate.database.url.render_as_string(hide_password=False))
        with database.unit_of_work(write=True) as session:
            [outcome] = reservations.reserve(session, [move_ids[mate.number]], shortage=Shortage.SPLIT)
    database.dispose()
    return outcome.reserved


def with_a_plain_begin_reserve(mate: Mate, move_ids: Sequence[int]) -> int:
    """This function will promise one move in a deferred transaction of SQLite."""

    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    plain = read_without_lock(mate)
    with mock.patch.object(balances, "_select_for_update", plain), mock.patch.object(db, "_begin_sqlite", begin):
        database = db.Database(mate.database.url.render_as_string(hide_password=False))
        with database.unit_of_work(write=True) as session:
            [outcome] = reservations.reserve(session, [move_ids[mate.number]], shortage=Shortage.SPLIT)
    database.dispose()
    return outcome.reserved


def no_begin(connection: sa.Connection) -> None:
    """This function will begin nothing: every statement of SQLite is then a transaction of its own."""


def read_without_lock(mate: Mate) -> Callable[..., dict[Any, tuple[int, int]]]:
    """This function will give a way to read stock rows that locks none and waits until all have read."""

    def read(session: Session, table: Any, keys: Sequence[Any]) -> dict[Any, tuple[int, int]]:
        primary, there, taken = balances._columns(table)
        statement = sa.select(*primary, there, taken).where(sa.tuple_(*primary).in_([tuple(key) for key in keys]))
        found = {tuple(row[:-2]): (int(row[-2]), int(row[-1])) for row in session.execute(statement)}
        mate.meet()
        return found

    return read


def order_shuffled_lines(mate: Mate, ground: Ground, orders: int) -> Counter[str]:
    """This function will place orders of every item in a random order of lines, each all or nothing."""
    chance = random.Random(mate.number)
    answers: Counter[str] = Counter()
    mate.meet()
    for order in range(orders):
        items = chance.sample(ground.item_ids, k=len(ground.item_ids))
        requests = [
            ground.outbound(1, item=item, line=line, order=1 + mate.number * orders + order)
            for line, item in enumerate(items, start=1)
        ]

        def work(session: Session, requests: Sequence[ledger.MoveRequest] = requests) -> None:
            planned = ground.plan(session, *requests)
            reservations.reserve(session, [move.id for move in planned], shortage=Shortage.REFUSE)

        try:
            mate.database.run(work)
            answers["promised"] += 1
        except reservations.NotEnoughToPromise:
            answers["refused"] += 1
    return answers


def without_sorting_lock_two(mate: Mate, keys: Sequence[balances.PoolKey]) -> str:
    """This function will lock two rows in line order: the second process has its lines the other way round."""
    first, second = keys if mate.number == 0 else reversed(keys)
    try:
        with mate.database.unit_of_work(write=True) as session:
            balances._select_for_update(session, balances.StockPool, [first])
            mate.meet()
            balances._select_for_update(session, balances.StockPool, [second])
    except exc.DBAPIError as error:
        return str(getattr(error.orig, "sqlstate", error))
    return "locked both"


# ---- posting


def post_the_same(mate: Mate, ground: Ground, move_id: int, quantity: int | None) -> int:
    """This function will post a move that others post at the same moment."""
    mate.meet()
    return mate.database.run(
        lambda s: len(ledger.post(s, [Posting(move_id=move_id, quantity=quantity)], **ground.how).posted)
    )


def without_row_lock_post(mate: Mate, ground: Ground, move_id: int, quantity: int | None) -> int:
    """This function will post a move that both have read without a lock: the second when the first is done."""

    def read(session: Session, move_ids: Sequence[int], **_: Any) -> list[moves.Move]:
        rows = session.execute(sa.select(StockMove.__table__).where(StockMove.id.in_(list(move_ids)))).all()
        if rows:
            mate.meet()
            if mate.number == 1:
                mate.meet()
        return [moves.Move(**row._mapping) for row in rows]

    with mock.patch.object(moves, "lock", read), mock.patch.object(db, "_begin_sqlite", no_begin):
        database = db.Database(mate.database.url.render_as_string(hide_password=False))
        with database.unit_of_work(write=True) as session:
            result = ledger.post(session, [Posting(move_id=move_id, quantity=quantity)], **ground.how)
    if mate.number == 0:
        mate.meet()
    return len(result.posted)


def reverse_the_same(mate: Mate, ground: Ground, move_id: int) -> int:
    """This function will reverse a move that others reverse at the same moment."""
    mate.meet()
    return mate.database.run(lambda s: len(ledger.reverse(s, [move_id], reason="wrong", **ground.how).posted))
