"""What orders in other currencies are worth in the company's: beside approval limits and budgets.

An order counts at the rate recorded for the day it was drafted, so that it counts the same for whoever looks, whenever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from procurement.purchase_orders import PurchaseOrder
from scm.finance import currencies, rates


@dataclass(frozen=True, kw_only=True)
class Worth:
    """The rates of some orders' days, as far as they are recorded."""

    own: str
    rates: Mapping[tuple[str, date], Decimal]

    def of(self, order: PurchaseOrder, amount: int) -> tuple[int, str]:
        """This function will turn minor units of an order's currency into the company's. Raises `RateMissing`."""
        return self.on(amount, order.currency, order.drafted_date), self.own

    def on(self, amount: int, currency: str, day: date) -> int:
        """This function will turn minor units into the company's, rounded half up once. Raises `RateMissing`."""
        if currency == self.own:
            return amount
        if (currency, day) not in self.rates:
            raise rates.missing(currency, day, own=self.own)
        return rates.convert(amount, self.rates[currency, day], currency=currency, own=self.own)


def of_orders(session: Session, orders: Iterable[PurchaseOrder]) -> Worth:
    """This function will read the rates of orders' days; nothing is read while all are in the company's currency."""
    found = list(orders)
    if not found:
        return Worth(own="", rates={})
    return of_days(session, {(one.currency, one.drafted_date) for one in found}, company_id=found[0].company_id)


def of_days(session: Session, wanted: Iterable[tuple[str, date]], *, company_id: int) -> Worth:
    """This function will read the rates of currencies on days."""
    own = currencies.of_company(session, company_id)
    return Worth(own=own, rates=rates.known(session, wanted, company_id=company_id))
