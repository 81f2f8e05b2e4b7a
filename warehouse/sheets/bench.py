"""The packing bench: which orders stand in staging, and what one order's carton must hold. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master.locations import Location, LocationKind
from scm.master.partners import Partner
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import OrderState, SalesOrder
from scm.stock.moves import MoveState, StockMove
from warehouse.numbers import NumberUnknown
from warehouse.packing import Carton, Shipment, ShipmentLine, ShipmentState
from warehouse.sheets.cards import Card, cards


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedOrder:
    """An order with goods in staging that are not packed; `to_pick` units of it are still in their bins."""

    order_id: int
    number: str
    customer: str
    due_date: date
    lines: int
    quantity: int
    to_pick: int


@dataclass(frozen=True, slots=True)
class BenchLine:
    """So much of an item stands in staging for the order."""

    card: Card
    quantity: int


@dataclass(frozen=True, slots=True)
class PackedShipment:
    """A shipment of the order that was packed before."""

    number: str
    state: ShipmentState
    packed_at: datetime
    cartons: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchSheet:
    """One order at the bench. A cancelled one must not leave."""

    order_id: int
    number: str
    state: OrderState
    customer: str
    country: str | None
    lines: Sequence[BenchLine]
    to_pick: int
    shipments: Sequence[PackedShipment]

    @property
    def cancelled(self) -> bool:
        """Whether the order was cancelled."""
        return self.state is OrderState.CANCELLED


def staged_orders(session: Session, *, site_id: int, order_numbers: Sequence[str] | None = None) -> list[StagedOrder]:
    """This function will list the orders that can be packed, the earliest due first, in one query."""
    unpacked = ~sa.exists().where(ShipmentLine.move_id == StockMove.id)
    staged = sa.and_(Location.kind == LocationKind.STAGING, unpacked)
    in_staging = sa.case((staged, StockMove.quantity), else_=0)
    in_bins = sa.case((Location.kind == LocationKind.STORAGE, StockMove.quantity), else_=0)
    line = sa.case((staged, StockMove.line_id))
    statement = (
        sa.select(
            SalesOrder.id,
            SalesOrder.number,
            Partner.name,
            sa.func.min(StockMove.due_date).label("due_date"),
            sa.func.count(sa.distinct(line)).label("lines"),
            sa.func.sum(in_staging).label("quantity"),
            sa.func.sum(in_bins).label("to_pick"),
        )
        .join(StockMove, sa.and_(StockMove.document_kind == SALES_ORDER, StockMove.document_id == SalesOrder.id))
        .join(Location, Location.id == StockMove.source_id)
        .join(Partner, Partner.id == SalesOrder.customer_id)
        .where(
            SalesOrder.site_id == site_id,
            StockMove.state == MoveState.PLANNED,
            sa.or_(staged, sa.and_(Location.kind == LocationKind.STORAGE, StockMove.allocated)),
        )
        .group_by(SalesOrder.id, SalesOrder.number, Partner.name)
        .having(sa.func.sum(in_staging) > 0)
        .order_by(sa.func.min(StockMove.due_date), SalesOrder.id)
    )
    if order_numbers is not None:
        statement = statement.where(SalesOrder.number.in_(order_numbers))
    return [
        StagedOrder(
            order_id=row.id,
            number=row.number,
            customer=row.name,
            due_date=row.due_date,
            lines=row.lines,
            quantity=int(row.quantity),
            to_pick=int(row.to_pick),
        )
        for row in session.execute(statement)
    ]


def sheet(session: Session, number: str, *, site_id: int) -> BenchSheet:
    """This function will read what stands in staging for one order. Raises `NumberUnknown`."""
    order = session.execute(
        sa.select(SalesOrder.id, SalesOrder.number, SalesOrder.state, Partner.name, Partner.country)
        .join(Partner, Partner.id == SalesOrder.customer_id)
        .where(SalesOrder.number == number, SalesOrder.site_id == site_id)
    ).one_or_none()
    if order is None:
        raise NumberUnknown(f"this site has no sales order {number[:40]}")
    rows = session.execute(_open(order.id)).all()
    staged: dict[int, int] = {}
    to_pick = 0
    for row in rows:
        if row.kind is LocationKind.STORAGE:
            to_pick += row.quantity
        elif not row.packed:
            staged[row.item_id] = staged.get(row.item_id, 0) + row.quantity
    named = cards(session, staged)
    lines = [BenchLine(named[item_id], quantity) for item_id, quantity in staged.items()]
    return BenchSheet(
        order_id=order.id,
        number=order.number,
        state=order.state,
        customer=order.name,
        country=order.country,
        lines=sorted(lines, key=lambda line: line.card.sku),
        to_pick=to_pick,
        shipments=_shipments(session, order.id),
    )


def _open(order_id: int) -> sa.Select[*tuple[Any, ...]]:
    in_bin = sa.and_(Location.kind == LocationKind.STORAGE, StockMove.allocated)
    return (
        sa.select(
            StockMove.item_id,
            StockMove.quantity,
            Location.kind,
            sa.exists().where(ShipmentLine.move_id == StockMove.id).label("packed"),
        )
        .join(Location, Location.id == StockMove.source_id)
        .where(
            StockMove.document_kind == SALES_ORDER,
            StockMove.document_id == order_id,
            StockMove.state == MoveState.PLANNED,
            sa.or_(Location.kind == LocationKind.STAGING, in_bin),
        )
    )


def _shipments(session: Session, order_id: int) -> list[PackedShipment]:
    cartons = sa.select(sa.func.count()).where(Carton.shipment_id == Shipment.id).scalar_subquery()
    rows = session.execute(
        sa.select(Shipment.number, Shipment.state, Shipment.packed_at, cartons)
        .where(Shipment.sales_order_id == order_id, Shipment.state != ShipmentState.UNPACKED)
        .order_by(Shipment.id)
    )
    return [PackedShipment(*row) for row in rows]
