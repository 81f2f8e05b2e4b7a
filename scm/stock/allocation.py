"""Allocation: which bin and which lot a promised move is picked from, decided when a wave is released.

First expired, first out; among equals the pick path. The quantity is set aside in the bin's `allocated`, which a CHECK
keeps within what is there.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.core.errors import Conflict
from scm.master import locations
from scm.master.locations import Location, LocationKind
from scm.stock import balances, moves, posting, reservations
from scm.stock.balances import BalanceKey, LockedStock, StockBalance
from scm.stock.lots import NO_LOT, Hold, Lot
from scm.stock.moves import Move, MoveState, StockMove


class NotPromised(Conflict):
    """A move without a promise cannot be given a bin."""


@dataclass(frozen=True, slots=True)
class Allocated:
    """The picks one promised move became, and how much found no bin."""

    move_id: int
    pick_ids: tuple[int, ...]
    short: int


def allocate(session: Session, move_ids: Sequence[int], *, today: date) -> list[Allocated]:
    """This function will choose bins and lots for promised moves of one site, in the order given.

    A move that needs several bins is split: each pick is a move of its own with its own promise. Lots that are held
    or expired on `today` are passed over. Raises `NotPromised`.
    """
    wanted = moves.lock(session, move_ids)
    promised = reservations.quantities(session, move_ids)
    for move in wanted:
        if move.id not in promised or move.allocated or move.state is not MoveState.PLANNED:
            raise NotPromised(f"{move.label} is {move.state.value} and holds no open promise: reserve it first")
    bins = _bins(session, wanted, today=today)
    locked = balances.lock(session, balances=[key for keys in bins.values() for key in keys])
    results: list[tuple[Move, list[Move], int]] = []
    for move in wanted:
        picks, short = _choose(move, bins[(move.item_id, move.owner_id)], locked)
        results.append((move, picks, short))
    _write(session, results)
    touched = {_key(pick) for _, picks, _ in results for pick in picks}
    posting.write_stock(session, locked, pools=(), balances=touched)
    return [Allocated(move.id, tuple(pick.id for pick in picks), short) for move, picks, short in results]


def take_back(session: Session, locked: LockedStock, *, leave: Mapping[BalanceKey, int]) -> list[int]:
    """This function will take bins back from the newest picks until no more than `leave` is set aside in each.

    The moves keep their promise and wait for another bin. The caller holds the locks and writes the totals. Returns
    the ids of the moves concerned.
    """
    returned: list[Move] = []
    for key, most in sorted(leave.items()):
        counted = locked.balances[key]
        if counted.taken <= most:
            continue
        rows = session.execute(
            sa.select(table_of(StockMove))
            .where(
                StockMove.state == MoveState.PLANNED,
                StockMove.allocated,
                StockMove.item_id == key.item_id,
                StockMove.source_id == key.location_id,
                StockMove.lot_id == key.lot_id,
                StockMove.owner_id == key.owner_id,
            )
            .order_by(StockMove.id.desc())
            .with_for_update()
        ).all()
        for row in rows:
            if counted.taken <= most:
                break
            move = Move(**row._mapping)
            counted.taken -= move.quantity
            returned.append(move)
    _to_area(session, returned)
    return [move.id for move in returned]


def deallocate(session: Session, move_ids: Sequence[int]) -> None:
    """This function will give the bins of picks back; the moves keep their promise and wait for another bin."""
    wanted = [move for move in moves.lock(session, move_ids) if move.allocated and move.state is MoveState.PLANNED]
    locked = balances.lock(session, balances=[_key(move) for move in wanted])
    keys = [_key(move) for move in wanted]
    for move, key in zip(wanted, keys, strict=True):
        locked.balances[key].taken -= move.quantity
    _to_area(session, wanted)
    posting.write_stock(session, locked, pools=(), balances=keys)


def _to_area(session: Session, returned: Sequence[Move]) -> None:
    where = locations.places(session, {move.source_id for move in returned})
    for move in returned:
        move.source_id = locations.of_kind(
            session, kind=LocationKind.STORAGE, site_id=where[move.source_id].site_id, area=True
        )
        move.lot_id = NO_LOT
        move.allocated = False
    posting.update_moves(session, returned, columns=["source_id", "lot_id", "allocated"])


def _key(move: Move) -> BalanceKey:
    return BalanceKey(move.item_id, move.source_id, move.lot_id, move.owner_id)


def _bins(session: Session, wanted: Sequence[Move], *, today: date) -> dict[tuple[int, int], list[BalanceKey]]:
    """The candidate rows of each (item, owner) in picking order, read before the lock and counted after it."""
    sites = {place.site_id for place in locations.places(session, {move.source_id for move in wanted}).values()}
    rows = session.execute(
        sa.select(StockBalance.item_id, StockBalance.location_id, StockBalance.lot_id, StockBalance.owner_id)
        .join(Location, Location.id == StockBalance.location_id)
        .join(Lot, Lot.id == StockBalance.lot_id)
        .where(
            Location.kind == LocationKind.STORAGE,
            Location.site_id.in_(sites),
            StockBalance.item_id.in_(sorted({move.item_id for move in wanted})),
            StockBalance.on_hand > StockBalance.allocated,
            sa.or_(Lot.expiry_date.is_(None), Lot.expiry_date >= today),
            ~sa.exists().where(Hold.lot_id == Lot.id, Hold.released_at.is_(None)),
        )
        .order_by(
            Lot.expiry_date.is_(None),
            Lot.expiry_date,
            Location.pick_sequence,
            StockBalance.location_id,
            Lot.id,
        )
    )
    bins: dict[tuple[int, int], list[BalanceKey]] = defaultdict(list)
    for row in rows:
        bins[(row.item_id, row.owner_id)].append(BalanceKey(*row))
    return bins


def _choose(move: Move, bins: Iterable[BalanceKey], locked: LockedStock) -> tuple[list[Move], int]:
    picks, need = [], move.quantity
    for key in bins:
        counted = locked.balances[key]
        given = min(need, counted.free)
        if given <= 0:
            continue
        counted.taken += given
        need -= given
        pick = copy.copy(move)
        pick.source_id, pick.lot_id, pick.quantity, pick.allocated = key.location_id, key.lot_id, given, True
        pick.over_quantity = 0
        picks.append(pick)
        if need == 0:
            break
    return picks, need


def _write(session: Session, results: Sequence[tuple[Move, list[Move], int]]) -> None:
    """The last pick (or what found no bin) keeps the old row; the others become children with their own promise."""
    children: list[Move] = []
    kept: list[Move] = []
    left: dict[int, int] = {}
    for move, picks, short in results:
        if not picks:
            continue
        split = picks if short else picks[:-1]
        for pick in split:
            pick.origin_id = move.id
            children.append(pick)
        if short:
            move.quantity = short
        else:
            last = picks[-1]
            move.source_id, move.lot_id, move.quantity, move.allocated = (
                last.source_id,
                last.lot_id,
                last.quantity,
                True,
            )
            picks[-1] = move
        kept.append(move)
        if split:
            left[move.id] = move.quantity
    posting.insert_moves(session, children)
    posting.update_moves(session, kept, columns=["source_id", "lot_id", "quantity", "allocated"])
    reservations.end(session, left, left=left)
    reservations.promise_children(session, children)
