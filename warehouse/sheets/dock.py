"""What stands at the dock: to be inspected, or to be put away and where. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.master import locations
from scm.master.locations import Location, LocationKind
from scm.stock import moves
from scm.stock.lots import NO_LOT, Lot
from scm.stock.moves import Move, MoveState, StockMove
from warehouse import putaway
from warehouse.inspection import ReceiptInspection
from warehouse.receiving import GoodsReceipt, GoodsReceiptLine
from warehouse.sheets.cards import Card, cards


@dataclass(frozen=True, kw_only=True, slots=True)
class DockLine:
    """Goods of one received line that wait at the dock. What may be put away has a suggested bin."""

    move_id: int
    card: Card
    quantity: int
    lot_code: str | None
    expiry_date: date | None
    receipt_number: str
    received_at: datetime | None
    to_inspect: bool
    bin_id: int | None
    bin_code: str | None


def standing(session: Session, *, site_id: int) -> Sequence[DockLine]:
    """This function will list what waits at a site's dock, the oldest first, in a fixed number of queries."""
    source, destination = aliased(Location), aliased(Location)
    looked_at = sa.exists().where(ReceiptInspection.move_id == StockMove.id)
    rows = session.execute(
        sa.select(
            *StockMove.__table__.columns,
            Lot.code.label("lot_code"),
            Lot.expiry_date,
            GoodsReceipt.number.label("receipt_number"),
            GoodsReceipt.received_at,
            sa.and_(StockMove.needs_inspection, ~looked_at).label("to_inspect"),
        )
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .join(Lot, Lot.id == StockMove.lot_id)
        .outerjoin(GoodsReceiptLine, GoodsReceiptLine.move_id == StockMove.previous_id)
        .outerjoin(GoodsReceipt, GoodsReceipt.id == GoodsReceiptLine.receipt_id)
        .where(
            StockMove.state == MoveState.PLANNED,
            source.site_id == site_id,
            source.kind == LocationKind.DOCK,
            destination.kind == LocationKind.STORAGE,
        )
        .order_by(StockMove.id)
    ).all()
    if not rows:
        return []
    extra = {"lot_code", "expiry_date", "receipt_number", "received_at", "to_inspect"}
    waiting = [Move(**{name: value for name, value in row._mapping.items() if name not in extra}) for row in rows]
    ready = [move for move, row in zip(waiting, rows, strict=True) if not row.to_inspect]
    bins = putaway.suggest(session, ready, site_id=site_id) if ready else {}
    places = locations.places(session, set(bins.values()))
    named = cards(session, {move.item_id for move in waiting})
    return [
        DockLine(
            move_id=row.id,
            card=named[row.item_id],
            quantity=row.quantity,
            lot_code=None if row.lot_id == NO_LOT else row.lot_code,
            expiry_date=row.expiry_date,
            receipt_number=row.receipt_number or "",
            received_at=row.received_at,
            to_inspect=bool(row.to_inspect),
            bin_id=bins.get(row.id),
            bin_code=places[bins[row.id]].code if row.id in bins else None,
        )
        for row in rows
    ]


def of_site(session: Session, move_ids: Sequence[int], *, site_id: int) -> list[int]:
    """This function will check that moves start at a site and give their ids back. Raises `MoveUnknown`."""
    rows = session.scalars(
        sa.select(StockMove.id)
        .join(Location, Location.id == StockMove.source_id)
        .where(StockMove.id.in_(move_ids), Location.site_id == site_id)
    )
    absent = sorted(set(move_ids) - set(rows))
    if absent:
        raise moves.MoveUnknown(f"nothing of this site waits as move {absent[0]}")
    return list(move_ids)
