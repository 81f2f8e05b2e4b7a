"""The two formats of a sales file: their columns, and what makes a line a sale, a return, an adjustment or a charge.

Pure: arrays in, arrays out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scm.core.errors import InvalidInput
from scm.loop.importing.lines import Lines
from scm.loop.importing.refusals import WrongHeader
from scm.loop.importing.tables import LineKind

KINDS: tuple[LineKind, ...] = tuple(LineKind)
Kinds = npt.NDArray[np.int8]
REFUSED = -1


@dataclass(frozen=True)
class Refusal:
    """A rule that refuses lines: the reason, the column at fault, and the mend."""

    reason: str
    field: str
    mend: str


@dataclass(frozen=True)
class Classified:
    """Of each line the place of its kind in `KINDS`, or `REFUSED` and the place of its rule in `refusals`."""

    kind: Kinds
    refusal: Kinds
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, kw_only=True)
class Format:
    """Which columns a file has and what its lines mean."""

    name: str
    columns: Mapping[str, tuple[str, ...]]  # our name of a column: the names a header may give it
    optional: frozenset[str]
    classify: Callable[[Lines], Classified]


class FormatUnknown(InvalidInput):
    """There is no format of that name."""


NEGATIVE_QUANTITY = Refusal(
    "negative_quantity", "quantity", "a return needs a C before its invoice number, a write-off the price 0"
)
CONTRADICTION = Refusal(
    "sign_contradicts_kind", "quantity", "returns have negative and sales positive quantities: mend one of the two"
)
NEGATIVE_PRICE = Refusal("negative_price", "unit_price", "give a price of 0 or more; give credit as a return")
UNKNOWN_KIND = Refusal("unknown_kind", "kind", "write sale, return, adjustment or charge, or leave the cell empty")

# The retailer's codes that are no goods: postage, manual entries, discounts, fees, vouchers, tests.
CHARGE_CODES = re.compile(
    r"POST|DOT|M|C2|C3|D|S|B|BANK CHARGES|ADJUST\d*|AMAZONFEE|CRUK|PADS|GIFT(_\d{4}_\d+)?|TEST\d*", re.IGNORECASE
)


def of(name: str) -> Format:
    """This function will give a format by its name. Raises `FormatUnknown`."""
    for known in (ONLINE_RETAIL, STANDARD):
        if known.name == name:
            return known
    raise FormatUnknown(f"there is no format {name!r}: use {ONLINE_RETAIL.name} or {STANDARD.name}")


def places(format: Format, header: Sequence[str]) -> dict[str, int | None]:
    """This function will find each column in the header; an optional one may be missing. Raises `WrongHeader`."""
    found = [cell.strip().lower() for cell in header]
    at: dict[str, int | None] = {}
    for column, names in format.columns.items():
        at[column] = next((found.index(name.lower()) for name in names if name.lower() in found), None)
    missing = [names[0] for column, names in format.columns.items() if at[column] is None]
    missing = [name for name in missing if name not in format.optional]
    if missing:
        hint = ""
        for sign, what in ((";", "semicolons"), ("\t", "tabs")):
            if len(header) == 1 and sign in header[0]:
                hint = f"; its cells are separated by {what}: separate them by commas"
        raise WrongHeader(
            f"row 1 must name the columns {', '.join(names[0] for names in format.columns.values())}; it names "
            f"{', '.join(repr(cell[:40]) for cell in header[:12])} and lacks {', '.join(missing)}{hint}. "
            "Nothing was changed"
        )
    return at


def _classify_online_retail(lines: Lines) -> Classified:
    quantity, price = lines.quantities, lines.prices
    prefix = np.array([number[:1] for number in lines.invoice_values] or [""])[lines.invoice]
    fee = np.array([CHARGE_CODES.fullmatch(code) is not None for code in lines.sku_values], dtype=np.bool_)
    anonymous = np.array([code == "" for code in lines.customer_values], dtype=np.bool_)[lines.customer]
    charge = fee[lines.sku] | (prefix == "A")  # an A invoice adjusts bad debt
    cancelled = prefix == "C"
    refusals = (CONTRADICTION, NEGATIVE_PRICE, NEGATIVE_QUANTITY)
    return _choose(
        (
            (charge, LineKind.CHARGE),
            (cancelled & (quantity > 0), CONTRADICTION),
            (price < 0, NEGATIVE_PRICE),
            (cancelled, LineKind.RETURN),
            ((quantity < 0) & (price > 0), NEGATIVE_QUANTITY),
            (quantity < 0, LineKind.ADJUSTMENT),  # written off; the description says why
            ((price == 0) & anonymous, LineKind.ADJUSTMENT),  # found
        ),
        refusals,
        count=len(lines),
    )


def _classify_standard(lines: Lines) -> Classified:
    quantity, price = lines.quantities, lines.prices
    said = np.array([kind.lower() for kind in lines.kind_values] or [""])[lines.kind]
    anonymous = np.array([code == "" for code in lines.customer_values], dtype=np.bool_)[lines.customer]
    known = np.isin(said, ["", *(kind.value for kind in KINDS)])
    nothing_said = said == ""
    refusals = (UNKNOWN_KIND, CONTRADICTION, NEGATIVE_PRICE)
    return _choose(
        (
            (~known, UNKNOWN_KIND),
            ((said == "charge"), LineKind.CHARGE),
            ((said == "sale") & (quantity < 0) | (said == "return") & (quantity > 0), CONTRADICTION),
            (price < 0, NEGATIVE_PRICE),
            ((said == "adjustment") | nothing_said & (price == 0) & anonymous, LineKind.ADJUSTMENT),
            ((said == "return") | nothing_said & (quantity < 0), LineKind.RETURN),
        ),
        refusals,
        count=len(lines),
    )


def _choose(
    rules: Sequence[tuple[npt.NDArray[np.bool_], LineKind | Refusal]], refusals: tuple[Refusal, ...], *, count: int
) -> Classified:
    """The first rule that holds decides; a line on which none holds is a sale."""
    kind: Kinds = np.full(count, KINDS.index(LineKind.SALE), dtype=np.int8)
    refusal: Kinds = np.full(count, -1, dtype=np.int8)
    for holds, answer in reversed(rules):
        if isinstance(answer, LineKind):
            kind[holds], refusal[holds] = KINDS.index(answer), -1
        else:
            kind[holds], refusal[holds] = REFUSED, refusals.index(answer)
    return Classified(kind, refusal, refusals)


ONLINE_RETAIL = Format(
    name="online-retail",
    columns={
        "invoice": ("Invoice", "InvoiceNo"),
        "sku": ("StockCode",),
        "description": ("Description",),
        "quantity": ("Quantity",),
        "sold_at": ("InvoiceDate",),
        "unit_price": ("Price", "UnitPrice"),
        "customer": ("Customer ID", "CustomerID"),
        "country": ("Country",),
    },
    optional=frozenset(),
    classify=_classify_online_retail,
)
STANDARD = Format(
    name="standard",
    columns={
        name: (name,)
        for name in (
            "invoice",
            "sku",
            "description",
            "quantity",
            "sold_at",
            "unit_price",
            "customer",
            "country",
            "kind",
        )
    },
    optional=frozenset({"description", "customer", "country", "kind"}),
    classify=_classify_standard,
)
