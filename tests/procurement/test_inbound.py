"""Receiving against an order: short, whole, above it within the tolerance, and a receipt that was a mistake."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procurement import inbound, orders, receipt_sheet
from procurement.inbound import Counted, NotOnOrder, NotOnThisOrder, ReasonMissing, ReceiptUnknown
from procurement.purchase_orders import OrderUnknown
from procurement.receipt_sheet import ReceiptSheet
from scm.core.users import RoleMissing
from scm.finance import valuation
from scm.finance.costs import ItemCost
from scm.stock.lots import Lot
from scm.stock.reversal import CannotReverse
from tests.world import World
from warehouse.receiving import LotMissing, OverTolerance, Received


def receive(world: World, order_id: int, *counted: Counted, username: str = "warehouse") -> Received:
    return inbound.receive(
        world.begin(),
        order_id,
        counted,
        delivery_note="DN-7",
        actor=world.user(username),
        now=world.now,
        today=world.today,
    )


def take_back(world: World, *move_ids: int, reason: str = "counted the wrong pallet") -> None:
    inbound.take_back(
        world.begin(), move_ids, reason=reason, actor=world.user("warehouse"), now=world.now, today=world.today
    )


def sheet(world: World, order_id: int) -> ReceiptSheet:
    session = world.begin()
    number = session.execute(sa.text("SELECT number FROM purchase_order WHERE id = :id"), {"id": order_id}).scalar_one()
    return receipt_sheet.sheet(session, number, site_id=world.setup.site_id)


def line_ids(world: World, order_id: int) -> list[int]:
    return [line.line_id for line in sheet(world, order_id).lines]


@pytest.fixture
def bolt(world: World) -> int:
    """An item without lots."""
    return world.item("bolt")


@pytest.fixture
def order(world: World, bolt: int) -> int:
    """A hundred bolts ordered, ten more tolerated."""
    return world.approved_order((world.agreement(bolt, world.supplier("acme", over_receipt_rate="0.1")), 100))


def test_a_short_receipt_leaves_the_rest_owed(world: World, order: int, bolt: int) -> None:
    [line] = line_ids(world, order)
    receive(world, order, Counted(line_id=line, quantity=60))
    [shown] = sheet(world, order).lines
    assert (shown.ordered, shown.received, shown.owed, shown.acceptable) == (100, 60, 40, 50)
    assert world.on_order(bolt) == 40


def test_a_surplus_is_taken_within_the_tolerance_even_after_the_line_was_full(world: World, order: int) -> None:
    [line] = line_ids(world, order)
    receive(world, order, Counted(line_id=line, quantity=100))
    receive(world, order, Counted(line_id=line, quantity=7))
    with world.refuses(OverTolerance, "4 of item .* of 100 ordered 107 came before, .* 3 more may be received"):
        receive(world, order, Counted(line_id=line, quantity=4))
    receive(world, order, Counted(line_id=line, quantity=3))
    assert (sheet(world, order).lines[0].received, sheet(world, order).receivable) == (110, False)


def test_a_surplus_may_come_in_several_lots(world: World) -> None:
    milk = world.item("milk", lot_tracked=True, shelf_life_days=30)
    order = world.approved_order((world.agreement(milk, world.supplier("dairy", over_receipt_rate="0.25")), 40))
    [line] = line_ids(world, order)
    with world.refuses(LotMissing):
        receive(world, order, Counted(line_id=line, quantity=10))
    lots = [Counted(line_id=line, quantity=10, lot_code=f"L{n}", expiry_date=date(2026, 2, n)) for n in range(1, 6)]
    receive(world, order, *lots)
    assert world.at(milk, world.setup.dock_id) == 50
    codes = world.begin().scalars(sa.select(Lot.code).where(Lot.item_id == milk).order_by(Lot.code)).all()
    assert codes == ["L1", "L2", "L3", "L4", "L5"]


def test_a_receipt_taken_back_is_owed_again_and_leaves_no_value(world: World, order: int, bolt: int) -> None:
    [line] = line_ids(world, order)
    receive(world, order, Counted(line_id=line, quantity=60))
    result = receive(world, order, Counted(line_id=line, quantity=45))
    valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
    take_back(world, *[move.id for move in result.posted])
    [shown] = sheet(world, order).lines
    assert (shown.received, shown.owed, shown.acceptable) == (60, 40, 50)
    assert world.at(bolt, world.setup.dock_id) == 60
    valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
    assert world.begin().execute(sa.select(ItemCost.quantity)).scalar_one() == 60
    receive(world, order, Counted(line_id=line, quantity=50))
    assert world.at(bolt, world.setup.dock_id) == 110
    assert [(one.quantity, one.reversed) for one in sheet(world, order).receipts] == [
        (40, False),
        (10, False),
        (40, True),
        (5, True),
        (60, False),
    ]


def test_what_was_put_away_is_not_taken_back_nor_without_a_reason(world: World, order: int) -> None:
    [line] = line_ids(world, order)
    [move] = receive(world, order, Counted(line_id=line, quantity=60)).posted
    assert [one.standing for one in sheet(world, order).receipts] == [True]
    with world.refuses(ReasonMissing):
        take_back(world, move.id, reason=" ")
    with world.refuses(ReceiptUnknown):
        take_back(world, 999999)
    world.put_away()
    assert [one.standing for one in sheet(world, order).receipts] == [False]
    with world.refuses(CannotReverse, "reverse that one first"):
        take_back(world, move.id)


def test_only_an_open_order_is_received_for(world: World, bolt: int) -> None:
    agreement = world.agreement(bolt, world.supplier("acme"))
    draft = world.order((agreement, 5))
    with world.refuses(NotOnOrder, "is draft: nothing may be received for it"):
        receive(world, draft, Counted(line_id=line_ids(world, draft)[0], quantity=5))
    order, other = world.approved_order((agreement, 5)), world.approved_order((agreement, 7))
    with world.refuses(NotOnThisOrder):
        receive(world, order, Counted(line_id=line_ids(world, other)[0], quantity=5))
    with world.refuses(inbound.BadCount):
        receive(world, order, Counted(line_id=line_ids(world, order)[0], quantity=0))
    with world.refuses(RoleMissing):
        receive(world, order, Counted(line_id=line_ids(world, order)[0], quantity=5), username="buyer")
    orders.cancel(world.begin(), [order], reason="too late", actor=world.user("buyer"), now=world.now)
    with world.refuses(NotOnOrder, "is cancelled"):
        receive(world, order, Counted(line_id=line_ids(world, order)[0], quantity=5))


def test_orders_are_owed_by_their_due_date_and_at_their_own_site(world: World, bolt: int) -> None:
    agreement = world.agreement(bolt, world.supplier("acme"))
    later, sooner = world.approved_order((agreement, 5), due_in=9), world.approved_order((agreement, 7), due_in=2)
    site_id = world.setup.site_id
    listed = receipt_sheet.owed(world.begin(), site_id=site_id)
    assert [(one.order_id, one.quantity, one.lines) for one in listed] == [(sooner, 7, 1), (later, 5, 1)]
    assert listed[0].late_days(today=world.day(5)) == 3
    due = receipt_sheet.owed(world.begin(), site_id=site_id, due_until=world.day(2))
    assert [one.order_id for one in due] == [sooner]
    assert receipt_sheet.owed(world.begin(), site_id=site_id + 1) == []
    with world.refuses(OrderUnknown):
        receipt_sheet.sheet(world.begin(), listed[0].number, site_id=site_id + 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ordered=st.integers(1, 40),
    percent=st.integers(0, 50),
    steps=st.lists(st.tuples(st.booleans(), st.integers(1, 30)), max_size=8),
)
def test_however_it_comes_and_is_taken_back_no_more_than_tolerated_stands_there(
    world: World, ordered: int, percent: int, steps: list[tuple[bool, int]]
) -> None:
    item = world.item(f"item {len(world.everything()['item'])}")
    supplier = world.supplier(f"supplier {item}", over_receipt_rate=f"0.{percent:02d}")
    order = world.approved_order((world.agreement(item, supplier), ordered))
    [line] = line_ids(world, order)
    largest = ordered + ordered * percent // 100
    posted: list[tuple[int, int]] = []
    for back, quantity in steps:
        if back and posted:
            move_id, _ = posted.pop(0)
            take_back(world, move_id)
        elif sum(count for _, count in posted) + quantity > largest:
            with world.refuses(OverTolerance):
                receive(world, order, Counted(line_id=line, quantity=quantity))
        else:
            result = receive(world, order, Counted(line_id=line, quantity=quantity))
            posted += [(move.id, move.quantity) for move in result.posted]
        received = sum(count for _, count in posted)
        [shown] = sheet(world, order).lines
        assert world.at(item, world.setup.dock_id) == received == shown.received <= largest
        assert shown.owed == max(0, ordered - received)
