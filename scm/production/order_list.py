"""The list of work orders: its rows and fields, each computed for the rows of the page only. Reads only."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.core.listing import Field, Kind, Listing
from scm.master.bom import BomKind
from scm.master.items import Item
from scm.master.locations import Location, LocationKind
from scm.master.partners import Partner
from scm.production.documents import KIND, ON_THE_FLOOR, OPEN, WorkOrder, WorkOrderState
from scm.production.progress import OUTPUT
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Reservation


def listing(*, site_id: int, today: date) -> Listing:
    """This function will describe the work orders of a site, the newest first."""
    return Listing(
        name="work_orders",
        rows=(
            sa.select(WorkOrder.id)
            .join(Item, Item.id == WorkOrder.item_id)
            .outerjoin(Partner, Partner.id == WorkOrder.partner_id)
            .where(WorkOrder.site_id == site_id)
        ),
        key=WorkOrder.id,
        fields=(
            Field(name="number", kind=Kind.CODE, value=WorkOrder.number),
            Field(name="state", kind=Kind.CHOICE, value=WorkOrder.state, choices=WorkOrderState),
            Field(name="sku", kind=Kind.CODE, value=Item.sku),
            Field(name="item", kind=Kind.TEXT, value=Item.shown_name),
            Field(name="quantity", kind=Kind.QUANTITY, value=WorkOrder.quantity),
            Field(name="completed", kind=Kind.QUANTITY, value=_completed()),
            Field(name="start_date", kind=Kind.DATE, value=WorkOrder.start_date),
            Field(name="due_date", kind=Kind.DATE, value=WorkOrder.due_date),
            Field(name="late", kind=Kind.FLAG, value=late(today)),
            Field(name="blocked", kind=Kind.FLAG, value=_blocked()),
            Field(name="kind", kind=Kind.CHOICE, value=WorkOrder.kind, choices=BomKind),
            Field(name="partner", kind=Kind.TEXT, value=sa.func.coalesce(Partner.name, "")),
        ),
        search=(WorkOrder.number, Item.sku, Item.shown_name),
        order=("number", True),
    )


def late(today: date) -> sa.ColumnElement[bool]:
    """This function will give the condition that an order is open and should have been complete before today."""
    return sa.and_(WorkOrder.state.in_(OPEN), WorkOrder.due_date < today)


def on_the_floor(session: Session, *, site_id: int) -> list[sa.Row[int, str, WorkOrderState, str, str, int, int, date]]:
    """This function will list what the floor of a site may work on, the earliest due first.

    A row has `id`, `number`, `state`, `sku`, `name`, `quantity`, `completed` and `due_date`.
    """
    statement = (
        sa.select(
            WorkOrder.id,
            WorkOrder.number,
            WorkOrder.state,
            Item.sku,
            Item.shown_name.label("name"),
            WorkOrder.quantity,
            _completed().label("completed"),
            WorkOrder.due_date,
        )
        .join(Item, Item.id == WorkOrder.item_id)
        .where(WorkOrder.site_id == site_id, WorkOrder.state.in_(ON_THE_FLOOR))
        .order_by(WorkOrder.due_date, WorkOrder.id)
        .limit(MOST)
    )
    return list(session.execute(statement))


MOST = 200  # orders on one page of the floor


def _completed() -> sa.ScalarSelect[int]:
    source, destination = aliased(Location), aliased(Location)
    counted = (LocationKind.DOCK, LocationKind.STORAGE)
    forth = sa.and_(source.kind == LocationKind.PRODUCTION, destination.kind.in_(counted))
    back = sa.and_(destination.kind == LocationKind.PRODUCTION, source.kind.in_(counted))
    total = sa.func.sum(sa.case((forth, StockMove.quantity), else_=-StockMove.quantity))
    return (
        sa.select(sa.func.coalesce(total, 0))
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id == WorkOrder.id,
            StockMove.line_id == OUTPUT,
            StockMove.state == MoveState.POSTED,
            sa.or_(forth, back),
        )
        .scalar_subquery()
    )


def _blocked() -> sa.ColumnElement[bool]:
    """It is on the floor, and something it is to take from storage is promised to it by nobody."""
    waits = (
        sa.exists()
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id == WorkOrder.id,
            StockMove.state == MoveState.PLANNED,
            StockMove.source_id.in_(sa.select(Location.id).where(Location.kind == LocationKind.STORAGE)),
        )
        .where(~sa.exists().where(Reservation.move_id == StockMove.id))
    )
    return sa.and_(WorkOrder.state.in_(ON_THE_FLOOR), waits)
