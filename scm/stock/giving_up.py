"""What a planned move holds is given back when the move is given up: its promise, its bin, its pegs.

Only the verbs of the ledger use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from scm.master import locations
from scm.stock import pegs, posting, reservations
from scm.stock.balances import BalanceKey, LockedStock, PoolKey
from scm.stock.moves import Move, MoveState


@dataclass(frozen=True, slots=True)
class Holdings:
    """The stock rows in which planned moves are counted: pools by move, and the bins of those that have one."""

    pools: dict[int, PoolKey]
    bins: dict[int, BalanceKey]


def holdings(session: Session, wanted: Sequence[Move]) -> Holdings:
    """This function will name the stock rows that giving up these moves may change."""
    places = locations.places(session, {move.source_id for move in wanted})
    stored = [move for move in wanted if places[move.source_id].promisable]
    bins = {m.id: BalanceKey(m.item_id, m.source_id, m.lot_id, m.owner_id) for m in stored if m.allocated}
    return Holdings(reservations.pools_of(session, stored), bins)


def give_up(session: Session, locked: LockedStock, wanted: Sequence[Move], held: Holdings, *, reason: str) -> None:
    """This function will cancel planned moves whose stock rows are locked; it changes the locked figures and
    writes them."""
    promises = reservations.quantities(session, held.pools)
    for move in wanted:
        if move.id in promises:
            locked.pools[held.pools[move.id]].taken -= promises[move.id]
        if move.id in held.bins:
            locked.balances[held.bins[move.id]].taken -= move.quantity
        move.state, move.allocated, move.reason = MoveState.CANCELLED, False, reason
    reservations.end(session, promises, left={})
    posting.write_stock(session, locked, pools=held.pools.values(), balances=held.bins.values())
    posting.update_moves(session, wanted, columns=["state", "allocated", "reason"])
    pegs.orphan(session, [move.id for move in wanted])
