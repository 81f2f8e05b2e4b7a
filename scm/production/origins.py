"""What asked for a work order, and taking the answer back: the order is cancelled, and its origin may ask again."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import Conflict
from scm.core.users import Actor
from scm.production import documents, orders
from scm.production.documents import WorkOrder, WorkOrderState


class AlreadyReleased(Conflict):
    """An order has gone to the floor, or was ended: it cannot be taken back as if nobody had asked for it."""


def withdraw(session: Session, *, origin_kind: str, origin_id: int, reason: str, actor: Actor, now: datetime) -> None:
    """This function will cancel the order of an origin, so that the origin may be answered anew; without one, nothing.

    Raises `AlreadyReleased` unless the order is only planned.
    """
    order_id = session.scalar(
        sa.select(WorkOrder.id).where(WorkOrder.origin_kind == origin_kind, WorkOrder.origin_id == origin_id)
    )
    if order_id is None:
        return
    [order] = documents.lock(session, [order_id])
    if order.state is not WorkOrderState.PLANNED:
        raise AlreadyReleased(
            f"{order.number} is {order.state.value}: what asked for it cannot be taken back; end the work order instead"
        )
    orders.cancel(session, [order_id], reason=reason, actor=actor, now=now)
    order.origin_kind = order.origin_id = None
    session.flush()
