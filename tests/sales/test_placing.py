"""What may be ordered, and what is refused with the order, line and mend named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from scm.core.documents import IllegalTransition
from scm.core.errors import ScmError
from scm.core.users import RoleMissing
from scm.master.items import ItemStatus
from scm.sales import orders
from scm.sales.documents import MACHINE, OrderState, OrderUnknown, SalesOrder, SalesOrderLine
from scm.sales.intake import BadOrder, CannotBeSold, DuplicateOrder, PartyUnknown
from scm.sales.orders import LineRequest, OrderRequest
from tests.selling import Shop
from tests.world import World


def place(world: World, *requests: OrderRequest, by: str = "sales") -> list[int]:
    return orders.place(world.begin(), requests, actor=world.user(by), now=world.now, today=world.today)


def test_a_placed_order_is_a_draft_that_reserves_nothing(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 40)
    [order_id] = shop.draft(shop.request((bolt, 10), external_id="A-1"))
    assert shop.state(order_id) is OrderState.DRAFT
    assert world.position(bolt).available == 40
    line = shop.line(order_id)
    assert (line.ordered, line.reserved, line.waiting, line.cancelled, line.open) == (10, 0, 0, 0, 10)


def test_orders_get_numbers_of_their_own_in_one_series(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    ids = shop.draft(*(shop.request((bolt, 1)) for _ in range(3)))
    numbers = [shop.number(order_id) for order_id in ids]
    assert len(set(numbers)) == 3
    assert all(number.startswith("SO-2026-") for number in numbers)


def test_prices_are_kept_exactly(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    [order_id] = shop.draft(shop.request((bolt, 3), unit_price="0.123457"))
    kept = world.begin().scalars(sa.select(SalesOrderLine.unit_price).where(SalesOrderLine.order_id == order_id)).one()
    assert kept == Decimal("0.123457")


@pytest.mark.parametrize(
    ("quantity", "price", "words"),
    [
        (0, Decimal(1), "quantity 0 of bolt must be a whole number above 0"),
        (-4, Decimal(1), "quantity -4 of bolt"),
        (1.5, Decimal(1), "quantity 1.5 of bolt"),
        (True, Decimal(1), "quantity True of bolt"),
        (1, Decimal("-0.01"), "at least 0"),
        (1, Decimal("NaN"), "at least 0"),
        (1, 9.99, "price 9.99 of bolt must be a decimal number"),
        (1, Decimal("0.0000001"), "more than 6 decimal places"),
    ],
)
def test_a_quantity_or_price_that_cannot_be_is_refused(
    world: World, shop: Shop, quantity: int, price: Decimal, words: str
) -> None:
    line = LineRequest(item_id=world.item("bolt"), quantity=quantity, unit_price=price)
    request = replace(shop.request(external_id="A-1"), lines=[line])
    with world.refuses(BadOrder, "order A-1 of web, line 1: .*" + words):
        place(world, request)


def test_unknown_and_retired_items_are_refused_by_name(world: World, shop: Shop) -> None:
    old = world.item("old", status=ItemStatus.RETIRED)
    with world.refuses(PartyUnknown, "line 2: there is no item 999999"):
        place(world, shop.request((world.item("bolt"), 1), (999999, 1)))
    with world.refuses(CannotBeSold, "item old is retired"):
        place(world, shop.request((old, 1)))


def test_an_item_that_phases_out_is_still_sold(world: World, shop: Shop) -> None:
    last = world.item("last", status=ItemStatus.PHASE_OUT)
    assert shop.draft(shop.request((last, 1)))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"site_id": 999}, PartyUnknown, "no site 999"),
        ({"customer_id": 999}, PartyUnknown, "no customer 999"),
        ({"channel": "none"}, PartyUnknown, "no channel 'none'"),
        ({"external_id": "x" * 81}, BadOrder, "external id"),
        ({"lines": []}, BadOrder, "has no lines"),
    ],
)
def test_an_order_that_cannot_be_is_refused(
    world: World, shop: Shop, change: dict[str, object], error: type[ScmError], words: str
) -> None:
    request = replace(shop.request((world.item("bolt"), 1)), **change)  # type: ignore[arg-type]
    with world.refuses(error, words):
        place(world, request)


def test_a_supplier_is_no_customer(world: World, shop: Shop) -> None:
    request = replace(shop.request((world.item("bolt"), 1)), customer_id=world.supplier("acme"))
    with world.refuses(CannotBeSold, "acme is not an active customer"):
        place(world, request)


def test_the_same_external_order_is_placed_once_per_channel(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    [first] = shop.draft(shop.request((bolt, 1), external_id="A-1"))
    with world.refuses(DuplicateOrder, f"order A-1 of web was placed before as {shop.number(first)}"):
        place(world, shop.request((bolt, 1), external_id="A-2"), shop.request((bolt, 1), external_id="A-1"))
    with world.refuses(DuplicateOrder, "order A-3 of web is given twice"):
        place(world, shop.request((bolt, 1), external_id="A-3"), shop.request((bolt, 1), external_id="A-3"))
    assert shop.draft(shop.request((bolt, 1), channel=world.channel("shop"), external_id="A-1"))


def test_one_bad_order_keeps_the_whole_batch_out(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    with world.refuses(BadOrder):
        place(world, shop.request((bolt, 1)), shop.request((bolt, 0)))
    assert world.begin().scalar(sa.select(sa.func.count(SalesOrder.id))) == 0


def test_nobody_but_sales_takes_orders(world: World, shop: Shop) -> None:
    request = shop.request((world.item("bolt"), 1))
    for username in ("buyer", "warehouse", "planner", "approver", "returns"):
        with world.refuses(RoleMissing, username):
            place(world, request, by=username)
    assert place(world, request, by="system")


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("action", MACHINE.actions)
def test_every_transition_is_made_or_refused(world: World, shop: Shop, state: OrderState, action: str) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 5)
    [order_id] = shop.draft(shop.request((bolt, 5)))
    if state is OrderState.CONFIRMED:
        shop.confirm(order_id)
    if state is OrderState.CANCELLED:
        shop.cancel(order_id)
    verbs: dict[str, Callable[[int], object]] = {"confirm": shop.confirm, "cancel": shop.cancel}
    act = verbs[action]
    if (state, action) in MACHINE.transitions:
        act(order_id)
        assert shop.state(order_id) is MACHINE.transitions[state, action]
    else:
        with world.refuses(IllegalTransition, f"{shop.number(order_id)} is {state.value}: {action} is not possible"):
            act(order_id)


def test_an_unknown_order_is_named(world: World, shop: Shop) -> None:
    with world.refuses(OrderUnknown, "no sales order 4711"):
        shop.confirm(4711)
