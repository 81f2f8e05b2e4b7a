"""Master data goes out as CSV and comes back: exactly, wholly, or not at all and with every wrong cell named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from scm.core.users import RoleMissing
from scm.master import exchange, sheets
from scm.master.exchange import Report
from scm.master.items import Item
from scm.master.sheets import Column
from tests.world import World

ITEMS = b"sku,name,base_unit,gtin,category,sale_price,lot_tracked,shelf_life_days,assumed\n"
IMPORTS: dict[str, Callable[..., Report]] = {
    "items": exchange.import_items,
    "suppliers": exchange.import_suppliers,
    "agreements": exchange.import_agreements,
}
EXPORTS: dict[str, Callable[..., bytes]] = {
    "items": exchange.export_items,
    "suppliers": exchange.export_suppliers,
    "agreements": exchange.export_agreements,
}


def bring(world: World, kind: str, data: bytes, *, dry_run: bool = False) -> Report:
    return IMPORTS[kind](
        world.begin(), data, company_id=world.setup.company_id, dry_run=dry_run, actor=world.user("system")
    )


def take(world: World, kind: str) -> bytes:
    return EXPORTS[kind](world.begin(), company_id=world.setup.company_id)


def problems(report: Report) -> list[tuple[int, str, str, str]]:
    return [(error.row, error.column, error.value, error.reason) for error in report.errors]


def refused(world: World, kind: str, data: bytes) -> Report:
    """The file is refused, accounts for each of its lines, and changes nothing."""
    before = world.everything()
    report = bring(world, kind, data)
    assert world.everything() == before
    assert report.errors and not report.written
    assert report.lines == report.accepted + report.rejected
    return report


@pytest.fixture
def stocked(world: World) -> World:
    """A world with awkward master data in every kind of file."""
    bring(
        world,
        "items",
        ITEMS
        + b"0042,bolt,pc,6291041500213,fasteners,12.5,no,,sale_price\n"
        + b'12345678901234567890,"a, ""b""\nand c",pc,,,,yes,30,\n'
        + "'=1+1,'=HYPERLINK(1),pc,,,0.000001,no,,\n'sG,é 日本,pc,,,,,,\n".encode(),
    )
    bring(
        world,
        "suppliers",
        b"code,name,email,currency,review_period_days,review_weekday,over_receipt_rate,joint_order_cost,assumed\n"
        b"007,Acme,a@b.test,GBP,7,0,0.05,2500,currency;joint_order_cost\n00,Zero,,GBP,14,,,,\n",
    )
    bring(
        world,
        "agreements",
        b"supplier,sku,lead_time_days,unit_price,order_multiple,needs_inspection\n"
        b"007,0042,7,4.25,12,yes\n00,0042,3,4.5,,no\n007,'=1+1,9,0,,\n",
    )
    return world


@pytest.mark.parametrize("kind", IMPORTS)
def test_a_file_that_comes_back_unchanged_changes_nothing(stocked: World, kind: str) -> None:
    sent = take(stocked, kind)
    before = stocked.everything()
    report = bring(stocked, kind, sent)
    assert (report.created, report.changed, report.errors) == (0, 0, ())
    assert report.unchanged == report.lines > 1
    assert {name: rows for name, rows in stocked.everything().items() if name != "audit_row"} == {
        name: rows for name, rows in before.items() if name != "audit_row"
    }
    assert take(stocked, kind) == sent


def test_codes_keep_their_zeros_and_their_twenty_digits(stocked: World) -> None:
    skus = stocked.begin().scalars(sa.select(Item.sku).order_by(Item.sku)).all()
    assert set(skus) == {"0042", "12345678901234567890", "=1+1", "'sG"}


def test_no_cell_of_an_export_is_a_formula(stocked: World) -> None:
    for kind in EXPORTS:
        cells = [cell for row in csv.reader(io.StringIO(take(stocked, kind).decode())) for cell in row]
        assert not [cell for cell in cells if cell.lstrip()[:1] in set("=+-@") or cell[:1] in set("\t\r\n")]


@given(cell=st.text(max_size=20))
def test_every_text_survives_being_defused(cell: str) -> None:
    safe = sheets.defuse(cell)
    assert sheets.undefuse(safe) == cell
    assert not safe.lstrip().startswith(("=", "+", "-", "@"))


@given(
    rows=st.lists(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=9), max_size=9)
)
def test_what_is_written_is_read_again(rows: list[str]) -> None:
    columns = [Column(name="a", read=str, required=False, missing=""), Column(name="b", read=str, required=True)]
    data = sheets.write([{"a": text, "b": "x"} for text in rows], columns=columns)
    sheet = sheets.read(data, columns=columns)
    assert [row.values["a"] for row in sheet.rows] == rows
    assert sheet.errors == []


def test_a_dry_run_says_what_it_would_do_and_does_nothing(stocked: World) -> None:
    before = stocked.everything()
    data = ITEMS + b"0042,bolt,pc,,,13,no,,\n99,new,pc,,,,,,\n"
    report = bring(stocked, "items", data, dry_run=True)
    assert stocked.everything() == before
    assert (report.lines, report.created, report.changed, report.written) == (2, 1, 1, False)
    real = bring(stocked, "items", data)
    assert (real.created, real.changed, real.written) == (1, 1, True)
    prices = {row.sku: row.sale_price for row in stocked.begin().execute(sa.select(Item.sku, Item.sale_price))}
    assert (prices["0042"], prices["99"]) == (Decimal(13), None)


def test_a_column_the_file_does_not_have_keeps_its_values(stocked: World) -> None:
    bring(stocked, "items", b"sku,name,base_unit\n0042,new name,pc\n")
    [row] = stocked.begin().execute(sa.select(Item.name, Item.sale_price, Item.gtin).where(Item.sku == "0042"))
    assert tuple(row) == ("new name", Decimal("12.5"), "6291041500213")


def test_every_wrong_cell_is_named_with_its_mend(stocked: World) -> None:
    report = refused(
        stocked,
        "items",
        ITEMS
        + b"1,ok,pc,,,,,,\n"
        + b"2,wrong,kg,6291041500214,,-1,maybe,5,\n"
        + b"1,again,pc,,,,,,\n"
        + b",no sku,pc,,,,,,\n"
        + b"5,gone,pc,,,,,\n"
        + b"6,gtin,pc,6291041500213,,,,,\n"
        + b"7,price,pc,,,1.0000001,,,\n",
    )
    assert problems(report) == [
        (3, "gtin", "6291041500214", "GTIN 6291041500214 ends in 4, but its check digit is 3: read the label again"),
        (3, "lot_tracked", "maybe", "it is neither yes nor no"),
        (3, "sale_price", "-1", "it is no decimal number"),
        (4, "sku", "1", "it stands in row 2 already"),
        (5, "sku", "", "it is empty"),
        (6, "", "5,gone,pc,,,,,", "the row has 8 cells, the header 9"),
        (7, "gtin", "6291041500213", "it belongs to 0042"),
        (8, "sale_price", "1.0000001", "it has more than 6 decimal places"),
    ]
    assert all(error.mend for error in report.errors)
    assert (report.lines, report.accepted, report.rejected) == (7, 1, 6)


def test_what_does_not_fit_the_database_is_named_too(stocked: World) -> None:
    units = refused(stocked, "items", ITEMS + b"0042,bolt,kg,,,,,,\n2,x,pc,,,,no,9,\n")
    assert [(row, column) for row, column, *_ in problems(units)] == [(2, "base_unit"), (3, "lot_tracked")]
    missing = refused(stocked, "agreements", b"supplier,sku,lead_time_days,unit_price\nnobody,nothing,1,1\n")
    assert [(row, column, value) for row, column, value, _ in problems(missing)] == [
        (2, "sku", "nothing"),
        (2, "supplier", "nobody"),
    ]
    carrier = refused(stocked, "suppliers", b"code,name,currency,review_period_days\nCARRIER,x,GBP,7\n")
    assert problems(carrier)[0][:3] == (2, "code", "CARRIER")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "it is not UTF-8"),
        ("sku,name,base_unit\n1,caf\u00e9,pc\n".encode("latin-1"), "it is not UTF-8"),
        ("sku,name,base_unit\n".encode("utf-16"), "it is UTF-16"),
        (b"sku,name,base_unit\n1,a\x00b,pc\n", "NUL bytes"),
        (b"what,is,this\n1,2,3\n", "there is no such column"),
        (b"sku,sku,name,base_unit\n1,1,1,pc\n", "stands there twice"),
        (b"sku,name\n1,x\n", "the column is missing"),
        (b'sku,name,base_unit\n1,"open,pc\n', "the file cannot be read"),
        (b"sku,name,base_unit\n1," + b"x" * 10_000_000 + b",pc\n", "field larger than field limit"),
        (b"sku,name,base_unit\n1," + b"x" * 20_000 + b",pc\n", "it has 20000 characters"),
        (b"sku,name,base_unit\n" + b"x" * 60_000_000, "60000019 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_such_file_is_refused_with_its_reason(world: World, data: bytes, words: str) -> None:
    report = refused(world, "items", data)
    assert any(words in error.reason for error in report.errors)
    assert all(len(error.value) < 100 for error in report.errors)


def test_a_spreadsheets_byte_order_mark_is_no_part_of_the_header(world: World) -> None:
    assert bring(world, "items", b"\xef\xbb\xbfsku,name,base_unit\r\n1,x,pc\r\n").created == 1


def test_two_items_may_trade_their_gtins(world: World) -> None:
    head = b"sku,name,base_unit,gtin\n"
    bring(world, "items", head + b"a,a,pc,6291041500213\nb,b,pc,40170725\n")
    assert bring(world, "items", head + b"a,a,pc,40170725\nb,b,pc,6291041500213\n").changed == 2


def test_who_may_bring_files(world: World) -> None:
    allowed = {"items": "planner", "suppliers": "buyer", "agreements": "buyer"}
    for kind, take_file in IMPORTS.items():
        for username, actor in world.setup.users.items():
            if username not in (allowed[kind], "admin", "system"):
                with world.refuses(RoleMissing) as session:
                    take_file(session, b"", company_id=world.setup.company_id, dry_run=True, actor=actor)
