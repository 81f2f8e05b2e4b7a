"""Positions are derived from balances and planned moves, and add up whatever happens to the goods."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from scm.core.db import Database
from scm.stock import holds, ledger, lots, pegs, projection, reservations
from scm.stock.ledger import Posting
from scm.stock.lots import HoldReason, LotDiffers, LotUnknown
from scm.stock.moves import MoveUnknown
from scm.stock.pegs import PegRequest
from scm.stock.projection import Position
from scm.stock.reservations import Shortage
from tests.stock import ground as grounds
from tests.stock.ground import NOW, TODAY, Ground


@pytest.fixture
def ground(database: Database) -> Ground:
    with database.unit_of_work(write=True) as session:
        return grounds.prepare(session)


def position(database: Database, ground: Ground) -> Position:
    with database.unit_of_work(write=False) as session:
        everything = projection.positions(session, site_id=ground.site_id)
        one = projection.positions(session, site_id=ground.site_id, item_ids=[ground.bolt])
    assert everything == one
    return one.get(ground.bolt, Position())


def figures(found: Position) -> tuple[int, ...]:
    return (found.on_hand, found.reserved, found.inbound, found.on_order, found.backordered, found.inventory_position)


def test_a_position_follows_the_goods_from_order_to_shelf_to_customer(database: Database, ground: Ground) -> None:
    assert figures(position(database, ground)) == (0, 0, 0, 0, 0, 0)
    with database.unit_of_work(write=True) as session:
        later = TODAY + timedelta(days=5)
        [supply, sale] = ground.plan(session, replace(ground.inbound(10), due_date=later), ground.outbound(4))
    ordered = position(database, ground)
    assert figures(ordered) == (0, 0, 0, 10, 4, 6)
    assert [projection.projected_available(ordered, on=on) for on in (TODAY, later)] == [-4, 6]
    assert [projection.available_to_promise(ordered, on=on) for on in (TODAY, later)] == [0, 6]
    with database.unit_of_work(write=True) as session:
        [leg] = ledger.post(session, [Posting(move_id=supply.id, quantity=7)], **ground.how).planned_next
    assert figures(position(database, ground)) == (0, 0, 7, 3, 4, 6)
    with database.unit_of_work(write=True) as session:
        ledger.post(session, [Posting(move_id=leg.id, destination_id=ground.bin_ids[0])], **ground.how)
        reservations.fill_backorders(session, item_ids=[ground.bolt], site_id=ground.site_id)
    assert figures(position(database, ground)) == (7, 4, 0, 3, 0, 6)
    with database.unit_of_work(write=True) as session:
        ledger.post(session, [Posting(move_id=sale.id, source_id=ground.bin_ids[0])], **ground.how)
    assert figures(position(database, ground)) == (3, 0, 0, 3, 0, 6)


def test_held_goods_are_not_on_hand_for_promises(database: Database, ground: Ground) -> None:
    with database.unit_of_work(write=True) as session:
        lot = lots.find_or_create(session, item_id=ground.bolt, code="A", expiry_date=TODAY)
        ground.move_now(session, ground.found(5, lot=lot))
    with database.unit_of_work(write=True) as session:
        holds.place(session, lot_ids=[lot, lot], reason=HoldReason.RECALL, actor=ground.clerk, now=NOW)
    with database.unit_of_work(write=True) as session:
        with pytest.raises(holds.NotHeld, match="no open hold for expired"):
            holds.release(session, lot_ids=[lot], reason=HoldReason.EXPIRED, actor=ground.clerk, now=NOW)
        assert holds.hold_expired(session, today=TODAY, actor=ground.clerk, now=NOW) == []
        tomorrow = TODAY + timedelta(days=1)
        assert holds.hold_expired(session, today=tomorrow, actor=ground.clerk, now=NOW) == [lot]
        assert holds.hold_expired(session, today=tomorrow, actor=ground.clerk, now=NOW) == []
    with database.unit_of_work(write=True) as session:
        holds.release(session, lot_ids=[lot], reason=HoldReason.RECALL, actor=ground.clerk, now=NOW)
    assert figures(position(database, ground)) == (0, 0, 0, 0, 0, 0)
    with database.unit_of_work(write=True) as session:
        holds.release(session, lot_ids=[lot], reason=HoldReason.EXPIRED, actor=ground.clerk, now=NOW)
    assert figures(position(database, ground)) == (5, 0, 0, 0, 0, 5)


def test_what_does_not_exist_is_said_so(database: Database, ground: Ground) -> None:
    with database.unit_of_work(write=True) as session:
        with pytest.raises(MoveUnknown, match="no stock move 999"):
            ledger.post(session, [Posting(move_id=999)], **ground.how)
        with pytest.raises(LotUnknown, match="no lot 999"):
            holds.place(session, lot_ids=[999], reason=HoldReason.RECALL, actor=ground.clerk, now=NOW)
        with pytest.raises(holds.NothingToHold, match="quarantine"):
            holds.place(session, lot_ids=[lots.NO_LOT], reason=HoldReason.RECALL, actor=ground.clerk, now=NOW)
        lot = lots.find_or_create(session, item_id=ground.bolt, code="A", expiry_date=TODAY)
        assert lots.find_or_create(session, item_id=ground.bolt, code="A") == lot
        with pytest.raises(LotDiffers, match="check the label"):
            lots.find_or_create(session, item_id=ground.bolt, code="A", expiry_date=TODAY + timedelta(days=1))


def test_cancelled_demand_leaves_its_supply_and_says_so(database: Database, ground: Ground) -> None:
    with database.unit_of_work(write=True) as session:
        supply, sale = ground.plan(session, ground.inbound(5), ground.outbound(5))
        pegs.peg(session, [PegRequest(supply.id, sale.id, 5)])
        assert pegs.orphaned_supply(session) == []
    with database.unit_of_work(write=True) as session:
        reservations.reserve(session, [sale.id], shortage=Shortage.SPLIT)
        ledger.cancel(session, [sale.id, sale.id], reason="changed their mind", actor=ground.clerk)
        assert pegs.orphaned_supply(session) == [PegRequest(supply.id, sale.id, 5)]
        with pytest.raises(ledger.NotPlanned, match="is cancelled"):
            ledger.cancel(session, [sale.id], reason="again", actor=ground.clerk)
    assert position(database, ground).on_order == 5
