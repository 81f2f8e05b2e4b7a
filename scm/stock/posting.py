"""The raw writer: the only module that inserts or changes stock moves, balances, pools and reservations' totals.

It decides nothing. The verbs in `ledger`, `reservations`, `allocation` and `holds` lock, decide, and then call it;
an import contract keeps every other room away from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import bulk
from scm.core.db import table_of
from scm.stock import moves
from scm.stock.balances import BalanceKey, LockedStock, PoolKey, StockBalance, StockPool
from scm.stock.moves import Move, StockMove

MANY = 200  # moves for which COPY, with one more round trip for their ids, is cheaper than an INSERT
_COLUMNS = tuple(field.name for field in fields(Move) if field.name != "id")
_MOVES = table_of(StockMove)
_BALANCES = table_of(StockBalance)
_POOLS = table_of(StockPool)

_UPDATE_BALANCE = (
    sa.update(_BALANCES)
    .where(
        _BALANCES.c.item_id == sa.bindparam("k_item"),
        _BALANCES.c.location_id == sa.bindparam("k_location"),
        _BALANCES.c.lot_id == sa.bindparam("k_lot"),
        _BALANCES.c.owner_id == sa.bindparam("k_owner"),
    )
    .values(on_hand=sa.bindparam("v_there"), allocated=sa.bindparam("v_taken"))
)
_UPDATE_POOL = (
    sa.update(_POOLS)
    .where(
        _POOLS.c.item_id == sa.bindparam("k_item"),
        _POOLS.c.site_id == sa.bindparam("k_site"),
        _POOLS.c.owner_id == sa.bindparam("k_owner"),
        _POOLS.c.pool == sa.bindparam("k_pool"),
    )
    .values(on_hand=sa.bindparam("v_there"), reserved=sa.bindparam("v_taken"))
)


def insert_moves(session: Session, new: Sequence[Move]) -> None:
    """This function will insert moves and give each its id."""
    if not new:
        return
    rows = [{name: getattr(move, name) for name in _COLUMNS} for move in new]
    if session.get_bind().dialect.name == "sqlite":
        # RETURNING would take a statement per row there. The one writer of the moment may number them itself.
        last = session.scalar(sa.select(sa.func.max(_MOVES.c.id))) or 0
        for move_id, row in enumerate(rows, start=last + 1):
            row["id"] = move_id
        session.execute(sa.insert(_MOVES), rows)
        ids = [int(row["id"]) for row in rows]
    elif len(rows) > MANY:
        ids = bulk.insert_rows(session, _MOVES, rows)
    else:
        result = session.execute(sa.insert(_MOVES).returning(_MOVES.c.id, sort_by_parameter_order=True), rows)
        ids = list(result.scalars())
    for move, move_id in zip(new, ids, strict=True):
        move.id = move_id
    moves.remember_fresh(session, new)


def update_moves(session: Session, changed: Sequence[Move], *, columns: Iterable[str]) -> None:
    """This function will write the named columns of planned moves that were locked before."""
    if not changed:
        return
    names = list(columns)
    statement = (
        sa.update(_MOVES)
        .where(_MOVES.c.id == sa.bindparam("k_id"))
        .values({name: sa.bindparam(f"v_{name}") for name in names})
    )
    rows: list[dict[str, Any]] = [
        {"k_id": move.id} | {f"v_{name}": getattr(move, name) for name in names} for move in changed
    ]
    session.execute(statement, rows)
    moves.refresh(session, changed)


def write_stock(
    session: Session, locked: LockedStock, *, pools: Iterable[PoolKey], balances: Iterable[BalanceKey]
) -> None:
    """This function will write the figures of locked rows as they stand in memory."""
    pool_rows = [
        {
            "k_item": key.item_id,
            "k_site": key.site_id,
            "k_owner": key.owner_id,
            "k_pool": key.pool,
            "v_there": locked.pools[key].there,
            "v_taken": locked.pools[key].taken,
        }
        for key in sorted(set(pools))
    ]
    if pool_rows:
        session.execute(_UPDATE_POOL, pool_rows)
    balance_rows = [
        {
            "k_item": key.item_id,
            "k_location": key.location_id,
            "k_lot": key.lot_id,
            "k_owner": key.owner_id,
            "v_there": locked.balances[key].there,
            "v_taken": locked.balances[key].taken,
        }
        for key in sorted(set(balances))
    ]
    if balance_rows:
        session.execute(_UPDATE_BALANCE, balance_rows)
