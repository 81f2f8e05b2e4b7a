"""Brings a channel's orders to what its messages say, gathered so that stock is locked once for all of a file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.db import table_of
from scm.core.users import Actor
from scm.master import partners
from scm.master.partners import OWN_STOCK
from scm.sales import cancelling, confirming, documents, facts, intake, kits, placing
from scm.sales.channel_orders.messages import Message, Wanted, WantedLine
from scm.sales.channel_orders.report import Report
from scm.sales.channels import Channel
from scm.sales.confirming import Ordered
from scm.sales.documents import KIND, MACHINE, OrderState, SalesOrder, SalesOrderLine
from scm.sales.intake import LineRequest, OrderRequest
from scm.sales.kits import SalesOrderKit
from scm.stock.balances import PoolKey
from scm.stock.reservations import Shortage

CHUNK = 2_000
REASON = "the channel says so"


@dataclass
class _Plan:
    """What is to be done to the orders, gathered so that stock is locked once."""

    place: list[OrderRequest] = field(default_factory=list)
    place_cancelled: list[OrderRequest] = field(default_factory=list)
    drop: list[SalesOrderLine] = field(default_factory=list)
    add: list[tuple[SalesOrder, int, list[LineRequest]]] = field(default_factory=list)  # after so many lines
    cancel: list[SalesOrder] = field(default_factory=list)


def bring_about(
    session: Session,
    channel: Channel,
    wanted: dict[str, Wanted],
    report: Report,
    *,
    actor: Actor,
    now: datetime,
    today: date,
) -> None:
    """This function will place, change, cancel and mark as paid what the messages want, and count it in the report."""
    orders = _orders(session, channel, list(wanted))
    lines: dict[int, list[SalesOrderLine]] = defaultdict(list)
    for line in documents.lines_of(session, [order.id for order in orders.values()]):
        lines[line.order_id].append(line)
    sold = kits.of_orders(session, list(lines))
    gone = cancelling.shipped(session, sorted(order.id for order in orders.values()))
    customers = partners.ids_by_code(
        session, {one.content.customer for one in wanted.values() if one.content}, company_id=channel.company_id
    )
    plan = _Plan()
    for external_id, one in wanted.items():
        order = orders.get(external_id)
        if one.content is None:
            report.waiting += 1
        elif order is None:
            request = _request(channel, external_id, one.content, customers)
            (plan.place_cancelled if one.cancelled else plan.place).append(request)
        else:
            _amend(order, lines[order.id], sold, one, gone, plan, report)
            _address(order, one, customers, shipped=any(gone.get(line.id) for line in lines[order.id]))
    _do(session, channel, plan, report, actor=actor, now=now, today=today)
    _pay(session, channel, wanted, report, now=now)


def _amend(
    order: SalesOrder,
    lines: Sequence[SalesOrderLine],
    sold: Mapping[int, SalesOrderKit],
    wanted: Wanted,
    gone: dict[int, int],
    plan: _Plan,
    report: Report,
) -> None:
    """Lines that stay are not touched; those that differ are withdrawn and written anew."""
    assert wanted.content is not None, "an order stands, so it was placed"
    standing = [line for line in lines if line.cancelled_at is None]
    if order.state is OrderState.CANCELLED:
        return  # for good, whether the channel or somebody here cancelled it
    if wanted.cancelled:
        if any(gone.get(line.id) for line in standing):
            report.too_late += 1
        else:
            plan.cancel.append(order)
            plan.drop += standing
        return
    missing = Counter(wanted.content.lines)
    drop: list[SalesOrderLine] = []
    for same, of_it in _as_wanted(standing, sold):
        if missing[same] > 0:
            missing[same] -= 1
        else:
            drop += of_it
    add = sorted(missing.elements())
    if any(gone.get(line.id) for line in drop):
        report.too_late += 1
    elif drop or add:
        report.amended += 1
        plan.drop += drop
        number = max((line.line_number for line in lines), default=0)
        plan.add.append((order, number, [_line(line) for line in add]))


def _as_wanted(
    standing: Sequence[SalesOrderLine], sold: Mapping[int, SalesOrderKit]
) -> list[tuple[WantedLine, list[SalesOrderLine]]]:
    """The lines of an order as its channel knows them: those of a kit's components are one."""
    found: list[tuple[WantedLine, list[SalesOrderLine]]] = []
    of_kit: dict[int, list[SalesOrderLine]] = {}
    for line in standing:
        if line.kit_id is None:
            found.append((WantedLine(line.item_id, line.quantity, line.unit_price.normalize()), [line]))
        else:
            of_kit.setdefault(line.kit_id, []).append(line)
    for kit_id, lines in of_kit.items():
        kit = sold[kit_id]
        found.append((WantedLine(kit.item_id, kit.quantity, kit.unit_price.normalize()), lines))
    return found


def _address(order: SalesOrder, wanted: Wanted, customers: dict[str, int], *, shipped: bool) -> None:
    """Who is to have it and when may change while all of it is in the building."""
    assert wanted.content is not None, "an order stands, so it was placed"
    if not shipped:
        order.customer_id = customers[wanted.content.customer]
        order.requested_date = wanted.content.requested_date


def _do(
    session: Session, channel: Channel, plan: _Plan, report: Report, *, actor: Actor, now: datetime, today: date
) -> None:
    orders = list({order.id: order for order, _, _ in plan.add}.values())
    known = facts.read(
        session,
        site_ids={channel.site_id, *(order.site_id for order in orders)},
        customer_ids={request.customer_id for request in (*plan.place, *plan.place_cancelled)}
        | {order.customer_id for order in orders},
        channels={channel.code},
        item_ids={line.item_id for request in (*plan.place, *plan.place_cancelled) for line in request.lines}
        | {line.item_id for _, _, added in plan.add for line in added},
        today=today,
    )
    requests = [*plan.place, *plan.place_cancelled]
    if requests:
        intake.check(requests, known)
    plan.place = kits.explode(session, plan.place, known, today=today)
    plan.place_cancelled = kits.explode(session, plan.place_cancelled, known, today=today)
    plan.add = [
        (order, number, _exploded(session, order, added, known, today=today)) for order, number, added in plan.add
    ]
    for order in plan.cancel:
        order.state = MACHINE.advance(order.state, "cancel", number=order.number)
    report.cancelled += len(plan.cancel) + len(plan.place_cancelled)
    if plan.drop:
        touched = documents.lock_orders(session, {line.order_id for line in plan.drop})
        also = _pools(channel, plan)
        cancelling.withdraw(session, touched, plan.drop, reason=REASON, actor=actor, now=now, today=today, also=also)
    session.flush()
    promised: list[Ordered] = []
    if plan.place:
        state = MACHINE.advance(MACHINE.initial, "confirm", number="a new order")
        placed = placing.insert(session, plan.place, known, state=state, now=now, today=today)
        promised += [line for order in placed for line in order.ordered()]
        report.placed += len(placed)
        report.numbers = tuple(order.number for order in placed)
    promised += _add(session, plan, known, now=now, today=today)
    if promised:
        confirming.promise(session, promised, known, shortage=Shortage.SPLIT, now=now, today=today)
    _place_cancelled(session, plan.place_cancelled, known, now=now, today=today)
    changed = {order.id for order in (*orders, *plan.cancel)} | {line.order_id for line in promised}
    if changed:
        audit.record(
            session,
            actor=actor,
            verb="sales_order.take",
            document_kind=KIND,
            document_ids=sorted(changed),
            channel=channel.code,
        )


def _add(session: Session, plan: _Plan, known: facts.Facts, *, now: datetime, today: date) -> list[Ordered]:
    """Lines added to drafts wait for their confirmation like the others."""
    heads = [
        Ordered(
            order_id=order.id,
            number=order.number,
            site_id=order.site_id,
            customer_id=order.customer_id,
            channel=order.channel,
            requested_date=order.requested_date,
            line_id=0,
            item_id=line.item_id,
            quantity=line.quantity,
        )
        for order, _, added in plan.add
        for line in added
    ]
    confirmed = [order.state is OrderState.CONFIRMED for order, _, added in plan.add for _ in added]
    dated = [
        confirming.stock_date(known, head, now=now, today=today)[1] if sure else None
        for head, sure in zip(heads, confirmed, strict=True)
    ]
    new = [
        (order.id, number + place, line)
        for order, number, added in plan.add
        for place, line in enumerate(added, start=1)
    ]
    ids = placing.add_lines(session, new, known, dated=dated, today=today)
    return [_replaced(head, line_id) for head, line_id, sure in zip(heads, ids, confirmed, strict=True) if sure]


def _exploded(
    session: Session, order: SalesOrder, lines: list[LineRequest], known: facts.Facts, *, today: date
) -> list[LineRequest]:
    request = OrderRequest(site_id=order.site_id, customer_id=order.customer_id, channel=order.channel, lines=lines)
    [exploded] = kits.explode(session, [request], known, today=today)
    return list(exploded.lines)


def _replaced(head: Ordered, line_id: int) -> Ordered:
    return Ordered(**{name: getattr(head, name) for name in Ordered.__dataclass_fields__} | {"line_id": line_id})


def _place_cancelled(
    session: Session, requests: Sequence[OrderRequest], known: facts.Facts, *, now: datetime, today: date
) -> None:
    """An order that was cancelled before it came is written down, so that it is known, and was never demand."""
    if not requests:
        return
    placed = placing.insert(session, requests, known, state=OrderState.CANCELLED, now=now, today=today)
    ids = [line_id for order in placed for line_id in order.line_ids]
    lines = table_of(SalesOrderLine)
    for chunk in chunks(ids):
        session.execute(sa.update(lines).where(lines.c.id.in_(chunk)).values(cancelled_at=now, never_demand=True))


def _pay(session: Session, channel: Channel, wanted: dict[str, Wanted], report: Report, *, now: datetime) -> None:
    orders = _orders(session, channel, [external_id for external_id, one in wanted.items() if one.paid])
    for external_id, order in sorted(orders.items()):
        instant = wanted[external_id].paid_at
        if order.paid_at is None:
            report.paid += 1
            order.paid_at = instant or now
        elif instant is not None and instant < order.paid_at:
            order.paid_at = instant
    session.flush()


def _orders(session: Session, channel: Channel, external_ids: Sequence[str]) -> dict[str, SalesOrder]:
    ids: list[int] = []
    for chunk in chunks(external_ids):
        ids += session.scalars(
            sa.select(SalesOrder.id).where(
                SalesOrder.company_id == channel.company_id,
                SalesOrder.channel == channel.code,
                SalesOrder.external_id.in_(chunk),
            )
        )
    locked = documents.lock_orders(session, sorted(ids)) if ids else []
    return {order.external_id: order for order in locked if order.external_id is not None}


def _pools(channel: Channel, plan: _Plan) -> list[PoolKey]:
    placed = [(channel.site_id, line.item_id) for request in plan.place for line in request.lines]
    added = [(order.site_id, line.item_id) for order, _, lines in plan.add for line in lines]
    return [PoolKey(item_id, site_id, OWN_STOCK, channel.pool) for site_id, item_id in (*placed, *added)]


def _request(channel: Channel, external_id: str, content: Message, customers: dict[str, int]) -> OrderRequest:
    return OrderRequest(
        site_id=channel.site_id,
        customer_id=customers[content.customer],
        channel=channel.code,
        lines=[_line(line) for line in content.lines],
        external_id=external_id,
        requested_date=content.requested_date,
    )


def _line(line: WantedLine) -> LineRequest:
    return LineRequest(item_id=line.item_id, quantity=line.quantity, unit_price=line.unit_price)


def chunks(values: Iterable[Any]) -> list[list[Any]]:
    """This function will give values in lists short enough for one statement."""
    ordered = list(values)
    return [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]
