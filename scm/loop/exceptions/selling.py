"""What whoever sells must know: customers who wait for supply and were not let down yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.loop.exceptions.findings import Finding, Kind, Scope, amount_of_scaled
from scm.master.items import Item
from scm.master.locations import Location, LocationKind
from scm.master.partners import Partner
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import OrderState, SalesOrder, SalesOrderLine
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Reservation


def waiting_orders(session: Session, scope: Scope) -> Iterator[Finding]:
    """This function will find confirmed orders whose goods are not there yet, before their promised day is over.

    An order of which anything could not be promised has no due date: nobody knows when it will be served.
    """
    price = sa.type_coerce(SalesOrderLine.unit_price, sa.BigInteger)
    unpromised = sa.case((SalesOrderLine.promised_date.is_(None), StockMove.quantity), else_=0)
    rows = session.execute(
        _waiting(
            SalesOrder.id,
            SalesOrder.number,
            Partner.name.label("customer"),
            sa.func.count(sa.distinct(StockMove.line_id)).label("lines"),
            sa.func.sum(StockMove.quantity).label("quantity"),
            sa.func.sum(StockMove.quantity * price).label("scaled"),
            sa.func.sum(unpromised).label("unpromised"),
            sa.func.min(SalesOrderLine.promised_date).label("promised"),
            site_id=scope.site_id,
            today=scope.today,
        )
        .join(Partner, Partner.id == SalesOrder.customer_id)
        .group_by(SalesOrder.id, SalesOrder.number, Partner.name)
        .order_by(SalesOrder.id)
    )
    for row in rows:
        unknown = int(row.unpromised)
        yield Finding(
            kind=Kind.ORDER_WAITS,
            subject_id=row.id,
            label=row.number,
            name=row.customer,
            amount=amount_of_scaled(row.scaled, currency=scope.currency),
            quantity=int(row.quantity),
            due_date=None if unknown else row.promised,
            facts={"lines": row.lines, "unpromised": unknown},
        )


def waiting_lines(session: Session, order_id: int, *, site_id: int, today: date) -> list[int]:
    """This function will name the lines of an order that wait, for whoever lets the customer walk away."""
    statement = _waiting(StockMove.line_id, site_id=site_id, today=today).where(SalesOrder.id == order_id)
    return list(session.scalars(statement.distinct().order_by(StockMove.line_id)))


def waiting_of_order(order_id: int, *, site_id: int, today: date) -> sa.Select[*tuple[Any, ...]]:
    """This function will select the items that an order waits for, line by line."""
    return (
        _waiting(
            StockMove.item_id,
            Item.sku,
            Item.shown_name.label("name"),
            sa.func.sum(StockMove.quantity).label("quantity"),
            SalesOrderLine.unit_price,
            SalesOrderLine.promised_date.label("due_date"),
            site_id=site_id,
            today=today,
        )
        .join(Item, Item.id == StockMove.item_id)
        .where(SalesOrder.id == order_id)
        .group_by(
            StockMove.line_id,
            StockMove.item_id,
            Item.sku,
            Item.shown_name,
            SalesOrderLine.unit_price,
            SalesOrderLine.promised_date,
        )
        .order_by(StockMove.line_id)
    )


def _waiting(*columns: Any, site_id: int, today: date) -> sa.Select[*tuple[Any, ...]]:
    """What is planned out of storage and reserved nowhere; lines past their promise are an exception of their own."""
    return (
        sa.select(*columns)
        .select_from(StockMove)
        .join(Location, Location.id == StockMove.source_id)
        .join(SalesOrderLine, SalesOrderLine.id == StockMove.line_id)
        .join(SalesOrder, SalesOrder.id == StockMove.document_id)
        .where(
            StockMove.state == MoveState.PLANNED,
            StockMove.document_kind == SALES_ORDER,
            ~sa.exists().where(Reservation.move_id == StockMove.id),
            Location.site_id == site_id,
            Location.kind == LocationKind.STORAGE,
            SalesOrder.state == OrderState.CONFIRMED,
            sa.or_(SalesOrderLine.promised_date.is_(None), SalesOrderLine.promised_date >= today),
        )
    )
