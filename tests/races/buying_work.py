"""What the processes of a crew do with one purchase order. Each function is given its `Mate` first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from unittest import mock

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import amending, orders, purchase_orders
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderState
from scm.core import approval, db
from scm.core.approval import Approval
from scm.core.users import Actor
from tests.races.crew import Mate
from tests.races.work import no_begin
from tests.stock.ground import NOW

TODAY = date(2026, 1, 5)


def approve(mate: Mate, approvers: Sequence[Actor], order_id: int) -> str:
    """This function will approve an order that others approve at the same moment: the second in bulk."""
    mate.meet()
    actor = approvers[mate.number]
    if mate.number == 0:
        mate.database.run(lambda s: orders.approve(s, [order_id], actor=actor, now=NOW, today=TODAY))
        return "approved"
    [outcome] = mate.database.run(lambda s: orders.approve_each(s, [order_id], actor=actor, now=NOW, today=TODAY))
    if outcome.refusal is not None:
        raise outcome.refusal
    return "approved"


def without_locks_approve(mate: Mate, approvers: Sequence[Actor], order_id: int) -> str:
    """This function will approve an order that both have read before either writes."""

    def read(session: Session, order_ids: Iterable[int]) -> list[PurchaseOrder]:
        return list(session.scalars(sa.select(PurchaseOrder).where(PurchaseOrder.id.in_(list(order_ids)))))

    def pending(session: Session, *, subject_kind: str, subject_id: int) -> Approval | None:
        row = session.scalars(sa.select(Approval)).one()
        mate.meet()
        return row

    with (
        mock.patch.object(purchase_orders, "lock", read),
        mock.patch.object(approval, "_open", pending),
        mock.patch.object(db, "_begin_sqlite", no_begin),
    ):
        database = db.Database(mate.database.url.render_as_string(hide_password=False))
        with database.unit_of_work(write=True) as session:
            orders.approve(session, [order_id], actor=approvers[mate.number], now=NOW, today=TODAY)
        database.dispose()
    return "approved"


def approve_or_edit(mate: Mate, approver: Actor, buyer: Actor, order_id: int, line_id: int) -> str:
    """This function will approve an order while the other process changes it."""
    mate.meet()
    if mate.number == 0:
        mate.database.run(lambda s: orders.approve(s, [order_id], actor=approver, now=NOW, today=TODAY))
        return "approved"
    mate.database.run(lambda s: amending.edit_line(s, line_id=line_id, quantity=70, actor=buyer, now=NOW, today=TODAY))
    return "edited"


def state_of(database: db.Database, order_id: int) -> PurchaseOrderState:
    """This function will read where an order stands."""
    with database.unit_of_work(write=False) as session:
        return session.get_one(PurchaseOrder, order_id).state
