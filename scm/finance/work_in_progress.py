"""Work in progress: what was issued to a work order and not yet taken by its output, and how it is read.

The value itself is never stored: it is the sum of the values of the order's moves, less what was written off. Stored
are two facts that production tells: how much was still to be made when an output was posted, and that an order is
closed. `scm.finance.valuation` reads them, and writes off what a closed order still holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from scm.core import types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import InvalidInput
from scm.finance.costs import MoveValue, UnvaluedMove, chunks
from scm.master.locations import Location, LocationKind
from scm.stock.moves import StockMove

Document = tuple[str, int]  # the kind of a document and its id


class ProductionOutput(Base):
    """How much of an order was still to be made when an output of it was posted, that output included.

    The output takes its share of the order's work in progress by it. Append-only.
    """

    __tablename__ = "production_output"

    move_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_move.id"), primary_key=True)
    remaining: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (sa.CheckConstraint("remaining > 0", name="made_something"),)


class ProductionClosing(Base):
    """An order that makes nothing more. `settled` once what it still held was written off."""

    __tablename__ = "production_closing"

    document_kind: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    document_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    closed_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    settled: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        sa.Index(
            "ix_production_closing_open",
            "company_id",
            sqlite_where=sa.text("NOT settled"),
            postgresql_where=sa.text("NOT settled"),
        ),
    )


class ProductionVariance(Base):
    """What a closed order still held, in minor units, and was written off. Append-only."""

    __tablename__ = "production_variance"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    document_kind: Mapped[str] = mapped_column(sa.String(40))
    document_id: Mapped[int] = mapped_column(sa.BigInteger)
    amount: Mapped[int] = mapped_column(sa.BigInteger)
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("journal_entry.id"), index=True)

    __table_args__ = (
        sa.CheckConstraint("amount <> 0", name="writes_something_off"),
        sa.Index(None, "document_kind", "document_id"),
    )


class NothingRemained(InvalidInput):
    """An output cannot be more than what was still to be made."""


def record_output(session: Session, *, move_id: int, quantity: int, remaining: int) -> None:
    """This function will note how much was still to be made when an output of `quantity` was posted.

    Raises `NothingRemained` when that is less than the output itself.
    """
    if remaining < quantity:
        raise NothingRemained(f"move {move_id} is an output of {quantity}, of which {remaining} were still to be made")
    session.execute(sa.insert(table_of(ProductionOutput)), [{"move_id": move_id, "remaining": remaining}])


def record_closing(session: Session, documents: Iterable[Document], *, company_id: int, now: datetime) -> None:
    """This function will note that orders make nothing more: valuation writes off what they still hold."""
    rows = [
        {"document_kind": kind, "document_id": i, "company_id": company_id, "closed_at": now, "settled": False}
        for kind, i in documents
    ]
    if rows:
        session.execute(sa.insert(table_of(ProductionClosing)), rows)


def remaining_of(session: Session, move_ids: Iterable[int]) -> dict[int, int]:
    """This function will give how much was still to be made when each output was posted."""
    found: dict[int, int] = {}
    columns = sa.select(ProductionOutput.move_id, ProductionOutput.remaining)
    for ids in chunks(move_ids):
        found.update(
            (row.move_id, row.remaining) for row in session.execute(columns.where(ProductionOutput.move_id.in_(ids)))
        )
    return found


def values(session: Session, documents: Iterable[Document]) -> dict[Document, int]:
    """This function will give what orders hold, in minor units, as far as their moves are valued."""
    found = dict.fromkeys(documents, 0)
    by_kind: dict[str, set[int]] = {}
    for kind, document_id in found:
        by_kind.setdefault(kind, set()).add(document_id)
    for kind, ids in by_kind.items():
        for some in chunks(ids):
            held = held_by_document().subquery()
            statement = (
                sa.select(held.c.document_id, sa.func.sum(held.c.held))
                .where(held.c.document_kind == kind, held.c.document_id.in_(some))
                .group_by(held.c.document_id)
            )
            for document_id, value in session.execute(statement):
                found[kind, document_id] = int(value)
    return found


def held_by_document() -> sa.Select[*tuple[Any, ...]]:
    """This function will give the query of all that ever entered or left orders' work in progress, as `held`."""
    moved = sa.select(
        StockMove.company_id,
        StockMove.document_kind,
        StockMove.document_id,
        (-MoveValue.value).label("held"),
    ).join(MoveValue, MoveValue.move_id == StockMove.id)
    written_off: sa.Select[*tuple[Any, ...]] = sa.select(
        ProductionVariance.company_id,
        ProductionVariance.document_kind,
        ProductionVariance.document_id,
        (-ProductionVariance.amount).label("held"),
    )
    both = sa.union_all(at_production(moved), written_off).subquery()
    return sa.select(both)


def at_production(statement: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    """This function will restrict a query of stock moves to those into or out of production."""
    source, destination = aliased(Location), aliased(Location)
    return (
        statement.join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(sa.or_(source.kind == LocationKind.PRODUCTION, destination.kind == LocationKind.PRODUCTION))
    )


def output_value(session: Session, document: Document) -> int:
    """This function will give what the output of an order took in minor units, undone output left out."""
    made = sa.func.coalesce(StockMove.reverses_id, StockMove.id)
    statement = (
        sa.select(sa.func.coalesce(sa.func.sum(MoveValue.value), 0))
        .join(StockMove, StockMove.id == MoveValue.move_id)
        .join(ProductionOutput, ProductionOutput.move_id == made)
        .where(StockMove.document_kind == document[0], StockMove.document_id == document[1])
    )
    return int(session.scalar(statement) or 0)


def reopen(session: Session, documents: Iterable[Document]) -> None:
    """This function will have closed orders settled once more, because a move of theirs got its value just now."""
    wanted = sorted(set(documents))
    for start in range(0, len(wanted), 400):
        session.execute(
            sa.update(table_of(ProductionClosing))
            .where(
                sa.tuple_(ProductionClosing.document_kind, ProductionClosing.document_id).in_(
                    wanted[start : start + 400]
                ),
                ProductionClosing.settled,
            )
            .values(settled=False)
        )


def to_settle(session: Session, *, company_id: int) -> dict[Document, int]:
    """This function will give what closed orders still hold, those of which every move is valued."""
    waiting = (
        sa.exists()
        .where(UnvaluedMove.move_id == StockMove.id)
        .where(
            StockMove.document_kind == ProductionClosing.document_kind,
            StockMove.document_id == ProductionClosing.document_id,
        )
    )
    rows = session.execute(
        sa.select(ProductionClosing.document_kind, ProductionClosing.document_id)
        .where(ProductionClosing.company_id == company_id, ~ProductionClosing.settled, ~waiting)
        .order_by(ProductionClosing.document_kind, ProductionClosing.document_id)
    ).all()
    return values(session, [(row.document_kind, row.document_id) for row in rows])


def write_off(session: Session, amounts: Mapping[Document, tuple[int, int]], *, company_id: int) -> None:
    """This function will note amounts written off, each with its journal entry."""
    rows = [
        {
            "company_id": company_id,
            "document_kind": kind,
            "document_id": document_id,
            "amount": amount,
            "entry_id": entry_id,
        }
        for (kind, document_id), (amount, entry_id) in amounts.items()
    ]
    if rows:
        session.execute(sa.insert(table_of(ProductionVariance)), rows)


def mark_settled(session: Session, documents: Iterable[Document]) -> None:
    """This function will note that closed orders hold nothing more."""
    wanted = sorted(documents)
    for start in range(0, len(wanted), 400):
        key = sa.tuple_(ProductionClosing.document_kind, ProductionClosing.document_id)
        session.execute(
            sa.update(table_of(ProductionClosing)).where(key.in_(wanted[start : start + 400])).values(settled=True)
        )
