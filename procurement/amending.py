"""How an order is changed: its lines edited, added, removed, or the rest of one given up.

What was not sent becomes a draft again, its approval void. What was sent is changed only by giving up what is owed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from procurement import authors, drafting, orders, purchase_orders, supply
from procurement.drafting import OrderLineRequest
from procurement.orders import ReasonMissing
from procurement.purchase_orders import (
    KIND,
    MACHINE,
    OrderUnknown,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseOrderState,
)
from scm.core import approval
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.stock.moves import Move


class AlreadyReceived(Conflict):
    """Goods of the order have arrived: its lines are facts now."""


class NothingOrdered(InvalidInput):
    """An edit changes nothing, or would leave an order without lines."""


class NothingOwed(Conflict):
    """The supplier owes nothing of a line any more."""


def edit_line(
    session: Session,
    *,
    line_id: int,
    quantity: int | None = None,
    due_date: date | None = None,
    order_id: int | None = None,
    actor: Actor,
    now: datetime,
    today: date,
) -> None:
    """This function will change a line of an order that was not sent; the order is a draft again.

    A request for approval, or an approval, becomes void, and what an approval planned is given up. `order_id` says on
    which order the line must stand. Raises `OrderUnknown`, `NothingOrdered`, `AlreadyReceived`, `BadLine`,
    `IllegalTransition`.
    """
    actor.require(Role.BUYER)
    if quantity is None and due_date is None:
        raise NothingOrdered(f"purchase order line {line_id}: name a new quantity or due date")
    order, lines = _lock(session, line_id=line_id, order_id=order_id, action="edit")
    line = lines[line_id]
    _reopen(session, order, actor=actor, now=now)
    before = {"quantity": line.quantity, "due_date": line.due_date.isoformat()}
    line.quantity = line.quantity if quantity is None else quantity
    line.due_date = line.due_date if due_date is None else due_date
    drafting.check_line(session, line, today=today)
    session.flush()
    after = {"quantity": line.quantity, "due_date": line.due_date.isoformat()}
    orders.record(session, "edit", [order.id], actor, now, line_id=line_id, before=before, **after)


def add_lines(
    session: Session, order_id: int, lines: Sequence[OrderLineRequest], *, actor: Actor, now: datetime, today: date
) -> list[int]:
    """This function will add lines to an order that was not sent, and return their ids; the order is a draft again.

    Raises `BadLine` for another supplier's agreement or an item that stands on the order, and what `edit_line` raises.
    """
    actor.require(Role.BUYER)
    if not lines:
        raise NothingOrdered(f"purchase order {order_id}: name at least one line to add")
    [order] = purchase_orders.lock(session, [order_id])
    MACHINE.advance(order.state, "edit", number=order.number)
    _reopen(session, order, actor=actor, now=now)
    added = drafting.add_to(session, order, lines, today=today)
    orders.record(session, "add", [order.id], actor, now, lines=[_told(line) for line in added])
    return [line.id for line in added]


def remove_line(
    session: Session, *, line_id: int, order_id: int | None = None, actor: Actor, now: datetime, today: date
) -> None:
    """This function will take a line off an order that was not sent; the order is a draft again.

    A proposal that stood on it waits to be ordered again. Raises `NothingOrdered` for the last line, and what
    `edit_line` raises.
    """
    actor.require(Role.BUYER)
    order, lines = _lock(session, line_id=line_id, order_id=order_id, action="edit")
    if len(lines) == 1:
        raise NothingOrdered(f"{order.number} would have no line left: cancel the order instead")
    _reopen(session, order, actor=actor, now=now)
    line = lines[line_id]
    told = _told(line) | {"proposal_id": line.proposal_id}
    session.delete(line)
    session.flush()
    orders.record(session, "remove", [order.id], actor, now, **told)


def close_short(
    session: Session, *, line_id: int, reason: str, order_id: int | None = None, actor: Actor, now: datetime
) -> list[Move]:
    """This function will give up what the supplier still owes of one line of a sent order; what came stays.

    Returns the moves given up. Raises `ReasonMissing`, `NothingOwed`, `OrderUnknown`, `IllegalTransition`.
    """
    actor.require(Role.BUYER, Role.PLANNER)  # who plans demand may stop its supply; only a buyer orders
    if not reason.strip():
        raise ReasonMissing("giving up the rest of a line needs a reason: the planner reads it")
    order, _ = _lock(session, line_id=line_id, order_id=order_id, action="close_short")
    given_up = supply.give_up(session, [order], line_id=line_id, reason=reason, actor=actor)
    if not given_up:
        raise NothingOwed(f"{order.number} line {line_id}: the supplier owes nothing of it any more")
    quantity = sum(move.quantity for move in given_up)
    orders.record(session, "close_short", [order.id], actor, now, line_id=line_id, quantity=quantity, reason=reason)
    return given_up


def _lock(
    session: Session, *, line_id: int, order_id: int | None, action: str
) -> tuple[PurchaseOrder, dict[int, PurchaseOrderLine]]:
    found = drafting.order_of_line(session, line_id=line_id)
    if order_id not in (None, found):
        raise OrderUnknown(f"purchase order {order_id} has no line {line_id}")
    [order] = purchase_orders.lock(session, [found])
    MACHINE.advance(order.state, action, number=order.number)
    lines = {line.id: line for line in purchase_orders.lines_of(session, [order])[order.id]}
    if line_id not in lines:
        raise OrderUnknown(f"{order.number} has no line {line_id} any more")
    return order, lines


def _reopen(session: Session, order: PurchaseOrder, *, actor: Actor, now: datetime) -> None:
    """Make a draft of an order that was not sent: what was agreed on is void, what was planned is given up."""
    if order.state is PurchaseOrderState.APPROVED:
        if supply.progress(session, [order.id])[order.id].received:
            raise AlreadyReceived(f"{order.number}: goods have arrived, cancel what is outstanding instead of editing")
        supply.give_up(session, [order], reason=f"{order.number} was edited", actor=actor)
    approval.void(session, subject_kind=KIND, subject_id=order.id, now=now)
    authors.note(session, [order.id], actor=actor)
    order.state, order.written_by_id = MACHINE.advance(order.state, "edit", number=order.number), actor.user_id


def _told(line: PurchaseOrderLine) -> dict[str, object]:
    return {
        "line_id": line.id,
        "item_id": line.item_id,
        "quantity": line.quantity,
        "due_date": line.due_date.isoformat(),
        "reason": line.reason,
    }
