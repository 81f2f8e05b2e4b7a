"""A file that comes back: every cell is compared with the list as it is now, and only what differs is a change.

First it is checked and nothing changes; then the same content is sent again to be carried out. A row that is not in
the list, a cell that cannot be changed here or a column nobody knows is an error with its row, column and mend.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import python_calamine
from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from scm.core import listing as lists
from scm.core.errors import InvalidInput
from scm.core.listing import Condition, Listing, ListQuery
from web.desk import Desk, act, done, read
from web.listing import Change, Column, ListPage, files

MOST_BYTES = 4 * 1024 * 1024
MOST_UNPACKED = 40 * 1024 * 1024
MOST_ROWS = 5_000
MOST_ERRORS = 200


@dataclass(frozen=True, kw_only=True)
class CellError:
    """A cell that cannot be taken. Rows count from 1, the head's row."""

    row: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a file would change. `content` is the file as CSV text, to be sent again."""

    rows: int
    unchanged: int
    changes: Sequence[Change]
    errors: Sequence[CellError]
    content: str


class BadFile(InvalidInput):
    """The file cannot be read at all."""


def check(page: ListPage, desk: Desk, area: str) -> ResponseReturnValue:
    """This function will say what an uploaded file would change, and change nothing."""
    uploaded = request.files.get("file")
    if uploaded is None or not uploaded.filename:
        raise BadFile("no file came along: choose a CSV or XLSX file that was exported from this list")
    table = _table(uploaded.stream.read(MOST_BYTES + 1))
    with read() as session:
        compared = compare(session, page, desk, table)
    return render_template("listing/file.html", page=page, area=area, compared=compared)


def apply(page: ListPage, desk: Desk, area: str) -> ResponseReturnValue:
    """This function will carry out what a checked file changes, all of it or nothing."""
    table = _table(request.form.get("content", "").encode())

    def change(session: Session) -> int:
        compared = compare(session, page, desk, table)
        if compared.errors:
            first = compared.errors[0]
            raise BadFile(f"row {first.row}, {first.column}: {first.value!r}: {first.reason}")
        if compared.changes and page.apply is not None:
            page.apply(session, desk, compared.changes)
        return len(compared.changes)

    changed = act(f"{page.name}.file", change)
    said = ngettext("%(num)s cell was changed.", "%(num)s cells were changed.", changed)
    return done(url_for(f"{area}.index"), said if changed else gettext("The file changes nothing."))


def compare(session: Session, page: ListPage, desk: Desk, table: Sequence[Sequence[str]]) -> Comparison:
    """This function will hold a table against the list as it is now. Raises `BadFile` when its head is unknown."""
    listing = page.listing(desk)
    columns = _head(page, listing, table)
    names = [column.field for column in columns]
    if page.identity not in names:
        label = page.column(page.identity).label
        raise BadFile(f"the file has no column {str(label)!r}, by which its rows are known: export the view with it")
    place = names.index(page.identity)
    body = [row for row in table[1:] if any(cell.strip() for cell in row)]
    if len(body) > MOST_ROWS:
        raise BadFile(f"the file has {len(body):,} rows: {MOST_ROWS:,} can be taken at a time")
    known = _known(session, listing, page, [_cell(row, place) for row in body])
    changes: list[Change] = []
    errors: list[CellError] = []
    unchanged = 0
    for number, row in enumerate(table[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        found = known.get(_cell(row, place))
        if found is None:
            reason = gettext("This list has no such row: leave it out.")
            errors.append(
                CellError(row=number, column=str(columns[place].label), value=_cell(row, place), reason=reason)
            )
            continue
        differing = _differing(page, listing, desk, columns, row, found)
        wrong = [one for one in differing if one.field not in page.editable]
        for one in wrong:
            reason = gettext("It is %(now)s and cannot be changed here: put that back.", now=one.before or "–")
            label = str(page.column(one.field).label)
            errors.append(CellError(row=number, column=label, value=one.after, reason=reason))
        changes += [one for one in differing if one.field in page.editable]
        unchanged += not differing
    return Comparison(
        rows=len(body), unchanged=unchanged, changes=changes, errors=errors[:MOST_ERRORS], content=_as_csv(table)
    )


def _differing(
    page: ListPage, listing: Listing, desk: Desk, columns: Sequence[Column], row: Sequence[str], found: lists.Row
) -> list[Change]:
    changes = []
    for place, column in enumerate(columns):
        one = listing.field(column.field)
        before = files.text_of(one, column, found, desk)
        after = _cell(row, place)
        if after != before.strip() and not _same_number(one, before, after):
            changes.append(Change(key=found["key"], field=column.field, before=before, after=after))
    return changes


def _same_number(one: lists.Field, before: str, after: str) -> bool:
    """A spreadsheet writes 12.50 as 12.5."""
    if one.kind not in files.NUMBERS or not before or not after:
        return False
    try:
        return float(before) == float(after)
    except ValueError:
        return False


def _known(session: Session, listing: Listing, page: ListPage, texts: Sequence[str]) -> dict[str, lists.Row]:
    found: dict[str, lists.Row] = {}
    if listing.field(page.identity).kind in files.NUMBERS:
        texts = [text for text in texts if text.isascii() and text.isdigit() and len(text) < 19]
    for start in range(0, len(texts), lists.MOST_VALUES):
        part: tuple[object, ...] = tuple(dict.fromkeys(texts[start : start + lists.MOST_VALUES]))
        if listing.field(page.identity).kind in files.NUMBERS:
            part = tuple(int(str(text)) for text in part)
        query = ListQuery(conditions=(Condition(field=page.identity, values=part),))
        found |= {str(row[page.identity]): row for row in lists.stream(session, listing, query)}
    return found


def _head(page: ListPage, listing: Listing, table: Sequence[Sequence[str]]) -> list[Column]:
    if not table:
        raise BadFile("the file is empty: export the view again")
    fields = {one.name for one in listing.fields}
    by_label = {str(one.label): one for one in page.columns if one.field in fields}
    by_label |= {one.field: one for one in page.columns if one.field in fields}
    columns = []
    for label in table[0]:
        text = files.harmful(label.strip())
        if text not in by_label:
            raise BadFile(f"nobody knows the column {text[:60]!r}: the list has {', '.join(by_label)}")
        columns.append(by_label[text])
    if len({one.field for one in columns}) != len(columns):
        raise BadFile("a column stands twice in the head of the file: keep one of them")
    return columns


def _cell(row: Sequence[str], place: int) -> str:
    return files.harmful(row[place].strip()).strip() if place < len(row) else ""


def _table(data: bytes) -> list[list[str]]:
    if len(data) > MOST_BYTES:
        raise BadFile(f"the file is larger than {MOST_BYTES // 1024 // 1024} MB: export a narrower view")
    return _from_xlsx(data) if data[:2] == b"PK" else _from_csv(data)


def _from_csv(data: bytes) -> list[list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFile("the file is not UTF-8 text: save it as CSV UTF-8, or as XLSX") from None
    if "\0" in text:
        raise BadFile("the file holds a character with the code 0: it is no CSV file")
    separator = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise BadFile(f"the file is no CSV file ({error}): save it again from the spreadsheet") from None


def _from_xlsx(data: bytes) -> list[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            unpacked = sum(part.file_size for part in packed.infolist())
        if unpacked > MOST_UNPACKED:
            raise BadFile(
                f"unpacked, the file has {unpacked // 1024 // 1024} MB: {MOST_UNPACKED // 1024 // 1024} may be"
            )
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        rows = book.get_sheet_by_index(0).to_python()
    except (zipfile.BadZipFile, python_calamine.CalamineError) as error:
        raise BadFile(f"the file is no XLSX file ({error}): save it again from the spreadsheet") from None
    return [[_written(cell) for cell in row] for row in rows]


def _written(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _as_csv(table: Sequence[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(table)
    return buffer.getvalue()
