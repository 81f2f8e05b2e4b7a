"""Whose parcel is this? One scan at the returns desk finds the return, or the order its goods were sold with.

A label may carry the return's number, the order's (ours or the channel's), the shipment's or its tracking number, or
the invoice's. One match is opened, of several the person chooses, none sends the parcel to the unknown ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales.documents import KIND, ReturnAuthorization, ReturnLine, ReturnState
from scm.core.errors import InvalidInput
from scm.finance.brought_forward import BroughtForward
from scm.finance.claims import CustomerInvoice
from scm.master.partners import Partner
from scm.sales.documents import SalesOrder, SalesOrderLine
from scm.stock.moves import MoveState, StockMove
from warehouse.packing import Shipment

LONGEST_SCAN = 120
MOST_MATCHES = 20


@dataclass(frozen=True, kw_only=True)
class MatchedReturn:
    """A return that the parcel may belong to; `expected` units of it have not arrived."""

    return_id: int
    number: str
    state: ReturnState
    customer: str
    authorized_date: date
    expected: int


@dataclass(frozen=True, kw_only=True)
class MatchedOrder:
    """An order whose goods may be in the parcel."""

    order_id: int
    number: str
    customer: str
    ordered_date: date


@dataclass(frozen=True, kw_only=True)
class Matches:
    """What a scan may mean, the newest first."""

    scanned: str
    returns: tuple[MatchedReturn, ...]
    orders: tuple[MatchedOrder, ...]

    @property
    def the_return(self) -> MatchedReturn | None:
        """The one return that is still expected, when there is no doubt: it was named, or its order has no other."""
        expected = [one for one in self.returns if one.expected]
        named = [one for one in self.returns if one.number == self.scanned.upper()]
        candidates = named or expected
        return candidates[0] if len(candidates) == 1 else None

    @property
    def the_order(self) -> MatchedOrder | None:
        """The one order to authorize a return from, when no return of it is expected."""
        return self.orders[0] if len(self.orders) == 1 and not any(one.expected for one in self.returns) else None


class NotAScan(InvalidInput):
    """The text is empty, too long, or holds characters no label has."""


def find(session: Session, scanned: str, *, site_id: int) -> Matches:
    """This function will tell what a scanned label may mean at a site, in three queries. Raises `NotAScan`."""
    text = scanned.strip()
    if not 0 < len(text) <= LONGEST_SCAN or not text.isprintable():
        raise NotAScan(f"{text[:40]!r} is no scan: 1 to {LONGEST_SCAN} printable characters are")
    order_ids = list(session.scalars(_orders_named(text, site_id).limit(MOST_MATCHES)))
    returns = session.execute(_returns(text, site_id, order_ids)).all()
    orders = session.execute(
        sa.select(SalesOrder.id, SalesOrder.number, Partner.name, SalesOrder.ordered_date)
        .join(Partner, Partner.id == SalesOrder.customer_id)
        .where(SalesOrder.id.in_(order_ids))
        .order_by(SalesOrder.id.desc())
    )
    return Matches(
        scanned=text,
        returns=tuple(
            MatchedReturn(
                return_id=row.id,
                number=row.number,
                state=row.state,
                customer=row.name,
                authorized_date=row.authorized_date,
                expected=int(row.expected),
            )
            for row in returns
        ),
        orders=tuple(
            MatchedOrder(order_id=row.id, number=row.number, customer=row.name, ordered_date=row.ordered_date)
            for row in orders
        ),
    )


def _orders_named(text: str, site_id: int) -> sa.Select[int]:
    """Orders that the label names, or whose shipment or invoice it names."""
    number = text.upper()
    named = sa.union(
        sa.select(SalesOrder.id).where(sa.or_(SalesOrder.number == number, SalesOrder.external_id == text)),
        sa.select(Shipment.sales_order_id).where(sa.or_(Shipment.number == number, Shipment.tracking_number == text)),
        sa.select(CustomerInvoice.sales_order_id).where(CustomerInvoice.number == number),
    ).subquery()
    return (
        sa.select(SalesOrder.id)
        .where(SalesOrder.site_id == site_id, SalesOrder.id.in_(sa.select(named.c[0])))
        .order_by(SalesOrder.id.desc())
    )


def _returns(text: str, site_id: int, order_ids: Sequence[int]) -> sa.Select[int, str, ReturnState, str, date, int]:
    """Returns that the label names, and those of the orders it names; a sale from before the books by its paper."""
    expected = (
        sa.select(sa.func.coalesce(sa.func.sum(StockMove.quantity), 0))
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id == ReturnAuthorization.id,
            StockMove.state == MoveState.PLANNED,
        )
        .scalar_subquery()
    )
    of_orders = (
        sa.select(ReturnLine.return_id)
        .join(SalesOrderLine, SalesOrderLine.id == ReturnLine.sales_order_line_id)
        .where(SalesOrderLine.order_id.in_(order_ids))
    )
    of_paper = (
        sa.select(ReturnLine.return_id)
        .join(BroughtForward, BroughtForward.id == ReturnLine.prior_sale_id)
        .where(BroughtForward.reference.startswith(f"{text}/", autoescape=True))
    )
    named = sa.select(ReturnAuthorization.id).where(ReturnAuthorization.number == text.upper())
    return (
        sa.select(
            ReturnAuthorization.id,
            ReturnAuthorization.number,
            ReturnAuthorization.state,
            Partner.name,
            ReturnAuthorization.authorized_date,
            expected.label("expected"),
        )
        .join(Partner, Partner.id == ReturnAuthorization.customer_id)
        .where(
            ReturnAuthorization.site_id == site_id,
            ReturnAuthorization.id.in_(sa.union(named, of_orders, of_paper)),
        )
        .order_by(ReturnAuthorization.id.desc())
        .limit(MOST_MATCHES)
    )
