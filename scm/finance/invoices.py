"""Issues customer invoices: the only module that writes those of the present; `brought_forward` writes older ones.

Whoever ships also invoices, in the same transaction, so no role is asked for here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import exc
from sqlalchemy.orm import Session

from scm.core import audit, numbering
from scm.core.db import table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor
from scm.finance import currencies, journal, money, rows, vat
from scm.finance.claims import CustomerInvoice, CustomerInvoiceLine
from scm.finance.journal import Account, EntryRequest, PostingRequest

INVOICE = "customer_invoice"


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceLine:
    """What was delivered of one order line; the unit price in major units per base unit."""

    line_id: int
    item_id: int
    quantity: int
    unit_price: Decimal
    vat_rate: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceRequest:
    """One invoice to issue for one document."""

    document_kind: str
    document_id: int
    sales_order_id: int
    customer_id: int
    currency: str
    lines: Sequence[InvoiceLine]
    prices_with_vat: bool = False


class NothingToInvoice(InvalidInput):
    """An invoice has no lines, or a line has no quantity or price."""


class AlreadyInvoiced(Conflict):
    """There is an invoice for the document already."""


def invoice(
    session: Session,
    requests: Sequence[InvoiceRequest],
    *,
    company_id: int,
    now: datetime,
    today: date,
    actor: Actor,
) -> list[int]:
    """This function will issue invoices, numbered without gaps, and give their ids in the order given.

    Each amount is the sum of its lines, each rounded half up once, with the VAT of each line, rounded once, where the
    prices do not include it. Call it last in a transaction: the number series
    stays locked until the commit. Raises `NothingToInvoice`, `AlreadyInvoiced`, `ForeignCurrency`.
    """
    if not requests:
        return []
    lines = [_lines(request) for request in requests]
    for currency in sorted({request.currency for request in requests}):
        currencies.require(session, company_id=company_id, currency=currency, document="an invoice")
    numbers = numbering.draw(
        session, series=numbering.CUSTOMER_INVOICE, company_id=company_id, year=today.year, count=len(requests)
    )
    taxes = [sum(line["vat_amount"] for line in rows_of) for rows_of in lines]
    amounts = [
        sum(line["amount"] for line in rows_of) + (0 if request.prices_with_vat else tax)
        for request, rows_of, tax in zip(requests, lines, taxes, strict=True)
    ]
    heads = [
        {
            "company_id": company_id,
            "number": number,
            "document_kind": request.document_kind,
            "document_id": request.document_id,
            "sales_order_id": request.sales_order_id,
            "customer_id": request.customer_id,
            "currency": request.currency,
            "amount": amount,
            "prices_with_vat": request.prices_with_vat,
            "vat_amount": tax,
            "invoice_date": today,
            "issued_at": now,
        }
        for request, number, amount, tax in zip(requests, numbers, amounts, taxes, strict=True)
    ]
    ids = _insert_invoices(session, requests, heads, lines)
    entries = [
        EntryRequest(
            entry_date=today,
            document_kind=INVOICE,
            document_id=invoice_id,
            text=number,
            postings=_postings(amount, tax, request.currency),
        )
        for invoice_id, number, amount, tax, request in zip(ids, numbers, amounts, taxes, requests, strict=True)
    ]
    journal.post(session, entries, company_id=company_id, now=now)
    audit.record(session, actor=actor, verb="invoice.issue", document_kind=INVOICE, document_ids=ids)
    return ids


def _lines(request: InvoiceRequest) -> list[dict[str, Any]]:
    name = f"the invoice for {request.document_kind} {request.document_id}"
    if not request.lines:
        raise NothingToInvoice(f"{name} has no lines: invoice what was delivered")
    for line in request.lines:
        if type(line.quantity) is not int or line.quantity <= 0 or line.unit_price < 0:
            raise NothingToInvoice(
                f"{name}, line {line.line_id}: {line.quantity!r} units at {line.unit_price} cannot be invoiced: the "
                "quantity is a whole number above 0, and the price is not negative"
            )
    amounts = [money.line_amount(line.unit_price, line.quantity, currency=request.currency) for line in request.lines]
    return [
        {
            "line_id": line.line_id,
            "item_id": line.item_id,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "amount": amount,
            "vat_rate": line.vat_rate,
            "vat_amount": vat.part_of(amount, line.vat_rate, included=request.prices_with_vat),
        }
        for line, amount in zip(request.lines, amounts, strict=True)
    ]


def _postings(amount: int, tax: int, currency: str) -> tuple[PostingRequest, ...]:
    """What the customer owes is revenue, but for the VAT in it."""
    postings = journal.transfer(
        debit=Account.RECEIVABLES, credit=Account.REVENUE, amount=amount - tax, currency=currency
    )
    if tax:
        postings += journal.transfer(debit=Account.RECEIVABLES, credit=Account.VAT_OUT, amount=tax, currency=currency)
    return postings


def _insert_invoices(
    session: Session,
    requests: Sequence[InvoiceRequest],
    heads: Sequence[dict[str, Any]],
    lines: Sequence[list[dict[str, Any]]],
) -> list[int]:
    try:
        return rows.insert(
            session,
            head=table_of(CustomerInvoice),
            heads=heads,
            line=table_of(CustomerInvoiceLine),
            lines=lines,
            key="invoice_id",
        )
    except exc.IntegrityError as error:
        # The constraint decides, not a query before it: of two who invoice at once only one may win.
        if "document_kind" not in str(error.orig):
            raise
        names = ", ".join(f"{request.document_kind} {request.document_id}" for request in requests[:5])
        raise AlreadyInvoiced(
            f"there is an invoice already for one of: {names}: it cannot be invoiced twice"
        ) from error
