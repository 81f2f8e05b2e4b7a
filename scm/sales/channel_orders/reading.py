"""Reads files of a channel's messages, CSV or JSON, into rows of readable cells with every wrong cell named.

A CSV row is one line of a message; rows of the same order, message and sequence belong together. A JSON file is a list
of messages, each with its `lines`. Prices are exact: a number in JSON is read as it is written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from scm.core.types import UNIT_PRICE_PLACES
from scm.master import sheets
from scm.master.sheets import Column, Row, RowError, WrongCell
from scm.sales.channel_orders.messages import MessageKind

SHOWN = 60
LARGEST_FILE = 20_000_000


def day(cell: str) -> date:
    """This function will read a day. Raises `WrongCell`."""
    try:
        return date.fromisoformat(cell.strip())
    except ValueError:
        raise WrongCell("it is no day", "write it as 2026-01-31") from None


def instant(cell: str) -> datetime:
    """This function will read an instant with its zone. Raises `WrongCell`."""
    try:
        read = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise WrongCell("it is no instant", "write it as 2026-01-31T14:05:00Z") from None
    if read.tzinfo is None:
        raise WrongCell("it has no time zone", "write it as 2026-01-31T14:05:00Z")
    return read.astimezone(UTC)


HEAD = (
    Column(name="message", read=sheets.one_of([kind.value for kind in MessageKind]), required=True),
    Column(name="external_id", read=sheets.code(longest=80), required=True),
    Column(name="sequence", read=sheets.whole()),
    Column(name="sent_at", read=instant),
    Column(name="customer", read=sheets.code(longest=40)),
    Column(name="customer_name", read=sheets.text(longest=160)),
    Column(name="country", read=sheets.text(longest=60)),
    Column(name="requested_date", read=day),
)
LINE = (
    Column(name="sku", read=sheets.code(longest=40)),
    Column(name="gtin", read=sheets.code(longest=14)),
    Column(name="quantity", read=sheets.whole(smallest=1)),
    Column(name="unit_price", read=sheets.decimal(places=UNIT_PRICE_PLACES)),
)
COLUMNS = HEAD + LINE


@dataclass(kw_only=True)
class MessageRows:
    """The rows of one message: its head, and its lines with the rows they stand in."""

    row: int
    head: dict[str, Any]
    lines: list[Row] = field(default_factory=list)


@dataclass(kw_only=True)
class Read:
    """What a file says: so many rows, the messages in it, and what is wrong."""

    rows: int = 0
    messages: list[MessageRows] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


def read(data: bytes) -> Read:
    """This function will read a file of messages: JSON when it begins like JSON, CSV otherwise.

    It raises nothing: whatever is wrong is in the errors.
    """
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{"):
        return _read_json(data)
    sheet = sheets.read(data, columns=COLUMNS)
    found = Read(rows=sheet.lines, errors=list(sheet.errors))
    known: dict[tuple[Any, ...], MessageRows] = {}
    for row in sheet.rows:
        values = {column.name: row.values.get(column.name) for column in COLUMNS}
        head = {column.name: values[column.name] for column in HEAD}
        key = (head["external_id"], head["message"], head["sequence"], head["sent_at"])
        message = known.get(key)
        if message is None:
            message = known[key] = MessageRows(row=row.number, head=head)
            found.messages.append(message)
        else:
            _refuse_other_head(row.number, head, message.head, found)
        line = {column.name: values[column.name] for column in LINE}
        if any(value is not None for value in line.values()):
            message.lines.append(Row(number=row.number, values=line))
    return found


def _refuse_other_head(row: int, head: dict[str, Any], first: dict[str, Any], found: Read) -> None:
    """A later row of a message may leave out what the first has said, but not say otherwise."""
    for name, value in head.items():
        if value is not None and value != first[name]:
            reason = f"the first row of the message says {first[name]}"
            found.errors.append(_odd(row, name, value, reason, "say the same in every row"))


def _read_json(data: bytes) -> Read:
    found = Read()
    try:
        if len(data) > LARGEST_FILE:
            raise ValueError(f"it has {len(data)} bytes")
        sent = json.loads(data.decode("utf-8-sig"), parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError) as error:
        reason = f"the file cannot be read: {str(error)[:120]}"
        found.errors.append(RowError(row=0, column="", value="", reason=reason, mend="send a list of messages as JSON"))
        return found
    if not isinstance(sent, list):
        sent = [sent]
    found.rows = len(sent)
    for number, one in enumerate(sent, start=1):
        if not isinstance(one, dict):
            found.errors.append(_odd(number, "", one, "it is no object", "send each message as an object"))
            continue
        _read_message(number, one, found)
    return found


def _read_message(number: int, sent: dict[str, Any], found: Read) -> None:
    before = len(found.errors)
    lines = sent.get("lines", [])
    head = _cells(number, "", {name: value for name, value in sent.items() if name != "lines"}, HEAD, found)
    if not isinstance(lines, list):
        found.errors.append(_odd(number, "lines", lines, "it is no list", "send the lines as a list"))
        return
    read_lines = []
    for place, line in enumerate(lines):
        if not isinstance(line, dict):
            found.errors.append(_odd(number, f"lines[{place}]", line, "it is no object", "send each line as an object"))
            continue
        read_lines.append(Row(number=number, values=_cells(number, f"lines[{place}].", line, LINE, found)))
    if len(found.errors) == before:
        found.messages.append(MessageRows(row=number, head=head, lines=read_lines))


def _cells(number: int, prefix: str, sent: dict[str, Any], columns: tuple[Column, ...], found: Read) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(column.name for column in columns)
    known = {column.name: column for column in columns}
    for name in sent:
        if name not in known:
            mend = f"use {', '.join(sorted(known))}"
            found.errors.append(_odd(number, f"{prefix}{name}"[:SHOWN], "", "there is no such field", mend))
    for name, column in known.items():
        value = sent.get(name)
        if value is None or value == "":
            if column.required:
                found.errors.append(_odd(number, prefix + name, "", "it is empty", "fill it in"))
            continue
        if isinstance(value, bool) or not isinstance(value, (str, Decimal)):
            found.errors.append(_odd(number, prefix + name, value, "it is neither text nor number", "send text"))
            continue
        try:
            values[name] = column.read(value if isinstance(value, str) else f"{value:f}")
        except WrongCell as error:
            found.errors.append(_odd(number, prefix + name, value, str(error), error.mend))
    return values


def _odd(row: int, column: str, value: Any, reason: str, mend: str) -> RowError:
    return RowError(row=row, column=column, value=str(value)[:SHOWN], reason=reason, mend=mend)
