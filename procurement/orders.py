"""The verbs of purchase orders: draft, edit, submit, approve, reject, send, cancel.

Who submits never approves. Approving plans the goods' arrival; sending writes the message to the supplier, which
leaves the system later. Everything about one order is agreed on under the lock of its row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from procurement import drafting, purchase_orders, rules, supply
from procurement.drafting import OrderLineRequest
from procurement.purchase_orders import KIND, MACHINE, PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.core import approval, audit, outbox
from scm.core.approval import Decision
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master import items, partners
from scm.stock.moves import Move

TOPIC = "purchase_order.sent"
Lines = dict[int, list[PurchaseOrderLine]]


@dataclass(frozen=True, kw_only=True)
class Approved:
    """What approving brought: the planned moves from the suppliers, by order."""

    order_ids: tuple[int, ...]
    planned: tuple[Move, ...]


class ReasonMissing(InvalidInput):
    """Whoever rejects or cancels an order must say why."""


class AlreadyReceived(Conflict):
    """Goods of the order have arrived: its lines are facts now."""


class NothingOrdered(InvalidInput):
    """An edit changes nothing."""


def draft(
    session: Session,
    proposal_ids: Sequence[int] | None = None,
    *,
    actor: Actor,
    now: datetime,
    today: date,
) -> list[int]:
    """This function will turn accepted proposals (all of them, when none are named) into draft orders, one a supplier.

    Returns the orders' ids by supplier. Raises `NotAccepted`, `AlreadyDrafted`, `ProposalUnknown`, `BadLine`.
    """
    actor.require(Role.BUYER, Role.SYSTEM)
    orders = drafting.from_proposals(session, proposal_ids, actor=actor, today=today)
    _audit(session, "draft", orders, actor)
    return orders


def write(
    session: Session,
    lines: Sequence[OrderLineRequest],
    *,
    site_id: int,
    actor: Actor,
    now: datetime,
    today: date,
) -> list[int]:
    """This function will draft orders by hand, one a supplier of the lines' agreements. Raises `BadLine`."""
    actor.require(Role.BUYER)
    orders = drafting.by_hand(session, lines, site_id=site_id, actor=actor, today=today)
    _audit(session, "draft", orders, actor)
    return orders


def edit_line(
    session: Session,
    *,
    line_id: int,
    quantity: int | None = None,
    due_date: date | None = None,
    actor: Actor,
    now: datetime,
    today: date,
) -> None:
    """This function will change a line of an order that was not sent; the order is a draft again.

    A request for approval, or an approval, becomes void, and what an approval planned is given up. Raises
    `OrderUnknown`, `NothingOrdered`, `AlreadyReceived`, `BadLine`, `IllegalTransition`.
    """
    actor.require(Role.BUYER)
    if quantity is None and due_date is None:
        raise NothingOrdered(f"purchase order line {line_id}: name a new quantity or due date")
    [order] = purchase_orders.lock(session, [drafting.order_of_line(session, line_id=line_id)])
    following = MACHINE.advance(order.state, "edit", number=order.number)
    [line] = [line for line in purchase_orders.lines_of(session, [order])[order.id] if line.id == line_id]
    if order.state is PurchaseOrderState.APPROVED:
        if supply.progress(session, [order.id])[order.id].received:
            raise AlreadyReceived(f"{order.number}: goods have arrived, cancel what is outstanding instead of editing")
        supply.give_up(session, [order], reason=f"{order.number} was edited", actor=actor)
    approval.void(session, subject_kind=KIND, subject_id=order.id, now=now)
    line.quantity = line.quantity if quantity is None else quantity
    line.due_date = line.due_date if due_date is None else due_date
    drafting.check_line(session, line, today=today)
    order.state, order.written_by_id = following, actor.user_id
    session.flush()
    changed = {"line_id": line_id, "quantity": line.quantity, "due_date": line.due_date.isoformat()}
    _audit(session, "edit", [order.id], actor, **changed)


def submit(session: Session, order_ids: Sequence[int], *, actor: Actor, now: datetime) -> None:
    """This function will ask for the approval of draft orders as they stand. Raises `OrderUnknown`."""
    actor.require(Role.BUYER, Role.SYSTEM)
    orders, lines = _begin(session, order_ids, "submit")
    for order in orders:
        approval.request(
            session,
            subject_kind=KIND,
            subject_id=order.id,
            content=purchase_orders.content_of(order, lines[order.id]),
            requester=actor,
            now=now,
        )
    _finish(session, "submit", orders, actor)


def approve(
    session: Session, order_ids: Sequence[int], *, actor: Actor, now: datetime, today: date, comment: str = ""
) -> Approved:
    """This function will approve submitted orders, plan what they bring and peg it to the demand that waits.

    Raises `SelfApproval` for whoever submitted or wrote the order, `OverLimit`, `ContentChanged`, `OrderUnknown`.
    """
    actor.require(Role.APPROVER)
    orders, lines = _begin(session, order_ids, "approve")
    limit = rules.limit_of(session, actor=actor)
    for order in orders:
        if order.written_by_id == actor.user_id:
            raise approval.SelfApproval(f"{actor.username} wrote {order.number}: somebody else must approve it")
        amount = purchase_orders.amount_of(order, lines[order.id])
        rules.refuse_over_limit(limit, amount=amount, currency=order.currency, number=order.number)
        _decide(session, order, lines, Decision.APPROVED, actor=actor, now=now, comment=comment)
    planned = supply.plan(session, orders, lines)
    _finish(session, "approve", orders, actor)
    return Approved(order_ids=tuple(order.id for order in orders), planned=tuple(planned))


def reject(session: Session, order_ids: Sequence[int], *, reason: str, actor: Actor, now: datetime) -> None:
    """This function will send submitted orders back to their writer. Raises `ReasonMissing`, `SelfApproval`."""
    actor.require(Role.APPROVER)
    _refuse_without_reason(reason, "rejecting")
    orders, lines = _begin(session, order_ids, "reject")
    for order in orders:
        _decide(session, order, lines, Decision.REJECTED, actor=actor, now=now, comment=reason)
        order.reason = reason
    _finish(session, "reject", orders, actor, reason=reason)


def send(session: Session, order_ids: Sequence[int], *, actor: Actor, now: datetime, today: date) -> list[str]:
    """This function will write the messages that carry approved orders to their suppliers, and return their keys.

    Raises `ContentChanged`, `NotPending`, `OrderUnknown`.
    """
    actor.require(Role.BUYER, Role.SYSTEM)
    orders, lines = _begin(session, order_ids, "send")
    recipients = partners.recipients(session, [order.supplier_id for order in orders])
    skus = items.skus(session, [line.item_id for order in orders for line in lines[order.id]])
    keys = []
    for order in orders:
        content = purchase_orders.content_of(order, lines[order.id])
        approval.require_approved(session, subject_kind=KIND, subject_id=order.id, number=order.number, content=content)
        order.sent_at, order.sent_date = now, today
        keys.append(
            outbox.put(
                session,
                topic=TOPIC,
                recipient=recipients[order.supplier_id],
                document_kind=KIND,
                document_id=order.id,
                payload=_message(order, lines[order.id], skus),
                now=now,
            )
        )
    _finish(session, "send", orders, actor)
    return keys


def cancel(session: Session, order_ids: Sequence[int], *, reason: str, actor: Actor, now: datetime) -> list[Move]:
    """This function will cancel orders: what is outstanding is given up, what was received stays.

    Returns the moves given up. Raises `ReasonMissing`, `OrderUnknown`, `IllegalTransition`.
    """
    actor.require(Role.BUYER)
    _refuse_without_reason(reason, "cancelling")
    orders, _ = _begin(session, order_ids, "cancel")
    given_up = supply.give_up(session, orders, reason=reason, actor=actor)
    for order in orders:
        approval.void(session, subject_kind=KIND, subject_id=order.id, now=now)
        order.reason = reason
    _finish(session, "cancel", orders, actor, reason=reason)
    return given_up


def _begin(session: Session, order_ids: Sequence[int], action: str) -> tuple[list[PurchaseOrder], Lines]:
    """Lock the orders, refuse an action that their states do not allow, and read their lines."""
    orders = purchase_orders.lock(session, order_ids)
    for order in orders:
        MACHINE.advance(order.state, action, number=order.number)
    return orders, purchase_orders.lines_of(session, orders)


def _finish(session: Session, action: str, orders: Sequence[PurchaseOrder], actor: Actor, **detail: Any) -> None:
    """Only when nothing was refused do the orders reach their next state."""
    for order in orders:
        order.state = MACHINE.advance(order.state, action, number=order.number)
    session.flush()
    _audit(session, action, [order.id for order in orders], actor, **detail)


def _decide(
    session: Session,
    order: PurchaseOrder,
    lines: Mapping[int, list[PurchaseOrderLine]],
    decision: Decision,
    *,
    actor: Actor,
    now: datetime,
    comment: str,
) -> None:
    approval.decide(
        session,
        subject_kind=KIND,
        subject_id=order.id,
        number=order.number,
        content=purchase_orders.content_of(order, lines[order.id]),
        decision=decision,
        approver=actor,
        now=now,
        comment=comment,
    )


def _refuse_without_reason(reason: str, doing: str) -> None:
    if not reason.strip():
        raise ReasonMissing(f"{doing} a purchase order needs a reason: its writer reads it")


def _message(order: PurchaseOrder, lines: Sequence[PurchaseOrderLine], skus: Mapping[int, str]) -> dict[str, Any]:
    return {
        "number": order.number,
        "currency": order.currency,
        "lines": [
            {
                "line_id": line.id,
                "sku": skus[line.item_id],
                "quantity": line.quantity,
                "unit_price": str(line.unit_price),
                "due_date": line.due_date.isoformat(),
            }
            for line in lines
        ],
    }


def _audit(session: Session, action: str, order_ids: Sequence[int], actor: Actor, **detail: Any) -> None:
    audit.record(
        session,
        actor=actor,
        verb=f"purchase_order.{action}",
        document_kind=KIND,
        document_ids=list(order_ids),
        **detail,
    )
