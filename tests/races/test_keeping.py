"""Two people change the same master data: one of them is told, and no bin is retired under goods."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from scm.core.db import Database
from scm.master.items import Item
from scm.master.locations import Location
from scm.stock.balances import StockBalance
from tests.races import crew, keeping
from tests.races.crew import Refused
from tests.world import World
from warehouse import putaway

ROUNDS = 3


def test_of_many_who_change_a_cell_one_does_and_the_others_are_told(database: Database, database_url: str) -> None:
    with database.unit_of_work(write=True) as session:
        World(session).item("bolt")
    believed = "bolt"
    for _ in range(ROUNDS):
        came = crew.together(database_url, keeping.rename, count=4, args=("bolt", believed))
        [won] = [one for one in came if not isinstance(one, Refused)]
        assert {one.error for one in came if isinstance(one, Refused)} == {"ChangedMeanwhile"}
        with database.unit_of_work(write=False) as session:
            assert session.scalar(sa.select(Item.name)) == won
        believed = won


def test_without_one_transaction_all_of_them_believe_they_did(database: Database, database_url: str) -> None:
    with database.unit_of_work(write=True) as session:
        World(session).item("bolt")
    came = crew.together(database_url, keeping.without_one_transaction_rename, count=4, args=("bolt", "bolt"))
    assert len(set(came)) == 4, "the race did not happen"


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_a_bin_is_used_or_retired_and_never_both(database: Database, database_url: str, turn: int) -> None:
    with database.unit_of_work(write=True) as session:
        world = World(session)
        bolt = world.item("bolt")
        world.agreement(bolt, world.supplier("acme"))
        world.receive(world.sent_order((bolt, 5)))
        [move] = putaway.waiting(session, site_id=world.setup.site_id)
        place = session.get_one(Location, world.setup.bin_ids[0])
        assert place.pick_sequence == 1
        code, bin_id, move_id = place.code, place.id, move.id
    came = crew.together(database_url, keeping.use_or_retire, count=2, args=(code, move_id, bin_id))
    assert len([one for one in came if not isinstance(one, Refused)]) == 1, came
    with database.unit_of_work(write=False) as session:
        retired = session.scalar(sa.select(Location.retired).where(Location.id == bin_id))
        lying = session.scalar(sa.select(sa.func.sum(StockBalance.on_hand)).where(StockBalance.location_id == bin_id))
    assert bool(retired) is not bool(lying)
