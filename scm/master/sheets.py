"""CSV files from and for people: read with every wrong cell named, written so that a spreadsheet runs nothing.

It knows columns and cells, and nothing of items or suppliers. Files are UTF-8 with a comma and a header line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

LARGEST_FILE = 50_000_000  # bytes
LONGEST_CELL = 10_000  # characters
SHOWN = 60  # characters of a wrong value that a report repeats
LARGEST_NUMBER = 10**12
ZERO = Decimal(0)
_WHOLE = re.compile(r"[0-9]+")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
_ORDER_OF_TRUTH = {"yes": True, "no": False}


@dataclass(frozen=True, kw_only=True)
class RowError:
    """What is wrong with one cell (or one row, or the file: row 0). Rows count from 1, the header line."""

    row: int
    column: str
    value: str
    reason: str
    mend: str


class WrongCell(ValueError):
    """A cell cannot be read; the text is the reason, `mend` says what to write instead."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason)
        self.mend = mend


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: how its cells are read and written. An empty cell of an optional column is `missing`."""

    name: str
    read: Callable[[str], Any]
    write: Callable[[Any], str] = str
    required: bool = False
    missing: Any = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One readable row of a file: the columns its header names, by name."""

    number: int
    values: dict[str, Any]


@dataclass(kw_only=True)
class Sheet:
    """What a file holds: `lines` rows, of which those that could be read, and what is wrong with the others."""

    lines: int = 0
    rows: list[Row] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


def read(data: bytes, *, columns: Sequence[Column]) -> Sheet:
    """This function will read a whole file. It raises nothing: whatever is wrong is in the sheet's errors."""
    sheet = Sheet()
    text = _decoded(data, sheet)
    if text is None:
        return sheet
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    try:
        for cells in reader:
            if header is None:
                header = cells
                if not _header_fits(header, columns, sheet):
                    return sheet
            elif cells:
                sheet.lines += 1
                _read_row(reader.line_num, header, cells, columns, sheet)
    except csv.Error as error:
        sheet.errors.append(_file_error(str(error), "save the file again as CSV", row=reader.line_num))
        sheet.lines += 1
    if header is None:
        sheet.errors.append(_file_error("the file is empty", "write a header line and rows"))
    return sheet


def write(rows: Iterable[Mapping[str, Any]], *, columns: Sequence[Column]) -> bytes:
    """This function will write rows as a CSV file whose cells no spreadsheet takes for a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow([_cell(row[column.name], column) for column in columns])
    return out.getvalue().encode("utf-8")


def defuse(text: str) -> str:
    """This function will put an apostrophe before what a spreadsheet would run; `undefuse` takes it away again.

    >>> defuse("=1+1"), undefuse(defuse("=1+1")), defuse("007"), undefuse("'s Gravenhage")
    ("'=1+1", '=1+1', '007', "'s Gravenhage")
    """
    return "'" + text if _would_run(text) else text


def undefuse(text: str) -> str:
    """This function will give the text that `defuse` was given."""
    return text[1:] if text.startswith("'") and _would_run(text[1:]) else text


def text(*, longest: int) -> Callable[[str], str]:
    """This function will give a reader of text cells, kept exactly as they are."""

    def reader(cell: str) -> str:
        if len(cell) > longest:
            raise WrongCell(f"it has {len(cell)} characters", f"use at most {longest}")
        if not cell.strip():
            raise WrongCell("it is blank", "write something or leave the cell empty")
        return cell

    return reader


def code(*, longest: int) -> Callable[[str], str]:
    """This function will give a reader of codes: text without spaces around it."""
    as_text = text(longest=longest)

    def reader(cell: str) -> str:
        if cell != cell.strip():
            raise WrongCell("it has spaces around it", "remove them")
        return as_text(cell)

    return reader


def whole(*, smallest: int = 0, largest: int = LARGEST_NUMBER) -> Callable[[str], int]:
    """This function will give a reader of whole numbers."""

    def reader(cell: str) -> int:
        digits = cell.strip()
        if not _WHOLE.fullmatch(digits):
            raise WrongCell("it is no whole number", "write digits only, for example 12")
        if len(digits) > 19 or not smallest <= int(digits) <= largest:
            raise WrongCell("it is out of range", f"write a number from {smallest} to {largest}")
        return int(digits)

    return reader


def decimal(*, places: int, largest: int = LARGEST_NUMBER) -> Callable[[str], Decimal]:
    """This function will give a reader of decimals of 0 or more with a point and at most so many places."""

    def reader(cell: str) -> Decimal:
        digits = cell.strip()
        if not _DECIMAL.fullmatch(digits):
            raise WrongCell("it is no decimal number", "write digits with a point, for example 12.50")
        number = Decimal(digits)
        if number > largest:
            raise WrongCell("it is out of range", f"write a number from 0 to {largest}")
        if number != number.quantize(Decimal(1).scaleb(-places)):
            raise WrongCell(f"it has more than {places} decimal places", "round it")
        return number

    return reader


def yes_or_no(cell: str) -> bool:
    """This function will read yes and no. Raises `WrongCell`."""
    answer = _ORDER_OF_TRUTH.get(cell.strip().lower())
    if answer is None:
        raise WrongCell("it is neither yes nor no", "write yes or no")
    return answer


def one_of(values: Sequence[str]) -> Callable[[str], str]:
    """This function will give a reader of cells that hold one of some words."""

    def reader(cell: str) -> str:
        if cell.strip().lower() not in values:
            raise WrongCell("it is not known", f"write one of {', '.join(values)}")
        return cell.strip().lower()

    return reader


def words(cell: str) -> tuple[str, ...]:
    """This function will read words separated by semicolons."""
    return tuple(sorted(word.strip() for word in cell.split(";") if word.strip()))


def show_plain(value: Decimal) -> str:
    """This function will write a decimal without trailing zeros or an exponent.

    >>> show_plain(Decimal("4.500000")), show_plain(Decimal("100.000000"))
    ('4.5', '100')
    """
    digits = f"{value:f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def show_yes(value: bool) -> str:
    """This function will write yes or no."""
    return "yes" if value else "no"


def _decoded(data: bytes, sheet: Sheet) -> str | None:
    if len(data) > LARGEST_FILE:
        sheet.errors.append(_file_error(f"it has {len(data)} bytes", f"split it: at most {LARGEST_FILE} are read"))
        return None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        sheet.errors.append(_file_error("it is UTF-16", "save it as CSV UTF-8"))
        return None
    if b"\x00" in data:
        row = data[: data.index(b"\x00")].count(b"\n") + 1
        sheet.errors.append(_file_error("it has NUL bytes: this is no text", "save it as CSV UTF-8", row=row))
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        value = repr(data[error.start : error.start + 1])
        sheet.errors.append(_file_error("it is not UTF-8", "save it as CSV UTF-8", row=row, value=value))
        return None


def _header_fits(header: Sequence[str], columns: Sequence[Column], sheet: Sheet) -> bool:
    known = {column.name for column in columns}
    for name in header:
        if name not in known:
            sheet.errors.append(_header_error(name, "there is no such column", f"use {', '.join(sorted(known))}"))
        elif header.count(name) > 1:
            sheet.errors.append(_header_error(name, "the column stands there twice", "remove one"))
    for column in columns:
        if column.required and column.name not in header:
            sheet.errors.append(_header_error(column.name, "the column is missing", "add it"))
    return not sheet.errors


def _read_row(
    number: int, header: Sequence[str], cells: Sequence[str], columns: Sequence[Column], sheet: Sheet
) -> None:
    if len(cells) != len(header):
        reason = f"the row has {len(cells)} cells, the header {len(header)}"
        mend = "add or remove cells; a cell with a comma needs quotes"
        sheet.errors.append(RowError(row=number, column="", value=_shown(",".join(cells)), reason=reason, mend=mend))
        return
    written = dict(zip(header, cells, strict=True))
    values: dict[str, Any] = {}
    present = [column for column in columns if column.name in written]
    for column in present:
        cell = undefuse(written[column.name])
        if len(cell) > LONGEST_CELL:
            wrong = WrongCell(f"it has {len(cell)} characters", f"use at most {LONGEST_CELL}")
        elif cell == "" and not column.required:
            values[column.name] = column.missing
            continue
        elif cell == "":
            wrong = WrongCell("it is empty", "fill it in")
        else:
            try:
                values[column.name] = column.read(cell)
                continue
            except WrongCell as error:
                wrong = error
        sheet.errors.append(
            RowError(row=number, column=column.name, value=_shown(cell), reason=str(wrong), mend=wrong.mend)
        )
    if len(values) == len(present):
        sheet.rows.append(Row(number=number, values=values))


def _cell(value: Any, column: Column) -> str:
    return "" if value is None or value == () else defuse(column.write(value))


def _would_run(cell: str) -> bool:
    return cell.startswith(("'", "\t", "\r", "\n")) or cell.lstrip().startswith(("=", "+", "-", "@"))


def _shown(value: str) -> str:
    return value if len(value) <= SHOWN else f"{value[:SHOWN]}…"


def _file_error(reason: str, mend: str, *, row: int = 0, value: str = "") -> RowError:
    return RowError(row=row, column="", value=value, reason=f"the file cannot be read: {reason}", mend=mend)


def _header_error(name: str, reason: str, mend: str) -> RowError:
    return RowError(row=1, column=_shown(name), value=_shown(name), reason=reason, mend=mend)
