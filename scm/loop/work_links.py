"""Where a work order stands among others: whom its output is for, and what its components come from. Reads only.

It reads the pegs between planned moves; a page shows the documents' numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from procurement.purchase_orders import KIND as PURCHASE_ORDER
from procurement.purchase_orders import PurchaseOrder
from scm.master.items import Item
from scm.production.documents import KIND as WORK_ORDER
from scm.production.documents import WorkOrder
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import SalesOrder
from scm.stock.moves import StockMove
from scm.stock.pegs import Peg, PegState

MOST = 50


@dataclass(frozen=True, kw_only=True)
class WorkLink:
    """One document that a work order supplies, or is supplied by. `orphaned`: the other side is given up."""

    kind: str
    number: str
    sku: str
    quantity: int
    due_date: date
    orphaned: bool


@dataclass(frozen=True, kw_only=True)
class WorkLinks:
    """Up: what the output is meant for. Down: what is on order for the components."""

    up: Sequence[WorkLink]
    down: Sequence[WorkLink]


def of_order(session: Session, order_id: int) -> WorkLinks:
    """This function will read both sides of a work order, at most 50 documents each."""
    return WorkLinks(up=_side(session, order_id, up=True), down=_side(session, order_id, up=False))


def _side(session: Session, order_id: int, *, up: bool) -> list[WorkLink]:
    own, other = aliased(StockMove), aliased(StockMove)
    own_id, other_id = (Peg.supply_move_id, Peg.demand_move_id) if up else (Peg.demand_move_id, Peg.supply_move_id)
    number: Any = sa.case(
        (other.document_kind == SALES_ORDER, _number(SalesOrder, other)),
        (other.document_kind == PURCHASE_ORDER, _number(PurchaseOrder, other)),
        (other.document_kind == WORK_ORDER, _number(WorkOrder, other)),
    )
    statement = (
        sa.select(
            other.document_kind,
            number.label("number"),
            Item.sku,
            sa.func.sum(Peg.quantity).label("quantity"),
            sa.func.min(other.due_date).label("due_date"),
            sa.func.max(sa.case((Peg.state == PegState.ORPHANED, 1), else_=0)).label("orphaned"),
        )
        .select_from(Peg)
        .join(own, own.id == own_id)
        .join(other, other.id == other_id)
        .join(Item, Item.id == other.item_id)
        .where(own.document_kind == WORK_ORDER, own.document_id == order_id)
        .group_by(other.document_kind, other.document_id, number, Item.sku)
        .order_by(sa.func.min(other.due_date), number)
        .limit(MOST)
    )
    return [
        WorkLink(
            kind=row.document_kind,
            number=row.number,
            sku=row.sku,
            quantity=int(row.quantity),
            due_date=row.due_date,
            orphaned=bool(row.orphaned),
        )
        for row in session.execute(statement)
        if row.number is not None
    ]


def _number(model: type[SalesOrder] | type[PurchaseOrder] | type[WorkOrder], move: type[StockMove]) -> Any:
    return sa.select(model.number).where(model.id == move.document_id).scalar_subquery()
