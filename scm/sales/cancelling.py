"""Withdrawing orders: cancelling them before they ship, and customers who walk away from what waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.locations import LocationKind
from scm.sales import documents, lost_demand
from scm.sales.documents import KIND, MACHINE, OrderState, SalesOrder, SalesOrderLine
from scm.sales.lost_demand import Loss
from scm.stock import balances, ledger, moves, reservations
from scm.stock.balances import BalanceKey, PoolKey
from scm.stock.moves import Move, MoveState

NEVER_DEMAND = timedelta(days=1)  # what is cancelled sooner than this was a slip, not demand


class NothingNamed(InvalidInput):
    """No order or line was named."""


class AlreadyShipped(Conflict):
    """What has left the building cannot be cancelled."""


class AlreadyCancelled(Conflict):
    """A line was cancelled before."""


class NothingWaits(Conflict):
    """A line waits for nothing that a customer could walk away from."""


@dataclass(slots=True)
class _Progress:
    """The open moves of one line, and what of it has shipped."""

    shipped: int = 0
    unpicked: list[Move] = field(default_factory=list)  # planned out of storage
    staged: list[Move] = field(default_factory=list)  # planned out of staging


def cancel(
    session: Session, order_ids: Sequence[int], *, reason: str, actor: Actor, now: datetime, today: date
) -> None:
    """This function will cancel whole orders of which nothing has shipped: promises are given back, picked goods go
    back to their bins, and freed stock is promised to whoever waits.

    Raises `OrderUnknown`, `IllegalTransition`, `AlreadyShipped`.
    """
    actor.require(Role.SALES, Role.SYSTEM)
    orders = _lock(session, order_ids)
    for order in orders:
        order.state = MACHINE.advance(order.state, "cancel", number=order.number)
    lines = [line for line in documents.lines_of(session, [o.id for o in orders]) if line.cancelled_at is None]
    withdraw(session, orders, lines, reason=reason, actor=actor, now=now, today=today)
    _record(session, actor, "sales_order.cancel", [order.id for order in orders], reason=reason)


def cancel_lines(
    session: Session, line_ids: Sequence[int], *, reason: str, actor: Actor, now: datetime, today: date
) -> None:
    """This function will cancel lines of which nothing has shipped; an order without any line left is cancelled.

    Raises `OrderUnknown`, `IllegalTransition`, `AlreadyCancelled`, `AlreadyShipped`.
    """
    actor.require(Role.SALES, Role.SYSTEM)
    orders = _lock(session, documents.order_ids_of_lines(session, line_ids) if line_ids else [])
    number_of = {order.id: order.number for order in orders}
    for order in orders:
        MACHINE.advance(order.state, "cancel", number=order.number)
    lines = documents.lines_of(session, list(number_of))
    chosen = [line for line in lines if line.id in set(line_ids)]
    for line in chosen:
        if line.cancelled_at is not None:
            raise AlreadyCancelled(f"{number_of[line.order_id]} line {line.line_number} was cancelled before")
    withdraw(session, orders, chosen, reason=reason, actor=actor, now=now, today=today)
    left = {line.order_id for line in lines if line.cancelled_at is None}
    for order in orders:
        if order.id not in left:
            order.state = OrderState.CANCELLED
    session.flush()
    _record(session, actor, "sales_order.cancel_lines", list(number_of), reason=reason, line_ids=sorted(set(line_ids)))


def give_up(session: Session, line_ids: Sequence[int], *, actor: Actor, now: datetime, today: date) -> list[Loss]:
    """This function will let customers walk away from what their lines wait for, and record it as lost demand.

    What is promised or on its way stays. Raises `OrderUnknown`, `NothingWaits`.
    """
    actor.require(Role.SALES, Role.SYSTEM)
    orders = _lock(session, documents.order_ids_of_lines(session, line_ids) if line_ids else [])
    order_of = {order.id: order for order in orders}
    progress = _progress(session, list(order_of))
    lines = [line for line in documents.lines_of(session, list(order_of)) if line.id in set(line_ids)]
    promised = reservations.quantities(session, [m.id for line in lines for m in progress[line.id].unpicked])
    losses: list[Loss] = []
    walked: list[int] = []
    for line in lines:
        order = order_of[line.order_id]
        waiting = [move for move in progress[line.id].unpicked if move.id not in promised]
        if not waiting:
            raise NothingWaits(f"{order.number} line {line.line_number} waits for nothing: cancel the line instead")
        walked += [move.id for move in waiting]
        losses.append(
            Loss(
                item_id=line.item_id,
                site_id=order.site_id,
                lost_date=today,
                quantity=sum(move.quantity for move in waiting),
                line_id=line.id,
            )
        )
    ledger.cancel(session, walked, reason="the customer walked away", actor=actor)
    lost_demand.record_lost_demand(session, losses, actor=actor, now=now)
    _record(session, actor, "sales_order.give_up", list(order_of), line_ids=sorted(set(line_ids)))
    return losses


def _lock(session: Session, order_ids: Iterable[int]) -> list[SalesOrder]:
    wanted = list(order_ids)
    if not wanted:
        raise NothingNamed("nothing was named: name at least one order or line")
    return documents.lock_orders(session, wanted)


def shipped(session: Session, order_ids: Sequence[int]) -> dict[int, int]:
    """This function will count what has shipped of the lines of locked orders; their open moves are locked, too."""
    return {line_id: line.shipped for line_id, line in _progress(session, list(order_ids)).items()}


def withdraw(
    session: Session,
    orders: Sequence[SalesOrder],
    lines: Sequence[SalesOrderLine],
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    today: date,
    also: Sequence[PoolKey] = (),
) -> None:
    """This function will cancel lines of locked orders: promises and picked goods go back, freed stock to who waits.

    `also` names pools that the caller will promise from afterwards: a transaction locks its stock once. Raises
    `AlreadyShipped`.
    """
    order_of = {order.id: order for order in orders}
    progress = _progress(session, list(order_of))
    for line in lines:
        if gone := progress[line.id].shipped:
            raise AlreadyShipped(
                f"{order_of[line.order_id].number} line {line.line_number}: {gone} of {line.quantity} have "
                "shipped and cannot be cancelled: take them back with a return, or give up what still waits"
            )
        line.cancelled_at = now
        line.never_demand = now - order_of[line.order_id].ordered_at < NEVER_DEMAND
    session.flush()
    unpicked = [move for line in lines for move in progress[line.id].unpicked]
    staged = [move for line in lines for move in progress[line.id].staged]
    picks = _picks_of(session, staged)
    _lock_stock(session, unpicked, picks, also)
    if unpicked:
        ledger.cancel(session, [move.id for move in unpicked], reason=reason, actor=actor)
    if picks:
        ledger.reverse(session, [move.id for move in picks], reason=reason, actor=actor, now=now, today=today)
    _promise_freed(session, unpicked + picks, order_of)


def _progress(session: Session, order_ids: list[int]) -> dict[int, _Progress]:
    """The moves of orders by line. Every planned one is locked first; a pick that committed meanwhile made new ones,
    so they are read again until no unlocked one is left."""
    locked: set[int] = set()
    while True:
        planned = moves.of_documents(session, kind=KIND, document_ids=order_ids, states=[MoveState.PLANNED])
        new = {move.id for move in planned} - locked
        if not new:
            break
        moves.lock(session, sorted(new))
        locked |= new
    found: dict[int, _Progress] = defaultdict(_Progress)
    every = moves.of_documents(session, kind=KIND, document_ids=order_ids)
    places = locations.places(session, {m.source_id for m in every} | {m.destination_id for m in every})
    for move in every:
        source, destination = places[move.source_id].kind, places[move.destination_id].kind
        if move.state is MoveState.PLANNED and source is LocationKind.STORAGE:
            found[move.line_id].unpicked.append(move)
        elif move.state is MoveState.PLANNED and source is LocationKind.STAGING:
            found[move.line_id].staged.append(move)
        elif move.state is MoveState.POSTED and destination is LocationKind.DELIVERY:
            found[move.line_id].shipped += move.quantity if source is LocationKind.STAGING else 0
        elif move.state is MoveState.POSTED and source is LocationKind.DELIVERY:
            found[move.line_id].shipped -= move.quantity if destination is LocationKind.STAGING else 0
    return found


def _picks_of(session: Session, staged: Sequence[Move]) -> list[Move]:
    """The posted picks by which staged goods got there: reversing them brings the goods back to their bins."""
    return moves.lock(session, [move.previous_id for move in staged if move.previous_id is not None])


def _lock_stock(session: Session, unpicked: Sequence[Move], picks: Sequence[Move], also: Sequence[PoolKey]) -> None:
    """A transaction has one stock lock, so it is taken for the cancellation and the reversal together."""
    places = locations.places(session, {move.source_id for move in [*unpicked, *picks]})
    pools, keys = set(also), set()
    for move in [*unpicked, *picks]:
        site_id = places[move.source_id].site_id
        assert site_id is not None, f"{move.label} leaves a place without a site"
        pools.add(PoolKey(move.item_id, site_id, move.owner_id, move.pool))
    for move in unpicked:
        if move.allocated:
            keys.add(BalanceKey(move.item_id, move.source_id, move.lot_id, move.owner_id))
    for move in picks:
        keys.add(BalanceKey(move.item_id, move.source_id, move.lot_id, move.owner_id))
        keys.add(BalanceKey(move.item_id, move.destination_id, move.lot_id, move.owner_id))
    balances.lock(session, pools=pools, balances=keys)


def _promise_freed(session: Session, withdrawn: Sequence[Move], order_of: Mapping[int, SalesOrder]) -> None:
    """Site by site, because only the pools of what was withdrawn are locked."""
    freed: dict[int, set[int]] = defaultdict(set)
    for move in withdrawn:
        freed[order_of[move.document_id].site_id].add(move.item_id)
    for site_id, item_ids in sorted(freed.items()):
        reservations.fill_backorders(session, item_ids=item_ids, site_id=site_id)


def _record(session: Session, actor: Actor, verb: str, order_ids: list[int], **detail: object) -> None:
    audit.record(session, actor=actor, verb=verb, document_kind=KIND, document_ids=order_ids, **detail)
