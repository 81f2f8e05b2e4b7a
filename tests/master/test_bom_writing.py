"""Bills of materials are written revision by revision, and refused when they say what cannot be."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from scm.core.users import RoleMissing
from scm.master import bom_content, bom_writing
from scm.master.bom import Bom, BomKind, BomLine, BomState
from scm.master.bom_checking import PartUnknown
from scm.master.bom_content import BadBom, BomContent, LineContent, OperationContent, SubstituteContent
from scm.master.items import ItemUnknown
from tests.master.making import bill, center, content
from tests.world import World


def test_a_bill_reads_as_it_was_written(world: World) -> None:
    table, leg, top, glue = (world.item(sku) for sku in ("table", "leg", "top", "glue"))
    written = BomContent(
        kind=BomKind.MAKE,
        valid_from=world.today,
        valid_until=world.day(90),
        output_quantity=10,
        yield_rate=Decimal("0.95"),
        lead_time_days=3,
        minimum_order_quantity=20,
        order_multiple=10,
        cover_limit_days=60,
        lines=(
            LineContent(line_number=10, item_id=leg, quantity=40, scrap_rate=Decimal("0.02")),
            LineContent(
                line_number=20,
                item_id=top,
                quantity=10,
                substitutes=(SubstituteContent(item_id=glue, priority=1, quantity=25),),
            ),
        ),
        operations=(
            OperationContent(
                sequence=10,
                name="Join",
                work_center_id=center(world, "BENCH"),
                setup_seconds=600,
                run_seconds=90,
                run_quantity=4,
            ),
        ),
    )
    bom_id = bill(world, table, written)
    session = world.begin()
    assert bom_content.read(session, [bom_id]) == {bom_id: written}
    [row] = session.scalars(sa.select(Bom))
    assert (row.revision, row.state) == (1, BomState.DRAFT)
    again = bill(world, table, written)
    assert world.begin().scalar(sa.select(Bom.revision).where(Bom.id == again)) == 2


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nothing comes out": ({"output_quantity": 0}, "output_quantity is 0"),
    "all is lost": ({"yield_rate": Decimal(0)}, "yield_rate is 0"),
    "more than all": ({"yield_rate": Decimal("1.1")}, "yield_rate is 1.1"),
    "nobody is sent the components": ({"kind": BomKind.SUBCONTRACT}, "a subcontractor is named"),
    "no multiple": ({"order_multiple": 0}, "order_multiple is 0"),
    "no cover": ({"cover_limit_days": 0}, "cover_limit_days is 0"),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_figures_of_a_bill_make_sense(world: World, case: str) -> None:
    changes, words = WRONG[case]
    table, leg = world.item("table"), world.item("leg")
    with world.refuses(BadBom, words):
        bill(world, table, dataclasses.replace(content(world, {leg: 4}), **changes))


def test_an_item_is_not_made_of_itself_nor_of_what_is_not_there(world: World) -> None:
    table, leg = world.item("table"), world.item("leg")
    with world.refuses(BadBom, "BOM table@MAIN r1, line 10: an item cannot be made of itself"):
        bill(world, table, content(world, {table: 1}))
    with world.refuses(BadBom, "quantity is 0"):
        bill(world, table, content(world, {leg: 0}))
    with world.refuses(PartUnknown, "there is no item 999"):
        bill(world, table, content(world, {999: 1}))
    with world.refuses(ItemUnknown, "there is no item 999"):
        bill(world, 999, content(world, {leg: 1}))
    twice = (LineContent(line_number=1, item_id=leg, quantity=1), LineContent(line_number=2, item_id=leg, quantity=1))
    with world.refuses(BadBom, f"item_id {leg} is given 2 times"):
        bill(world, table, dataclasses.replace(content(world, {}), lines=twice))


def test_only_who_plans_writes_a_bill(world: World) -> None:
    table, leg = world.item("table"), world.item("leg")
    with world.refuses(RoleMissing) as session:
        bom_writing.create(
            session,
            content(world, {leg: 4}),
            site_id=world.setup.site_id,
            item_id=table,
            company_id=world.setup.company_id,
            actor=world.user("warehouse"),
        )


@pytest.mark.parametrize(
    "change",
    [
        {"output_quantity": 0},
        {"yield_rate": Decimal(0)},
        {"kind": BomKind.SUBCONTRACT},
        {"valid_until": "before"},
        {"cover_limit_days": 0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_database_refuses_it_as_well(world: World, change: dict[str, Any]) -> None:
    bom_id = bill(world, world.item("table"), content(world, {world.item("leg"): 4}))
    values = {name: world.day(-1) if value == "before" else value for name, value in change.items()}
    session = world.begin()
    with pytest.raises(exc.IntegrityError), session.begin_nested():
        session.execute(sa.update(Bom).where(Bom.id == bom_id).values(**values))
    with pytest.raises(exc.IntegrityError), session.begin_nested():
        session.execute(sa.update(BomLine).where(BomLine.bom_id == bom_id).values(scrap_rate=Decimal(2)))
