"""What postings do to balances and pools: lock the rows, change their figures, say what has to give way.

Only the verbs of the ledger use it. Nothing is written here but what lost goods take from picks and promises.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from scm.core.errors import Conflict
from scm.master.locations import LocationKind, Place
from scm.stock import allocation, balances, lots, pools, posting, reservations
from scm.stock.balances import BalanceKey, LockedStock, PoolKey
from scm.stock.giving_up import Holdings
from scm.stock.moves import Move
from scm.stock.reservations import Unreserved

# Where goods go when they cannot be had any more: only such a posting (or a reversal) may take what is set aside for
# picks or promised to others, because it tells what has happened already.
LOSSES = frozenset({LocationKind.ADJUSTMENT, LocationKind.SCRAP, LocationKind.QUARANTINE})


class NotEnoughStock(Conflict):
    """A posting would take more from a place than is there."""


class StockSetAside(Conflict):
    """A posting would take stock that is set aside for other picks, or promised to other orders."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One side of one posting: so many units of a key more or less, at a place."""

    index: int  # of the move in the list that is posted
    move: Move
    place: Place
    balance: BalanceKey
    pool: PoolKey | None
    quantity: int
    promisable: int  # how much of `quantity` the pool gains or loses: none while the lot is held
    loses: bool  # takes goods that are gone, whoever was to have them


def of_moves(session: Session, posted: Sequence[Move], *, places: Mapping[int, Place]) -> list[Effect]:
    """This function will list what posting the moves does to physical places, sources first.

    Locks their lots against being held or released before the commit.
    """
    lot_ids = {move.lot_id for move in posted}
    lots.lock(session, lot_ids, to_hold=False)
    held = lots.held_lots(session, lot_ids - {lots.NO_LOT})
    effects = []
    for i, move in enumerate(posted):
        loses = places[move.destination_id].kind in LOSSES or move.reverses_id is not None
        effects.append(_effect(i, move, places[move.source_id], -move.quantity, held, loses=loses))
    for i, move in enumerate(posted):
        effects.append(_effect(i, move, places[move.destination_id], move.quantity, held, loses=False))
    return [effect for effect in effects if effect.place.physical]


def _effect(index: int, move: Move, place: Place, quantity: int, held: frozenset[int], *, loses: bool) -> Effect:
    pool = None
    if place.promisable:
        assert place.site_id is not None, f"storage {place.code} belongs to no site"
        pool = PoolKey(move.item_id, place.site_id, move.owner_id, move.pool)
    return Effect(
        index=index,
        move=move,
        place=place,
        balance=BalanceKey(move.item_id, place.id, move.lot_id, move.owner_id),
        pool=pool,
        quantity=quantity,
        promisable=0 if move.lot_id in held else quantity,
        loses=loses,
    )


def pools_of(effects: Sequence[Effect]) -> list[PoolKey]:
    """This function will name the pools that effects touch."""
    return [effect.pool for effect in effects if effect.pool is not None]


def balances_of(effects: Sequence[Effect]) -> list[BalanceKey]:
    """This function will name the balances that effects touch."""
    return [effect.balance for effect in effects]


def lock(session: Session, effects: Sequence[Effect], *, holdings: Holdings | None = None) -> LockedStock:
    """This function will lock the rows that effects change, and those in which moves to be given up are counted.

    Picks that losses may take back are locked first, as moves are. Pools that may have to bear a loss are locked, too.
    """
    also = holdings or Holdings({}, {})
    allocation.lock_picks(session, [effect.balance for effect in effects if effect.loses])
    losing = [effect.pool for effect in effects if effect.loses and effect.pool is not None]
    return balances.lock(
        session,
        pools=[*pools_of(effects), *also.pools.values(), *pools.siblings(session, losing)],
        balances=[*balances_of(effects), *also.bins.values()],
    )


def apply(locked: LockedStock, effects: Sequence[Effect], *, promised: Sequence[int]) -> None:
    """This function will change the locked figures in memory. `promised` says, move by move, how much of it ends a
    promise.

    Raises `NotEnoughStock` when a place would go below zero, and `StockSetAside` when goods would be taken that are
    set aside or promised to others. Where goods are lost, less may then be there than is taken: `give_way` mends that.
    """
    net: dict[tuple[int, PoolKey], int] = defaultdict(int)  # what each posting leaves its pools short of
    with locked.unchanged_by_refusal():
        for effect in effects:
            counted = locked.balances[effect.balance]
            if counted.there + effect.quantity < 0:
                raise NotEnoughStock(
                    f"{effect.move.label} takes {-effect.quantity} of item {effect.move.item_id} from "
                    f"{effect.place.code}, where {counted.there} are on hand: count the place or choose another"
                )
            counted.there += effect.quantity
            if effect.quantity < 0 and effect.move.allocated:
                counted.taken += effect.quantity
            if effect.pool is not None:
                pool = locked.pools[effect.pool]
                pool.there += effect.promisable
                net[effect.index, effect.pool] += effect.promisable
                if effect.quantity < 0:
                    pool.taken -= promised[effect.index]
                    net[effect.index, effect.pool] += promised[effect.index]
        for effect in effects:
            if effect.quantity < 0 and not effect.loses:
                unpromised = -net[effect.index, effect.pool] if effect.pool is not None else 0
                _refuse_taken(locked, effect, unpromised=unpromised)


def _refuse_taken(locked: LockedStock, effect: Effect, *, unpromised: int) -> None:
    counted = locked.balances[effect.balance]
    if counted.free < 0 and not effect.move.allocated:
        raise StockSetAside(
            f"{effect.move.label} takes {-effect.quantity} from {effect.place.code}, but {counted.taken} there are "
            f"set aside for released picks: pick or cancel those first"
        )
    if effect.pool is not None and unpromised > 0 and locked.pools[effect.pool].free < 0:
        raise StockSetAside(
            f"{effect.move.label} takes {-effect.quantity} of item {effect.move.item_id}, but {unpromised} of them "
            f"were not promised to it and are promised to others: reserve them first"
        )


def give_way(session: Session, locked: LockedStock, effects: Sequence[Effect], *, now: datetime) -> list[Unreserved]:
    """This function will take back the picks and promises that lost goods can no longer keep, newest first.

    What the postings themselves end must be written before; the locked figures are written by `write`.
    """
    leave = {effect.balance: locked.balances[effect.balance].there for effect in effects if effect.loses}
    allocation.take_back(session, locked, leave=leave)
    touched = pools_of(effects)
    gave = pools.cover(session, locked, touched, now=now)
    unreserved = reservations.give_back_shortfalls(session, locked, [*touched, *gave])
    posting.write_stock(session, locked, pools=gave, balances=())
    held = [
        (effect.pool, effect.quantity - effect.promisable)
        for effect in effects
        if effect.pool is not None and effect.promisable != effect.quantity
    ]
    pools.note_held(session, held, now=now)
    return unreserved


def write(session: Session, locked: LockedStock, effects: Sequence[Effect]) -> None:
    """This function will write the figures of the rows that effects touched."""
    posting.write_stock(session, locked, pools=pools_of(effects), balances=balances_of(effects))
