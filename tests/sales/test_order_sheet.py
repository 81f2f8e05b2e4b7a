"""An order's page says how far each line is, what it was promised on, and what was bought for it."""

from __future__ import annotations

import pytest

from scm.sales import order_sheet, orders
from scm.sales.documents import OrderUnknown
from scm.sales.order_sheet import OrderSheet, Progress
from tests.selling import Shop
from tests.world import World


@pytest.fixture
def shop(world: World) -> Shop:
    """A shop in the test's own session."""
    return Shop(world)


def sheet(shop: Shop, order_id: int) -> OrderSheet:
    return order_sheet.read(shop.world.begin(), number=shop.number(order_id), site_id=shop.world.setup.site_id)


def test_every_step_has_its_word(shop: Shop) -> None:
    bolt = shop.world.item("bolt")
    shop.world.stock(bolt, 10)
    [order] = shop.draft(shop.request((bolt, 6), unit_price="1.115"))
    assert sheet(shop, order).progress is Progress.DRAFT
    shop.confirm(order)
    assert sheet(shop, order).progress is Progress.RESERVED
    wave = shop.pick(shop.wave(order))
    assert sheet(shop, order).progress is Progress.PICKED
    shipped = shop.ship(shop.pack(wave))
    assert sheet(shop, order).progress is Progress.ON_THE_WAY
    assert not sheet(shop, order).can_be_cancelled
    shop.deliver(shipped)
    found = sheet(shop, order)
    assert found.progress is Progress.DELIVERED
    assert (found.value, found.lines[0].amount, found.lines[0].unit) == (669, 669, "pc")


def test_an_order_is_as_far_as_its_least_advanced_line(shop: Shop) -> None:
    bolt, nut = shop.world.item("bolt"), shop.world.item("nut")
    shop.world.stock(bolt, 10)
    order = shop.order((bolt, 6), (nut, 2))
    found = sheet(shop, order)
    assert found.progress is Progress.WAITING
    assert [line.progress for line in found.lines] == [Progress.RESERVED, Progress.WAITING]
    assert [line.waits for line in found.lines] == [0, 2]
    assert found.promised_date is None, "nobody supplies nuts"


def test_what_was_bought_for_a_line_is_named_and_orphaned_when_the_line_goes(shop: Shop) -> None:
    world = shop.world
    bolt = world.item("bolt")
    agreement = world.agreement(bolt, world.supplier("acme"))
    order = shop.order((bolt, 6))
    purchase = world.approved_order((agreement, 10), due_in=5)
    [bought] = sheet(shop, order).bought
    assert (bought.document_kind, bought.document_id) == ("purchase_order", purchase)
    assert (bought.quantity, bought.due_date, bought.orphaned) == (6, world.day(5), False)
    shop.cancel(order)
    found = sheet(shop, order)
    assert found.progress is Progress.CANCELLED
    assert [supply.orphaned for supply in found.bought] == [True]
    assert world.on_order(bolt) == 10, "a cancelled sale never cancels a purchase"


def test_a_promise_that_has_passed_makes_the_order_late(shop: Shop) -> None:
    world = shop.world
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    order = shop.order((bolt, 6))
    found = sheet(shop, order)
    assert found.promised_date is not None
    assert not found.late(today=found.promised_date)
    world.pass_days((found.promised_date - world.today).days + 1)
    assert sheet(shop, order).late(today=world.today)
    assert sheet(shop, order).lines[0].leaves_date is not None


def test_cancelling_a_line_leaves_the_others(shop: Shop) -> None:
    world = shop.world
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 10)
    world.stock(nut, 10)
    order = shop.order((bolt, 6), (nut, 2))
    site_id = world.setup.site_id
    line_id = order_sheet.line_of(world.begin(), number=shop.number(order), site_id=site_id, line_number=2)
    orders.cancel_lines(
        world.begin(), [line_id], reason="-", actor=world.user("sales"), now=world.now, today=world.today
    )
    found = sheet(shop, order)
    assert [line.progress for line in found.lines] == [Progress.RESERVED, Progress.CANCELLED]
    assert [line.can_be_cancelled for line in found.lines] == [True, False]
    assert found.progress is Progress.RESERVED


def test_another_sites_order_is_as_unknown_as_none(shop: Shop) -> None:
    world = shop.world
    bolt = world.item("bolt")
    world.stock(bolt, 1)
    number = shop.number(shop.order((bolt, 1)))
    for asked, site_id in ((number, world.setup.site_id + 1), ("SO-2026-999999", world.setup.site_id)):
        with world.refuses(OrderUnknown, match=asked):
            order_sheet.read(world.begin(), number=asked, site_id=site_id)
        with world.refuses(OrderUnknown, match=asked):
            order_sheet.find(world.begin(), number=asked, site_id=site_id)
    with world.refuses(OrderUnknown, match="has no line 9"):
        order_sheet.line_of(world.begin(), number=number, site_id=world.setup.site_id, line_number=9)
