"""Overlapping exports: what stood in an earlier one is dropped, what the till scanned twice is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scm.loop.importing import repeats
from tests.importing.files import look, retail, write

FIRST = retail("536365", "85123A", at="2010-12-01 08:26:00")
SECOND = retail("536366", "22633", at="2010-12-01 08:28:00")
THIRD = retail("536367", "84879", at="2010-12-09 20:01:00")


def test_lines_of_an_overlapping_export_are_rejected_as_repeated(tmp_path: Path) -> None:
    looked = look(write(tmp_path, FIRST, SECOND, THIRD, FIRST, SECOND, retail("536368", at="2010-12-10 08:00:00")))
    assert looked.rejected == {"repeated_line": 2}
    assert [example.row for example in looked.examples] == [5, 6]
    assert looked.decided.lines.invoice_values == ["536365", "536366", "536367", "536368"]


def test_the_same_item_twice_on_one_invoice_is_two_lines(tmp_path: Path) -> None:
    assert look(write(tmp_path, FIRST, FIRST, SECOND)).kinds == ["sale"] * 3


def test_an_item_scanned_twice_stays_twice_when_its_export_is_repeated(tmp_path: Path) -> None:
    looked = look(write(tmp_path, FIRST, FIRST, THIRD, FIRST, FIRST, THIRD))
    assert (len(looked.kinds), looked.rejected) == (3, {"repeated_line": 3})


def test_a_later_export_that_holds_a_line_once_more_adds_that_one(tmp_path: Path) -> None:
    looked = look(write(tmp_path, FIRST, THIRD, FIRST, FIRST, THIRD))
    assert (len(looked.kinds), looked.rejected) == (3, {"repeated_line": 2})


def test_a_line_that_differs_in_one_cell_is_another_line(tmp_path: Path) -> None:
    other = retail("536365", "85123A", at="2010-12-01 08:26:00", quantity=13)
    assert look(write(tmp_path, FIRST, THIRD, other)).rejected == {}


def test_lines_that_mix_within_one_export_are_not_repeated(tmp_path: Path) -> None:
    beside = retail("536370", "85123A", at="2010-12-01 08:26:00")
    assert look(write(tmp_path, FIRST, beside, FIRST, beside)).rejected == {}


def test_a_key_is_the_same_in_another_file(tmp_path: Path) -> None:
    keys = look(write(tmp_path, FIRST, FIRST, SECOND)).decided.key
    later = look(write(tmp_path, THIRD, SECOND, FIRST, FIRST, name="later.csv")).decided.key
    assert sorted(keys.tolist()) == sorted(later[1:].tolist())
    assert repeats.repeated(later, known=keys).tolist() == [False, True, True, True]


def test_no_lines_have_no_keys(tmp_path: Path) -> None:
    looked = look(write(tmp_path))
    assert (looked.lines, len(looked.decided.key), looked.rejected) == (0, 0, {})
    assert not len(repeats.repeated(looked.decided.key, known=np.empty(0, dtype=np.int64)))
