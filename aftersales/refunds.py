"""Refunds: customers get back what they paid for units that came back and were inspected.

The amount follows from the invoices of the sold line: so many units' share of it, rounded cumulatively, so that returns
in parts add up to the invoice exactly. What is not paid yet is credited, what was paid is given back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from aftersales import documents
from aftersales.documents import KIND, LockedLine, ReturnLine
from aftersales.inspection import Inspection
from scm.core import audit, types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.finance import brought_forward, claims, money, receivables
from scm.finance.receivables import CreditRequest

# Which sale a return line refers to: a sold order line, or a sale from before the books.
Sale = tuple[str, int]
SOLD, PRIOR = "sold", "prior"


class ReturnRefund(Base):
    """So many units of one return line were refunded out of one invoice. Append-only; a trigger refuses every change.

    The credit notes of an authorization on an invoice add up to the amounts of its rows.
    """

    __tablename__ = "return_refund"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    return_line_id: Mapped[int] = mapped_column(sa.ForeignKey("return_line.id"), index=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("customer_invoice.id"), index=True)
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    amount: Mapped[int] = mapped_column(sa.BigInteger)  # 0 for what was sold free of charge
    refunded_by: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    refunded_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (sa.CheckConstraint("quantity > 0 AND amount >= 0", name="refunds_something"),)


@dataclass(frozen=True, kw_only=True)
class RefundRequest:
    """So many inspected units of one return line are to be refunded."""

    return_line_id: int
    quantity: int


class BadRefund(InvalidInput):
    """A refund has no whole quantity above zero."""


class MoreThanInspected(Conflict):
    """More would be refunded than came back and was inspected."""


class MoreThanInvoiced(Conflict):
    """More would be refunded than the customer was ever asked for."""


@dataclass(slots=True)
class Invoiced:
    """What one invoice asked for one sale, and what of it was refunded so far."""

    invoice_id: int
    quantity: int
    amount: int
    refunded_quantity: int = 0
    refunded_amount: int = 0

    def take(self, quantity: int) -> int:
        """The amount of the next units: the share of all so far, less what the earlier ones took."""
        self.refunded_quantity += quantity
        reached = money.share(self.amount, self.refunded_quantity, self.quantity)
        amount = reached - self.refunded_amount
        self.refunded_amount = reached
        return amount


@dataclass(frozen=True, slots=True)
class Share:
    """So many units of one return line and their amount, out of one invoice."""

    line: LockedLine
    invoice_id: int
    quantity: int
    amount: int


def refund(
    session: Session, requests: Sequence[RefundRequest], *, actor: Actor, now: datetime, today: date
) -> list[int]:
    """This function will refund inspected units and give the ids of the credit notes, one or two for each
    authorization and invoice: one credits what is still open, one gives back what was paid.

    What was sold free of charge is refunded without a credit note. Call it last in a transaction: the number series
    stays locked until the commit. Raises `BadRefund`, `ReturnLineUnknown`, `MoreThanInspected`, `MoreThanInvoiced`,
    `RefundTooMuch` when credits given for other reasons leave too little; nothing is refunded then.
    """
    actor.require(Role.RETURNS, Role.SALES, Role.SYSTEM)
    if not requests:
        return []
    lines = documents.lock_lines(session, [request.return_line_id for request in requests])
    _refuse_uninspected(session, requests, lines)
    invoiced = invoiced_for(session, lines.values())
    # Other return lines may share these invoices: what was refunded of them is read once nobody else can add to it.
    receivables.lock(session, {one.invoice_id for asked in invoiced.values() for one in asked.values()})
    add_refunded(session, invoiced)
    shared = shares(requests, lines, invoiced)
    _insert(session, shared, actor=actor, now=now)
    note_ids = _pay(session, shared, actor=actor, now=now, today=today)
    audit.record(
        session,
        actor=actor,
        verb="return.refund",
        document_kind=KIND,
        document_ids=sorted({line.return_id for line in lines.values()}),
        credit_notes=note_ids,
    )
    return note_ids


def refunded_quantities(session: Session, line_ids: Iterable[int]) -> dict[int, int]:
    """This function will count the refunded units of return lines, by their ids."""
    wanted = sorted(set(line_ids))
    rows = session.execute(
        sa.select(ReturnRefund.return_line_id, sa.func.sum(ReturnRefund.quantity))
        .where(ReturnRefund.return_line_id.in_(wanted))
        .group_by(ReturnRefund.return_line_id)
    )
    return dict.fromkeys(wanted, 0) | {line_id: int(quantity) for line_id, quantity in rows}


def _refuse_uninspected(session: Session, requests: Sequence[RefundRequest], lines: Mapping[int, LockedLine]) -> None:
    """A receipt that was put right after its inspection counts no more."""
    received = documents.arrived_quantities(session, lines)
    rows = session.execute(
        sa.select(Inspection.return_line_id, sa.func.sum(Inspection.quantity))
        .where(Inspection.return_line_id.in_(sorted(lines)))
        .group_by(Inspection.return_line_id)
    )
    inspected = {line_id: int(quantity) for line_id, quantity in rows}
    refunded = refunded_quantities(session, lines)
    for row, request in enumerate(requests, start=1):
        if type(request.quantity) is not int or request.quantity <= 0:
            raise BadRefund(f"refund {row}: quantity {request.quantity!r} must be a whole number above 0")
        line_id = request.return_line_id
        sound = min(received[line_id], inspected.get(line_id, 0))
        if refunded[line_id] + request.quantity > sound:
            raise MoreThanInspected(
                f"refund {row}: {request.quantity} are more than the {max(0, sound - refunded[line_id])} of "
                f"{lines[line_id].number} line {line_id} that can be refunded ({received[line_id]} arrived, "
                f"{inspected.get(line_id, 0)} inspected, {refunded[line_id]} refunded before)"
            )
        refunded[line_id] += request.quantity


def _sale(line: LockedLine) -> Sale:
    if line.sales_order_line_id is not None:
        return SOLD, line.sales_order_line_id
    assert line.prior_sale_id is not None, "a return line refers to one of the two"
    return PRIOR, line.prior_sale_id


def invoiced_for(session: Session, lines: Iterable[LockedLine]) -> dict[Sale, dict[int, Invoiced]]:
    """This function will read what was invoiced for the sales of return lines, by sale and invoice, oldest first."""
    sales = {_sale(line) for line in lines}
    found: dict[Sale, dict[int, Invoiced]] = {sale: {} for sale in sorted(sales)}
    for one in claims.invoiced_lines(session, [sale_id for kind, sale_id in found if kind == SOLD]):
        # A line that left in several lots stands on its invoice several times.
        known = found[SOLD, one.line_id].setdefault(one.invoice_id, Invoiced(one.invoice_id, 0, 0))
        known.quantity += one.quantity
        known.amount += one.amount
    prior = brought_forward.invoiced(session, [sale_id for kind, sale_id in found if kind == PRIOR])
    for sale_id, one in prior.items():
        found[PRIOR, sale_id][one.invoice_id] = Invoiced(one.invoice_id, one.quantity, one.amount)
    return found


def add_refunded(session: Session, invoiced: Mapping[Sale, Mapping[int, Invoiced]]) -> None:
    """This function will add what was refunded before, whatever return line it was refunded for."""
    for kind, column in ((SOLD, ReturnLine.sales_order_line_id), (PRIOR, ReturnLine.prior_sale_id)):
        rows = session.execute(
            sa.select(
                column, ReturnRefund.invoice_id, sa.func.sum(ReturnRefund.quantity), sa.func.sum(ReturnRefund.amount)
            )
            .join(ReturnLine, ReturnLine.id == ReturnRefund.return_line_id)
            .where(column.in_([sale_id for of_kind, sale_id in invoiced if of_kind == kind]))
            .group_by(column, ReturnRefund.invoice_id)
        )
        for sale_id, invoice_id, quantity, amount in rows:
            assert sale_id is not None, "only refunds of the sales asked for were read"
            known = invoiced[kind, sale_id][invoice_id]
            known.refunded_quantity, known.refunded_amount = int(quantity), int(amount)


def shares(
    requests: Sequence[RefundRequest],
    lines: Mapping[int, LockedLine],
    invoiced: Mapping[Sale, Mapping[int, Invoiced]],
) -> list[Share]:
    """This function will share refunds out over invoices, the oldest first. Raises `MoreThanInvoiced`."""
    found = []
    for row, request in enumerate(requests, start=1):
        line, wanted = lines[request.return_line_id], request.quantity
        for invoice in invoiced[_sale(line)].values():
            quantity = min(wanted, invoice.quantity - invoice.refunded_quantity)
            if quantity > 0:
                wanted -= quantity
                found.append(Share(line, invoice.invoice_id, quantity, invoice.take(quantity)))
        if wanted:
            raise MoreThanInvoiced(
                f"refund {row}: {wanted} of the {request.quantity} units of {line.number} line {line.id} were never "
                "invoiced, or are refunded already: check the invoices of the sale"
            )
    return found


def _insert(session: Session, shares: Sequence[Share], *, actor: Actor, now: datetime) -> None:
    session.execute(
        sa.insert(table_of(ReturnRefund)),
        [
            {
                "return_line_id": share.line.id,
                "invoice_id": share.invoice_id,
                "quantity": share.quantity,
                "amount": share.amount,
                "refunded_by": actor.user_id,
                "refunded_at": now,
            }
            for share in shares
        ],
    )


def _pay(session: Session, shares: Sequence[Share], *, actor: Actor, now: datetime, today: date) -> list[int]:
    """The invoices are locked: what is open on them is credited first, the rest is given back."""
    amounts: dict[tuple[int, int], int] = defaultdict(int)
    number_of = {share.line.return_id: share.line.number for share in shares}
    for share in shares:
        amounts[share.line.return_id, share.invoice_id] += share.amount
    standing = claims.standings(session, {invoice_id for _, invoice_id in amounts})
    credits: list[CreditRequest] = []
    refunds: list[CreditRequest] = []
    for (return_id, invoice_id), amount in sorted(amounts.items()):
        owed = standing[invoice_id]
        credited = min(amount, max(0, owed.open_amount))
        owed.credited += credited
        for part, wanted in ((credited, credits), (amount - credited, refunds)):
            if part:
                wanted.append(
                    CreditRequest(
                        invoice_id=invoice_id,
                        amount=part,
                        reason=f"return {number_of[return_id]}",
                        document_kind=KIND,
                        document_id=return_id,
                    )
                )
    company_id = shares[0].line.company_id
    note_ids = []
    if credits:
        note_ids += receivables.credit(session, credits, company_id=company_id, now=now, today=today, actor=actor)
    if refunds:
        note_ids += receivables.refund(session, refunds, company_id=company_id, now=now, today=today, actor=actor)
    return note_ids
