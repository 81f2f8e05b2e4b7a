"""Putting away: what stands at the dock goes to a bin, from where it is promised to whoever waits for it longest."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.core import audit
from scm.core.errors import InvalidInput
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.locations import Location, LocationKind, LocationUnknown
from scm.stock import balances, ledger, moves, reservations
from scm.stock.balances import PoolKey, StockBalance
from scm.stock.ledger import Posting
from scm.stock.moves import Move, MoveState, StockMove
from scm.stock.reservations import Outcome
from warehouse import inspection
from warehouse.inspection import ReceiptInspection


@dataclass(frozen=True, kw_only=True)
class PutAway:
    """Goods of one move that waits at the dock go to a bin; all of them unless a quantity is given."""

    move_id: int
    bin_id: int
    quantity: int | None = None


@dataclass(frozen=True, kw_only=True)
class PutAwayResult:
    """What was put away, and which waiting moves were promised some of it."""

    posted: tuple[Move, ...]
    filled: tuple[Outcome, ...]


class NotABin(InvalidInput):
    """Goods are put away into bins only."""


class NothingToPutAway(InvalidInput):
    """A move does not take goods from a dock to storage."""


def put_away(session: Session, put: Sequence[PutAway], *, actor: Actor, now: datetime, today: date) -> PutAwayResult:
    """This function will put goods into bins and promise them to whoever waits for those items, earliest due first.

    Raises `NotABin`, `NothingToPutAway`, `NotInspected`, `NotPlanned`, `TooMuch`, `MoveUnknown`.
    """
    actor.require(Role.WAREHOUSE, Role.RETURNS)
    if not put:
        return PutAwayResult(posted=(), filled=())
    planned = {move.id: move for move in moves.lock(session, dict.fromkeys(one.move_id for one in put))}
    site_id = _refuse(session, put, planned)
    inspection.refuse_uninspected(session, list(planned.values()))
    postings = [Posting(move_id=one.move_id, quantity=one.quantity, destination_id=one.bin_id) for one in put]
    result = ledger.post(session, postings, actor=actor, now=now, today=today)
    audit.record(
        session,
        actor=actor,
        verb="warehouse.put_away",
        document_kind="stock_move",
        document_ids=[move.id for move in result.posted],
    )
    brought = _promisable(session, result.posted, site_id=site_id)
    filled = reservations.fill_backorders(session, item_ids=brought, site_id=site_id) if brought else []
    return PutAwayResult(posted=result.posted, filled=tuple(filled))


def waiting(session: Session, *, site_id: int, limit: int | None = None) -> list[Move]:
    """This function will list what stands at a site's dock and may be put away, the oldest first."""
    source, destination = aliased(Location), aliased(Location)
    looked_at = sa.exists().where(ReceiptInspection.move_id == StockMove.id)
    statement = (
        sa.select(*StockMove.__table__.columns)
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(
            StockMove.state == MoveState.PLANNED,
            source.site_id == site_id,
            source.kind == LocationKind.DOCK,
            destination.kind == LocationKind.STORAGE,
            sa.or_(~StockMove.needs_inspection, looked_at),
        )
        .order_by(StockMove.id)
        .limit(limit)
    )
    return [Move(**row._mapping) for row in session.execute(statement)]


def suggest(session: Session, wanted: Sequence[Move], *, site_id: int) -> dict[int, int]:
    """This function will name a bin for each move: where the item lies already, else the bin that holds least.

    Reads two queries whatever the number of moves; what it suggests first counts for what it suggests next.
    """
    load = _load_of_bins(session, site_id=site_id)
    if not load:
        raise LocationUnknown(f"site {site_id} has no bin: add one")
    home = homes(session, {move.item_id for move in wanted}, site_id=site_id)
    emptiest = [(units, sequence, bin_id) for bin_id, (units, sequence) in load.items()]
    heapq.heapify(emptiest)
    chosen: dict[int, int] = {}
    for move in wanted:
        if move.item_id not in home:
            units, sequence, bin_id = heapq.heappop(emptiest)
            heapq.heappush(emptiest, (units + move.quantity, sequence, bin_id))
            home[move.item_id] = bin_id
        chosen[move.id] = home[move.item_id]
    return chosen


def put_away_all(
    session: Session, *, site_id: int, actor: Actor, now: datetime, today: date, limit: int | None = None
) -> PutAwayResult:
    """This function will put away everything that may leave the dock, into the suggested bins."""
    ready = waiting(session, site_id=site_id, limit=limit)
    bins = suggest(session, ready, site_id=site_id)
    put = [PutAway(move_id=move.id, bin_id=bins[move.id]) for move in ready]
    return put_away(session, put, actor=actor, now=now, today=today)


def _refuse(session: Session, put: Sequence[PutAway], planned: Mapping[int, Move]) -> int:
    """Returns the one site at which everything stands."""
    ends = {end for move in planned.values() for end in (move.source_id, move.destination_id)}
    places = locations.places(session, ends | {one.bin_id for one in put})
    sites = set()
    for one in put:
        move, chosen = planned[one.move_id], places[one.bin_id]
        source = places[move.source_id]
        if not source.physical or source.promisable or places[move.destination_id].kind is not LocationKind.STORAGE:
            raise NothingToPutAway(f"{move.label} does not take goods from a dock to storage")
        if chosen.kind is not LocationKind.STORAGE or chosen.is_area or chosen.site_id != source.site_id:
            raise NotABin(f"{move.label}: {chosen.code} is no bin of the site: choose one")
        assert source.site_id is not None, f"{source.code} belongs to no site"
        sites.add(source.site_id)
        if len(sites) > 1:
            raise NothingToPutAway(f"{move.label} stands at another site than the rest: put it away there")
    _refuse_retired(session, {one.bin_id for one in put})
    return sites.pop()


def _refuse_retired(session: Session, bin_ids: set[int]) -> None:
    """The rows are shared until the goods lie there, so that nobody retires a bin they are on their way to."""
    retired = session.execute(
        sa.select(Location.code, Location.retired)
        .where(Location.id.in_(sorted(bin_ids)))
        .order_by(Location.id)
        .with_for_update(read=True, key_share=True)
    )
    for row in retired:
        if row.retired:
            raise NotABin(f"bin {row.code} is retired: choose another")


def _promisable(session: Session, posted: Sequence[Move], *, site_id: int) -> set[int]:
    """Items of which something became free to promise. Held lots do not count, and their pools are not locked."""
    held = balances.held(session)
    pools = held.pools if held is not None else {}
    return {m.item_id for m in posted if PoolKey(m.item_id, site_id, m.owner_id, m.pool) in pools}


def _load_of_bins(session: Session, *, site_id: int) -> dict[int, tuple[int, int]]:
    """Units and place on the pick path of every bin of a site."""
    rows = session.execute(
        sa.select(
            Location.id, Location.pick_sequence, sa.func.coalesce(sa.func.sum(StockBalance.on_hand), 0).label("units")
        )
        .outerjoin(StockBalance, StockBalance.location_id == Location.id)
        .where(
            Location.site_id == site_id,
            Location.kind == LocationKind.STORAGE,
            ~Location.is_area,
            ~Location.retired,
        )
        .group_by(Location.id, Location.pick_sequence)
    )
    return {row.id: (int(row.units), row.pick_sequence) for row in rows}


def homes(session: Session, item_ids: set[int], *, site_id: int) -> dict[int, int]:
    """This function will name the bin in which each item lies already; of several, the one with most of it."""
    most = sa.func.sum(StockBalance.on_hand)
    rows = session.execute(
        sa.select(StockBalance.item_id, StockBalance.location_id)
        .join(Location, Location.id == StockBalance.location_id)
        .where(
            StockBalance.item_id.in_(sorted(item_ids)),
            StockBalance.on_hand > 0,
            Location.site_id == site_id,
            Location.kind == LocationKind.STORAGE,
            ~Location.retired,
        )
        .group_by(StockBalance.item_id, StockBalance.location_id)
        .order_by(StockBalance.item_id, most, StockBalance.location_id.desc())
    )
    return {row.item_id: row.location_id for row in rows}
