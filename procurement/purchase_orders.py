"""The purchase order: its tables, its states, and how a verb gets hold of it.

The verbs stand in `procurement.orders`. What was received is never stored here: `procurement.supply` reads the moves.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import documents, types
from scm.core.db import Base, BigId
from scm.core.errors import NotFound
from scm.finance import money

KIND = "purchase_order"


class PurchaseOrderState(enum.Enum):
    """Where an order stands between us and the supplier. Received and closed are read from the moves."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SENT = "sent"
    CANCELLED = "cancelled"


MACHINE = documents.Machine(
    kind=KIND,
    initial=PurchaseOrderState.DRAFT,
    transitions={
        (PurchaseOrderState.DRAFT, "edit"): PurchaseOrderState.DRAFT,
        (PurchaseOrderState.DRAFT, "submit"): PurchaseOrderState.SUBMITTED,
        (PurchaseOrderState.DRAFT, "cancel"): PurchaseOrderState.CANCELLED,
        (PurchaseOrderState.SUBMITTED, "edit"): PurchaseOrderState.DRAFT,
        (PurchaseOrderState.SUBMITTED, "approve"): PurchaseOrderState.APPROVED,
        (PurchaseOrderState.SUBMITTED, "reject"): PurchaseOrderState.DRAFT,
        (PurchaseOrderState.SUBMITTED, "hand_over"): PurchaseOrderState.SUBMITTED,
        (PurchaseOrderState.SUBMITTED, "cancel"): PurchaseOrderState.CANCELLED,
        (PurchaseOrderState.APPROVED, "edit"): PurchaseOrderState.DRAFT,
        (PurchaseOrderState.APPROVED, "send"): PurchaseOrderState.SENT,
        (PurchaseOrderState.APPROVED, "cancel"): PurchaseOrderState.CANCELLED,
        (PurchaseOrderState.SENT, "confirm"): PurchaseOrderState.SENT,
        (PurchaseOrderState.SENT, "close_short"): PurchaseOrderState.SENT,
        (PurchaseOrderState.SENT, "cancel"): PurchaseOrderState.CANCELLED,
    },
)


class PurchaseOrder(Base):
    """One order to one supplier, for delivery to one site."""

    __tablename__ = "purchase_order"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("partner.id"))
    number: Mapped[str] = mapped_column(sa.String(30), unique=True)
    state: Mapped[PurchaseOrderState] = mapped_column(types.enum_column(PurchaseOrderState), index=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    over_receipt_rate: Mapped[Decimal] = mapped_column(types.Rate)  # as it was agreed when the order was drafted
    drafted_date: Mapped[date]
    written_by_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))  # who drafted or last edited it
    sent_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    sent_date: Mapped[date | None]
    reason: Mapped[str] = mapped_column(sa.String(400), default="")

    __table_args__ = (
        sa.CheckConstraint("(sent_at IS NULL) = (sent_date IS NULL)", name="sent_has_its_time"),
        sa.CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name="sent_was_sent"),
        sa.Index(None, "supplier_id", "sent_date"),
    )


class PurchaseOrderLine(Base):
    """One item of an order, at the price and lead time that were agreed when it was drafted."""

    __tablename__ = "purchase_order_line"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("purchase_order.id"), index=True)
    proposal_id: Mapped[int | None] = mapped_column(sa.ForeignKey("proposal.id"), unique=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    agreement_id: Mapped[int] = mapped_column(sa.ForeignKey("supplier_agreement.id"))
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    unit_price: Mapped[Decimal] = mapped_column(types.UnitPrice)
    due_date: Mapped[date]
    lead_time_days: Mapped[int]
    needs_inspection: Mapped[bool]
    reason: Mapped[str] = mapped_column(sa.String(400), default="", server_default="")  # why a person asked for it

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="orders_something"),
        sa.CheckConstraint("unit_price >= 0", name="price_not_negative"),
    )


class PurchaseOrderAuthor(Base):
    """Somebody who wrote or changed an order, once each: none of them may approve it."""

    __tablename__ = "purchase_order_author"

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("purchase_order.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"), primary_key=True)


class PurchaseOrderConfirmation(Base):
    """What the supplier of a sent order said it will bring of a line, and when. The newest row counts."""

    __tablename__ = "purchase_order_confirmation"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    line_id: Mapped[int] = mapped_column(sa.ForeignKey("purchase_order_line.id"), index=True)
    quantity: Mapped[int] = mapped_column(sa.BigInteger)  # of what was outstanding
    due_date: Mapped[date]
    note: Mapped[str] = mapped_column(sa.String(400), default="")
    confirmed_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    recorded_by_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))

    __table_args__ = (sa.CheckConstraint("quantity > 0", name="confirms_something"),)


class OrderUnknown(NotFound):
    """There is no purchase order, or no line, of that id."""


def lock(session: Session, order_ids: Iterable[int]) -> list[PurchaseOrder]:
    """This function will lock orders in the order of their ids and read them. Raises `OrderUnknown`."""
    wanted = sorted(set(order_ids))
    found = session.scalars(
        sa.select(PurchaseOrder)
        .where(PurchaseOrder.id.in_(wanted))
        .order_by(PurchaseOrder.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    absent = set(wanted) - {order.id for order in found}
    if absent:
        raise OrderUnknown(f"there is no purchase order {min(absent)}")
    return list(found)


def find(session: Session, *, number: str, site_id: int) -> int:
    """This function will give the id of a site's order by its number. Raises `OrderUnknown`."""
    order_id = session.scalar(
        sa.select(PurchaseOrder.id).where(PurchaseOrder.number == number, PurchaseOrder.site_id == site_id)
    )
    if order_id is None:
        raise OrderUnknown(f"there is no purchase order {number} at this site")
    return order_id


def refuse_elsewhere(session: Session, order_ids: Iterable[int], *, site_id: int) -> None:
    """This function will raise `OrderUnknown` unless all orders belong to a site."""
    wanted = set(order_ids)
    here = set(
        session.scalars(
            sa.select(PurchaseOrder.id).where(PurchaseOrder.id.in_(sorted(wanted)), PurchaseOrder.site_id == site_id)
        )
    )
    if wanted - here:
        raise OrderUnknown(f"there is no purchase order {min(wanted - here)} at this site")


def lines_of(session: Session, orders: Sequence[PurchaseOrder]) -> dict[int, list[PurchaseOrderLine]]:
    """This function will read the lines of locked orders, by order."""
    found: dict[int, list[PurchaseOrderLine]] = defaultdict(list)
    rows = session.scalars(
        sa.select(PurchaseOrderLine)
        .where(PurchaseOrderLine.order_id.in_([order.id for order in orders]))
        .order_by(PurchaseOrderLine.order_id, PurchaseOrderLine.id)
        .execution_options(populate_existing=True)
    )
    for line in rows:
        found[line.order_id].append(line)
    return found


def amount_of(order: PurchaseOrder, lines: Iterable[PurchaseOrderLine]) -> int:
    """This function will give the value of an order in minor units of its currency."""
    return sum(
        money.line_amount(unit_price=line.unit_price, quantity=line.quantity, currency=order.currency) for line in lines
    )


def value_of_lines(currency: str) -> sa.ColumnElement[int]:
    """This function will give, as a sum in SQL, the value of order lines in minor units, each rounded as by `money`."""
    divisor = 10 ** (types.UNIT_PRICE_PLACES - money.places(currency))
    exact = sa.type_coerce(PurchaseOrderLine.unit_price, sa.BigInteger) * PurchaseOrderLine.quantity
    # Without the type given back, the sum would come out scaled as if it were a price.
    return sa.func.coalesce(sa.func.sum((2 * exact + divisor) // (2 * divisor)), 0, type_=sa.BigInteger)


def content_of(order: PurchaseOrder, lines: Iterable[PurchaseOrderLine]) -> Any:
    """This function will give what an approval is about: everything the supplier would be held to, and we."""
    return {
        "number": order.number,
        "supplier_id": order.supplier_id,
        "site_id": order.site_id,
        "currency": order.currency,
        "over_receipt_rate": str(order.over_receipt_rate),
        "lines": [
            [line.id, line.item_id, line.quantity, str(line.unit_price), line.due_date.isoformat()] for line in lines
        ],
    }
