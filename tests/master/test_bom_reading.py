"""Bills as they are read: what an order takes by the revisions of its day, trees, uses, and columns for planning."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa

from scm.master import bom_structure, bom_usage, bom_validity
from scm.master.bom import BomKind
from scm.master.bom_content import LineContent, SubstituteContent
from scm.master.bom_writing import BomUnknown
from scm.master.locations import Site
from tests.master.making import approved_bill, bill, content
from tests.world import World


class Furniture:
    """A table of four legs, a top and a set of fittings, which is never stocked: screws and a bracket."""

    def __init__(self, world: World) -> None:
        self.world = world
        names = ("table", "leg", "top", "fittings", "screw", "bracket", "wood", "oak")
        self.ids = {name: world.item(name) for name in names}
        self.names = {item_id: name for name, item_id in self.ids.items()}
        table, leg, top, fittings, screw, bracket, wood, oak = self.ids.values()
        self.top_bill = approved_bill(world, top, {wood: 2}, yield_rate=Decimal("0.8"))
        self.leg_bill = approved_bill(
            world,
            leg,
            {},
            output_quantity=3,
            lines=(
                LineContent(
                    line_number=1,
                    item_id=wood,
                    quantity=2,
                    scrap_rate=Decimal("0.1"),
                    substitutes=(SubstituteContent(item_id=oak, priority=1, quantity=1),),
                ),
            ),
        )
        self.fittings_bill = approved_bill(world, fittings, {screw: 8, bracket: 4}, kind=BomKind.PHANTOM)
        self.table_bill = approved_bill(world, table, {leg: 4, top: 1, fittings: 1})

    def named(self, rows: dict[int, int]) -> dict[str, int]:
        return {self.names[item]: quantity for item, quantity in rows.items()}


@pytest.fixture
def furniture(world: World) -> Furniture:
    return Furniture(world)


def taken(furniture: Furniture, quantity: int, *, in_days: int = 0) -> dict[str, int]:
    found = bom_validity.components(
        furniture.world.begin(),
        bom_id=furniture.table_bill,
        quantity=quantity,
        on=furniture.world.day(in_days),
    )
    return furniture.named({component.item_id: component.quantity for component in found})


def test_an_order_takes_its_components_and_those_of_its_phantoms(furniture: Furniture) -> None:
    assert taken(furniture, 5) == {"leg": 20, "top": 5, "screw": 40, "bracket": 20}
    with pytest.raises(BomUnknown, match="999"):
        bom_validity.components(furniture.world.begin(), bom_id=999, quantity=1, on=furniture.world.today)


def test_a_phantom_explodes_by_the_revision_of_the_day(furniture: Furniture) -> None:
    world, ids = furniture.world, furniture.ids
    approved_bill(world, ids["fittings"], {ids["screw"]: 6}, kind=BomKind.PHANTOM, valid_from=world.day(10))
    assert taken(furniture, 5, in_days=9)["screw"] == 40
    assert taken(furniture, 5, in_days=10) == {"leg": 20, "top": 5, "screw": 30}


def test_all_levels_are_needed_for_an_order(furniture: Furniture) -> None:
    found = bom_validity.explode(
        furniture.world.begin(), bom_id=furniture.table_bill, quantity=5, on=furniture.world.today
    )
    # Legs: 20 × 2/3 × 1.1 = 14.67, so 15; tops: 5 × 2 / 0.8 = 12.5, so 13.
    assert furniture.named({need.item_id: need.quantity for need in found}) == {
        "table": 5,
        "leg": 20,
        "top": 5,
        "screw": 40,
        "bracket": 20,
        "wood": 28,
    }
    assert {furniture.names[need.item_id]: need.level for need in found}["wood"] == 2


def test_a_tree_shows_every_level_with_its_ratios(furniture: Furniture) -> None:
    found = bom_usage.tree(furniture.world.begin(), bom_id=furniture.table_bill, on=furniture.world.today)
    assert [(branch.depth, furniture.names[branch.item_id], branch.per_top) for branch in found] == [
        (1, "leg", 4),
        (2, "wood", Fraction(44, 15)),
        (1, "top", 1),
        (2, "wood", Fraction(5, 2)),
        (1, "fittings", 1),
        (2, "screw", 8),
        (2, "bracket", 4),
    ]
    assert [furniture.names[branch.item_id] for branch in found if branch.through] == ["fittings"]
    assert [branch.bom_id for branch in found if branch.depth == 1] == [
        furniture.leg_bill,
        furniture.top_bill,
        furniture.fittings_bill,
    ]


def uses(furniture: Furniture, name: str, *, in_days: int = 0) -> list[tuple[int, str, str, bool]]:
    world = furniture.world
    found = bom_usage.where_used(
        world.begin(), item_id=furniture.ids[name], company_id=world.setup.company_id, on=world.day(in_days)
    )
    return [
        (use.level, furniture.names[use.item_id], furniture.names[use.component_id], use.substitute) for use in found
    ]


def test_an_item_is_found_in_everything_it_goes_into(furniture: Furniture) -> None:
    assert uses(furniture, "wood") == [
        (1, "leg", "wood", False),
        (1, "top", "wood", False),
        (2, "table", "leg", False),
        (2, "table", "top", False),
    ]
    assert uses(furniture, "oak") == [(1, "leg", "oak", True), (2, "table", "leg", False)]
    assert uses(furniture, "table") == []
    world = furniture.world
    approved_bill(world, furniture.ids["leg"], {furniture.ids["oak"]: 1}, valid_from=world.day(5))
    assert (1, "leg", "wood", False) not in uses(furniture, "wood", in_days=5)


def test_planning_reads_all_structures_as_columns(furniture: Furniture) -> None:
    world = furniture.world
    draft = bill(world, furniture.ids["screw"], content(world, {furniture.ids["oak"]: 1}))
    assert draft
    found = bom_structure.structure(world.begin(), company_id=world.setup.company_id, on=world.today)
    rows = zip(found.parent.tolist(), found.component.tolist(), found.low_level_code.tolist(), strict=True)
    assert {(furniture.names[parent], furniture.names[component]): level for parent, component, level in rows} == {
        ("table", "leg"): 1,
        ("table", "top"): 1,
        ("table", "fittings"): 1,
        ("leg", "wood"): 2,
        ("top", "wood"): 2,
        ("fittings", "screw"): 2,
        ("fittings", "bracket"): 2,
    }
    line = found.parent.tolist().index(furniture.ids["leg"])
    assert (found.quantity[line], found.output_quantity[line], found.scrap_rate[line]) == (2, 3, 100_000_000)
    assert Fraction(int(found.numerator[line]), int(found.denominator[line])) == Fraction(11, 15)
    levels = dict(zip(found.item.tolist(), found.item_low_level_code.tolist(), strict=True))
    assert furniture.named(levels)["oak"] == 2  # which stands in for wood
    assert furniture.named(levels)["table"] == 0
    assert {bom.id for bom in found.boms} == {
        furniture.table_bill,
        furniture.leg_bill,
        furniture.top_bill,
        furniture.fittings_bill,
    }


def test_structures_are_read_in_three_queries_whatever_their_number(furniture: Furniture) -> None:
    world = furniture.world
    session = world.begin()
    statements: list[str] = []

    def count(conn: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    connection = session.connection()
    sa.event.listen(connection, "before_cursor_execute", count)
    bom_structure.structure(session, company_id=world.setup.company_id, on=world.today)
    sa.event.remove(connection, "before_cursor_execute", count)
    assert len(statements) == 3


def test_an_empty_company_has_an_empty_structure(world: World) -> None:
    found = bom_structure.structure(world.begin(), company_id=world.setup.company_id, on=world.today)
    assert (len(found.parent), len(found.item), found.boms) == (0, 0, ())


def test_what_is_made_here_is_not_made_there(furniture: Furniture) -> None:
    world = furniture.world
    session = world.begin()
    other = Site(company_id=world.setup.company_id, code="NORTH", name="North", zone="Europe/London")
    session.add(other)
    session.flush()
    company: dict[str, Any] = {"company_id": world.setup.company_id, "on": world.today}
    assert bom_validity.valid_on(session, **company, site_ids=[other.id]) == {}
    assert len(bom_structure.structure(session, **company, site_id=other.id).parent) == 0
    assert len(bom_structure.structure(session, **company, site_id=world.setup.site_id).parent) == 7
    assert {bom.kind for bom in bom_validity.valid_on(session, **company, kinds=[BomKind.PHANTOM]).values()} == {
        BomKind.PHANTOM
    }
