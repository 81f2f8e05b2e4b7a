"""Makes a company with a few hundred simulated orders one with a hundred thousand, by copying them set by set.

Copied are small orders (up to three lines) with their lines, moves and shipments, each copy under new ids and numbers
and on an earlier day. The copies are for reading: nothing is posted a second time, so balances and costs do not know
them, and the books are not proved afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.sales import documents
from scm.sales.documents import SalesOrder, SalesOrderLine
from scm.stock.moves import StockMove
from warehouse.packing import Shipment, ShipmentLine

LINES = 3
STEP = 10_000_000  # between the ids of one copy and the next


def grow(session: Session, *, orders: int) -> int:
    """This function will copy small orders until there are so many, and return how many there are."""
    first = _small_orders(session)
    have = session.scalar(sa.select(sa.func.count()).select_from(SalesOrder)) or 0
    copies = -(-(orders - have) // len(first))
    for number in range(1, copies + 1):
        _copy(session, first, number)
    return have + copies * len(first)


def _small_orders(session: Session) -> list[int]:
    size = sa.func.count(SalesOrderLine.id)
    statement = sa.select(SalesOrderLine.order_id).group_by(SalesOrderLine.order_id).having(size <= LINES)
    return list(session.scalars(statement.order_by(SalesOrderLine.order_id)))


def _copy(session: Session, order_ids: list[int], number: int) -> None:
    shift = number * STEP
    moved = {"id": shift}

    def text(suffix: str) -> Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]]:
        return lambda column: column + sa.literal(suffix)

    order, line = table_of(SalesOrder), table_of(SalesOrderLine)
    move, shipment, contents = table_of(StockMove), table_of(Shipment), table_of(ShipmentLine)
    ours = order.c.id.in_(order_ids)
    _insert(session, order, ours, shift=moved, change={"number": text(f"-{number}"), "external_id": text(f"-{number}")})
    _insert(session, line, line.c.order_id.in_(order_ids), shift=moved | {"order_id": shift})
    of_orders = sa.and_(move.c.document_kind == documents.KIND, move.c.document_id.in_(order_ids))
    links = dict.fromkeys(("document_id", "line_id", "origin_id", "previous_id", "reverses_id"), shift)
    _insert(session, move, sa.and_(of_orders, move.c.reverses_id.is_(None)), shift=moved | links)
    packed = shipment.c.sales_order_id.in_(order_ids)
    marks = {"number": text(f"-{number}"), "tracking_number": text(f"-{number}")}
    _insert(session, shipment, packed, shift=moved | {"sales_order_id": shift}, change=marks)
    shipment_ids = sa.select(shipment.c.id).where(packed)
    _insert(
        session,
        contents,
        contents.c.shipment_id.in_(shipment_ids),
        shift={"move_id": shift, "shipment_id": shift},
    )


def _insert(
    session: Session,
    table: sa.Table,
    where: sa.ColumnElement[bool],
    *,
    shift: Mapping[str, int],
    change: Mapping[str, Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]]] | None = None,
) -> None:
    """Insert the rows of a table again, with numbers shifted and texts changed."""
    changed = change or {}
    values: list[sa.ColumnElement[Any]] = []
    for column in table.columns:
        if column.name in shift:
            values.append(sa.type_coerce(column, sa.BigInteger) + shift[column.name])
        elif column.name in changed:
            values.append(changed[column.name](column))
        else:
            values.append(column)
    session.execute(
        sa.insert(table).from_select([column.name for column in table.columns], sa.select(*values).where(where))
    )
