"""What suppliers confirm: how much of each line of a sent order they will bring, and when.

The plan counts on what was confirmed from then on: the planned arrival is moved to the confirmed day, and what the
supplier will not bring is given up. The line keeps what was ordered, so that the difference stays visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from procurement import orders, purchase_orders, supply
from procurement.purchase_orders import KIND, MACHINE, OrderUnknown, PurchaseOrder, PurchaseOrderConfirmation
from procurement.supply import Wanted
from scm.core.errors import InvalidInput
from scm.core.users import Actor, Role
from scm.stock import moves
from scm.stock.moves import Move, MoveState


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """What the supplier says of one line: so much of what it owes, on this day."""

    line_id: int
    quantity: int
    due_date: date
    note: str = ""


class BadConfirmation(InvalidInput):
    """A supplier cannot confirm more than it owes, nothing, or a day that has passed."""


def confirm(
    session: Session, order_id: int, confirmed: Sequence[Confirmed], *, actor: Actor, now: datetime, today: date
) -> list[Move]:
    """This function will record what the supplier of a sent order confirms, and plan the arrivals by it.

    Returns the moves planned anew. Raises `BadConfirmation`, `OrderUnknown`, `IllegalTransition`.
    """
    actor.require(Role.BUYER)
    if not confirmed:
        raise BadConfirmation(f"purchase order {order_id}: name at least one line that was confirmed")
    [order] = purchase_orders.lock(session, [order_id])
    order.state = MACHINE.advance(order.state, "confirm", number=order.number)
    lines = {line.id: line for line in purchase_orders.lines_of(session, [order]).get(order.id, ())}
    owed = moves.of_documents(session, kind=KIND, document_ids=[order.id], states=[MoveState.PLANNED])
    wanted = []
    for one in confirmed:
        if one.line_id not in lines:
            raise OrderUnknown(f"{order.number} has no line {one.line_id}")
        open_moves = [move for move in owed if move.line_id == one.line_id]
        _refuse(order, one, owed=sum(move.quantity for move in open_moves), today=today)
        if [(move.quantity, move.due_date) for move in open_moves] != [(one.quantity, one.due_date)]:
            given_up = supply.give_up(
                session, [order], line_id=one.line_id, reason=f"confirmed for {one.due_date}", actor=actor
            )
            # What arrived at the door at this moment is no longer owed, so it cannot be confirmed.
            _refuse(order, one, owed=sum(move.quantity for move in given_up), today=today)
            over = sum(move.over_quantity for move in given_up)
            line = lines[one.line_id]
            wanted.append(
                Wanted(order=order, line=line, quantity=one.quantity, due_date=one.due_date, over_quantity=over)
            )
    planned = supply.plan_anew(session, wanted)
    session.add_all(
        PurchaseOrderConfirmation(
            line_id=one.line_id,
            quantity=one.quantity,
            due_date=one.due_date,
            note=one.note,
            confirmed_at=now,
            recorded_by_id=actor.user_id,
        )
        for one in confirmed
    )
    session.flush()
    told = [{"line_id": o.line_id, "quantity": o.quantity, "due_date": o.due_date.isoformat()} for o in confirmed]
    orders.record(session, "confirm", [order.id], actor, now, lines=told)
    return planned


def _refuse(order: PurchaseOrder, one: Confirmed, *, owed: int, today: date) -> None:
    line = f"{order.number} line {one.line_id}"
    if type(one.quantity) is not int or not 0 < one.quantity <= owed:
        raise BadConfirmation(f"{line}: {one.quantity} cannot be confirmed, {owed} are owed: confirm 1 to {owed}")
    if one.due_date < today:
        raise BadConfirmation(f"{line}: {one.due_date} has passed: confirm {today} or a later day")
