"""Proves the journal against itself, against the valued moves, and against what customers were asked for and paid.

It reads no total to compute one, and writes nothing. `scm.finance.reconcile` runs the checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from scm.core import numbering
from scm.core.numbering import NumberSeries, Series
from scm.core.types import UNIT_PRICE_PLACES
from scm.finance import invoices, money, payables, receivables
from scm.finance.claims import CreditNote, CustomerInvoice, CustomerInvoiceLine, Payment, Refund
from scm.finance.costs import ItemCost, MoveValue
from scm.finance.findings import Check, Finding
from scm.finance.goods_proof import NOTHING, Figures, differing
from scm.finance.journal import Account, JournalEntry, Posting
from scm.finance.payables import SupplierInvoice, SupplierPayment
from scm.master.companies import Company

HALF = Fraction(1, 2)


def entries_balance(session: Session) -> Iterator[Finding]:
    """This function will prove that the postings of every entry sum to zero, and that every entry has some."""
    rest = sa.func.coalesce(sa.func.sum(Posting.company_amount), 0)
    count = sa.func.count(Posting.id)
    statement = (
        sa.select(*_entry_columns(), rest.label("rest"), count.label("postings"))
        .outerjoin(Posting, Posting.entry_id == JournalEntry.id)
        .group_by(*_entry_columns())
        .having(sa.or_(rest != 0, count < 2))
        .order_by(JournalEntry.id)
    )
    for row in session.execute(statement):
        if row.rest:
            yield Finding(f"sum of {_entry(row)}", 0, int(row.rest))
        else:
            yield Finding(f"postings of {_entry(row)}", "at least 2", int(row.postings))


def entries_follow_moves(session: Session) -> Iterator[Finding]:
    """This function will prove each valuation entry's posting to inventory against the values of its moves."""
    worth = sa.select(
        MoveValue.entry_id, (MoveValue.value + MoveValue.revaluation).label("expected"), NOTHING.label("found")
    )
    posted = (
        sa.select(Posting.entry_id, NOTHING.label("expected"), Posting.company_amount.label("found"))
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(Posting.account == Account.INVENTORY)
    )
    wrong = differing(worth, posted, keys=("entry_id",))
    statement = (
        sa.select(*_entry_columns(), wrong.c.expected, wrong.c.found)
        .join_from(wrong, JournalEntry, JournalEntry.id == wrong.c.entry_id)
        .order_by(JournalEntry.id)
    )
    for row in session.execute(statement):
        yield Finding(f"inventory in {_entry(row)}", int(row.expected), int(row.found))


def inventory_is_what_goods_cost(session: Session) -> Iterator[Finding]:
    """This function will prove the account of inventory against what the items in stock have cost."""
    cost = sa.select(ItemCost.company_id, ItemCost.value.label("expected"), NOTHING.label("found"))
    yield from _accounts(session, Account.INVENTORY, cost)


def receivables_are_open_invoices(session: Session) -> Iterator[Finding]:
    """This function will prove the account of receivables against invoices, payments, credits and refunds."""
    yield from _accounts(
        session,
        Account.RECEIVABLES,
        _claims(CustomerInvoice.amount),
        *(
            _claims(amount).join(CustomerInvoice, CustomerInvoice.id == invoice_id)
            for amount, invoice_id in (
                (-Payment.amount, Payment.invoice_id),
                (-CreditNote.amount, CreditNote.invoice_id),
                (Refund.amount, Refund.invoice_id),
            )
        ),
    )


def payables_are_open_invoices(session: Session) -> Iterator[Finding]:
    """This function will prove the account of payables against suppliers' invoices and what of them is settled."""
    owed = _owed((SupplierInvoice.company_amount * -1).label("expected"))
    paid = _owed(SupplierPayment.settled.label("expected")).join(
        SupplierPayment, SupplierPayment.invoice_id == SupplierInvoice.id
    )
    yield from _accounts(session, Account.PAYABLES, owed, paid)


def exchange_differences_follow_documents(session: Session) -> Iterator[Finding]:
    """This function will prove the account of exchange differences: what was asked and paid against what it settled."""
    asked = _owed(
        (SupplierInvoice.company_amount - SupplierInvoice.vat_company_amount - SupplierInvoice.settled).label(
            "expected"
        )
    )
    paid = _owed((SupplierPayment.company_amount - SupplierPayment.settled).label("expected")).join(
        SupplierPayment, SupplierPayment.invoice_id == SupplierInvoice.id
    )
    yield from _accounts(session, Account.EXCHANGE_DIFFERENCE, asked, paid)


def paid_invoices_are_settled(session: Session) -> Iterator[Finding]:
    """This function will prove that an invoice paid in full is settled in full, and none beyond what it asks."""
    paid, settled = sa.func.sum(SupplierPayment.amount), sa.func.sum(SupplierPayment.settled)
    statement = (
        sa.select(SupplierInvoice.number, SupplierInvoice.amount, SupplierInvoice.company_amount, paid, settled)
        .join(SupplierPayment, SupplierPayment.invoice_id == SupplierInvoice.id)
        .group_by(SupplierInvoice.id, SupplierInvoice.number, SupplierInvoice.amount, SupplierInvoice.company_amount)
        .having(
            sa.or_(
                paid > SupplierInvoice.amount,
                sa.and_(paid == SupplierInvoice.amount, settled != SupplierInvoice.company_amount),
            )
        )
        .order_by(SupplierInvoice.id)
    )
    for number, amount, company_amount, total, share in session.execute(statement):
        if total > amount:
            yield Finding(f"payments of supplier's invoice {number}", f"at most {amount}", int(total))
        else:
            yield Finding(f"what payments settled of supplier's invoice {number}", company_amount, int(share))


def documents_are_posted(session: Session) -> Iterator[Finding]:
    """This function will prove that every invoice, payment, credit and refund is in the journal at its amount."""
    yield from _posted_as(session, invoices.INVOICE, Account.RECEIVABLES, CustomerInvoice.id, CustomerInvoice.amount)
    yield from _posted_as(session, receivables.PAYMENT, Account.RECEIVABLES, Payment.id, -Payment.amount)
    net = CreditNote.amount - CreditNote.vat_amount
    yield from _posted_as(session, receivables.CREDIT, Account.RETURNS, CreditNote.id, net)
    yield from _posted_as(session, receivables.CREDIT, Account.VAT_OUT, CreditNote.id, CreditNote.vat_amount)
    yield from _posted_as(session, invoices.INVOICE, Account.VAT_OUT, CustomerInvoice.id, -CustomerInvoice.vat_amount)
    yield from _posted_as(session, receivables.CREDIT, Account.CASH, Refund.credit_note_id, -Refund.amount)
    asked, spent = -SupplierInvoice.company_amount, -SupplierPayment.company_amount
    yield from _posted_as(session, payables.INVOICE, Account.PAYABLES, SupplierInvoice.id, asked)
    yield from _posted_as(session, payables.PAYMENT, Account.CASH, SupplierPayment.id, spent)


def invoices_add_up(session: Session) -> Iterator[Finding]:
    """This function will prove every invoice against its lines."""
    asked = sa.select(
        CustomerInvoice.id.label("invoice_id"), NOTHING.label("expected"), CustomerInvoice.amount.label("found")
    )
    added = sa.case((CustomerInvoice.prices_with_vat, 0), else_=CustomerInvoiceLine.vat_amount)
    lines = sa.select(
        CustomerInvoiceLine.invoice_id,
        (CustomerInvoiceLine.amount + added).label("expected"),
        NOTHING.label("found"),
    ).join(CustomerInvoice, CustomerInvoice.id == CustomerInvoiceLine.invoice_id)
    wrong = differing(asked, lines, keys=("invoice_id",))
    statement = (
        sa.select(CustomerInvoice.number, wrong.c.expected, wrong.c.found)
        .join_from(wrong, CustomerInvoice, CustomerInvoice.id == wrong.c.invoice_id)
        .order_by(CustomerInvoice.id)
    )
    for number, expected, found in session.execute(statement):
        yield Finding(f"amount of invoice {number}", int(expected), int(found))


def vat_adds_up(session: Session) -> Iterator[Finding]:
    """This function will prove the VAT of every invoice against that of its lines."""
    asked = sa.select(
        CustomerInvoice.id.label("invoice_id"), NOTHING.label("expected"), CustomerInvoice.vat_amount.label("found")
    )
    lines = sa.select(
        CustomerInvoiceLine.invoice_id, CustomerInvoiceLine.vat_amount.label("expected"), NOTHING.label("found")
    )
    wrong = differing(asked, lines, keys=("invoice_id",))
    statement = (
        sa.select(CustomerInvoice.number, wrong.c.expected, wrong.c.found)
        .join_from(wrong, CustomerInvoice, CustomerInvoice.id == wrong.c.invoice_id)
        .order_by(CustomerInvoice.id)
    )
    for number, expected, found in session.execute(statement):
        yield Finding(f"VAT of invoice {number}", int(expected), int(found))


def vat_is_rounded_once(session: Session) -> Iterator[Finding]:
    """This function will prove the VAT of every invoice line against its amount and rate."""
    statement = (
        sa.select(
            CustomerInvoice.number,
            CustomerInvoice.prices_with_vat,
            CustomerInvoiceLine.line_id,
            CustomerInvoiceLine.amount,
            CustomerInvoiceLine.vat_rate,
            CustomerInvoiceLine.vat_amount,
        )
        .join(CustomerInvoice, CustomerInvoice.id == CustomerInvoiceLine.invoice_id)
        .where(
            sa.or_(
                sa.type_coerce(CustomerInvoiceLine.vat_rate, sa.BigInteger) != 0, CustomerInvoiceLine.vat_amount != 0
            )
        )
        .order_by(CustomerInvoiceLine.id)
    )
    for row in session.execute(statement):
        amount, rate = row.amount, Fraction(row.vat_rate)
        exact = amount - amount / (1 + rate) if row.prices_with_vat else amount * rate
        if abs(row.vat_amount - exact) > HALF:
            yield Finding(f"VAT of line {row.line_id} of invoice {row.number}", f"about {round(exact)}", row.vat_amount)


def vat_is_what_documents_say(session: Session) -> Iterator[Finding]:
    """This function will prove both accounts of VAT against invoices, credit notes and suppliers' invoices."""
    credited = _claims(CreditNote.vat_amount).join(CreditNote, CreditNote.invoice_id == CustomerInvoice.id)
    yield from _accounts(session, Account.VAT_OUT, _claims(-CustomerInvoice.vat_amount), credited)
    yield from _accounts(session, Account.VAT_IN, _owed(SupplierInvoice.vat_company_amount.label("expected")))


def lines_are_rounded_once(session: Session) -> Iterator[Finding]:
    """This function will prove every invoice line against quantity × unit price, rounded half up."""
    price = sa.type_coerce(CustomerInvoiceLine.unit_price, sa.BigInteger)
    for currency in session.scalars(sa.select(CustomerInvoice.currency).distinct().order_by(CustomerInvoice.currency)):
        divisor = 10 ** (UNIT_PRICE_PLACES - money.places(currency))
        # amount = floor(exact + half), without a division: that is 0 ≤ exact + half − amount < 1
        above = 2 * price * CustomerInvoiceLine.quantity + divisor - 2 * divisor * CustomerInvoiceLine.amount
        statement = (
            sa.select(
                CustomerInvoice.number,
                CustomerInvoiceLine.line_id,
                CustomerInvoiceLine.quantity,
                CustomerInvoiceLine.unit_price,
                CustomerInvoiceLine.amount,
            )
            .join(CustomerInvoice, CustomerInvoice.id == CustomerInvoiceLine.invoice_id)
            .where(CustomerInvoice.currency == currency, sa.or_(above < 0, above >= 2 * divisor))
            .order_by(CustomerInvoiceLine.id)
        )
        for row in session.execute(statement):
            expected = money.line_amount(row.unit_price, row.quantity, currency=currency)
            yield Finding(f"amount of line {row.line_id} of invoice {row.number}", expected, row.amount)


def refunds_were_paid(session: Session) -> Iterator[Finding]:
    """This function will prove that no invoice had more refunded than was paid, nor more taken off than it asked."""
    paid, refunded, credited = _sum(Payment), _sum(Refund), _sum(CreditNote)
    statement = (
        sa.select(
            CustomerInvoice.number,
            CustomerInvoice.amount,
            paid.label("paid"),
            refunded.label("refunded"),
            credited.label("credited"),
        )
        .where(sa.or_(refunded > paid, paid + credited - refunded > CustomerInvoice.amount))
        .order_by(CustomerInvoice.id)
    )
    for row in session.execute(statement):
        if row.refunded > row.paid:
            yield Finding(f"refunds of invoice {row.number}", f"at most {row.paid}, which was paid", int(row.refunded))
        else:
            taken = int(row.paid + row.credited - row.refunded)
            yield Finding(f"payments and credits of invoice {row.number}", f"at most {row.amount}", taken)


def numbers_have_no_gaps(session: Session) -> Iterator[Finding]:
    """This function will prove that invoices and credit notes are numbered 1, 2, 3, … to the last number drawn."""
    yield from _gaps(session, numbering.CUSTOMER_INVOICE, CustomerInvoice.company_id, CustomerInvoice.number)
    yield from _gaps(session, numbering.CREDIT_NOTE, CreditNote.company_id, CreditNote.number)


CHECKS: tuple[Check, ...] = (
    entries_balance,
    entries_follow_moves,
    inventory_is_what_goods_cost,
    receivables_are_open_invoices,
    documents_are_posted,
    invoices_add_up,
    lines_are_rounded_once,
    vat_adds_up,
    vat_is_rounded_once,
    vat_is_what_documents_say,
    refunds_were_paid,
    payables_are_open_invoices,
    exchange_differences_follow_documents,
    paid_invoices_are_settled,
    numbers_have_no_gaps,
)


def _entry_columns() -> tuple[InstrumentedAttribute[Any], ...]:
    return (JournalEntry.id, JournalEntry.document_kind, JournalEntry.document_id, JournalEntry.text)


def _entry(row: Any) -> str:
    return f"journal entry {row.id} ({row.document_kind} {row.document_id}, {row.text})"


def _accounts(session: Session, account: Account, *figures: Figures) -> Iterator[Finding]:
    posted = (
        sa.select(JournalEntry.company_id, NOTHING.label("expected"), Posting.company_amount.label("found"))
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(Posting.account == account)
    )
    wrong = differing(*figures, posted, keys=("company_id",))
    statement = sa.select(Company.code, wrong.c.expected, wrong.c.found).join_from(
        wrong, Company, Company.id == wrong.c.company_id
    )
    for code, expected, found in session.execute(statement):
        yield Finding(f"account {account.value} of company {code}", int(expected), int(found))


def _owed(expected: Any) -> Figures:
    return sa.select(SupplierInvoice.company_id, expected, NOTHING.label("found")).select_from(SupplierInvoice)


def _claims(amount: Any) -> Figures:
    return sa.select(CustomerInvoice.company_id, amount.label("expected"), NOTHING.label("found"))


def _posted_as(session: Session, kind: str, account: Account, document_id: Any, amount: Any) -> Iterator[Finding]:
    documents = sa.select(document_id.label("document_id"), amount.label("expected"), NOTHING.label("found"))
    posted = (
        sa.select(JournalEntry.document_id, NOTHING.label("expected"), Posting.company_amount.label("found"))
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(JournalEntry.document_kind == kind, Posting.account == account)
    )
    for document, expected, found in session.execute(sa.select(differing(documents, posted, keys=("document_id",)))):
        yield Finding(f"account {account.value} for {kind} {document}", int(expected), int(found))


def _sum(model: type[Payment] | type[CreditNote] | type[Refund]) -> sa.ScalarSelect[int]:
    total = sa.func.coalesce(sa.func.sum(model.amount), 0)
    return sa.select(total).where(model.invoice_id == CustomerInvoice.id).scalar_subquery()


def _gaps(
    session: Session, series: Series, company_id: InstrumentedAttribute[int], number: InstrumentedAttribute[str]
) -> Iterator[Finding]:
    """Numbers are unique, so as many as the last one are without a gap; only a finding costs the search for it."""
    start = len(f"{series.prefix}-")
    year = sa.cast(sa.func.substr(number, start + 1, 4), sa.Integer)
    value = sa.cast(sa.func.substr(number, start + 6), sa.BigInteger)
    used = (
        sa.select(company_id.label("company_id"), year.label("year"), value.label("value")).select_from(
            company_id.class_
        )
    ).subquery()
    statement = (
        sa.select(
            NumberSeries.year,
            NumberSeries.last_value,
            sa.func.count(used.c.value).label("drawn"),
            sa.func.coalesce(sa.func.max(used.c.value), 0).label("highest"),
        )
        .outerjoin(used, sa.and_(used.c.company_id == NumberSeries.company_id, used.c.year == NumberSeries.year))
        .where(NumberSeries.code == series.code)
        .group_by(NumberSeries.company_id, NumberSeries.year, NumberSeries.last_value)
        .order_by(NumberSeries.year)
    )
    for row in session.execute(statement):
        if row.drawn == row.last_value == row.highest:
            continue
        numbers = set(session.scalars(sa.select(used.c.value).where(used.c.year == row.year)))
        missing = next((n for n in range(1, row.last_value + 1) if n not in numbers), row.last_value + 1)
        place = f"numbers of series {series.prefix} in {row.year}, around {series.prefix}-{row.year}-{missing:06d}"
        yield Finding(place, row.last_value, int(row.drawn))
