"""Lists as files: CSV and XLSX of exactly the view, and what a file that comes back changes.

A cell is written as exact text (codes keep their zeros, amounts their places, days are YYYY-MM-DD), so that a file
which comes back unchanged changes nothing. Text that a spreadsheet would run is made harmless.
"""

from __future__ import annotations

import csv
import enum
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter

from scm.core.listing import Field, Kind, Listing, Row
from scm.core.types import RATE_PLACES
from scm.finance import money
from web.desk import Desk
from web.listing import Column

RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")
NUMBERS = frozenset({Kind.QUANTITY, Kind.NUMBER, Kind.MONEY, Kind.PRICE, Kind.RATE})
EXACT_IN_A_SPREADSHEET = 10**15
MOST_CELL = 32_000
YES, NO = "yes", "no"


def text_of(one: Field, column: Column, row: Row, desk: Desk) -> str:
    """This function will write one cell as exact text."""
    value = row[one.name]
    if value is None:
        return ""
    if isinstance(value, enum.Enum):
        return str(column.names.get(value, value.value))
    if one.kind is Kind.MONEY:
        return f"{Decimal(value).scaleb(-money.places(_currency(one, row, desk)))}"
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(desk.zone)).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, float):
        value = round(Decimal(value), RATE_PLACES)  # more places than a spreadsheet gives back would be a change
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)


def write_csv(rows: Iterable[Row], listing: Listing, columns: Sequence[Column], desk: Desk) -> Iterator[str]:
    """This function will write a CSV file piece by piece, with the mark by which spreadsheets know UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    fields = [listing.field(column.field) for column in columns]
    buffer.write("\ufeff")
    writer.writerow([harmless(str(column.label)) for column in columns])
    for number, row in enumerate(rows, start=1):
        writer.writerow(
            [
                text if one.kind in NUMBERS else harmless(text)
                for one, column in zip(fields, columns, strict=True)
                for text in [text_of(one, column, row, desk)]
            ]
        )
        if number % 500 == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def write_xlsx(rows: Iterable[Row], listing: Listing, columns: Sequence[Column], desk: Desk) -> bytes:
    """This function will write an XLSX file; every text is a text and no cell a formula."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(
        file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "in_memory": False}
    )
    sheet = book.add_worksheet(listing.name[:31])
    bold = book.add_format({"bold": True})
    as_text = book.add_format({"num_format": "@"})
    fields = [listing.field(column.field) for column in columns]
    for place, column in enumerate(columns):
        sheet.write_string(0, place, str(column.label), bold)
    for number, row in enumerate(rows, start=1):
        for place, (one, column) in enumerate(zip(fields, columns, strict=True)):
            text = text_of(one, column, row, desk)
            if one.kind in NUMBERS and text and abs(Decimal(text)) < EXACT_IN_A_SPREADSHEET:
                sheet.write_number(number, place, float(text))
            else:
                sheet.write_string(number, place, text[:MOST_CELL], as_text)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, 0, max(len(columns) - 1, 0))
    book.close()
    return file.getvalue()


def harmless(text: str) -> str:
    """This function will keep a spreadsheet from running a text.

    >>> harmless("=1+1"), harmless("mug")
    ("'=1+1", 'mug')
    """
    return f"'{text}" if text.startswith(RUNS) else text


def harmful(text: str) -> str:
    """This function will give back what `harmless` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(RUNS) else text


def _currency(one: Field, row: Row, desk: Desk) -> str:
    beside: Any = row.get(one.beside) if one.beside else None
    return beside if isinstance(beside, str) else desk.currency
