"""Cycle counts: blind, approved by somebody else, and worth nothing once the place has changed."""

from __future__ import annotations

import sqlalchemy as sa

from scm.core.approval import SelfApproval
from scm.core.documents import IllegalTransition
from scm.stock import lots
from tests.selling import Shop
from tests.world import World
from warehouse import counting, counts
from warehouse.counting import (
    BadCount,
    CountedStock,
    CountedUnknown,
    CountOutdated,
    CountResult,
    Difference,
    NotCounted,
)
from warehouse.counts import CountState, CountUnknown, CycleCount, Target


def plan(world: World, *targets: Target) -> int:
    return counting.plan_count(world.begin(), targets, actor=world.user("warehouse"), now=world.now, today=world.today)


def count(world: World, count_id: int, *found: CountedStock) -> list[Difference]:
    return counting.record_count(world.begin(), count_id, found, actor=world.user("warehouse"), now=world.now)


def approve(world: World, count_id: int, by: str = "approver") -> CountResult:
    return counting.approve(world.begin(), count_id, actor=world.user(by), now=world.now, today=world.today)


def state(world: World, count_id: int) -> CountState:
    return world.begin().execute(sa.select(CycleCount.state).where(CycleCount.id == count_id)).scalar_one()


def found(world: World, item: int, quantity: int, *, bin_number: int = 1) -> CountedStock:
    return CountedStock(location_id=world.setup.bin_ids[bin_number - 1], item_id=item, quantity=quantity)


def test_a_count_that_agrees_is_closed_at_once(world: World) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    count_id = plan(world, Target(world.setup.bin_ids[0]))
    assert count(world, count_id, found(world, bolt, 10)) == []
    assert state(world, count_id) is CountState.CLOSED
    assert world.on_hand(bolt) == 10


def test_a_difference_waits_for_somebody_else(world: World) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 10)
    count_id = plan(world, Target(world.setup.bin_ids[0]))
    differences = count(world, count_id, found(world, bolt, 8), found(world, nut, 2))
    assert [(one.item_id, one.expected_quantity, one.counted_quantity) for one in differences] == [
        (bolt, 10, 8),
        (nut, 0, 2),
    ]
    assert (world.on_hand(bolt), world.on_hand(nut)) == (10, 0)
    with world.refuses(SelfApproval, "warehouse submitted CC-2026-"):
        approve(world, count_id, by="warehouse")
    approve(world, count_id)
    assert (world.on_hand(bolt), world.on_hand(nut)) == (8, 2)
    assert state(world, count_id) is CountState.CLOSED
    with world.refuses(IllegalTransition, "is closed: approve is not possible"):
        approve(world, count_id)


def test_a_rejected_count_changes_nothing(world: World) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    count_id = plan(world, Target(world.setup.bin_ids[0]))
    count(world, count_id, found(world, bolt, 8))
    counting.reject(world.begin(), count_id, actor=world.user("approver"), now=world.now, comment="look again")
    assert (world.on_hand(bolt), state(world, count_id)) == (10, CountState.REJECTED)
    with world.refuses(IllegalTransition, "is rejected"):
        approve(world, count_id)


def test_a_place_that_changed_since_is_counted_again(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    count_id = plan(world, Target(world.setup.bin_ids[0]))
    count(world, count_id, found(world, bolt, 9))
    shop.send_out(shop.order((bolt, 4)))
    with world.refuses(CountOutdated, f"BIN-0001 held 10 of item {bolt} .* when 9 were counted, and holds 6 now"):
        approve(world, count_id)
    assert world.on_hand(bolt) == 6


def test_lost_stock_takes_the_newest_promise_back_and_says_so(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    older, newer = shop.order((bolt, 5)), shop.order((bolt, 5))
    count_id = plan(world, Target(world.setup.bin_ids[0], bolt))
    count(world, count_id, found(world, bolt, 7))
    result = approve(world, count_id)
    assert [(one.document_kind, one.document_id, one.quantity) for one in result.broken] == [("sales_order", newer, 5)]
    assert (shop.line(older).reserved, shop.line(newer).reserved, shop.line(newer).waiting) == (5, 0, 5)


def test_found_stock_goes_to_whoever_waits(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    order_id = shop.order((bolt, 5))
    count_id = plan(world, Target(world.setup.bin_ids[0], bolt))
    count(world, count_id, found(world, bolt, 3))
    assert len(approve(world, count_id).filled) == 1
    assert (shop.line(order_id).reserved, shop.line(order_id).waiting) == (3, 2)


def test_what_is_found_outside_storage_is_promised_to_nobody(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    order_id = shop.order((bolt, 5))
    count_id = plan(world, Target(world.setup.quarantine_id))
    count(world, count_id, CountedStock(location_id=world.setup.quarantine_id, item_id=bolt, quantity=3))
    assert approve(world, count_id).filled == ()
    assert (world.at(bolt, world.setup.quarantine_id), shop.line(order_id).waiting) == (3, 5)


def test_a_short_pick_ends_in_a_count_that_corrects_the_books(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    order_id = shop.order((bolt, 8))
    wave = shop.wave()
    count_id = shop.pick_some(wave, {wave.pick_ids[0]: 5}).count_id
    assert count_id is not None
    assert counts.targets_of(world.begin(), count_id) == [Target(world.setup.bin_ids[0], bolt)]
    count(world, count_id, found(world, bolt, 0))
    result = approve(world, count_id)
    assert [(one.document_id, one.quantity) for one in result.broken] == [(order_id, 3)]
    line = shop.line(order_id)
    assert (line.picked, line.reserved, line.waiting) == (5, 0, 3)


def test_a_bin_is_counted_once_for_all_its_short_picks(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    shop.order((bolt, 3))
    shop.order((bolt, 3))
    wave = shop.wave()
    first, second = wave.pick_ids
    assert shop.pick_some(wave, {first: 0}).count_id is not None
    assert shop.pick_some(wave, {second: 0}).count_id is None


def test_a_count_must_mention_everything_the_books_hold_there(world: World) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 10)
    world.stock(nut, 10)
    count_id = plan(world, Target(world.setup.bin_ids[0]))
    with world.refuses(NotCounted, f"BIN-0001 should also hold item {nut} .*say 0 if none is there"):
        count(world, count_id, found(world, bolt, 10))
    assert [one.item_id for one in count(world, count_id, found(world, bolt, 10), found(world, nut, 0))] == [nut]


def test_what_cannot_have_been_counted_is_refused(world: World) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 10)
    lot_id = lots.find_or_create(world.begin(), item_id=nut, code="L1")
    count_id = plan(world, Target(world.setup.bin_ids[0], bolt))
    with world.refuses(BadCount, "quantity -1 must be a whole number of at least 0"):
        count(world, count_id, found(world, bolt, -1))
    with world.refuses(BadCount, "is not among the places to count"):
        count(world, count_id, found(world, bolt, 10), found(world, nut, 1))
    with world.refuses(BadCount, "is counted twice"):
        count(world, count_id, found(world, bolt, 4), found(world, bolt, 6))
    with world.refuses(CountedUnknown, f"there is no such item with lot {lot_id}"):
        stray = CountedStock(location_id=world.setup.bin_ids[0], item_id=bolt, quantity=1, lot_id=lot_id)
        count(world, count_id, found(world, bolt, 10), stray)
    with world.refuses(BadCount, "MAIN holds nothing that can be counted"):
        plan(world, Target(world.setup.area_id))
    with world.refuses(BadCount, "0 places of 0 sites"):
        plan(world)
    with world.refuses(CountUnknown, "no cycle count 99"):
        approve(world, 99)


def test_an_unfinished_count_cannot_be_approved(world: World) -> None:
    count_id = plan(world, Target(world.setup.bin_ids[0]))
    with world.refuses(IllegalTransition, "is planned: approve is not possible"):
        approve(world, count_id)
