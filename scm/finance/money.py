"""Money as whole minor units: how an amount is rounded, shared out and shown.

The only module that turns a unit price into an amount. It computes in integers and reads no database.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from scm.core.errors import InvalidInput
from scm.core.types import UNIT_PRICE_PLACES

DEFAULT_PLACES = 2
# ISO 4217 (list one, amendment 176): the currencies whose minor unit is not a hundredth.
_WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_TEN_THOUSANDTHS = "CLF UYW"
_PLACES = (
    dict.fromkeys(_WITHOUT.split(), 0)
    | dict.fromkeys(_THOUSANDTHS.split(), 3)
    | dict.fromkeys(_TEN_THOUSANDTHS.split(), 4)
)


class BadAmount(InvalidInput):
    """A price, quantity or weight cannot be used."""


def places(currency: str) -> int:
    """This function will give the decimal places of a currency's minor unit (ISO 4217).

    >>> places("GBP"), places("JPY"), places("KWD")
    (2, 0, 3)
    """
    return _PLACES.get(currency, DEFAULT_PLACES)


def line_amount(unit_price: Decimal, quantity: int, *, currency: str) -> int:
    """This function will give quantity × unit price in minor units, rounded half up (a half away from zero).

    The unit price is in major units per base unit with at most six places; the product is exact until its one
    rounding. Raises `BadAmount`.

    >>> line_amount(Decimal("0.125"), 5, currency="GBP")  # 62.5 pence
    63
    >>> line_amount(Decimal("120.5"), 1, currency="JPY")
    121
    """
    scaled = unit_price.scaleb(UNIT_PRICE_PLACES)
    whole = int(scaled)
    if whole != scaled:
        raise BadAmount(f"the unit price {unit_price} has more than {UNIT_PRICE_PLACES} decimal places")
    divisor = 10 ** (UNIT_PRICE_PLACES - places(currency))
    return share(whole * quantity, 1, divisor)


def share(total: int, part: int, whole: int) -> int:
    """This function will give total × part / whole, rounded half up (a half away from zero), in integers.

    Raises `BadAmount` when `whole` is not above zero.

    >>> share(1000, 1, 3), share(1, 1, 2), share(-1, 1, 2)
    (333, 1, -1)
    """
    if whole <= 0:
        raise BadAmount(f"{total} cannot be shared over {whole}: the whole must be above 0")
    product = total * part
    rounded = (2 * abs(product) + whole) // (2 * whole)
    return rounded if product >= 0 else -rounded


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """This function will share an amount out by weights so that the parts add up to it exactly.

    Each part is the difference of two rounded running totals, so none is more than one unit from its exact share.
    Raises `BadAmount` on a negative weight or when all are zero.

    >>> allocate(100, [1, 1, 1]), allocate(-5, [1, 1])
    ([33, 34, 33], [-3, -2])
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise BadAmount(f"{total} cannot be shared out by {list(weights)}: weights are 0 or more, and not all 0")
    parts, before, running = [], 0, 0
    for weight in weights:
        running += weight
        after = share(total, running, whole)
        parts.append(after - before)
        before = after
    return parts


def show(amount: int, currency: str) -> str:
    """This function will write an amount of minor units for people.

    >>> show(-1205, "GBP"), show(500, "JPY")
    ('-12.05 GBP', '500 JPY')
    """
    return f"{Decimal(amount).scaleb(-places(currency)):f} {currency}"
