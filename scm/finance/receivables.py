"""What customers are asked for, what they pay, and what is credited or given back to them.

The only module that writes payments (but for those of before the books, which `scm.finance.brought_forward` writes),
credit notes and refunds; invoices are issued in `scm.finance.invoices` and offered here. Every verb writes its journal
entry in the same transaction. Whoever pays out locks the invoice first and reads what was paid in a later statement, so
two refunds at once cannot both find it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit, numbering
from scm.core.db import table_of
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.finance import claims, costs, journal, money, rows
from scm.finance.claims import CreditNote, CustomerInvoice, InvoiceStanding, Payment, Refund
from scm.finance.invoices import AlreadyInvoiced, InvoiceLine, InvoiceRequest, NothingToInvoice, invoice
from scm.finance.journal import Account, EntryRequest

# What the verbs take, give and raise, wherever it is decided.
__all__ = [
    "AlreadyInvoiced",
    "BadPayment",
    "CreditRequest",
    "CreditTooMuch",
    "InvoiceLine",
    "InvoiceRequest",
    "InvoiceUnknown",
    "NothingToInvoice",
    "PaidTooMuch",
    "PaymentRequest",
    "RefundTooMuch",
    "credit",
    "invoice",
    "record_payment",
    "refund",
]

PAYMENT = "payment"
CREDIT = "credit_note"
TAKES_PAYMENTS = (Role.SALES, Role.ADMIN, Role.SYSTEM)
GIVES_BACK = (Role.RETURNS, Role.SALES, Role.ADMIN, Role.SYSTEM)


class _Movement(NamedTuple):
    """What an event does in the journal."""

    debit: Account
    credit: Account
    text: str


PAID = _Movement(Account.CASH, Account.RECEIVABLES, "payment of")
CREDITED = _Movement(Account.RETURNS, Account.RECEIVABLES, "credit on")
REFUNDED = _Movement(Account.RECEIVABLES, Account.CASH, "refund of")


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentRequest:
    """Money that came in, in minor units of the invoice's currency."""

    invoice_id: int
    amount: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CreditRequest:
    """An amount to credit or refund, in minor units of the invoice's currency, and the document that is its cause."""

    invoice_id: int
    amount: int
    reason: str
    document_kind: str
    document_id: int


class InvoiceUnknown(NotFound):
    """There is no invoice of that id."""


class BadPayment(InvalidInput):
    """An amount is not a whole number of minor units above zero."""


class PaidTooMuch(Conflict):
    """A payment is more than the customer owes."""


class RefundTooMuch(Conflict):
    """A refund is more than was paid and not yet given back."""


class CreditTooMuch(Conflict):
    """A credit is more than the customer owes."""


def record_payment(
    session: Session,
    requests: Sequence[PaymentRequest],
    *,
    company_id: int,
    now: datetime,
    today: date,
    actor: Actor,
) -> list[int]:
    """This function will record money that came in for invoices and give the ids of the payments, in the order given.

    Raises `BadPayment`, `InvoiceUnknown`, `PaidTooMuch`, `RoleMissing`; nothing is recorded then.
    """
    actor.require(*TAKES_PAYMENTS)
    standing = _locked(session, requests)
    for request in requests:
        owed = standing[request.invoice_id]
        if request.amount > owed.open_amount:
            raise PaidTooMuch(
                f"{_shown(request.amount, owed)} is paid for {owed.number}, of which "
                f"{_shown(owed.open_amount, owed)} is open: record at most that"
            )
        owed.paid += request.amount
    new = [
        {
            "invoice_id": request.invoice_id,
            "currency": standing[request.invoice_id].currency,
            "amount": request.amount,
            "paid_date": today,
            "paid_at": now,
        }
        for request in requests
    ]
    if not new:
        return []
    inserted = sa.insert(table_of(Payment)).returning(Payment.id, sort_by_parameter_order=True)
    ids = [int(payment_id) for payment_id in session.scalars(inserted, new)]
    entries = [
        _entry(PAYMENT, payment_id, request.amount, standing[request.invoice_id], PAID, today)
        for payment_id, request in zip(ids, requests, strict=True)
    ]
    journal.post(session, entries, company_id=company_id, now=now)
    audit.record(session, actor=actor, verb="payment.record", document_kind=PAYMENT, document_ids=ids)
    return ids


def refund(
    session: Session,
    requests: Sequence[CreditRequest],
    *,
    company_id: int,
    now: datetime,
    today: date,
    actor: Actor,
) -> list[int]:
    """This function will give paid money back: a credit note, numbered without gaps, and a refund of its amount.

    Gives the ids of the credit notes, in the order given. Raises `RefundTooMuch` when all refunds of an invoice
    together would be more than was paid for it, `BadPayment`, `InvoiceUnknown`, `RoleMissing`.
    """
    actor.require(*GIVES_BACK)
    standing = _locked(session, requests)
    for request in requests:
        owed = standing[request.invoice_id]
        if request.amount > owed.refundable:
            raise RefundTooMuch(
                f"a refund of {_shown(request.amount, owed)} is asked for {owed.number}, of which "
                f"{_shown(owed.paid, owed)} was paid and {_shown(owed.refunded, owed)} given back before: "
                f"refund at most {_shown(owed.refundable, owed)}, and credit what is not paid yet"
            )
        owed.refunded += request.amount
    ids = _credit(session, requests, standing, refunded=True, company_id=company_id, now=now, today=today)
    audit.record(session, actor=actor, verb="refund.pay", document_kind=CREDIT, document_ids=ids)
    return ids


def credit(
    session: Session,
    requests: Sequence[CreditRequest],
    *,
    company_id: int,
    now: datetime,
    today: date,
    actor: Actor,
) -> list[int]:
    """This function will ask less of customers who have not paid yet: a credit note and no money.

    Gives the ids of the credit notes, in the order given. Raises `CreditTooMuch` when more than the open amount would
    be credited, `BadPayment`, `InvoiceUnknown`, `RoleMissing`.
    """
    actor.require(*GIVES_BACK)
    standing = _locked(session, requests)
    for request in requests:
        owed = standing[request.invoice_id]
        if request.amount > owed.open_amount:
            raise CreditTooMuch(
                f"{_shown(request.amount, owed)} is to be credited on {owed.number}, of which "
                f"{_shown(owed.open_amount, owed)} is open: credit at most that, and refund what was paid"
            )
        owed.credited += request.amount
    ids = _credit(session, requests, standing, refunded=False, company_id=company_id, now=now, today=today)
    audit.record(session, actor=actor, verb="credit.issue", document_kind=CREDIT, document_ids=ids)
    return ids


def _locked(session: Session, requests: Sequence[PaymentRequest | CreditRequest]) -> dict[int, InvoiceStanding]:
    """The invoices are locked in one statement and read in the next, when whoever held them before has committed."""
    for request in requests:
        if type(request.amount) is not int or request.amount <= 0:
            raise BadPayment(
                f"invoice {request.invoice_id}: the amount {request.amount!r} must be a whole number of minor units "
                "above 0"
            )
    wanted = {request.invoice_id for request in requests}
    lock(session, wanted)
    standing = claims.standings(session, wanted)
    for invoice_id in sorted(wanted):
        if invoice_id not in standing:
            raise InvoiceUnknown(f"there is no customer invoice {invoice_id}")
    return standing


def lock(session: Session, invoice_ids: Iterable[int]) -> None:
    """This function will lock invoices in the order of their ids against payments and refunds by others."""
    for ids in costs.chunks(invoice_ids):
        session.execute(
            sa.select(CustomerInvoice.id)
            .where(CustomerInvoice.id.in_(ids))
            .order_by(CustomerInvoice.id)
            .with_for_update(key_share=True)
        )


def _credit(
    session: Session,
    requests: Sequence[CreditRequest],
    standing: Mapping[int, InvoiceStanding],
    *,
    refunded: bool,
    company_id: int,
    now: datetime,
    today: date,
) -> list[int]:
    numbers = numbering.draw(
        session, series=numbering.CREDIT_NOTE, company_id=company_id, year=today.year, count=len(requests)
    )
    taxes = _taxes(requests, standing, refunded=refunded)
    notes = [
        {
            "company_id": company_id,
            "number": number,
            "invoice_id": request.invoice_id,
            "document_kind": request.document_kind,
            "document_id": request.document_id,
            "reason": request.reason,
            "currency": standing[request.invoice_id].currency,
            "amount": request.amount,
            "vat_amount": tax,
            "credit_date": today,
            "issued_at": now,
        }
        for request, number, tax in zip(requests, numbers, taxes, strict=True)
    ]
    names = ("invoice_id", "currency", "amount")
    paid_out = [[{name: note[name] for name in names} | {"refund_date": today, "refunded_at": now}] for note in notes]
    ids = rows.insert(
        session,
        head=table_of(CreditNote),
        heads=notes,
        line=table_of(Refund),
        lines=paid_out if refunded else [[] for _ in notes],
        key="credit_note_id",
    )
    movements = (CREDITED, REFUNDED) if refunded else (CREDITED,)
    entries = [
        _entry(
            CREDIT,
            note_id,
            request.amount,
            standing[request.invoice_id],
            movement,
            today,
            tax=tax if movement is CREDITED else 0,
        )
        for note_id, request, tax in zip(ids, requests, taxes, strict=True)
        for movement in movements
    ]
    journal.post(session, entries, company_id=company_id, now=now)
    return ids


def _taxes(requests: Sequence[CreditRequest], standing: Mapping[int, InvoiceStanding], *, refunded: bool) -> list[int]:
    """The VAT in each credit: its share of the invoice's, rounded cumulatively, so that all of it comes back at last.

    Standings count what was credited before, and what `credit` has added for these requests itself.
    """
    before = {invoice_id: owed.credited for invoice_id, owed in standing.items()}
    if not refunded:
        for request in requests:
            before[request.invoice_id] -= request.amount
    given = {invoice_id: owed.vat_credited for invoice_id, owed in standing.items()}
    taxes = []
    for request in requests:
        owed = standing[request.invoice_id]
        before[request.invoice_id] += request.amount
        until_now = money.share(owed.vat_amount, before[request.invoice_id], owed.amount) if owed.vat_amount else 0
        taxes.append(until_now - given[request.invoice_id])
        given[request.invoice_id] = until_now
    return taxes


def _entry(
    kind: str,
    document_id: int,
    amount: int,
    invoice: InvoiceStanding,
    movement: _Movement,
    today: date,
    *,
    tax: int = 0,
) -> EntryRequest:
    postings = journal.transfer(
        debit=movement.debit, credit=movement.credit, amount=amount - tax, currency=invoice.currency
    )
    if tax:
        postings += journal.transfer(
            debit=Account.VAT_OUT, credit=movement.credit, amount=tax, currency=invoice.currency
        )
    return EntryRequest(
        entry_date=today,
        document_kind=kind,
        document_id=document_id,
        text=f"{movement.text} {invoice.number}",
        postings=postings,
    )


def _shown(amount: int, invoice: InvoiceStanding) -> str:
    return money.show(amount, invoice.currency)
