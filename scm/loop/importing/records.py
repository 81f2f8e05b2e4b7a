"""Turns lines of text into records of cells, and lines that cannot be one into rejections.

Nearly every line is one record, so chunks are given whole to the csv reader; only a chunk in which something is wrong
(or a quoted cell spans lines) is taken apart line by line. A quote that is never closed costs its own line, not the
rest of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from scm.loop.importing.refusals import Rejection, shown
from scm.loop.importing.source import Chunk, Line

MOST_LINES_IN_A_RECORD = 20  # a quoted cell that spans more lines than this is a quote that was never closed


@dataclass
class Batch:
    """Records of equal width with their rows in the file, and the lines between them that are not records."""

    rows: list[int] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def batches(chunks: Iterable[Chunk], *, width: int) -> Iterator[Batch]:
    """This function will read the records of a file, chunk by chunk; each has `width` cells."""
    waiting: list[Line] = []
    first_row = 0
    for chunk in chunks:
        if not waiting:
            whole = _at_once(chunk, width)
            if whole is not None:
                yield whole
                continue
            first_row = chunk.first_row
        waiting += chunk.lines
        batch, taken = _one_by_one(waiting, first_row, width, last=False)
        waiting, first_row = waiting[taken:], first_row + taken
        yield batch
    if waiting:
        yield _one_by_one(waiting, first_row, width, last=True)[0]


def _at_once(chunk: Chunk, width: int) -> Batch | None:
    if not chunk.clean:
        return None
    try:
        cells = list(csv.reader(chunk.lines, strict=True))  # type: ignore[arg-type]  # clean: every line is text
    except csv.Error:
        return None
    if len(cells) != len(chunk.lines) or set(map(len, cells)) != {width}:
        return None
    return Batch(rows=list(range(chunk.first_row, chunk.first_row + len(cells))), cells=cells)


def _one_by_one(lines: list[Line], first_row: int, width: int, *, last: bool) -> tuple[Batch, int]:
    """The batch, and how many lines it took; the rest waits for the next chunk, because a record may go on there."""
    batch = Batch()
    place = 0
    while place < len(lines):
        line, row = lines[place], first_row + place
        if isinstance(line, Rejection):
            batch.rejected.append(line)
            place += 1
            continue
        # An even number of quotes cannot leave one open, so the usual line is settled without looking further.
        most = MOST_LINES_IN_A_RECORD if line.count('"') % 2 else 1
        if most > 1 and place + most > len(lines) and not last:
            break
        record, used = _record(lines[place : place + most], width)
        if isinstance(record, list):
            batch.rows.append(row)
            batch.cells.append(record)
        else:
            batch.rejected.append(_rejection(row, line, record, width))
        place += used
    return batch, place


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
        except csv.Error as error:
            if "field larger" in str(error):
                return "cell_too_large", 1
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
        "cell_too_large": "shorten it: no cell may hold more than 131072 characters",
        "empty_line": "remove the line",
    }[reason]
    return Rejection(row, reason, "", shown(line), mend)
