"""Pegs: which planned inbound move is meant for which planned outbound one.

A peg is an intention between two moves. When the demand is given up the peg is orphaned, so that the room that owns
the supply can see what it bought for nobody; supply is never cancelled by it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId, table_of


class PegState(enum.Enum):
    """An open peg joins two live moves; an orphaned one lost a side."""

    OPEN = "open"
    ORPHANED = "orphaned"


class Peg(Base):
    """So many units of a supplying move are meant for a demanding one."""

    __tablename__ = "peg"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    supply_move_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_move.id"), index=True)
    demand_move_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_move.id"), index=True)
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    state: Mapped[PegState] = mapped_column(types.enum_column(PegState))

    __table_args__ = (
        sa.UniqueConstraint("supply_move_id", "demand_move_id"),
        sa.CheckConstraint("quantity > 0", name="pegs_something"),
    )


class PegRequest(NamedTuple):
    """One peg to write."""

    supply_move_id: int
    demand_move_id: int
    quantity: int


def peg(session: Session, requests: Sequence[PegRequest]) -> None:
    """This function will write open pegs."""
    if requests:
        rows = [request._asdict() | {"state": PegState.OPEN} for request in requests]
        session.execute(sa.insert(table_of(Peg)), rows)


def orphan(session: Session, move_ids: Iterable[int]) -> None:
    """This function will orphan the open pegs on either side of moves that were given up."""
    ids = sorted(set(move_ids))
    if ids:
        session.execute(
            sa.update(Peg)
            .where(Peg.state == PegState.OPEN, sa.or_(Peg.supply_move_id.in_(ids), Peg.demand_move_id.in_(ids)))
            .values(state=PegState.ORPHANED)
        )


def orphaned_supply(session: Session) -> list[PegRequest]:
    """This function will list supply that was meant for demand which has gone, in the order of its moves."""
    rows = session.execute(
        sa.select(Peg.supply_move_id, Peg.demand_move_id, Peg.quantity)
        .where(Peg.state == PegState.ORPHANED)
        .order_by(Peg.supply_move_id, Peg.demand_move_id)
    )
    return [PegRequest(*row) for row in rows]
