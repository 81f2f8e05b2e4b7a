"""Customers: the real invoices of the day come in as orders; some are slips, and who waits too long walks away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.loop.importing.tables import LineKind
from scm.loop.world import future, shops
from scm.loop.world.future import FutureLine
from scm.loop.world.stage import Stage
from scm.sales import orders, status
from scm.sales.documents import OrderState, SalesOrder, SalesOrderLine
from scm.sales.intake import LineRequest, OrderRequest

# Orders of one feed: as many as a channel would send in one request.
FEED = 25


def order(stage: Stage, *, today: date) -> int:
    """This function will place and confirm the orders of the day at their own times; it returns their number.

    An order that the day has brought already is not placed again.
    """
    lines = stage.look(lambda session: future.lines_of_day(session, day=today))
    invoices: dict[str, list[FutureLine]] = defaultdict(list)
    for line in lines:
        if line.kind is LineKind.SALE:
            invoices[line.invoice].append(line)
    placed = stage.look(lambda session: _order_ids(session, list(invoices)))
    known = stage.look(shops.codes)
    requests = [
        _request(stage, invoice, bought, channel=shops.of_invoice(invoice, known=known))
        for invoice, bought in invoices.items()
        if invoice not in placed
    ]
    sales = stage.person("sales")
    for start in range(0, len(requests), FEED):
        feed = requests[start : start + FEED]
        now = max(line.sold_at for request in feed for line in invoices[request.external_id or ""])
        stage.act(
            lambda session, feed=feed, now=now: orders.place_and_confirm(  # type: ignore[misc]
                session, feed, actor=sales, now=now, today=today
            )
        )
    _undo_slips(stage, invoices, today=today)
    return len(requests)


def walk_away(stage: Stage, *, today: date) -> int:
    """This function will let customers give up what they have waited for too long; it returns the lines."""
    waiting = stage.look(lambda session: _impatient(session, stage, today=today))
    if waiting:
        now, sales = stage.at(today, 18), stage.person("sales")
        stage.act(lambda session: orders.give_up(session, waiting, actor=sales, now=now, today=today))
    return len(waiting)


def _request(stage: Stage, invoice: str, bought: Sequence[FutureLine], *, channel: str) -> OrderRequest:
    return OrderRequest(
        site_id=stage.setup.site_id,
        customer_id=bought[0].customer_id,
        channel=channel,
        external_id=invoice,
        lines=tuple(
            LineRequest(item_id=line.item_id, quantity=line.quantity, unit_price=line.unit_price) for line in bought
        ),
    )


def _undo_slips(stage: Stage, invoices: dict[str, list[FutureLine]], *, today: date) -> None:
    """Orders that were really cancelled whole within a day are cancelled the same evening."""
    slips = [invoice for invoice, bought in invoices.items() if all(line.never_demand for line in bought)]
    partial = {
        invoice: {index for index, line in enumerate(bought, start=1) if line.never_demand}
        for invoice, bought in invoices.items()
        if invoice not in slips and any(line.never_demand for line in bought)
    }
    now, sales = stage.at(today, 17), stage.person("sales")
    order_ids = stage.look(lambda session: list(_order_ids(session, slips, state=OrderState.CONFIRMED).values()))
    if order_ids:
        stage.act(
            lambda session: orders.cancel(
                session, order_ids, reason="cancelled by the customer within the day", actor=sales, now=now, today=today
            )
        )
    line_ids = stage.look(lambda session: _line_ids(session, partial))
    if line_ids:
        stage.act(
            lambda session: orders.cancel_lines(
                session, line_ids, reason="cancelled by the customer within the day", actor=sales, now=now, today=today
            )
        )


def _order_ids(session: Session, invoices: Sequence[str], *, state: OrderState | None = None) -> dict[str, int]:
    statement = sa.select(SalesOrder.external_id, SalesOrder.id).where(SalesOrder.external_id.in_(invoices))
    if state is not None:
        statement = statement.where(SalesOrder.state == state)
    return {str(row.external_id): row.id for row in session.execute(statement.order_by(SalesOrder.id))}


def _line_ids(session: Session, partial: dict[str, set[int]]) -> list[int]:
    order_ids = _order_ids(session, list(partial))
    rows = session.execute(
        sa.select(SalesOrder.external_id, SalesOrderLine.line_number, SalesOrderLine.id)
        .join(SalesOrder, SalesOrder.id == SalesOrderLine.order_id)
        .where(SalesOrderLine.order_id.in_(list(order_ids.values())), SalesOrderLine.cancelled_at.is_(None))
    )
    return sorted(row.id for row in rows if row.line_number in partial[str(row.external_id)])


def _impatient(session: Session, stage: Stage, *, today: date) -> list[int]:
    oldest = today - timedelta(days=2 * stage.temper.patience_days)
    ordered = {
        row.id: row
        for row in session.execute(
            sa.select(SalesOrder.id, SalesOrder.number, SalesOrder.ordered_date).where(
                SalesOrder.site_id == stage.setup.site_id,
                SalesOrder.state == OrderState.CONFIRMED,
                SalesOrder.ordered_date >= oldest,
            )
        )
        if today >= row.ordered_date + timedelta(days=stage.temper.patience(order_number=row.number))
    }
    lines = status.fulfilment(session, list(ordered))
    return [line.line_id for line in lines if line.waiting > 0]
