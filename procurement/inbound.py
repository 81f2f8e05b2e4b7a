"""Receiving against a purchase order: what may still come of each line, what came, and a receipt taken back.

The warehouse receives planned moves and knows no orders. Here the order says how much a line may bring in all, so that
a surplus within the tolerance is also taken after the line was full, and a receipt that was a mistake is owed again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import purchase_orders, supply
from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.core import audit
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.locations import LocationKind
from scm.stock import ledger, moves
from scm.stock.ledger import MoveRequest
from scm.stock.moves import Move, MoveState
from warehouse import receiving
from warehouse.receiving import Arrival, GoodsReceipt, GoodsReceiptLine, OverTolerance, Received

OPEN = (PurchaseOrderState.APPROVED, PurchaseOrderState.SENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """So much was counted of one order line; a lot-tracked item names its lot."""

    line_id: int
    quantity: int
    lot_code: str | None = None
    expiry_date: date | None = None


@dataclass(slots=True)
class Progress:
    """How far one line has come: `planned` are the moves that still stand for what is owed, the oldest first."""

    received: int
    planned: list[Move]
    template: Move

    @property
    def owed(self) -> int:
        """What is still planned to come."""
        return sum(move.quantity for move in self.planned)


class NotOnOrder(Conflict):
    """The order is not (or no longer) one that goods are expected for."""


class NotOnThisOrder(NotFound):
    """The order has no such line."""


class BadCount(InvalidInput):
    """A counted quantity is no whole number above 0."""


class ReceiptUnknown(NotFound):
    """No receipt of this order holds such a line."""


class ReasonMissing(InvalidInput):
    """A receipt is only taken back for a reason."""


def receive(
    session: Session,
    order_id: int,
    counted: Sequence[Counted],
    *,
    delivery_note: str,
    actor: Actor,
    now: datetime,
    today: date,
) -> Received:
    """This function will post what was counted of a purchase order's lines as one goods receipt.

    What is short stays owed. Raises `OrderUnknown`, `NotOnOrder`, `NotOnThisOrder`, `BadCount`, `OverTolerance`, and
    whatever `warehouse.receiving.receive` raises; nothing is changed then.
    """
    actor.require(Role.WAREHOUSE, Role.RETURNS)
    [order] = purchase_orders.lock(session, [order_id])
    if order.state not in OPEN:
        raise NotOnOrder(f"{order.number} is {order.state.value}: nothing may be received for it, ask its buyer")
    lines = {line.id: line for line in purchase_orders.lines_of(session, [order])[order.id]}
    # Whoever receives without knowing the order waits for its moves; what they brought is read after.
    moves.lock(session, [move.id for line in progress(session, [order.id]).values() for move in line.planned])
    known = progress(session, [order.id])
    by_line: dict[int, list[Counted]] = defaultdict(list)
    for one in counted:
        if one.line_id not in lines or one.line_id not in known:
            raise NotOnThisOrder(f"{order.number} has no line {one.line_id}")
        if type(one.quantity) is not int or one.quantity < 1:
            raise BadCount(f"{order.number}: {one.quantity!r} were counted: give a whole number above 0")
        by_line[one.line_id].append(one)
    for line_id, ones in by_line.items():
        _refuse_too_many(order, lines[line_id], known[line_id], sum(one.quantity for one in ones))
        _plan_surplus(session, known[line_id], sum(one.quantity for one in ones), today=today)
    arrivals = [arrival for line_id, ones in by_line.items() for arrival in _arrivals(known[line_id], ones)]
    return receiving.receive(session, arrivals, delivery_note=delivery_note, actor=actor, now=now, today=today)


def take_back(
    session: Session, move_ids: Sequence[int], *, reason: str, actor: Actor, now: datetime, today: date
) -> None:
    """This function will reverse posted receipt lines of one order, which are then owed again.

    Only what still stands where it was received can be taken back. Raises `ReceiptUnknown`, `ReasonMissing`,
    `CannotReverse`.
    """
    actor.require(Role.WAREHOUSE)
    if not 0 < len(reason.strip()) <= 160:
        raise ReasonMissing("say in 1 to 160 characters why the receipt is taken back")
    wanted = list(dict.fromkeys(move_ids))
    rows = session.execute(
        sa.select(moves.StockMove.id, moves.StockMove.document_id, moves.StockMove.line_id, GoodsReceiptLine.receipt_id)
        .join(GoodsReceiptLine, GoodsReceiptLine.move_id == moves.StockMove.id)
        .where(moves.StockMove.id.in_(wanted), moves.StockMove.document_kind == KIND)
    ).all()
    if len(rows) != len(wanted) or len({row.document_id for row in rows}) != 1:
        raise ReceiptUnknown(f"{len(wanted)} receipt lines were named: name lines of one purchase order's receipts")
    [order] = purchase_orders.lock(session, {row.document_id for row in rows})
    ledger.reverse(session, wanted, reason=reason.strip(), actor=actor, now=now, today=today)
    if order.state in OPEN:
        lines = {line.id: line for line in purchase_orders.lines_of(session, [order])[order.id]}
        known = progress(session, [order.id])
        for line_id in sorted({row.line_id for row in rows}):
            _owe_again(session, order, lines[line_id], known[line_id])
    audit.record(
        session,
        actor=actor,
        verb="goods_receipt.take_back",
        document_kind=receiving.KIND,
        document_ids=sorted({row.receipt_id for row in rows}),
        reason=reason.strip(),
        moves=wanted,
    )


def progress(session: Session, order_ids: Sequence[int]) -> dict[int, Progress]:
    """This function will read how far the lines of orders have come, by line; lines that were never planned are
    missing."""
    found: dict[int, Progress] = {}
    every = moves.of_documents(session, kind=KIND, document_ids=order_ids)
    places = locations.places(session, {end for move in every for end in (move.source_id, move.destination_id)})
    for move in every:
        if places[move.source_id].kind is LocationKind.SUPPLIER:
            line = found.setdefault(move.line_id, Progress(0, [], move))
            if move.state is MoveState.POSTED:
                line.received += move.quantity
            elif move.state is MoveState.PLANNED:
                line.planned.append(move)
        elif places[move.destination_id].kind is LocationKind.SUPPLIER and move.state is MoveState.POSTED:
            found[move.line_id].received -= move.quantity  # a mirror is younger than what it reverses
    return found


def most(order: PurchaseOrder, line: PurchaseOrderLine) -> int:
    """This function will give how much a line may bring in all, its tolerance included."""
    return line.quantity + supply.tolerated(line.quantity, order.over_receipt_rate)


def find(session: Session, number: str, *, site_id: int) -> int:
    """This function will give the id of a site's order by its number. Raises `OrderUnknown`."""
    found = session.scalar(
        sa.select(PurchaseOrder.id).where(PurchaseOrder.number == number, PurchaseOrder.site_id == site_id)
    )
    if found is None:
        raise purchase_orders.OrderUnknown(f"this site has no purchase order {number[:40]}")
    return found


def lines_of_receipt(session: Session, number: str, move_ids: Sequence[int], *, site_id: int) -> list[int]:
    """This function will check that moves are lines of a site's receipt and give them back. Raises
    `ReceiptUnknown`."""
    rows = session.scalars(
        sa.select(GoodsReceiptLine.move_id)
        .join(GoodsReceipt, GoodsReceipt.id == GoodsReceiptLine.receipt_id)
        .where(GoodsReceipt.number == number, GoodsReceipt.site_id == site_id)
    )
    known = set(rows)
    if not known or not known.issuperset(move_ids):
        raise ReceiptUnknown(f"this site has no receipt {number[:40]} with such lines")
    return list(move_ids)


def _refuse_too_many(order: PurchaseOrder, line: PurchaseOrderLine, known: Progress, quantity: int) -> None:
    left = most(order, line) - known.received
    if quantity > left:
        raise OverTolerance(
            f"{order.number}: {quantity} of item {line.item_id} were counted; of {line.quantity} ordered "
            f"{known.received} came before, and with the tolerance {max(0, left)} more may be received: put the "
            "surplus aside, or have the order changed first"
        )


def _plan_surplus(session: Session, known: Progress, quantity: int, *, today: date) -> None:
    """What is above everything planned gets a move of its own, so that each count has a move to be posted on."""
    missing = quantity - known.owed
    if missing > 0:
        known.planned.append(_plan(session, known.template, missing, due_date=today, over_quantity=0))


def _arrivals(known: Progress, counted: Sequence[Counted]) -> list[Arrival]:
    """The counts, handed out to the planned moves in turn."""
    left = [move.quantity for move in known.planned]
    arrivals = []
    place = 0
    for one in counted:
        need = one.quantity
        while need:
            while not left[place]:
                place += 1
            given = min(need, left[place])
            left[place] -= given
            need -= given
            move_id = known.planned[place].id
            arrivals.append(
                Arrival(move_id=move_id, quantity=given, lot_code=one.lot_code, expiry_date=one.expiry_date)
            )
    return arrivals


def _owe_again(session: Session, order: PurchaseOrder, line: PurchaseOrderLine, known: Progress) -> None:
    """The newest planned move carries the tolerance of its line, as the first one did."""
    owed = line.quantity - known.received - known.owed
    over = most(order, line) - known.received - known.owed - max(0, owed)
    taken = sum(move.over_quantity for move in known.planned)
    if owed > 0:
        over_quantity = max(0, over - taken)
        _plan(session, known.template, owed, due_date=line.due_date, over_quantity=over_quantity)


def _plan(session: Session, like: Move, quantity: int, *, due_date: date, over_quantity: int) -> Move:
    request = MoveRequest(
        item_id=like.item_id,
        source_id=like.source_id,
        destination_id=like.destination_id,
        onward=tuple(like.onward),
        quantity=quantity,
        due_date=due_date,
        document_kind=like.document_kind,
        document_id=like.document_id,
        line_id=like.line_id,
        over_quantity=over_quantity,
        needs_inspection=like.needs_inspection,
        expected_unit_cost=like.expected_unit_cost,
        currency=like.currency,
    )
    [planned] = ledger.plan(session, [request], company_id=like.company_id)
    return planned
