"""What each kind of cell means: text to value, or `BadCell` with the reason and the mend. Pure, no file, no session."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from scm.core.types import UNIT_PRICE_PLACES
from scm.loop.importing.refusals import BadCell

LARGEST_QUANTITY = 10**9
LARGEST_PRICE = Decimal(10**9)
FIRST_YEAR, LAST_YEAR = 1970, 2100
LONGEST_CODE = 40
LONGEST_NAME = 200

Instant = tuple[datetime, date]
"""When a line happened: the instant in UTC, and the calendar date in the company's zone."""


def quantity(text: str) -> int:
    """This function will read a whole number of base units, not zero. Raises `BadCell`.

    >>> quantity("12"), quantity(" -3.0 ")
    (12, -3)
    """
    try:
        value = int(text)
    except ValueError:
        value = _whole(text)
    if value == 0:
        raise BadCell("zero_quantity", "remove the line or give the quantity that was moved")
    if abs(value) > LARGEST_QUANTITY:
        raise BadCell("quantity_out_of_range", f"give a quantity between -{LARGEST_QUANTITY} and {LARGEST_QUANTITY}")
    return value


def unit_price(text: str) -> int:
    """This function will read a price per base unit in major units, and give it in millionths. Raises `BadCell`.

    >>> unit_price("2.55")
    2550000
    """
    mend = f"give a number with a decimal point and at most {UNIT_PRICE_PLACES} decimals, for example 2.55"
    value = _decimal(text, reason="bad_price", mend=mend)
    if abs(value) > LARGEST_PRICE:
        raise BadCell("bad_price", f"give a price below {LARGEST_PRICE}")
    scaled = value.scaleb(UNIT_PRICE_PLACES)
    if scaled != int(scaled):
        raise BadCell("bad_price", mend)
    return int(scaled)


def instant(zone: ZoneInfo) -> Callable[[str], Instant]:
    """This function will give the reader of a company's times: ISO 8601, in the company's zone unless it names one."""

    def read(text: str) -> Instant:
        try:
            value = datetime.fromisoformat(text.strip())
        except ValueError:
            raise BadCell("bad_date", "write date and time as 2010-12-31 23:59:59") from None
        if not FIRST_YEAR <= value.year < LAST_YEAR:
            raise BadCell("bad_date", f"give a year from {FIRST_YEAR} to {LAST_YEAR - 1}")
        local = value.replace(tzinfo=zone) if value.tzinfo is None else value.astimezone(zone)
        return local.astimezone(UTC), local.date()

    return read


def sku(text: str) -> str:
    """This function will read an item's code; letter case and spaces around it say nothing. Raises `BadCell`.

    >>> sku("85123a ")
    '85123A'
    """
    return _code(text, missing="missing_item").upper()


def invoice(text: str) -> str:
    """This function will read an invoice number. Raises `BadCell`."""
    return _code(text, missing="missing_invoice").upper()


def customer(text: str) -> str:
    """This function will read a customer's code; a missing one is an anonymous customer. Raises `BadCell`.

    >>> customer("13085.0"), customer("")
    ('13085', '')
    """
    code = text.strip()
    # Spreadsheets turn a column of numbers with gaps into decimals.
    return _code(code.removesuffix(".0"), missing="missing_customer") if code else ""


def name(text: str) -> str:
    """This function will read a description or a country: free text, cut where a name ends."""
    return " ".join(text.split())[:LONGEST_NAME]


def _code(text: str, *, missing: str) -> str:
    code = text.strip()
    if not code:
        raise BadCell(missing, "give the code, or remove the line")
    if len(code) > LONGEST_CODE:
        raise BadCell("code_too_long", f"give a code of at most {LONGEST_CODE} characters")
    if not code.isprintable():
        raise BadCell("control_character", "remove the control characters from the code")
    return code


def _whole(text: str) -> int:
    value = _decimal(text, reason="bad_quantity", mend="give a whole number, for example 12")
    if value != value.to_integral_value():
        raise BadCell("fractional_quantity", "give whole base units; sell a smaller unit if the item is divisible")
    return int(value)


def _decimal(text: str, *, reason: str, mend: str) -> Decimal:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        raise BadCell(reason, mend) from None
    if not value.is_finite() or abs(value.adjusted()) > 30:
        raise BadCell(reason, mend)
    return value
