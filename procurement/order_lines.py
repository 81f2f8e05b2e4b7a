"""The lines of one purchase order with all that speaks for each quantity. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import arrivals, edits, inbox, outlook, prices
from procurement.arrivals import LineProgress
from procurement.outlook import Outlook
from procurement.prices import Alternative, Paid
from procurement.proposals import Proposal
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderConfirmation, PurchaseOrderLine
from procurement.urgency import Urgency
from scm.core.users import User
from scm.finance import money
from scm.master.items import BaseUnit, Item


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What a person changed in the proposal of a line."""

    by: str
    at: datetime
    before: int
    after: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """The proposal a line stands on: what the plan said, and who accepted it."""

    id: int
    run_id: int
    quantity: int
    account: Sequence[dict[str, Any]]
    inputs: dict[str, Any]
    risk: dict[str, Any] | None
    assumed: Sequence[str]
    order_date: date
    created_at: datetime
    accepted_by: str
    accepted_at: datetime | None
    edits: Sequence[Edit]


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """What the supplier said last of a line."""

    quantity: int
    due_date: date
    note: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line with its evidence. `amount` is in minor units; `paid` the earlier orders of the item, oldest first."""

    id: int
    item_id: int
    sku: str
    item_name: str
    unit: str
    agreement_id: int
    quantity: int
    unit_price: Decimal
    amount: int
    due_date: date
    lead_time_days: int
    reason: str
    proposed: Proposed | None
    confirmed: Confirmation | None
    progress: LineProgress
    outlook: Outlook
    urgency: Urgency
    paid: Sequence[Paid]
    alternatives: Sequence[Alternative]

    @property
    def changed_by_hand(self) -> bool:
        """Whether the line asks for another quantity than its proposal."""
        return self.proposed is not None and self.proposed.quantity != self.quantity

    @property
    def price_change(self) -> Decimal | None:
        """The change of the price against the item's last order, as a share; none for the first order."""
        return prices.change(self.unit_price, self.paid[-1].unit_price) if self.paid else None


def read(session: Session, order: PurchaseOrder, *, today: date) -> list[Line]:
    """This function will read an order's lines, the most urgent first, in a fixed number of queries."""
    rows = session.execute(_rows(order.id)).all()
    lines = [row.PurchaseOrderLine for row in rows]
    item_ids = sorted({line.item_id for line in lines})
    proposed = _proposed(session, [line.proposal_id for line in lines if line.proposal_id is not None])
    confirmed = _confirmed(session, order.id)
    progress = arrivals.progress_of_lines(session, order.id)
    ahead = outlook.ahead(session, [order.id], site_id=order.site_id, today=today) if lines else {}
    urgent = inbox.urgency_of(lines, ahead, today=today)
    paid = prices.paid(session, item_ids=item_ids, before_order_id=order.id)
    others = prices.alternatives(session, item_ids=item_ids, besides=order.supplier_id)
    found = [
        Line(
            id=line.id,
            item_id=line.item_id,
            sku=row.sku,
            item_name=row.name,
            unit=row.code,
            agreement_id=line.agreement_id,
            quantity=line.quantity,
            unit_price=line.unit_price,
            amount=money.line_amount(unit_price=line.unit_price, quantity=line.quantity, currency=order.currency),
            due_date=line.due_date,
            lead_time_days=line.lead_time_days,
            reason=line.reason,
            proposed=proposed.get(line.proposal_id or 0),
            confirmed=confirmed.get(line.id),
            progress=progress.get(line.id, LineProgress()),
            outlook=ahead[line.item_id],
            urgency=urgent[line.id],
            paid=paid.get(line.item_id, ()),
            alternatives=others.get(line.item_id, ()),
        )
        for row, line in zip(rows, lines, strict=True)
    ]
    return sorted(found, key=lambda line: (line.urgency.level, line.urgency.send_by, -line.amount, line.id))


def _rows(order_id: int) -> sa.Select[PurchaseOrderLine, str, str, str]:
    return (
        sa.select(PurchaseOrderLine, Item.sku, Item.shown_name.label("name"), BaseUnit.code)
        .join(Item, Item.id == PurchaseOrderLine.item_id)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .where(PurchaseOrderLine.order_id == order_id)
        .order_by(PurchaseOrderLine.id)
    )


def _proposed(session: Session, proposal_ids: Sequence[int]) -> Mapping[int, Proposed]:
    standing = edits.standing(session, proposal_ids) if proposal_ids else {}
    rows = session.execute(
        sa.select(Proposal, User.display_name)
        .outerjoin(User, User.id == Proposal.decided_by_id)
        .where(Proposal.id.in_(list(proposal_ids)))
    )
    return {
        proposal.id: Proposed(
            id=proposal.id,
            run_id=proposal.run_id,
            quantity=proposal.quantity,
            account=proposal.account,
            inputs=proposal.inputs,
            risk=proposal.risk,
            assumed=proposal.assumed,
            order_date=proposal.order_date,
            created_at=proposal.created_at,
            accepted_by=name or "",
            accepted_at=proposal.decided_at,
            edits=[
                Edit(
                    by=author,
                    at=edit.edited_at,
                    before=edit.quantity_before,
                    after=edit.quantity_after,
                    reason=edit.reason,
                )
                for edit, author in standing.get(proposal.id, ())
            ],
        )
        for proposal, name in rows
    }


def _confirmed(session: Session, order_id: int) -> dict[int, Confirmation]:
    rows = session.scalars(
        sa.select(PurchaseOrderConfirmation)
        .join(PurchaseOrderLine, PurchaseOrderLine.id == PurchaseOrderConfirmation.line_id)
        .where(PurchaseOrderLine.order_id == order_id)
        .order_by(PurchaseOrderConfirmation.id)
    )
    return {row.line_id: Confirmation(quantity=row.quantity, due_date=row.due_date, note=row.note) for row in rows}
