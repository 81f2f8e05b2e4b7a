"""Two people at two doors receive the same order line at the same moment, in processes of their own."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, date, datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from scm.core import users
from scm.core.db import Database
from scm.stock import moves
from scm.stock.balances import StockBalance
from tests.world import World
from warehouse import receiving
from warehouse.receiving import Arrival, OverTolerance

ORDERED, TOLERATED, COUNTED = 100, 10, 60
TODAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
PROCESSES = multiprocessing.get_context("fork")


def at_one_door(url: str, order_id: int, barrier: Barrier, answers: Queue[str], locking: bool) -> None:
    """Count 60 and say what came of it; without locking, decide on what was read before the other one wrote."""
    database = Database(url)
    with database.unit_of_work(write=False) as session:
        read = moves.of_documents(session, kind="purchase_order", document_ids=[order_id])
    if not locking:

        def remembered(*args: Any, **kwargs: Any) -> list[moves.Move]:
            return read

        moves.lock = remembered
    barrier.wait(timeout=30)
    try:
        with database.unit_of_work(write=True) as session:
            receiving.receive(
                session,
                [Arrival(move_id=read[0].id, quantity=COUNTED)],
                delivery_note="",
                actor=users.actor(session, username="warehouse"),
                now=NOW,
                today=TODAY,
            )
        answers.put("received")
    except OverTolerance:
        answers.put("refused")
    finally:
        database.dispose()


def race(database: Database, url: str, *, locking: bool) -> tuple[list[str], int]:
    """Both doors' answers, and how much stands at the dock afterwards."""
    with database.unit_of_work(write=True) as session:
        world = World(session, today=TODAY)
        agreement = world.agreement(world.item("bolt"), world.supplier("acme", over_receipt_rate="0.1"))
        order_id = world.approved_order((agreement, ORDERED))
    database.dispose()  # a child must not inherit a connection
    answers: Queue[str] = PROCESSES.Queue()
    barrier = PROCESSES.Barrier(2)
    doors = [PROCESSES.Process(target=at_one_door, args=(url, order_id, barrier, answers, locking)) for _ in range(2)]
    for door in doors:
        door.start()
    for door in doors:
        door.join(timeout=60)
    with database.unit_of_work(write=False) as session:
        there = sa.select(sa.func.sum(StockBalance.on_hand)).where(StockBalance.location_id == world.setup.dock_id)
        received = int(session.execute(there).scalar_one() or 0)
    return sorted(answers.get(timeout=10) for _ in doors), received


@pytest.mark.parametrize("turn", range(3))
def test_no_more_than_ordered_and_tolerated_is_received(database: Database, database_url: str, turn: int) -> None:
    assert race(database, database_url, locking=True) == (["received", "refused"], COUNTED)


def test_without_the_lock_both_would_be_received(database: Database, database_url: str) -> None:
    answers, received = race(database, database_url, locking=False)
    assert answers == ["received", "received"]
    assert received > ORDERED + TOLERATED
