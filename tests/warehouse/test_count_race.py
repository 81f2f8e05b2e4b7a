"""A count is approved while its goods are moved, in processes of their own: one of the two is told.

The books never follow a count of what was there before.
"""

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
from scm.stock import ledger
from scm.stock.balances import StockBalance
from scm.stock.ledger import MoveRequest
from tests.world import World
from warehouse import counting
from warehouse.counting import CountedStock, CountOutdated
from warehouse.counts import Target

STOCK, FOUND, MOVED = 20, 17, 5
TODAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
PROCESSES = multiprocessing.get_context("fork")


def approve(url: str, count_id: int, barrier: Barrier, answers: Queue[str], comparing: bool) -> None:
    """Approve the count; without comparing, believe what was read when it was counted."""
    database = Database(url)
    if not comparing:

        def believe(*args: Any, **kwargs: Any) -> None:
            return None

        counting._refuse_outdated = believe
    barrier.wait(timeout=30)
    try:
        with database.unit_of_work(write=True) as session:
            approver = users.actor(session, username="approver")
            counting.approve(session, count_id, actor=approver, now=NOW, today=TODAY)
        answers.put("approved")
    except CountOutdated:
        answers.put("outdated")
    finally:
        database.dispose()


def move(url: str, request: MoveRequest, company_id: int, barrier: Barrier, answers: Queue[str], first: bool) -> None:
    """Take goods out of the counted bin, before the others begin or at the same moment."""
    database = Database(url)
    if not first:
        barrier.wait(timeout=30)
    with database.unit_of_work(write=True) as session:
        clerk = users.actor(session, username="warehouse")
        ledger.move_now(session, [request], company_id=company_id, actor=clerk, now=NOW, today=TODAY)
    answers.put("moved")
    database.dispose()
    if first:
        barrier.wait(timeout=30)


def race(database: Database, url: str, *, comparing: bool, first: bool) -> tuple[list[str], int]:
    """Both answers, and what the books then say about the bin."""
    with database.unit_of_work(write=True) as session:
        world = World(session, today=TODAY)
        bolt, bin_id = world.item("bolt"), world.setup.bin_ids[0]
        world.stock(bolt, STOCK)
        clerk = world.user("warehouse")
        count_id = counting.plan_count(world.begin(), [Target(bin_id)], actor=clerk, now=NOW, today=TODAY)
        found = [CountedStock(location_id=bin_id, item_id=bolt, quantity=FOUND)]
        counting.record_count(world.begin(), count_id, found, actor=clerk, now=NOW)
        request = MoveRequest(
            item_id=bolt,
            source_id=bin_id,
            destination_id=world.setup.bin_ids[1],
            quantity=MOVED,
            due_date=TODAY,
            document_kind="relocation",
            document_id=1,
            line_id=1,
        )
        company_id = world.setup.company_id
    database.dispose()  # a child must not inherit a connection
    answers: Queue[str] = PROCESSES.Queue()
    barrier = PROCESSES.Barrier(2)
    people = [
        PROCESSES.Process(target=approve, args=(url, count_id, barrier, answers, comparing)),
        PROCESSES.Process(target=move, args=(url, request, company_id, barrier, answers, first)),
    ]
    for person in people:
        person.start()
    for person in people:
        person.join(timeout=60)
    with database.unit_of_work(write=False) as session:
        there = sa.select(StockBalance.on_hand).where(StockBalance.location_id == bin_id)
        left = int(session.execute(there).scalar_one())
    return sorted(answers.get(timeout=10) for _ in people), left


@pytest.mark.parametrize("turn", range(3))
def test_a_count_is_approved_only_of_what_still_stands_there(database: Database, database_url: str, turn: int) -> None:
    answers, left = race(database, database_url, comparing=True, first=False)
    assert (answers, left) in (
        (["approved", "moved"], FOUND - MOVED),
        (["moved", "outdated"], STOCK - MOVED),
    )


def test_what_moved_before_the_approval_makes_the_count_worthless(database: Database, database_url: str) -> None:
    assert race(database, database_url, comparing=True, first=True) == (["moved", "outdated"], STOCK - MOVED)


def test_without_the_comparison_the_books_would_follow_an_old_count(database: Database, database_url: str) -> None:
    answers, left = race(database, database_url, comparing=False, first=True)
    assert (answers, left) == (["approved", "moved"], STOCK - MOVED - (STOCK - FOUND))
