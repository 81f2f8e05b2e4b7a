"""What is coming of an item and who waits for it. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from procurement.proposals import Proposal, ProposalState
from procurement.purchase_orders import KIND as PURCHASE_ORDER
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from procurement.supply import UNDECIDED
from scm.master.locations import Location, LocationKind
from scm.master.partners import Partner
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import SalesOrder
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Reservation

MOST_WAITING = 20
MOST_RECEIPTS = 8


@dataclass(frozen=True, kw_only=True)
class Coming:
    """Units that are to come. `order_number` and `state` are None for an accepted proposal on no order yet."""

    order_number: str | None
    state: PurchaseOrderState | None
    supplier_code: str
    supplier_name: str
    quantity: int
    due_date: date
    sent_date: date | None

    def late(self, today: date) -> bool:
        """Whether the day has passed on which it was due."""
        return self.due_date < today


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A customer order that waits for units of the item."""

    order_number: str
    customer: str
    quantity: int
    due_date: date
    ordered_date: date


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Units of an order that were counted on one day."""

    order_number: str
    supplier_name: str
    received_date: date
    quantity: int


def received(session: Session, *, item_id: int, site_id: int) -> list[Receipt]:
    """This function will list what suppliers delivered last, the newest first, in one query."""
    source = aliased(Location)
    rows = session.execute(
        sa.select(
            PurchaseOrder.number,
            Partner.name,
            StockMove.posted_date,
            sa.func.sum(StockMove.quantity).label("quantity"),
        )
        .select_from(StockMove)
        .join(source, source.id == StockMove.source_id)
        .join(PurchaseOrder, PurchaseOrder.id == StockMove.document_id)
        .join(Partner, Partner.id == PurchaseOrder.supplier_id)
        .where(
            StockMove.item_id == item_id,
            StockMove.state == MoveState.POSTED,
            StockMove.document_kind == PURCHASE_ORDER,
            source.kind == LocationKind.SUPPLIER,
            PurchaseOrder.site_id == site_id,
        )
        .group_by(PurchaseOrder.number, Partner.name, StockMove.posted_date)
        .order_by(StockMove.posted_date.desc(), PurchaseOrder.number.desc())
        .limit(MOST_RECEIPTS)
    )
    return [
        Receipt(
            order_number=row.number,
            supplier_name=row.name,
            received_date=row.posted_date,
            quantity=int(row.quantity),
        )
        for row in rows
        if row.posted_date is not None
    ]


def coming(session: Session, *, item_id: int, site_id: int) -> list[Coming]:
    """This function will list what suppliers owe or are being asked for, the earliest first, in three queries."""
    found = [*_owed(session, item_id, site_id), *_undecided(session, item_id, site_id)]
    return sorted(found, key=lambda one: (one.due_date, one.order_number or ""))


def waiting(session: Session, *, item_id: int, site_id: int) -> list[Waiting]:
    """This function will list the customer orders that wait for stock, the most urgent first, in one query."""
    source = aliased(Location)
    missing = StockMove.quantity - sa.func.coalesce(Reservation.quantity, 0)
    rows = session.execute(
        sa.select(
            SalesOrder.number, Partner.name, missing.label("missing"), StockMove.due_date, SalesOrder.ordered_date
        )
        .select_from(StockMove)
        .join(source, source.id == StockMove.source_id)
        .join(SalesOrder, SalesOrder.id == StockMove.document_id)
        .join(Partner, Partner.id == SalesOrder.customer_id)
        .outerjoin(Reservation, Reservation.move_id == StockMove.id)
        .where(
            StockMove.item_id == item_id,
            StockMove.state == MoveState.PLANNED,
            StockMove.document_kind == SALES_ORDER,
            source.kind == LocationKind.STORAGE,
            source.site_id == site_id,
            missing > 0,
        )
        .order_by(StockMove.due_date, StockMove.id)
        .limit(MOST_WAITING)
    )
    return [
        Waiting(
            order_number=row.number,
            customer=row.name,
            quantity=int(row.missing),
            due_date=row.due_date,
            ordered_date=row.ordered_date,
        )
        for row in rows
    ]


def _owed(session: Session, item_id: int, site_id: int) -> list[Coming]:
    source = aliased(Location)
    rows = session.execute(
        sa.select(
            PurchaseOrder.number,
            PurchaseOrder.state,
            Partner.code,
            Partner.name,
            sa.func.sum(StockMove.quantity).label("quantity"),
            StockMove.due_date,
            PurchaseOrder.sent_date,
        )
        .select_from(StockMove)
        .join(source, source.id == StockMove.source_id)
        .join(PurchaseOrder, PurchaseOrder.id == StockMove.document_id)
        .join(Partner, Partner.id == PurchaseOrder.supplier_id)
        .where(
            StockMove.item_id == item_id,
            StockMove.state == MoveState.PLANNED,
            StockMove.document_kind == PURCHASE_ORDER,
            source.kind == LocationKind.SUPPLIER,
            PurchaseOrder.site_id == site_id,
        )
        .group_by(
            PurchaseOrder.number,
            PurchaseOrder.state,
            Partner.code,
            Partner.name,
            StockMove.due_date,
            PurchaseOrder.sent_date,
        )
    )
    return [
        Coming(
            order_number=row.number,
            state=row.state,
            supplier_code=row.code,
            supplier_name=row.name,
            quantity=int(row.quantity),
            due_date=row.due_date,
            sent_date=row.sent_date,
        )
        for row in rows
    ]


def _undecided(session: Session, item_id: int, site_id: int) -> list[Coming]:
    drafted = session.execute(
        sa.select(
            PurchaseOrder.number,
            PurchaseOrder.state,
            Partner.code,
            Partner.name,
            PurchaseOrderLine.quantity,
            PurchaseOrderLine.due_date,
        )
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .join(Partner, Partner.id == PurchaseOrder.supplier_id)
        .where(
            PurchaseOrderLine.item_id == item_id,
            PurchaseOrder.site_id == site_id,
            PurchaseOrder.state.in_(UNDECIDED),
        )
    )
    accepted = session.execute(
        sa.select(
            sa.null().label("number"),
            sa.null().label("state"),
            Partner.code,
            Partner.name,
            Proposal.quantity,
            Proposal.due_date,
        )
        .join(Partner, Partner.id == Proposal.supplier_id)
        .where(
            Proposal.item_id == item_id,
            Proposal.site_id == site_id,
            Proposal.state == ProposalState.ACCEPTED,
            ~sa.exists().where(PurchaseOrderLine.proposal_id == Proposal.id),
        )
    )
    return [
        Coming(
            order_number=row.number,
            state=row.state,
            supplier_code=row.code,
            supplier_name=row.name,
            quantity=row.quantity,
            due_date=row.due_date,
            sent_date=None,
        )
        for row in [*drafted, *accepted]
    ]
