"""Whatever stands in a file, each of its lines ends accepted or rejected, and nothing is raised about a line."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.importing.files import look, retail, write

CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "0", "-1", "12", "1.5", "C5", "A1", "POST", "2010-12-01 07:45:00", "NaN", '"', '""', "é"]
    ),
    st.text(st.characters(exclude_characters=",\n\r", exclude_categories=["Cs"]), max_size=8),
)
ANY_LINE = st.one_of(
    st.builds(retail, quantity=st.integers(-100, 100), price=st.sampled_from(["0", "1.25", "-1"])),
    st.builds(
        retail, invoice=CELLS, sku=CELLS, description=CELLS, quantity=CELLS, at=CELLS, price=CELLS, customer=CELLS
    ),
    st.lists(CELLS, max_size=10).map(",".join),
    st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"")),
)


@pytest.mark.parametrize("format", ["online-retail", "standard"])
@given(lines=st.lists(ANY_LINE, max_size=40), repeats=st.integers(1, 3))
def test_lines_in_are_lines_accepted_and_lines_rejected(format: str, lines: list[str | bytes], repeats: int) -> None:
    header = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"
    if format == "standard":
        header = "invoice,sku,description,quantity,sold_at,unit_price,customer,country"
    with tempfile.TemporaryDirectory() as directory:
        looked = look(write(Path(directory), *(lines * repeats), header=header), format=format)
    assert looked.lines == len(looked.kinds) + sum(looked.rejected.values())
    assert looked.lines <= len(lines) * repeats  # fewer, where a quoted cell spans lines
    assert {example.reason for example in looked.examples} == set(looked.rejected)
    rows = looked.decided.lines.row.tolist()
    assert rows == sorted(set(rows))


@given(
    quantities=st.lists(st.integers(1, 9).map(lambda n: n * 10), max_size=6),
    returned=st.lists(st.integers(1, 60), max_size=8),
)
def test_no_sale_is_returned_more_than_it_sold(quantities: list[int], returned: list[int]) -> None:
    sales = [retail(quantity=quantity, at=f"2010-12-0{day} 08:00:00") for day, quantity in enumerate(quantities, 1)]
    backs = [retail("C9", quantity=-quantity, at=f"2010-12-1{day} 08:00:00") for day, quantity in enumerate(returned)]
    with tempfile.TemporaryDirectory() as directory:
        decided = look(write(Path(directory), *sales, *backs)).decided
    quantity = decided.lines.quantities.tolist()
    left = dict(enumerate(quantity))
    for place, sale in enumerate(decided.matches.sale.tolist()):
        if sale >= 0:
            left[sale] += quantity[place]
            assert left[sale] >= 0
