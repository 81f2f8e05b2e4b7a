"""Finds lines that overlapping exports wrote twice.

Exports are written in the order of time, so where time goes back in a file a new export begins. A line is repeated
when the same line (every cell) stood in an earlier export; the same line twice *within* one export is two lines: the
till scanned the item twice. So of each line the largest number of times that any one export holds it is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from scm.loop.importing.lines import Codes, Flags, Int64, Lines

_Words = npt.NDArray[np.uint64]


def keys(lines: Lines) -> Int64:
    """This function will give each line a 64-bit key, the same in every export that holds the line.

    The second of two equal lines of one export has another key than the first, and the same as the second of two in
    another export.
    """
    content = _content(lines)
    return _mixed(content, _ordinals(content, exports(lines.seconds))).view(np.int64)


def repeated(line_keys: Int64, *, known: Int64) -> Flags:
    """This function will mark lines whose key stood earlier in the file, or is among the `known` ones."""
    first_places = np.unique(line_keys, return_index=True)[1]
    marks: Flags = np.ones(len(line_keys), dtype=np.bool_)
    marks[first_places] = False
    if len(known):
        marks |= np.isin(line_keys, known)
    return marks


def exports(seconds: Int64) -> Int64:
    """This function will number the exports in a file: a new one begins where time goes back.

    >>> exports(np.array([1, 1, 5, 2, 3, 1])).tolist()
    [0, 0, 0, 1, 1, 2]
    """
    back = np.diff(seconds, prepend=seconds[:1]) < 0
    return np.cumsum(back, dtype=np.int64)


def _content(lines: Lines) -> _Words:
    """One word per line: the sum of the hashes of its cells, each hashed once per distinct value and by column."""
    columns: dict[str, tuple[Codes, Iterable[object]]] = {
        "invoice": (lines.invoice, lines.invoice_values),
        "sku": (lines.sku, lines.sku_values),
        "description": (lines.description, lines.description_values),
        "quantity": (lines.quantity, lines.quantity_values),
        "sold_at": (lines.time, (at.isoformat() for at, _ in lines.time_values)),
        "unit_price": (lines.price, lines.price_values),
        "customer": (lines.customer, lines.customer_values),
        "country": (lines.country, lines.country_values),
        "kind": (lines.kind, lines.kind_values),
    }
    word: _Words = np.zeros(len(lines), dtype=np.uint64)
    for column, (codes, values) in columns.items():
        hashed = np.fromiter((_hash(column, str(value)) for value in values), dtype=np.uint64)
        if len(lines):
            word += hashed[codes]
    return word


def _ordinals(content: _Words, export: Int64) -> _Words:
    """How many equal lines stand before a line in its own export."""
    order = np.lexsort((export, content))  # stable: the order of the file within a group
    grouped, block = content[order], export[order]
    starts = np.ones(len(order), dtype=np.bool_)
    starts[1:] = (grouped[1:] != grouped[:-1]) | (block[1:] != block[:-1])
    place = np.arange(len(order))
    ordinal = np.empty(len(order), dtype=np.uint64)
    ordinal[order] = place - np.maximum.accumulate(np.where(starts, place, 0)) if len(order) else place
    return ordinal


def _hash(column: str, text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8, person=column.encode()).digest(), "little")


def _mixed(word: _Words, other: _Words) -> _Words:
    """SplitMix64's finaliser over both words: every bit of either changes about half of the result's."""
    mixed = word * np.uint64(0x9E3779B97F4A7C15) + other + np.uint64(0xD1B54A32D192ED03)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
