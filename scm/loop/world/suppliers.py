"""Suppliers: each order takes as long as its supplier's habits say, and arrives whole, short or a little over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.loop.world import labels
from scm.loop.world.labels import Counted
from scm.loop.world.stage import Stage
from scm.master.partners import Partner
from scm.stock import moves
from scm.stock.moves import MoveState
from warehouse import putaway, receiving
from warehouse.receiving import Expected

# A supplier who delivered short sends the rest after so many days.
REST_DAYS = 4


@dataclass(frozen=True)
class _Sent:
    number: str
    supplier_code: str
    sent_date: date


def deliver(stage: Stage, *, today: date) -> int:
    """This function will bring what suppliers deliver today to the dock and into the bins; it returns the lines."""
    owed = stage.look(lambda session: receiving.expected(session, site_id=stage.setup.site_id))
    owed = [line for line in owed if line.document_kind == KIND]
    sent, agreed, received = stage.look(lambda session: _read(session, owed))
    lorries: dict[tuple[str, str], list[Counted]] = defaultdict(list)
    for line in owed:
        order = sent.get(line.document_id)
        if order is not None and _arrives(stage, line, order, agreed, received, today=today):
            counted = (line.move_id, _quantity(stage, line, received))
            lorries[order.number, order.supplier_code].append(counted)
    for (number, maker), load in sorted(lorries.items()):
        _receive(stage, number, load, maker=maker, today=today)
    # Also what an interrupted morning left on the dock.
    if stage.look(lambda session: putaway.waiting(session, site_id=stage.setup.site_id, limit=1)):
        warehouse, now = stage.person("warehouse"), stage.at(today, 10)
        stage.act(
            lambda session: putaway.put_away_all(
                session, site_id=stage.setup.site_id, actor=warehouse, now=now, today=today
            )
        )
    return sum(len(load) for load in lorries.values())


def _receive(stage: Stage, number: str, load: Sequence[Counted], *, maker: str, today: date) -> None:
    stage.act(
        lambda session: receiving.receive(
            session,
            labels.delivered(session, load, maker=maker, day=today),
            delivery_note=f"{number} {today}",
            actor=stage.person("warehouse"),
            now=stage.at(today, 9),
            today=today,
        )
    )


def _arrives(
    stage: Stage,
    line: Expected,
    order: _Sent,
    agreed: Mapping[int, int],
    received: Mapping[int, date],
    *,
    today: date,
) -> bool:
    if line.line_id in received:
        return today >= received[line.line_id] + timedelta(days=REST_DAYS)
    days = stage.temper.lead_time_days(
        supplier_code=order.supplier_code, order_number=order.number, agreed_days=agreed[line.line_id]
    )
    return today >= order.sent_date + timedelta(days=days)


def _quantity(stage: Stage, line: Expected, received: Mapping[int, date]) -> int:
    if line.line_id in received:
        return line.quantity
    return stage.temper.delivered_quantity(
        move_id=line.move_id, ordered=line.quantity, over_quantity=line.over_quantity
    )


def _read(session: Session, owed: Sequence[Expected]) -> tuple[dict[int, _Sent], dict[int, int], dict[int, date]]:
    """The sent orders behind what is owed, the agreed days of their lines, and when a part of a line came."""
    order_ids = sorted({line.document_id for line in owed})
    sent = {
        row.id: _Sent(row.number, row.code, row.sent_date)
        for row in session.execute(
            sa.select(PurchaseOrder.id, PurchaseOrder.number, PurchaseOrder.sent_date, Partner.code)
            .join(Partner, Partner.id == PurchaseOrder.supplier_id)
            .where(PurchaseOrder.id.in_(order_ids), PurchaseOrder.state == PurchaseOrderState.SENT)
        )
        if row.sent_date is not None
    }
    agreed = {
        row.id: row.lead_time_days
        for row in session.execute(
            sa.select(PurchaseOrderLine.id, PurchaseOrderLine.lead_time_days).where(
                PurchaseOrderLine.order_id.in_(order_ids)
            )
        )
    }
    received: dict[int, date] = {}
    for move in moves.of_documents(session, kind=KIND, document_ids=order_ids, states=[MoveState.POSTED]):
        if move.posted_date is not None:
            received[move.line_id] = max(move.posted_date, received.get(move.line_id, date.min))
    return sent, agreed, received
