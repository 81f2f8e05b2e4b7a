"""Bills of materials, routings and work centres on pages: written by a planner, approved by somebody else."""

from __future__ import annotations

import html
import io
import re
from datetime import timedelta

import pytest

from scm.core.db import Database
from tests.master.making import approved_bill
from tests.web.house import House
from tests.web.visitor import Visitor, text_of


@pytest.fixture
def house(database: Database) -> House:
    """A house that trades in bolts and nuts."""
    return House(database)


@pytest.fixture
def table(house: House) -> int:
    """A table of bolts and nuts, of which nothing is written yet."""
    item: int = house.do(lambda world: world.item("table"))
    return item


def believes(page: str) -> str:
    found = re.search(r'name="believes" value="([^"]*)"', page)
    assert found is not None, text_of(page)[-600:]
    return html.unescape(found[1])


def drafted(house: House, visitor: Visitor) -> str:
    """Write a draft through the page and give its address."""
    today = house.world.today.isoformat()
    visitor.get("/master/boms")
    answer = visitor.post("/master/boms/new", sku="table", kind="make", valid_from=today, output_quantity="2")
    assert answer.status_code == 303, text_of(answer.get_data(as_text=True))[-600:]
    return str(answer.location)


def add_line(visitor: Visitor, address: str, status: int = 303, **fields: str) -> None:
    line = {"component": "bolt", "quantity": "8", "scrap": "2.5", "substitutes": "", "line_number": ""} | fields
    visitor.post(f"{address}/lines", status=status, data={"believes": believes(visitor.get(address))} | line)


def test_a_planner_writes_a_bill_and_an_administrator_approves_it(house: House, table: int) -> None:
    planner, admin = house.visitor("planner"), house.visitor("admin")
    address = drafted(house, planner)
    assert "It has no components yet" in text_of(planner.get(address))
    add_line(planner, address, substitutes="nut:9")
    add_line(planner, address, component="nut", quantity="1", scrap="")
    page = text_of(planner.get(f"{address}?quantity=10"))
    assert "BOM table@MAIN r1" in page and "or 9 of nut" in page
    assert re.search(r"bolt or 9 of nut bolt 4\.1 pc 2\.5% 41 pc", page), page
    planner.post(f"{address}/submit", status=303)
    assert "asked for approval" in text_of(planner.get(address))
    assert f"{address}/approve" not in planner.get(address)
    planner.post(f"{address}/approve", status=403)
    admin.get(address)
    admin.post(f"{address}/approve", status=303)
    page = text_of(admin.get(address))
    assert "approved by Admin" in page and "Add a component" not in page
    assert "BOM table@MAIN r1" in text_of(admin.get("/master/boms?state=approved"))
    later = (house.world.today + timedelta(days=30)).isoformat()
    answer = admin.post(f"{address}/revise", valid_from=later, status=303)
    assert "BOM table@MAIN r2" in text_of(admin.get(answer.location))


def test_what_somebody_else_changed_is_not_overwritten(house: House, table: int) -> None:
    planner = house.visitor("planner")
    address = drafted(house, planner)
    old = believes(planner.get(address))
    add_line(planner, address)
    line = {"believes": old, "component": "nut", "quantity": "1"}
    answer = planner.post(f"{address}/lines", status=409, data=line)
    assert "has changed meanwhile" in text_of(answer.get_data(as_text=True))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"quantity": "x"}, "quantity cannot be x"),
        ({"quantity": "0"}, "quantity is 0"),
        ({"scrap": "lots"}, "scrap_rate cannot be lots"),
        ({"scrap": "101"}, "scrap_rate is 1.01"),
        ({"substitutes": "nut"}, "the substitutes cannot be"),
        ({"component": "table"}, "an item cannot be made of itself"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_wrong_input_is_refused_in_words(house: House, table: int, fields: dict[str, str], words: str) -> None:
    planner = house.visitor("planner")
    address = drafted(house, planner)
    line = {"component": "bolt", "quantity": "8", "believes": believes(planner.get(address))} | fields
    answer = planner.post(f"{address}/lines", status=400, data=line)
    assert words in text_of(answer.get_data(as_text=True))


def test_terms_and_lines_change_and_are_taken_out(house: House, table: int) -> None:
    planner = house.visitor("planner")
    address = drafted(house, planner)
    add_line(planner, address)
    terms = {
        "believes": believes(planner.get(address)),
        "kind": "phantom",
        "valid_from": house.world.today.isoformat(),
        "output_quantity": "5",
        "yield": "80",
    }
    planner.post(f"{address}/terms", status=303, data=terms)
    page = text_of(planner.get(address))
    assert "Phantom" in page and "80.0%" in page
    planner.post(f"{address}/lines/10/remove", status=303, believes=believes(planner.get(address)))
    assert "It has no components yet" in text_of(planner.get(address))
    planner.post(f"{address}/lines/10/remove", status=404, believes=believes(planner.get(address)))


def test_a_rejected_bill_says_why(house: House, table: int) -> None:
    planner, admin = house.visitor("planner"), house.visitor("admin")
    address = drafted(house, planner)
    add_line(planner, address)
    planner.post(f"{address}/submit", status=303)
    admin.get(address)
    admin.post(f"{address}/reject", reason=" ", status=400)
    admin.post(f"{address}/reject", reason="no glue", status=303)
    page = text_of(planner.get(address))
    assert "Rejected by Admin" in page and "no glue" in page


def test_work_centres_get_shifts_and_operations_use_them(house: House, table: int) -> None:
    planner = house.visitor("planner")
    assert "Without a work centre" in text_of(planner.get("/master/work-centers"))
    answer = planner.post("/master/work-centers/new", code="SAW", name="Saw", machines="2", status=303)
    center = str(answer.location)
    page = planner.get(center)
    assert "No shift yet" in text_of(page)
    days = {"weekday_0": "yes", "weekday_1": "yes", "starts_at": "08:00", "ends_at": "16:00"}
    planner.post(f"{center}/shifts", status=303, data=days | {"believes": believes(page)})
    page = planner.get(center)
    assert "64.0 in the coming two weeks" in text_of(page)  # two machines, 8 hours, two days, two weeks
    answer = planner.post(f"{center}/shifts", status=400, data=days | {"believes": believes(page)})
    assert "overlaps" in text_of(answer.get_data(as_text=True))
    planner.post(f"{center}/shifts/remove", status=303, believes=believes(page), shift="mon 08:00-16:00")
    assert "32.0 in the coming two weeks" in text_of(planner.get(center))

    address = drafted(house, planner)
    add_line(planner, address)
    step = {"name": "Cut", "work_center": "SAW", "setup_seconds": "600", "run_seconds": "90", "run_quantity": "4"}
    planner.post(f"{address}/operations", status=303, data=step | {"believes": believes(planner.get(address))})
    page = text_of(planner.get(f"{address}?quantity=10"))
    assert re.search(r"Cut SAW 600 90 for 4 13\.8", page), page
    planner.post(f"{address}/operations/10/remove", status=303, believes=believes(planner.get(address)))
    assert "No operation yet" in text_of(planner.get(address))


def test_an_item_leads_to_what_it_is_made_from_and_used_in(house: House, table: int) -> None:
    house.do(lambda world: approved_bill(world, table, {house.bolt: 4}))
    visitor = house.visitor("sales")
    assert "/master/boms/of/bolt" in visitor.get("/items/bolt")
    page = text_of(visitor.get("/master/boms/of/bolt"))
    assert "It is not made at this site" in page and "4 of bolt for 1" in page
    page = text_of(visitor.get("/master/boms/of/table"))
    assert "Made from" in page and "It is used in nothing" in page
    visitor.get("/master/boms/of/nothing", status=404)
    visitor.post("/master/boms/new", sku="table", status=403)


@pytest.mark.parametrize("kind", ["boms", "bom-lines", "operations", "work-centers"])
def test_files_go_out_and_come_back(house: House, table: int, kind: str) -> None:
    house.do(lambda world: approved_bill(world, table, {house.bolt: 4}))
    planner = house.visitor("planner")
    planner.get(f"/master/files/{kind}")
    data = planner.client.get(f"/master/files/{kind}/rows.csv").get_data()
    answer = planner.post(f"/master/files/{kind}/check", data={"file": (io.BytesIO(data), "rows.csv")}, status=200)
    assert "there is nothing to take" in text_of(answer.get_data(as_text=True))


def test_the_pages_speak_chinese(house: House, table: int) -> None:
    bom_id = house.do(lambda world: approved_bill(world, table, {house.bolt: 4}))
    visitor = house.visitor("planner")
    visitor.get("/account")
    page = text_of(visitor.get(f"/master/boms/{bom_id}", headers={"Accept-Language": "zh-CN"}))
    assert "物料清单" in page and "单件材料成本" in page
