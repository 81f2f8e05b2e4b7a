"""The money ledger: a journal of entries whose postings sum to zero in the company's currency.

The only module that writes entries and postings. Both are append-only; a trigger refuses every change.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import InvalidInput
from scm.finance import rows


class Account(enum.Enum):
    """What an amount stands for. A positive posting is a debit, a negative one a credit."""

    INVENTORY = "inventory"  # what the goods we own have cost
    GOODS_RECEIVED = "goods_received"  # owed to suppliers for goods that came
    SUPPLIER_RETURNS = "supplier_returns"  # owed by suppliers for goods that went back
    WORK_IN_PROGRESS = "work_in_progress"  # issued to work orders, and not yet taken by their output
    PRODUCTION_VARIANCE = "production_variance"  # what closed work orders still held
    COST_OF_SALES = "cost_of_sales"
    SCRAP = "scrap"
    ADJUSTMENT = "adjustment"  # found and lost in counts
    OPENING_BALANCE = "opening_balance"
    RECEIVABLES = "receivables"
    REVENUE = "revenue"
    RETURNS = "returns"  # credited to customers
    CASH = "cash"
    VAT_OUT = "vat_out"  # owed for what was sold
    VAT_IN = "vat_in"  # reclaimed for what was bought
    PAYABLES = "payables"  # owed to suppliers by their invoices
    EXCHANGE_DIFFERENCE = "exchange_difference"  # what rates made dearer; a credit: cheaper


class JournalEntry(Base):
    """One event in money: its postings sum to zero."""

    __tablename__ = "journal_entry"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    entry_date: Mapped[date]  # in the company's zone
    document_kind: Mapped[str] = mapped_column(sa.String(40))
    document_id: Mapped[int] = mapped_column(sa.BigInteger)
    text: Mapped[str] = mapped_column(sa.String(200))
    recorded_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (sa.Index(None, "document_kind", "document_id"), sa.Index(None, "entry_date"))


class Posting(Base):
    """One amount on one account, in its own currency and in the company's, in minor units."""

    __tablename__ = "posting"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("journal_entry.id"), index=True)
    account: Mapped[Account] = mapped_column(types.enum_column(Account))
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    company_amount: Mapped[int] = mapped_column(sa.BigInteger)


@dataclass(frozen=True, kw_only=True, slots=True)
class PostingRequest:
    """One posting to write; amounts in minor units, debits above zero."""

    account: Account
    currency: str
    amount: int
    company_amount: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryRequest:
    """One entry to write, for one document."""

    entry_date: date
    document_kind: str
    document_id: int
    text: str
    postings: tuple[PostingRequest, ...]


class Unbalanced(InvalidInput):
    """The postings of an entry do not sum to zero, or are none."""


def transfer(*, debit: Account, credit: Account, amount: int, currency: str) -> tuple[PostingRequest, ...]:
    """This function will make the two postings of an amount in the company's own currency."""
    return (
        PostingRequest(account=debit, currency=currency, amount=amount, company_amount=amount),
        PostingRequest(account=credit, currency=currency, amount=-amount, company_amount=-amount),
    )


def post(session: Session, requests: Sequence[EntryRequest], *, company_id: int, now: datetime) -> list[int]:
    """This function will write entries with their postings and give the ids of the entries, in the order given.

    Raises `Unbalanced`; nothing is written then.
    """
    for request in requests:
        _refuse_unbalanced(request)
    heads = [
        {
            "company_id": company_id,
            "entry_date": request.entry_date,
            "document_kind": request.document_kind,
            "document_id": request.document_id,
            "text": request.text,
            "recorded_at": now,
        }
        for request in requests
    ]
    lines = [
        [
            {
                "account": posting.account,
                "currency": posting.currency,
                "amount": posting.amount,
                "company_amount": posting.company_amount,
            }
            for posting in request.postings
        ]
        for request in requests
    ]
    return rows.insert(
        session, head=table_of(JournalEntry), heads=heads, line=table_of(Posting), lines=lines, key="entry_id"
    )


def balances(session: Session, *, company_id: int, until: date | None = None) -> dict[Account, int]:
    """This function will sum the journal by account in the company's minor units, up to and with a date if given."""
    statement = (
        sa.select(Posting.account, sa.func.sum(Posting.company_amount).label("amount"))
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(JournalEntry.company_id == company_id)
        .group_by(Posting.account)
    )
    if until is not None:
        statement = statement.where(JournalEntry.entry_date <= until)
    found = {row.account: int(row.amount) for row in session.execute(statement)}
    return {account: found.get(account, 0) for account in Account}


def _refuse_unbalanced(request: EntryRequest) -> None:
    name = f"the entry for {request.document_kind} {request.document_id} ({request.text})"
    if len(request.postings) < 2:
        raise Unbalanced(
            f"{name} has {len(request.postings)} postings: an amount comes from somewhere and goes somewhere"
        )
    if any(
        type(amount) is not int for posting in request.postings for amount in (posting.amount, posting.company_amount)
    ):
        raise Unbalanced(f"{name} has an amount that is not a whole number of minor units")
    rest = sum(posting.company_amount for posting in request.postings)
    if rest:
        raise Unbalanced(f"the postings of {name} sum to {rest} minor units: they must sum to 0")
