"""Proves what goods have cost against the moves that were valued, and finds the moves that were not.

It reads no cost to compute one, and writes nothing. `scm.finance.reconcile` runs the checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.finance.costs import ItemCost, MoveValue, UnvaluedMove
from scm.finance.findings import Check, Finding
from scm.finance.goods_proof import NOTHING, differing
from scm.master.items import Item
from scm.master.locations import Location
from scm.master.partners import OWN_STOCK
from scm.stock.moves import MoveState, StockMove


def items_cost_what_moves_brought(session: Session) -> Iterator[Finding]:
    """This function will prove quantity and value of every item's cost against the values of its moves."""
    for what, brought, kept in (
        ("quantity", MoveValue.quantity, ItemCost.quantity),
        ("value", MoveValue.value + MoveValue.revaluation, ItemCost.value),
    ):
        moved = sa.select(MoveValue.item_id, brought.label("expected"), NOTHING.label("found"))
        stands = sa.select(ItemCost.item_id, NOTHING.label("expected"), kept.label("found"))
        wrong = differing(moved, stands, keys=("item_id",))
        statement = (
            sa.select(Item.sku, wrong.c.expected, wrong.c.found)
            .join_from(wrong, Item, Item.id == wrong.c.item_id)
            .order_by(Item.sku)
        )
        for sku, expected, found in session.execute(statement):
            yield Finding(f"{what} of the cost of item {sku}", int(expected), int(found))


def values_fit_moves(session: Session) -> Iterator[Finding]:
    """This function will prove the quantity of every move's value against the move itself."""
    crossing = _crossing().subquery()
    expected = sa.func.coalesce(crossing.c.quantity, 0)
    statement = (
        sa.select(Item.sku, MoveValue.move_id, expected.label("expected"), MoveValue.quantity)
        .join(Item, Item.id == MoveValue.item_id)
        .outerjoin(crossing, sa.and_(crossing.c.id == MoveValue.move_id, crossing.c.item_id == MoveValue.item_id))
        .where(expected != MoveValue.quantity)
        .order_by(MoveValue.move_id)
    )
    for sku, move_id, should, found in session.execute(statement):
        yield Finding(f"valued quantity of move {move_id}, item {sku}", int(should), found)


def reversals_cost_the_same(session: Session) -> Iterator[Finding]:
    """This function will prove that every reversal has exactly the value of what it reverses."""
    back, fact = aliased(MoveValue), aliased(MoveValue)
    statement = (
        sa.select(Item.sku, back.move_id, StockMove.reverses_id, (-fact.value).label("expected"), back.value)
        .join(StockMove, StockMove.id == back.move_id)
        .join(fact, fact.move_id == StockMove.reverses_id)
        .join(Item, Item.id == back.item_id)
        .where(back.value != -fact.value)
        .order_by(back.move_id)
    )
    for sku, move_id, reverses_id, expected, found in session.execute(statement):
        yield Finding(f"value of move {move_id}, which reverses move {reverses_id}, item {sku}", expected, found)


def returns_cost_no_more(session: Session) -> Iterator[Finding]:
    """This function will prove that what came back of an issue entered at no more than the issue took."""
    issue, back = aliased(MoveValue), aliased(MoveValue)
    quantity, value = sa.func.sum(back.quantity), sa.func.sum(back.value)
    statement = (
        sa.select(Item.sku, issue.move_id, (-issue.value).label("took"), value.label("returned"))
        .join(issue, issue.move_id == back.cost_of_id)
        .join(Item, Item.id == issue.item_id)
        .group_by(Item.sku, issue.move_id, issue.value, issue.quantity)
        .having(sa.and_(quantity <= -issue.quantity, value > -issue.value))
        .order_by(issue.move_id)
    )
    for sku, move_id, took, returned in session.execute(statement):
        yield Finding(f"value of the returns of move {move_id}, item {sku}", f"at most {took}", int(returned))


def notes_are_complete(session: Session) -> Iterator[Finding]:
    """This function will prove that exactly the moves without a value are noted for valuation."""
    notes = sa.select(UnvaluedMove.move_id, NOTHING.label("expected"), sa.literal(1, sa.BigInteger).label("found"))
    without = _unvalued().subquery()
    waiting = sa.select(
        without.c.id.label("move_id"), sa.literal(1, sa.BigInteger).label("expected"), NOTHING.label("found")
    )
    wrong = differing(waiting, notes, keys=("move_id",))
    for move_id, expected, found in session.execute(sa.select(wrong)):
        yield Finding(f"notes to value move {move_id}", int(expected), int(found))


CHECKS: tuple[Check, ...] = (
    items_cost_what_moves_brought,
    values_fit_moves,
    reversals_cost_the_same,
    returns_cost_no_more,
    notes_are_complete,
)


def unvalued(session: Session) -> tuple[int, datetime | None]:
    """This function will count the moves that have no value yet and tell when the oldest of them was posted."""
    without = _unvalued().subquery()
    row = session.execute(sa.select(sa.func.count(), sa.func.min(without.c.posted_at)).select_from(without)).one()
    return int(row[0]), row[1]


def _crossing() -> sa.Select[*tuple[Any, ...]]:
    """Posted moves of own goods into or out of the books, with the quantity that entered."""
    source, destination = aliased(Location), aliased(Location)
    return (
        sa.select(
            StockMove.id,
            StockMove.item_id,
            StockMove.posted_at,
            sa.case((destination.valued, StockMove.quantity), else_=-StockMove.quantity).label("quantity"),
        )
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(
            StockMove.state == MoveState.POSTED,
            StockMove.owner_id == OWN_STOCK,
            source.valued != destination.valued,
        )
    )


def _unvalued() -> sa.Select[*tuple[Any, ...]]:
    return _crossing().where(~sa.exists().where(MoveValue.move_id == StockMove.id))
