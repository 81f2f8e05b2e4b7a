"""Cycle counting: somebody counts places blind, somebody else approves the differences, and only then the books follow.

What the books said at the moment of counting is kept with the count. If a place has changed until the approval, the
count says nothing about it any more and is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import approval, audit, numbering
from scm.core.approval import Decision
from scm.core.db import table_of
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.items import Item
from scm.master.locations import LocationKind, Place, Site
from scm.master.partners import OWN_STOCK
from scm.stock import balances, ledger, moves, reservations
from scm.stock.balances import BalanceKey, PoolKey, StockBalance
from scm.stock.ledger import MoveRequest
from scm.stock.lots import NO_LOT, Lot
from scm.stock.moves import GENERAL_POOL
from scm.stock.reservations import Unreserved
from warehouse import counts
from warehouse.counts import KIND, MACHINE, CycleCount, CycleCountLine, CycleCountTarget, Target


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedStock:
    """What somebody found in a place, counted without knowing what the books say."""

    location_id: int
    item_id: int
    quantity: int
    lot_id: int = NO_LOT

    @property
    def key(self) -> BalanceKey:
        """The row of the goods ledger that was counted."""
        return BalanceKey(self.item_id, self.location_id, self.lot_id, OWN_STOCK)


@dataclass(frozen=True, slots=True)
class Difference:
    """One counted row that the books see otherwise."""

    location_id: int
    item_id: int
    lot_id: int
    expected_quantity: int
    counted_quantity: int


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """A promise given back because its goods are gone: so much of an order line waits again."""

    document_kind: str
    document_id: int
    line_id: int
    item_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class CountResult:
    """The posted corrections, the promises they broke, and the waiting moves that found stock was promised to."""

    move_ids: tuple[int, ...]
    broken: tuple[BrokenPromise, ...]
    filled: tuple[int, ...]


class BadCount(InvalidInput):
    """A count names places or quantities that cannot be counted."""


class NotCounted(Conflict):
    """The books hold something in a place to be counted that the count does not mention."""


class CountOutdated(Conflict):
    """A place has changed since it was counted."""


class CountedUnknown(NotFound):
    """A counted item or lot does not exist."""


def plan_count(session: Session, targets: Sequence[Target], *, actor: Actor, now: datetime, today: date) -> int:
    """This function will plan the count of places of one site, and return the count's id. Raises `BadCount`."""
    actor.require(Role.WAREHOUSE)
    places = locations.places(session, {target.location_id for target in targets})
    site_ids = {place.site_id for place in places.values()}
    if not targets or len(site_ids) != 1:
        raise BadCount(f"{len(targets)} places of {len(site_ids)} sites were named: name places of one site")
    for place in places.values():
        if place.is_area or not place.physical:
            raise BadCount(f"{place.code} holds nothing that can be counted: name a bin")
    [site_id] = site_ids
    company_id = session.scalars(sa.select(Site.company_id).where(Site.id == site_id)).one()
    [number] = numbering.draw(session, series=numbering.CYCLE_COUNT, company_id=company_id, year=today.year)
    count = CycleCount(company_id=company_id, site_id=site_id, number=number, state=MACHINE.initial, planned_at=now)
    session.add(count)
    session.flush()
    rows = [
        {"count_id": count.id, "location_id": target.location_id, "item_id": target.item_id}
        for target in dict.fromkeys(targets)
    ]
    session.execute(sa.insert(table_of(CycleCountTarget)), rows)
    _record(session, actor, "cycle_count.plan", count.id, places=len(rows))
    return count.id


def record_count(
    session: Session, count_id: int, counted: Sequence[CountedStock], *, actor: Actor, now: datetime
) -> list[Difference]:
    """This function will record what was found, beside what the books say at this moment, and return what differs.

    Differences wait for somebody else's approval; without any, the count is closed. Everything the books hold in the
    places must be mentioned, with 0 where nothing was found. Raises `IllegalTransition`, `BadCount`, `NotCounted`,
    `CountedUnknown`.
    """
    actor.require(Role.WAREHOUSE)
    count = counts.lock(session, count_id)
    count.state = MACHINE.advance(count.state, "record", number=count.number)
    count.counted_at, count.counted_by_id = now, actor.user_id
    targets = counts.targets_of(session, count_id)
    _refuse(session, count, counted, targets)
    expected = _by_the_books(session, targets)
    _refuse_incomplete(session, count, {found.key for found in counted}, expected)
    rows = [
        found.key._asdict()
        | {
            "count_id": count_id,
            "expected_quantity": expected.get(found.key, 0),
            "counted_quantity": found.quantity,
        }
        for found in counted
    ]
    if rows:
        session.execute(sa.insert(table_of(CycleCountLine)), rows)
    differing = [line for line in counts.lines_of(session, count_id) if line.difference]
    if differing:
        approval.request(
            session, subject_kind=KIND, subject_id=count_id, content=_content(differing), requester=actor, now=now
        )
    else:
        count.state = MACHINE.advance(count.state, "agree", number=count.number)
    session.flush()
    _record(session, actor, "cycle_count.record", count_id, differences=len(differing))
    return [
        Difference(line.location_id, line.item_id, line.lot_id, line.expected_quantity, line.counted_quantity)
        for line in differing
    ]


def approve(
    session: Session, count_id: int, *, actor: Actor, now: datetime, today: date, comment: str = ""
) -> CountResult:
    """This function will approve the differences of a count and correct the books by them.

    Lost stock gives back the newest promises first, and the result names them; found stock is promised to whoever
    waits. Raises `IllegalTransition`, `SelfApproval`, `CountOutdated`.
    """
    actor.require(Role.APPROVER, Role.WAREHOUSE)
    count = counts.lock(session, count_id)
    count.state = MACHINE.advance(count.state, "approve", number=count.number)
    differing = [line for line in counts.lines_of(session, count_id) if line.difference]
    _decide(session, count, differing, Decision.APPROVED, actor=actor, now=now, comment=comment)
    _refuse_outdated(session, count, differing)
    adjustment = locations.of_kind(session, kind=LocationKind.ADJUSTMENT, site_id=None)
    requests = [_correction(line, adjustment, today=today) for line in differing]
    result = ledger.move_now(session, requests, company_id=count.company_id, actor=actor, now=now, today=today)
    places = locations.places(session, {line.location_id for line in differing})
    found = {line.item_id for line in differing if line.difference > 0 and places[line.location_id].promisable}
    filled = reservations.fill_backorders(session, item_ids=found, site_id=count.site_id) if found else []
    broken = _broken(session, result.unreserved)
    session.flush()
    _record(
        session,
        actor,
        "cycle_count.approve",
        count_id,
        broken_promises=[{"document_id": one.document_id, "quantity": one.quantity} for one in broken],
    )
    return CountResult(
        tuple(move.id for move in result.posted),
        tuple(broken),
        tuple(o.reserved_move_id for o in filled if o.reserved_move_id is not None),
    )


def reject(session: Session, count_id: int, *, actor: Actor, now: datetime, comment: str) -> None:
    """This function will reject the differences of a count: the books stay, and the places are to be counted anew.

    Raises `IllegalTransition`, `SelfApproval`.
    """
    actor.require(Role.APPROVER, Role.WAREHOUSE)
    count = counts.lock(session, count_id)
    count.state = MACHINE.advance(count.state, "reject", number=count.number)
    differing = [line for line in counts.lines_of(session, count_id) if line.difference]
    _decide(session, count, differing, Decision.REJECTED, actor=actor, now=now, comment=comment)
    session.flush()
    _record(session, actor, "cycle_count.reject", count_id, comment=comment)


def _refuse(session: Session, count: CycleCount, counted: Sequence[CountedStock], targets: Sequence[Target]) -> None:
    items = set(session.scalars(sa.select(Item.id).where(Item.id.in_({found.item_id for found in counted}))))
    lots = {
        row.id: row.item_id
        for row in session.execute(sa.select(Lot.id, Lot.item_id).where(Lot.id.in_({f.lot_id for f in counted})))
    }
    seen: set[BalanceKey] = set()
    for found in counted:
        where = f"{count.number}, location {found.location_id}, item {found.item_id}"
        if type(found.quantity) is not int or found.quantity < 0:
            raise BadCount(f"{where}: quantity {found.quantity!r} must be a whole number of at least 0")
        if not any(target.covers(found.key) for target in targets):
            raise BadCount(f"{where} is not among the places to count: plan another count for it")
        if found.key in seen:
            raise BadCount(f"{where} is counted twice: add the figures up")
        if found.item_id not in items or lots.get(found.lot_id, -1) not in (None, found.item_id):
            raise CountedUnknown(f"{where}: there is no such item with lot {found.lot_id}")
        seen.add(found.key)


def _refuse_incomplete(
    session: Session, count: CycleCount, mentioned: set[BalanceKey], expected: dict[BalanceKey, int]
) -> None:
    for key in sorted(set(expected) - mentioned):
        code = counts.codes(session, [key.location_id])[key.location_id]
        raise NotCounted(
            f"{count.number}: {code} should also hold item {key.item_id} (lot {key.lot_id}, owner {key.owner_id}): "
            "count it too, and say 0 if none is there"
        )


def _by_the_books(session: Session, targets: Sequence[Target]) -> dict[BalanceKey, int]:
    rows = session.execute(
        sa.select(table_of(StockBalance)).where(
            StockBalance.location_id.in_({target.location_id for target in targets}), StockBalance.on_hand > 0
        )
    )
    held = {BalanceKey(row.item_id, row.location_id, row.lot_id, row.owner_id): int(row.on_hand) for row in rows}
    return {key: on_hand for key, on_hand in held.items() if any(target.covers(key) for target in targets)}


def _refuse_outdated(session: Session, count: CycleCount, differing: Sequence[CycleCountLine]) -> None:
    """Compare and set: the rows are locked, and only then compared with what was read when they were counted."""
    places = locations.places(session, {line.location_id for line in differing})
    pools = [_pool(line, places[line.location_id]) for line in differing if places[line.location_id].promisable]
    locked = balances.lock(session, pools=pools, balances=[line.key for line in differing])
    for line in differing:
        present = locked.balances[line.key].there
        if present != line.expected_quantity:
            raise CountOutdated(
                f"{count.number}: {places[line.location_id].code} held {line.expected_quantity} of item {line.item_id} "
                f"by the books when {line.counted_quantity} were counted, and holds {present} now: reject it and count "
                "again"
            )


def _pool(line: CycleCountLine, place: Place) -> PoolKey:
    assert place.site_id is not None, f"storage {place.code} belongs to no site"
    return PoolKey(line.item_id, place.site_id, line.owner_id, GENERAL_POOL)


def _correction(line: CycleCountLine, adjustment_id: int, *, today: date) -> MoveRequest:
    lost = line.difference < 0
    return MoveRequest(
        item_id=line.item_id,
        source_id=line.location_id if lost else adjustment_id,
        destination_id=adjustment_id if lost else line.location_id,
        quantity=abs(line.difference),
        due_date=today,
        document_kind=KIND,
        document_id=line.count_id,
        line_id=line.id,
        lot_id=line.lot_id,
        owner_id=line.owner_id,
        reason=f"counted {line.counted_quantity}, books said {line.expected_quantity}",
    )


def _broken(session: Session, unreserved: Sequence[Unreserved]) -> list[BrokenPromise]:
    given_back = moves.lock(session, [one.move_id for one in unreserved])
    return [
        BrokenPromise(move.document_kind, move.document_id, move.line_id, move.item_id, one.quantity)
        for move, one in zip(given_back, unreserved, strict=True)
    ]


def _content(differing: Iterable[CycleCountLine]) -> list[list[int]]:
    return [[*line.key, line.expected_quantity, line.counted_quantity] for line in differing]


def _decide(
    session: Session,
    count: CycleCount,
    differing: Sequence[CycleCountLine],
    decision: Decision,
    *,
    actor: Actor,
    now: datetime,
    comment: str,
) -> None:
    approval.decide(
        session,
        subject_kind=KIND,
        subject_id=count.id,
        number=count.number,
        content=_content(differing),
        decision=decision,
        approver=actor,
        now=now,
        comment=comment,
    )


def _record(session: Session, actor: Actor, verb: str, count_id: int, **detail: object) -> None:
    audit.record(session, actor=actor, verb=verb, document_kind=KIND, document_ids=[count_id], **detail)
