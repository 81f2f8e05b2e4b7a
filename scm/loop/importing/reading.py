"""Reads a whole file into packed lines; every line that cannot be understood is counted with its reason.

No session and no decision about what a line means: only whether its cells can be read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from scm.core.progress import Progress
from scm.loop.importing import cells, formats, records
from scm.loop.importing.formats import Format
from scm.loop.importing.lines import BAD, Codes, Column, Lines
from scm.loop.importing.records import Batch
from scm.loop.importing.refusals import BadCell, Rejection, UnusableFile, WrongHeader, shown
from scm.loop.importing.report import Tally
from scm.loop.importing.source import Chunk, Source


@dataclass(frozen=True)
class Read:
    """The readable lines of a file, and how many lines it has after its header."""

    lines: Lines
    line_count: int
    content_hash: str


def read(path: Path, *, format: Format, zone: str, tally: Tally, progress: Progress) -> Read:
    """This function will read every line of a file; unreadable ones go to the tally.

    Times without a zone are in `zone`. Raises `UnusableFile` or `WrongHeader` when the file as a whole is no use.
    """
    source = Source(path)
    chunks = source.chunks(progress)
    header, rest = _header(path, chunks, format)
    at = formats.places(format, header)
    columns = _columns(zone)
    rows: list[Codes] = []
    codes: dict[str, list[Codes]] = {name: [] for name in columns}
    count = 0
    for batch in records.batches(rest, width=len(header)):
        count += len(batch.rows) + len(batch.rejected)
        tally.add(batch.rejected)
        if batch.rows:
            _code(batch, at, columns, rows, codes, tally)
    return Read(_packed(columns, rows, codes), count, source.content_hash)


def _header(path: Path, chunks: Iterator[Chunk], format: Format) -> tuple[list[str], Iterator[Chunk]]:
    first = next(chunks, None)
    if first is None:
        raise UnusableFile(f"{path} is empty. Nothing was changed")
    top = first.lines[0]
    if isinstance(top, Rejection):
        raise WrongHeader(f"{path} is not CSV: row 1 is no text ({top.reason}: {top.value}). Nothing was changed")
    header = next(csv.reader([top]), [])
    formats.places(format, header)
    rest = Chunk(first.first_row + 1, first.lines[1:], first.clean)
    return header, chain([rest] if rest.lines else [], chunks)


def _columns(zone: str) -> dict[str, Column[object]]:
    return {
        "invoice": Column(cells.invoice),
        "sku": Column(cells.sku),
        "description": Column(cells.name),
        "quantity": Column(cells.quantity),
        "sold_at": Column(cells.instant(ZoneInfo(zone))),
        "unit_price": Column(cells.unit_price),
        "customer": Column(cells.customer),
        "country": Column(cells.name),
        "kind": Column(cells.name),
    }


def _code(
    batch: Batch,
    at: dict[str, int | None],
    columns: dict[str, Column[object]],
    rows: list[Codes],
    codes: dict[str, list[Codes]],
    tally: Tally,
) -> None:
    coded: dict[str, Codes] = {}
    for name, column in columns.items():
        place = at.get(name)
        if place is None:
            coded[name] = np.full(len(batch.rows), column[""], dtype=np.int32)
        else:
            coded[name] = column.codes(batch.columns[place])
    bad = np.zeros(len(batch.rows), dtype=np.bool_)
    for column_codes in coded.values():
        bad |= column_codes == BAD
    row = np.array(batch.rows, dtype=np.int32)
    if bad.any():
        tally.add(_explained(batch, int(place), at, columns) for place in np.flatnonzero(bad))
        row = row[~bad]
        coded = {name: column_codes[~bad] for name, column_codes in coded.items()}
    rows.append(row)
    for name, column_codes in coded.items():
        codes[name].append(column_codes)


def _explained(batch: Batch, line: int, at: dict[str, int | None], columns: dict[str, Column[object]]) -> Rejection:
    """The first cell of the line that cannot be read, in the order of the columns."""
    for name, column in columns.items():
        place = at.get(name)
        text = "" if place is None else batch.columns[place][line]
        try:
            column.parse(text)
        except BadCell as bad:
            return Rejection(batch.rows[line], bad.reason, name, shown(text), bad.mend)
    raise AssertionError("a line was marked bad although each of its cells can be read")


def _packed(columns: dict[str, Column[object]], rows: list[Codes], codes: dict[str, list[Codes]]) -> Lines:
    nothing = np.empty(0, dtype=np.int32)
    row = np.concatenate([nothing, *rows])
    order = np.argsort(row, kind="stable")  # batches are only roughly in the order of the file

    def joined(parts: list[Codes]) -> Codes:
        whole: Codes = np.concatenate([nothing, *parts])[order]
        parts.clear()
        return whole

    names = {"sold_at": "time", "unit_price": "price"}
    packed: dict[str, object] = {"row": row[order]}
    for name, column in columns.items():
        field = names.get(name, name)
        packed[field] = joined(codes[name])
        packed[f"{field}_values"] = column.distinct
    return Lines(**packed)  # type: ignore[arg-type]  # the columns' parsers give each list its type
