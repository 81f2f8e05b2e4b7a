"""What a buyer or an approver must do about purchase orders and proposals, and which suppliers deliver late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import purchase_orders, scorecard
from procurement.proposals import Proposal, ProposalKind, ProposalState
from procurement.purchase_orders import (
    PurchaseOrder,
    PurchaseOrderConfirmation,
    PurchaseOrderLine,
    PurchaseOrderState,
)
from scm.core.approval import Approval, Decision
from scm.core.users import User
from scm.finance import money
from scm.loop.exceptions.findings import Finding, Kind, Scope
from scm.loop.exceptions.planning import Coming
from scm.loop.measures import LATE_RATIO
from scm.loop.sources import LEAD_TIME_DAYS
from scm.master.agreements import SupplierAgreement
from scm.master.partners import Partner

FEWEST_DELIVERIES = 3
CONFIRM_WITHIN_DAYS = 3
UNSENT = (PurchaseOrderState.DRAFT, PurchaseOrderState.SUBMITTED, PurchaseOrderState.APPROVED)
WAITING_FOR: Mapping[PurchaseOrderState, Kind] = {
    PurchaseOrderState.DRAFT: Kind.TO_SUBMIT,
    PurchaseOrderState.SUBMITTED: Kind.TO_APPROVE,
    PurchaseOrderState.APPROVED: Kind.TO_SEND,
}


@dataclass(frozen=True, slots=True)
class _Order:
    """One order nobody has sent yet."""

    order_id: int
    number: str
    state: PurchaseOrderState
    currency: str
    supplier: str
    written_by: str
    drafted_date: date


@dataclass(frozen=True, slots=True)
class _Line:
    quantity: int
    unit_price: Decimal
    due_date: date
    agreed_price: Decimal


@dataclass(frozen=True, slots=True)
class _Proposed:
    quantity: int
    unit_price: Decimal
    order_date: date


def supplier_names(session: Session, scope: Scope) -> dict[int, tuple[str, str]]:
    """This function will read the codes and names of the suppliers by their ids."""
    rows = session.execute(
        sa.select(Partner.id, Partner.code, Partner.name).where(
            Partner.company_id == scope.company_id, Partner.is_supplier
        )
    )
    return {row.id: (row.code, row.name) for row in rows}


def unsent_orders(session: Session, scope: Scope) -> Iterator[Finding]:
    """This function will find orders that wait to be submitted, approved or sent, and prices that moved meanwhile."""
    lines: dict[int, list[_Line]] = defaultdict(list)
    for row in session.execute(_lines(scope)):
        lines[row.order_id].append(_Line(row.quantity, row.unit_price, row.due_date, row.agreed_price))
    requested = _requested(session)
    for row in session.execute(_orders(scope)):
        order = _Order(*row)
        of_order = lines[order.order_id]
        yield _waiting(order, of_order, requested.get(order.order_id), scope)
        moved = [line for line in of_order if line.agreed_price != line.unit_price]
        if moved:
            yield _price_moved(order, moved)


def _orders(scope: Scope) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            PurchaseOrder.id,
            PurchaseOrder.number,
            PurchaseOrder.state,
            PurchaseOrder.currency,
            Partner.name,
            User.display_name,
            PurchaseOrder.drafted_date,
        )
        .join(Partner, Partner.id == PurchaseOrder.supplier_id)
        .join(User, User.id == PurchaseOrder.written_by_id)
        .where(PurchaseOrder.site_id == scope.site_id, PurchaseOrder.state.in_(UNSENT))
        .order_by(PurchaseOrder.id)
    )


def _lines(scope: Scope) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            PurchaseOrderLine.order_id,
            PurchaseOrderLine.quantity,
            PurchaseOrderLine.unit_price,
            PurchaseOrderLine.due_date,
            SupplierAgreement.unit_price.label("agreed_price"),
        )
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .join(SupplierAgreement, SupplierAgreement.id == PurchaseOrderLine.agreement_id)
        .where(PurchaseOrder.site_id == scope.site_id, PurchaseOrder.state.in_(UNSENT))
    )


def _requested(session: Session) -> dict[int, tuple[datetime, str]]:
    rows = session.execute(
        sa.select(Approval.subject_id, Approval.requested_at, User.display_name)
        .join(User, User.id == Approval.requester_id)
        .where(Approval.subject_kind == purchase_orders.KIND, Approval.decision == Decision.PENDING)
    )
    return {row.subject_id: (row.requested_at, row.display_name) for row in rows}


def _waiting(order: _Order, lines: Sequence[_Line], requested: tuple[datetime, str] | None, scope: Scope) -> Finding:
    due = min((line.due_date for line in lines), default=None)
    facts: dict[str, Any] = {
        "lines": len(lines),
        "written_by": order.written_by,
        "waits_days": (scope.today - order.drafted_date).days,
    }
    if requested is not None:
        facts |= {"requested_at": requested[0].isoformat(), "requested_by": requested[1]}
    return Finding(
        kind=WAITING_FOR[order.state],
        subject_id=order.order_id,
        label=order.number,
        name=order.supplier,
        amount=sum(_amount(line.unit_price, line, order) for line in lines),
        quantity=sum(line.quantity for line in lines),
        due_date=due,
        facts=facts,
    )


def _price_moved(order: _Order, moved: Sequence[_Line]) -> Finding:
    difference = sum(_amount(line.agreed_price, line, order) - _amount(line.unit_price, line, order) for line in moved)
    return Finding(
        kind=Kind.PRICE_MOVED,
        subject_id=order.order_id,
        label=order.number,
        name=order.supplier,
        amount=abs(difference),
        due_date=min(line.due_date for line in moved),
        facts={"lines": len(moved), "difference": difference, "state": order.state.value},
    )


def _amount(price: Decimal, line: _Line, order: _Order) -> int:
    return money.line_amount(price, line.quantity, currency=order.currency)


def proposals(session: Session, scope: Scope, names: Mapping[int, tuple[str, str]]) -> Iterator[Finding]:
    """This function will find, by supplier, open proposals to buy by today, and accepted ones on no order."""
    groups: dict[tuple[Kind, int], list[_Proposed]] = defaultdict(list)
    on_order = sa.exists().where(PurchaseOrderLine.proposal_id == Proposal.id)
    rows = session.execute(
        sa.select(
            Proposal.supplier_id,
            Proposal.state,
            Proposal.quantity,
            Proposal.unit_price,
            Proposal.order_date,
        )
        .where(
            Proposal.site_id == scope.site_id,
            Proposal.kind == ProposalKind.BUY,
            sa.or_(
                sa.and_(Proposal.state == ProposalState.OPEN, Proposal.order_date <= scope.today),
                sa.and_(Proposal.state == ProposalState.ACCEPTED, ~on_order),
            ),
        )
        .order_by(Proposal.id)
    )
    for row in rows:
        kind = Kind.PROPOSALS_DUE if row.state is ProposalState.OPEN else Kind.TO_DRAFT
        groups[kind, row.supplier_id].append(_Proposed(row.quantity, row.unit_price, row.order_date))
    for (kind, supplier_id), found in groups.items():
        code, name = names[supplier_id]
        amounts = [money.line_amount(row.unit_price, row.quantity, currency=scope.currency) for row in found]
        yield Finding(
            kind=kind,
            subject_id=supplier_id,
            label=code,
            name=name,
            amount=sum(amounts),
            quantity=sum(row.quantity for row in found),
            due_date=min(row.order_date for row in found),
            facts={"proposals": len(found)},
        )


def late_suppliers(
    session: Session, scope: Scope, coming: Sequence[Coming], names: Mapping[int, tuple[str, str]]
) -> Iterator[Finding]:
    """This function will find suppliers who take longer than agreed, at the cost of what they still owe us."""
    measured = scorecard.lead_times(session, until=scope.today, since=scope.today - timedelta(days=LEAD_TIME_DAYS))
    for supplier_id, seen in measured.items():
        if seen.n < FEWEST_DELIVERIES or seen.agreed_mean_days <= 0:
            continue
        if float(seen.mean_days) / float(seen.agreed_mean_days) < LATE_RATIO:
            continue
        owed = [line for line in coming if line.supplier_id == supplier_id]
        code, name = names[supplier_id]
        yield Finding(
            kind=Kind.LATE_SUPPLIER,
            subject_id=supplier_id,
            label=code,
            name=name,
            amount=sum(money.line_amount(line.unit_cost, line.quantity, currency=scope.currency) for line in owed),
            quantity=sum(line.quantity for line in owed),
            facts={
                "deliveries": seen.n,
                "late": round(seen.n * float(seen.late_rate)),
                "mean_days": str(seen.mean_days.quantize(Decimal("0.1"))),
                "agreed_days": str(seen.agreed_mean_days.quantize(Decimal("0.1"))),
                "open_orders": len({line.order_id for line in owed}),
            },
        )


def unconfirmed(
    session: Session, scope: Scope, coming: Sequence[Coming], names: Mapping[int, tuple[str, str]]
) -> Iterator[Finding]:
    """This function will find sent orders that the supplier has said nothing about for some days, at cost."""
    latest = scope.today - timedelta(days=CONFIRM_WITHIN_DAYS)
    said = (
        sa.exists()
        .where(PurchaseOrderLine.order_id == PurchaseOrder.id)
        .where(PurchaseOrderConfirmation.line_id == PurchaseOrderLine.id)
    )
    sent = {
        row.id: row.sent_date
        for row in session.execute(
            sa.select(PurchaseOrder.id, PurchaseOrder.sent_date).where(
                PurchaseOrder.site_id == scope.site_id,
                PurchaseOrder.state == PurchaseOrderState.SENT,
                PurchaseOrder.sent_date <= latest,
                PurchaseOrder.id.in_(sorted({line.order_id for line in coming})),
                ~said,
            )
        )
    }
    owed: dict[int, list[Coming]] = defaultdict(list)
    for line in coming:
        if line.order_id in sent and line.due_date >= scope.today:  # what is late already is its own exception
            owed[line.order_id].append(line)
    for order_id, lines in owed.items():
        yield Finding(
            kind=Kind.UNCONFIRMED,
            subject_id=order_id,
            label=lines[0].number,
            name=names[lines[0].supplier_id][1],
            amount=sum(money.line_amount(line.unit_cost, line.quantity, currency=scope.currency) for line in lines),
            quantity=sum(line.quantity for line in lines),
            due_date=min(line.due_date for line in lines),
            facts={"lines": len(lines), "sent": sent[order_id].isoformat()},
        )
