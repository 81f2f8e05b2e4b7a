"""Goods from the supplier's door to the customer's, leg by leg."""

from __future__ import annotations

from scm.core.db import Database
from scm.master.locations import LocationKind
from scm.stock import allocation, ledger, reservations
from scm.stock.ledger import Posting
from scm.stock.reservations import Shortage
from tests.stock import ground as grounds
from tests.stock.ground import TODAY


def test_goods_go_from_the_supplier_to_the_customer_leg_by_leg(database: Database) -> None:
    with database.unit_of_work(write=True) as session:
        ground = grounds.prepare(session)
    with database.unit_of_work(write=True) as session:
        [inbound, outbound] = ground.plan(session, ground.inbound(10, over=2), ground.outbound(4))
    with database.unit_of_work(write=True) as session:
        received = ledger.post(session, [Posting(move_id=inbound.id, quantity=6)], **ground.how)
        assert [leg.quantity for leg in received.planned_next] == [6]
    put_away = received.planned_next[0]
    with database.unit_of_work(write=True) as session:
        ledger.post(session, [Posting(move_id=put_away.id, destination_id=ground.bin_ids[1])], **ground.how)
        [filled] = reservations.fill_backorders(session, item_ids=[ground.bolt], site_id=ground.site_id)
        assert (filled.reserved, filled.waiting) == (4, 0)
    with database.unit_of_work(write=True) as session:
        assert grounds.pool(session, ground) == (6, 4)
        [picks] = allocation.allocate(session, [outbound.id], today=TODAY)
        assert picks.short == 0
    with database.unit_of_work(write=True) as session:
        picked = ledger.post(session, [Posting(move_id=picks.pick_ids[0])], **ground.how)
    with database.unit_of_work(write=True) as session:
        shipped = ledger.post(session, [Posting(move_id=picked.planned_next[0].id)], **ground.how)
    with database.unit_of_work(write=True) as session:
        delivered = ledger.post(session, [Posting(move_id=shipped.planned_next[0].id)], **ground.how)
        assert delivered.planned_next == ()
        assert grounds.on_hand(session, ground.bin_ids[1], item=ground.bolt) == 2
        assert grounds.pool(session, ground) == (2, 0)


def test_a_pick_is_reversed_and_a_waiting_order_cancelled(database: Database) -> None:
    with database.unit_of_work(write=True) as session:
        ground = grounds.prepare(session)
    with database.unit_of_work(write=True) as session:
        ground.move_now(session, ground.found(5))
    with database.unit_of_work(write=True) as session:
        [first, second] = ground.plan(session, ground.outbound(4), ground.outbound(4, line=2))
        outcomes = reservations.reserve(session, [first.id, second.id], shortage=Shortage.SPLIT)
        assert [(o.reserved, o.waiting) for o in outcomes] == [(4, 0), (1, 3)]
    with database.unit_of_work(write=True) as session:
        [picks] = allocation.allocate(session, [first.id], today=TODAY)
    with database.unit_of_work(write=True) as session:
        picked = ledger.post(session, [Posting(move_id=picks.pick_ids[0])], **ground.how)
    with database.unit_of_work(write=True) as session:
        ledger.reverse(session, [picked.posted[0].id], reason="wrong shelf", **ground.how)
        assert grounds.on_hand(session, ground.at(LocationKind.STAGING), item=ground.bolt) == 0
        assert grounds.pool(session, ground) == (5, 1)
    with database.unit_of_work(write=True) as session:
        child = outcomes[1].reserved_move_id
        assert child is not None
        ledger.cancel(session, [second.id, child], reason="the customer changed their mind", actor=ground.clerk)
        assert grounds.pool(session, ground) == (5, 0)
