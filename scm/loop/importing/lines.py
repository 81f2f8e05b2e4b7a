"""The lines of a file, packed: every column an array of 32-bit codes into the list of its distinct values.

A million lines cost some 40 MB, and every later decision is made once per distinct value, or on whole arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from scm.loop.importing.cells import Instant
from scm.loop.importing.refusals import BadCell

V = TypeVar("V", bound=Hashable)
Codes = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
BAD = -1


class Column(dict[str, int], Generic[V]):
    """Maps the text of a cell to the code of its value; `distinct[code]` is the value.

    Texts that mean the same value share a code. A text that means nothing has the code `BAD` and is not kept.
    """

    def __init__(self, parse: Callable[[str], V]) -> None:
        super().__init__()
        self.parse = parse
        self.distinct: list[V] = []
        self._code_of: dict[V, int] = {}

    def __missing__(self, text: str) -> int:
        try:
            value = self.parse(text)
        except BadCell:
            return BAD
        code = self._code_of.get(value)
        if code is None:
            code = self._code_of[value] = len(self.distinct)
            self.distinct.append(value)
        self[text] = code
        return code

    def codes(self, cells: Sequence[str]) -> Codes:
        """This function will code the cells of one column."""
        return np.fromiter(map(self.__getitem__, cells), np.int32, count=len(cells))


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Readable lines in the order of the file. `x` is a column of codes into `x_values` throughout."""

    row: Codes
    invoice: Codes
    sku: Codes
    description: Codes
    customer: Codes
    country: Codes
    kind: Codes
    quantity: Codes
    price: Codes
    time: Codes
    invoice_values: list[str]
    sku_values: list[str]
    description_values: list[str]
    customer_values: list[str]  # an anonymous customer is ""
    country_values: list[str]
    kind_values: list[str]  # what the file itself says a line is, or ""
    quantity_values: list[int]
    price_values: list[int]  # millionths of a major unit
    time_values: list[Instant]

    def __len__(self) -> int:
        return len(self.row)

    @property
    def quantities(self) -> Int64:
        """The signed quantity of each line."""
        return np.array(self.quantity_values, dtype=np.int64)[self.quantity]

    @property
    def prices(self) -> Int64:
        """The unit price of each line in millionths of a major unit."""
        return np.array(self.price_values, dtype=np.int64)[self.price]

    @property
    def seconds(self) -> Int64:
        """The instant of each line in seconds since 1970, UTC."""
        return np.array([int(at.timestamp()) for at, _ in self.time_values], dtype=np.int64)[self.time]

    @property
    def days(self) -> Int64:
        """The local calendar date of each line, as its ordinal."""
        return np.array([day.toordinal() for _, day in self.time_values], dtype=np.int64)[self.time]

    def take(self, chosen: Flags) -> Lines:
        """This function will give only the chosen lines."""
        picked: dict[str, Any] = {
            field: value[chosen] if isinstance(value, np.ndarray) else value for field, value in vars(self).items()
        }
        return Lines(**picked)
