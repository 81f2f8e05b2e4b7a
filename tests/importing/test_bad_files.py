"""Files and lines that cannot be read: each is named with row, field, value and mend, and the rest goes on."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from scm.loop.importing import source
from scm.loop.importing.refusals import UnusableFile, WrongHeader
from tests.importing.files import RETAIL_HEADER, look, retail, write

GOOD = retail()


@pytest.mark.parametrize(
    ("line", "reason", "field", "value"),
    [
        (retail(quantity=0), "zero_quantity", "quantity", "0"),
        (retail(quantity="1.5"), "fractional_quantity", "quantity", "1.5"),
        (retail(quantity="a dozen"), "bad_quantity", "quantity", "a dozen"),
        (retail(quantity=""), "bad_quantity", "quantity", ""),
        (retail(quantity="1e999"), "bad_quantity", "quantity", "1e999"),
        (retail(quantity=10**10), "quantity_out_of_range", "quantity", "10000000000"),
        (retail(price="free"), "bad_price", "unit_price", "free"),
        (retail(price="NaN"), "bad_price", "unit_price", "NaN"),
        (retail(price="1.2345678"), "bad_price", "unit_price", "1.2345678"),
        (retail(price="1e10"), "bad_price", "unit_price", "1e10"),
        (retail(at="01/12/2010 07:45"), "bad_date", "sold_at", "01/12/2010 07:45"),
        (retail(at="2010-02-30 07:45:00"), "bad_date", "sold_at", "2010-02-30 07:45:00"),
        (retail(at="0010-12-01 07:45:00"), "bad_date", "sold_at", "0010-12-01 07:45:00"),
        (retail(at=""), "bad_date", "sold_at", ""),
        (retail(invoice=" "), "missing_invoice", "invoice", " "),
        (retail(sku=""), "missing_item", "sku", ""),
        (retail(sku="X" * 41), "code_too_long", "sku", "X" * 41),
        (retail(sku="8504\x078"), "control_character", "sku", "8504\\x078"),
        (GOOD + ",one more", "wrong_number_of_cells", "", None),
        ("489434,85048", "wrong_number_of_cells", "", "489434,85048"),
        ("", "empty_line", "", ""),
        (retail(description='"GLASS BALL'), "unbalanced_quotes", "", None),
        (retail(description='"GLASS" BALL'), "unbalanced_quotes", "", None),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_taken(
    tmp_path: Path, line: str, reason: str, field: str, value: str | None
) -> None:
    looked = look(write(tmp_path, GOOD, line, retail(invoice="489435")))
    rejection = looked.only
    assert (rejection.row, rejection.reason, rejection.field) == (3, reason, field)
    assert value is None or rejection.value == value
    assert rejection.mend
    assert (looked.lines, len(looked.kinds)) == (3, 2)


def test_a_line_in_windows_1252_is_named_with_its_row_and_text(tmp_path: Path) -> None:
    looked = look(write(tmp_path, GOOD, retail(description="Voucher £20").encode("cp1252"), GOOD))
    assert looked.only.row == 3
    assert looked.only.reason == "wrong_encoding"
    assert "Voucher £20" in looked.only.value
    assert "UTF-8" in looked.only.mend
    assert len(looked.kinds) == 2


def test_text_in_utf_8_is_read_with_and_without_its_mark(tmp_path: Path) -> None:
    looked = look(write(tmp_path, retail(description="Voucher £20"), header="\ufeff" + RETAIL_HEADER))
    assert looked.decided.lines.description_values == ["Voucher £20"]


def test_a_nul_byte_costs_its_own_line(tmp_path: Path) -> None:
    looked = look(write(tmp_path, GOOD, retail(description="GLASS\0BALL"), GOOD))
    assert (looked.only.row, looked.only.reason) == (3, "nul_byte")
    assert "\\x00" in looked.only.value
    assert len(looked.kinds) == 2


@pytest.mark.parametrize("size", [200_000, 10_000_000])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_huge_cell_costs_its_own_line(tmp_path: Path, size: int, quote: str) -> None:
    huge = retail(description=quote + "x" * size + quote)
    looked = look(write(tmp_path, GOOD, huge, retail(invoice="489435")))
    assert (looked.only.row, looked.only.reason) == (3, "cell_too_large")
    assert looked.decided.lines.row.tolist() == [2, 4]


def test_a_quote_that_is_never_closed_does_not_swallow_the_file(tmp_path: Path) -> None:
    rest = [retail(invoice=str(number)) for number in range(500)]
    looked = look(write(tmp_path, retail(description='"GLASS BALL'), *rest))
    assert (looked.only.row, looked.only.reason) == (2, "unbalanced_quotes")
    assert len(looked.kinds) == 500


def test_a_quoted_cell_may_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    looked = look(write(tmp_path, retail(description='"FRAME, 7"" \nSINGLE"'), retail(invoice="489435")))
    assert looked.decided.lines.description_values == ['FRAME, 7" SINGLE', "GLASS BALL"]
    assert looked.decided.lines.row.tolist() == [2, 4]
    assert looked.lines == 2


def test_a_quoted_cell_may_go_on_in_the_next_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BLOCK_BYTES", 64)
    lines = [retail(invoice=str(number), description='"two\nlines"') for number in range(50)]
    looked = look(write(tmp_path, *lines))
    assert looked.decided.lines.invoice_values == [str(number) for number in range(50)]
    assert not looked.rejected


def test_windows_line_ends_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(f"{RETAIL_HEADER}\r\n{GOOD}\r\n{GOOD}\r\n".encode())
    looked = look(path)
    assert (looked.lines, looked.kinds, looked.rejected) == (2, ["sale", "sale"], {})
    assert looked.decided.lines.country_values == ["United Kingdom"]


def test_a_truncated_gz_is_refused_as_a_whole(tmp_path: Path) -> None:
    whole = write(tmp_path, *(retail(invoice=str(number)) for number in range(5000)), name="sales.csv.gz")
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(whole.read_bytes()[:-4000])
    with pytest.raises(UnusableFile, match=r"truncated gz file.*Nothing was changed"):
        look(cut)


def test_a_damaged_gz_is_refused_as_a_whole(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(f"{RETAIL_HEADER}\n{GOOD}\n".encode()))
    packed[-6] ^= 0xFF  # its checksum
    path = tmp_path / "sales.csv.gz"
    path.write_bytes(bytes(packed))
    with pytest.raises(UnusableFile, match=r"cannot be read.*Nothing was changed"):
        look(path)


def test_a_packed_file_is_known_by_its_content_not_its_name(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD, name="sales.csv.gz").rename(tmp_path / "sales.csv")
    assert look(path).kinds == ["sale"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04rest of a workbook", "an Excel workbook"),
        (b"%PDF-1.7", "a PDF document"),
        ("Invoice".encode("utf-16"), "text in UTF-16"),
        (b"\x00\x01\x02\x03", "is not CSV"),
    ],
)
def test_a_file_that_is_not_csv_says_what_it_is(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(content)
    with pytest.raises(UnusableFile, match=words):
        look(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableFile, match=r"nowhere\.csv cannot be read"):
        look(tmp_path / "nowhere.csv")


def test_a_missing_header_names_what_was_found_and_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(
        WrongHeader, match=r"must name the columns Invoice, StockCode.*it names '489434'.*lacks Invoice"
    ):
        look(write(tmp_path, GOOD, header=GOOD))


def test_a_header_without_one_column_names_it(tmp_path: Path) -> None:
    with pytest.raises(WrongHeader, match="lacks Quantity"):
        look(write(tmp_path, header=RETAIL_HEADER.replace("Quantity", "Amount")))


def test_another_separator_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongHeader, match="separated by semicolons"):
        look(write(tmp_path, header=RETAIL_HEADER.replace(",", ";")))


def test_columns_may_stand_in_any_order_beside_others(tmp_path: Path) -> None:
    header = "Note,Country,CustomerID,UnitPrice,InvoiceDate,Quantity,Description,StockCode,InvoiceNo"
    looked = look(write(tmp_path, "x,France,12682,2.5,2010-12-01 08:00:00,3,MUG,22728,536370", header=header))
    assert (looked.skus, looked.decided.lines.quantities.tolist()) == (["22728"], [3])
