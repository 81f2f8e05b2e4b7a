"""What items lack is counted and listed by the same conditions."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from procurement import completeness
from scm.core import listing as lists
from scm.core.listing import Condition, ListQuery
from scm.master.items import Item, ItemStatus
from scm.master.partners import Partner
from tests.world import World


def lacking(world: World) -> dict[str, set[str]]:
    """What each item lacks, read from the list."""
    listing = completeness.listing(company_id=world.setup.company_id)
    found = lists.fetch(world.begin(), listing, ListQuery())
    return {row["sku"]: set(completeness.lacks_of(row)) for row in found.rows}


def test_every_lack_is_named_until_it_is_mended(world: World) -> None:
    bolt = world.item("bolt")
    world.begin().execute(sa.update(Item).values(opening_unit_cost=None))
    assert lacking(world)["bolt"] == {"agreement", "cost", "category", "gtin"}
    agreed = world.agreement(bolt, world.supplier("acme"))
    assert lacking(world)["bolt"] == {"cost", "category", "gtin", "lead_time"}
    world.begin().execute(sa.update(Partner).values(email=None))
    assert lacking(world)["bolt"] == {"cost", "category", "gtin", "lead_time", "email"}
    world.receive(world.sent_order((agreed, 10)))
    assert "lead_time" not in lacking(world)["bolt"]
    world.begin().execute(sa.update(Item).values(opening_unit_cost=Decimal(1), gtin="40170725", sale_price=None))
    assert lacking(world)["bolt"] == {"category", "price", "email"}


def test_the_counts_are_those_of_the_list(world: World) -> None:
    for sku in ("bolt", "nut", "washer"):
        world.item(sku)
    world.begin().execute(sa.update(Item).where(Item.sku == "washer").values(status=ItemStatus.PHASE_OUT))
    found = completeness.of_company(world.begin(), company_id=world.setup.company_id)
    assert (found.items, found.complete, found.lacking["agreement"], found.lacking["gtin"]) == (3, 0, 2, 3)
    assert found.share == 0
    listing = completeness.listing(company_id=world.setup.company_id)
    for name, number in found.lacking.items():
        condition = Condition(field=f"lacks_{name}", values=(True,))
        assert lists.fetch(world.begin(), listing, ListQuery(conditions=(condition,))).matching == number


def test_retired_items_count_no_more_and_nothing_is_wholly_complete(world: World) -> None:
    world.item("bolt")
    world.begin().execute(sa.update(Item).values(status=ItemStatus.RETIRED))
    found = completeness.of_company(world.begin(), company_id=world.setup.company_id)
    assert (found.items, found.share, set(found.lacking.values())) == (0, 1.0, {0})
