"""Picks that were short: what was not found, for whom, and whether it has found another bin since. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master.items import Item
from scm.sales.documents import SalesOrder
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Reservation
from warehouse.waves import Pick, Wave


@dataclass(frozen=True, slots=True)
class ShortPick:
    """So much of an order line was not in its bin. `promised`: stock elsewhere is kept for it, a wave will find it."""

    wave_number: str
    order_number: str
    sku: str
    item_name: str
    quantity: int
    picked_at: datetime | None
    promised: bool


def open_shorts(session: Session, *, site_id: int) -> Sequence[ShortPick]:
    """This function will list short picks whose goods are still to be picked, the latest first, in one query."""
    promised = sa.exists().where(Reservation.move_id == StockMove.id)
    rows = session.execute(
        sa.select(
            Wave.number,
            SalesOrder.number,
            Item.sku,
            Item.shown_name.label("name"),
            Pick.short_quantity,
            Pick.confirmed_at,
            promised,
        )
        .join(Wave, Wave.id == Pick.wave_id)
        .join(StockMove, StockMove.id == Pick.move_id)
        .join(SalesOrder, SalesOrder.id == StockMove.document_id)
        .join(Item, Item.id == StockMove.item_id)
        .where(
            Wave.site_id == site_id,
            Pick.short_quantity > 0,
            StockMove.state == MoveState.PLANNED,
            ~StockMove.allocated,
        )
        .order_by(Pick.confirmed_at.desc(), Pick.move_id)
    )
    return [ShortPick(row[0], row[1], row[2], row[3], row[4], row[5], bool(row[6])) for row in rows]
