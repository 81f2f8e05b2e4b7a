"""The return authorization: its tables, its states, how its rows are locked, and what has arrived of it.

An authorization stores decisions only. What arrived is derived from stock moves, what was inspected, disposed of and
refunded from the rows that say so; `aftersales.status` puts it together.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId, table_of
from scm.core.documents import Machine
from scm.core.errors import NotFound
from scm.stock import moves
from scm.stock.lots import NO_LOT
from scm.stock.moves import Move, MoveState

KIND = "return_authorization"


class ReturnState(enum.Enum):
    """What was decided; what arrived, was inspected or refunded is derived."""

    AUTHORIZED = "authorized"
    CLOSED = "closed"  # nothing more is expected to arrive
    CANCELLED = "cancelled"  # nothing arrived, and nothing will


class ReturnReason(enum.Enum):
    """Why the customer sends it back."""

    UNWANTED = "unwanted"
    DAMAGED = "damaged"
    DEFECTIVE = "defective"
    WRONG_ITEM = "wrong_item"
    LATE = "late"


MACHINE = Machine(
    kind=KIND,
    initial=ReturnState.AUTHORIZED,
    transitions={
        (ReturnState.AUTHORIZED, "close"): ReturnState.CLOSED,
        (ReturnState.AUTHORIZED, "cancel"): ReturnState.CANCELLED,
    },
)


class ReturnAuthorization(Base):
    """One permission to send goods back to one site."""

    __tablename__ = "return_authorization"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    number: Mapped[str] = mapped_column(sa.String(30), unique=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), index=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("partner.id"))
    state: Mapped[ReturnState] = mapped_column(types.enum_column(ReturnState))
    authorized_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    authorized_date: Mapped[date]


class ReturnLine(Base):
    """So many units of one sold line, or of one sale from before the books. `lot_id` is the lot that was sold."""

    __tablename__ = "return_line"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    return_id: Mapped[int] = mapped_column(sa.ForeignKey("return_authorization.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    sales_order_line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sales_order_line.id"), index=True)
    prior_sale_id: Mapped[int | None] = mapped_column(sa.ForeignKey("prior_sale.id"), index=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lot.id"), default=NO_LOT)
    sold_quantity: Mapped[int] = mapped_column(sa.BigInteger)
    sold_date: Mapped[date | None]
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    reason: Mapped[ReturnReason] = mapped_column(types.enum_column(ReturnReason))

    __table_args__ = (
        sa.CheckConstraint("quantity > 0 AND quantity <= sold_quantity", name="at_most_what_was_sold"),
        sa.CheckConstraint("(sales_order_line_id IS NULL) <> (prior_sale_id IS NULL)", name="refers_to_one_sale"),
    )


class ReturnUnknown(NotFound):
    """There is no return authorization of that id."""


class ReturnLineUnknown(NotFound):
    """There is no return line of that id."""


@dataclass(frozen=True, slots=True)
class LockedLine:
    """A return line as the verbs after its arrival need it."""

    id: int
    return_id: int
    number: str
    company_id: int
    site_id: int
    item_id: int
    sales_order_line_id: int | None
    prior_sale_id: int | None
    sold_date: date | None


def lock_returns(session: Session, return_ids: Iterable[int]) -> list[ReturnAuthorization]:
    """This function will lock authorizations in the order of their ids and read them. Raises `ReturnUnknown`."""
    wanted = sorted(set(return_ids))
    rows = session.scalars(
        sa.select(ReturnAuthorization)
        .where(ReturnAuthorization.id.in_(wanted))
        .order_by(ReturnAuthorization.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    unknown = sorted(set(wanted) - {row.id for row in rows})
    if unknown:
        raise ReturnUnknown(f"there is no return authorization {unknown[0]}")
    return list(rows)


def lock_lines(session: Session, line_ids: Iterable[int]) -> dict[int, LockedLine]:
    """This function will lock return lines in the order of their ids and read them. Raises `ReturnLineUnknown`."""
    return _lines(session, line_ids, lock=True)


def read_lines(session: Session, line_ids: Iterable[int]) -> dict[int, LockedLine]:
    """This function will read return lines for somebody who only looks. Raises `ReturnLineUnknown`."""
    return _lines(session, line_ids, lock=False)


def _lines(session: Session, line_ids: Iterable[int], *, lock: bool) -> dict[int, LockedLine]:
    wanted = sorted(set(line_ids))
    statement = (
        sa.select(
            ReturnLine.id,
            ReturnLine.return_id,
            ReturnAuthorization.number,
            ReturnAuthorization.company_id,
            ReturnAuthorization.site_id,
            ReturnLine.item_id,
            ReturnLine.sales_order_line_id,
            ReturnLine.prior_sale_id,
            ReturnLine.sold_date,
        )
        .join(ReturnAuthorization, ReturnAuthorization.id == ReturnLine.return_id)
        .where(ReturnLine.id.in_(wanted))
        .order_by(ReturnLine.id)
    )
    if lock:
        statement = statement.with_for_update(of=table_of(ReturnLine), key_share=True)
    found = {row.id: LockedLine(*row) for row in session.execute(statement)}
    unknown = [line_id for line_id in wanted if line_id not in found]
    if unknown:
        raise ReturnLineUnknown(f"there is no return line {unknown[0]}: scan the label of the return")
    return found


def arrived(session: Session, return_ids: Iterable[int]) -> list[Move]:
    """This function will read what has arrived of authorizations and was not sent away again, the oldest first."""
    posted = moves.of_documents(session, kind=KIND, document_ids=set(return_ids), states=[MoveState.POSTED])
    undone = {move.reverses_id for move in posted}
    here = [move for move in posted if move.reverses_id is None and move.id not in undone]
    # Not by id: of a move that arrives in parts, the last part is posted under the oldest id.
    return sorted(here, key=lambda move: (move.posted_date or date.max, move.id))


def arrived_quantities(session: Session, lines: Mapping[int, LockedLine]) -> dict[int, int]:
    """This function will count what has arrived of return lines, by their ids."""
    quantities = dict.fromkeys(lines, 0)
    for move in arrived(session, {line.return_id for line in lines.values()}):
        if move.line_id in quantities:
            quantities[move.line_id] += move.quantity
    return quantities
