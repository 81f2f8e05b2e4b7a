"""The list of orders says of each what its page says."""

from __future__ import annotations

from typing import Any

import pytest

from scm.core import listing as lists
from scm.core.listing import Condition, ListQuery, Row
from scm.sales import order_list, order_sheet
from scm.sales.order_sheet import Progress
from tests.selling import Shop
from tests.world import World


@pytest.fixture
def shop(world: World) -> Shop:
    """A shop in the test's own session."""
    return Shop(world)


def fetch(shop: Shop, *conditions: Condition, **query: Any) -> dict[int, Row]:
    world = shop.world
    listing = order_list.listing(site_id=world.setup.site_id, currency="GBP", today=world.today)
    found = lists.fetch(world.begin(), listing, ListQuery(conditions=conditions, **query))
    return {row["key"]: row for row in found.rows}


def every_step(shop: Shop) -> list[int]:
    """One order at every step, with prices that need rounding."""
    bolt, rare = shop.world.item("bolt"), shop.world.item("rare")
    shop.world.stock(bolt, 100)
    [draft] = shop.draft(shop.request((bolt, 3), unit_price="1.115"))
    waiting = shop.order((bolt, 1), (rare, 4), unit_price="0.333333")
    reserved = shop.order((bolt, 3), unit_price="0.005")
    picked, shipped, delivered, cancelled = (shop.order((bolt, 2)) for _ in range(4))
    shop.pick(shop.wave(picked))
    shop.send_out(shipped)
    shop.deliver(shop.send_out(delivered))
    shop.cancel(cancelled)
    return [draft, waiting, reserved, picked, shipped, delivered, cancelled]


def test_every_figure_is_that_of_the_orders_page(shop: Shop) -> None:
    orders = every_step(shop)
    rows = fetch(shop)
    assert [rows[order]["progress"] for order in orders] == [
        Progress.DRAFT,
        Progress.WAITING,
        Progress.RESERVED,
        Progress.PICKED,
        Progress.ON_THE_WAY,
        Progress.DELIVERED,
        Progress.CANCELLED,
    ]
    for order in orders:
        sheet = order_sheet.read(shop.world.begin(), number=shop.number(order), site_id=shop.world.setup.site_id)
        row = rows[order]
        assert row["progress"] is sheet.progress
        assert row["value"] == sheet.value
        assert row["lines"] == len(sheet.lines)
        assert row["units"] == sum(line.status.ordered for line in sheet.lines)
        assert row["waiting"] == sum(line.waits for line in sheet.lines)
        assert row["late"] == sheet.late(today=shop.world.today)
        assert (row["number"], row["customer"], row["channel"]) == (sheet.number, sheet.customer, sheet.channel)


def test_filters_find_what_they_say(shop: Shop) -> None:
    draft, waiting, reserved, *_ = every_step(shop)
    for progress, order in ((Progress.WAITING, waiting), (Progress.DRAFT, draft), (Progress.RESERVED, reserved)):
        assert list(fetch(shop, Condition(field="progress", values=(progress,)))) == [order]
    assert fetch(shop, Condition(field="late", values=(True,))) == {}
    shop.world.pass_days(30)
    late = fetch(shop, Condition(field="late", values=(True,)))
    assert reserved in late
    assert draft not in late
    assert list(fetch(shop, search=shop.number(waiting))) == [waiting]
    assert list(fetch(shop, Condition(field="value", most=2))) == [reserved], "three at half a penny"


def test_every_field_can_be_sorted_by(shop: Shop) -> None:
    every_step(shop)
    world = shop.world
    listing = order_list.listing(site_id=world.setup.site_id, currency="GBP", today=world.today)
    for field in listing.fields:
        if field.name == "late":
            continue
        assert len(fetch(shop, order=(field.name, True))) == 7


def test_another_sites_orders_are_not_listed(shop: Shop) -> None:
    every_step(shop)
    listing = order_list.listing(site_id=shop.world.setup.site_id + 1, currency="GBP", today=shop.world.today)
    assert lists.fetch(shop.world.begin(), listing, ListQuery()).rows == []
