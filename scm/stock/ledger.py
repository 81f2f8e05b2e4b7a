"""The goods ledger: plan, post, reverse and cancel stock moves.

Stock moves are the only record of where things are. Suppliers, customers, scrap and count adjustments are locations
too, so nothing appears or vanishes. A planned move is an intention; a posted one is a fact that never changes: it is
undone by posting its mirror with a reason.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.users import Actor
from scm.master import locations
from scm.master.locations import Place
from scm.master.partners import OWN_STOCK
from scm.stock import balances, effects, facts, giving_up, moves, posting, reservations, reversal
from scm.stock.effects import NotEnoughStock, StockSetAside
from scm.stock.facts import BadQuantity, CannotPost, NotPlanned, Posting, TooMuch
from scm.stock.lots import NO_LOT
from scm.stock.moves import GENERAL_POOL, Move, MoveState
from scm.stock.reservations import Unreserved
from scm.stock.reversal import CannotReverse

# What the verbs take, give and raise, wherever it is decided.
__all__ = [
    "BadQuantity",
    "CannotPost",
    "CannotReverse",
    "MoveRequest",
    "NotEnoughStock",
    "NotPlanned",
    "PostResult",
    "Posting",
    "StockSetAside",
    "TooMuch",
    "cancel",
    "cancel_part",
    "move_now",
    "plan",
    "post",
    "postpone",
    "reverse",
]


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


@dataclass(frozen=True, slots=True)
class PostResult:
    """The posted moves (children, where only a part was posted), the legs planned next, the promises given back."""

    posted: tuple[Move, ...]
    planned_next: tuple[Move, ...]
    unreserved: tuple[Unreserved, ...] = field(default=())


def plan(session: Session, requests: Sequence[MoveRequest], *, company_id: int) -> list[Move]:
    """This function will insert planned moves, in the order given. Raises `BadQuantity`, `CannotPost`."""
    new = []
    for request in requests:
        name = f"{request.document_kind} {request.document_id} line {request.line_id}"
        if type(request.quantity) is not int or request.quantity <= 0:
            raise BadQuantity(
                f"{name}: quantity {request.quantity!r} of item {request.item_id} must be a whole number above 0"
            )
        if request.source_id == request.destination_id:
            raise CannotPost(f"{name}: goods cannot go from location {request.source_id} to itself")
        new.append(_planned(request, company_id))
    posting.insert_moves(session, new)
    return new


def post(session: Session, postings: Sequence[Posting], *, actor: Actor, now: datetime, today: date) -> PostResult:
    """This function will post planned moves: it changes balances and pools with them and plans each next leg.

    A smaller quantity splits the move; the rest stays planned under its id, and may be named again in the same call,
    for instance once per lot received. Raises `NotPlanned`, `BadQuantity`, `TooMuch`, `CannotPost`,
    `NotEnoughStock`, `StockSetAside`; nothing is changed then.
    """
    planned = moves.lock(session, [posting_.move_id for posting_ in postings])
    places = _places(session, planned, postings)
    posted = [
        facts.decide(move, wish, places, now=now, today=today) for move, wish in zip(planned, postings, strict=True)
    ]
    changed = effects.of_moves(session, posted, places=places)
    locked = effects.lock(session, changed)
    promises = reservations.quantities(session, [move.id for move in planned if places[move.source_id].promisable])
    left = dict(promises)
    ending = [_end(left, move.id, fact.quantity) for move, fact in zip(planned, posted, strict=True)]
    effects.apply(locked, changed, promised=ending)
    _write(session, planned, posted)
    reservations.end(session, promises, left=left)
    unreserved = effects.give_way(session, locked, changed, now=now)
    effects.write(session, locked, changed)
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
    facts = moves.lock(session, dict.fromkeys(move_ids))
    following = reversal.legs_after(session, facts)
    reversal.refuse_unless_reversible(session, facts, following)
    mirrors = [reversal.mirror(fact, reason=reason, now=now, today=today) for fact in facts]
    places = locations.places(session, {end for m in mirrors for end in (m.source_id, m.destination_id)})
    changed = effects.of_moves(session, mirrors, places=places)
    waiting = [leg for leg in following if leg.state is MoveState.PLANNED]
    holdings = giving_up.holdings(session, waiting)
    locked = effects.lock(session, changed, holdings=holdings)
    effects.apply(locked, changed, promised=[0] * len(mirrors))
    giving_up.give_up(session, locked, waiting, holdings, reason=f"{reason} (the leg before was reversed)")
    posting.insert_moves(session, mirrors)
    unreserved = effects.give_way(session, locked, changed, now=now)
    effects.write(session, locked, changed)
    _audit(session, actor, "stock.reverse", mirrors)
    return PostResult(tuple(mirrors), (), tuple(unreserved))


def cancel(session: Session, move_ids: Sequence[int], *, reason: str, actor: Actor) -> None:
    """This function will give planned moves up: promises and bins are given back, pegs on them are orphaned.

    Raises `NotPlanned`.
    """
    wanted = moves.lock(session, dict.fromkeys(move_ids))
    for move in wanted:
        facts.refuse_unless_planned(move)
    held = giving_up.holdings(session, wanted)
    locked = balances.lock(session, pools=held.pools.values(), balances=held.bins.values())
    giving_up.give_up(session, locked, wanted, held, reason=reason)
    _audit(session, actor, "stock.cancel", wanted)


def cancel_part(session: Session, parts: Mapping[int, int], *, reason: str, actor: Actor) -> None:
    """This function will give up a part of planned moves, by move; what is left of each keeps its pegs.

    For moves that hold no promise, because they come from places where nothing is promised. Raises `NotPlanned`,
    `TooMuch`, `CannotPost`.
    """
    wanted = moves.lock(session, parts)
    places = locations.places(session, {move.source_id for move in wanted})
    children = []
    for move in wanted:
        facts.refuse_unless_planned(move)
        if places[move.source_id].promisable:
            raise CannotPost(f"{move.label} may hold a promise: cancel it and plan it anew for less")
        if not 0 < parts[move.id] <= move.quantity:
            raise TooMuch(f"{move.label} is planned for {move.quantity}: {parts[move.id]} of them cannot be given up")
        if parts[move.id] < move.quantity:
            child = copy.copy(move)
            child.id, child.quantity, child.origin_id = 0, parts[move.id], move.id
            child.state, child.reason = MoveState.CANCELLED, reason
            move.quantity -= child.quantity
            children.append(child)
    whole = {move.id for move in wanted} - {child.origin_id for child in children}
    if whole:
        cancel(session, sorted(whole), reason=reason, actor=actor)
    posting.insert_moves(session, children)
    posting.update_moves(session, [move for move in wanted if move.id not in whole], columns=["quantity"])
    _audit(session, actor, "stock.cancel", children)


def postpone(session: Session, move_ids: Sequence[int], *, due_date: date, actor: Actor) -> None:
    """This function will have planned moves due on another day; promises, bins and pegs on them stay.

    Raises `NotPlanned`.
    """
    wanted = moves.lock(session, dict.fromkeys(move_ids))
    for move in wanted:
        facts.refuse_unless_planned(move)
        move.due_date = due_date
    posting.update_moves(session, wanted, columns=["due_date"])
    _audit(session, actor, "stock.postpone", wanted)


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


def _end(left: dict[int, int], move_id: int, quantity: int) -> int:
    """How much of a promise a posting ends; `left` says what is left of each."""
    ended = min(left.get(move_id, 0), quantity)
    if ended:
        left[move_id] -= ended
    return ended


def _places(session: Session, planned: Sequence[Move], wishes: Sequence[Posting]) -> dict[int, Place]:
    ids = {move.source_id for move in planned} | {move.destination_id for move in planned}
    ids |= {wish.source_id for wish in wishes if wish.source_id is not None}
    ids |= {wish.destination_id for wish in wishes if wish.destination_id is not None}
    return locations.places(session, ids)


def _write(session: Session, planned: Sequence[Move], posted: Sequence[Move]) -> None:
    """Children are inserted posted; a move posted whole is updated once, for the last time."""
    posting.insert_moves(session, [fact for fact in posted if fact.id == 0])
    whole = {fact.id: fact for move, fact in zip(planned, posted, strict=True) if fact is move}
    posting.update_moves(
        session,
        list(whole.values()),
        columns=["quantity", "lot_id", "source_id", "destination_id", "onward", "state", "posted_at", "posted_date"],
    )
    rest = {move.id: move for move in planned if move.id not in whole}
    posting.update_moves(session, list(rest.values()), columns=["quantity"])


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


def _audit(session: Session, actor: Actor, verb: str, changed: Sequence[Move]) -> None:
    audit.record(
        session,
        actor=actor,
        verb=verb,
        document_kind="stock_move",
        document_ids=[move.id for move in changed],
    )
