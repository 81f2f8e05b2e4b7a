"""What customers owe: invoices, payments, credit notes and refunds, and how an invoice stands.

This file holds the tables and their reading. Only `scm.finance.receivables` and, for what was before the books,
`scm.finance.brought_forward` write them; all are append-only, a trigger refuses every change. Whether an invoice is
paid is not stored: it is derived from the rows that refer to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId
from scm.finance import costs


class CustomerInvoice(Base):
    """One invoice for one document, usually a shipment. Its amount is what the customer owes, in minor units.

    It is the sum of its lines, and of their VAT where the prices do not include it.
    """

    __tablename__ = "customer_invoice"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    number: Mapped[str] = mapped_column(sa.String(24), unique=True)
    document_kind: Mapped[str] = mapped_column(sa.String(40))
    document_id: Mapped[int] = mapped_column(sa.BigInteger)
    sales_order_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("partner.id"))
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    prices_with_vat: Mapped[bool] = mapped_column(server_default=sa.false())
    vat_amount: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")  # of it
    invoice_date: Mapped[date]
    issued_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (
        sa.UniqueConstraint("document_kind", "document_id"),
        sa.CheckConstraint("amount >= 0", name="amount_not_negative"),
    )


class CustomerInvoiceLine(Base):
    """What was delivered of one order line, its price, the amount rounded once, and its VAT rounded once."""

    __tablename__ = "customer_invoice_line"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("customer_invoice.id"), index=True)
    line_id: Mapped[int] = mapped_column(sa.BigInteger, index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    unit_price: Mapped[Decimal] = mapped_column(types.UnitPrice)
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    vat_rate: Mapped[Decimal] = mapped_column(types.Rate, server_default="0")
    vat_amount: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="invoices_something"),
        sa.CheckConstraint("unit_price >= 0 AND amount >= 0", name="price_not_negative"),
    )


class Payment(Base):
    """Money that came in for one invoice."""

    __tablename__ = "payment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("customer_invoice.id"), index=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    paid_date: Mapped[date]
    paid_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (sa.CheckConstraint("amount > 0", name="pays_something"),)


class CreditNote(Base):
    """So much less is owed of an invoice, for a reason and a document, usually a return."""

    __tablename__ = "credit_note"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    number: Mapped[str] = mapped_column(sa.String(24), unique=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("customer_invoice.id"), index=True)
    document_kind: Mapped[str] = mapped_column(sa.String(40))
    document_id: Mapped[int] = mapped_column(sa.BigInteger)
    reason: Mapped[str] = mapped_column(sa.String(200))
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    vat_amount: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")  # of it
    credit_date: Mapped[date]
    issued_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="credits_something"),
        sa.Index(None, "document_kind", "document_id"),
    )


class Refund(Base):
    """Money that went back to the customer, for one credit note."""

    __tablename__ = "refund"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    credit_note_id: Mapped[int] = mapped_column(sa.ForeignKey("credit_note.id"), unique=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("customer_invoice.id"), index=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    refund_date: Mapped[date]
    refunded_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (sa.CheckConstraint("amount > 0", name="refunds_something"),)


@dataclass(slots=True, kw_only=True)
class InvoiceStanding:
    """How one invoice stands: what it asks, and what was paid, credited and refunded of it, in minor units."""

    invoice_id: int
    number: str
    sales_order_id: int
    customer_id: int
    currency: str
    amount: int
    paid: int
    credited: int
    refunded: int
    vat_amount: int
    vat_credited: int

    @property
    def open_amount(self) -> int:
        """What the customer still owes."""
        return self.amount - self.paid - self.credited + self.refunded

    @property
    def refundable(self) -> int:
        """What can still be given back: never more than was paid."""
        return self.paid - self.refunded


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicedLine:
    """One line of one invoice, for whoever must know at which price something was sold.

    The amount is what the customer owed for it, with VAT.
    """

    invoice_id: int
    line_id: int
    item_id: int
    quantity: int
    unit_price: Decimal
    amount: int


def standings(session: Session, invoice_ids: Iterable[int]) -> dict[int, InvoiceStanding]:
    """This function will read how invoices stand, by their ids."""
    return _standings(session, CustomerInvoice.id, invoice_ids)


def standings_of_orders(session: Session, sales_order_ids: Iterable[int]) -> list[InvoiceStanding]:
    """This function will read how the invoices of sales orders stand, oldest first."""
    return list(_standings(session, CustomerInvoice.sales_order_id, sales_order_ids).values())


def invoiced_lines(session: Session, order_line_ids: Iterable[int]) -> list[InvoicedLine]:
    """This function will read what was invoiced of sales order lines, oldest first."""
    found = []
    columns = sa.select(
        CustomerInvoiceLine.invoice_id,
        CustomerInvoiceLine.line_id,
        CustomerInvoiceLine.item_id,
        CustomerInvoiceLine.quantity,
        CustomerInvoiceLine.unit_price,
        (
            CustomerInvoiceLine.amount
            + sa.case((CustomerInvoice.prices_with_vat, 0), else_=CustomerInvoiceLine.vat_amount)
        ).label("amount"),
    )
    columns = columns.join(CustomerInvoice, CustomerInvoice.id == CustomerInvoiceLine.invoice_id)
    columns = columns.order_by(CustomerInvoiceLine.id)
    for ids in costs.chunks(order_line_ids):
        for row in session.execute(columns.where(CustomerInvoiceLine.line_id.in_(ids))):
            found.append(InvoicedLine(**row._mapping))
    return found


def _standings(session: Session, column: InstrumentedAttribute[int], ids: Iterable[int]) -> dict[int, InvoiceStanding]:
    columns = sa.select(
        CustomerInvoice.id.label("invoice_id"),
        CustomerInvoice.number,
        CustomerInvoice.sales_order_id,
        CustomerInvoice.customer_id,
        CustomerInvoice.currency,
        CustomerInvoice.amount,
        _sum(Payment).label("paid"),
        _sum(CreditNote).label("credited"),
        _sum(Refund).label("refunded"),
        CustomerInvoice.vat_amount,
        _sum(CreditNote, CreditNote.vat_amount).label("vat_credited"),
    ).order_by(CustomerInvoice.id)
    found = {}
    for chunk in costs.chunks(set(ids)):
        for row in session.execute(columns.where(column.in_(chunk))):
            values: dict[str, Any] = dict(row._mapping)
            values |= {name: int(values[name]) for name in ("paid", "credited", "refunded", "vat_credited")}
            found[row.invoice_id] = InvoiceStanding(**values)
    return found


def _sum(
    model: type[Payment] | type[CreditNote] | type[Refund], column: InstrumentedAttribute[int] | None = None
) -> sa.ScalarSelect[int]:
    total = sa.func.coalesce(sa.func.sum(model.amount if column is None else column), 0)
    return sa.select(total).where(model.invoice_id == CustomerInvoice.id).scalar_subquery()
