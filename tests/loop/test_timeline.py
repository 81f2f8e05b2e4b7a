"""A document tells what happened to it, in order, by whom, and what comes next."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aftersales import returns
from aftersales.disposition import Disposition
from procurement import orders as purchasing
from scm.loop import timeline
from scm.loop.timeline import Timeline
from scm.sales import orders
from tests.aftersales.desk import Desk
from tests.world import World


@pytest.fixture
def desk(world: World) -> Desk:
    """A shop and its returns desk in the test's own session."""
    return Desk(world)


def read(world: World, kind: str, document_id: int) -> Timeline:
    return timeline.of_document(world.begin(), kind=kind, document_id=document_id)


def told(found: Timeline) -> list[tuple[str, str]]:
    return [(event.verb, event.actor) for event in found.events]


def test_a_return_tells_its_story_in_order(desk: Desk) -> None:
    world = desk.world
    line = desk.delivered(world.item("bolt"), 5)
    return_id = desk.authorize(line, 3)
    world.pass_days(2)
    [returned] = desk.back(return_id)
    world.pass_days(1)
    [inspection] = desk.inspect(returned, 3)
    world.pass_days(1)
    desk.dispose(inspection, Disposition.RESTOCK)
    world.pass_days(1)
    desk.refund(returned, 3)
    returns.close(world.begin(), [return_id], reason="all here", actor=world.user("returns"))
    found = read(world, "return_authorization", return_id)
    assert told(found) == [
        ("return.authorize", "Returns"),
        ("goods.take_back", "Returns"),
        ("return.inspect", "Returns"),
        ("return.dispose", "Returns"),
        ("goods.restock", "Returns"),
        ("return.refund", "Returns"),
        ("return.close", "Returns"),
    ]
    moved = found.events[1]
    assert (moved.quantity, moved.lines, moved.at) == (3, 1, world.now - timedelta(days=3))
    assert found.events[-1].at is None, "closing writes no business time"
    assert found.events[-1].when is not None
    assert found.events[-1].detail["reason"] == "all here"
    assert found.coming == ()


def test_a_sales_order_tells_what_left_and_what_comes_next(desk: Desk) -> None:
    world, shop = desk.world, desk.shop
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 10)
    [order] = shop.draft(shop.request((bolt, 6), (nut, 2)))
    world.pass_days(1)
    shop.confirm(order)
    found = read(world, "sales_order", order)
    assert told(found) == [("sales_order.place", "Sales"), ("sales_order.confirm", "Sales")]
    assert [(c.verb, c.quantity, c.lines) for c in found.coming] == [("goods.pick", 8, 2)]
    shop.send_out(order)
    found = read(world, "sales_order", order)
    assert [event.verb for event in found.events][2:] == ["goods.pick", "goods.ship"]
    assert {c.verb: c.quantity for c in found.coming} == {"goods.pick": 2, "goods.deliver": 6}


def test_a_cancellation_says_why_and_stands_last(desk: Desk) -> None:
    world, shop = desk.world, desk.shop
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    order = shop.order((bolt, 6))
    shop.cancel(order)
    found = read(world, "sales_order", order)
    assert told(found)[-1] == ("sales_order.cancel", "Sales")
    assert found.events[-1].detail["reason"] == "changed their mind"


def test_reversing_a_pick_is_told_with_its_reason(desk: Desk) -> None:
    world, shop = desk.world, desk.shop
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    order = shop.order((bolt, 6))
    shop.pick(shop.wave(order))
    orders.cancel(
        world.begin(),
        [order],
        reason="wrong address",
        actor=world.user("sales"),
        now=world.now + timedelta(hours=1),
        today=world.today,
    )
    found = read(world, "sales_order", order)
    assert ("goods.reverse", "Sales") in told(found)
    assert [event.detail["reason"] for event in found.events if event.verb == "goods.reverse"] == ["wrong address"]


def test_a_purchase_order_tells_its_approvals_messages_and_receipts(desk: Desk) -> None:
    world = desk.world
    agreement = world.agreement(world.item("bolt"), world.supplier("acme"))
    order = world.submitted_order((agreement, 10))
    world.pass_days(1)
    purchasing.reject(world.begin(), [order], reason="too early", actor=world.user("approver"), now=world.now)
    world.pass_days(1)
    purchasing.submit(world.begin(), [order], actor=world.user("buyer"), now=world.now)
    world.pass_days(1)
    purchasing.approve(world.begin(), [order], actor=world.user("approver"), now=world.now, today=world.today)
    world.pass_days(1)
    purchasing.send(world.begin(), [order], actor=world.user("buyer"), now=world.now, today=world.today)
    world.pass_days(1)
    world.receive(order, 4)
    found = read(world, "purchase_order", order)
    assert told(found) == [
        ("purchase_order.draft", "Buyer"),
        ("purchase_order.submit", "Buyer"),
        ("purchase_order.reject", "Approver"),
        ("purchase_order.submit", "Buyer"),
        ("purchase_order.approve", "Approver"),
        ("purchase_order.send", "Buyer"),
        ("message.sent", ""),
        ("goods.receive", "Warehouse"),
    ]
    assert found.events[6].detail["recipient"] == "acme@test"
    days = [event.at.toordinal() - world.today.toordinal() for event in found.events if event.at is not None]
    assert days == [-5, -5, -4, -3, -2, -1, -1, 0]
    # What was received still has to be put away; the rest is owed.
    assert {(c.verb, c.quantity) for c in found.coming} == {("goods.receive", 6), ("goods.put_away", 4)}


def test_waves_shipments_and_receipts_tell_what_their_lines_did(desk: Desk) -> None:
    world, shop = desk.world, desk.shop
    bolt = world.item("bolt")
    agreement = world.agreement(bolt, world.supplier("acme"))
    received = world.receive(world.sent_order((agreement, 10)))
    world.put_away()
    order = shop.order((bolt, 6))
    wave = shop.pick(shop.wave(order))
    [shipped] = shop.ship(shop.pack(wave))
    assert told(read(world, "goods_receipt", received.goods_receipt_id)) == [
        ("goods_receipt.receive", "Warehouse"),
        ("goods.receive", "Warehouse"),
        ("goods.put_away", "Warehouse"),
    ]
    assert told(read(world, "wave", wave.wave_id)) == [
        ("wave.release", "Warehouse"),
        ("wave.pick", "Warehouse"),
        ("goods.pick", "Warehouse"),
    ]
    found = read(world, "shipment", shipped.shipment_id)
    assert told(found) == [
        ("shipment.pack", "Warehouse"),
        ("shipment.ship", "Warehouse"),
        ("goods.ship", "Warehouse"),
    ]
    assert [(c.verb, c.quantity) for c in found.coming] == [("goods.deliver", 6)]


def test_a_document_without_a_past_has_an_empty_timeline(world: World) -> None:
    assert read(world, "sales_order", 999_999) == Timeline(events=(), coming=())
