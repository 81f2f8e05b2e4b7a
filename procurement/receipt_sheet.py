"""What the dock must know: which orders are due, and what one order may still bring, line by line. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from procurement import inbound, purchase_orders
from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.master.locations import Location, LocationKind
from scm.master.partners import Partner
from scm.stock.lots import NO_LOT, Lot
from scm.stock.moves import MoveState, StockMove
from warehouse.receiving import GoodsReceipt, GoodsReceiptLine
from warehouse.sheets.cards import Card, cards


@dataclass(frozen=True, kw_only=True, slots=True)
class InboundOrder:
    """One order that still owes goods, with its earliest due date."""

    order_id: int
    number: str
    supplier_code: str
    supplier_name: str
    due_date: date
    lines: int
    quantity: int

    def late_days(self, *, today: date) -> int:
        """How many days ago its first goods were due."""
        return max(0, (today - self.due_date).days)


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetLine:
    """One line: what was ordered, what came, and how much more may come with and without the tolerance."""

    line_id: int
    line_number: int
    card: Card
    ordered: int
    received: int
    due_date: date
    needs_inspection: bool
    owed: int
    acceptable: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptLine:
    """One posted line of a receipt. `standing` goods are still where they were received."""

    move_id: int
    receipt_number: str
    received_at: datetime
    delivery_note: str
    sku: str
    item_name: str
    quantity: int
    lot_code: str | None
    reversed: bool
    standing: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """One goods receipt as a document. Without an order's number it came from customers."""

    number: str
    received_at: datetime
    delivery_note: str
    order_numbers: Sequence[str]
    lines: Sequence[ReceiptLine]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptSheet:
    """One order as the dock receives it."""

    order_id: int
    number: str
    state: PurchaseOrderState
    supplier_code: str
    supplier_name: str
    lines: Sequence[SheetLine]
    receipts: Sequence[ReceiptLine]

    @property
    def receivable(self) -> bool:
        """Whether anything may still be received."""
        return self.state in inbound.OPEN and any(line.acceptable for line in self.lines)


def owed(session: Session, *, site_id: int, due_until: date | None = None) -> list[InboundOrder]:
    """This function will list the orders that still owe goods to a site, the earliest due first, in one query."""
    statement = _owed(site_id).order_by(sa.func.min(StockMove.due_date), PurchaseOrder.id)
    if due_until is not None:
        statement = statement.having(sa.func.min(StockMove.due_date) <= due_until)
    return [
        InboundOrder(
            order_id=row.id,
            number=row.number,
            supplier_code=row.code,
            supplier_name=row.name,
            due_date=row.due_date,
            lines=int(row.lines),
            quantity=int(row.quantity),
        )
        for row in session.execute(statement)
    ]


def sheet(session: Session, number: str, *, site_id: int) -> ReceiptSheet:
    """This function will read what an order may still bring and what it brought, in a fixed number of queries.

    Raises `OrderUnknown`.
    """
    row = session.execute(
        sa.select(PurchaseOrder, Partner.code, Partner.name)
        .join(Partner, Partner.id == PurchaseOrder.supplier_id)
        .where(PurchaseOrder.number == number, PurchaseOrder.site_id == site_id)
    ).one_or_none()
    if row is None:
        raise purchase_orders.OrderUnknown(f"this site has no purchase order {number[:40]}")
    order: PurchaseOrder = row.PurchaseOrder
    lines = purchase_orders.lines_of(session, [order])[order.id]
    known = inbound.progress(session, [order.id])
    named = cards(session, {line.item_id for line in lines})
    return ReceiptSheet(
        order_id=order.id,
        number=order.number,
        state=order.state,
        supplier_code=row.code,
        supplier_name=row.name,
        lines=[
            _line(order, line, place, named[line.item_id], known.get(line.id))
            for place, line in enumerate(lines, start=1)
        ],
        receipts=_receipt_lines(session, StockMove.document_kind == KIND, StockMove.document_id == order.id),
    )


def receipt(session: Session, number: str, *, site_id: int) -> Receipt:
    """This function will read one goods receipt of a site in a fixed number of queries. Raises `ReceiptUnknown`."""
    row = session.execute(
        sa.select(GoodsReceipt.id, GoodsReceipt.number, GoodsReceipt.received_at, GoodsReceipt.delivery_note).where(
            GoodsReceipt.number == number, GoodsReceipt.site_id == site_id
        )
    ).one_or_none()
    if row is None:
        raise inbound.ReceiptUnknown(f"this site has no goods receipt {number[:40]}")
    orders = session.scalars(
        sa.select(PurchaseOrder.number)
        .join(StockMove, sa.and_(StockMove.document_kind == KIND, StockMove.document_id == PurchaseOrder.id))
        .join(GoodsReceiptLine, GoodsReceiptLine.move_id == StockMove.id)
        .where(GoodsReceiptLine.receipt_id == row.id)
        .distinct()
        .order_by(PurchaseOrder.number)
    ).all()
    return Receipt(
        number=row.number,
        received_at=row.received_at,
        delivery_note=row.delivery_note,
        order_numbers=orders,
        lines=_receipt_lines(session, GoodsReceipt.id == row.id),
    )


def _line(
    order: PurchaseOrder, line: PurchaseOrderLine, place: int, card: Card, known: inbound.Progress | None
) -> SheetLine:
    received = 0 if known is None else known.received
    planned = known is not None and order.state in inbound.OPEN
    return SheetLine(
        line_id=line.id,
        line_number=place,
        card=card,
        ordered=line.quantity,
        received=received,
        due_date=line.due_date,
        needs_inspection=line.needs_inspection,
        owed=known.owed if known is not None and planned else 0,
        acceptable=max(0, inbound.most(order, line) - received) if planned else 0,
    )


def _owed(site_id: int) -> sa.Select[*tuple[Any, ...]]:
    source, destination = aliased(Location), aliased(Location)
    return (
        sa.select(
            PurchaseOrder.id,
            PurchaseOrder.number,
            Partner.code,
            Partner.name,
            sa.func.min(StockMove.due_date).label("due_date"),
            sa.func.count(sa.distinct(StockMove.line_id)).label("lines"),
            sa.func.sum(StockMove.quantity).label("quantity"),
        )
        .join(StockMove, sa.and_(StockMove.document_kind == KIND, StockMove.document_id == PurchaseOrder.id))
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .join(Partner, Partner.id == PurchaseOrder.supplier_id)
        .where(
            StockMove.state == MoveState.PLANNED,
            source.kind == LocationKind.SUPPLIER,
            destination.site_id == site_id,
            PurchaseOrder.site_id == site_id,
        )
        .group_by(PurchaseOrder.id, PurchaseOrder.number, Partner.code, Partner.name)
    )


def _receipt_lines(session: Session, *conditions: sa.ColumnElement[bool]) -> list[ReceiptLine]:
    mirror, following = aliased(StockMove), aliased(StockMove)
    undone = sa.exists().where(mirror.reverses_id == StockMove.id)
    gone_on = sa.exists().where(following.previous_id == StockMove.id, following.state == MoveState.POSTED)
    # The parts of a partly posted next leg are children of it, and name the same move before them.
    rows = session.execute(
        sa.select(
            StockMove.id,
            StockMove.item_id,
            StockMove.quantity,
            StockMove.lot_id,
            Lot.code.label("lot_code"),
            GoodsReceipt.number,
            GoodsReceipt.delivery_note,
            GoodsReceipt.received_at,
            undone.label("undone"),
            gone_on.label("gone_on"),
        )
        .join(GoodsReceiptLine, GoodsReceiptLine.move_id == StockMove.id)
        .join(GoodsReceipt, GoodsReceipt.id == GoodsReceiptLine.receipt_id)
        .join(Lot, Lot.id == StockMove.lot_id)
        .where(*conditions)
        .order_by(GoodsReceipt.id.desc(), StockMove.id)
    ).all()
    named = cards(session, {row.item_id for row in rows})
    return [
        ReceiptLine(
            move_id=row.id,
            receipt_number=row.number,
            received_at=row.received_at,
            delivery_note=row.delivery_note,
            sku=named[row.item_id].sku,
            item_name=named[row.item_id].name,
            quantity=row.quantity,
            lot_code=None if row.lot_id == NO_LOT else row.lot_code,
            reversed=bool(row.undone),
            standing=not row.undone and not row.gone_on,
        )
        for row in rows
    ]
