"""What pages show of bills: the document with its revisions and approvals, and what the material costs."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import sqlalchemy as sa

from scm.core import listing
from scm.core.approval import Decision
from scm.core.listing import ListQuery
from scm.master import bom_costs, bom_records, bom_usage
from scm.master.agreements import SupplierTerms
from scm.master.bom import Bom, BomState, number
from scm.master.items import Item
from tests.master.making import approved_bill, bill, center, content, submit
from tests.world import World


def test_a_document_tells_its_revisions_and_who_asked(world: World) -> None:
    table, leg = world.item("table"), world.item("leg")
    first = approved_bill(world, table, {leg: 4})
    second = bill(world, table, content(world, {leg: 3}))
    submit(world, second)
    read = bom_records.document(world.begin(), bom_id=second, company_id=world.setup.company_id)
    assert read is not None
    assert (read.number, read.state) == ("BOM table@MAIN r2", BomState.SUBMITTED)
    assert [(one.id, one.state) for one in read.revisions] == [
        (second, BomState.SUBMITTED),
        (first, BomState.APPROVED),
    ]
    assert [(one.requester, one.decision) for one in read.asked] == [("Planner", Decision.PENDING)]
    assert bom_records.document(world.begin(), bom_id=second, company_id=999) is None
    assert bom_records.of_item(world.begin(), item_id=table, site_id=world.setup.site_id) == first
    assert bom_records.of_item(world.begin(), item_id=leg, site_id=world.setup.site_id) is None


def test_the_lists_name_their_rows_as_refusals_do(world: World) -> None:
    bill(world, world.item("table"), content(world, {world.item("leg"): 4}))
    session = world.begin()
    found = listing.fetch(session, bom_records.boms(company_id=world.setup.company_id), ListQuery())
    [bom] = session.scalars(sa.select(Bom))
    assert [row["name"] for row in found.rows] == [number("table", "MAIN", bom.revision)]
    assert (found.rows[0]["lines"], found.rows[0]["operations"]) == (1, 0)
    center(world, "SAW", machines=2)
    found = listing.fetch(world.begin(), bom_records.work_centers(site_id=world.setup.site_id), ListQuery())
    assert [(row["code"], row["machines"], row["shifts"]) for row in found.rows] == [("SAW", 2, 0)]


def test_material_is_rolled_up_from_what_was_agreed(world: World) -> None:
    table, leg, wood, screw, glue = (world.item(sku) for sku in ("table", "leg", "wood", "screw", "glue"))
    session = world.begin()
    session.execute(sa.update(Item).where(Item.id == glue).values(opening_unit_cost=None))
    near, abroad = world.supplier("near"), world.supplier("abroad")
    session.execute(sa.update(SupplierTerms).where(SupplierTerms.partner_id == abroad).values(currency="USD"))
    world.agreement(wood, near, unit_price="1.50")
    world.agreement(screw, abroad, unit_price="0.01")
    approved_bill(world, leg, {wood: 2}, yield_rate=Decimal("0.8"))
    table_bill = approved_bill(world, table, {leg: 4, screw: 8, glue: 1})
    branches = bom_usage.tree(world.begin(), bom_id=table_bill, on=world.today)
    found = bom_costs.roll_up(world.begin(), branches, currency=world.setup.currency)
    # Wood: 4 legs × 2 / 0.8 = 10 at 1.50; screws at their opening cost of 4; glue nobody has told.
    assert [(one.item_id, one.cost, one.agreed) for one in found.materials] == [
        (screw, Fraction(32), False),
        (wood, Fraction(15), True),
        (glue, None, False),
    ]
    assert found.total == 47 and not found.complete
