"""What a planner does about slow movers: stop buying them, or take back what is still on order.

Marking them down is `scm.master.assortment.mark_down`. There is one site, so nothing can be moved to another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import amending, proposals
from procurement.proposals import Proposal, ProposalState
from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderState
from scm.core.errors import Conflict
from scm.core.users import Actor, Role
from scm.master import assortment, items, locations
from scm.master.locations import LocationKind, Site
from scm.stock.moves import MoveState, StockMove


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """What was given up of one item: so many units of so many order lines."""

    lines: int
    quantity: int


class NothingOnOrder(Conflict):
    """No order that was sent owes anything of an item."""


def stop_buying(
    session: Session, item_ids: Sequence[int], *, site_id: int, reason: str, actor: Actor, now: datetime
) -> int:
    """This function will let items sell out and reject what the last plan still proposes of them.

    Returns how many proposals were rejected; the next plan proposes none. Raises `ReasonMissing`, `ItemUnknown`,
    `IllegalTransition`.
    """
    company_id = session.get_one(Site, site_id).company_id
    assortment.stop_buying(session, item_ids, company_id=company_id, reason=reason, actor=actor)
    proposed = list(
        session.scalars(
            sa.select(Proposal.id).where(
                Proposal.site_id == site_id, Proposal.state == ProposalState.OPEN, Proposal.item_id.in_(list(item_ids))
            )
        )
    )
    if proposed:
        proposals.reject(session, proposed, reason=reason, actor=actor, now=now, site_id=site_id)
    return len(proposed)


def take_back(session: Session, item_id: int, *, site_id: int, reason: str, actor: Actor, now: datetime) -> TakenBack:
    """This function will give up what sent orders still owe of an item; what arrived stays, and so do other items.

    Raises `NothingOnOrder`, `ReasonMissing`, `ItemUnknown`.
    """
    actor.require(Role.PLANNER, Role.BUYER)
    sku = items.skus(session, [item_id])[item_id]
    owed = _owed(session, item_id, site_id=site_id)
    if not owed:
        raise NothingOnOrder(
            f"no order that was sent owes anything of {sku}: an order that was not sent is edited or cancelled instead"
        )
    quantity = 0
    for order_id, line_id in owed:
        moves = amending.close_short(session, line_id=line_id, order_id=order_id, reason=reason, actor=actor, now=now)
        quantity += sum(move.quantity for move in moves)
    return TakenBack(lines=len(owed), quantity=quantity)


def _owed(session: Session, item_id: int, *, site_id: int) -> list[tuple[int, int]]:
    """Orders and lines, in the order in which they are locked."""
    supplier = locations.of_kind(session, kind=LocationKind.SUPPLIER, site_id=None)
    rows = session.execute(
        sa.select(StockMove.document_id, StockMove.line_id)
        .join(PurchaseOrder, PurchaseOrder.id == StockMove.document_id)
        .where(
            StockMove.item_id == item_id,
            StockMove.state == MoveState.PLANNED,
            StockMove.source_id == supplier,
            StockMove.document_kind == KIND,
            PurchaseOrder.site_id == site_id,
            PurchaseOrder.state == PurchaseOrderState.SENT,
        )
        .distinct()
        .order_by(StockMove.document_id, StockMove.line_id)
    )
    return [(row.document_id, row.line_id) for row in rows]
