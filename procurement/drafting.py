"""How orders are drafted: lines from accepted proposals or by hand, gathered into one order a supplier and site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import authors, proposals, purchase_orders
from procurement.proposals import Proposal, ProposalKind, ProposalState
from procurement.purchase_orders import MACHINE, OrderUnknown, PurchaseOrder, PurchaseOrderLine
from scm.core import numbering
from scm.core.db import table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor
from scm.master import companies
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.partners import Partner

CHUNK = 5000


@dataclass(frozen=True, kw_only=True)
class OrderLineRequest:
    """One line to order. Price and lead time are those of the agreement unless they are given."""

    agreement_id: int
    quantity: int
    due_date: date
    unit_price: Decimal | None = None
    proposal_id: int | None = None
    reason: str = ""


class BadLine(InvalidInput):
    """A line asks for what was not agreed: too little, a broken multiple, or a date that has passed."""


class NotAccepted(Conflict):
    """A proposal that was not accepted cannot be ordered."""


class NotBought(Conflict):
    """What is made or moved stands on no purchase order."""


class AlreadyDrafted(Conflict):
    """A proposal stands on an order already."""


class _Agreed(NamedTuple):
    """What a line needs of its agreement and of the supplier's terms."""

    agreement_id: int
    supplier_id: int
    item_id: int
    lead_time_days: int
    minimum_order_quantity: int
    order_multiple: int
    unit_price: Decimal
    needs_inspection: bool
    currency: str
    over_receipt_rate: Decimal
    retired: bool

    @property
    def label(self) -> str:
        """What an error calls it."""
        return f"item {self.item_id} at supplier {self.supplier_id}"


def from_proposals(session: Session, proposal_ids: Sequence[int] | None, *, actor: Actor, today: date) -> list[int]:
    """This function will draft orders from accepted proposals to buy that stand on no order yet (None: all of them)."""
    rows = _accepted(session, proposal_ids)
    orders: list[int] = []
    for site_id in sorted({row.site_id for row in rows}):
        lines = [
            OrderLineRequest(
                agreement_id=row.agreement_id,
                quantity=row.quantity,
                due_date=max(row.due_date, today),
                unit_price=row.unit_price,
                proposal_id=row.id,
            )
            for row in rows
            if row.site_id == site_id
        ]
        orders += _draft(session, lines, site_id=site_id, actor=actor, today=today)
    return orders


def waiting(session: Session, *, site_id: int) -> list[int]:
    """This function will list a site's accepted proposals to buy that stand on no order yet."""
    return list(
        session.scalars(
            sa.select(Proposal.id)
            .where(
                Proposal.site_id == site_id,
                Proposal.kind == ProposalKind.BUY,
                Proposal.state == ProposalState.ACCEPTED,
                ~sa.exists().where(PurchaseOrderLine.proposal_id == Proposal.id),
            )
            .order_by(Proposal.id)
        )
    )


def by_hand(
    session: Session, lines: Sequence[OrderLineRequest], *, site_id: int, actor: Actor, today: date
) -> list[int]:
    """This function will draft one order a supplier of the lines, in the order of the suppliers' ids.

    Raises `BadLine`, also for an agreement that was retired: what is accepted before may still be ordered from it.
    """
    _refuse_retired(_agreed(session, {line.agreement_id for line in lines}))
    return _draft(session, lines, site_id=site_id, actor=actor, today=today)


def add_to(
    session: Session, order: PurchaseOrder, lines: Sequence[OrderLineRequest], *, today: date
) -> list[PurchaseOrderLine]:
    """This function will add lines to a locked order. Raises `BadLine`."""
    agreed = _agreed(session, {line.agreement_id for line in lines})
    _refuse_retired(agreed)
    there = {
        (line.agreement_id, line.due_date) for line in purchase_orders.lines_of(session, [order]).get(order.id, ())
    }
    for line in lines:
        terms = agreed[line.agreement_id]
        _refuse(terms, quantity=line.quantity, due_date=line.due_date, today=today)
        if (terms.supplier_id, terms.currency) != (order.supplier_id, order.currency):
            raise BadLine(f"{terms.label} cannot stand on {order.number}, which goes to supplier {order.supplier_id}")
        if (line.agreement_id, line.due_date) in there:
            raise BadLine(f"{terms.label} stands on {order.number} for {line.due_date} already: change its quantity")
        there.add((line.agreement_id, line.due_date))
    of_order = {order.supplier_id: order.id}
    added = [PurchaseOrderLine(**_line_row(line, agreed[line.agreement_id], of_order)) for line in lines]
    session.add_all(added)
    session.flush()
    return added


def _draft(
    session: Session, lines: Sequence[OrderLineRequest], *, site_id: int, actor: Actor, today: date
) -> list[int]:
    agreed = _agreed(session, {line.agreement_id for line in lines})
    for line in lines:
        _refuse(agreed[line.agreement_id], quantity=line.quantity, due_date=line.due_date, today=today)
    suppliers = sorted({agreed[line.agreement_id].supplier_id for line in lines})
    if not suppliers:
        return []
    company = companies.only(session)
    numbers = numbering.draw(
        session, series=numbering.PURCHASE_ORDER, company_id=company.id, year=today.year, count=len(suppliers)
    )
    terms = {row.supplier_id: row for row in agreed.values()}
    rows = [
        {
            "company_id": company.id,
            "site_id": site_id,
            "supplier_id": supplier_id,
            "number": number,
            "state": MACHINE.initial,
            "currency": terms[supplier_id].currency,
            "over_receipt_rate": terms[supplier_id].over_receipt_rate,
            "drafted_date": today,
            "written_by_id": actor.user_id,
            "reason": "",
        }
        for supplier_id, number in zip(suppliers, numbers, strict=True)
    ]
    insert = sa.insert(table_of(PurchaseOrder)).returning(PurchaseOrder.id, sort_by_parameter_order=True)
    order_of = dict(zip(suppliers, session.execute(insert, rows).scalars(), strict=True))
    session.execute(
        sa.insert(table_of(PurchaseOrderLine)), [_line_row(line, agreed[line.agreement_id], order_of) for line in lines]
    )
    authors.note(session, list(order_of.values()), actor=actor)
    return list(order_of.values())


def order_of_line(session: Session, *, line_id: int) -> int:
    """This function will name the order a line stands on. Raises `OrderUnknown`."""
    order_id = session.scalar(sa.select(PurchaseOrderLine.order_id).where(PurchaseOrderLine.id == line_id))
    if order_id is None:
        raise OrderUnknown(f"there is no purchase order line {line_id}")
    return order_id


def check_line(session: Session, line: PurchaseOrderLine, *, today: date) -> None:
    """This function will refuse a line that its agreement does not allow. Raises `BadLine`."""
    with session.no_autoflush:
        agreed = _agreed(session, [line.agreement_id])[line.agreement_id]
    _refuse(agreed, quantity=line.quantity, due_date=line.due_date, today=today)


def _accepted(session: Session, proposal_ids: Sequence[int] | None) -> list[sa.Row[Any]]:
    if proposal_ids is None:
        proposal_ids = session.scalars(
            sa.select(Proposal.id).where(
                Proposal.kind == ProposalKind.BUY,
                Proposal.state == ProposalState.ACCEPTED,
                ~sa.exists().where(PurchaseOrderLine.proposal_id == Proposal.id),
            )
        ).all()
    states = proposals.lock(session, proposal_ids)
    for proposal_id, state in states.items():
        if state is not ProposalState.ACCEPTED:
            raise NotAccepted(f"proposal {proposal_id} is {state.value}: accept it before it is ordered")
    ids = sorted(states)
    rows: list[sa.Row[Any]] = []
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        drafted = session.scalars(
            sa.select(PurchaseOrderLine.proposal_id).where(PurchaseOrderLine.proposal_id.in_(chunk)).limit(1)
        ).first()
        if drafted is not None:
            raise AlreadyDrafted(f"proposal {drafted} stands on an order already")
        other = session.execute(
            sa.select(Proposal.id, Proposal.kind)
            .where(Proposal.id.in_(chunk), Proposal.kind != ProposalKind.BUY)
            .limit(1)
        ).first()
        if other is not None:
            raise NotBought(f"proposal {other.id} is to {other.kind.value} goods, not to buy them: leave it out")
        columns = (Proposal.id, Proposal.site_id, Proposal.agreement_id, Proposal.quantity)
        statement = sa.select(*columns, Proposal.due_date, Proposal.unit_price).where(Proposal.id.in_(chunk))
        rows.extend(session.execute(statement.order_by(Proposal.id)))
    return rows


def _agreed(session: Session, agreement_ids: Iterable[int]) -> dict[int, _Agreed]:
    wanted = sorted(set(agreement_ids))
    found: dict[int, _Agreed] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = session.execute(
            sa.select(
                SupplierAgreement.id,
                SupplierAgreement.partner_id,
                SupplierAgreement.item_id,
                SupplierAgreement.lead_time_days,
                SupplierAgreement.minimum_order_quantity,
                SupplierAgreement.order_multiple,
                SupplierAgreement.unit_price,
                SupplierAgreement.needs_inspection,
                SupplierTerms.currency,
                SupplierTerms.over_receipt_rate,
                sa.or_(SupplierAgreement.retired, Partner.retired),
            )
            .join(Partner, Partner.id == SupplierAgreement.partner_id)
            .join(SupplierTerms, SupplierTerms.partner_id == SupplierAgreement.partner_id)
            .where(SupplierAgreement.id.in_(wanted[start : start + CHUNK]))
        )
        found.update((row.id, _Agreed._make(row)) for row in rows)
    for agreement_id in wanted:
        if agreement_id not in found:
            raise BadLine(f"there is no agreement {agreement_id} with a supplier whose terms are known")
    return found


def _refuse_retired(found: Mapping[int, _Agreed]) -> None:
    retired = next((agreed for agreed in found.values() if agreed.retired), None)
    if retired is not None:
        raise BadLine(f"{retired.label} is retired: choose another supplier")


def _refuse(agreed: _Agreed, *, quantity: int, due_date: date, today: date) -> None:
    line = agreed.label
    if type(quantity) is not int or quantity <= 0:
        raise BadLine(f"{line}: quantity {quantity!r} must be a whole number above 0")
    if quantity < agreed.minimum_order_quantity:
        raise BadLine(f"{line}: quantity {quantity} is below the agreed minimum of {agreed.minimum_order_quantity}")
    if quantity % agreed.order_multiple:
        lower = quantity - quantity % agreed.order_multiple
        raise BadLine(
            f"{line}: quantity {quantity} is no multiple of {agreed.order_multiple}: "
            f"order {lower or agreed.order_multiple} or {lower + agreed.order_multiple}"
        )
    if due_date < today:
        raise BadLine(f"{line}: due on {due_date}, which has passed: choose {today} or later")


def _line_row(line: OrderLineRequest, agreed: _Agreed, order_of: dict[int, int]) -> dict[str, Any]:
    return {
        "order_id": order_of[agreed.supplier_id],
        "proposal_id": line.proposal_id,
        "item_id": agreed.item_id,
        "agreement_id": line.agreement_id,
        "quantity": line.quantity,
        "unit_price": agreed.unit_price if line.unit_price is None else line.unit_price,
        "due_date": line.due_date,
        "lead_time_days": agreed.lead_time_days,
        "needs_inspection": agreed.needs_inspection,
        "reason": line.reason,
    }
