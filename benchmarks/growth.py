"""Makes a company with a few hundred simulated orders one with a hundred thousand, by copying them set by set.

Copied are small orders (up to three lines) of which nothing is planned any more, with their lines, moves and shipments:
each copy under new ids and numbers, and a day earlier than the copy before. What is open stays as much as the company
has, as it does in a company that has been selling for long. The copies are for reading: nothing is posted a second
time, so balances and costs do not know them, and the books are not proved afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.core.types import UtcDateTime
from scm.finance.costs import UnvaluedMove
from scm.sales import documents
from scm.sales.documents import SalesOrder, SalesOrderLine
from scm.stock.moves import MoveState, StockMove
from warehouse.packing import Shipment, ShipmentLine

LINES = 3
STEP = 10_000_000  # between the ids of one copy and the next


def grow(session: Session, *, orders: int) -> int:
    """This function will copy small finished orders until there are so many, and return how many there are."""
    first = _small_finished_orders(session)
    have = session.scalar(sa.select(sa.func.count()).select_from(SalesOrder)) or 0
    copies = -(-(orders - have) // len(first))
    for number in range(1, copies + 1):
        _copy(session, first, number)
    # The triggers take copies for new moves. In a company whose nights were quiet, nothing waits for its value.
    session.execute(sa.delete(UnvaluedMove).where(UnvaluedMove.move_id >= STEP))
    return have + copies * len(first)


def _small_finished_orders(session: Session) -> list[int]:
    size = sa.func.count(SalesOrderLine.id)
    open_ids = sa.select(StockMove.document_id).where(
        StockMove.document_kind == documents.KIND, StockMove.state == MoveState.PLANNED
    )
    statement = sa.select(SalesOrderLine.order_id).where(SalesOrderLine.order_id.not_in(open_ids))
    statement = statement.group_by(SalesOrderLine.order_id).having(size <= LINES)
    found = list(session.scalars(statement.order_by(SalesOrderLine.order_id)))
    assert found, "no order of the company is small and finished, so there is nothing to copy"
    return found


def _copy(session: Session, order_ids: list[int], number: int) -> None:
    shift = number * STEP
    moved = {"id": shift}

    def text(suffix: str) -> Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]]:
        return lambda column: column + sa.literal(suffix)

    order, line = table_of(SalesOrder), table_of(SalesOrderLine)
    move, shipment, contents = table_of(StockMove), table_of(Shipment), table_of(ShipmentLine)
    ours = order.c.id.in_(order_ids)
    marks = {"number": text(f"-{number}"), "external_id": text(f"-{number}")}
    _insert(session, order, ours, days=number, shift=moved, change=marks)
    _insert(session, line, line.c.order_id.in_(order_ids), days=number, shift=moved | {"order_id": shift})
    of_orders = sa.and_(move.c.document_kind == documents.KIND, move.c.document_id.in_(order_ids))
    links = dict.fromkeys(("document_id", "line_id", "origin_id", "previous_id", "reverses_id"), shift)
    _insert(session, move, sa.and_(of_orders, move.c.reverses_id.is_(None)), days=number, shift=moved | links)
    packed = shipment.c.sales_order_id.in_(order_ids)
    marks = {"number": text(f"-{number}"), "tracking_number": text(f"-{number}")}
    _insert(session, shipment, packed, days=number, shift=moved | {"sales_order_id": shift}, change=marks)
    shipment_ids = sa.select(shipment.c.id).where(packed)
    keys = {"move_id": shift, "shipment_id": shift}
    _insert(session, contents, contents.c.shipment_id.in_(shipment_ids), days=number, shift=keys)


def _insert(
    session: Session,
    table: sa.Table,
    where: sa.ColumnElement[bool],
    *,
    days: int,
    shift: Mapping[str, int],
    change: Mapping[str, Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]]] | None = None,
) -> None:
    """Insert the rows of a table again, with numbers shifted, texts changed and every day so many days earlier."""
    changed = change or {}
    sqlite = session.get_bind().dialect.name == "sqlite"
    values: list[sa.ColumnElement[Any]] = []
    for column in table.columns:
        if column.name in shift:
            values.append(sa.type_coerce(column, sa.BigInteger) + shift[column.name])
        elif column.name in changed:
            values.append(changed[column.name](column))
        elif isinstance(column.type, sa.Date | UtcDateTime):
            values.append(_earlier(column, days, sqlite=sqlite))
        else:
            values.append(column)
    session.execute(
        sa.insert(table).from_select([column.name for column in table.columns], sa.select(*values).where(where))
    )


def _earlier(column: sa.Column[Any], days: int, *, sqlite: bool) -> sa.ColumnElement[Any]:
    """A day or an instant so many days earlier; SQLite keeps both as texts that begin with the day."""
    if sqlite:
        day: sa.ColumnElement[Any] = sa.func.date(column, f"-{days} days", type_=sa.Text)
        return day if isinstance(column.type, sa.Date) else day + sa.func.substr(column, 11, type_=sa.Text)
    if isinstance(column.type, sa.Date):
        return sa.cast(column, sa.Date) - sa.literal(days, sa.Integer)
    return sa.cast(column, sa.DateTime(timezone=True)) - sa.literal(timedelta(days=days), sa.Interval)
