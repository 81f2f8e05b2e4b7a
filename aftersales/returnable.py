"""What of an order may still come back: delivered, less what is on its way back or has arrived. Reads only.

`origins` reads the same under a lock when a return is authorized; this is for whoever looks first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from aftersales.documents import KIND, ReturnLine
from scm.master.items import Item
from scm.master.locations import Location, LocationKind
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import SalesOrderLine
from scm.stock.lots import Lot
from scm.stock.moves import MoveState, StockMove


@dataclass(frozen=True, kw_only=True)
class Returnable:
    """One line of an order, and how many of its units may still come back; `lots` when it left in several."""

    order_id: int
    line_id: int
    line_number: int
    item_id: int
    sku: str
    name: str
    unit_price: Decimal
    delivered: int
    delivered_date: date | None
    returning: int
    lots: tuple[tuple[int, str], ...]

    @property
    def free(self) -> int:
        """How many units may still be authorized."""
        return max(0, self.delivered - self.returning)


def of_orders(session: Session, order_ids: Iterable[int]) -> list[Returnable]:
    """This function will read the lines of orders, by order and line number, in three queries."""
    wanted = sorted(set(order_ids))
    rows = session.execute(
        sa.select(SalesOrderLine, Item.sku, Item.shown_name.label("name"))
        .join(Item, Item.id == SalesOrderLine.item_id)
        .where(SalesOrderLine.order_id.in_(wanted))
        .order_by(SalesOrderLine.order_id, SalesOrderLine.line_number)
    ).all()
    delivered = _delivered(session, wanted)
    returning = _returning(session, [row.SalesOrderLine.id for row in rows])
    found = []
    for row in rows:
        line: SalesOrderLine = row.SalesOrderLine
        lots = delivered.get(line.id, ())
        found.append(
            Returnable(
                order_id=line.order_id,
                line_id=line.id,
                line_number=line.line_number,
                item_id=line.item_id,
                sku=row.sku,
                name=row.name,
                unit_price=line.unit_price,
                delivered=sum(int(lot.quantity) for lot in lots),
                delivered_date=max((lot.last_date for lot in lots), default=None),
                returning=returning.get(line.id, 0),
                lots=tuple((lot.lot_id, lot.code) for lot in lots) if len(lots) > 1 else (),
            )
        )
    return found


def _delivered(session: Session, order_ids: Sequence[int]) -> dict[int, list[sa.Row[*tuple[Any, ...]]]]:
    """What reached the customer of each line, by lot."""
    mirror = aliased(StockMove)
    rows = session.execute(
        sa.select(
            StockMove.line_id,
            StockMove.lot_id,
            Lot.code,
            sa.func.sum(StockMove.quantity).label("quantity"),
            sa.func.max(StockMove.posted_date).label("last_date"),
        )
        .join(Location, Location.id == StockMove.destination_id)
        .join(Lot, Lot.id == StockMove.lot_id)
        .where(
            StockMove.document_kind == SALES_ORDER,
            StockMove.document_id.in_(order_ids),
            StockMove.state == MoveState.POSTED,
            Location.kind == LocationKind.CUSTOMER,
            ~sa.exists().where(mirror.reverses_id == StockMove.id),
        )
        .group_by(StockMove.line_id, StockMove.lot_id, Lot.code)
        .order_by(StockMove.line_id, StockMove.lot_id)
    )
    found: dict[int, list[sa.Row[*tuple[Any, ...]]]] = {}
    for row in rows:
        found.setdefault(row.line_id, []).append(row)
    return found


def _returning(session: Session, line_ids: Sequence[int]) -> dict[int, int]:
    """What of each sold line is on its way back or has arrived."""
    mirror = aliased(StockMove)
    rows = session.execute(
        sa.select(ReturnLine.sales_order_line_id, sa.func.sum(StockMove.quantity))
        .join(
            StockMove,
            sa.and_(
                StockMove.document_kind == KIND,
                StockMove.document_id == ReturnLine.return_id,
                StockMove.line_id == ReturnLine.id,
            ),
        )
        .where(
            ReturnLine.sales_order_line_id.in_(line_ids),
            StockMove.state != MoveState.CANCELLED,
            StockMove.reverses_id.is_(None),
            ~sa.exists().where(mirror.reverses_id == StockMove.id),
        )
        .group_by(ReturnLine.sales_order_line_id)
    )
    return {line_id: int(quantity) for line_id, quantity in rows if line_id is not None}
