"""Sales from before the books began: each is brought forward once, as an invoice that was paid long ago.

Customers send such goods back, too, and are given their money back. With its invoice and its payment in the books, a
prior sale is refunded like any other: never more than was paid for it. The value of both stands against the opening
balance, where it comes from and goes to, so that neither revenue nor cash of the present changes.

Beside `scm.finance.invoices` and `scm.finance.receivables` the only module that writes invoices and payments; those it
writes are numbered in the year 0000, outside the series without gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base, BigId, dialect_insert, table_of
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.finance import costs, invoices, journal, money, receivables, rows
from scm.finance.claims import CustomerInvoice, CustomerInvoiceLine, InvoicedLine, Payment
from scm.finance.journal import Account, EntryRequest
from scm.master.companies import Company
from scm.master.items import Item
from scm.master.partners import Partner

KIND = "prior_sale"
BRINGS_FORWARD = (Role.RETURNS, Role.SALES, Role.ADMIN, Role.SYSTEM)
LONGEST_REFERENCE = 80
NO_ORDER = 0  # the sales order, and the order line, of what was sold before there were any


class BroughtForward(Base):
    """One line of an invoice from before the books, as its paper says. Append-only; a trigger refuses every change."""

    __tablename__ = "prior_sale"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    reference: Mapped[str] = mapped_column(sa.String(LONGEST_REFERENCE))  # names the line of the paper for ever
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("partner.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    unit_price: Mapped[Decimal] = mapped_column(types.UnitPrice)
    sold_date: Mapped[date | None]

    __table_args__ = (
        sa.UniqueConstraint("company_id", "reference"),
        sa.CheckConstraint("quantity > 0", name="sold_something"),
        sa.CheckConstraint("unit_price >= 0", name="price_not_negative"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PriorSaleRequest:
    """What the paper of a prior sale says; the unit price in major units per base unit."""

    reference: str
    customer_id: int
    item_id: int
    quantity: int
    unit_price: Decimal
    sold_date: date | None


class BadPriorSale(InvalidInput):
    """A figure of a prior sale cannot be used."""


class PriorSaleDiffers(Conflict):
    """The same reference was brought forward before with other figures."""


class PartyUnknown(NotFound):
    """A prior sale names an item or a customer that does not exist."""


class _Issued(NamedTuple):
    id: int
    number: str
    amount: int


def bring_forward(
    session: Session,
    requests: Sequence[PriorSaleRequest],
    *,
    company_id: int,
    now: datetime,
    today: date,
    actor: Actor,
) -> list[int]:
    """This function will bring prior sales into the books, each reference once, and give their ids in the order given.

    The rows stay locked until the commit, also those that were there before. Raises `BadPriorSale`,
    `PartyUnknown`, `PriorSaleDiffers`, `RoleMissing`.
    """
    actor.require(*BRINGS_FORWARD)
    wanted = _distinct(requests)
    if not wanted:
        return []
    _refuse_unknown(session, wanted.values())
    new = _insert(session, wanted, company_id=company_id)
    known = _lock(session, wanted, company_id=company_id)
    for reference, request in wanted.items():
        _refuse_different(known[reference], request)
    _write_paid_invoices(
        session,
        {prior_id: wanted[reference] for prior_id, reference in sorted(new.items())},
        company_id=company_id,
        now=now,
        today=today,
    )
    audit.record(session, actor=actor, verb="prior_sale.bring_forward", document_kind=KIND, document_ids=sorted(new))
    return [int(known[request.reference].id) for request in requests]


def invoiced(session: Session, prior_sale_ids: Iterable[int]) -> dict[int, InvoicedLine]:
    """This function will read what prior sales were invoiced at, by their ids; `line_id` is the id of the sale."""
    columns = (
        sa.select(
            CustomerInvoice.id.label("invoice_id"),
            BroughtForward.id.label("line_id"),
            BroughtForward.item_id,
            BroughtForward.quantity,
            BroughtForward.unit_price,
            CustomerInvoice.amount,
        )
        .join(CustomerInvoice, CustomerInvoice.document_id == BroughtForward.id)
        .where(CustomerInvoice.document_kind == KIND)
        .order_by(BroughtForward.id)
    )
    found = {}
    for ids in costs.chunks(prior_sale_ids):
        for row in session.execute(columns.where(BroughtForward.id.in_(ids))):
            found[row.line_id] = InvoicedLine(**row._mapping)
    return found


def _distinct(requests: Sequence[PriorSaleRequest]) -> dict[str, PriorSaleRequest]:
    """Sorted, so that two who bring the same sales forward at once wait for each other and never deadlock."""
    wanted: dict[str, PriorSaleRequest] = {}
    for request in requests:
        name = f"prior sale {request.reference[:LONGEST_REFERENCE]!r}"
        if not 0 < len(request.reference.strip()) <= LONGEST_REFERENCE or not request.reference.isprintable():
            raise BadPriorSale(f"{name}: the reference must be 1 to {LONGEST_REFERENCE} printable characters")
        price = request.unit_price
        exact = price.is_finite() and price >= 0 and not price.scaleb(types.UNIT_PRICE_PLACES) % 1
        if type(request.quantity) is not int or request.quantity <= 0 or not exact:
            raise BadPriorSale(
                f"{name}: {request.quantity!r} units at {price} cannot have been sold: the quantity is a whole "
                f"number above 0, and the price 0 or more with at most {types.UNIT_PRICE_PLACES} decimal places"
            )
        if wanted.setdefault(request.reference, request) != request:
            raise PriorSaleDiffers(f"{name} is named twice with different figures: check the invoice")
    return dict(sorted(wanted.items()))


def _refuse_unknown(session: Session, wanted: Iterable[PriorSaleRequest]) -> None:
    named: tuple[tuple[str, type[Item] | type[Partner], set[int]], ...] = (
        ("item", Item, {request.item_id for request in wanted}),
        ("customer", Partner, {request.customer_id for request in wanted}),
    )
    for what, model, ids in named:
        known: set[int] = set()
        for some in costs.chunks(ids):
            known.update(session.scalars(sa.select(model.id).where(model.id.in_(some))))
        for unknown in sorted(ids - known):
            raise PartyUnknown(f"a prior sale names {what} {unknown}, which does not exist: check the invoice")


def _insert(session: Session, wanted: Mapping[str, PriorSaleRequest], *, company_id: int) -> dict[int, str]:
    """The references that were new, by the ids they were given. A twin that is still running is waited for."""
    table = table_of(BroughtForward)
    values = [
        {
            "company_id": company_id,
            "reference": request.reference,
            "customer_id": request.customer_id,
            "item_id": request.item_id,
            "quantity": request.quantity,
            "unit_price": request.unit_price,
            "sold_date": request.sold_date,
        }
        for request in wanted.values()
    ]
    insert = dialect_insert(session, table).on_conflict_do_nothing(index_elements=["company_id", "reference"])
    return {row.id: row.reference for row in session.execute(insert.returning(table.c.id, table.c.reference), values)}


def _lock(session: Session, references: Iterable[str], *, company_id: int) -> dict[str, Any]:
    ordered, found = sorted(references), {}
    for start in range(0, len(ordered), costs.CHUNK):
        statement = (
            sa.select(table_of(BroughtForward))
            .where(
                BroughtForward.company_id == company_id,
                BroughtForward.reference.in_(ordered[start : start + costs.CHUNK]),
            )
            .order_by(BroughtForward.reference)
            .with_for_update(key_share=True)
        )
        found.update({row.reference: row for row in session.execute(statement)})
    return found


def _refuse_different(known: Any, request: PriorSaleRequest) -> None:
    for field in ("customer_id", "item_id", "quantity", "unit_price", "sold_date"):
        before, given = getattr(known, field), getattr(request, field)
        if before != given:
            raise PriorSaleDiffers(
                f"prior sale {request.reference}: {field} is {given}, but {before} was brought forward before under "
                "this reference: check the invoice"
            )


def _write_paid_invoices(
    session: Session, sales: Mapping[int, PriorSaleRequest], *, company_id: int, now: datetime, today: date
) -> None:
    if not sales:
        return
    currency = session.get_one(Company, company_id).currency
    issued = _issue(session, sales, company_id=company_id, currency=currency, now=now, today=today)
    paid = [invoice for invoice in issued if invoice.amount > 0]  # what was given away was never paid
    payments = [
        {
            "invoice_id": invoice.id,
            "currency": currency,
            "amount": invoice.amount,
            "paid_date": today,
            "paid_at": now,
        }
        for invoice in paid
    ]
    if not payments:
        return
    inserted = sa.insert(table_of(Payment)).returning(Payment.id, sort_by_parameter_order=True)
    entries = []
    for payment_id, invoice in zip(session.scalars(inserted, payments), paid, strict=True):
        for kind, document_id, what, debit, credit in (
            (invoices.INVOICE, invoice.id, "invoice", Account.RECEIVABLES, Account.OPENING_BALANCE),
            (receivables.PAYMENT, int(payment_id), "payment", Account.OPENING_BALANCE, Account.RECEIVABLES),
        ):
            entries.append(
                EntryRequest(
                    entry_date=today,
                    document_kind=kind,
                    document_id=document_id,
                    text=f"{what} of before the books, {invoice.number}",
                    postings=journal.transfer(debit=debit, credit=credit, amount=invoice.amount, currency=currency),
                )
            )
    journal.post(session, entries, company_id=company_id, now=now)


def _issue(
    session: Session,
    sales: Mapping[int, PriorSaleRequest],
    *,
    company_id: int,
    currency: str,
    now: datetime,
    today: date,
) -> list[_Issued]:
    heads: list[dict[str, Any]] = []
    lines: list[list[dict[str, Any]]] = []
    for prior_id, sale in sales.items():
        amount = money.line_amount(sale.unit_price, sale.quantity, currency=currency)
        heads.append(
            {
                "company_id": company_id,
                # Numbers name their year: those of before the books, whenever that was, the year 0000.
                "number": f"PRI-0000-{prior_id:06d}",
                "document_kind": KIND,
                "document_id": prior_id,
                "sales_order_id": NO_ORDER,
                "customer_id": sale.customer_id,
                "currency": currency,
                "amount": amount,
                "invoice_date": today,
                "issued_at": now,
            }
        )
        line = {"item_id": sale.item_id, "quantity": sale.quantity, "unit_price": sale.unit_price, "amount": amount}
        lines.append([{"line_id": NO_ORDER} | line])
    ids = rows.insert(
        session,
        head=table_of(CustomerInvoice),
        heads=heads,
        line=table_of(CustomerInvoiceLine),
        lines=lines,
        key="invoice_id",
    )
    return [_Issued(invoice_id, head["number"], head["amount"]) for invoice_id, head in zip(ids, heads, strict=True)]
