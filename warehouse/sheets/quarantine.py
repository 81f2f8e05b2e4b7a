"""What lies in quarantine, since when, why, and what it is worth. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.finance import costs
from scm.master.locations import Location, LocationKind, Site
from scm.master.partners import OWN_STOCK
from scm.stock.balances import StockBalance
from scm.stock.lots import NO_LOT, Lot
from scm.stock.moves import MoveState, StockMove
from warehouse import putaway
from warehouse.inspection import ReceiptInspection
from warehouse.sheets.cards import Card, cards


@dataclass(frozen=True, kw_only=True, slots=True)
class QuarantineLine:
    """So much of an item and lot in one quarantine place. `since` and `reason` are those of what came last."""

    location_id: int
    place: str
    card: Card
    lot_id: int
    lot_code: str | None
    expiry_date: date | None
    quantity: int
    value: int
    since: date | None
    reason: str
    document_kind: str
    home_code: str | None


def lying(session: Session, *, site_id: int) -> Sequence[QuarantineLine]:
    """This function will list what lies in a site's quarantine, the longest first, in a fixed number of queries."""
    rows = session.execute(_balances(site_id)).all()
    if not rows:
        return []
    item_ids = {row.item_id for row in rows}
    named = cards(session, item_ids)
    company_id = session.scalars(sa.select(Site.company_id).where(Site.id == site_id)).one()
    cost_of = costs.item_costs(session, company_id=company_id, item_ids=item_ids)
    home_of = _homes(session, item_ids, site_id=site_id)
    return [
        QuarantineLine(
            location_id=row.location_id,
            place=row.code,
            card=named[row.item_id],
            lot_id=row.lot_id,
            lot_code=None if row.lot_id == NO_LOT else row.lot_code,
            expiry_date=row.expiry_date,
            quantity=row.on_hand,
            value=cost_of[row.item_id].average(row.on_hand) if row.item_id in cost_of else 0,
            since=row.posted_date,
            reason=row.reason,
            document_kind=row.document_kind or "",
            home_code=home_of.get(row.item_id),
        )
        for row in rows
    ]


def _balances(site_id: int) -> sa.Select[*tuple[Any, ...]]:
    """What lies there, each with the move that came last and why it came."""
    latest, came = _latest(site_id), sa.orm.aliased(StockMove)
    return (
        sa.select(
            StockBalance.location_id,
            Location.code,
            StockBalance.item_id,
            StockBalance.lot_id,
            Lot.code.label("lot_code"),
            Lot.expiry_date,
            StockBalance.on_hand,
            came.posted_date,
            came.document_kind,
            sa.func.coalesce(_finding(came), came.reason, "").label("reason"),
        )
        .join(Location, Location.id == StockBalance.location_id)
        .join(Lot, Lot.id == StockBalance.lot_id)
        .outerjoin(
            latest,
            sa.and_(
                latest.c.destination_id == StockBalance.location_id,
                latest.c.item_id == StockBalance.item_id,
                latest.c.lot_id == StockBalance.lot_id,
            ),
        )
        .outerjoin(came, came.id == latest.c.move_id)
        .where(
            Location.site_id == site_id,
            Location.kind == LocationKind.QUARANTINE,
            StockBalance.on_hand > 0,
            StockBalance.owner_id == OWN_STOCK,
        )
        .order_by(came.posted_date, StockBalance.item_id, StockBalance.lot_id)
    )


def _latest(site_id: int) -> sa.Subquery:
    """The move that came last to each quarantine place, of each item and lot."""
    return (
        sa.select(
            StockMove.destination_id, StockMove.item_id, StockMove.lot_id, sa.func.max(StockMove.id).label("move_id")
        )
        .join(Location, Location.id == StockMove.destination_id)
        .where(
            Location.site_id == site_id,
            Location.kind == LocationKind.QUARANTINE,
            StockMove.state == MoveState.POSTED,
        )
        .group_by(StockMove.destination_id, StockMove.item_id, StockMove.lot_id)
        .subquery()
    )


def _finding(came: type[StockMove]) -> sa.ScalarSelect[str]:
    """What an inspection found. A delivery that failed in part was split: the finding names the move that waited,
    its child is what failed.
    """
    return (
        sa.select(ReceiptInspection.reason)
        .where(ReceiptInspection.move_id == sa.func.coalesce(came.origin_id, came.id))
        .order_by(ReceiptInspection.id.desc())
        .limit(1)
        .correlate(came)
        .scalar_subquery()
    )


def _homes(session: Session, item_ids: set[int], *, site_id: int) -> Mapping[int, str]:
    """The code of the bin each item has at the site, by item."""
    homes = putaway.homes(session, item_ids, site_id=site_id)
    named = sa.select(Location.id, Location.code).where(Location.id.in_(set(homes.values())))
    codes = {row.id: row.code for row in session.execute(named)}
    return {item_id: codes[location_id] for item_id, location_id in homes.items() if location_id in codes}
