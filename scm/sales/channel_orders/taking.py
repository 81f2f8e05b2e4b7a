"""Takes files of a channel's messages and brings its orders to what the messages say.

Everything of a file happens in one transaction or nothing does: one wrong cell is enough to change nothing. A message
that comes too late for what has left the building is kept and counted, and the order stays as it is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.db import table_of
from scm.core.errors import Conflict
from scm.core.users import Actor
from scm.master import partners
from scm.master.partners import OWN_STOCK
from scm.master.sheets import RowError
from scm.sales import cancelling, channels, confirming, documents, facts, intake, placing
from scm.sales.channel_orders import deciding, messages, reading
from scm.sales.channel_orders.messages import ChannelMessage, Message, Wanted, WantedLine
from scm.sales.channels import Channel
from scm.sales.confirming import Ordered
from scm.sales.documents import KIND, MACHINE, OrderState, SalesOrder, SalesOrderLine
from scm.sales.intake import LineRequest, OrderRequest
from scm.stock.balances import PoolKey
from scm.stock.reservations import Shortage

CHUNK = 2_000
REASON = "the channel says so"


@dataclass(kw_only=True)
class Report:
    """What came of a file: `messages` = `new` + `repeated`; orders `placed`, `amended`, `cancelled`, `paid`.

    `waiting` orders were cancelled or paid before they were placed: nothing is done until they are. `too_late` ones
    have left the building and stay as they are. Nothing is written when there is an error, nor in a dry run.
    """

    rows: int
    messages: int = 0
    new: int = 0
    repeated: int = 0
    placed: int = 0
    amended: int = 0
    cancelled: int = 0
    paid: int = 0
    waiting: int = 0
    too_late: int = 0
    customers: int = 0
    numbers: tuple[str, ...] = ()
    errors: tuple[RowError, ...] = ()
    dry_run: bool = False


class FileRefused(Conflict):
    """A file has errors: nothing was taken."""


def take(
    session: Session,
    data: bytes,
    *,
    channel: str,
    company_id: int,
    dry_run: bool,
    actor: Actor,
    now: datetime,
    today: date,
) -> Report:
    """This function will take a file of messages, or only say what it would do; errors are in the report.

    Raises `ChannelUnknown`, `RoleMissing`.
    """
    actor.require(*channels.KEEPERS)
    point = session.begin_nested() if dry_run else None
    try:
        report = _take(session, data, channel=channel, company_id=company_id, actor=actor, now=now, today=today)
    finally:
        if point is not None:
            point.rollback()
    report.dry_run = dry_run
    return report


def _take(
    session: Session, data: bytes, *, channel: str, company_id: int, actor: Actor, now: datetime, today: date
) -> Report:
    # One file of a channel after the other: two would each miss the messages of the other.
    through = channels.lock(session, code=channel, company_id=company_id)
    read = reading.read(data)
    decided = deciding.decide(session, read, channel=through, today=today)
    report = Report(rows=read.rows, messages=len(decided.messages), customers=len(decided.new_customers))
    kept = _kept(session, through.id, {message.external_id for _, message in decided.messages})
    known = {message.key: message for said in kept.values() for message in said}
    new: list[Message] = []
    for row, message in decided.messages:
        before = known.get(message.key)
        if before is None:
            new.append(message)
        elif before.said() != message.said():
            decided.errors.append(_other(row, message))
    if through.retired and new:
        mend = "use the channel again first"
        decided.errors.append(
            RowError(row=0, column="", value=through.code, reason="the channel is retired", mend=mend)
        )
    report.new, report.repeated = len(new), len(decided.messages) - len(new)
    report.errors = tuple(sorted(decided.errors, key=lambda error: (error.row, error.column)))
    if report.errors or not new:
        return report
    deciding.add_customers(session, decided, channel=through, actor=actor)
    _keep(session, through.id, new, now=now)
    for message in new:
        kept[message.external_id].append(message)
    touched = {message.external_id for message in new}
    wanted = {external_id: messages.fold(kept[external_id]) for external_id in sorted(touched)}
    _bring_about(session, through, wanted, report, actor=actor, now=now, today=today)
    return report


def _other(row: int, message: Message) -> RowError:
    reason = f"the {message.kind.value} message of this sequence that came before says otherwise"
    mend = "send a change under a new sequence"
    return RowError(row=row, column="sequence", value=str(message.sequence), reason=reason, mend=mend)


def _kept(session: Session, channel_id: int, external_ids: set[str]) -> defaultdict[str, list[Message]]:
    found: defaultdict[str, list[Message]] = defaultdict(list)
    for ids in _chunks(sorted(external_ids)):
        rows = session.scalars(
            sa.select(ChannelMessage).where(
                ChannelMessage.channel_id == channel_id, ChannelMessage.external_id.in_(ids)
            )
        )
        for row in rows:
            found[row.external_id].append(messages.restored(row))
    return found


def _keep(session: Session, channel_id: int, new: Sequence[Message], *, now: datetime) -> None:
    rows = [
        {
            "channel_id": channel_id,
            "external_id": message.external_id,
            "sequence": message.sequence,
            "kind": message.kind,
            "body": message.body(),
            "received_at": now,
        }
        for message in new
    ]
    session.execute(sa.insert(table_of(ChannelMessage)), rows)


@dataclass
class _Plan:
    """What is to be done to the orders, gathered so that stock is locked once."""

    place: list[OrderRequest] = field(default_factory=list)
    place_cancelled: list[OrderRequest] = field(default_factory=list)
    drop: list[SalesOrderLine] = field(default_factory=list)
    add: list[tuple[SalesOrder, int, LineRequest]] = field(default_factory=list)
    cancel: list[SalesOrder] = field(default_factory=list)


def _bring_about(
    session: Session,
    channel: Channel,
    wanted: dict[str, Wanted],
    report: Report,
    *,
    actor: Actor,
    now: datetime,
    today: date,
) -> None:
    orders = _orders(session, channel, list(wanted))
    lines: dict[int, list[SalesOrderLine]] = defaultdict(list)
    for line in documents.lines_of(session, [order.id for order in orders.values()]):
        lines[line.order_id].append(line)
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
            _amend(order, lines[order.id], one, gone, plan, report)
            _address(order, one, customers, shipped=any(gone.get(line.id) for line in lines[order.id]))
    _do(session, channel, plan, report, actor=actor, now=now, today=today)
    _pay(session, channel, wanted, report, now=now)


def _amend(
    order: SalesOrder,
    lines: Sequence[SalesOrderLine],
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
    drop = []
    for line in standing:
        same = WantedLine(line.item_id, line.quantity, line.unit_price.normalize())
        if missing[same] > 0:
            missing[same] -= 1
        else:
            drop.append(line)
    add = sorted(missing.elements())
    if any(gone.get(line.id) for line in drop):
        report.too_late += 1
    elif drop or add:
        report.amended += 1
        plan.drop += drop
        number = max((line.line_number for line in lines), default=0)
        plan.add += [(order, number + place, _line(line)) for place, line in enumerate(add, start=1)]


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
        | {line.item_id for _, _, line in plan.add},
        today=today,
    )
    requests = [*plan.place, *plan.place_cancelled]
    if requests:
        intake.check(requests, known)
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
        for order, _, line in plan.add
    ]
    confirmed = [order.state is OrderState.CONFIRMED for order, _, _ in plan.add]
    dated = [
        confirming.stock_date(known, head, now=now, today=today)[1] if sure else None
        for head, sure in zip(heads, confirmed, strict=True)
    ]
    ids = placing.add_lines(session, [(order.id, number, line) for order, number, line in plan.add], dated=dated)
    return [_replaced(head, line_id) for head, line_id, sure in zip(heads, ids, confirmed, strict=True) if sure]


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
    for chunk in _chunks(ids):
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
    for chunk in _chunks(external_ids):
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
    added = [(order.site_id, line.item_id) for order, _, line in plan.add]
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


def _chunks(values: Iterable[Any]) -> list[list[Any]]:
    ordered = list(values)
    return [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]
