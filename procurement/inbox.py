"""The orders that wait for approval, as an approver reads them: the most urgent first. Reads only.

Whether the reader may decide on an order is found by the same checks as the decision itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from procurement import deciding, outlook, purchase_orders, splits, urgency
from procurement.deciding import Judge
from procurement.outlook import Outlook
from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from procurement.splits import Split
from procurement.urgency import Urgency
from scm.core import approval
from scm.core.approval import Approval, ApprovalHandover, Decision
from scm.core.errors import ScmError
from scm.core.users import Actor, User
from scm.master.items import Item
from scm.master.partners import Partner

MOST = 500


@dataclass(frozen=True, kw_only=True)
class Handed:
    """Whom an approver asked to decide."""

    from_name: str
    to_id: int
    to_name: str
    comment: str


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One submitted order. `amount` is in minor units; `refusal` says why the reader may not approve it."""

    order_id: int
    number: str
    supplier_code: str
    supplier_name: str
    lines: int
    amount: int
    currency: str
    requester: str
    requested_at: datetime
    due_date: date
    urgency: Urgency
    out_sku: str
    handed: Handed | None
    split: Split | None
    refusal: ScmError | None
    largest: int | None
    reader_id: int

    @property
    def elsewhere(self) -> bool:
        """Whether it was handed to somebody else than the reader."""
        return self.handed is not None and self.handed.to_id != self.reader_id

    @property
    def mine(self) -> bool:
        """Whether it waits for the reader: they may approve it, and it was not handed to somebody else."""
        return self.refusal is None and not self.elsewhere


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """All submitted orders of a site, those the reader may decide on first; `more` when there are too many to read."""

    waiting: Sequence[Waiting]
    more: bool

    @property
    def mine(self) -> Sequence[Waiting]:
        """Those that wait for the reader."""
        return [one for one in self.waiting if one.mine]


def read(session: Session, *, site_id: int, actor: Actor, today: date) -> Inbox:
    """This function will read the inbox in a fixed number of queries, whatever it holds."""
    rows = session.execute(_submitted(site_id)).all()
    orders = [row.PurchaseOrder for row in rows[:MOST]]
    ids = [order.id for order in orders]
    lines: dict[int, list[PurchaseOrderLine]] = purchase_orders.lines_of(session, orders) if orders else {}
    skus = _skus(session, {line.item_id for some in lines.values() for line in some})
    ahead = outlook.ahead(session, ids, site_id=site_id, today=today) if orders else {}
    split = splits.suspected(session, ids)
    handed = handovers(session, [row.approval_id for row in rows])
    judge = deciding.judge(session, orders, actor=actor)
    waiting = [
        _waiting(row, lines[row.PurchaseOrder.id], skus, ahead, split, handed, judge, today=today)
        for row in rows[:MOST]
        if lines.get(row.PurchaseOrder.id)
    ]
    waiting.sort(key=lambda one: (not one.mine, one.urgency.level, one.urgency.send_by, -one.amount, one.order_id))
    return Inbox(waiting=waiting, more=len(rows) > MOST)


def handovers(session: Session, approval_ids: Sequence[int]) -> dict[int, Handed]:
    """This function will read the newest handover of requests, by request."""
    giver, taker = aliased(User), aliased(User)
    rows = session.execute(
        sa.select(
            ApprovalHandover.approval_id,
            ApprovalHandover.to_id,
            ApprovalHandover.comment,
            giver.display_name.label("from_name"),
            taker.display_name.label("to_name"),
        )
        .join(giver, giver.id == ApprovalHandover.from_id)
        .join(taker, taker.id == ApprovalHandover.to_id)
        .where(ApprovalHandover.approval_id.in_(list(approval_ids)))
        .order_by(ApprovalHandover.id)
    )
    return {
        row.approval_id: Handed(from_name=row.from_name, to_id=row.to_id, to_name=row.to_name, comment=row.comment)
        for row in rows
    }


def refusal_of(
    judge: Judge,
    order: PurchaseOrder,
    lines: Sequence[PurchaseOrderLine],
    *,
    requester_id: int,
) -> ScmError | None:
    """This function will give the refusal an approval by this person would meet, or none."""
    try:
        approval.refuse_requester(requester_id=requester_id, approver=judge.actor, number=order.number)
        judge.refuse(order, lines)
    except ScmError as refusal:
        return refusal
    return None


def urgency_of(lines: Sequence[PurchaseOrderLine], ahead: dict[int, Outlook], *, today: date) -> dict[int, Urgency]:
    """This function will tell how urgent each line is, by line."""
    return {
        line.id: urgency.of_line(
            out_date=ahead[line.item_id].out_without if line.item_id in ahead else None,
            lead_time_days=line.lead_time_days,
            today=today,
        )
        for line in lines
    }


def _waiting(
    row: sa.Row[Any],
    lines: Sequence[PurchaseOrderLine],
    skus: dict[int, str],
    ahead: dict[int, Outlook],
    split: dict[int, Split],
    handed: dict[int, Handed],
    judge: Judge,
    *,
    today: date,
) -> Waiting:
    order: PurchaseOrder = row.PurchaseOrder
    urgent = urgency_of(lines, ahead, today=today)
    first = min(lines, key=lambda line: (urgent[line.id].level, urgent[line.id].send_by, line.id))
    return Waiting(
        order_id=order.id,
        number=order.number,
        supplier_code=row.code,
        supplier_name=row.name,
        lines=len(lines),
        amount=purchase_orders.amount_of(order, lines),
        currency=order.currency,
        requester=row.display_name,
        requested_at=row.requested_at,
        due_date=min(line.due_date for line in lines),
        urgency=urgent[first.id],
        out_sku=skus[first.item_id] if urgent[first.id].out_date else "",
        handed=handed.get(row.approval_id),
        split=split.get(order.id),
        refusal=refusal_of(judge, order, lines, requester_id=row.requester_id),
        reader_id=judge.actor.user_id,
        largest=judge.limit.largest.get(order.currency),
    )


def _submitted(site_id: int) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            PurchaseOrder,
            Partner.code,
            Partner.name,
            Approval.id.label("approval_id"),
            Approval.requester_id,
            Approval.requested_at,
            User.display_name,
        )
        .join(Partner, Partner.id == PurchaseOrder.supplier_id)
        .join(Approval, sa.and_(Approval.subject_kind == KIND, Approval.subject_id == PurchaseOrder.id))
        .join(User, User.id == Approval.requester_id)
        .where(
            PurchaseOrder.site_id == site_id,
            PurchaseOrder.state == PurchaseOrderState.SUBMITTED,
            Approval.decision == Decision.PENDING,
        )
        .order_by(Approval.requested_at, PurchaseOrder.id)
        .limit(MOST + 1)
    )


def _skus(session: Session, item_ids: set[int]) -> dict[int, str]:
    rows = session.execute(sa.select(Item.id, Item.sku).where(Item.id.in_(sorted(item_ids))))
    found: dict[int, str] = defaultdict(str)
    found.update((row.id, row.sku) for row in rows)
    return found
