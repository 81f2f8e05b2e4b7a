"""Transfers: goods of one site are promised, picked and sent, and received at another, several times if need be.

On the way they lie in the company's place for goods in transit, in the books and with lot and owner as they were: no
site promises them, and none gains or loses by moving them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit, numbering
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.items import Item
from scm.master.locations import LocationKind
from scm.master.partners import OWN_STOCK
from scm.master.transfer_lanes import TransferLane
from scm.stock import allocation, balances, ledger, moves, reservations
from scm.stock.balances import BalanceKey
from scm.stock.ledger import MoveRequest, Posting
from scm.stock.moves import Move, MoveState
from scm.stock.reservations import Shortage
from warehouse import counts, transfer_documents
from warehouse.transfer_documents import KIND, MACHINE, Transfer, TransferLine

LONGEST_REASON = 200


@dataclass(frozen=True, kw_only=True)
class LineRequest:
    """So much of one item to send. `proposal_id` names the proposal that it carries out."""

    item_id: int
    quantity: int
    proposal_id: int | None = None
    owner_id: int = OWN_STOCK


@dataclass(frozen=True, kw_only=True)
class Picked:
    """What was taken for one pick, or came of one move that was on the way."""

    move_id: int
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What left, and how much of the transfer did not."""

    posted: tuple[Move, ...]
    on_the_way: tuple[Move, ...]
    left_behind: int


class BadTransfer(InvalidInput):
    """A transfer cannot be like this."""


class NoLane(Conflict):
    """No lane in use leads from one site to the other."""


class NotOnTransfer(Conflict):
    """A move is no open pick, or nothing on the way, of the transfer."""


class NoBin(Conflict):
    """What is promised to a transfer lies in no bin that may be picked from."""


class NothingToShip(Conflict):
    """Nothing of a transfer has been given a bin, or nothing of it was found."""


def draft(
    session: Session,
    lines: Sequence[LineRequest],
    *,
    from_site_id: int,
    to_site_id: int,
    actor: Actor,
    today: date,
    ship_date: date | None = None,
    reason: str = "",
) -> int:
    """This function will write a transfer that leaves on a day (None: today) and give its id.

    It is due when the lane's days have passed. Nothing is promised to it before it is released. Raises `BadTransfer`,
    `NoLane`.
    """
    actor.require(Role.PLANNER, Role.BUYER, Role.WAREHOUSE, Role.SYSTEM)
    leaves = max(ship_date or today, today)
    lane = session.scalars(
        sa.select(TransferLane).where(
            TransferLane.from_site_id == from_site_id, TransferLane.to_site_id == to_site_id, ~TransferLane.retired
        )
    ).one_or_none()
    if lane is None:
        raise NoLane(f"no lane leads from site {from_site_id} to site {to_site_id}: add it to the master data first")
    site = session.get_one(locations.Site, from_site_id)
    _refuse_lines(session, lines, company_id=site.company_id)
    [number] = numbering.draw(session, series=numbering.TRANSFER, company_id=site.company_id, year=today.year)
    transfer = Transfer(
        company_id=site.company_id,
        from_site_id=from_site_id,
        to_site_id=to_site_id,
        lane_id=lane.id,
        number=number,
        state=MACHINE.initial,
        drafted_date=today,
        ship_date=leaves,
        due_date=leaves + timedelta(days=lane.transit_days),
        written_by_id=actor.user_id,
        reason=reason.strip()[:LONGEST_REASON],
    )
    session.add(transfer)
    session.flush()
    session.add_all(
        TransferLine(transfer_id=transfer.id, line_number=place, **vars(line)) for place, line in enumerate(lines, 1)
    )
    session.flush()
    _record(session, actor, "transfer.draft", transfer.id, lines=len(lines))
    return transfer.id


def release(session: Session, transfer_id: int, *, actor: Actor) -> list[Move]:
    """This function will promise the sender's free stock to a transfer, all of it or nothing.

    Raises `TransferUnknown`, `IllegalTransition`, `NotEnoughToPromise`.
    """
    actor.require(Role.WAREHOUSE, Role.PLANNER)
    transfer = transfer_documents.lock(session, transfer_id)
    transfer.state = MACHINE.advance(transfer.state, "release", number=transfer.number)
    area = locations.of_kind(session, kind=LocationKind.STORAGE, site_id=transfer.from_site_id, area=True)
    way = _way(session)
    planned = ledger.plan(
        session,
        [
            MoveRequest(
                item_id=line.item_id,
                source_id=area,
                destination_id=way,
                quantity=line.quantity,
                due_date=transfer.ship_date,
                document_kind=KIND,
                document_id=transfer.id,
                line_id=line.id,
                owner_id=line.owner_id,
            )
            for line in transfer_documents.lines_of(session, [transfer.id])
        ],
        company_id=transfer.company_id,
    )
    reservations.reserve(session, [move.id for move in planned], shortage=Shortage.REFUSE)
    session.flush()
    _record(session, actor, "transfer.release", transfer.id)
    return planned


def pick(session: Session, transfer_id: int, *, actor: Actor, today: date) -> list[int]:
    """This function will give a released transfer its bins and lots, first expired first out, and list the picks.

    Bins with an open count of the item are passed over; what finds no bin stays promised. Raises `TransferUnknown`,
    `IllegalTransition`, `NoBin`.
    """
    actor.require(Role.WAREHOUSE)
    transfer = transfer_documents.lock(session, transfer_id)
    transfer.state = MACHINE.advance(transfer.state, "pick", number=transfer.number)
    planned = transfer_documents.planned_moves(session, transfer_id)
    promised = reservations.quantities(session, [move.id for move in planned])
    waiting = [move.id for move in planned if not move.allocated and move.id in promised]
    avoid = counts.doubtful(session, site_id=transfer.from_site_id)
    found = allocation.allocate(session, waiting, today=today, avoid=avoid) if waiting else []
    picks = [pick_id for one in found for pick_id in one.pick_ids]
    if not picks:
        raise NoBin(f"nothing more of {transfer.number} lies in a bin that may be picked from: count its bins")
    _record(session, actor, "transfer.pick", transfer.id, picks=len(picks))
    return picks


def ship(
    session: Session,
    transfer_id: int,
    *,
    actor: Actor,
    now: datetime,
    today: date,
    results: Sequence[Picked] | None = None,
    reason: str = "",
) -> Sent:
    """This function will send what was taken from the bins on its way; without `results`, every pick was found whole.

    What is not sent is given up and free again. Raises `TransferUnknown`, `IllegalTransition`, `NotOnTransfer`,
    `BadTransfer` (also when something stays behind without a reason), `NothingToShip`.
    """
    actor.require(Role.WAREHOUSE)
    transfer = transfer_documents.lock(session, transfer_id)
    transfer.state = MACHINE.advance(transfer.state, "ship", number=transfer.number)
    planned = moves.lock(session, [move.id for move in transfer_documents.planned_moves(session, transfer_id)])
    picks = {move.id: move for move in planned if move.allocated and move.state is MoveState.PLANNED}
    found = _counted(transfer, results, {move_id: move.quantity for move_id, move in picks.items()})
    if results is not None and {one.move_id for one in results} != set(picks):
        raise BadTransfer(f"{transfer.number}: not every pick is done: scan the rest, or say that it is short")
    left = sum(move.quantity for move in planned) - sum(found.values())
    if not any(found.values()):
        raise NothingToShip(f"nothing of {transfer.number} was picked: pick it first, or cancel it")
    if left and not reason.strip():
        raise BadTransfer(f"{transfer.number}: {left} units stay behind: say why, the receiver reads it")
    _lock_stock(session, planned)
    postings = [Posting(move_id=move_id, quantity=quantity) for move_id, quantity in found.items() if quantity]
    posted = ledger.post(session, postings, actor=actor, now=now, today=today).posted
    shipped_whole = {move_id for move_id, move in picks.items() if found[move_id] == move.quantity}
    behind = [move.id for move in planned if move.id not in shipped_whole]
    if behind:
        ledger.cancel(session, behind, reason=reason.strip()[:LONGEST_REASON], actor=actor)
        transfer.reason = reason.strip()[:LONGEST_REASON]
    lane_days = transfer.due_date - transfer.ship_date
    transfer.shipped_at, transfer.shipped_date = now, today
    transfer.due_date = max(transfer.due_date, today + lane_days)
    on_the_way = _plan_arrivals(session, transfer, posted)
    session.flush()
    _record(session, actor, "transfer.ship", transfer.id, sent=sum(move.quantity for move in posted), left_behind=left)
    return Sent(posted=posted, on_the_way=tuple(on_the_way), left_behind=left)


def receive(
    session: Session,
    transfer_id: int,
    *,
    actor: Actor,
    now: datetime,
    today: date,
    results: Sequence[Picked] | None = None,
) -> list[Move]:
    """This function will receive what has come at the dock, from where it is put away; the rest stays on the way.

    Without `results`, everything that was on the way has come. More than was sent is refused: count it in as found.
    Raises `TransferUnknown`, `IllegalTransition`, `NotOnTransfer`, `BadTransfer`.
    """
    actor.require(Role.WAREHOUSE)
    transfer = transfer_documents.lock(session, transfer_id)
    transfer.state = MACHINE.advance(transfer.state, "receive", number=transfer.number)
    on_the_way = {move.id: move for move in transfer_documents.planned_moves(session, transfer_id)}
    arriving = _arriving(session, on_the_way)
    found = _counted(transfer, results, {move_id: move.quantity for move_id, move in arriving.items()})
    postings = [Posting(move_id=move_id, quantity=quantity) for move_id, quantity in found.items() if quantity]
    if not postings:
        raise BadTransfer(f"{transfer.number}: nothing was received: give a quantity, or write off what will not come")
    posted = ledger.post(session, postings, actor=actor, now=now, today=today).posted
    close_if_done(session, transfer)
    session.flush()
    _record(session, actor, "transfer.receive", transfer.id, received=sum(move.quantity for move in posted))
    return list(posted)


def cancel(session: Session, transfer_id: int, *, reason: str, actor: Actor) -> None:
    """This function will give a transfer up that has not left; what was promised to it is free again.

    Raises `TransferUnknown`, `IllegalTransition`, `BadTransfer`.
    """
    actor.require(Role.PLANNER, Role.BUYER, Role.WAREHOUSE)
    transfer = transfer_documents.lock(session, transfer_id)
    if not reason.strip():
        raise BadTransfer(f"{transfer.number}: cancelling needs a reason: the other site reads it")
    transfer.state = MACHINE.advance(transfer.state, "cancel", number=transfer.number)
    transfer.reason = reason.strip()[:LONGEST_REASON]
    planned = [move.id for move in transfer_documents.planned_moves(session, transfer_id)]
    if planned:
        ledger.cancel(session, planned, reason=transfer.reason, actor=actor)
    session.flush()
    _record(session, actor, "transfer.cancel", transfer.id, reason=transfer.reason)


def close_if_done(session: Session, transfer: Transfer) -> None:
    """This function will close a locked transfer of which nothing is on the way any more."""
    if not _arriving(session, {move.id: move for move in transfer_documents.planned_moves(session, transfer.id)}):
        transfer.state = MACHINE.advance(transfer.state, "close", number=transfer.number)


def _arriving(session: Session, planned: Mapping[int, Move]) -> dict[int, Move]:
    """What is on the way; what stands at the dock waits to be put away and is not of the transfer any more."""
    places = locations.places(session, {move.source_id for move in planned.values()})
    return {i: move for i, move in planned.items() if places[move.source_id].kind is LocationKind.TRANSIT}


def _plan_arrivals(session: Session, transfer: Transfer, posted: Sequence[Move]) -> list[Move]:
    """Each lot by itself. Planned anew and not onward, because it is due later than what it follows."""
    dock = locations.of_kind(session, kind=LocationKind.DOCK, site_id=transfer.to_site_id)
    area = locations.of_kind(session, kind=LocationKind.STORAGE, site_id=transfer.to_site_id, area=True)
    return ledger.plan(
        session,
        [
            MoveRequest(
                item_id=move.item_id,
                source_id=move.destination_id,
                destination_id=dock,
                quantity=move.quantity,
                due_date=transfer.due_date,
                document_kind=KIND,
                document_id=transfer.id,
                line_id=move.line_id,
                lot_id=move.lot_id,
                owner_id=move.owner_id,
                onward=(area,),
            )
            for move in posted
        ],
        company_id=transfer.company_id,
    )


def _counted(transfer: Transfer, results: Sequence[Picked] | None, most: Mapping[int, int]) -> dict[int, int]:
    """How much of each move; what is not named is nothing."""
    if results is None:
        return dict(most)
    found = dict.fromkeys(most, 0)
    for one in results:
        if one.move_id not in most:
            raise NotOnTransfer(f"{transfer.number}: move {one.move_id} is none of it any more: load the page again")
        if type(one.quantity) is not int or one.quantity < 0:
            raise BadTransfer(f"{transfer.number}: quantity {one.quantity!r} must be a whole number of at least 0")
        found[one.move_id] += one.quantity
        if found[one.move_id] > most[one.move_id]:
            raise BadTransfer(
                f"{transfer.number}: {found[one.move_id]} are more than the {most[one.move_id]} of move {one.move_id}: "
                "count the surplus in as found"
            )
    return found


def _lock_stock(session: Session, planned: Sequence[Move]) -> None:
    """A transaction has one stock lock, so it is taken here for what leaves and for what is given up."""
    picks = [move for move in planned if move.allocated]
    keys = {BalanceKey(move.item_id, move.source_id, move.lot_id, move.owner_id) for move in picks}
    keys |= {BalanceKey(move.item_id, move.destination_id, move.lot_id, move.owner_id) for move in picks}
    balances.lock(session, pools=reservations.pools_of(session, planned).values(), balances=keys)


def _way(session: Session) -> int:
    return locations.of_kind(session, kind=LocationKind.TRANSIT, site_id=None)


def _refuse_lines(session: Session, lines: Sequence[LineRequest], *, company_id: int) -> None:
    if not lines:
        raise BadTransfer("a transfer needs at least one line")
    known = set(
        session.scalars(
            sa.select(Item.id).where(Item.company_id == company_id, Item.id.in_({line.item_id for line in lines}))
        )
    )
    seen = set()
    for line in lines:
        if line.item_id not in known:
            raise BadTransfer(f"there is no item {line.item_id}")
        if type(line.quantity) is not int or line.quantity <= 0:
            raise BadTransfer(f"item {line.item_id}: quantity {line.quantity!r} must be a whole number above 0")
        if (line.item_id, line.owner_id) in seen and line.proposal_id is None:
            raise BadTransfer(f"item {line.item_id} stands on two lines: add them up")
        seen.add((line.item_id, line.owner_id))


def _record(session: Session, actor: Actor, verb: str, transfer_id: int, **detail: object) -> None:
    audit.record(session, actor=actor, verb=verb, document_kind=KIND, document_ids=[transfer_id], **detail)
