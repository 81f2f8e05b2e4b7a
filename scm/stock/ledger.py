"""The goods ledger: plan, post, reverse and cancel stock moves.

Stock moves are the only record of where things are. Suppliers, customers, scrap and count adjustments are locations
too, so nothing appears or vanishes. A planned move is an intention; a posted one is a fact that never changes: it is
undone by posting its mirror with a reason.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor
from scm.master import locations
from scm.master.locations import LocationKind, Place
from scm.master.partners import OWN_STOCK
from scm.stock import allocation, balances, effects, moves, pegs, posting, reservations
from scm.stock.balances import BalanceKey, LockedStock
from scm.stock.effects import Effect
from scm.stock.lots import NO_LOT
from scm.stock.moves import GENERAL_POOL, Move, MoveState, StockMove
from scm.stock.reservations import Unreserved

# Where goods go when they are lost: only such a posting may take what is set aside for picks.
LOSSES = frozenset({LocationKind.ADJUSTMENT, LocationKind.SCRAP})


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveRequest:
    """One move to plan. `onward` lists the locations of the legs that follow; each is planned when its time comes."""

    item_id: int
    source_id: int
    destination_id: int
    quantity: int
    due_date: date
    document_kind: str
    document_id: int
    line_id: int
    lot_id: int = NO_LOT
    owner_id: int = OWN_STOCK
    pool: str = GENERAL_POOL
    onward: tuple[int, ...] = ()
    over_quantity: int = 0
    needs_inspection: bool = False
    expected_unit_cost: Decimal | None = None
    currency: str | None = None
    cost_of_id: int | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """What really happened to a planned move; what is not given happened as planned."""

    move_id: int
    quantity: int | None = None
    source_id: int | None = None
    destination_id: int | None = None
    lot_id: int | None = None


@dataclass(frozen=True, slots=True)
class PostResult:
    """The posted moves (children, where only a part was posted), the legs planned next, the promises given back."""

    posted: tuple[Move, ...]
    planned_next: tuple[Move, ...]
    unreserved: tuple[Unreserved, ...] = field(default=())


class BadQuantity(InvalidInput):
    """A quantity is not a whole number of base units above zero."""


class NotPlanned(Conflict):
    """A move is posted or cancelled already."""


class TooMuch(Conflict):
    """More is posted than was planned and tolerated."""


class CannotPost(InvalidInput):
    """A posting names a place or lot that the move cannot have."""


class CannotReverse(Conflict):
    """A move is not posted, is reversed already, or something was posted on top of it."""


def plan(session: Session, requests: Sequence[MoveRequest], *, company_id: int) -> list[Move]:
    """This function will insert planned moves, in the order given. Raises `BadQuantity`."""
    new = []
    for request in requests:
        if type(request.quantity) is not int or request.quantity <= 0:
            raise BadQuantity(
                f"{request.document_kind} {request.document_id} line {request.line_id}: quantity {request.quantity!r} "
                f"of item {request.item_id} must be a whole number above 0"
            )
        new.append(_planned(request, company_id))
    posting.insert_moves(session, new)
    return new


def post(session: Session, postings: Sequence[Posting], *, actor: Actor, now: datetime, today: date) -> PostResult:
    """This function will post planned moves: it changes balances and pools with them and plans each next leg.

    A smaller quantity splits the move; the rest stays planned under its id. Raises `NotPlanned`, `BadQuantity`,
    `TooMuch`, `CannotPost`, `NotEnoughStock`, `StockSetAside`; nothing is changed then.
    """
    planned = moves.lock(session, [posting_.move_id for posting_ in postings])
    places = _places(session, planned, postings)
    posted, rest = [], []
    for move, wish in zip(planned, postings, strict=True):
        fact, remaining = _decide(move, wish, places, now=now, today=today)
        posted.append(fact)
        if remaining:
            rest.append(remaining)
    changed = effects.of_moves(session, posted, places=places)
    locked = _lock(session, changed)
    promises = reservations.quantities(session, _possibly_promised(planned, places))
    ending = [min(promises.get(move.id, 0), fact.quantity) for move, fact in zip(planned, posted, strict=True)]
    unreserved = _apply(session, locked, changed, places, ending)
    _write(session, planned, posted, rest)
    resting = {move.id for move in rest}
    left = {
        move.id: promises[move.id] - used for move, used in zip(planned, ending, strict=True) if move.id in promises
    }
    reservations.end(session, promises, left={i: quantity for i, quantity in left.items() if i in resting})
    _write_stock(session, locked, changed)
    following = _plan_next(session, posted)
    _audit(session, actor, "stock.post", posted)
    return PostResult(tuple(posted), tuple(following), tuple(unreserved))


def move_now(
    session: Session,
    requests: Sequence[MoveRequest],
    *,
    company_id: int,
    actor: Actor,
    now: datetime,
    today: date,
) -> PostResult:
    """This function will plan and post moves at once: opening stock, count differences, relocations."""
    planned = plan(session, requests, company_id=company_id)
    return post(session, [Posting(move_id=move.id) for move in planned], actor=actor, now=now, today=today)


def reverse(
    session: Session, move_ids: Sequence[int], *, reason: str, actor: Actor, now: datetime, today: date
) -> PostResult:
    """This function will post the mirror of posted moves, and cancel the legs that were planned after them.

    Raises `CannotReverse` when a move is not posted, was reversed before, or its next leg is posted; and
    `NotEnoughStock` when the goods are no longer where they were put.
    """
    facts = moves.lock(session, move_ids)
    followers = _followers(session, facts)
    mirrors = []
    for fact in facts:
        _refuse_reversal(fact, followers)
        mirror = copy.copy(fact)
        mirror.source_id, mirror.destination_id = fact.destination_id, fact.source_id
        mirror.onward, mirror.reverses_id, mirror.origin_id, mirror.previous_id = [], fact.id, None, None
        mirror.cost_of_id, mirror.allocated, mirror.reason = None, False, reason
        mirror.posted_at, mirror.posted_date = now, today
        mirrors.append(mirror)
    cancelled = [move for move in followers if move.state is MoveState.PLANNED]
    _give_up(session, cancelled, reason=f"{reason} (the leg before was reversed)")
    places = locations.places(session, {m.source_id for m in mirrors} | {m.destination_id for m in mirrors})
    changed = effects.of_moves(session, mirrors, places=places)
    locked = _lock(session, changed)
    unreserved = _apply(session, locked, changed, places, [0] * len(mirrors))
    posting.insert_moves(session, mirrors)
    _write_stock(session, locked, changed)
    _audit(session, actor, "stock.reverse", mirrors)
    return PostResult(tuple(mirrors), (), tuple(unreserved))


def cancel(session: Session, move_ids: Sequence[int], *, reason: str, actor: Actor) -> None:
    """This function will give planned moves up: promises and bins are given back, pegs on them are orphaned.

    Raises `NotPlanned`.
    """
    wanted = moves.lock(session, move_ids)
    for move in wanted:
        _refuse_unless_planned(move)
    _give_up(session, wanted, reason=reason)
    _audit(session, actor, "stock.cancel", wanted)


def _planned(request: MoveRequest, company_id: int) -> Move:
    return Move(
        id=0,
        company_id=company_id,
        item_id=request.item_id,
        lot_id=request.lot_id,
        owner_id=request.owner_id,
        pool=request.pool,
        source_id=request.source_id,
        destination_id=request.destination_id,
        onward=list(request.onward),
        quantity=request.quantity,
        state=MoveState.PLANNED,
        due_date=request.due_date,
        posted_at=None,
        posted_date=None,
        document_kind=request.document_kind,
        document_id=request.document_id,
        line_id=request.line_id,
        allocated=False,
        over_quantity=request.over_quantity,
        needs_inspection=request.needs_inspection,
        expected_unit_cost=request.expected_unit_cost,
        currency=request.currency,
        origin_id=None,
        previous_id=None,
        reverses_id=None,
        cost_of_id=request.cost_of_id,
        reason=request.reason,
    )


def _refuse_unless_planned(move: Move) -> None:
    if move.state is not MoveState.PLANNED:
        raise NotPlanned(f"{move.label} is {move.state.value}: only planned moves can be posted or cancelled")


def _decide(
    move: Move, wish: Posting, places: dict[int, Place], *, now: datetime, today: date
) -> tuple[Move, Move | None]:
    """What is posted (the move itself, or a child of it), and what stays planned."""
    _refuse_unless_planned(move)
    quantity = move.quantity if wish.quantity is None else wish.quantity
    if type(quantity) is not int or quantity <= 0:
        raise BadQuantity(f"{move.label}: quantity {quantity!r} must be a whole number above 0")
    if quantity > move.quantity + move.over_quantity:
        raise TooMuch(
            f"{move.label}: {quantity} is more than the {move.quantity} still planned"
            + (f" and the {move.over_quantity} tolerated above it" if move.over_quantity else "")
            + ": post less, or change the document first"
        )
    rest = None
    fact = move
    if quantity < move.quantity:
        fact = copy.copy(move)
        fact.id, fact.origin_id = 0, move.id
        move.quantity -= quantity
        rest = move
    fact.quantity = quantity
    fact.lot_id = move.lot_id if wish.lot_id is None else wish.lot_id
    fact.source_id = move.source_id if wish.source_id is None else wish.source_id
    fact.destination_id = move.destination_id if wish.destination_id is None else wish.destination_id
    _refuse_misplaced(move, fact, wish, places)
    fact.state, fact.posted_at, fact.posted_date = MoveState.POSTED, now, today
    return fact, rest


def _refuse_misplaced(move: Move, fact: Move, wish: Posting, places: dict[int, Place]) -> None:
    source, destination = places[fact.source_id], places[fact.destination_id]
    for end in (source, destination):
        if end.is_area:
            raise CannotPost(f"{move.label}: {end.code} is an area, goods are in its bins: name a bin")
    if wish.lot_id is not None and source.physical and wish.lot_id != move.lot_id:
        raise CannotPost(f"{move.label}: the lot of goods in {source.code} is what it is: only a receipt names a lot")
    if wish.source_id is not None and move.allocated and wish.source_id != move.source_id:
        raise CannotPost(f"{move.label} is set aside in another place: deallocate it before picking from {source.code}")


def _places(session: Session, planned: Sequence[Move], wishes: Sequence[Posting]) -> dict[int, Place]:
    ids = {move.source_id for move in planned} | {move.destination_id for move in planned}
    ids |= {wish.source_id for wish in wishes if wish.source_id is not None}
    ids |= {wish.destination_id for wish in wishes if wish.destination_id is not None}
    return locations.places(session, ids)


def _possibly_promised(planned: Sequence[Move], places: dict[int, Place]) -> list[int]:
    """A planned move may have been moved to its bin since it was planned, so its present source decides."""
    return [move.id for move in planned if places[move.source_id].promisable]


def _lock(session: Session, changed: Sequence[Effect]) -> LockedStock:
    return balances.lock(session, pools=[e.pool for e in changed if e.pool], balances=[e.balance for e in changed])


def _apply(
    session: Session,
    locked: LockedStock,
    changed: Sequence[Effect],
    places: dict[int, Place],
    ending: Sequence[int],
) -> list[Unreserved]:
    effects.apply(locked, changed, promised=ending)
    losing = [e for e in changed if places[e.move.destination_id].kind in LOSSES or e.move.reverses_id is not None]
    effects.refuse_allocated(locked, [e for e in changed if e not in losing])
    short: dict[BalanceKey, int] = {e.balance: locked.balances[e.balance].there for e in losing}
    allocation.take_back(session, locked, leave=short)
    return reservations.give_back_shortfalls(session, locked, {e.pool for e in changed if e.pool})


def _write(session: Session, planned: Sequence[Move], posted: Sequence[Move], rest: Sequence[Move]) -> None:
    """Children are inserted posted; a move posted whole is updated once, for the last time."""
    for move in rest:
        # What was posted above the plan is gone from the tolerance, but only a whole posting can be above it.
        assert move.quantity > 0
    posting.insert_moves(session, [fact for fact in posted if fact.id == 0])
    whole = [fact for move, fact in zip(planned, posted, strict=True) if fact is move]
    posting.update_moves(
        session,
        whole,
        columns=["quantity", "lot_id", "source_id", "destination_id", "state", "posted_at", "posted_date"],
    )
    posting.update_moves(session, rest, columns=["quantity"])


def _write_stock(session: Session, locked: LockedStock, changed: Sequence[Effect]) -> None:
    posting.write_stock(
        session, locked, pools=[e.pool for e in changed if e.pool], balances=[e.balance for e in changed]
    )


def _plan_next(session: Session, posted: Sequence[Move]) -> list[Move]:
    """Of a chain of legs only the first outstanding one is planned, or availability would count it twice."""
    following = []
    for fact in posted:
        if not fact.onward:
            continue
        leg = copy.copy(fact)
        leg.source_id, leg.destination_id, leg.onward = fact.destination_id, fact.onward[0], fact.onward[1:]
        leg.state, leg.posted_at, leg.posted_date = MoveState.PLANNED, None, None
        leg.allocated, leg.over_quantity, leg.origin_id, leg.previous_id = False, 0, None, fact.id
        following.append(leg)
    posting.insert_moves(session, following)
    return following


def _give_up(session: Session, wanted: Sequence[Move], *, reason: str) -> None:
    if not wanted:
        return
    places = locations.places(session, {move.source_id for move in wanted})
    stored = [move for move in wanted if places[move.source_id].promisable]
    aside = [move for move in stored if move.allocated]
    locked = balances.lock(
        session,
        pools=reservations.pools_of(session, stored).values(),
        balances=[BalanceKey(m.item_id, m.source_id, m.lot_id, m.owner_id) for m in aside],
    )
    promises = reservations.quantities(session, [move.id for move in stored])
    pool_of = reservations.pools_of(session, stored)
    for move in stored:
        locked.pools[pool_of[move.id]].taken -= promises.get(move.id, 0)
    for move in aside:
        locked.balances[BalanceKey(move.item_id, move.source_id, move.lot_id, move.owner_id)].taken -= move.quantity
    reservations.end(session, promises, left={})
    posting.write_stock(
        session,
        locked,
        pools=[pool_of[move.id] for move in stored],
        balances=[BalanceKey(m.item_id, m.source_id, m.lot_id, m.owner_id) for m in aside],
    )
    for move in wanted:
        move.state, move.allocated, move.reason = MoveState.CANCELLED, False, reason
    posting.update_moves(session, wanted, columns=["state", "allocated", "reason"])
    pegs.orphan(session, [move.id for move in wanted])


def _followers(session: Session, facts: Sequence[Move]) -> list[Move]:
    rows = session.scalars(sa.select(StockMove.id).where(StockMove.previous_id.in_([fact.id for fact in facts]))).all()
    return moves.lock(session, rows)


def _refuse_reversal(fact: Move, followers: Iterable[Move]) -> None:
    if fact.state is not MoveState.POSTED:
        raise CannotReverse(f"{fact.label} is {fact.state.value}: only posted moves are reversed, cancel it instead")
    if fact.reverses_id is not None:
        raise CannotReverse(f"{fact.label} is itself a reversal: post the move again instead")
    for move in followers:
        if move.previous_id == fact.id and move.state is MoveState.POSTED and move.reverses_id is None:
            raise CannotReverse(f"{fact.label} was followed by {move.label}: reverse that one first")


def _audit(session: Session, actor: Actor, verb: str, changed: Sequence[Move]) -> None:
    audit.record(
        session,
        actor=actor,
        verb=verb,
        document_kind="stock_move",
        document_ids=[move.id for move in changed],
    )
