"""What goods have cost: the value of each move, the cost of each item, and how they are read.

This file holds the tables. Only `scm.finance.valuation` writes them; what it must value is noted by a trigger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core.db import Base, BigId
from scm.finance.averages import StockCost

CHUNK = 5_000  # ids in one statement


class UnvaluedMove(Base):
    """A posted move that waits for its value. Written by a trigger on `stock_move`, in the order of posting.

    It has no foreign key: the row it names is the one whose trigger writes it.
    """

    __tablename__ = "unvalued_move"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    move_id: Mapped[int] = mapped_column(sa.BigInteger)


class MoveValue(Base):
    """What one move was worth, in the company's minor units. Append-only; ids ascend in the order of valuation.

    Quantity and value are above zero when goods entered the books. `revaluation` is what had to be added to the stock
    after the reversal of an entry, out of the cost of sales. `cost_of_id` names the issue whose cost a return shares.
    """

    __tablename__ = "move_value"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    move_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_move.id"), unique=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    value: Mapped[int] = mapped_column(sa.BigInteger)
    revaluation: Mapped[int] = mapped_column(sa.BigInteger)
    cost_of_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stock_move.id"), index=True)
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("journal_entry.id"), index=True)

    __table_args__ = (sa.CheckConstraint("quantity <> 0", name="values_something"),)


class ItemCost(Base):
    """What is in stock of an item and what it is worth, as far as moves are valued; and the last average known."""

    __tablename__ = "item_cost"

    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), primary_key=True)
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    value: Mapped[int] = mapped_column(sa.BigInteger)
    last_quantity: Mapped[int] = mapped_column(sa.BigInteger)
    last_value: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.CheckConstraint("quantity >= 0 AND value >= 0", name="not_negative"),
        sa.CheckConstraint("quantity > 0 OR value = 0", name="last_unit_takes_all"),
    )


class ValuationState(Base):
    """One row per company; whoever values holds its lock, so that two runs value one after the other."""

    __tablename__ = "valuation_state"

    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"), primary_key=True)
    last_run: Mapped[int]


def item_costs(session: Session, *, company_id: int, item_ids: Iterable[int] | None = None) -> dict[int, StockCost]:
    """This function will read what items in stock have cost, as far as moves are valued: run valuation first."""
    columns = sa.select(
        ItemCost.item_id, ItemCost.quantity, ItemCost.value, ItemCost.last_quantity, ItemCost.last_value
    ).where(ItemCost.company_id == company_id)
    if item_ids is None:
        return {row[0]: StockCost(*row[1:]) for row in session.execute(columns)}
    found = {}
    for ids in chunks(item_ids):
        for row in session.execute(columns.where(ItemCost.item_id.in_(ids))):
            found[row[0]] = StockCost(*row[1:])
    return found


def stock_value(session: Session, *, company_id: int) -> int:
    """This function will give what all goods in stock have cost, in minor units, as far as moves are valued."""
    total = sa.select(sa.func.sum(ItemCost.value)).where(ItemCost.company_id == company_id)
    return int(session.scalar(total) or 0)


def chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    """This function will give ids in order, in lists short enough for one statement."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
