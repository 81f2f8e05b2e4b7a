"""Two transfers want the same goods, and several people receive the same one: nothing is sent or received twice."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from scm.core.db import Database
from scm.stock.balances import StockPool
from tests.moving import Lanes
from tests.races import crew, moving_work
from tests.races.crew import Refused
from tests.races.moving_work import Lorry
from tests.stock.books import check_books
from tests.world import World


def prepare(database: Database, *, sent: bool = False) -> Lorry:
    """Forty bolts, and two drafts of thirty; or one transfer of thirty on its way."""
    with database.unit_of_work(write=True) as session:
        world = World(session)
        lanes = Lanes(world)
        bolt = world.item("bolt")
        world.stock(bolt, 40)
        ids = (lanes.sent((bolt, 30)),) if sent else (lanes.draft((bolt, 30)), lanes.draft((bolt, 30)))
        world.begin()
    return Lorry(transfer_ids=ids, actor=world.user("warehouse"), now=world.now, today=world.today)


def promised(database: Database) -> int:
    with database.unit_of_work(write=False) as session:
        return int(session.scalar(sa.select(sa.func.sum(StockPool.reserved))) or 0)


def test_of_two_transfers_of_the_same_goods_one_is_released(database: Database, database_url: str) -> None:
    lorry = prepare(database)
    answers = crew.together(database_url, moving_work.release_its_own, count=2, args=(lorry,))
    assert [answer.error for answer in answers if isinstance(answer, Refused)] == ["NotEnoughToPromise"]
    assert promised(database) == 30
    check_books(database)


def test_without_the_lock_both_are_released(database: Database, database_url: str) -> None:
    lorry = prepare(database)
    answers = crew.together(database_url, moving_work.without_locks_release_its_own, count=2, args=(lorry,))
    assert answers == [True, True], "sixty of forty"
    with pytest.raises(AssertionError):
        check_books(database)


def test_a_transfer_received_by_three_comes_once(database: Database, database_url: str) -> None:
    lorry = prepare(database, sent=True)
    answers = crew.together(database_url, moving_work.receive, count=3, args=(lorry,))
    assert [answer for answer in answers if not isinstance(answer, Refused)] == [30]
    assert {answer.error for answer in answers if isinstance(answer, Refused)} == {"IllegalTransition"}
    check_books(database)
