"""The verbs of purchase orders: draft, submit, approve, reject, hand over, send, cancel.

Who submits never approves. Approving plans the goods' arrival; sending writes the message to the supplier, which
leaves the system later. Lines are changed in `procurement.amending`. Everything about one order is agreed on under
the lock of its row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from procurement import announcing, deciding, drafting, purchase_orders, supply
from procurement.drafting import OrderLineRequest
from procurement.purchase_orders import KIND, MACHINE, PurchaseOrder, PurchaseOrderLine
from scm.core import approval, audit, outbox
from scm.core.errors import InvalidInput, ScmError
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


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one order of many: approved, or refused for a reason that names the mend."""

    order_id: int
    number: str
    refusal: ScmError | None = None


class ReasonMissing(InvalidInput):
    """Whoever rejects or cancels an order must say why."""


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
    record(session, "draft", orders, actor, now)
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
    record(session, "draft", orders, actor, now)
    return orders


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
    announcing.ask_for_approval(session, orders, lines, requester=actor, now=now)
    _finish(session, "submit", orders, actor, now)


def approve(
    session: Session, order_ids: Sequence[int], *, actor: Actor, now: datetime, today: date, comment: str = ""
) -> Approved:
    """This function will approve submitted orders, plan what they bring and peg it to the demand that waits.

    Raises `SelfApproval` for whoever submitted, wrote or asked for any of it, `OverLimit`, `ContentChanged`,
    `OrderUnknown`.
    """
    actor.require(Role.APPROVER)
    orders, lines = _begin(session, order_ids, "approve")
    judge = deciding.judge(session, orders, actor=actor)
    for order in orders:
        judge.approve(session, order, lines[order.id], now=now, comment=comment)
    return _approved(session, orders, lines, actor=actor, now=now)


def approve_each(
    session: Session, order_ids: Sequence[int], *, actor: Actor, now: datetime, today: date, comment: str = ""
) -> list[Outcome]:
    """This function will approve those of the orders that the actor may approve, and say of each what came of it.

    A refused order stays as it was. Raises `OrderUnknown`, `RoleMissing`.
    """
    actor.require(Role.APPROVER)
    orders = purchase_orders.lock(session, order_ids)
    lines = purchase_orders.lines_of(session, orders)
    judge = deciding.judge(session, orders, actor=actor)
    outcomes, agreed = [], []
    for order in orders:
        try:
            MACHINE.advance(order.state, "approve", number=order.number)
            judge.approve(session, order, lines[order.id], now=now, comment=comment)
        except ScmError as refusal:
            outcomes.append(Outcome(order_id=order.id, number=order.number, refusal=refusal))
        else:
            outcomes.append(Outcome(order_id=order.id, number=order.number))
            agreed.append(order)
    _approved(session, agreed, lines, actor=actor, now=now)
    return outcomes


def reject(session: Session, order_ids: Sequence[int], *, reason: str, actor: Actor, now: datetime) -> None:
    """This function will send submitted orders back to their writer. Raises `ReasonMissing`, `SelfApproval`."""
    actor.require(Role.APPROVER)
    _refuse_without_reason(reason, "rejecting")
    orders, lines = _begin(session, order_ids, "reject")
    judge = deciding.judge(session, orders, actor=actor)
    for order in orders:
        judge.reject(session, order, lines[order.id], now=now, reason=reason)
        order.reason = reason
    _finish(session, "reject", orders, actor, now, reason=reason)


def hand_over(session: Session, order_id: int, *, to: str, actor: Actor, now: datetime, comment: str = "") -> None:
    """This function will ask another approver, by user name, to decide on a submitted order.

    Only somebody who may approve it can be asked. Raises `CannotTakeOver`, `SelfApproval`, `UserUnknown`.
    """
    actor.require(Role.APPROVER)
    [order], lines = _begin(session, [order_id], "hand_over")
    deciding.hand_over(session, order, lines[order.id], to=to, actor=actor, now=now, comment=comment)
    _finish(session, "hand_over", [order], actor, now, to=to, comment=comment)


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
    _finish(session, "send", orders, actor, now)
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
    _finish(session, "cancel", orders, actor, now, reason=reason)
    return given_up


def _begin(session: Session, order_ids: Sequence[int], action: str) -> tuple[list[PurchaseOrder], Lines]:
    """Lock the orders, refuse an action that their states do not allow, and read their lines."""
    orders = purchase_orders.lock(session, order_ids)
    for order in orders:
        MACHINE.advance(order.state, action, number=order.number)
    return orders, purchase_orders.lines_of(session, orders)


def _approved(
    session: Session, orders: Sequence[PurchaseOrder], lines: Lines, *, actor: Actor, now: datetime
) -> Approved:
    planned = supply.plan(session, orders, lines)
    _finish(session, "approve", orders, actor, now)
    return Approved(order_ids=tuple(order.id for order in orders), planned=tuple(planned))


def _finish(
    session: Session, action: str, orders: Sequence[PurchaseOrder], actor: Actor, now: datetime, **detail: Any
) -> None:
    """Only when nothing was refused do the orders reach their next state."""
    for order in orders:
        order.state = MACHINE.advance(order.state, action, number=order.number)
    session.flush()
    record(session, action, [order.id for order in orders], actor, now, **detail)


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


def record(session: Session, action: str, order_ids: Sequence[int], actor: Actor, now: datetime, **detail: Any) -> None:
    """This function will note what was done to orders, with the business time at which it was done."""
    audit.record(
        session,
        actor=actor,
        verb=f"purchase_order.{action}",
        document_kind=KIND,
        document_ids=list(order_ids),
        now=now.isoformat(),
        **detail,
    )
