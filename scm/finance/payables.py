"""What suppliers ask for and are paid, in their currency, and what exchange rates made of it.

Goods are valued at the rate of the day they came. The supplier's invoice settles that debt at the rate of its own day,
and a payment settles the invoice at the rate of the day money leaves. What the rates make different is posted to the
exchange difference account in the entry of the document that settles, so it is posted once, when it is realised.

An invoice never asks for more than came and was not invoiced yet. All rows are append-only; a trigger refuses changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from scm.core import audit, types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.finance import currencies, journal, money, rates, valuation
from scm.finance.costs import MoveValue
from scm.finance.journal import Account, EntryRequest, PostingRequest
from scm.master.locations import Location, LocationKind
from scm.stock.moves import StockMove

INVOICE = "supplier_invoice"
PAYMENT = "supplier_payment"
KEEPERS = (Role.BUYER, Role.ADMIN, Role.SYSTEM)
LONGEST_NUMBER = 60


class SupplierInvoice(Base):
    """What a supplier asks for the goods of one document. `settled` is what those goods were valued at."""

    __tablename__ = "supplier_invoice"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("partner.id"))
    number: Mapped[str] = mapped_column(sa.String(LONGEST_NUMBER))  # the supplier's own
    document_kind: Mapped[str] = mapped_column(sa.String(40))
    document_id: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)  # minor units of its currency, with VAT
    vat_amount: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")  # of it, as it stands on the paper
    rate: Mapped[Decimal] = mapped_column(types.Rate)
    company_amount: Mapped[int] = mapped_column(sa.BigInteger)  # at the rate of its day
    vat_company_amount: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    settled: Mapped[int] = mapped_column(sa.BigInteger)
    invoice_date: Mapped[date]
    recorded_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (
        sa.UniqueConstraint("supplier_id", "number"),
        sa.CheckConstraint("amount > 0", name="asks_for_something"),
        sa.CheckConstraint("vat_amount >= 0 AND vat_amount < amount", name="vat_is_part_of_it"),
        sa.Index(None, "document_kind", "document_id"),
    )


class SupplierPayment(Base):
    """Money that went to a supplier for one invoice. `settled` is the share of the invoice it pays, at its rate."""

    __tablename__ = "supplier_payment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("supplier_invoice.id"), index=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    rate: Mapped[Decimal] = mapped_column(types.Rate)
    company_amount: Mapped[int] = mapped_column(sa.BigInteger)
    settled: Mapped[int] = mapped_column(sa.BigInteger)
    paid_date: Mapped[date]
    paid_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (sa.CheckConstraint("amount > 0", name="pays_something"),)


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplierInvoiceRequest:
    """A supplier's invoice for a document, in minor units of the document's currency; the VAT is part of the amount."""

    supplier_id: int
    number: str
    document_kind: str
    document_id: int
    document: str  # what errors call it
    currency: str
    amount: int
    invoice_date: date
    vat_amount: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Payable:
    """How one supplier's invoice stands, in minor units of its currency; the difference in the company's.

    The difference is above zero when the rates made the purchase dearer.
    """

    invoice_id: int
    number: str
    document_id: int
    currency: str
    amount: int
    vat_amount: int
    paid: int
    rate: Decimal
    invoice_date: date
    difference: int

    @property
    def open_amount(self) -> int:
        """What is still owed."""
        return self.amount - self.paid


@dataclass(frozen=True, kw_only=True, slots=True)
class ToInvoice:
    """What came of a document and was not invoiced yet: in its currency, and what it was valued at."""

    amount: int
    company_amount: int


class BadSupplierInvoice(InvalidInput):
    """An invoice or a payment has no number, or no amount."""


class SupplierInvoiceKnown(Conflict):
    """The supplier's invoice of that number is recorded."""


class MoreThanCame(Conflict):
    """An invoice asks for more than came and was not invoiced yet."""


class PaysTooMuch(Conflict):
    """A payment is more than the invoice still asks for."""


class SupplierInvoiceUnknown(NotFound):
    """There is no supplier's invoice of that id."""


def record_invoice(
    session: Session, request: SupplierInvoiceRequest, *, company_id: int, actor: Actor, now: datetime
) -> int:
    """This function will record a supplier's invoice for goods that came, and give its id.

    What came is valued first. Raises `BadSupplierInvoice`, `SupplierInvoiceKnown`, `MoreThanCame`, `RateMissing`.
    """
    actor.require(*KEEPERS)
    _check(request)
    valuation.run(session, company_id=company_id, now=now)  # its lock also keeps two invoices from the same goods
    open_ = to_invoice(session, kind=request.document_kind, document_id=request.document_id, currency=request.currency)
    net = request.amount - request.vat_amount
    if net > open_.amount:
        raise MoreThanCame(
            f"invoice {request.number} asks for {money.show(net, request.currency)} without VAT, of {request.document} "
            f"{money.show(open_.amount, request.currency)} came and is not invoiced: record at most that"
        )
    own = currencies.of_company(session, company_id)
    rate = rates.on_day(session, request.currency, request.invoice_date, company_id=company_id)
    asked = rates.convert(request.amount, rate, currency=request.currency, own=own)
    tax = rates.convert(request.vat_amount, rate, currency=request.currency, own=own)
    settled = money.share(open_.company_amount, net, open_.amount)
    values = {
        "company_id": company_id,
        "supplier_id": request.supplier_id,
        "number": request.number.strip(),
        "document_kind": request.document_kind,
        "document_id": request.document_id,
        "currency": request.currency,
        "amount": request.amount,
        "vat_amount": request.vat_amount,
        "rate": rate,
        "company_amount": asked,
        "vat_company_amount": tax,
        "settled": settled,
        "invoice_date": request.invoice_date,
        "recorded_at": now,
    }
    try:
        with session.begin_nested():
            invoice_id = _insert(session, SupplierInvoice, values)
    except exc.IntegrityError as error:
        if "number" not in str(error.orig):
            raise
        raise SupplierInvoiceKnown(f"invoice {request.number} of this supplier is recorded already") from error
    entry = EntryRequest(
        entry_date=request.invoice_date,
        document_kind=INVOICE,
        document_id=invoice_id,
        text=f"supplier's invoice {request.number.strip()}"[:200],
        postings=_settling(
            Account.GOODS_RECEIVED, settled, Account.PAYABLES, net, asked - tax, request.currency, own=own
        )
        + _reclaimed(request.vat_amount, tax, request.currency),
    )
    journal.post(session, [entry], company_id=company_id, now=now)
    audit.record(session, actor=actor, verb="supplier_invoice.record", document_kind=INVOICE, document_ids=[invoice_id])
    return invoice_id


def pay(
    session: Session, *, invoice_id: int, amount: int, paid_date: date, company_id: int, actor: Actor, now: datetime
) -> int:
    """This function will record money that went to a supplier for an invoice, and give the id of the payment.

    Raises `SupplierInvoiceUnknown`, `BadSupplierInvoice`, `PaysTooMuch`, `RateMissing`.
    """
    actor.require(*KEEPERS)
    invoice = session.scalars(
        sa.select(SupplierInvoice)
        .where(SupplierInvoice.id == invoice_id, SupplierInvoice.company_id == company_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if invoice is None:
        raise SupplierInvoiceUnknown(f"there is no supplier's invoice {invoice_id}")
    if type(amount) is not int or amount <= 0:
        raise BadSupplierInvoice(f"invoice {invoice.number}: the amount {amount!r} must be minor units above 0")
    paid = sa.select(sa.func.sum(SupplierPayment.amount), sa.func.sum(SupplierPayment.settled)).where(
        SupplierPayment.invoice_id == invoice_id
    )
    before, settled_before = (int(total or 0) for total in session.execute(paid).one())
    if before + amount > invoice.amount:
        raise PaysTooMuch(
            f"{money.show(amount, invoice.currency)} is paid for invoice {invoice.number}, of which "
            f"{money.show(invoice.amount - before, invoice.currency)} is open: record at most that"
        )
    own = currencies.of_company(session, company_id)
    rate = rates.on_day(session, invoice.currency, paid_date, company_id=company_id)
    spent = rates.convert(amount, rate, currency=invoice.currency, own=own)
    # Rounded cumulatively, so that the last payment settles all of the invoice.
    settled = money.share(invoice.company_amount, before + amount, invoice.amount) - settled_before
    values = {
        "invoice_id": invoice_id,
        "currency": invoice.currency,
        "amount": amount,
        "rate": rate,
        "company_amount": spent,
        "settled": settled,
        "paid_date": paid_date,
        "paid_at": now,
    }
    payment_id = _insert(session, SupplierPayment, values)
    entry = EntryRequest(
        entry_date=paid_date,
        document_kind=PAYMENT,
        document_id=payment_id,
        text=f"payment of supplier's invoice {invoice.number}"[:200],
        postings=_settling(Account.PAYABLES, settled, Account.CASH, amount, spent, invoice.currency, own=own),
    )
    journal.post(session, [entry], company_id=company_id, now=now)
    audit.record(session, actor=actor, verb="supplier_payment.record", document_kind=PAYMENT, document_ids=[payment_id])
    return payment_id


def to_invoice(session: Session, *, kind: str, document_id: int, currency: str) -> ToInvoice:
    """This function will say what came of a document and is not invoiced yet, as far as moves are valued."""
    source, destination = aliased(Location), aliased(Location)
    moves = session.execute(
        sa.select(StockMove.expected_unit_cost, MoveValue.quantity, MoveValue.value)
        .join(MoveValue, MoveValue.move_id == StockMove.id)
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(
            StockMove.document_kind == kind,
            StockMove.document_id == document_id,
            sa.or_(
                source.kind == LocationKind.SUPPLIER,
                sa.and_(destination.kind == LocationKind.SUPPLIER, StockMove.reverses_id.is_not(None)),
            ),
        )
    ).all()
    prices = [(row.expected_unit_cost or Decimal(0), row.quantity) for row in moves]
    came = sum(money.line_amount(price, quantity, currency=currency) for price, quantity in prices)
    worth = sum(row.value for row in moves)
    invoiced = session.execute(
        sa.select(
            sa.func.sum(SupplierInvoice.amount - SupplierInvoice.vat_amount), sa.func.sum(SupplierInvoice.settled)
        ).where(SupplierInvoice.document_kind == kind, SupplierInvoice.document_id == document_id)
    ).one()
    return ToInvoice(amount=came - int(invoiced[0] or 0), company_amount=worth - int(invoiced[1] or 0))


def of_documents(session: Session, *, kind: str, document_ids: Iterable[int]) -> list[Payable]:
    """This function will read how the suppliers' invoices for documents stand, oldest first."""
    payments = (
        sa.select(
            SupplierPayment.invoice_id,
            sa.func.sum(SupplierPayment.amount).label("paid"),
            sa.func.sum(SupplierPayment.company_amount - SupplierPayment.settled).label("difference"),
        )
        .group_by(SupplierPayment.invoice_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(SupplierInvoice, payments.c.paid, payments.c.difference)
        .outerjoin(payments, payments.c.invoice_id == SupplierInvoice.id)
        .where(SupplierInvoice.document_kind == kind, SupplierInvoice.document_id.in_(sorted(set(document_ids))))
        .order_by(SupplierInvoice.id)
    )
    return [
        Payable(
            invoice_id=invoice.id,
            number=invoice.number,
            document_id=invoice.document_id,
            currency=invoice.currency,
            amount=invoice.amount,
            vat_amount=invoice.vat_amount,
            paid=int(paid or 0),
            rate=invoice.rate,
            invoice_date=invoice.invoice_date,
            difference=invoice.company_amount - invoice.vat_company_amount - invoice.settled + int(difference or 0),
        )
        for invoice, paid, difference in rows
    ]


def _settling(
    debit: Account, settled: int, credit: Account, amount: int, company_amount: int, currency: str, *, own: str
) -> tuple[PostingRequest, ...]:
    """A debt is settled at what it stood for; what it costs more or less now is the exchange difference."""
    postings = (
        PostingRequest(account=debit, currency=currency, amount=amount, company_amount=settled),
        PostingRequest(account=credit, currency=currency, amount=-amount, company_amount=-company_amount),
    )
    difference = company_amount - settled
    if not difference:
        return postings
    return (
        *postings,
        PostingRequest(account=Account.EXCHANGE_DIFFERENCE, currency=own, amount=difference, company_amount=difference),
    )


def _reclaimed(amount: int, company_amount: int, currency: str) -> tuple[PostingRequest, ...]:
    if not amount:
        return ()
    return (
        PostingRequest(account=Account.VAT_IN, currency=currency, amount=amount, company_amount=company_amount),
        PostingRequest(account=Account.PAYABLES, currency=currency, amount=-amount, company_amount=-company_amount),
    )


def _insert(session: Session, model: type[Base], values: dict[str, Any]) -> int:
    table = table_of(model)
    return int(session.execute(sa.insert(table).values(values).returning(table.c.id)).scalar_one())


def _check(request: SupplierInvoiceRequest) -> None:
    if not 0 < len(request.number.strip()) <= LONGEST_NUMBER or not request.number.isprintable():
        raise BadSupplierInvoice(
            f"the invoice's number is {request.number[:30]!r}: give 1 to {LONGEST_NUMBER} characters"
        )
    if type(request.amount) is not int or request.amount <= 0:
        raise BadSupplierInvoice(f"invoice {request.number}: the amount {request.amount!r} must be minor units above 0")
    if type(request.vat_amount) is not int or not 0 <= request.vat_amount < request.amount:
        raise BadSupplierInvoice(
            f"invoice {request.number}: the VAT {request.vat_amount!r} must be minor units, and less than the amount"
        )
