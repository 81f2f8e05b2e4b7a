"""What came of each line of a purchase order, and what is still planned to come. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement.purchase_orders import KIND, PurchaseOrder
from scm.master import locations
from scm.master.locations import Location, LocationKind
from scm.stock.moves import MoveState, StockMove


def is_owed() -> sa.ColumnElement[bool]:
    """This function will give the condition that something of a purchase order is still planned to come."""
    return sa.exists().where(
        StockMove.document_kind == KIND,
        StockMove.document_id == PurchaseOrder.id,
        StockMove.state == MoveState.PLANNED,
        StockMove.source_id == Location.id,
        Location.kind == LocationKind.SUPPLIER,
    )


@dataclass(frozen=True, kw_only=True)
class LineProgress:
    """How far one line has come: received, still planned to come, and by when."""

    received: int = 0
    outstanding: int = 0
    coming_date: date | None = None


def progress_of_lines(session: Session, order_id: int) -> dict[int, LineProgress]:
    """This function will read how far each line of an order has come, by line; lines nobody planned are missing."""
    supplier = locations.of_kind(session, kind=LocationKind.SUPPLIER, site_id=None)
    rows = session.execute(
        sa.select(
            StockMove.line_id,
            sa.func.sum(_when(StockMove.state == MoveState.POSTED, StockMove.source_id == supplier)),
            sa.func.sum(_when(StockMove.state == MoveState.POSTED, StockMove.destination_id == supplier)),
            sa.func.sum(_when(StockMove.state == MoveState.PLANNED, StockMove.source_id == supplier)),
            sa.func.min(sa.case((StockMove.state == MoveState.PLANNED, StockMove.due_date))),
        )
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id == order_id,
            sa.or_(StockMove.source_id == supplier, StockMove.destination_id == supplier),
        )
        .group_by(StockMove.line_id)
    )
    return {
        line_id: LineProgress(
            received=int(came) - int(went_back), outstanding=int(outstanding), coming_date=coming_date
        )
        for line_id, came, went_back, outstanding, coming_date in rows
    }


def _when(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((sa.and_(*conditions), StockMove.quantity), else_=0)
