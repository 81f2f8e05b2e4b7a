"""Reservations: a promise of quantity to one planned move, against (item, site, owner, pool).

Which bin and lot it will be is decided later, when a wave is released; until then put-away and replenishment are free
to move the goods about.
"""

from __future__ import annotations

import copy
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core.db import Base, BigId, table_of
from scm.core.errors import Conflict
from scm.master import locations
from scm.stock import balances, moves, posting
from scm.stock.balances import LockedStock, PoolKey
from scm.stock.moves import Move, MoveState, StockMove

_GIVEN = "promises_given_here"


class Reservation(Base):
    """One promise to one planned move. It ends when the move is posted, cancelled, or the stock is lost."""

    __tablename__ = "reservation"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)  # ascending: the newest promise gives way first
    move_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_move.id"), unique=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"))
    pool: Mapped[str] = mapped_column(sa.String(20))
    quantity: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="promises_something"),
        sa.Index(None, "item_id", "site_id", "owner_id", "pool"),
    )


class Shortage(enum.Enum):
    """What to do when there is not enough for every move."""

    REFUSE = "refuse"  # all or nothing
    SPLIT = "split"  # reserve what is there, the rest of the move stays planned: the backorder


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one move got: the id of the reserved move (a child when it was split), and how much waits."""

    move_id: int
    reserved_move_id: int | None
    reserved: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Unreserved:
    """A promise that was given back because the goods are gone."""

    move_id: int
    quantity: int


class NotEnoughToPromise(Conflict):
    """A site has less free stock than an all-or-nothing reservation asks for."""


class CannotReserve(Conflict):
    """A move is not a planned move out of a site's storage."""


def reserve(session: Session, move_ids: Sequence[int], *, shortage: Shortage) -> list[Outcome]:
    """This function will promise stock to planned moves out of storage, in the order given.

    A move that is reserved already keeps its promise. Raises `CannotReserve`, and `NotEnoughToPromise` under
    `Shortage.REFUSE`, naming the item and the figures; nothing is reserved then.
    """
    return _reserve(session, moves.lock(session, dict.fromkeys(move_ids)), shortage=shortage)


def _reserve(session: Session, locked_moves: Sequence[Move], *, shortage: Shortage) -> list[Outcome]:
    pool_of = pools_of(session, locked_moves)
    locked = balances.lock(session, pools=pool_of.values())
    already = quantities(session, _maybe_promised(session, locked_moves))
    with locked.unchanged_by_refusal():
        outcomes, promised, split = _share_out(locked, locked_moves, pool_of, already, shortage)
    children = _split(session, split)
    promised += [(children[move.id], pool_of[move.id]) for move, _ in split]
    _insert(session, promised)
    touched = {pool for _, pool in promised}
    posting.write_stock(session, locked, pools=touched, balances=())
    return [
        Outcome(o.move_id, children[o.move_id].id, o.reserved, o.waiting) if o.move_id in children else o
        for o in outcomes
    ]


def _share_out(
    locked: LockedStock,
    wanted: Sequence[Move],
    pool_of: Mapping[int, PoolKey],
    already: Mapping[int, int],
    shortage: Shortage,
) -> tuple[list[Outcome], list[tuple[Move, PoolKey]], list[tuple[Move, int]]]:
    """What each move gets, which are promised whole, and which are split at how much."""
    outcomes: list[Outcome] = []
    promised: list[tuple[Move, PoolKey]] = []
    split: list[tuple[Move, int]] = []
    for move in wanted:
        if move.id in already:
            outcomes.append(Outcome(move.id, move.id, already[move.id], 0))
            continue
        counted = locked.pools[pool_of[move.id]]
        given = min(move.quantity, counted.free)
        if given < move.quantity and shortage is Shortage.REFUSE:
            raise NotEnoughToPromise(
                f"{move.label} needs {move.quantity} of item {move.item_id}, {counted.free} are free at the site: "
                "reduce the quantity or allow a backorder"
            )
        counted.taken += given
        if given == move.quantity:
            promised.append((move, pool_of[move.id]))
            outcomes.append(Outcome(move.id, move.id, given, 0))
        elif given:
            split.append((move, given))
            outcomes.append(Outcome(move.id, None, given, move.quantity - given))
        else:
            outcomes.append(Outcome(move.id, None, 0, move.quantity))
    return outcomes, promised, split


def fill_backorders(session: Session, *, item_ids: Iterable[int] | None, site_id: int) -> list[Outcome]:
    """This function will promise free stock to planned moves that still wait for it, the earliest due first.

    `item_ids` of None means every item. Moves that somebody else is confirming, picking or cancelling at this moment
    are left to them. Where this transaction holds its stock rows already, only the pools among them are given out: no
    other has gained anything by it.
    """
    waiting = waiting_moves(session, item_ids=item_ids, site_id=site_id)
    # The stock may be locked already by the posting that brought the goods: waiting for a move now could deadlock.
    mine = moves.lock(session, waiting, skip_locked=True)
    still = [move for move in mine if move.state is MoveState.PLANNED and not move.allocated]
    held = balances.held(session)
    if held is not None:
        pool_of = pools_of(session, still)
        still = [move for move in still if pool_of[move.id] in held.pools]
    return _reserve(session, still, shortage=Shortage.SPLIT) if still else []


def waiting_moves(session: Session, *, item_ids: Iterable[int] | None, site_id: int) -> list[int]:
    """This function will list planned moves out of a site's storage that hold no promise, the earliest due first."""
    area = locations.of_kind(session, kind=locations.LocationKind.STORAGE, site_id=site_id, area=True)
    statement = sa.select(StockMove.id).where(
        StockMove.state == MoveState.PLANNED,
        StockMove.source_id == area,
        ~StockMove.allocated,
        ~sa.exists().where(Reservation.move_id == StockMove.id),
    )
    if item_ids is not None:
        statement = statement.where(StockMove.item_id.in_(sorted(set(item_ids))))
    return list(session.scalars(statement.order_by(StockMove.due_date, StockMove.id)))


def quantities(session: Session, move_ids: Iterable[int]) -> dict[int, int]:
    """This function will give the promised quantity of those moves that have one."""
    wanted = sorted(set(move_ids))
    found: dict[int, int] = {}
    for start in range(0, len(wanted), moves.CHUNK):
        rows = session.execute(
            sa.select(Reservation.move_id, Reservation.quantity).where(
                Reservation.move_id.in_(wanted[start : start + moves.CHUNK])
            )
        )
        found.update((row.move_id, row.quantity) for row in rows)
    return found


def end(session: Session, ended: Mapping[int, int], *, left: Mapping[int, int]) -> None:
    """This function will end promises: `ended` moves lose theirs, `left` says what some of them keep.

    The caller holds the pools' locks and writes their totals.
    """
    gone = sorted(move_id for move_id in ended if not left.get(move_id))
    for start in range(0, len(gone), moves.CHUNK):
        session.execute(sa.delete(Reservation).where(Reservation.move_id.in_(gone[start : start + moves.CHUNK])))
    kept = [{"k_move": move_id, "v_quantity": left[move_id]} for move_id in sorted(ended) if left.get(move_id)]
    if kept:
        table = table_of(Reservation)
        session.execute(
            sa.update(table)
            .where(table.c.move_id == sa.bindparam("k_move"))
            .values(quantity=sa.bindparam("v_quantity")),
            kept,
        )


def promise_children(session: Session, children: Sequence[Move]) -> None:
    """This function will give moves split off a promised move their share of the promise; pools do not change."""
    pool_of = pools_of(session, children)
    _insert(session, [(child, pool_of[child.id]) for child in children])


def give_back_shortfalls(session: Session, locked: LockedStock, pools: Iterable[PoolKey]) -> list[Unreserved]:
    """This function will give back the newest promises of pools that hold less than they promised.

    Changes the locked figures in memory; the caller writes them.
    """
    lost: list[Unreserved] = []
    for pool in sorted(set(pools)):
        counted = locked.pools[pool]
        if counted.free >= 0:
            continue
        # Allocated moves keep their promise: their goods are set aside in a bin, and what a bin lost was taken
        # back from its picks before.
        newest = session.execute(
            sa.select(Reservation.move_id, Reservation.quantity)
            .join(StockMove, StockMove.id == Reservation.move_id)
            .where(
                ~StockMove.allocated,
                Reservation.item_id == pool.item_id,
                Reservation.site_id == pool.site_id,
                Reservation.owner_id == pool.owner_id,
                Reservation.pool == pool.pool,
            )
            .order_by(Reservation.id.desc())
        ).all()
        for row in newest:
            if counted.free >= 0:
                break
            # A promise is given back whole: half a promised line would still be reported as promised.
            lost.append(Unreserved(row.move_id, row.quantity))
            counted.taken -= row.quantity
    end(session, {gone.move_id: gone.quantity for gone in lost}, left={})
    return lost


def pools_of(session: Session, wanted: Sequence[Move]) -> dict[int, PoolKey]:
    """This function will name the pool each planned move out of storage is promised from. Raises `CannotReserve`."""
    where = locations.places(session, {move.source_id for move in wanted})
    found = {}
    for move in wanted:
        place = where[move.source_id]
        if move.state is not MoveState.PLANNED or not place.promisable or place.site_id is None:
            raise CannotReserve(
                f"{move.label} is {move.state.value} from {place.code}: only planned moves out of storage are reserved"
            )
        found[move.id] = PoolKey(move.item_id, place.site_id, move.owner_id, move.pool)
    return found


def _split(session: Session, split: Sequence[tuple[Move, int]]) -> dict[int, Move]:
    """The reserved part becomes a child; the rest keeps the old id and waits."""
    children = {}
    for parent, given in split:
        child = copy.copy(parent)
        child.quantity = given
        child.over_quantity = 0
        child.origin_id = parent.id
        parent.quantity -= given
        children[parent.id] = child
    posting.insert_moves(session, list(children.values()))
    posting.update_moves(session, [parent for parent, _ in split], columns=["quantity"])
    return children


def _maybe_promised(session: Session, wanted: Sequence[Move]) -> list[int]:
    """A move that this transaction planned holds no promise but one that this transaction gave it."""
    given = session.info.get(_GIVEN, frozenset())
    return [move.id for move in wanted if move.id in given or not moves.is_fresh(session, move.id)]


def _insert(session: Session, promised: Sequence[tuple[Move, PoolKey]]) -> None:
    if promised:
        session.info.setdefault(_GIVEN, set()).update(move.id for move, _ in promised)
        session.execute(
            sa.insert(table_of(Reservation)),
            [{"move_id": move.id, "quantity": move.quantity} | pool._asdict() for move, pool in promised],
        )
