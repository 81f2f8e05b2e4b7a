"""The stock move: the only record of where things are.

This file holds the table and how it is read. Only `scm.stock.posting` writes it.
"""

from __future__ import annotations

import copy
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import NotFound

GENERAL_POOL = "general"
_FRESH = "stock_moves_planned_here"
CHUNK = 5000


class MoveState(enum.Enum):
    """A planned move is an intention, a posted one a fact, a cancelled one an intention given up."""

    PLANNED = "planned"
    POSTED = "posted"
    CANCELLED = "cancelled"


class StockMove(Base):
    """A quantity of an item going from one location to another, for one document line.

    A trigger refuses every change of a posted row. A partial posting leaves the rest planned under the old id and
    posts a child; `origin_id` of the child names it.
    """

    __tablename__ = "stock_move"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lot.id"))
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"))
    pool: Mapped[str] = mapped_column(sa.String(20))
    source_id: Mapped[int] = mapped_column(sa.ForeignKey("location.id"))
    destination_id: Mapped[int] = mapped_column(sa.ForeignKey("location.id"))
    onward: Mapped[list[Any]] = mapped_column(types.Json)  # location ids of the legs still to be planned
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    state: Mapped[MoveState] = mapped_column(types.enum_column(MoveState))
    due_date: Mapped[date]
    posted_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    posted_date: Mapped[date | None]  # the business date of the site
    document_kind: Mapped[str] = mapped_column(sa.String(40))
    document_id: Mapped[int] = mapped_column(sa.BigInteger)
    line_id: Mapped[int] = mapped_column(sa.BigInteger)
    allocated: Mapped[bool]  # bin and lot are chosen and set aside
    over_quantity: Mapped[int] = mapped_column(sa.BigInteger)  # how much more than planned may still be received
    needs_inspection: Mapped[bool]
    expected_unit_cost: Mapped[Decimal | None] = mapped_column(types.UnitPrice)
    currency: Mapped[str | None] = mapped_column(sa.String(3))
    origin_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stock_move.id"))
    previous_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stock_move.id"))  # the leg before this one
    reverses_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stock_move.id"))
    cost_of_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stock_move.id"))  # a return enters at this cost
    reason: Mapped[str] = mapped_column(sa.String(200))

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="moves_something"),
        sa.CheckConstraint("source_id <> destination_id", name="goes_somewhere"),
        sa.CheckConstraint(
            "(state = 'posted') = (posted_at IS NOT NULL) AND (state = 'posted') = (posted_date IS NOT NULL)",
            name="posted_has_its_time",
        ),
        sa.CheckConstraint("over_quantity >= 0", name="tolerance_not_negative"),
        sa.Index(None, "document_kind", "document_id"),
        sa.Index(None, "item_id", "state"),
        sa.Index(None, "posted_at", "id"),
        sa.Index(None, "previous_id"),
        sa.Index(
            "ix_stock_move_cost_of",
            "cost_of_id",
            sqlite_where=sa.text("cost_of_id IS NOT NULL"),
            postgresql_where=sa.text("cost_of_id IS NOT NULL"),
        ),
        # Partial, because nearly no move is a reversal: an index over all the NULLs would tempt SQLite to read them.
        sa.Index(
            "uq_stock_move_reversed_once",
            "reverses_id",
            unique=True,
            sqlite_where=sa.text("reverses_id IS NOT NULL"),
            postgresql_where=sa.text("reverses_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_stock_move_planned",
            "source_id",
            "due_date",
            sqlite_where=sa.text("state = 'planned'"),
            postgresql_where=sa.text("state = 'planned'"),
        ),
    )


@dataclass(kw_only=True, slots=True)
class Move:
    """A stock move in memory, as it stands in this transaction. Field by field the row of `StockMove`."""

    id: int
    company_id: int
    item_id: int
    lot_id: int
    owner_id: int
    pool: str
    source_id: int
    destination_id: int
    onward: list[int]
    quantity: int
    state: MoveState
    due_date: date
    posted_at: datetime | None
    posted_date: date | None
    document_kind: str
    document_id: int
    line_id: int
    allocated: bool
    over_quantity: int
    needs_inspection: bool
    expected_unit_cost: Decimal | None
    currency: str | None
    origin_id: int | None
    previous_id: int | None
    reverses_id: int | None
    cost_of_id: int | None
    reason: str

    @property
    def label(self) -> str:
        """What an error calls this move."""
        return f"move {self.id} ({self.document_kind} {self.document_id} line {self.line_id})"


class MoveUnknown(NotFound):
    """There is no stock move of that id."""


def remember_fresh(session: Session, moves: Iterable[Move]) -> None:
    """This function will keep moves inserted by this transaction: nobody else can change them before its commit."""
    session.info.setdefault(_FRESH, {}).update({move.id: copy.copy(move) for move in moves})


def is_fresh(session: Session, move_id: int) -> bool:
    """This function will tell whether a move was inserted by this transaction."""
    return move_id in session.info.get(_FRESH, {})


def refresh(session: Session, moves: Iterable[Move]) -> None:
    """This function will note what was written to moves that this transaction had inserted itself."""
    fresh = session.info.get(_FRESH, {})
    fresh.update({move.id: copy.copy(move) for move in moves if move.id in fresh})


def lock(session: Session, move_ids: Iterable[int], *, skip_locked: bool = False) -> list[Move]:
    """This function will lock moves in the order of their ids and then read them; the result is in the order asked.

    `skip_locked=True` leaves out moves that another transaction is working on at this moment. Raises `MoveUnknown`.
    """
    wanted = list(move_ids)
    fresh = session.info.get(_FRESH, {})
    found: dict[int, Move] = {i: copy.copy(fresh[i]) for i in set(wanted) if i in fresh}
    missing = sorted(set(wanted) - set(found))
    for start in range(0, len(missing), CHUNK):
        statement = (
            sa.select(table_of(StockMove))
            .where(StockMove.id.in_(missing[start : start + CHUNK]))
            .order_by(StockMove.id)
            # Not the strongest lock: rows that only refer to a move may be inserted meanwhile.
            .with_for_update(key_share=True, skip_locked=skip_locked)
        )
        for row in session.execute(statement):
            found[row.id] = Move(**row._mapping)
    if skip_locked:
        return [found[move_id] for move_id in wanted if move_id in found]
    unknown = [move_id for move_id in wanted if move_id not in found]
    if unknown:
        raise MoveUnknown(f"there is no stock move {unknown[0]}")
    return [found[move_id] for move_id in wanted]


def of_documents(
    session: Session, *, kind: str, document_ids: Iterable[int], states: Iterable[MoveState] | None = None
) -> list[Move]:
    """This function will read, without locking, the moves of some documents in the order of their ids."""
    statement = sa.select(table_of(StockMove)).where(
        StockMove.document_kind == kind, StockMove.document_id.in_(list(document_ids))
    )
    if states is not None:
        statement = statement.where(StockMove.state.in_(list(states)))
    return [Move(**row._mapping) for row in session.execute(statement.order_by(StockMove.id))]


@event.listens_for(Session, "after_rollback")
def _forget_fresh(session: Session) -> None:
    session.info.pop(_FRESH, None)
