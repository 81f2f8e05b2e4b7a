"""The list of purchase orders: its rows and fields, each computed for the rows of the page only. Reads only."""

from __future__ import annotations

import enum
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from procurement import purchase_orders
from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.core import types
from scm.core.listing import Field, Kind, Listing
from scm.core.users import User
from scm.master.locations import Location, LocationKind
from scm.master.partners import Partner
from scm.stock.moves import MoveState, StockMove


class Stage(enum.Enum):
    """How far an order has come: its state, but for sent orders of which nothing is owed any more."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SENT = "sent"
    CLOSED = "closed"
    CANCELLED = "cancelled"


def listing(*, site_id: int, currency: str, today: date) -> Listing:
    """This function will describe the purchase orders of a site, the newest first."""
    writer = aliased(User)
    return Listing(
        name="purchase_orders",
        rows=(
            sa.select(PurchaseOrder.id)
            .join(Partner, Partner.id == PurchaseOrder.supplier_id)
            .join(writer, writer.id == PurchaseOrder.written_by_id)
            .where(PurchaseOrder.site_id == site_id)
        ),
        key=PurchaseOrder.id,
        fields=(
            Field(name="number", kind=Kind.CODE, value=PurchaseOrder.number),
            Field(name="stage", kind=Kind.CHOICE, value=_stage(), choices=Stage),
            Field(name="supplier", kind=Kind.TEXT, value=Partner.name),
            Field(name="supplier_code", kind=Kind.CODE, value=Partner.code),
            Field(name="value", kind=Kind.MONEY, value=_of_lines(purchase_orders.value_of_lines(currency))),
            Field(name="lines", kind=Kind.NUMBER, value=_of_lines(sa.func.count(PurchaseOrderLine.id))),
            Field(name="drafted_date", kind=Kind.DATE, value=PurchaseOrder.drafted_date),
            Field(name="due_date", kind=Kind.DATE, value=_of_lines(sa.func.min(PurchaseOrderLine.due_date))),
            Field(
                name="ordered",
                kind=Kind.QUANTITY,
                value=_of_lines(sa.func.coalesce(sa.func.sum(PurchaseOrderLine.quantity), 0)),
            ),
            Field(name="outstanding", kind=Kind.QUANTITY, value=_outstanding()),
            Field(name="late", kind=Kind.FLAG, value=_late(today)),
            Field(name="written_by", kind=Kind.TEXT, value=writer.display_name),
            Field(name="sent_date", kind=Kind.DATE, value=PurchaseOrder.sent_date),
        ),
        search=(PurchaseOrder.number, Partner.name, Partner.code),
        order=("number", True),
    )


def _of_lines(value: sa.ColumnElement[int] | sa.ColumnElement[date]) -> sa.ScalarSelect[int | date]:
    return sa.select(value).where(PurchaseOrderLine.order_id == PurchaseOrder.id).scalar_subquery()


def owed_of() -> sa.ColumnElement[bool]:
    """This function will give the condition that a move is what the supplier of an order still owes."""
    return sa.and_(
        StockMove.document_kind == KIND,
        StockMove.document_id == PurchaseOrder.id,
        StockMove.state == MoveState.PLANNED,
        StockMove.source_id.in_(sa.select(Location.id).where(Location.kind == LocationKind.SUPPLIER)),
    )


def _stage() -> sa.ColumnElement[Any]:
    closed = sa.and_(PurchaseOrder.state == PurchaseOrderState.SENT, ~sa.exists(StockMove.id).where(owed_of()))
    stage = sa.case((closed, sa.literal(Stage.CLOSED.value)), else_=sa.type_coerce(PurchaseOrder.state, sa.String()))
    column: Any = types.enum_column(Stage)
    return sa.type_coerce(stage, column)


def _outstanding() -> sa.ScalarSelect[int]:
    return sa.select(sa.func.coalesce(sa.func.sum(StockMove.quantity), 0)).where(owed_of()).scalar_subquery()


def _late(today: date) -> sa.ColumnElement[bool]:
    """Something of it should have come before today."""
    return sa.exists().where(owed_of(), StockMove.due_date < today)
