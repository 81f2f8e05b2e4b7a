"""Whether the books are right, proved from the database alone, whatever happened before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import Database
from scm.master.items import Item
from scm.master.locations import PHYSICAL, Location, LocationKind
from scm.stock.balances import StockBalance, StockPool
from scm.stock.lots import Hold
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Reservation


def check_books(database: Database) -> None:
    """This function will check every item of a database."""
    with database.unit_of_work(write=False) as session:
        check_items(session, session.scalars(sa.select(Item.id)).all())


def check_items(session: Session, items: Collection[int]) -> None:
    """This function will check that balances are the sum of posted moves, pools that of unheld storage, `reserved`
    that of the promises and `allocated` that of the picks; and that no move is undone or delivered twice."""
    moves = session.execute(sa.select(StockMove.__table__).where(StockMove.item_id.in_(items))).all()
    kinds = {row.id: row for row in session.execute(sa.select(Location.id, Location.kind, Location.site_id))}
    held = set(session.scalars(sa.select(Hold.lot_id).where(Hold.released_at.is_(None))))
    balances = session.execute(sa.select(StockBalance.__table__).where(StockBalance.item_id.in_(items))).all()
    pools = session.execute(sa.select(StockPool.__table__).where(StockPool.item_id.in_(items))).all()
    promises = session.execute(sa.select(Reservation.__table__).where(Reservation.item_id.in_(items))).all()

    flow: Counter[tuple[int, ...]] = Counter()
    for move in moves:
        if move.state is MoveState.POSTED:
            flow[move.item_id, move.destination_id, move.lot_id, move.owner_id] += move.quantity
            flow[move.item_id, move.source_id, move.lot_id, move.owner_id] -= move.quantity
    assert sum(flow.values()) == 0
    counted = {key: quantity for key, quantity in flow.items() if kinds[key[1]].kind in PHYSICAL and quantity}
    assert {key_of(row): row.on_hand for row in balances if row.on_hand} == counted

    picks = [move for move in moves if move.state is MoveState.PLANNED and move.allocated]
    aside: Counter[tuple[int, ...]] = Counter()
    for pick in picks:
        aside[pick.item_id, pick.source_id, pick.lot_id, pick.owner_id] += pick.quantity
    assert {key_of(row): row.allocated for row in balances if row.allocated} == dict(aside)
    assert not {pick.lot_id for pick in picks} & held

    promisable: Counter[tuple[Any, ...]] = Counter()
    for row in balances:
        place = kinds[row.location_id]
        if place.kind is LocationKind.STORAGE and row.lot_id not in held:
            promisable[row.item_id, place.site_id, row.owner_id, "general"] += row.on_hand
    assert {pool_of(row): row.on_hand for row in pools if row.on_hand} == +promisable
    reserved: Counter[tuple[Any, ...]] = Counter()
    by_id = {move.id: move for move in moves}
    for promise in promises:
        move = by_id[promise.move_id]
        assert (move.state, move.quantity) == (MoveState.PLANNED, promise.quantity)
        reserved[pool_of(promise)] += promise.quantity
    assert {pool_of(row): row.reserved for row in pools if row.reserved} == dict(reserved)
    assert {pick.id for pick in picks} <= {promise.move_id for promise in promises}


def key_of(row: Any) -> tuple[int, ...]:
    """This function will give the full key of a balance."""
    return (row.item_id, row.location_id, row.lot_id, row.owner_id)


def pool_of(row: Any) -> tuple[Any, ...]:
    """This function will give the key of a pool, or of a promise against one."""
    return (row.item_id, row.site_id, row.owner_id, row.pool)
