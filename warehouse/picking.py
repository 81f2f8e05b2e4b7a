"""Picking: what was taken from the bins of a wave goes to staging; what was not found there is looked for elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.db import table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.stock import allocation, balances, ledger, moves, reservations
from scm.stock.balances import BalanceKey
from scm.stock.ledger import Posting
from scm.stock.moves import Move, MoveState, StockMove
from warehouse import counting, counts, waves
from warehouse.counts import Target
from warehouse.waves import KIND, MACHINE, Pick, Wave, WaveResult

_PICKS = table_of(Pick)


@dataclass(frozen=True, kw_only=True, slots=True)
class PickResult:
    """What a picker took for one pick: everything, less, or nothing."""

    move_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class ShortPick:
    """A pick whose bin did not have it all: the rest keeps its promise and waits for another bin."""

    move_id: int
    order_id: int
    line_id: int
    item_id: int
    bin_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class PickingResult:
    """The posted picks, what was short, the count that was planned because of it, and whether the wave is done."""

    posted_ids: tuple[int, ...]
    short: tuple[ShortPick, ...]
    count_id: int | None
    finished: bool


class BadPick(InvalidInput):
    """A picked quantity is not a whole number, or is more than the pick asks for."""


class NotInWave(Conflict):
    """A move is no open pick of the wave."""


class NothingShort(Conflict):
    """Nothing of the wave was short, or what was short is in another wave already."""


def confirm(
    session: Session,
    *,
    wave_id: int,
    actor: Actor,
    now: datetime,
    today: date,
    results: Sequence[PickResult] | None = None,
) -> PickingResult:
    """This function will post what was picked in a wave; without `results`, everything still open was found.

    Of a short pick the part that was found is posted; the rest gives its bin back and keeps its promise, so that a
    later wave finds it another bin, and the bin is to be counted. Raises `WaveUnknown`, `IllegalTransition`,
    `NotInWave`, `BadPick`.
    """
    actor.require(Role.WAREHOUSE)
    wave = waves.lock(session, wave_id)
    finished_state = MACHINE.advance(wave.state, "finish", number=wave.number)
    open_ids = _open_picks(session, wave_id)
    chosen = open_ids if results is None else _chosen(wave, results, open_ids)
    picks = moves.lock(session, chosen)
    gone = [move.id for move in picks if not _stands(move)]
    if results is not None and gone:
        raise NotInWave(f"{wave.number}: move {gone[0]} was withdrawn since the wave was released: put it back")
    picks = [move for move in picks if _stands(move)]
    found = {move.id: move.quantity for move in picks}
    if results is not None:
        found = _found(wave, results, picks)
    short = _short(picks, found)
    _lock_stock(session, picks)
    postings = [Posting(move_id=move.id, quantity=found[move.id]) for move in picks if found[move.id]]
    posted = ledger.post(session, postings, actor=actor, now=now, today=today).posted if postings else ()
    allocation.deallocate(session, [one.move_id for one in short])
    _close(session, wave_id, dict.fromkeys(chosen, 0) | {o.move_id: o.quantity for o in short}, now=now)
    finished = len(chosen) == len(open_ids)
    if finished:
        wave.state = finished_state
    session.flush()
    count_id = _count_bins(session, short, actor=actor, now=now, today=today)
    audit.record(
        session,
        actor=actor,
        verb="wave.pick",
        document_kind=KIND,
        document_ids=[wave_id],
        picked=len(postings),
        short=[one.move_id for one in short],
    )
    return PickingResult(tuple(move.id for move in posted), tuple(short), count_id, finished)


def look_again(session: Session, *, wave_id: int, actor: Actor, now: datetime, today: date) -> WaveResult:
    """This function will release a wave of the orders that were short in this one, from other bins.

    Raises `WaveUnknown`, `NothingShort`, and `NothingToRelease` when no other bin has any.
    """
    actor.require(Role.WAREHOUSE)
    wave = waves.lock(session, wave_id)
    short = sa.select(StockMove.document_id).join(Pick, Pick.move_id == StockMove.id)
    waiting = sa.and_(Pick.short_quantity > 0, StockMove.state == MoveState.PLANNED, ~StockMove.allocated)
    order_ids = list(session.scalars(short.where(Pick.wave_id == wave_id, waiting).distinct()))
    if not order_ids:
        raise NothingShort(f"nothing of {wave.number} is short and without a bin")
    return waves.release(session, site_id=wave.site_id, order_ids=order_ids, actor=actor, now=now, today=today)


def _open_picks(session: Session, wave_id: int) -> list[int]:
    rows = session.scalars(
        sa.select(Pick.move_id).where(Pick.wave_id == wave_id, Pick.confirmed_at.is_(None)).order_by(Pick.move_id)
    )
    return list(rows)


def _stands(move: Move) -> bool:
    """A pick whose order was cancelled, or whose bin was taken back, is not to be picked any more."""
    return move.state is MoveState.PLANNED and move.allocated


def _chosen(wave: Wave, results: Sequence[PickResult], open_ids: Sequence[int]) -> list[int]:
    possible = set(open_ids)
    chosen: list[int] = []
    for result in results:
        if result.move_id not in possible:
            raise NotInWave(f"{wave.number}: move {result.move_id} is no open pick of this wave (or is named twice)")
        possible.remove(result.move_id)
        chosen.append(result.move_id)
    return sorted(chosen)


def _found(wave: Wave, results: Sequence[PickResult], picks: Sequence[Move]) -> dict[int, int]:
    asked = {move.id: move.quantity for move in picks}
    for result in results:
        if type(result.quantity) is not int or not 0 <= result.quantity <= asked[result.move_id]:
            raise BadPick(
                f"{wave.number}: {result.quantity!r} were picked for move {result.move_id}, which asks for "
                f"{asked[result.move_id]}: give a whole number from 0 to {asked[result.move_id]}"
            )
    return {result.move_id: result.quantity for result in results}


def _short(picks: Sequence[Move], found: dict[int, int]) -> list[ShortPick]:
    return [
        ShortPick(move.id, move.document_id, move.line_id, move.item_id, move.source_id, move.quantity - found[move.id])
        for move in picks
        if found[move.id] < move.quantity
    ]


def _lock_stock(session: Session, picks: Sequence[Move]) -> None:
    """A transaction has one stock lock, so it is taken here for the posting and for giving bins back."""
    keys = {BalanceKey(move.item_id, move.source_id, move.lot_id, move.owner_id) for move in picks}
    keys |= {BalanceKey(move.item_id, move.destination_id, move.lot_id, move.owner_id) for move in picks}
    balances.lock(session, pools=reservations.pools_of(session, picks).values(), balances=keys)


def _close(session: Session, wave_id: int, short_by_move: dict[int, int], *, now: datetime) -> None:
    if short_by_move:
        session.execute(
            sa.update(_PICKS)
            .where(_PICKS.c.wave_id == sa.bindparam("k_wave"), _PICKS.c.move_id == sa.bindparam("k_move"))
            .values(confirmed_at=sa.bindparam("v_at"), short_quantity=sa.bindparam("v_short")),
            [
                {"k_wave": wave_id, "k_move": move_id, "v_at": now, "v_short": short}
                for move_id, short in sorted(short_by_move.items())
            ],
        )


def _count_bins(
    session: Session, short: Sequence[ShortPick], *, actor: Actor, now: datetime, today: date
) -> int | None:
    """One count of every bin that lacked something, unless somebody is going to count it already."""
    uncounted = counts.without_open_count(session, [Target(one.bin_id, one.item_id) for one in short]) if short else []
    if not uncounted:
        return None
    return counting.plan_count(session, uncounted, actor=actor, now=now, today=today)
