"""Every list as a file (promises 36 to 38): unchanged it comes back as nothing to do, keeps its zeros, runs nothing."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import python_calamine
import sqlalchemy as sa
from flask import Flask

from scm.core.db import Database
from scm.master.items import Item
from scm.master.partners import Partner
from tests.browser import company as demo
from tests.web.visitor import Visitor, give_passwords, text_of
from web import area
from web.app import create_app
from web.listing import files

PEOPLE = ("planner", "buyer", "approver", "warehouse", "production", "returns", "sales", "admin")
EVIL = '=HYPERLINK("http://evil.example","click")'
LONG_CODE = "00012345678901234567"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The demo company, in which somebody has given things the names of formulas."""
    file = tmp_path_factory.mktemp("lists") / "scm.db"
    shutil.copyfile(Path(demo.made_once()), file)
    database = Database(f"sqlite:///{file}")
    with database.unit_of_work(write=True) as session:
        names = (EVIL, "+1+1", "-2+3", "@SUM(A1)", "\tTab", "plain, with comma", 'quo"te', "Ünïcode 中文")
        for item, name in zip(session.scalars(sa.select(Item).order_by(Item.id).limit(len(names))), names, strict=True):
            item.name = name
        session.scalars(sa.select(Item).order_by(Item.id).limit(1)).one().sku = LONG_CODE
        session.execute(sa.update(Partner).where(Partner.is_supplier).values(name="=cmd|' /C calc'!A0"))
    give_passwords(database, *PEOPLE)
    yield create_app(database)
    database.dispose()


def lists(app: Flask) -> list[tuple[str, str, str]]:
    """Area, address and somebody who may open it, of every list there is."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.endswith(".export") and rule.arguments == {"kind"} and rule.endpoint != "master_files.export":
            roles = area.roles_of(rule.endpoint) or frozenset()
            person = next(name for name in PEOPLE if any(role.value == name for role in roles))
            found.append((rule.endpoint.partition(".")[0], rule.rule.partition("/export.")[0], person))
    return sorted(found)


def test_there_are_lists(app: Flask) -> None:
    assert len(lists(app)) >= 12


def test_every_list_comes_back_unchanged_as_nothing_to_do(app: Flask) -> None:
    visitors = {name: Visitor(app).sign_in(name) for name in PEOPLE}
    checked = 0
    for name, address, person in lists(app):
        visitor = visitors[person]
        for kind in ("csv", "xlsx"):
            exported = visitor.client.get(f"{address}/export.{kind}")
            assert exported.status_code == 200, f"{name}: {exported.status_code}"
            data = exported.get_data()
            rows = rows_of(data, kind)
            if len(rows) < 2 or len(rows) > 5_000:
                continue
            visitor.get(address, follow_redirects=True)
            answer = visitor.post(f"{address}/file/check", file=(io.BytesIO(data), f"list.{kind}"))
            said = text_of(answer.get_data(as_text=True))
            assert answer.status_code == 200, f"{name}, {kind}: {said[-400:]}"
            assert "The file changes nothing" in said, f"{name}, {kind}: {said[-600:]}"
            checked += 1
    assert checked >= 12


def test_no_export_carries_a_formula(app: Flask) -> None:
    visitors = {name: Visitor(app).sign_in(name) for name in PEOPLE}
    for name, address, person in lists(app):
        plain = visitors[person].client.get(f"{address}/export.csv").get_data()
        for row in rows_of(plain, "csv")[1:]:
            for cell in row:
                assert not cell.startswith(("=", "+", "@", "\t")), f"{name}: {cell!r}"
                assert not cell.startswith("-") or is_number(cell), f"{name}: {cell!r}"
        exported = visitors[person].client.get(f"{address}/export.xlsx")
        assert exported.status_code == 200, f"{name}: {exported.status_code}, {exported.location}"
        packed = exported.get_data()
        with zipfile.ZipFile(io.BytesIO(packed)) as book:
            sheet = book.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet and b"<f " not in sheet, name


def test_leading_zeros_and_long_codes_survive(app: Flask) -> None:
    visitor = Visitor(app).sign_in("planner")
    for kind in ("csv", "xlsx"):
        rows = rows_of(visitor.client.get(f"/items/export.{kind}").get_data(), kind)
        assert LONG_CODE in {cell for row in rows for cell in row}


def test_an_export_is_exactly_the_view(app: Flask) -> None:
    visitor = Visitor(app).sign_in("planner")
    query = "q=towel&sort=-name&columns=name,sku"
    rows = rows_of(visitor.client.get(f"/items/export.csv?{query}").get_data(), "csv")
    names = [row[0] for row in rows[1:]]
    assert len(rows[0]) == 2 and names == sorted(names, reverse=True)
    assert names and all("towel" in name.lower() for name in names)


def test_a_changed_cell_that_may_not_change_is_named(app: Flask) -> None:
    visitor = Visitor(app).sign_in("sales")
    rows = rows_of(visitor.client.get("/sales-orders/export.csv?q=SO-").get_data(), "csv")
    rows[1][1] = "somebody else"
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    visitor.get("/sales-orders")
    answer = visitor.post("/sales-orders/file/check", file=(io.BytesIO(text.getvalue().encode()), "list.csv"))
    said = text_of(answer.get_data(as_text=True))
    assert "somebody else" in said and "cannot be changed here" in said


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no file came along|the file is empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"Order\n\x00", "code 0"),
        (b"Nonsense\n1\n", "nobody knows the column"),
        (b'"never closed\n', "no CSV file"),
        (b"PK\x03\x04 no zip", "no XLSX file"),
        (b"a" * (5 * 1024 * 1024), "larger than"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(app: Flask, data: bytes, says: str) -> None:
    visitor = Visitor(app).sign_in("sales")
    visitor.get("/sales-orders")
    answer = visitor.post("/sales-orders/file/check", file=(io.BytesIO(data), "list.csv"))
    said = text_of(answer.get_data(as_text=True))
    assert answer.status_code == 400
    assert any(one in said for one in says.split("|")), said[-300:]


def test_a_packed_bomb_is_not_unpacked(app: Flask) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", b"0" * (60 * 1024 * 1024))
    visitor = Visitor(app).sign_in("sales")
    visitor.get("/sales-orders")
    answer = visitor.post("/sales-orders/file/check", file=(io.BytesIO(bomb.getvalue()), "list.xlsx"))
    assert answer.status_code == 400 and "unpacked" in text_of(answer.get_data(as_text=True))


def rows_of(data: bytes, kind: str) -> list[list[str]]:
    if kind == "csv":
        return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    return [[str(cell) for cell in row] for row in sheet.to_python()]


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_what_is_made_harmless_comes_back_as_it_was() -> None:
    for text in (EVIL, "+1", "-x", "@a", "'quoted", "plain"):
        assert files.harmful(files.harmless(text)) == text
