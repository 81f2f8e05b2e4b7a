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
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.core.errors import Conflict
from scm.master import locations
from scm.master.locations import Location, LocationKind
from scm.stock import balances, lots, moves, posting, reservations
from scm.stock.balances import BalanceKey, LockedStock, PoolKey, StockBalance
from scm.stock.lots import NO_LOT, Hold, Lot, held_lots
from scm.stock.moves import Move, MoveState, StockMove


class NotPromised(Conflict):
    """A move without a promise cannot be given a bin."""


@dataclass(frozen=True, slots=True)
class Allocated:
    """The picks one promised move became, and how much found no bin."""

    move_id: int
    pick_ids: tuple[int, ...]
    short: int


@dataclass(frozen=True, slots=True)
class Also:
    """Stock rows that the caller changes later in the same transaction: a transaction locks its stock once."""

    pools: frozenset[PoolKey] = frozenset()
    balances: frozenset[BalanceKey] = frozenset()


def allocate(
    session: Session, move_ids: Sequence[int], *, today: date, avoid: frozenset[tuple[int, int]] = frozenset()
) -> list[Allocated]:
    """This function will choose bins and lots for promised moves of one site, in the order given.

    A move that needs several bins is split: each pick is a move of its own with its own promise. Lots that are held
    or expired on `today` are passed over. Raises `NotPromised`, and `CannotReserve` for a move that is not planned
    out of storage.
    """
    wanted = moves.lock(session, dict.fromkeys(move_ids))
    bins = _bins(session, wanted, today=today, avoid=avoid)
    locked = _lock(session, wanted, bins, Also())
    return _allocate(session, wanted, bins, locked, most={})


def promise_and_allocate(
    session: Session, most: Mapping[int, int], *, today: date, also: Also | None = None
) -> list[Allocated]:
    """This function will promise what is free to planned moves of one site and choose bins for a part of each.

    `most` says, move by move, how much is wanted from a shelf now; the rest keeps its promise and waits. Moves that
    find nothing free are left out. Raises `CannotReserve`, `NotPromised`.
    """
    wanted = moves.lock(session, dict.fromkeys(most))
    bins = _bins(session, wanted, today=today, avoid=frozenset())
    # Whoever posts the picks in the same transaction locks their lots, and lots come before stock rows.
    lots.lock(session, {key.lot_id for keys in bins.values() for key in keys}, to_hold=False)
    there = _destinations(session, wanted, bins)
    more = also or Also()
    locked = _lock(session, wanted, bins, Also(more.pools, more.balances | there))
    outcomes = reservations.reserve(session, list(most), shortage=reservations.Shortage.SPLIT)
    parts = {o.reserved_move_id: most[o.move_id] for o in outcomes if o.reserved_move_id is not None}
    return _allocate(session, moves.lock(session, parts), bins, locked, most=parts)


def _lock(
    session: Session, wanted: Sequence[Move], bins: Mapping[tuple[int, int], list[BalanceKey]], also: Also
) -> LockedStock:
    """The pools are locked although their figures stay: whoever loses stock may give promises back at this moment."""
    return balances.lock(
        session,
        pools={*reservations.pools_of(session, wanted).values(), *also.pools},
        balances={*(key for keys in bins.values() for key in keys), *also.balances},
    )


def _destinations(
    session: Session, wanted: Sequence[Move], bins: Mapping[tuple[int, int], list[BalanceKey]]
) -> frozenset[BalanceKey]:
    """Where the picks will be counted once they are posted, for places that are counted."""
    places = locations.places(session, {move.destination_id for move in wanted})
    return frozenset(
        BalanceKey(move.item_id, move.destination_id, key.lot_id, move.owner_id)
        for move in wanted
        if places[move.destination_id].physical
        for key in bins.get((move.item_id, move.owner_id), ())
    )


def _allocate(
    session: Session,
    wanted: Sequence[Move],
    bins: Mapping[tuple[int, int], list[BalanceKey]],
    locked: LockedStock,
    *,
    most: Mapping[int, int],
) -> list[Allocated]:
    promised = reservations.quantities(session, [move.id for move in wanted])
    for move in wanted:
        if move.id not in promised or move.allocated:
            state = "has its bin already" if move.allocated else "holds no promise: reserve it first"
            raise NotPromised(f"{move.label} {state}")
    held = held_lots(session, {key.lot_id for keys in bins.values() for key in keys})  # since they were read
    results: list[tuple[Move, list[Move], int]] = []
    for move in wanted:
        free = [key for key in bins[(move.item_id, move.owner_id)] if key.lot_id not in held]
        picks, short = _choose(move, free, locked, most=most.get(move.id, move.quantity))
        results.append((move, picks, short))
    _write(session, results)
    touched = {_key(pick) for _, picks, _ in results for pick in picks}
    posting.write_stock(session, locked, pools=(), balances=touched)
    return [Allocated(move.id, tuple(pick.id for pick in picks), short) for move, picks, short in results]


def lock_picks(session: Session, keys: Iterable[BalanceKey]) -> None:
    """This function will lock the picks of places before their stock is locked, as everybody who picks does.

    A pick that is allocated a moment later is met only by `take_back`; that rare deadlock is resolved by a retry.
    """
    places = sorted(set(keys))
    for start in range(0, len(places), balances.CHUNK):
        moves.lock(session, session.scalars(_picks(places[start : start + balances.CHUNK], StockMove.id)))


def take_back(session: Session, locked: LockedStock, *, leave: Mapping[BalanceKey, int]) -> list[int]:
    """This function will take bins back from the newest picks until no more than `leave` is set aside in each.

    The moves keep their promise and wait for another bin. The caller holds the locks and writes the totals. Returns
    the ids of the moves concerned.
    """
    over = [key for key, most in sorted(leave.items()) if locked.balances[key].taken > most]
    returned: list[Move] = []
    for start in range(0, len(over), balances.CHUNK):
        statement = _picks(over[start : start + balances.CHUNK], *table_of(StockMove).columns)
        rows = session.execute(statement.order_by(StockMove.id.desc()).with_for_update(key_share=True)).all()
        for move in (Move(**row._mapping) for row in rows):
            counted = locked.balances[_key(move)]
            if counted.taken > leave[_key(move)]:
                counted.taken -= move.quantity
                returned.append(move)
    _to_area(session, returned)
    return [move.id for move in returned]


def deallocate(session: Session, move_ids: Sequence[int]) -> None:
    """This function will give the bins of picks back; the moves keep their promise and wait for another bin."""
    picks = moves.lock(session, dict.fromkeys(move_ids))
    wanted = [move for move in picks if move.allocated and move.state is MoveState.PLANNED]
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


def _picks(keys: Sequence[BalanceKey], *columns: Any) -> sa.Select[Any]:
    place = sa.tuple_(StockMove.item_id, StockMove.source_id, StockMove.lot_id, StockMove.owner_id)
    return sa.select(*columns).where(
        StockMove.state == MoveState.PLANNED, StockMove.allocated, place.in_([tuple(key) for key in keys])
    )


def _key(move: Move) -> BalanceKey:
    return BalanceKey(move.item_id, move.source_id, move.lot_id, move.owner_id)


def _bins(
    session: Session, wanted: Sequence[Move], *, today: date, avoid: frozenset[tuple[int, int]]
) -> dict[tuple[int, int], list[BalanceKey]]:
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
        if (row.item_id, row.location_id) not in avoid:
            bins[(row.item_id, row.owner_id)].append(BalanceKey(*row))
    return bins


def _choose(move: Move, bins: Iterable[BalanceKey], locked: LockedStock, *, most: int) -> tuple[list[Move], int]:
    """The picks, and how much of the move has no bin: it was not wanted yet, or not found."""
    picks, need = [], min(most, move.quantity)
    later = move.quantity - need
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
    return picks, need + later


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
