"""Requisitions: somebody asks for an item by a day, with a reason, and it becomes a line of a draft order.

The buyer reviews and submits the draft; whoever asked for a line of it never approves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import authors, drafting, orders, purchase_orders
from procurement.drafting import OrderLineRequest
from procurement.orders import ReasonMissing
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderState
from scm.core.errors import Conflict
from scm.core.users import Actor, Role
from scm.master import agreements
from scm.master.agreements import SupplierAgreement


@dataclass(frozen=True, kw_only=True)
class Requested:
    """Where a requisition stands now."""

    order_id: int
    number: str
    line_id: int


class NobodySupplies(Conflict):
    """There is no supplier to ask for the item."""


def ask(
    session: Session,
    *,
    item_id: int,
    quantity: int,
    due_date: date,
    reason: str,
    site_id: int,
    actor: Actor,
    now: datetime,
    today: date,
    agreement_id: int | None = None,
) -> Requested:
    """This function will put what somebody asks for on a draft order to the item's supplier.

    It joins the newest draft to that supplier, or starts one. The preferred agreement is used unless one is named.
    Raises `ReasonMissing`, `NobodySupplies`, `BadLine`.
    """
    actor.require(Role.PLANNER, Role.BUYER, Role.WAREHOUSE, Role.SALES)
    if not reason.strip():
        raise ReasonMissing(f"asking for item {item_id} needs a reason: the buyer and the approver read it")
    chosen, supplier_id = _source(session, item_id=item_id, agreement_id=agreement_id)
    wanted = OrderLineRequest(agreement_id=chosen, quantity=quantity, due_date=due_date, reason=reason.strip())
    order = _open_draft(session, supplier_id=supplier_id, site_id=site_id)
    if order is None:
        [order_id] = drafting.by_hand(session, [wanted], site_id=site_id, actor=actor, today=today)
        [order] = purchase_orders.lock(session, [order_id])
        [line] = purchase_orders.lines_of(session, [order])[order_id]
    else:
        [line] = drafting.add_to(session, order, [wanted], today=today)
        authors.note(session, [order.id], actor=actor)
    told = {"line_id": line.id, "item_id": item_id, "quantity": quantity, "due_date": due_date.isoformat()}
    orders.record(session, "ask", [order.id], actor, now, reason=wanted.reason, **told)
    return Requested(order_id=order.id, number=order.number, line_id=line.id)


def _source(session: Session, *, item_id: int, agreement_id: int | None) -> tuple[int, int]:
    if agreement_id is not None:
        row = session.execute(
            sa.select(SupplierAgreement.id, SupplierAgreement.partner_id).where(
                SupplierAgreement.id == agreement_id, SupplierAgreement.item_id == item_id
            )
        ).first()
        if row is None:
            raise NobodySupplies(f"agreement {agreement_id} is not about item {item_id}: choose one of its agreements")
        return row.id, row.partner_id
    source = agreements.preferred(session, item_ids=[item_id]).get(item_id)
    if source is None:
        raise NobodySupplies(f"nobody supplies item {item_id}: agree on it with a supplier first")
    return source.agreement_id, source.supplier_id


def _open_draft(session: Session, *, supplier_id: int, site_id: int) -> PurchaseOrder | None:
    """The newest draft to a supplier, locked; none when it was submitted while we waited for it."""
    order_id = session.scalar(
        sa.select(sa.func.max(PurchaseOrder.id)).where(
            PurchaseOrder.supplier_id == supplier_id,
            PurchaseOrder.site_id == site_id,
            PurchaseOrder.state == PurchaseOrderState.DRAFT,
        )
    )
    if order_id is None:
        return None
    [order] = purchase_orders.lock(session, [order_id])
    return order if order.state is PurchaseOrderState.DRAFT else None
