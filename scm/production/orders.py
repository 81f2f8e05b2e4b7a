"""The verbs of work orders at the desk: create, release, reschedule, cancel, close.

What is done on the floor is in `issuing`, `reporting` and `completing`. Everything about one order is agreed on under
the lock of its row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit, numbering
from scm.core.db import table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.finance import work_in_progress
from scm.master.bom import Bom
from scm.production import completeness, documents, progress, snapshot, ways
from scm.production.completeness import ComponentLine
from scm.production.documents import (
    KIND,
    LONGEST_REASON,
    MACHINE,
    WorkOrder,
    WorkOrderComponent,
    WorkOrderOperation,
    WorkOrderState,
)
from scm.production.progress import Progress
from scm.production.snapshot import Part, Step
from scm.stock import ledger, moves, reservations
from scm.stock.reservations import Shortage

LARGEST = 10**12
PLANS = (Role.PLANNER, Role.SYSTEM)


@dataclass(frozen=True, kw_only=True)
class WorkOrderRequest:
    """An order to write. Without a start date it starts the bill's lead time before it is due.

    `origin_kind` and `origin_id` name what asked for it: the same origin is never answered by two orders.
    """

    bom_id: int
    quantity: int
    due_date: date
    start_date: date | None = None
    origin_kind: str | None = None
    origin_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Released:
    """One order that was released, with what it was short of."""

    order_id: int
    number: str
    short: tuple[ComponentLine, ...]


class BadWorkOrder(InvalidInput):
    """A figure or date of an order cannot be used."""


class AlreadyOrdered(Conflict):
    """What asked for the order was answered by another order before."""


class ComponentsShort(Conflict):
    """An order cannot be released as it is: components are missing."""


class StillAtPartner(Conflict):
    """An order cannot be closed while the partner has some of its components."""


def create(
    session: Session, requests: Sequence[WorkOrderRequest], *, actor: Actor, now: datetime, today: date
) -> list[WorkOrder]:
    """This function will write planned orders, in the order given, each with a copy of its bill and routing.

    Their output counts as supply from now on; components are planned when an order is released. Raises `BadWorkOrder`,
    `BomUnknown`, `CannotMake`, `AlreadyOrdered`.
    """
    actor.require(*PLANS)
    if not requests:
        return []
    boms = snapshot.load(session, [request.bom_id for request in requests])
    _refuse_answered(session, requests)
    starts = [_start(request, boms[request.bom_id], today=today) for request in requests]
    contents = {
        (bom_id, start): snapshot.content(session, boms[bom_id], on=start)
        for bom_id, start in dict.fromkeys(zip([request.bom_id for request in requests], starts, strict=True))
    }
    steps = snapshot.steps(session, list(boms.values()))
    orders = [
        _order(boms[request.bom_id], request, start, actor=actor, today=today)
        for request, start in zip(requests, starts, strict=True)
    ]
    numbers = iter(_numbers(session, orders, today=today))
    for order in orders:
        order.number = next(numbers)
    session.add_all(orders)
    session.flush()
    for order in orders:
        parts = contents[order.bom_id, order.start_date].parts(order.quantity)
        _write_parts(session, order, parts, steps[order.bom_id])
    ways.plan_output(session, [(order, order.quantity) for order in orders])
    _record(session, "create", orders, actor, now)
    return orders


def release(
    session: Session,
    order_ids: Sequence[int],
    *,
    actor: Actor,
    now: datetime,
    today: date,
    in_spite_of: str = "",
) -> list[Released]:
    """This function will release planned orders to the floor, in the order given: it plans and promises components.

    With a component short it is refused, and names what and when it is expected, unless `in_spite_of` says why the
    order should not wait; the rest is promised as it arrives. Raises `ComponentsShort`, `WorkOrderUnknown`,
    `IllegalTransition`.
    """
    actor.require(*PLANS)
    why = in_spite_of.strip()
    if len(why) > LONGEST_REASON:
        raise BadWorkOrder(f"the reason has {len(why)} characters: give up to {LONGEST_REASON}")
    orders = documents.lock(session, order_ids)
    after = {order.id: MACHINE.advance(order.state, "release", number=order.number) for order in orders}
    found = progress.of_orders(session, orders)
    ordered = [found[order_id].order for order_id in dict.fromkeys(order_ids)]
    planned = _plan_components(session, [found[order.id] for order in ordered])
    reservations.reserve(session, planned, shortage=Shortage.SPLIT)
    found = progress.of_orders(session, orders)
    lines = completeness.of_orders(session, list(found.values()), today=today)
    released = []
    for order in ordered:
        short = tuple(line for line in lines[order.id] if line.promised < line.open)
        if short and not why:
            _refuse_short(order, short)
        order.state = after[order.id]
        order.released_at = now
        order.released_short = why if short else ""
        released.append(Released(order_id=order.id, number=order.number, short=short))
    session.flush()
    _record(session, "release", ordered, actor, now, in_spite_of=why)
    return released


def reschedule(
    session: Session,
    order_ids: Sequence[int],
    *,
    start_date: date,
    due_date: date,
    actor: Actor,
    now: datetime,
    today: date,
) -> None:
    """This function will move open orders to other days; what is planned of them becomes due then.

    Raises `BadWorkOrder`, `WorkOrderUnknown`, `IllegalTransition`.
    """
    actor.require(*PLANS)
    orders = documents.lock(session, order_ids)
    for order in orders:
        order.state = MACHINE.advance(order.state, "reschedule", number=order.number)
        _refuse_dates(start_date, due_date, today=today, label=order.number)
        order.start_date, order.due_date = start_date, due_date
    session.flush()
    found = progress.of_orders(session, orders)
    for one in found.values():
        ledger.postpone(session, [move.id for move in one.expected], due_date=due_date, actor=actor)
        waiting = [move.id for used in one.consumption.values() for move in used.waiting]
        ledger.postpone(session, waiting, due_date=start_date, actor=actor)
    _record(session, "reschedule", orders, actor, now, start_date=start_date.isoformat(), due_date=due_date.isoformat())


def cancel(session: Session, order_ids: Sequence[int], *, reason: str, actor: Actor, now: datetime) -> None:
    """This function will give up orders of which nothing was done; components go back to whoever waits for them.

    Raises `BadWorkOrder`, `WorkOrderUnknown`, `IllegalTransition`.
    """
    actor.require(*PLANS)
    orders = documents.lock(session, order_ids)
    for order in orders:
        order.state = MACHINE.advance(order.state, "cancel", number=order.number)
        order.reason = _reason(reason, f"cancelling {order.number}")
    session.flush()
    _give_up(session, list(progress.of_orders(session, orders).values()), reason=reason, actor=actor)
    _record(session, "cancel", orders, actor, now, reason=reason)


def close(
    session: Session,
    order_ids: Sequence[int],
    *,
    actor: Actor,
    now: datetime,
    today: date,
    reason: str = "",
) -> None:
    """This function will close orders that make nothing more: valuation writes off what they still hold.

    One that made less than was ordered needs a reason. Raises `BadWorkOrder`, `StillAtPartner`, `WorkOrderUnknown`,
    `IllegalTransition`.
    """
    actor.require(*PLANS)
    orders = documents.lock(session, order_ids)
    found = progress.of_orders(session, orders)
    for order in orders:
        short = order.state is WorkOrderState.STARTED
        order.state = MACHINE.advance(order.state, "close", number=order.number)
        there = sum(used.there for used in found[order.id].consumption.values() if used.sent)
        if there:
            raise StillAtPartner(f"{order.number}: the partner still has {there} units: report them used or sent back")
        order.closed_date = today
        order.reason = _reason(reason, f"closing {order.number} short") if short else reason.strip()
    session.flush()
    _give_up(session, list(found.values()), reason="the work order was closed", actor=actor)
    by_company: dict[int, list[tuple[str, int]]] = {}
    for order in orders:
        by_company.setdefault(order.company_id, []).append((KIND, order.id))
    for company_id, closed in sorted(by_company.items()):
        work_in_progress.record_closing(session, closed, company_id=company_id, now=now)
    _record(session, "close", orders, actor, now, reason=reason)


def _start(request: WorkOrderRequest, bom: Bom, *, today: date) -> date:
    label = f"bill of materials {bom.id}"
    if type(request.quantity) is not int or not 0 < request.quantity <= LARGEST:
        raise BadWorkOrder(f"{label}: quantity {request.quantity!r} must be a whole number from 1 to {LARGEST}")
    wanted = request.start_date or max(today, request.due_date - timedelta(days=bom.lead_time_days))
    _refuse_dates(wanted, request.due_date, today=today, label=label)
    return wanted


def _refuse_dates(start: date, due: date, *, today: date, label: str) -> None:
    if due < today:
        raise BadWorkOrder(f"{label}: due_date {due} lies before today, {today}: give a day to come")
    if start > due:
        raise BadWorkOrder(f"{label}: start_date {start} lies after due_date {due}: start earlier, or be due later")


def _refuse_answered(session: Session, requests: Sequence[WorkOrderRequest]) -> None:
    wanted = [(r.origin_kind, r.origin_id) for r in requests if r.origin_kind is not None]
    key = sa.tuple_(WorkOrder.origin_kind, WorkOrder.origin_id)
    row = session.execute(
        sa.select(WorkOrder.number, WorkOrder.origin_kind, WorkOrder.origin_id).where(key.in_(wanted)).limit(1)
    ).first()
    if row is not None:
        raise AlreadyOrdered(f"{row.origin_kind} {row.origin_id} became {row.number} before: look at that order")
    if len(set(wanted)) < len(wanted):
        raise AlreadyOrdered(f"{wanted[0][0]}: the same one is named twice: name each once")


def _order(bom: Bom, request: WorkOrderRequest, start: date, *, actor: Actor, today: date) -> WorkOrder:
    return WorkOrder(
        company_id=bom.company_id,
        site_id=bom.site_id,
        state=MACHINE.initial,
        item_id=bom.item_id,
        bom_id=bom.id,
        kind=bom.kind,
        partner_id=bom.partner_id,
        quantity=request.quantity,
        start_quantity=snapshot.start_quantity(bom, request.quantity),
        start_date=start,
        due_date=request.due_date,
        origin_kind=request.origin_kind,
        origin_id=request.origin_id,
        created_date=today,
        created_by_id=actor.user_id,
        released_short="",
        reason="",
    )


def _numbers(session: Session, orders: Sequence[WorkOrder], *, today: date) -> list[str]:
    [company_id] = {order.company_id for order in orders}
    return numbering.draw(
        session, series=numbering.WORK_ORDER, company_id=company_id, year=today.year, count=len(orders)
    )


def _write_parts(session: Session, order: WorkOrder, parts: Sequence[Part], steps: Sequence[Step]) -> None:
    rows = [
        {
            "order_id": order.id,
            "line_number": number,
            "item_id": part.item_id,
            "bom_line_id": part.bom_line_id,
            "quantity": part.quantity,
            "net_quantity": part.net_quantity,
            "replaces_id": None,
            "replaced": 0,
        }
        for number, part in enumerate(parts, start=1)
    ]
    session.execute(sa.insert(table_of(WorkOrderComponent)), rows)
    session.execute(
        sa.insert(table_of(WorkOrderOperation)),
        [
            {
                "order_id": order.id,
                "sequence": step.sequence,
                "name": step.name,
                "work_center_id": step.work_center_id,
                "setup_seconds": step.setup_seconds,
                "run_seconds": step.run_seconds,
                "run_quantity": step.run_quantity,
            }
            for step in steps
        ],
    )


def _plan_components(session: Session, found: Sequence[Progress]) -> list[int]:
    wanted = [
        (one.order, component, component.needed)
        for one in found
        for component in one.components
        if component.needed and one.order.state is WorkOrderState.PLANNED
    ]
    return [move.id for move in ways.plan_components(session, wanted)]


def _give_up(session: Session, found: Sequence[Progress], *, reason: str, actor: Actor) -> None:
    waiting = [move for one in found for used in one.consumption.values() for move in used.waiting]
    expected = [move for one in found for move in one.expected]
    planned = sorted(move.id for move in [*waiting, *expected])
    if not planned:
        return
    moves.lock(session, planned)
    ledger.cancel(session, planned, reason=reason, actor=actor)
    sites = {one.order.id: one.order.site_id for one in found}
    for site_id in sorted(set(sites.values())):
        freed = {move.item_id for move in waiting if sites[move.document_id] == site_id}
        if freed:
            reservations.fill_backorders(session, item_ids=freed, site_id=site_id)


def _refuse_short(order: WorkOrder, short: Sequence[ComponentLine]) -> None:
    first = short[0]
    when = f"expected {first.expected_date}" if first.expected_date else "not on order"
    raise ComponentsShort(
        f"{order.number} cannot start: {len(short)} components are short, first {first.sku}, of which "
        f"{first.open - first.promised} are missing ({when}): wait, or say why it should not"
    )


def _reason(reason: str, what: str) -> str:
    text = reason.strip()
    if not 0 < len(text) <= LONGEST_REASON:
        raise BadWorkOrder(f"{what} needs a reason of 1 to {LONGEST_REASON} characters")
    return text


def _record(
    session: Session, verb: str, orders: Sequence[WorkOrder], actor: Actor, now: datetime, **detail: object
) -> None:
    audit.record(
        session,
        actor=actor,
        verb=f"{KIND}.{verb}",
        document_kind=KIND,
        document_ids=[order.id for order in orders],
        now=now.isoformat(),
        **detail,
    )
