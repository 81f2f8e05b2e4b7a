"""One verb on many purchase orders, each for itself: what is refused stays as it was and says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from procurement import orders, purchase_orders
from procurement.orders import Outcome
from scm.core.errors import ScmError
from scm.core.users import Actor


def submit_each(session: Session, order_ids: Sequence[int], *, actor: Actor, now: datetime) -> list[Outcome]:
    """This function will submit those of the orders that can be. Raises `OrderUnknown`."""
    return _each(session, order_ids, lambda order_id: orders.submit(session, [order_id], actor=actor, now=now))


def reject_each(
    session: Session, order_ids: Sequence[int], *, reason: str, actor: Actor, now: datetime
) -> list[Outcome]:
    """This function will send those of the orders back that the actor may decide on. Raises `OrderUnknown`."""
    return _each(
        session,
        order_ids,
        lambda order_id: orders.reject(session, [order_id], reason=reason, actor=actor, now=now),
    )


def send_each(session: Session, order_ids: Sequence[int], *, actor: Actor, now: datetime, today: date) -> list[Outcome]:
    """This function will send those of the orders that are approved as they stand. Raises `OrderUnknown`."""
    return _each(
        session, order_ids, lambda order_id: orders.send(session, [order_id], actor=actor, now=now, today=today)
    )


def _each(session: Session, order_ids: Sequence[int], verb: Callable[[int], object]) -> list[Outcome]:
    """All are locked first, in order, so that two people's bulks wait for each other and never for ever."""
    outcomes = []
    for order in purchase_orders.lock(session, order_ids):
        number, refusal = order.number, None
        try:
            with session.begin_nested():
                verb(order.id)
        except ScmError as refused:
            refusal = refused
        outcomes.append(Outcome(order_id=order.id, number=number, refusal=refusal))
    return outcomes
