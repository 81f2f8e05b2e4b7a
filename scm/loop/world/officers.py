"""The planner, the procurement officer and the approver, who answer last night's proposals each morning.

Each takes up whatever waits for them, so that a morning that was interrupted is finished by the next.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from procurement import accepting, orders, proposals
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderState
from scm.loop.world.stage import Stage


def answer_proposals(stage: Stage, *, today: date) -> list[int]:
    """This function will accept the open proposals, order them with another person's approval, and send the orders.

    Returns the ids of the purchase orders.
    """
    now = stage.at(today, 8)
    site_id = stage.setup.site_id
    planner, buyer, approver = stage.person("planner"), stage.person("buyer"), stage.person("approver")
    open_ids = stage.look(lambda session: proposals.open_ids(session, site_id=site_id))
    if open_ids:
        stage.act(lambda session: accepting.accept(session, open_ids, actor=planner, now=now, today=today))
    stage.act(lambda session: orders.draft(session, actor=buyer, now=now, today=today))
    drafts = _waiting(stage, PurchaseOrderState.DRAFT)
    if drafts:
        stage.act(lambda session: orders.submit(session, drafts, actor=buyer, now=now))
    submitted = _waiting(stage, PurchaseOrderState.SUBMITTED)
    if submitted:
        stage.act(lambda session: orders.approve(session, submitted, actor=approver, now=now, today=today))
    approved = _waiting(stage, PurchaseOrderState.APPROVED)
    if approved:
        stage.act(lambda session: orders.send(session, approved, actor=buyer, now=now, today=today))
    return approved


def _waiting(stage: Stage, state: PurchaseOrderState) -> list[int]:
    site_id = stage.setup.site_id
    statement = sa.select(PurchaseOrder.id).where(PurchaseOrder.site_id == site_id, PurchaseOrder.state == state)
    return stage.look(lambda session: list(session.scalars(statement.order_by(PurchaseOrder.id))))
