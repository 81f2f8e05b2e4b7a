"""How far returns are: derived from moves, inspections, disposals and refunds, never stored.

The returns desk reads here what waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from aftersales.disposition import Disposal, Disposition
from aftersales.documents import KIND, ReturnAuthorization, ReturnLine, ReturnReason, ReturnState
from aftersales.inspection import Inspection
from aftersales.refunds import ReturnRefund
from scm.stock.moves import MoveState, StockMove

CHUNK = 5000


@dataclass(slots=True)
class LineStatus:
    """How far one return line is, in base units; the refunded amount in minor units.

    `received`, `inspected`, `disposed` and `refunded` count everything that ever got so far.
    """

    return_id: int
    number: str
    state: ReturnState
    line_id: int
    item_id: int
    reason: ReturnReason
    authorized: int
    authorized_date: date
    expected: int = 0  # authorized, and neither arrived nor given up
    received: int = 0
    inspected: int = 0
    disposed: dict[Disposition, int] = field(default_factory=dict)
    refunded: int = 0
    refunded_amount: int = 0

    @property
    def to_inspect(self) -> int:
        """What has arrived and nobody has looked at."""
        return max(0, self.received - self.inspected)

    @property
    def to_dispose(self) -> int:
        """What was inspected and still lies in the cage."""
        return self.inspected - sum(self.disposed.values())

    @property
    def to_refund(self) -> int:
        """What was inspected and not refunded."""
        return max(0, min(self.received, self.inspected) - self.refunded)


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Units of one return line that wait for the desk. The move is named for what is to be received, the inspection
    for what is to be disposed of."""

    return_id: int
    number: str
    return_line_id: int
    item_id: int
    quantity: int
    move_id: int | None = None
    inspection_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Awaiting:
    """What waits for the returns desk of one site, the oldest return first."""

    to_receive: tuple[Waiting, ...]
    to_inspect: tuple[Waiting, ...]
    to_dispose: tuple[Waiting, ...]
    to_refund: tuple[Waiting, ...]


def of_returns(session: Session, return_ids: Iterable[int]) -> list[LineStatus]:
    """This function will tell how far the lines of returns are, by return and line; in five queries."""
    wanted = sorted(set(return_ids))
    found: list[LineStatus] = []
    for start in range(0, len(wanted), CHUNK):
        found += _status(session, wanted[start : start + CHUNK])
    return found


def awaiting(session: Session, *, site_id: int) -> Awaiting:
    """This function will list what the returns desk of a site has to receive, inspect, dispose of and refund."""
    of_site = ReturnAuthorization.site_id == site_id
    received, inspected, refunded = _received(), _sum(Inspection), _sum(ReturnRefund)
    sound = sa.case((received < inspected, received), else_=inspected)
    return Awaiting(
        to_receive=tuple(_waiting(session, _expected().where(of_site))),
        to_inspect=tuple(_waiting(session, _lines(received - inspected).where(of_site, received > inspected))),
        to_dispose=tuple(_waiting(session, _in_cage().where(of_site))),
        to_refund=tuple(_waiting(session, _lines(sound - refunded).where(of_site, sound > refunded))),
    )


def _status(session: Session, return_ids: Sequence[int]) -> Iterator[LineStatus]:
    rows = session.execute(
        sa.select(
            ReturnAuthorization.id,
            ReturnAuthorization.number,
            ReturnAuthorization.state,
            ReturnLine.id.label("line_id"),
            ReturnLine.item_id,
            ReturnLine.reason,
            ReturnLine.quantity,
            ReturnAuthorization.authorized_date,
        )
        .join(ReturnLine, ReturnLine.return_id == ReturnAuthorization.id)
        .where(ReturnAuthorization.id.in_(return_ids))
        .order_by(ReturnAuthorization.id, ReturnLine.id)
    )
    lines = {row.line_id: LineStatus(*row) for row in rows}
    _add_moves(session, return_ids, lines)
    of_lines = ReturnLine.return_id.in_(return_ids)
    inspections = (
        sa.select(Inspection.return_line_id, Disposal.disposition, sa.func.sum(Inspection.quantity))
        .join(ReturnLine, ReturnLine.id == Inspection.return_line_id)
        .outerjoin(Disposal, Disposal.inspection_id == Inspection.id)
        .where(of_lines)
        .group_by(Inspection.return_line_id, Disposal.disposition)
    )
    for line_id, disposition, quantity in session.execute(inspections):
        lines[line_id].inspected += int(quantity)
        if disposition is not None:
            lines[line_id].disposed[disposition] = int(quantity)
    refunds = (
        sa.select(ReturnRefund.return_line_id, sa.func.sum(ReturnRefund.quantity), sa.func.sum(ReturnRefund.amount))
        .join(ReturnLine, ReturnLine.id == ReturnRefund.return_line_id)
        .where(of_lines)
        .group_by(ReturnRefund.return_line_id)
    )
    for line_id, quantity, amount in session.execute(refunds):
        lines[line_id].refunded, lines[line_id].refunded_amount = int(quantity), int(amount)
    yield from lines.values()


def _add_moves(session: Session, return_ids: Sequence[int], lines: dict[int, LineStatus]) -> None:
    rows = session.execute(
        sa.select(StockMove.line_id, StockMove.state, sa.func.sum(StockMove.quantity))
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id.in_(return_ids),
            StockMove.reverses_id.is_(None),
            ~_undone(StockMove.id),
        )
        .group_by(StockMove.line_id, StockMove.state)
    )
    for line_id, state, quantity in rows:
        if state is MoveState.POSTED:
            lines[line_id].received = int(quantity)
        elif state is MoveState.PLANNED:
            lines[line_id].expected = int(quantity)


def _undone(move_id: Any) -> sa.Exists:
    mirror = aliased(StockMove)
    return sa.exists().where(mirror.reverses_id == move_id)


def _received() -> sa.ScalarSelect[int]:
    move = aliased(StockMove)
    return (
        sa.select(sa.func.coalesce(sa.func.sum(move.quantity), 0))
        .where(
            move.document_kind == KIND,
            move.document_id == ReturnLine.return_id,
            move.line_id == ReturnLine.id,
            move.state == MoveState.POSTED,
            move.reverses_id.is_(None),
            ~_undone(move.id),
        )
        .scalar_subquery()
    )


def _sum(model: type[Inspection] | type[ReturnRefund]) -> sa.ScalarSelect[int]:
    total = sa.func.coalesce(sa.func.sum(model.quantity), 0)
    return sa.select(total).where(model.return_line_id == ReturnLine.id).scalar_subquery()


def _lines(quantity: Any, **ids: Any) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            ReturnAuthorization.id.label("return_id"),
            ReturnAuthorization.number,
            ReturnLine.id.label("return_line_id"),
            ReturnLine.item_id,
            quantity.label("quantity"),
            *(column.label(name) for name, column in ids.items()),
        )
        .join(ReturnLine, ReturnLine.return_id == ReturnAuthorization.id)
        .order_by(ReturnAuthorization.id, ReturnLine.id, *ids.values())
    )


def _expected() -> sa.Select[*tuple[Any, ...]]:
    return _lines(StockMove.quantity, move_id=StockMove.id).join(
        StockMove,
        sa.and_(
            StockMove.document_kind == KIND,
            StockMove.document_id == ReturnLine.return_id,
            StockMove.line_id == ReturnLine.id,
            StockMove.state == MoveState.PLANNED,
        ),
    )


def _in_cage() -> sa.Select[*tuple[Any, ...]]:
    return (
        _lines(Inspection.quantity, inspection_id=Inspection.id)
        .join(Inspection, Inspection.return_line_id == ReturnLine.id)
        .outerjoin(Disposal, Disposal.inspection_id == Inspection.id)
        .where(Disposal.inspection_id.is_(None))
    )


def _waiting(session: Session, statement: sa.Select[*tuple[Any, ...]]) -> Iterator[Waiting]:
    for row in session.execute(statement):
        yield Waiting(**(dict(row._mapping) | {"quantity": int(row.quantity)}))
