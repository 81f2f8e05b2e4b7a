"""From the door to the shelf: what was counted is posted, what is short stays owed, what waits comes first."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scm.core.users import RoleMissing
from scm.master.agreements import SupplierAgreement
from scm.stock import holds, ledger
from scm.stock.facts import BadQuantity, NotPlanned
from scm.stock.ledger import MoveRequest
from scm.stock.lots import HoldReason, Lot, LotDiffers
from scm.stock.moves import Move, MoveState, MoveUnknown
from scm.stock.reservations import Reservation
from tests.world import World
from warehouse import inspection, putaway, receiving
from warehouse.inspection import BadFinding, Finding, NothingToInspect, NotInspected
from warehouse.putaway import NotABin, NothingToPutAway, PutAway, PutAwayResult
from warehouse.receiving import (
    Arrival,
    GoodsReceipt,
    GoodsReceiptLine,
    LotMissing,
    NotExpected,
    NothingReceived,
    OverTolerance,
    Received,
)


def receive(world: World, *arrivals: Arrival, username: str = "warehouse") -> Received:
    return receiving.receive(
        world.begin(), arrivals, delivery_note="DN-7", actor=world.user(username), now=world.now, today=world.today
    )


def put_away(world: World, *put: PutAway) -> PutAwayResult:
    return putaway.put_away(world.begin(), put, actor=world.user("warehouse"), now=world.now, today=world.today)


def record(world: World, *findings: Finding) -> tuple[Move, ...]:
    return inspection.record(world.begin(), findings, actor=world.user("warehouse"), now=world.now, today=world.today)


def bought(world: World, item: int, quantity: int = 100, *, over: str = "0.1", inspect: bool = False) -> int:
    """An approved order for so much of one item; gives the id of the move that brings it."""
    supplier = world.supplier(f"supplier of {item}", over_receipt_rate=over)
    agreement = world.agreement(item, supplier)
    if inspect:
        world.begin().execute(
            sa.update(SupplierAgreement).where(SupplierAgreement.id == agreement).values(needs_inspection=True)
        )
    [move] = world.moves_of("purchase_order", [world.approved_order((agreement, quantity))])
    return move.id


@pytest.fixture
def bolt(world: World) -> int:
    """An item without lots."""
    return world.item("bolt")


def test_a_short_receipt_leaves_the_rest_on_order(world: World, bolt: int) -> None:
    move = bought(world, bolt)
    receive(world, Arrival(move_id=move, quantity=60))
    assert (world.on_hand(bolt), world.on_order(bolt)) == (0, 40)
    assert world.at(bolt, world.setup.dock_id) == 60
    world.put_away()
    assert (world.on_hand(bolt), world.on_order(bolt)) == (60, 40)


def test_a_receipt_is_a_document_that_names_its_moves(world: World, bolt: int) -> None:
    result = receive(world, Arrival(move_id=bought(world, bolt), quantity=60))
    receipt = world.begin().execute(sa.select(GoodsReceipt)).scalar_one()
    assert (receipt.number, receipt.delivery_note, receipt.received_date) == (result.number, "DN-7", world.today)
    assert world.begin().scalars(sa.select(GoodsReceiptLine.move_id)).all() == [move.id for move in result.posted]


def test_the_tolerance_is_used_up_over_all_deliveries_of_a_line(world: World, bolt: int) -> None:
    move = bought(world, bolt)
    receive(world, Arrival(move_id=move, quantity=60))
    receive(world, Arrival(move_id=move, quantity=30))
    with world.refuses(OverTolerance, "21 of item .* were counted, 10 are still owed and 10 more are tolerated"):
        receive(world, Arrival(move_id=move, quantity=21))
    receive(world, Arrival(move_id=move, quantity=20))
    with world.refuses(NotPlanned, "is posted"):
        receive(world, Arrival(move_id=move, quantity=1))
    assert world.at(bolt, world.setup.dock_id) == 110


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ordered=st.integers(1, 60),
    percent=st.integers(0, 50),
    deliveries=st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=3), max_size=6),
)
def test_however_it_is_delivered_no_more_than_tolerated_comes_in(
    world: World, ordered: int, percent: int, deliveries: list[list[int]]
) -> None:
    item = world.item(f"item {len(world.everything()['item'])}")
    move = bought(world, item, ordered, over=f"0.{percent:02d}")
    largest = ordered + ordered * percent // 100
    received = 0
    for counts in deliveries:
        point = world.begin().begin_nested()
        try:
            receive(world, *[Arrival(move_id=move, quantity=count) for count in counts])
        except (OverTolerance, NotPlanned):
            point.rollback()
            # Refused is only what would exceed the tolerance, or what comes after the line was full.
            before_the_last = received + sum(sorted(counts)[:-1])
            assert received + sum(counts) > largest or before_the_last >= ordered
        else:
            point.commit()
            received += sum(counts)
        assert world.at(item, world.setup.dock_id) == received <= largest


def test_counts_of_one_line_in_one_call_are_added_up(world: World, bolt: int) -> None:
    move = bought(world, bolt)
    with world.refuses(OverTolerance, "111 of item"):
        receive(world, Arrival(move_id=move, quantity=100), Arrival(move_id=move, quantity=11))
    receive(world, Arrival(move_id=move, quantity=100), Arrival(move_id=move, quantity=10))
    assert world.at(bolt, world.setup.dock_id) == 110


@pytest.mark.parametrize("quantity", [0, -1, 1.5])
def test_what_cannot_be_counted_is_refused(world: World, bolt: int, quantity: int) -> None:
    move = bought(world, bolt)
    with world.refuses(BadQuantity, "must be a whole number above 0"):
        receive(world, Arrival(move_id=move, quantity=quantity))


def test_only_deliveries_are_received(world: World, bolt: int) -> None:
    demand = world.demand(bolt, 5)
    with world.refuses(NotExpected, "no delivery to receive"):
        receive(world, Arrival(move_id=demand, quantity=5))
    with world.refuses(MoveUnknown):
        receive(world, Arrival(move_id=999999, quantity=5))
    with world.refuses(NothingReceived):
        receive(world)
    move = bought(world, bolt)
    for username in ("planner", "buyer", "approver", "sales", "system"):
        with world.refuses(RoleMissing):
            receive(world, Arrival(move_id=move, quantity=5), username=username)


def test_goods_that_go_off_name_their_lot_and_expiry(world: World) -> None:
    milk = world.item("milk", lot_tracked=True, shelf_life_days=30)
    move = bought(world, milk)
    expiry = date(2026, 2, 1)
    with world.refuses(LotMissing, "tracked by lot"):
        receive(world, Arrival(move_id=move, quantity=10))
    with world.refuses(LotMissing, "expiry date"):
        receive(world, Arrival(move_id=move, quantity=10, lot_code="L1"))
    receive(
        world,
        Arrival(move_id=move, quantity=60, lot_code="L1", expiry_date=expiry),
        Arrival(move_id=move, quantity=40, lot_code="L2", expiry_date=date(2026, 3, 1)),
    )
    lots = world.begin().execute(sa.select(Lot.code, Lot.expiry_date).where(Lot.item_id == milk).order_by(Lot.code))
    assert [tuple(row) for row in lots] == [("L1", expiry), ("L2", date(2026, 3, 1))]
    more = bought(world, world.item("cream", lot_tracked=True, shelf_life_days=9))
    with world.refuses(LotDiffers, "two expiry dates"):
        receive(
            world,
            Arrival(move_id=more, quantity=1, lot_code="L1", expiry_date=expiry),
            Arrival(move_id=more, quantity=2, lot_code="L1", expiry_date=date(2026, 3, 1)),
        )


def test_a_known_lot_keeps_its_expiry(world: World) -> None:
    milk = world.item("milk", lot_tracked=True, shelf_life_days=30)
    move = bought(world, milk)
    receive(world, Arrival(move_id=move, quantity=10, lot_code="L1", expiry_date=date(2026, 2, 1)))
    with world.refuses(LotDiffers, "expires on 2026-02-01, not on 2026-02-02"):
        receive(world, Arrival(move_id=move, quantity=10, lot_code="L1", expiry_date=date(2026, 2, 2)))


def test_goods_without_lots_take_no_lot(world: World, bolt: int) -> None:
    move = bought(world, bolt)
    with world.refuses(LotMissing, "has no lots"):
        receive(world, Arrival(move_id=move, quantity=10, lot_code="L1"))


def test_putting_away_serves_whoever_waits_longest(world: World, bolt: int) -> None:
    late, early = world.demand(bolt, 30, in_days=4), world.demand(bolt, 50, in_days=2)
    receive(world, Arrival(move_id=bought(world, bolt), quantity=60))
    filled = world.put_away().filled
    assert [(outcome.move_id, outcome.reserved, outcome.waiting) for outcome in filled] == [
        (early, 50, 0),
        (late, 10, 20),
    ]
    assert world.position(bolt).backordered == 20


def test_a_held_lot_is_put_away_but_promised_to_nobody(world: World) -> None:
    milk, bolt = world.item("milk", lot_tracked=True), world.item("bolt")
    world.demand(milk, 5), world.demand(bolt, 5)
    receive(
        world,
        Arrival(move_id=bought(world, milk), quantity=60, lot_code="L1"),
        Arrival(move_id=bought(world, bolt), quantity=60),
    )
    lot = world.begin().execute(sa.select(Lot.id).where(Lot.code == "L1")).scalar_one()
    holds.place(world.begin(), lot_ids=[lot], reason=HoldReason.RECALL, actor=world.user("warehouse"), now=world.now)
    world.put_away()
    assert world.begin().scalars(sa.select(Reservation.item_id)).all() == [bolt]
    assert (world.on_hand(milk), world.on_hand(bolt)) == (0, 60)


def test_goods_are_put_into_bins_of_the_site_only(world: World, bolt: int) -> None:
    [leg] = receive(world, Arrival(move_id=bought(world, bolt), quantity=60)).planned_next
    for wrong in (world.setup.area_id, world.setup.staging_id, world.setup.scrap_location_id):
        with world.refuses(NotABin):
            put_away(world, PutAway(move_id=leg.id, bin_id=wrong))
    demand = world.demand(bolt, 5)
    with world.refuses(NothingToPutAway):
        put_away(world, PutAway(move_id=demand, bin_id=world.setup.bin_ids[0]))


def test_part_of_a_pallet_goes_to_each_of_two_bins(world: World, bolt: int) -> None:
    [leg] = receive(world, Arrival(move_id=bought(world, bolt), quantity=60)).planned_next
    first, second = world.setup.bin_ids[:2]
    put_away(world, PutAway(move_id=leg.id, bin_id=first, quantity=20), PutAway(move_id=leg.id, bin_id=second))
    assert (world.at(bolt, first), world.at(bolt, second)) == (20, 40)
    with world.refuses(NotPlanned):
        put_away(world, PutAway(move_id=leg.id, bin_id=first))


def test_a_bin_is_suggested_where_the_item_lies_or_else_where_least_lies(world: World, bolt: int) -> None:
    nut, washer = world.item("nut"), world.item("washer")
    world.stock(bolt, 500, bin_number=3)
    world.stock(bolt, 1, bin_number=4)
    for number in (1, 2, 5):
        world.stock(washer, 10 * number, bin_number=number)
    moves = [bought(world, item) for item in (bolt, nut, world.item("screw"))]
    legs = receive(world, *[Arrival(move_id=move, quantity=100) for move in moves]).planned_next
    chosen = putaway.suggest(world.begin(), legs, site_id=world.setup.site_id)
    by_item = {leg.item_id: world.setup.bin_ids.index(chosen[leg.id]) + 1 for leg in legs}
    assert by_item[bolt] == 3
    assert {by_item[item] for item in by_item if item != bolt} == {4, 1}, "the emptiest, then the next"


def test_what_needs_inspection_waits_at_the_dock_for_it(world: World, bolt: int) -> None:
    [leg] = receive(world, Arrival(move_id=bought(world, bolt, inspect=True), quantity=60)).planned_next
    assert putaway.waiting(world.begin(), site_id=world.setup.site_id) == []
    with world.refuses(NotInspected):
        put_away(world, PutAway(move_id=leg.id, bin_id=world.setup.bin_ids[0]))
    with world.refuses(BadFinding, "50 passed and 9 failed do not add up to the 60"):
        record(world, Finding(move_id=leg.id, passed=50, failed=9, reason="dented"))
    with world.refuses(BadFinding, "say why"):
        record(world, Finding(move_id=leg.id, passed=50, failed=10))
    record(world, Finding(move_id=leg.id, passed=50, failed=10, reason="dented"))
    world.put_away()
    assert (world.on_hand(bolt), world.at(bolt, world.setup.quarantine_id)) == (50, 10)
    with world.refuses(NothingToInspect):
        record(world, Finding(move_id=leg.id, passed=50, failed=0))


def test_a_delivery_that_fails_wholly_goes_to_quarantine(world: World, bolt: int) -> None:
    [leg] = receive(world, Arrival(move_id=bought(world, bolt, inspect=True), quantity=60)).planned_next
    record(world, Finding(move_id=leg.id, passed=0, failed=60, reason="wrong goods"))
    assert world.at(bolt, world.setup.quarantine_id) == 60
    assert world.put_away().posted == ()


def test_goods_that_need_no_inspection_are_not_inspected(world: World, bolt: int) -> None:
    [leg] = receive(world, Arrival(move_id=bought(world, bolt), quantity=60)).planned_next
    with world.refuses(NothingToInspect):
        record(world, Finding(move_id=leg.id, passed=60, failed=0))


def test_what_is_owed_is_listed_by_its_due_date(world: World, bolt: int) -> None:
    agreement = world.agreement(bolt, world.supplier("acme"))
    later, sooner = world.approved_order((agreement, 5), due_in=9), world.approved_order((agreement, 7), due_in=2)
    owed = receiving.expected(world.begin(), site_id=world.setup.site_id)
    assert [(one.document_id, one.quantity) for one in owed] == [(sooner, 7), (later, 5)]
    due = receiving.expected(world.begin(), site_id=world.setup.site_id, due_until=world.day(2))
    assert [one.document_id for one in due] == [sooner]


def test_a_return_is_received_by_the_same_verb(world: World, bolt: int) -> None:
    [planned] = ledger.plan(
        world.begin(),
        [
            MoveRequest(
                item_id=bolt,
                source_id=world.setup.customer_location_id,
                destination_id=world.setup.returns_id,
                quantity=3,
                due_date=world.today,
                document_kind="return_authorization",
                document_id=1,
                line_id=1,
            )
        ],
        company_id=world.setup.company_id,
    )
    with world.refuses(OverTolerance, "4 of item"):
        receive(world, Arrival(move_id=planned.id, quantity=4), username="returns")
    receive(world, Arrival(move_id=planned.id, quantity=2), username="returns")
    assert world.at(bolt, world.setup.returns_id) == 2


def test_hundreds_of_lines_are_received_and_put_away(world: World) -> None:
    supplier = world.supplier("acme", over_receipt_rate=str(Decimal("0.05")))
    lines = [(world.agreement(item, supplier), 40) for item in world.items(300)]
    order = world.approved_order(*lines)
    assert len(world.receive(order, 42).posted) == 300
    assert len(world.put_away().posted) == 300
    assert all(move.state is MoveState.POSTED for move in world.moves_of("purchase_order", [order]))
