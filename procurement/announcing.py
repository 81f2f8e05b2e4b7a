"""Tells those who subscribed that a purchase order waits for their approval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import purchase_orders
from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderLine
from scm.core import webhooks
from scm.core.users import Actor
from scm.finance import money
from scm.master.partners import Partner


def ask_for_approval(
    session: Session,
    orders: Sequence[PurchaseOrder],
    lines: Mapping[int, Sequence[PurchaseOrderLine]],
    *,
    requester: Actor,
    now: datetime,
) -> None:
    """This function will write the messages that submitted orders put to the subscribed webhooks."""
    suppliers = sorted({order.supplier_id for order in orders})
    rows = session.execute(sa.select(Partner.id, Partner.name).where(Partner.id.in_(suppliers)))
    names: dict[int, str] = {row.id: row.name for row in rows}
    webhooks.announce(
        session,
        topic=webhooks.APPROVAL_ASKED,
        document_kind=KIND,
        payloads={
            order.id: {
                "number": order.number,
                "supplier": names[order.supplier_id],
                "amount": money.show(purchase_orders.amount_of(order, lines[order.id]), order.currency),
                "lines": len(lines[order.id]),
                "requester": requester.username,
            }
            for order in orders
        },
        now=now,
    )
