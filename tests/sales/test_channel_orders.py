"""Orders from channels: files of messages, out of order and repeated, end in one state; wrong files change nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scm.finance import reconcile, valuation
from scm.master.items import Item
from scm.sales import channels, pricing, status
from scm.sales.channel_orders import taking
from scm.sales.channel_orders.messages import ChannelMessage
from scm.sales.channel_orders.taking import Report
from scm.sales.documents import OrderState, SalesOrder, SalesOrderLine
from scm.sales.pricing import PriceRequest
from scm.stock.pools import PoolRequest
from tests.selling import Shop
from tests.world import World

HEADER = "message,external_id,sequence,customer,sku,quantity,unit_price\n"
GTIN = "4006381333931"


def take(world: World, data: bytes | str, *, channel: str = "web", dry_run: bool = False) -> Report:
    return taking.take(
        world.begin(),
        data.encode() if isinstance(data, str) else data,
        channel=channel,
        company_id=world.setup.company_id,
        dry_run=dry_run,
        actor=world.user("sales"),
        now=world.now,
        today=world.today,
    )


def message(kind: str, sequence: int, *lines: tuple[str, int], external_id: str = "A", **more: Any) -> dict[str, Any]:
    sent: dict[str, Any] = {"message": kind, "external_id": external_id, "sequence": sequence} | more
    if kind in ("placed", "changed"):
        sent |= {"customer": "customer"} | more
        sent["lines"] = [{"sku": sku, "quantity": quantity, "unit_price": "2.50"} for sku, quantity in lines]
    return sent


def send(world: World, *sent: dict[str, Any], channel: str = "web") -> Report:
    return take(world, json.dumps(sent), channel=channel)


def orders_of(world: World) -> list[SalesOrder]:
    return list(world.begin().scalars(sa.select(SalesOrder).order_by(SalesOrder.external_id)))


def lines_of(world: World, order_id: int) -> list[tuple[str, int, Decimal]]:
    rows = world.begin().execute(
        sa.select(Item.sku, SalesOrderLine.quantity, SalesOrderLine.unit_price)
        .join(Item, Item.id == SalesOrderLine.item_id)
        .where(SalesOrderLine.order_id == order_id, SalesOrderLine.cancelled_at.is_(None))
    )
    return sorted((row.sku, row.quantity, row.unit_price) for row in rows)


def state(world: World) -> list[tuple[object, ...]]:
    """What the channel's orders are: everything that must not depend on the order of the messages."""
    found: list[tuple[object, ...]] = []
    for order in orders_of(world):
        lines = status.fulfilment(world.begin(), [order.id])
        still = sum(line.reserved + line.waiting for line in lines)
        found.append(
            (
                order.external_id,
                order.state,
                order.customer_id,
                order.requested_date,
                order.paid_at is not None,
                lines_of(world, order.id),
                still,
            )
        )
    return found


@pytest.fixture
def goods(world: World, shop: Shop) -> dict[str, int]:
    """Three items, of which 50 each are in stock, and a customer."""
    found = {sku: world.item(sku) for sku in ("bolt", "nut", "pin")}
    for item in found.values():
        world.stock(item, 50)
    return found


def test_a_csv_file_places_its_orders_once(world: World, goods: dict[str, int]) -> None:
    file = HEADER + "placed,A,1,customer,bolt,3,2.50\nplaced,A,1,,nut,1,4\nplaced,B,1,customer,pin,2,1.25\n"
    dry = take(world, file, dry_run=True)
    assert (dry.rows, dry.messages, dry.new, dry.placed, dry.dry_run) == (3, 2, 2, 2, True)
    assert orders_of(world) == []
    report = take(world, file)
    assert (report.placed, report.repeated, report.errors) == (2, 0, ())
    first, second = orders_of(world)
    assert lines_of(world, first.id) == [("bolt", 3, Decimal("2.50")), ("nut", 1, Decimal(4))]
    assert second.state is OrderState.CONFIRMED
    before = world.everything()
    again = take(world, file)
    assert (again.new, again.repeated, again.placed) == (0, 2, 0)
    assert world.everything() == before


def test_items_are_named_by_gtin_too_and_prices_come_from_the_channel(world: World, goods: dict[str, int]) -> None:
    world.begin().execute(sa.update(Item).where(Item.sku == "bolt").values(gtin=GTIN))
    price = PriceRequest(item_id=goods["bolt"], unit_price=Decimal("9.99"), valid_from=world.today)
    company_id, sales = world.setup.company_id, world.user("sales")
    pricing.set_prices(world.begin(), code="web", requests=[price], company_id=company_id, actor=sales)
    file = f"message,external_id,sequence,customer,gtin,quantity\nplaced,A,1,customer,0{GTIN},2\n"
    assert take(world, file).errors == ()
    [order] = orders_of(world)
    assert lines_of(world, order.id) == [("bolt", 2, Decimal("9.99"))]
    dearer = PriceRequest(item_id=goods["bolt"], unit_price=Decimal(11), valid_from=world.today)
    pricing.set_prices(world.begin(), code="web", requests=[dearer], company_id=company_id, actor=sales)
    assert take(world, file).repeated == 1  # the channel has said the same


def test_a_change_withdraws_what_differs_and_promises_what_is_new(world: World, goods: dict[str, int]) -> None:
    send(world, message("placed", 1, ("bolt", 3), ("nut", 2)))
    report = send(world, message("changed", 2, ("nut", 2), ("pin", 60)))
    assert (report.amended, report.placed) == (1, 0)
    [order] = orders_of(world)
    assert [(sku, quantity) for sku, quantity, _ in lines_of(world, order.id)] == [("nut", 2), ("pin", 60)]
    lines = {line.item_id: line for line in status.fulfilment(world.begin(), [order.id])}
    assert (lines[goods["bolt"]].cancelled, lines[goods["nut"]].reserved) == (3, 2)
    assert (lines[goods["pin"]].reserved, lines[goods["pin"]].waiting) == (50, 10)
    assert reconcile.verify_books(world.begin(), now=world.now).findings == ()


def test_what_comes_before_its_order_waits_for_it(world: World, goods: dict[str, int]) -> None:
    report = send(world, message("cancelled", 2), message("paid", 3, external_id="B"))
    assert (report.waiting, report.placed, report.cancelled) == (2, 0, 0)
    assert orders_of(world) == []
    report = send(world, message("placed", 1, ("bolt", 1)), message("placed", 1, ("nut", 1), external_id="B"))
    assert (report.placed, report.cancelled, report.paid) == (1, 1, 1)
    first, second = orders_of(world)
    assert (first.state, second.state) == (OrderState.CANCELLED, OrderState.CONFIRMED)
    assert second.paid_at == world.now


def test_what_has_left_the_building_stays_as_it_was_sold(world: World, shop: Shop, goods: dict[str, int]) -> None:
    send(world, message("placed", 1, ("bolt", 3)))
    [order] = orders_of(world)
    shop.send_out(order.id)
    assert send(world, message("changed", 2, ("bolt", 2))).too_late == 1
    assert send(world, message("cancelled", 3)).too_late == 1
    [order] = orders_of(world)
    assert order.state is OrderState.CONFIRMED
    assert [(sku, quantity) for sku, quantity, _ in lines_of(world, order.id)] == [("bolt", 3)]


def test_a_channel_promises_from_its_own_pool(world: World, goods: dict[str, int]) -> None:
    live = world.channel("live", pool="live", ship_by_hours=24)
    channels.fill_pool(
        world.begin(),
        code=live,
        requests=[PoolRequest(item_id=goods["bolt"], quantity=4)],
        company_id=world.setup.company_id,
        actor=world.user("sales"),
        now=world.now,
    )
    send(world, message("placed", 1, ("bolt", 3)), channel=live)
    send(world, message("changed", 2, ("bolt", 6)), channel=live)
    [order] = orders_of(world)
    assert order.ship_by_at is not None
    [_, line] = status.fulfilment(world.begin(), [order.id])
    assert (line.reserved, line.waiting) == (4, 2)


def test_an_unknown_customer_is_added_when_the_channel_says_who_it_is(world: World, goods: dict[str, int]) -> None:
    sent = message("placed", 1, ("bolt", 1), customer="T-9", customer_name="Ms Li", country="China")
    assert send(world, sent).customers == 1
    assert orders_of(world)[0].customer_id != 0


WRONG = [
    ("placed,A,1,customer,bolt,0,2\n", 2, "quantity", "out of range"),
    ("placed,A,1,customer,bolt,,2\n", 2, "quantity", "empty"),
    ("placed,A,1,customer,screw,1,2\n", 2, "sku", "no such item"),
    ("placed,A,1,customer,,1,2\n", 2, "sku", "neither sku nor gtin"),
    ("placed,A,1,customer,bolt,1,\n", 2, "unit_price", "no price"),
    ("placed,A,1,customer,bolt,1,1.1234567\n", 2, "unit_price", "more than 6 decimal places"),
    ("placed,A,1,nobody,bolt,1,2\n", 2, "customer", "no such customer"),
    ("placed,A,1,,bolt,1,2\n", 2, "customer", "empty"),
    ("placed,A,,customer,bolt,1,2\n", 2, "sequence", "neither sequence nor sent_at"),
    ("placed,A,1,customer,,,\n", 2, "sku", "no lines"),
    ("sold,A,1,customer,bolt,1,2\n", 2, "message", "not known"),
    ("placed,A,1,customer,bolt,1,2\nplaced,A,1,other,nut,1,2\n", 3, "customer", "the first row"),
]


@pytest.mark.parametrize(("rows", "row", "column", "words"), WRONG)
def test_a_wrong_cell_is_named_and_nothing_is_changed(
    world: World, goods: dict[str, int], rows: str, row: int, column: str, words: str
) -> None:
    before = world.everything()
    report = take(world, HEADER + "placed,GOOD,1,customer,bolt,1,2\n" + rows)
    named = [(error.row - 1, error.column) for error in report.errors if words in error.reason]
    assert (row, column) in named
    assert all(error.mend for error in report.errors)
    assert world.everything() == before


@pytest.mark.parametrize(
    ("file", "column", "words"),
    [
        ('{"message": "placed"', "", "cannot be read"),
        ('[{"message": "placed", "external_id": "A", "sequence": 1, "price": 1}]', "price", "no such field"),
        ('[{"message": "placed", "external_id": "A", "sequence": 1, "lines": 5}]', "lines", "no list"),
        ('[{"message": "placed", "external_id": "A", "sequence": 1, "lines": [7]}]', "lines[0]", "no object"),
        ('[{"message": "paid", "external_id": true, "sequence": 1}]', "external_id", "neither text nor number"),
        ('[{"message": "paid", "external_id": "A", "sent_at": "2026-01-05T09:00:00"}]', "sent_at", "no time zone"),
        ("[5]", "", "no object"),
    ],
)
def test_a_wrong_json_file_is_refused_field_by_field(world: World, file: str, column: str, words: str) -> None:
    before = world.everything()
    report = take(world, file)
    assert [(error.column, words in error.reason) for error in report.errors] == [(column, True)]
    assert world.everything() == before


def test_another_message_under_the_same_sequence_is_refused(world: World, goods: dict[str, int]) -> None:
    send(world, message("placed", 1, ("bolt", 1)))
    [error] = send(world, message("placed", 1, ("bolt", 2))).errors
    assert "says otherwise" in error.reason
    [error] = send(world, message("paid", 5, external_id="C"), message("placed", 6, ("nut", 1), external_id="D"),
                   message("placed", 6, ("nut", 2), external_id="D")).errors  # fmt: skip
    assert (error.row, error.column) == (3, "sequence")
    assert world.begin().scalar(sa.select(sa.func.count()).select_from(ChannelMessage)) == 1


def test_instants_order_messages_as_sequences_do(world: World, goods: dict[str, int]) -> None:
    old, new = message("placed", 0, ("bolt", 1)), message("changed", 0, ("bolt", 2))
    for sent, minute in ((old, 1), (new, 2)):
        del sent["sequence"]
        sent["sent_at"] = datetime(2026, 1, 5, 8, minute, tzinfo=UTC).isoformat()
    send(world, new)
    send(world, old)
    assert lines_of(world, orders_of(world)[0].id) == [("bolt", 2, Decimal("2.50"))]


contents = st.lists(st.tuples(st.sampled_from(("bolt", "nut", "pin")), st.integers(1, 9)), min_size=1, max_size=3)
kinds = st.sampled_from(("placed", "changed", "changed", "cancelled", "paid"))


@settings(
    max_examples=max(8, settings().max_examples // 3),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    said=st.lists(st.tuples(st.sampled_from("AB"), kinds, contents), min_size=1, max_size=6),
    data=st.data(),
)
def test_any_order_of_messages_with_repeats_ends_in_the_same_state(
    world: World, goods: dict[str, int], said: Sequence[tuple[str, str, list[tuple[str, int]]]], data: st.DataObject
) -> None:
    sent = [
        message(kind, sequence, *lines, external_id=external_id)
        for sequence, (external_id, kind, lines) in enumerate(said, start=1)
    ]
    ends = []
    shuffled = data.draw(st.permutations(sent))
    repeats = data.draw(st.lists(st.sampled_from(sent), max_size=3))
    cut = data.draw(st.integers(0, len(sent)))
    for batches in ([[one] for one in sent], [shuffled[:cut], shuffled[cut:] + repeats]):
        point = world.begin().begin_nested()
        try:
            for batch in batches:
                assert send(world, *batch).errors == ()
            ends.append(state(world))
            valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
            assert reconcile.verify_books(world.begin(), now=world.now).findings == ()
        finally:
            point.rollback()
            world.begin().info.pop("audit_rows", None)
    assert ends[0] == ends[1]
