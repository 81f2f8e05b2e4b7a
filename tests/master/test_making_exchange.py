"""Bills, lines, operations and work centres go out as files and come back: exactly, wholly, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from decimal import Decimal

import pytest
import sqlalchemy as sa

from scm.core.users import RoleMissing
from scm.master import bom_content, making_exchange, work_centers
from scm.master.bom import Bom
from scm.master.bom_content import LineContent, OperationContent, SubstituteContent
from scm.master.exchange import Report
from scm.master.work_center_rows import read_shifts, show_shifts
from scm.master.work_centers import ShiftRow
from tests.master.making import approved_bill, bill, center, content, submit
from tests.world import World

IMPORTS: dict[str, Callable[..., Report]] = {
    "work_centers": making_exchange.import_work_centers,
    "boms": making_exchange.import_boms,
    "bom_lines": making_exchange.import_lines,
    "operations": making_exchange.import_operations,
}
EXPORTS: dict[str, Callable[..., bytes]] = {
    "work_centers": making_exchange.export_work_centers,
    "boms": making_exchange.export_boms,
    "bom_lines": making_exchange.export_lines,
    "operations": making_exchange.export_operations,
}
CENTERS = b"site,code,name,machines,shifts\nMAIN,SAW,Saw,2,mon 06:00-14:00;mon 22:00-06:00\n"
BOMS = b"site,sku,revision,valid_from,output_quantity,yield_rate\nMAIN,table,1,2026-02-01,10,0.95\n"
LINES = (
    b"site,sku,revision,line_number,component,quantity,scrap_rate,substitutes\n"
    b"MAIN,table,1,10,leg,40,0.02,\n"
    b"MAIN,table,1,20,top,10,,glue:5\n"
)
OPERATIONS = b"site,sku,revision,sequence,name,work_center,run_seconds,run_quantity\nMAIN,table,1,10,Cut,SAW,90,4\n"


def bring(world: World, kind: str, data: bytes, *, dry_run: bool = False, username: str = "planner") -> Report:
    return IMPORTS[kind](
        world.begin(), data, company_id=world.setup.company_id, dry_run=dry_run, actor=world.user(username)
    )


def take(world: World, kind: str) -> bytes:
    return EXPORTS[kind](world.begin(), company_id=world.setup.company_id)


def problems(world: World, kind: str, data: bytes) -> list[tuple[int, str, str]]:
    """The file is refused and changes nothing."""
    before = world.everything()
    report = bring(world, kind, data)
    assert world.everything() == before
    assert not report.written
    return [(error.row, error.column, error.reason) for error in report.errors]


@pytest.fixture
def parts(world: World) -> dict[str, int]:
    return {sku: world.item(sku) for sku in ("table", "leg", "top", "glue")}


def bring_all(world: World) -> list[Report]:
    files = {"work_centers": CENTERS, "boms": BOMS, "bom_lines": LINES, "operations": OPERATIONS}
    return [bring(world, kind, data) for kind, data in files.items()]


def test_a_product_comes_in_four_files(world: World, parts: dict[str, int]) -> None:
    assert [(report.created, report.errors) for report in bring_all(world)] == [(1, ()), (1, ()), (2, ()), (1, ())]
    session = world.begin()
    [bom_id] = session.scalars(sa.select(Bom.id))
    read = bom_content.read(session, [bom_id])[bom_id]
    assert (read.output_quantity, read.yield_rate) == (10, Decimal("0.95"))
    assert read.lines == (
        LineContent(line_number=10, item_id=parts["leg"], quantity=40, scrap_rate=Decimal("0.02")),
        LineContent(
            line_number=20,
            item_id=parts["top"],
            quantity=10,
            substitutes=(SubstituteContent(item_id=parts["glue"], priority=1, quantity=5),),
        ),
    )
    [step] = read.operations
    assert (step.name, step.run_seconds, step.run_quantity) == ("Cut", 90, 4)
    night = ShiftRow(weekday=0, starts_at=time(22), ends_at=time(6))
    assert work_centers.shifts(session, [step.work_center_id])[step.work_center_id][1] == night


@pytest.mark.parametrize("kind", sorted(IMPORTS))
def test_what_went_out_comes_back_unchanged(world: World, parts: dict[str, int], kind: str) -> None:
    bring_all(world)
    approved_bill(world, parts["leg"], {world.item('odd;"sku:1'): 3})
    data = take(world, kind)
    before = world.everything()
    report = bring(world, kind, data)
    assert (report.created, report.changed, report.errors) == (0, 0, ())
    assert report.unchanged == report.lines > 0
    assert world.everything() == before


def test_substitutes_with_odd_codes_come_back(world: World, parts: dict[str, int]) -> None:
    bring_all(world)
    odd = world.item('odd;"sku:1')
    line = LineContent(
        line_number=10,
        item_id=parts["leg"],
        quantity=1,
        substitutes=(
            SubstituteContent(item_id=odd, priority=2, quantity=7),
            SubstituteContent(item_id=parts["glue"], priority=5, quantity=2),
        ),
    )
    bill(world, parts["top"], content(world, {}, lines=(line,)))
    report = bring(world, "bom_lines", take(world, "bom_lines"))
    assert (report.changed, report.errors) == (0, ())


def test_a_dry_run_says_it_all_and_writes_nothing(world: World, parts: dict[str, int]) -> None:
    bring_all(world)
    before = world.everything()
    report = bring(world, "bom_lines", LINES.replace(b",40,", b",44,"), dry_run=True)
    assert (report.changed, report.unchanged, report.written) == (1, 1, False)
    assert world.everything() == before
    assert bring(world, "bom_lines", LINES.replace(b",40,", b",44,")).changed == 1
    assert b"table,1,10,leg,44," in take(world, "bom_lines")


def test_wrong_rows_are_named_and_nothing_is_taken(world: World, parts: dict[str, int]) -> None:
    bring_all(world)
    head = b"site,sku,revision,line_number,component,quantity\n"
    assert problems(world, "bom_lines", head + b"MAIN,table,1,30,nail,1\nMAIN,table,2,10,leg,1\n") == [
        (2, "component", "there is no such item"),
        (3, "revision", "there is no such revision"),
    ]
    [(row, column, reason)] = problems(world, "bom_lines", head + b"MAIN,table,1,30,table,1\n")
    assert (row, column) == (2, "line_number")
    assert reason == "BOM table@MAIN r1, line 30: an item cannot be made of itself"
    [(_, _, reason)] = problems(world, "bom_lines", head + b"MAIN,table,1,30,leg,1\n")
    assert "is given 2 times" in reason
    steps = b"site,sku,revision,sequence,name,work_center,run_seconds\n"
    assert problems(world, "operations", steps + b"MAIN,table,1,20,Cut,MILL,5\n") == [
        (2, "work_center", "the site has no such work centre")
    ]
    [(_, column, reason)] = problems(world, "operations", steps + b"MAIN,table,1,20,Cut,SAW,0\n")
    assert (column, "take no time" in reason) == ("sequence", True)
    heads = b"site,sku,revision,kind,valid_from,subcontractor\n"
    wrong = b"EAST,leg,1,make,2026-01-01,\nMAIN,leg,3,make,2026-01-01,\nMAIN,top,1,subcontract,2026-01-01,\n"
    assert [(row, column) for row, column, _ in problems(world, "boms", heads + wrong)] == [
        (2, "site"),
        (3, "revision"),
        (4, "sku"),
    ]
    centers = b"site,code,name,shifts\n"
    [(_, column, reason)] = problems(world, "work_centers", centers + b"MAIN,SAW,Saw,mon 06:00-14:00;mon 13:00-15:00\n")
    assert (column, "overlaps" in reason) == ("shifts", True)
    [(_, column, _)] = problems(world, "work_centers", centers + b"MAIN,SAW,Saw,someday 06:00\n")
    assert column == "shifts"


def test_files_change_drafts_only(world: World, parts: dict[str, int]) -> None:
    bom_id = bill(world, parts["table"], content(world, {parts["leg"]: 4}))
    submit(world, bom_id)
    head = b"site,sku,revision,line_number,component,quantity\n"
    assert problems(world, "bom_lines", head + b"MAIN,table,1,10,leg,5\n") == [
        (2, "revision", "the revision is submitted")
    ]
    assert bring(world, "bom_lines", head + b"MAIN,table,1,10,leg,4\n").unchanged == 1


def test_only_planners_bring_them(world: World, parts: dict[str, int]) -> None:
    with world.refuses(RoleMissing):
        bring(world, "boms", BOMS, username="buyer")


def test_a_work_centre_changes_by_its_file(world: World) -> None:
    saw = center(world, "SAW")
    bring(world, "work_centers", CENTERS)
    assert [shift.weekday for shift in work_centers.shifts(world.begin(), [saw])[saw]] == [0, 0]
    report = bring(world, "work_centers", b"site,code,name,retired\nMAIN,SAW,Old saw,yes\n")
    assert report.changed == 1
    assert b"MAIN,SAW,Old saw,2,yes,mon 06:00-14:00;mon 22:00-06:00" in take(world, "work_centers")


def test_shifts_are_read_as_they_are_written() -> None:
    text = "mon 06:00-14:00;sun 22:00-06:00"
    assert show_shifts(read_shifts(text)) == text


def test_operations_keep_their_names(world: World, parts: dict[str, int]) -> None:
    step = OperationContent(sequence=10, name="Cut", work_center_id=center(world, "SAW"), run_seconds=1)
    bill(world, parts["table"], content(world, {parts["leg"]: 4}, operations=(step,)))
    assert b"MAIN,table,1,10,Cut,SAW,0,1,1" in take(world, "operations")
