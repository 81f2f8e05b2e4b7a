"""Turns lines of text into records of cells, and lines that cannot be one into rejections.

Nearly every line is one record without quotes, so the lines of a chunk are split all at once. Lines with quotes are
given to the csv reader; only where something is wrong with them (or a quoted cell spans lines) is a chunk taken apart
line by line. A quote that is never closed costs its own line, not the rest of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat

from scm.loop.importing.refusals import Rejection, shown
from scm.loop.importing.source import Chunk, Line

MOST_LINES_IN_A_RECORD = 20  # a quoted cell that spans more lines than this is a quote that was never closed


@dataclass
class Batch:
    """Records with their rows in the file, column by column, and lines that are not records.

    Batches come roughly in the order of the file: within a chunk, lines without quotes come first.
    """

    rows: list[int] = field(default_factory=list)
    columns: list[Sequence[str]] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def batches(chunks: Iterable[Chunk], *, width: int) -> Iterator[Batch]:
    """This function will read the records of a file; each has `width` cells."""
    waiting: list[Line] = []
    first_row = 0
    for chunk in chunks:
        if not waiting:
            whole = _at_once(chunk, width)
            if whole is not None:
                yield from whole
                continue
            first_row = chunk.first_row
        waiting += chunk.lines
        batch, taken = _one_by_one(waiting, first_row, width, last=False)
        waiting, first_row = waiting[taken:], first_row + taken
        yield batch
    if waiting:
        yield _one_by_one(waiting, first_row, width, last=True)[0]


def _at_once(chunk: Chunk, width: int) -> list[Batch] | None:
    """The records of a chunk in which every line is a whole record; None if one is not."""
    if not chunk.clean:
        return None
    plain: list[str] = []
    plain_rows: list[int] = []
    quoted: list[str] = []
    quoted_rows: list[int] = []
    for row, line in enumerate(chunk.lines, start=chunk.first_row):
        assert isinstance(line, str), "a clean chunk holds text only"
        if '"' in line:
            quoted.append(line)
            quoted_rows.append(row)
        else:
            plain.append(line)
            plain_rows.append(row)
    if set(map(str.count, plain, repeat(","))) - {width - 1}:
        return None
    try:
        records = list(csv.reader(quoted, strict=True))
    except csv.Error:
        return None
    if len(records) != len(quoted) or set(map(len, records)) - {width}:
        return None
    cells = ",".join(plain).split(",") if plain else []
    return [
        Batch(plain_rows, [cells[place::width] for place in range(width)]),
        Batch(quoted_rows, list(zip(*records, strict=True))),
    ]


def _one_by_one(lines: list[Line], first_row: int, width: int, *, last: bool) -> tuple[Batch, int]:
    """The batch, and how many lines it took; the rest waits for the next chunk, because a record may go on there."""
    rows, cells, rejected = [], [], []
    place = 0
    while place < len(lines):
        line, row = lines[place], first_row + place
        if isinstance(line, Rejection):
            rejected.append(line)
            place += 1
            continue
        # An even number of quotes cannot leave one open, so the usual line is settled without looking further.
        most = MOST_LINES_IN_A_RECORD if line.count('"') % 2 else 1
        if most > 1 and place + most > len(lines) and not last:
            break
        record, used = _record(lines[place : place + most], width)
        if isinstance(record, list):
            rows.append(row)
            cells.append(record)
        else:
            rejected.append(_rejection(row, line, record, width))
        place += used
    return Batch(rows, list(zip(*cells, strict=True)), rejected), place


def _record(lines: list[Line], width: int) -> tuple[list[str] | str, int]:
    """One record and the number of its lines, or the reason why the first line is none."""
    problem = "unbalanced_quotes"
    text: list[str] = []
    for line in lines:
        if isinstance(line, Rejection):
            break
        text.append(line + "\n")
        try:
            records = list(csv.reader(text, strict=True))
        except csv.Error:  # perhaps the rest of the cell is on the next line
            continue
        if len(records) != 1 or len(records[0]) != width:
            if len(text) == 1:
                problem = "empty_line" if not line.strip() else "wrong_number_of_cells"
            break
        return records[0], len(text)
    return problem, 1


def _rejection(row: int, line: str, reason: str, width: int) -> Rejection:
    mend = {
        "unbalanced_quotes": 'close the quote, and write a quote inside a quoted cell twice ("")',
        "wrong_number_of_cells": f"give the line {width} cells, as in the header; quote cells that hold a comma",
        "empty_line": "remove the line",
    }[reason]
    return Rejection(row, reason, "", shown(line), mend)
