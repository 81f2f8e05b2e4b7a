"""What a planner does about slow movers: stop buying them, mark them down, take back what is still on order.

There is one site, so nothing can be moved to another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import amending, proposals
from procurement.proposals import Proposal, ProposalState
from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderState
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.finance import money
from scm.master import assortment, items, locations
from scm.master.companies import Company
from scm.master.items import Item
from scm.master.locations import LocationKind, Site
from scm.stock.moves import MoveState, StockMove


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """What was given up of one item: so many units of so many order lines."""

    lines: int
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a decision about many items: those it was taken for, and why not for the others."""

    done: tuple[int, ...]
    refused: tuple[tuple[str, str], ...]  # SKU, reason


class NothingOnOrder(Conflict):
    """No order that was sent owes anything of an item."""


class BadShare(InvalidInput):
    """A markdown by a share is by more than nothing and less than everything."""


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


def stop_buying_each(
    session: Session, item_ids: Sequence[int], *, site_id: int, reason: str, actor: Actor, now: datetime
) -> Outcome:
    """This function will stop buying those items that are bought, and say of each other why it stays as it is."""
    return _each(
        session,
        item_ids,
        lambda item_id: stop_buying(session, [item_id], site_id=site_id, reason=reason, actor=actor, now=now),
    )


def buy_again_each(session: Session, item_ids: Sequence[int], *, site_id: int, reason: str, actor: Actor) -> Outcome:
    """This function will let the next plan buy items again, and say of each other why it stays as it is."""
    company_id = session.get_one(Site, site_id).company_id
    return _each(
        session,
        item_ids,
        lambda item_id: assortment.buy_again(session, [item_id], company_id=company_id, reason=reason, actor=actor),
    )


def mark_down_each(
    session: Session, item_ids: Sequence[int], *, site_id: int, share: Decimal, reason: str, actor: Actor
) -> Outcome:
    """This function will lower sale prices by a share, rounded down to the currency's smallest coin.

    Raises `BadShare`; an item without a price, or whose price is too small to be lowered so, is refused by itself.
    """
    if not (share.is_finite() and 0 < share < 1):
        raise BadShare(f"a markdown by {share * 100}% cannot be: give more than 0 and less than 100")
    company = session.get_one(Company, session.get_one(Site, site_id).company_id)
    coin = Decimal(1).scaleb(-money.places(company.currency))
    prices = {
        row.id: (row.sale_price * (1 - share)).quantize(coin, rounding=ROUND_FLOOR)
        for row in session.execute(sa.select(Item.id, Item.sale_price).where(Item.id.in_(list(item_ids))))
        if row.sale_price is not None
    }
    return _each(
        session,
        item_ids,
        lambda item_id: assortment.mark_down(
            session, {item_id: prices.get(item_id, Decimal(0))}, company_id=company.id, reason=reason, actor=actor
        ),
    )


def _each(session: Session, item_ids: Sequence[int], decide: Callable[[int], object]) -> Outcome:
    """Each in its own savepoint, in the order of the ids, as they are locked."""
    wanted = sorted(set(item_ids))
    skus = items.skus(session, wanted)
    done, refused = [], []
    for item_id in wanted:
        try:
            with session.begin_nested():
                decide(item_id)
        except (Conflict, assortment.BadMarkdown) as error:
            refused.append((skus[item_id], str(error)))
        else:
            done.append(item_id)
    return Outcome(done=tuple(done), refused=tuple(refused))


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
