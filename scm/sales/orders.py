"""Taking orders: place them, confirm them against stock, or both at once.

This is also the door of the room: withdrawing an order and recording lost demand are called from here as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import InvalidInput
from scm.core.users import Actor, Role
from scm.sales import confirming, documents, facts, intake, kits, placing
from scm.sales.cancelling import cancel, cancel_lines, give_up
from scm.sales.confirming import Confirmation, ConfirmedLine, Ordered
from scm.sales.documents import KIND, MACHINE, OrderState, SalesOrder, SalesOrderLine
from scm.sales.facts import Facts
from scm.sales.intake import LineRequest, OrderRequest
from scm.sales.lost_demand import Loss, record_lost_demand
from scm.stock.reservations import Shortage

__all__ = [
    "Confirmation",
    "ConfirmedLine",
    "LineRequest",
    "Loss",
    "OrderRequest",
    "Shortage",
    "cancel",
    "cancel_lines",
    "confirm",
    "give_up",
    "place",
    "place_and_confirm",
    "record_lost_demand",
]


class NothingToConfirm(InvalidInput):
    """No order was named."""


def place(session: Session, requests: Sequence[OrderRequest], *, actor: Actor, now: datetime, today: date) -> list[int]:
    """This function will write orders down as drafts and return their ids, in the order given.

    `today` is the date in the site's zone. Raises `BadOrder`, `PartyUnknown`, `CannotBeSold`, `DuplicateOrder`,
    `NoWayOut`; nothing is placed then.
    """
    actor.require(Role.SALES, Role.SYSTEM)
    known, requests = _checked(session, requests, today=today)
    placed = placing.insert(session, requests, known, state=OrderState.DRAFT, now=now, today=today)
    _record(session, actor, "sales_order.place", [order.order_id for order in placed])
    return [order.order_id for order in placed]


def confirm(
    session: Session,
    order_ids: Sequence[int],
    *,
    actor: Actor,
    now: datetime,
    today: date,
    shortage: Shortage = Shortage.SPLIT,
) -> list[Confirmation]:
    """This function will confirm drafts: plan their moves, reserve stock and promise dates, in the order given.

    With `Shortage.SPLIT` what is short waits as a backorder; with `Shortage.REFUSE` every line is in stock or nothing
    is confirmed. Raises `OrderUnknown`, `IllegalTransition`, `CannotConfirm`, `NoWayOut`.
    """
    actor.require(Role.SALES, Role.SYSTEM)
    if not order_ids:
        raise NothingToConfirm("no order was named: name at least one to confirm")
    orders = documents.lock_orders(session, order_ids)
    for order in orders:
        order.state = MACHINE.advance(order.state, "confirm", number=order.number)
        order.confirmed_at = now
    session.flush()
    known = facts.read(
        session,
        site_ids={order.site_id for order in orders},
        customer_ids={order.customer_id for order in orders},
        channels={order.channel for order in orders},
        today=today,
    )
    lines = _ordered(session, orders)
    arrivals = {line.line_id: confirming.stock_date(known, line, now=now, today=today)[1] for line in lines}
    confirming.write_dates(session, dict(arrivals))
    confirmed = confirming.promise(session, lines, known, shortage=shortage, now=now, today=today)
    _record(session, actor, "sales_order.confirm", [order.id for order in orders])
    return confirmed


def place_and_confirm(
    session: Session,
    requests: Sequence[OrderRequest],
    *,
    actor: Actor,
    now: datetime,
    today: date,
    shortage: Shortage = Shortage.SPLIT,
) -> list[Confirmation]:
    """This function will do what `place` and `confirm` do, in one round of statements. Raises what they raise."""
    actor.require(Role.SALES, Role.SYSTEM)
    known, requests = _checked(session, requests, today=today)
    confirmed_state = MACHINE.advance(MACHINE.initial, "confirm", number="a new order")
    placed = placing.insert(session, requests, known, state=confirmed_state, now=now, today=today)
    lines = [line for order in placed for line in order.ordered()]
    confirmed = confirming.promise(session, lines, known, shortage=shortage, now=now, today=today)
    _record(session, actor, "sales_order.place_and_confirm", [order.order_id for order in placed])
    return confirmed


def _checked(
    session: Session, requests: Sequence[OrderRequest], *, today: date
) -> tuple[Facts, Sequence[OrderRequest]]:
    """What is known of the orders, and the orders with their kits exploded."""
    known = facts.read(
        session,
        site_ids={request.site_id for request in requests},
        customer_ids={request.customer_id for request in requests},
        channels={request.channel for request in requests},
        item_ids={line.item_id for request in requests for line in request.lines},
        external_ids={(r.channel, r.external_id) for r in requests if r.external_id is not None},
        today=today,
    )
    intake.check(requests, known)
    return known, kits.explode(session, requests, known, today=today)


def _ordered(session: Session, orders: Sequence[SalesOrder]) -> list[Ordered]:
    """The lines to confirm, by the order in which the orders were named; a cancelled line stays out."""
    lines: dict[int, list[SalesOrderLine]] = {order.id: [] for order in orders}
    for line in documents.lines_of(session, list(lines)):
        if line.cancelled_at is None:
            lines[line.order_id].append(line)
    return [
        Ordered(
            order_id=order.id,
            number=order.number,
            site_id=order.site_id,
            customer_id=order.customer_id,
            channel=order.channel,
            requested_date=order.requested_date,
            line_id=line.id,
            item_id=line.item_id,
            quantity=line.quantity,
        )
        for order in orders
        for line in lines[order.id]
    ]


def _record(session: Session, actor: Actor, verb: str, order_ids: list[int]) -> None:
    audit.record(session, actor=actor, verb=verb, document_kind=KIND, document_ids=order_ids)
