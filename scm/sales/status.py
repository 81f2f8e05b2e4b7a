"""How far orders are: derived from stock moves, never stored.

Nobody tells an order that it was picked, shipped or delivered; whoever wants to know asks here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master.locations import Location, LocationKind
from scm.sales.documents import KIND, OrderState, SalesOrder, SalesOrderLine
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Reservation

CHUNK = 5000


@dataclass(slots=True)
class LineStatus:
    """How far one order line is, in base units.

    `picked`, `shipped`, `delivered` and `returned` count everything that ever got so far; `reserved` and `waiting`
    are still in storage. ordered = reserved + waiting + picked + cancelled once the order is confirmed.
    """

    order_id: int
    line_id: int
    line_number: int
    item_id: int
    ordered: int
    promised_date: date | None
    reserved: int = 0
    waiting: int = 0
    picked: int = 0
    shipped: int = 0
    delivered: int = 0
    returned: int = 0
    cancelled: int = 0
    delivered_date: date | None = None  # of the last delivery
    given_up: bool = False  # some of it was cancelled, but the line was not

    @property
    def open(self) -> int:
        """What the customer still expects."""
        return self.ordered - self.cancelled - self.delivered


def fulfilment(session: Session, order_ids: Iterable[int]) -> list[LineStatus]:
    """This function will tell how far the lines of orders are, by order and line number; in three queries."""
    found: list[LineStatus] = []
    for chunk in _chunks(sorted(set(order_ids))):
        found += _fulfilment(session, chunk)
    return found


def on_time_in_full(session: Session, order_ids: Iterable[int], *, today: date) -> dict[int, bool | None]:
    """This function will tell which orders arrived in full, every line by the date promised for it.

    None means that it cannot be said: the order was cancelled, promises nothing, or has until `today` or later. What
    a customer gave up while waiting was not delivered in full.
    """
    lines: dict[int, list[LineStatus]] = defaultdict(list)
    for line in fulfilment(session, order_ids):
        if line.ordered > line.cancelled or line.given_up:
            lines[line.order_id].append(line)
    return {order_id: _otif(lines[order_id], today=today) for order_id in sorted(set(order_ids))}


def _otif(lines: Sequence[LineStatus], *, today: date) -> bool | None:
    judged = [_line_on_time_in_full(line, today=today) for line in lines]
    if any(verdict is False for verdict in judged):
        return False
    return None if not judged or None in judged else True


def _line_on_time_in_full(line: LineStatus, *, today: date) -> bool | None:
    if line.promised_date is None:
        return None
    if line.given_up:
        return False
    if line.open == 0 and line.delivered_date is not None:
        return line.delivered_date <= line.promised_date
    return False if line.promised_date < today else None


def _fulfilment(session: Session, order_ids: Sequence[int]) -> list[LineStatus]:
    rows = session.execute(
        sa.select(
            SalesOrderLine.order_id,
            SalesOrderLine.id,
            SalesOrderLine.line_number,
            SalesOrderLine.item_id,
            SalesOrderLine.quantity,
            SalesOrderLine.promised_date,
            SalesOrderLine.cancelled_at,
            SalesOrder.state,
        )
        .join(SalesOrder, SalesOrder.id == SalesOrderLine.order_id)
        .where(SalesOrderLine.order_id.in_(order_ids))
        .order_by(SalesOrderLine.order_id, SalesOrderLine.line_number)
    ).all()
    lines = {row.id: LineStatus(*row[:6]) for row in rows}
    for move in session.execute(_moves(order_ids)):
        _count(lines[move.line_id], move)
    for returned in session.execute(_returns(order_ids)):
        lines[returned.line_id].returned = int(returned.quantity)
    for row in rows:
        line = lines[row.id]
        if row.state is not OrderState.DRAFT:
            line.cancelled = line.ordered - line.reserved - line.waiting - line.picked
        elif row.cancelled_at is not None:
            line.cancelled = line.ordered
        line.given_up = line.cancelled > 0 and row.cancelled_at is None
    return list(lines.values())


def _count(line: LineStatus, move: sa.Row[*tuple[Any, ...]]) -> None:
    quantity = int(move.quantity)
    if move.state is MoveState.PLANNED:
        if move.source is LocationKind.STORAGE:
            line.reserved += int(move.promised)
            line.waiting += quantity - int(move.promised)
        return
    match (move.source, move.destination):
        case (LocationKind.STORAGE, LocationKind.STAGING):
            line.picked += quantity
        case (LocationKind.STAGING, LocationKind.STORAGE):
            line.picked -= quantity
        case (LocationKind.STAGING, LocationKind.DELIVERY):
            line.shipped += quantity
        case (LocationKind.DELIVERY, LocationKind.STAGING):
            line.shipped -= quantity
        case (LocationKind.DELIVERY, LocationKind.CUSTOMER):
            line.delivered += quantity
            line.delivered_date = max(filter(None, [line.delivered_date, move.last_date]))
        case (LocationKind.CUSTOMER, LocationKind.DELIVERY):
            line.delivered -= quantity


def _moves(order_ids: Sequence[int]) -> sa.Select[*tuple[Any, ...]]:
    source, destination = sa.orm.aliased(Location), sa.orm.aliased(Location)
    return (
        sa.select(
            StockMove.line_id,
            StockMove.state,
            source.kind.label("source"),
            destination.kind.label("destination"),
            sa.func.sum(StockMove.quantity).label("quantity"),
            sa.func.coalesce(sa.func.sum(Reservation.quantity), 0).label("promised"),
            sa.func.max(StockMove.posted_date).label("last_date"),
        )
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .outerjoin(Reservation, Reservation.move_id == StockMove.id)
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id.in_(order_ids),
            StockMove.state != MoveState.CANCELLED,
        )
        .group_by(StockMove.line_id, StockMove.state, source.kind, destination.kind)
    )


def _returns(order_ids: Sequence[int]) -> sa.Select[*tuple[Any, ...]]:
    """A return names the shipping move whose goods came back as the one whose cost it carries."""
    shipped = sa.orm.aliased(StockMove)
    source = sa.orm.aliased(Location)
    mirror = sa.orm.aliased(StockMove)
    return (
        sa.select(shipped.line_id, sa.func.sum(StockMove.quantity).label("quantity"))
        .join(shipped, StockMove.cost_of_id == shipped.id)
        .join(source, source.id == StockMove.source_id)
        .where(
            shipped.document_kind == KIND,
            shipped.document_id.in_(order_ids),
            StockMove.state == MoveState.POSTED,
            source.kind == LocationKind.CUSTOMER,
            ~sa.exists().where(mirror.reverses_id == StockMove.id),
        )
        .group_by(shipped.line_id)
    )


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
