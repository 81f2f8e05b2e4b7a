"""Transfers between sites: the document, its lines, its states, and what was lost on the way.

How far a transfer has come is derived from its stock moves. `warehouse.transfers` and `warehouse.transfer_losses`
hold the verbs.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId
from scm.core.documents import Machine
from scm.core.errors import NotFound
from scm.stock import moves
from scm.stock.moves import Move, MoveState

KIND = "transfer"


class TransferState(enum.Enum):
    """Where a transfer stands. Of a received one something has come, and something is still on the way."""

    DRAFT = "draft"
    RELEASED = "released"
    SHIPPED = "shipped"
    RECEIVED = "received"
    CLOSED = "closed"
    CANCELLED = "cancelled"


MACHINE = Machine(
    kind=KIND,
    initial=TransferState.DRAFT,
    transitions={
        (TransferState.DRAFT, "release"): TransferState.RELEASED,
        (TransferState.DRAFT, "cancel"): TransferState.CANCELLED,
        (TransferState.DRAFT, "edit"): TransferState.DRAFT,
        (TransferState.RELEASED, "pick"): TransferState.RELEASED,
        (TransferState.RELEASED, "ship"): TransferState.SHIPPED,
        (TransferState.RELEASED, "cancel"): TransferState.CANCELLED,
        (TransferState.SHIPPED, "receive"): TransferState.RECEIVED,
        (TransferState.SHIPPED, "write_off"): TransferState.RECEIVED,
        (TransferState.RECEIVED, "receive"): TransferState.RECEIVED,
        (TransferState.RECEIVED, "write_off"): TransferState.RECEIVED,
        (TransferState.RECEIVED, "close"): TransferState.CLOSED,
    },
)
OPEN = (TransferState.DRAFT, TransferState.RELEASED, TransferState.SHIPPED, TransferState.RECEIVED)
ON_THE_WAY = (TransferState.SHIPPED, TransferState.RECEIVED)


class Transfer(Base):
    """Goods that one site sends to another: to leave on `ship_date` and to be there on `due_date`."""

    __tablename__ = "transfer"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    from_site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    to_site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    lane_id: Mapped[int] = mapped_column(sa.ForeignKey("transfer_lane.id"))
    number: Mapped[str] = mapped_column(sa.String(30), unique=True)
    state: Mapped[TransferState] = mapped_column(types.enum_column(TransferState))
    drafted_date: Mapped[date]
    ship_date: Mapped[date]
    due_date: Mapped[date]
    written_by_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    shipped_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    shipped_date: Mapped[date | None]
    reason: Mapped[str] = mapped_column(sa.String(400), default="")  # why it is sent, was cancelled, or left short

    __table_args__ = (
        sa.CheckConstraint("from_site_id <> to_site_id", name="goes_elsewhere"),
        sa.CheckConstraint("due_date >= ship_date", name="due_after_shipped"),
        sa.Index(None, "from_site_id", "state"),
        sa.Index(None, "to_site_id", "state"),
    )


class TransferLine(Base):
    """So much of one item. `proposal_id` names the proposal it carries out, which a room above keeps."""

    __tablename__ = "transfer_line"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    transfer_id: Mapped[int] = mapped_column(sa.ForeignKey("transfer.id"), index=True)
    line_number: Mapped[int]
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"))
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    proposal_id: Mapped[int | None] = mapped_column(sa.BigInteger, unique=True)

    __table_args__ = (
        sa.UniqueConstraint("transfer_id", "line_number"),
        sa.CheckConstraint("quantity > 0", name="moves_something"),
    )


class LossParty(enum.Enum):
    """Who answers for what was lost on the way."""

    CARRIER = "carrier"
    SENDER = "sender"
    RECEIVER = "receiver"


class TransferLoss(Base):
    """Goods that left one site and will not come to the other. `move_id` took them out of the books."""

    __tablename__ = "transfer_loss"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    line_id: Mapped[int] = mapped_column(sa.ForeignKey("transfer_line.id"), index=True)
    move_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_move.id"), unique=True)
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    party: Mapped[LossParty] = mapped_column(types.enum_column(LossParty))
    reason: Mapped[str] = mapped_column(sa.String(200))
    recorded_by_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    recorded_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="loses_something"),
        sa.CheckConstraint("reason <> ''", name="has_a_reason"),
    )


class TransferUnknown(NotFound):
    """There is no such transfer, or the site has no part in it."""


def lock(session: Session, transfer_id: int) -> Transfer:
    """This function will lock a transfer and read it as it now is. Raises `TransferUnknown`."""
    found = session.scalars(
        sa.select(Transfer)
        .where(Transfer.id == transfer_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise TransferUnknown(f"there is no transfer {transfer_id}")
    return found


def find(session: Session, number: str, *, site_id: int) -> Transfer:
    """This function will find a transfer that a site sends or receives, by its number. Raises `TransferUnknown`."""
    found = session.scalars(
        sa.select(Transfer).where(
            Transfer.number == number, sa.or_(Transfer.from_site_id == site_id, Transfer.to_site_id == site_id)
        )
    ).one_or_none()
    if found is None:
        raise TransferUnknown(f"this site has no transfer {number[:40]}")
    return found


def lines_of(session: Session, transfer_ids: Iterable[int]) -> list[TransferLine]:
    """This function will read the lines of transfers in their order."""
    statement = sa.select(TransferLine).where(TransferLine.transfer_id.in_(sorted(set(transfer_ids))))
    return list(session.scalars(statement.order_by(TransferLine.transfer_id, TransferLine.line_number)))


def planned_moves(session: Session, transfer_id: int) -> list[Move]:
    """This function will read what a transfer is still to move, in the order of the moves."""
    return moves.of_documents(session, kind=KIND, document_ids=[transfer_id], states=[MoveState.PLANNED])
