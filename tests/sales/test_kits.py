"""Kits: sold as one, promised, picked, shipped, invoiced and taken back as their components, as they were sold."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from scm.finance import claims, money, reconcile, valuation
from scm.master.bom import Bom, BomKind, BomLine, BomState
from scm.master.items import Item, ItemStatus
from scm.sales import kits, order_sheet
from scm.sales.channel_orders import taking
from scm.sales.documents import SalesOrderLine
from scm.sales.kits import KitEmpty, SalesOrderKit
from scm.sales.order_sheet import OrderSheet
from tests.selling import Shop
from tests.world import FIRST_DAY, World


def bill(
    world: World, parent: int, *lines: tuple[int, int], kind: BomKind = BomKind.KIT, valid_from: date = FIRST_DAY
) -> int:
    """An approved bill of materials, made of (component, quantity)."""
    session = world.begin()
    revision = len(list(session.scalars(sa.select(Bom.id).where(Bom.item_id == parent)))) + 1
    session.execute(sa.update(Bom).where(Bom.item_id == parent).values(state=BomState.RETIRED))
    bom = Bom(
        company_id=world.setup.company_id,
        site_id=world.setup.site_id,
        item_id=parent,
        revision=revision,
        kind=kind,
        state=BomState.APPROVED,
        valid_from=valid_from,
        output_quantity=1,
        yield_rate=Decimal(1),
        lead_time_days=0,
        minimum_order_quantity=0,
        order_multiple=1,
    )
    session.add(bom)
    session.flush()
    session.add_all(
        BomLine(bom_id=bom.id, line_number=number, item_id=item, quantity=quantity, scrap_rate=Decimal(0))
        for number, (item, quantity) in enumerate(lines, start=1)
    )
    session.flush()
    return bom.id


def sheet(shop: Shop, order_id: int) -> OrderSheet:
    site_id = shop.world.setup.site_id
    return order_sheet.read(shop.world.begin(), number=shop.number(order_id), site_id=site_id)


class Counter:
    """A gift box: a cup for 8.00, two spoons for 1.00 each, and a card as a gift."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cup = world.item("cup", sale_price="8.00")
        self.spoon = world.item("spoon", sale_price="1.00")
        self.card = world.item("card", sale_price="0")
        self.box = world.item("box", sale_price="9.00")
        for item in (self.cup, self.spoon, self.card):
            world.stock(item, 40)
        self.bom = bill(world, self.box, (self.cup, 1), (self.spoon, 2), (self.card, 1))


@pytest.fixture
def counter(world: World) -> Counter:
    """A counter with gift boxes."""
    return Counter(world)


def test_a_kit_is_promised_shipped_and_invoiced_as_its_components(world: World, shop: Shop, counter: Counter) -> None:
    order = shop.order((counter.box, 3), (counter.spoon, 1), unit_price="9.00")
    found = sheet(shop, order)
    assert [(line.sku, line.status.ordered, line.amount, line.kit) for line in found.lines] == [
        ("cup", 3, 21_60, "box"),
        ("spoon", 6, 5_40, "box"),
        ("card", 3, 0, "box"),
        ("spoon", 1, 9_00, None),
    ]
    assert found.value == 36_00
    assert [line.reserved for line in shop.lines(order)] == [3, 6, 3, 1]
    shop.deliver(shop.send_out(order))
    [standing] = claims.standings_of_orders(world.begin(), [order])
    assert standing.amount == 36_00
    valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
    assert reconcile.verify_books(world.begin(), now=world.now).findings == ()


def test_what_was_sold_stays_what_it_was_when_the_bill_changes(world: World, shop: Shop, counter: Counter) -> None:
    before = shop.order((counter.box, 1), unit_price="9.00")
    bill(world, counter.box, (counter.cup, 2), valid_from=FIRST_DAY)
    after = shop.order((counter.box, 1), unit_price="9.00")
    assert [(line.sku, line.status.ordered) for line in sheet(shop, before).lines] == [
        ("cup", 1),
        ("spoon", 2),
        ("card", 1),
    ]
    assert [(line.sku, line.status.ordered, line.amount) for line in sheet(shop, after).lines] == [("cup", 2, 9_00)]
    shop.deliver(shop.send_out(before))
    lines = list(world.begin().scalars(sa.select(SalesOrderLine.id).where(SalesOrderLine.order_id == before)))
    invoiced = claims.invoiced_lines(world.begin(), lines)
    assert sorted(line.amount for line in invoiced) == [0, 1_80, 7_20]  # a return refunds a component's share
    kit = world.begin().scalars(sa.select(SalesOrderKit).where(SalesOrderKit.order_id == before)).one()
    assert (kit.item_id, kit.quantity, kit.unit_price, kit.bom_id) == (counter.box, 1, Decimal(9), counter.bom)


def test_a_kit_without_prices_of_its_own_is_shared_by_quantity(world: World, shop: Shop) -> None:
    left, right, pair = world.item("left", sale_price="0"), world.item("right", sale_price="0"), world.item("pair")
    bill(world, pair, (left, 1), (right, 3))
    order = shop.order((pair, 1), unit_price="10.00")
    assert [line.amount for line in sheet(shop, order).lines] == [2_50, 7_50]


def test_a_bill_to_make_is_no_kit(world: World, shop: Shop, counter: Counter) -> None:
    made = world.item("made")
    world.stock(made, 1)
    bill(world, made, (counter.cup, 1), kind=BomKind.MAKE)
    assert [line.sku for line in sheet(shop, shop.order((made, 1))).lines] == ["made"]


def test_a_kit_with_a_retired_component_is_refused(world: World, shop: Shop, counter: Counter) -> None:
    world.begin().execute(sa.update(Item).where(Item.sku == "card").values(status=ItemStatus.RETIRED))
    with world.refuses(KitEmpty, "the kit box holds card, which is retired"):
        shop.order((counter.box, 1))


def test_a_channel_changes_a_kit_as_one(world: World, shop: Shop, counter: Counter) -> None:
    def send(kind: str, sequence: int, *lines: tuple[str, int]) -> taking.Report:
        sent = {
            "message": kind,
            "external_id": "A",
            "sequence": sequence,
            "customer": "customer",
            "lines": [{"sku": sku, "quantity": quantity, "unit_price": "9"} for sku, quantity in lines],
        }
        return taking.take(
            world.begin(),
            json.dumps([sent]).encode(),
            channel="web",
            company_id=world.setup.company_id,
            dry_run=False,
            actor=world.user("sales"),
            now=world.now,
            today=world.today,
        )

    def standing() -> list[tuple[int, int]]:
        lines = sa.select(SalesOrderLine.line_number, SalesOrderLine.quantity)
        rows = world.begin().execute(lines.where(SalesOrderLine.cancelled_at.is_(None)))
        return sorted((row.line_number, row.quantity) for row in rows)

    send("placed", 1, ("box", 1), ("cup", 1))
    assert standing() == [(1, 1), (2, 1), (3, 2), (4, 1)]  # the cup, and then the box
    report = send("changed", 2, ("box", 1), ("cup", 2))
    assert report.amended == 1
    assert standing() == [(2, 1), (3, 2), (4, 1), (5, 2)]  # the kit is as it was
    send("changed", 3, ("box", 2))
    assert standing() == [(6, 2), (7, 4), (8, 2)]
    assert reconcile.verify_books(world.begin(), now=world.now).findings == ()


@given(
    amount=st.integers(0, 10_000_000),
    parts=st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 5_000)), min_size=1, max_size=6),
)
def test_shares_come_to_the_amount_exactly(amount: int, parts: list[tuple[int, int]]) -> None:
    weights, quantities = [weight for weight, _ in parts], [quantity for _, quantity in parts]
    prices = kits.shares(amount, weights, quantities, currency="GBP")
    lines = [
        money.line_amount(price, quantity, currency="GBP") for price, quantity in zip(prices, quantities, strict=True)
    ]
    assert sum(lines) == amount
    if any(weights):
        assert all(price == 0 for price, weight in zip(prices, weights, strict=True) if not weight)
