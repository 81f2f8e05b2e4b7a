"""The format for anybody: the retailer's habits mean nothing in it, and a column says what a line is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from scm.loop.importing import formats
from scm.loop.importing.formats import FormatUnknown
from tests.importing.files import STANDARD_HEADER, Looked, look, write


def standard(directory: Path, *lines: str, header: str = STANDARD_HEADER) -> Looked:
    return look(write(directory, *lines, header=header), format="standard")


def test_the_example_in_the_manual_is_what_the_manual_says(tmp_path: Path) -> None:
    manual = (Path(__file__).parent.parent.parent / "docs" / "import.md").read_text()
    example = manual.split("```csv\n")[1].split("```")[0]
    path = tmp_path / "example.csv"
    path.write_text(example)
    looked = look(path, format="standard")
    assert looked.kinds == ["sale", "sale", "return", "adjustment", "charge"]
    assert not looked.rejected


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("1,POST,Postage stamp,1,2026-01-05T09:00:00,1.00,7,GB,", "sale"),
        ("C1,BOLT,,5,2026-01-05,1.00,7,GB,", "sale"),
        ("1,BOLT,,-5,2026-01-05,1.00,7,GB,", "return"),
        ("1,BOLT,,-5,2026-01-05,1.00,7,GB,return", "return"),
        ("1,BOLT,,-5,2026-01-05,0,,,", "adjustment"),
        ("1,BOLT,,5,2026-01-05,0,,,", "adjustment"),
        ("1,BOLT,,5,2026-01-05,0,7,,", "sale"),
        ("1,BOLT,,5,2026-01-05,1.00,7,,ADJUSTMENT", "adjustment"),
        ("1,FREIGHT,,1,2026-01-05,-9.50,7,,charge", "charge"),
    ],
)
def test_what_a_line_is(tmp_path: Path, line: str, kind: str) -> None:
    assert standard(tmp_path, line).kinds == [kind]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,BOLT,,-5,2026-01-05,1.00,7,,sale", "sign_contradicts_kind"),
        ("1,BOLT,,5,2026-01-05,1.00,7,,return", "sign_contradicts_kind"),
        ("1,BOLT,,5,2026-01-05,-1.00,7,,sale", "negative_price"),
        ("1,BOLT,,5,2026-01-05,1.00,7,,gift", "unknown_kind"),
        ("1,BOLT,,5,05.01.2026,1.00,7,,", "bad_date"),
        ('1,BOLT,,5,2026-01-05,"1,00",7,,', "bad_price"),
    ],
)
def test_what_is_refused(tmp_path: Path, line: str, reason: str) -> None:
    assert standard(tmp_path, line).only.reason == reason


def test_four_columns_may_be_missing(tmp_path: Path) -> None:
    looked = standard(tmp_path, "1,BOLT,5,2026-01-05,1.00", header="invoice,sku,quantity,sold_at,unit_price")
    assert looked.kinds == ["sale"]
    assert looked.decided.lines.customer_values == [""]


def test_a_time_may_name_its_zone_and_is_the_companys_otherwise(tmp_path: Path) -> None:
    looked = standard(
        tmp_path,
        "1,BOLT,,5,2026-07-01T00:30:00,1.00,7,,",
        "2,BOLT,,5,2026-07-01T00:30:00Z,1.00,7,,",
        "3,BOLT,,5,2026-06-30T20:30:00-05:00,1.00,7,,",
    )
    times = [looked.decided.lines.time_values[code] for code in looked.decided.lines.time.tolist()]
    assert [at for at, _ in times] == [
        datetime(2026, 6, 30, 23, 30, tzinfo=UTC),
        datetime(2026, 7, 1, 0, 30, tzinfo=UTC),
        datetime(2026, 7, 1, 1, 30, tzinfo=UTC),
    ]
    assert [day.isoformat() for _, day in times] == ["2026-07-01"] * 3


def test_leading_zeros_and_long_codes_survive(tmp_path: Path) -> None:
    looked = standard(tmp_path, "007,00123456789012345678,,5,2026-01-05,1.00,0042,,")
    assert looked.skus == ["00123456789012345678"]
    assert looked.decided.lines.customer_values == ["0042"]
    assert looked.decided.lines.invoice_values == ["007"]


def test_an_unknown_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatUnknown, match="no format 'excel': use online-retail or standard"):
        formats.of("excel")
