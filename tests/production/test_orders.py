"""A work order's way from the desk to the floor and back: what is there, what is promised, what comes of it."""

from __future__ import annotations

import pytest

from scm.core.documents import IllegalTransition
from scm.master.bom import BomKind, BomState
from scm.production import orders
from scm.production.completeness import Availability
from scm.production.completing import NotIssued, NotPassed
from scm.production.documents import WorkOrderState
from scm.production.issuing import BadIssue, NotEnoughToIssue, NotThatMuchOut
from scm.production.orders import AlreadyOrdered, BadWorkOrder, ComponentsShort, WorkOrderRequest
from scm.production.reporting import BadReport, CannotCorrect, NotThatManyHere
from scm.production.snapshot import CannotMake
from scm.stock import lots
from tests.production.shop import Shop
from tests.world import World


def test_an_order_takes_a_copy_of_its_bill_and_counts_as_supply(world: World, shop: Shop) -> None:
    table, leg, paint = world.item("table"), world.item("leg"), world.item("paint")
    bill = shop.bom(table, (leg, 4), (paint, 1), output_quantity=3, scrap_rate="0.1", operations=["saw", "paint"])
    order = shop.order(bill, 10)
    found = shop.progress(order)
    assert [(c.item_id, c.quantity, c.net_quantity) for c in found.components] == [(leg, 15, 14), (paint, 4, 4)]
    assert [work.operation.name for work in found.work] == ["saw", "paint"]
    assert world.on_order(table) == 10
    assert found.order.number.startswith("WO-2026-0000")
    assert world.position(leg).demand == []  # components are planned on release


def test_yield_says_how_much_is_started_and_what_it_takes(world: World, shop: Shop) -> None:
    lens, glass = world.item("lens"), world.item("glass")
    order = shop.order(shop.bom(lens, (glass, 2), yield_rate="0.8"), 10)
    assert shop.row(order).start_quantity == 13  # 12.5
    assert [c.quantity for c in shop.progress(order).components] == [25]


def test_phantoms_are_exploded_through(world: World, shop: Shop) -> None:
    bike, wheel, spoke, rim = (world.item(name) for name in ("bike", "wheel", "spoke", "rim"))
    shop.bom(wheel, (spoke, 32), (rim, 1), kind=BomKind.PHANTOM)
    order = shop.order(shop.bom(bike, (wheel, 2)), 3)
    assert [(c.item_id, c.quantity) for c in shop.progress(order).components] == [(spoke, 192), (rim, 6)]


def test_only_what_is_approved_and_valid_can_be_made(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    draft = shop.bom(table, (leg, 4), state=BomState.DRAFT)
    later = shop.bom(table, (leg, 4), valid_from=world.day(30), revision=2)
    kit = shop.bom(table, (leg, 4), kind=BomKind.KIT, revision=3)
    empty = shop.bom(table, revision=4)
    for bill, said in ((draft, "is draft"), (later, "is valid from"), (kit, "never ordered"), (empty, "no components")):
        with world.refuses(CannotMake, said) as session:
            request = WorkOrderRequest(bom_id=bill, quantity=1, due_date=world.day(5))
            orders.create(session, [request], actor=shop.planner, now=world.now, today=world.today)


@pytest.mark.parametrize(("quantity", "start", "due"), [(0, 0, 5), (5, 0, -1), (5, 6, 5), (10**13, 0, 5)])
def test_figures_that_cannot_be_are_refused(world: World, shop: Shop, quantity: int, start: int, due: int) -> None:
    bill = shop.bom(world.item("table"), (world.item("leg"), 4))
    with world.refuses(BadWorkOrder) as session:
        request = WorkOrderRequest(bom_id=bill, quantity=quantity, start_date=world.day(start), due_date=world.day(due))
        orders.create(session, [request], actor=shop.planner, now=world.now, today=world.today)


def test_what_asked_for_an_order_is_answered_once(world: World, shop: Shop) -> None:
    bill = shop.bom(world.item("table"), (world.item("leg"), 4))
    request = WorkOrderRequest(bom_id=bill, quantity=1, due_date=world.day(5), origin_kind="proposal", origin_id=7)
    orders.create(world.begin(), [request], actor=shop.planner, now=world.now, today=world.today)
    with world.refuses(AlreadyOrdered, r"became WO-2026-\d+ before") as session:
        orders.create(session, [request], actor=shop.planner, now=world.now, today=world.today)


def test_an_order_with_everything_there_is_released_and_keeps_its_components(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    world.stock(leg, 50)
    order = shop.order(shop.bom(table, (leg, 4)), 10)
    shop.release(order)
    assert shop.state(order) is WorkOrderState.RELEASED
    assert world.position(leg).available == 10
    [line] = shop.completeness(order)
    assert (line.needed, line.promised, line.short, line.availability) == (40, 40, 0, Availability.READY)


def test_a_shortage_is_named_with_the_day_it_ends_and_only_a_reason_overrides_it(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    world.stock(leg, 30)
    agreement = world.agreement(leg, world.supplier("sawmill"))
    world.sent_order((agreement, 20), due_in=3)
    order = shop.order(shop.bom(table, (leg, 4)), 10)
    [line] = shop.completeness(order)
    assert (line.free, line.short, line.expected_date) == (30, 10, world.day(3))
    assert line.availability is Availability.EXPECTED
    with world.refuses(ComponentsShort, f"first leg, of which 10 are missing .expected {world.day(3)}"):
        shop.release(order)
    shop.release(order, in_spite_of="the customer waits")
    assert shop.row(order).released_short == "the customer waits"
    assert shop.completeness(order)[0].promised == 30


def test_what_arrives_is_promised_to_the_order_that_waits(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    agreement = world.agreement(leg, world.supplier("sawmill"))
    bought = world.sent_order((agreement, 40), due_in=3)
    order = shop.order(shop.bom(table, (leg, 4)), 10)
    shop.release(order, in_spite_of="start with the tops")
    world.receive(bought, 40)
    world.put_away()
    assert shop.completeness(order)[0].promised == 40


def test_the_whole_way_of_an_order(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    world.stock(leg, 50)
    order = shop.released(shop.bom(table, (leg, 4), operations=["saw", "paint"]), 10)
    shop.issue(order, (leg, 15))
    assert shop.state(order) is WorkOrderState.STARTED
    shop.issue(order)
    assert world.on_hand(leg) == 10
    shop.report(order, 9, scrap=1, minutes=90)
    shop.report(order, 6, step=1)
    assert not shop.complete(order, 4).finished
    shop.report(order, 3, step=1)
    assert world.on_order(table) == 5  # one is lost
    assert shop.complete(order, 5, bin_id=world.setup.bin_ids[0]).finished
    assert shop.state(order) is WorkOrderState.COMPLETED
    assert world.on_hand(table) == 5
    assert world.at(table, world.setup.dock_id) == 4
    world.put_away()
    assert world.on_hand(table) == 9
    shop.close(order)
    shop.value()
    assert shop.findings() == []
    assert shop.held(order) == 0


def test_the_lot_that_expires_first_is_issued_first(world: World, shop: Shop) -> None:
    jam, fruit = world.item("jam"), world.item("fruit", lot_tracked=True, shelf_life_days=30)
    old, new = (
        lots.find_or_create(world.begin(), item_id=fruit, code=code, expiry_date=world.day(days))
        for code, days in (("old", 5), ("new", 20))
    )
    world.stock(fruit, 10, bin_number=1, lot_id=new)
    world.stock(fruit, 10, bin_number=2, lot_id=old)
    order = shop.released(shop.bom(jam, (fruit, 1)), 15)
    assert [(m.lot_id, m.quantity) for m in shop.issue(order, (fruit, 12)).posted] == [(old, 10), (new, 2)]
    assert [(m.lot_id, m.quantity) for m in shop.issue(order).posted] == [(new, 3)]
    assert shop.findings() == []


def test_a_substitute_stands_in_by_priority_and_is_written_down(world: World, shop: Shop) -> None:
    table, leg, steel, wood = (world.item(name) for name in ("table", "leg", "steel", "wood"))
    bill = shop.bom(table, (leg, 4))
    shop.substitute(bill, leg, wood, quantity=8, priority=2)
    shop.substitute(bill, leg, steel, quantity=4, priority=1)
    world.stock(leg, 10)
    world.stock(steel, 12)
    world.stock(wood, 100)
    order = shop.order(bill, 10)
    shop.release(order, in_spite_of="others stand in")
    issued = shop.issue(order)
    component = shop.component(order, leg)
    assert issued.substituted == ((component, steel, 12), (component, wood, 36))
    assert [(c.item_id, c.needed) for c in shop.progress(order).components] == [(leg, 10), (steel, 12), (wood, 36)]
    assert world.position(leg).demand == []
    shop.report(order, 10)
    assert shop.complete(order, 10).finished
    shop.close(order)
    shop.value()
    assert shop.findings() == []


def test_without_substitutes_what_is_not_there_is_not_issued(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    world.stock(leg, 10)
    order = shop.order(shop.bom(table, (leg, 4)), 10)
    shop.release(order, in_spite_of="start with what is there")
    with world.refuses(NotEnoughToIssue, "40 of leg are to be issued, 10 are free"):
        shop.issue(order)
    shop.issue(order, (leg, 10))
    assert world.on_hand(leg) == 0


def test_more_than_is_needed_asks_why_and_comes_back_at_what_it_cost(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    world.stock(leg, 60)
    order = shop.released(shop.bom(table, (leg, 4)), 10)
    with world.refuses(BadIssue, "more than the 40 still needed"):
        shop.issue(order, (leg, 45))
    shop.issue(order, (leg, 45), reason="two were bent")
    shop.report(order, 10)
    shop.complete(order, 10)
    with world.refuses(NotThatMuchOut, "at most 5"):
        shop.give_back(order, leg, 6)
    shop.give_back(order, leg, 5)
    assert world.on_hand(leg) == 20
    shop.value()
    assert shop.cost(leg) == (20, 8000)
    assert shop.findings() == []


def test_no_operation_reports_more_than_passed_the_one_before(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    world.stock(leg, 40)
    order = shop.released(shop.bom(table, (leg, 4), operations=["saw", "paint"]), 10)
    with world.refuses(NotThatManyHere, "more than the 0 that passed operation 10"):
        shop.report(order, 1, step=1)
    shop.report(order, 6, scrap=2)
    with world.refuses(NotThatManyHere, "more than the 2 that were started"):
        shop.report(order, 3)
    with world.refuses(NotThatManyHere):
        shop.report(order, 5, scrap=2, step=1)
    shop.report(order, 4, scrap=2, step=1)
    with world.refuses(BadReport, "all 0"):
        shop.report(order, 0)
    shop.value()
    assert shop.findings() == []


def test_a_mistake_is_taken_back_whole_unless_it_has_gone_on(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    world.stock(leg, 40)
    order = shop.released(shop.bom(table, (leg, 4)), 10)
    shop.issue(order)
    wrong = shop.report(order, 3, scrap=2, minutes=30)
    assert world.on_order(table) == 8
    shop.correct(order, wrong)
    assert world.on_order(table) == 10
    assert shop.progress(order).work[0].minutes == 0
    with world.refuses(CannotCorrect, "corrected before"):
        shop.correct(order, wrong)
    right = shop.report(order, 5)
    shop.complete(order, 5)
    with world.refuses(CannotCorrect, "fewer than the 5 completed"):
        shop.correct(order, right)
    assert shop.findings() == []


def test_nothing_is_made_of_nothing(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    world.stock(leg, 40)
    order = shop.released(shop.bom(table, (leg, 4)), 10)
    shop.report(order, 6)
    with world.refuses(NotPassed, "at most 6"):
        shop.complete(order, 7)
    with world.refuses(NotIssued, "6 more hold 24 of leg"):
        shop.complete(order, 6)
    done = shop.complete(order, 6, back_flush=True)
    assert [(move.item_id, move.quantity) for move in done.issued] == [(leg, 24)]
    shop.value()
    assert shop.worth(done.posted[0]) == 9600
    assert shop.findings() == []


def test_an_output_taken_back_is_expected_anew_at_exactly_its_value(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    world.stock(leg, 40)
    order = shop.released(shop.bom(table, (leg, 4)), 10)
    shop.issue(order)
    shop.report(order, 10)
    [output] = shop.complete(order, 10).posted
    shop.value()
    shop.undo(order, output.id)
    assert shop.state(order) is WorkOrderState.STARTED
    assert world.on_order(table) == 10
    shop.value()
    assert (shop.held(order), shop.cost(table)) == (16000, (0, 0))
    shop.complete(order, 10)
    shop.value()
    assert (shop.held(order), shop.cost(table)) == (0, (10, 16000))
    assert shop.findings() == []


def test_output_tracked_by_lot_carries_its_label(world: World, shop: Shop) -> None:
    jam, fruit = world.item("jam", lot_tracked=True, shelf_life_days=100), world.item("fruit")
    world.stock(fruit, 10)
    order = shop.released(shop.bom(jam, (fruit, 1)), 10)
    shop.issue(order)
    shop.report(order, 10)
    done = shop.complete(order, 10, lot_code="J-1", expiry_date=world.day(90))
    assert done.posted[0].lot_id != lots.NO_LOT
    assert done.finished


def test_a_cancelled_order_gives_back_what_it_kept(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    world.stock(leg, 40)
    order = shop.released(shop.bom(table, (leg, 4)), 10)
    waiting = world.demand(leg, 30, reserve=True)
    shop.cancel(order)
    assert world.on_order(table) == 0
    assert world.position(leg).reserved == 30
    assert waiting
    assert shop.findings() == []


def test_an_order_that_was_started_is_closed_and_not_cancelled(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    world.stock(leg, 40)
    order = shop.released(shop.bom(table, (leg, 4)), 10)
    shop.issue(order)
    with world.refuses(IllegalTransition):
        shop.cancel(order)
    with world.refuses(BadWorkOrder, r"closing WO-2026-\d+ short needs a reason"):
        shop.close(order)
    shop.close(order, reason="the saw broke")
    assert world.on_order(table) == 0
    shop.value()
    assert shop.held(order) == 0
    assert shop.findings() == []


def test_other_days_keep_promises(world: World, shop: Shop) -> None:
    table, leg = world.item("table"), world.item("leg")
    world.stock(leg, 40)
    order = shop.released(shop.bom(table, (leg, 4)), 10)
    orders.reschedule(
        world.begin(),
        [order],
        start_date=world.day(8),
        due_date=world.day(9),
        actor=shop.planner,
        now=world.now,
        today=world.today,
    )
    assert world.position(table).supply == [(world.day(9), 10)]
    assert world.position(leg).demand == [(world.day(8), 40)]
    assert world.position(leg).reserved == 40
