"""The desk's verbs know a return by its number, and nothing of another return or site."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from aftersales import desk as verbs
from aftersales import parcels, return_sheet
from aftersales.desk import Counted, MoreThanExpected, NothingCounted
from aftersales.disposition import Disposition, InspectionUnknown
from aftersales.documents import ReturnLineUnknown, ReturnReason, ReturnUnknown
from aftersales.inspection import Finding, Grade, Verdict
from aftersales.parcels import ParcelState, ParcelUnknown
from aftersales.proposing import Choice
from aftersales.refunds import RefundRequest
from aftersales.returns import ReturnRequest, SoldLineUnknown
from scm.sales.documents import OrderUnknown
from scm.stock import lots
from tests.aftersales.desk import Desk
from tests.world import World


def how(world: World) -> dict[str, object]:
    return {"actor": world.user("returns"), "now": world.now, "today": world.today}


def number_of(desk: Desk, return_id: int) -> str:
    return return_sheet.number_of(desk.world.begin(), return_id)


def receive(desk: Desk, number: str, *counted: Counted) -> None:
    world = desk.world
    verbs.receive(world.begin(), counted, number=number, site_id=world.setup.site_id, **how(world))  # type: ignore[arg-type]


def test_a_return_goes_all_the_way_by_its_number(desk: Desk) -> None:
    world = desk.world
    sold = desk.delivered(world.item("mug"), 5)
    order_number = world.begin().execute(sa.text("SELECT number FROM sales_order")).scalar_one()
    here = {"site_id": world.setup.site_id} | how(world)
    request = ReturnRequest(sales_order_line_id=sold, quantity=3, reason=ReturnReason.DAMAGED)
    number = verbs.authorize(world.begin(), request, order_number=order_number, **here)  # type: ignore[arg-type]
    return_id = return_sheet.find(world.begin(), number=number, site_id=world.setup.site_id)
    [line] = desk.lines(return_id)
    receive(desk, number, Counted(return_line_id=line, quantity=2))
    assert (desk.status(return_id).received, desk.status(return_id).expected) == (2, 1)
    verdict = Verdict(return_line_id=line, quantity=2, grade=Grade.A, finding=Finding.NO_FAULT)
    inspection_id = verbs.inspect(world.begin(), verdict, number=number, **here)  # type: ignore[arg-type]
    choice = Choice(inspection_id=inspection_id, disposition=Disposition.RESTOCK)
    verbs.settle(world.begin(), choice, number=number, **here)  # type: ignore[arg-type]
    refund = RefundRequest(return_line_id=line, quantity=1)
    assert len(verbs.refund(world.begin(), refund, number=number, **here)) == 1  # type: ignore[arg-type]
    assert desk.status(return_id).to_refund == 1


def test_what_comes_out_of_two_deliveries_is_counted_once(desk: Desk) -> None:
    world = desk.world
    mug = world.item("mug")
    world.stock(mug, 3)
    order = desk.shop.order((mug, 5))
    desk.shop.deliver(desk.shop.send_out(order))
    desk.supply(mug, 2, unit_cost="5.00")
    desk.shop.deliver(desk.shop.send_out(order))
    return_id = desk.authorize(desk.shop.line(order).line_id, 5)
    [line] = desk.lines(return_id)
    receive(desk, number_of(desk, return_id), Counted(return_line_id=line, quantity=4))
    assert (desk.status(return_id).received, desk.status(return_id).expected) == (4, 1)


def test_nobody_reads_a_lot_that_the_sale_knows(desk: Desk) -> None:
    world = desk.world
    milk = world.item("milk", lot_tracked=True, shelf_life_days=30)
    lot = lots.find_or_create(world.begin(), item_id=milk, code="L1", expiry_date=world.day(20))
    world.stock(milk, 4, lot_id=lot)
    order = desk.shop.order((milk, 4))
    desk.shop.deliver(desk.shop.send_out(order))
    return_id = desk.authorize(desk.shop.line(order).line_id, 2)
    [line] = desk.lines(return_id)
    [shown] = return_sheet.read(world.begin(), number=number_of(desk, return_id), site_id=world.setup.site_id).lines
    assert (shown.lot_code, shown.asks_lot) == ("L1", False)
    receive(desk, number_of(desk, return_id), Counted(return_line_id=line, quantity=2))
    assert desk.status(return_id).received == 2


def test_a_sale_from_before_the_books_asks_for_its_lot(desk: Desk) -> None:
    world = desk.world
    milk = world.item("milk", lot_tracked=True, shelf_life_days=30)
    return_id = desk.authorize(desk.prior(milk, 3), 2)
    number = number_of(desk, return_id)
    [line] = desk.lines(return_id)
    [shown] = return_sheet.read(world.begin(), number=number, site_id=world.setup.site_id).lines
    assert (shown.asks_lot, shown.asks_expiry, shown.lots) == (True, True, ())
    for code in ("L1", "L2"):
        receive(desk, number, Counted(return_line_id=line, quantity=1, lot_code=code, expiry_date=world.day(9)))
    [shown] = return_sheet.read(world.begin(), number=number, site_id=world.setup.site_id).lines
    assert [code for _, code in shown.lots] == ["L1", "L2"]


def test_more_than_expected_and_nothing_are_refused(desk: Desk) -> None:
    return_id = desk.authorize(desk.delivered(desk.world.item("mug"), 5), 3)
    number, [line] = number_of(desk, return_id), desk.lines(return_id)
    with desk.world.refuses(MoreThanExpected, match="4 units were counted of a line of which 3 are expected"):
        receive(desk, number, Counted(return_line_id=line, quantity=4))
    with desk.world.refuses(MoreThanExpected):
        receive(desk, number, Counted(return_line_id=line, quantity=-1))
    with desk.world.refuses(NothingCounted):
        receive(desk, number, Counted(return_line_id=line, quantity=0))


def strangers(desk: Desk) -> dict[str, tuple[type[Exception], Callable[[str, int], object]]]:
    """What each verb does with a line or inspection of another return, given a number and a site."""
    world = desk.world
    other = desk.authorize(desk.delivered(world.item("plate"), 2), 1)
    [line] = desk.back(other)
    [inspection_id] = desk.inspect(line, 1)
    verdict = Verdict(return_line_id=line, quantity=1, grade=Grade.A, finding=Finding.NO_FAULT)
    choice = Choice(inspection_id=inspection_id, disposition=Disposition.RESTOCK)
    refund = RefundRequest(return_line_id=line, quantity=1)
    counted = [Counted(return_line_id=line, quantity=1)]

    def calling(verb: Callable[..., object], what: object) -> Callable[[str, int], object]:
        return lambda number, site_id: verb(world.begin(), what, number=number, site_id=site_id, **how(world))

    return {
        "receive": (ReturnLineUnknown, calling(verbs.receive, counted)),
        "inspect": (ReturnLineUnknown, calling(verbs.inspect, verdict)),
        "settle": (InspectionUnknown, calling(verbs.settle, choice)),
        "refund": (ReturnLineUnknown, calling(verbs.refund, refund)),
    }


@pytest.mark.parametrize("verb", ["receive", "inspect", "settle", "refund"])
def test_lines_of_another_return_or_site_are_unknown(desk: Desk, verb: str) -> None:
    number = number_of(desk, desk.authorize(desk.delivered(desk.world.item("mug"), 5), 3))
    error, call = strangers(desk)[verb]
    site_id = desk.world.setup.site_id
    with desk.world.refuses(error, match=f"{number} has no "):  # type: ignore[arg-type]
        call(number, site_id)
    with desk.world.refuses(ReturnUnknown):
        call(number, site_id + 1)


def test_only_lines_of_the_named_order_are_authorized(desk: Desk) -> None:
    world = desk.world
    mine, other = desk.delivered(world.item("mug"), 2), desk.delivered(world.item("plate"), 2)
    numbers = list(world.begin().scalars(sa.text("SELECT number FROM sales_order ORDER BY id")))
    request = ReturnRequest(sales_order_line_id=other, quantity=1, reason=ReturnReason.UNWANTED)
    site_id = world.setup.site_id
    with world.refuses(SoldLineUnknown, match=f"{numbers[0]} has no line {other}"):
        verbs.authorize(world.begin(), request, order_number=numbers[0], site_id=site_id, **how(world))  # type: ignore[arg-type]
    with world.refuses(OrderUnknown):
        verbs.authorize(world.begin(), request, order_number=numbers[1], site_id=site_id + 1, **how(world))  # type: ignore[arg-type]
    assert mine


def test_parcels_are_settled_by_their_numbers_at_their_site(desk: Desk) -> None:
    world = desk.world
    site_id = world.setup.site_id
    here = {"actor": world.user("returns"), "now": world.now}

    def record() -> str:
        parcel_id = parcels.record(
            world.begin(),
            site_id=site_id,
            label="",
            sender="",
            contents="a mug",
            **how(world),  # type: ignore[arg-type]
        )
        return parcels.lock(world.begin(), parcel_id).number

    sold = desk.delivered(world.item("mug"), 5)
    order_number = world.begin().execute(sa.text("SELECT number FROM sales_order")).scalar_one()
    number = number_of(desk, desk.authorize(sold, 1))
    first, second, third = record(), record(), record()
    with world.refuses(ParcelUnknown):
        verbs.dispose_parcel(world.begin(), number=first, reason="-", site_id=site_id + 1, **here)  # type: ignore[arg-type]
    verbs.match_parcel(world.begin(), number=first, return_number=number, site_id=site_id, **here)  # type: ignore[arg-type]
    verbs.dispose_parcel(world.begin(), number=second, reason="given back", site_id=site_id, **here)  # type: ignore[arg-type]
    verbs.authorize(
        world.begin(),
        ReturnRequest(sales_order_line_id=sold, quantity=2, reason=ReturnReason.UNWANTED),
        order_number=order_number,
        site_id=site_id,
        parcel_number=third,
        **how(world),  # type: ignore[arg-type]
    )
    states = list(world.begin().scalars(sa.select(parcels.UnknownParcel.state).order_by(parcels.UnknownParcel.id)))
    assert states == [ParcelState.MATCHED, ParcelState.DISPOSED, ParcelState.MATCHED]
