"""Receiving: what was counted at the door is posted against what was planned to come, whoever planned it.

Purchase orders and returns are received by the same verb; it knows only planned moves from a supplier or a customer.
A shortage stays planned; more than the tolerance of the whole line is refused.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, numbering, types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.items import Item
from scm.master.locations import LocationKind
from scm.stock import ledger, lots, moves
from scm.stock.ledger import Posting
from scm.stock.lots import LotLabel
from scm.stock.moves import Move, MoveState, StockMove

KIND = "goods_receipt"
SENDERS = frozenset({LocationKind.SUPPLIER, LocationKind.CUSTOMER})


class GoodsReceipt(Base):
    """One delivery as it was counted. It is a fact from the start: it has no states."""

    __tablename__ = "goods_receipt"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    number: Mapped[str] = mapped_column(sa.String(30), unique=True)
    delivery_note: Mapped[str] = mapped_column(sa.String(80))
    received_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    received_date: Mapped[date]


class GoodsReceiptLine(Base):
    """One counted line: the posted move is the fact, the receipt says with which delivery it came."""

    __tablename__ = "goods_receipt_line"

    move_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_move.id"), primary_key=True)
    receipt_id: Mapped[int] = mapped_column(sa.ForeignKey("goods_receipt.id"), index=True)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """So much was counted of what one planned move announced; a lot-tracked item names its lot."""

    move_id: int
    quantity: int
    lot_code: str | None = None
    expiry_date: date | None = None


@dataclass(frozen=True, kw_only=True)
class Received:
    """The receipt, what was posted, and what stands at the dock or desk now, waiting for its next leg."""

    goods_receipt_id: int
    number: str
    posted: tuple[Move, ...]
    planned_next: tuple[Move, ...]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A delivery that is still owed."""

    move_id: int
    item_id: int
    quantity: int
    over_quantity: int
    due_date: date
    document_kind: str
    document_id: int
    line_id: int


class NothingReceived(InvalidInput):
    """A receipt without lines."""


class NotExpected(Conflict):
    """A move is no delivery: it does not come from a supplier or customer, or belongs to another site."""


class OverTolerance(Conflict):
    """More was counted than is still owed and tolerated."""


class LotMissing(InvalidInput):
    """A lot-tracked item needs its lot, and its expiry date when it has a shelf life; others have none."""


def receive(
    session: Session,
    arrivals: Sequence[Arrival],
    *,
    delivery_note: str,
    actor: Actor,
    now: datetime,
    today: date,
) -> Received:
    """This function will post a counted delivery to one site and record it as a goods receipt.

    Raises `NothingReceived`, `NotExpected`, `OverTolerance`, `LotMissing`, `LotDiffers`, `NotPlanned`, `BadQuantity`,
    `MoveUnknown`; nothing is changed then.
    """
    actor.require(Role.WAREHOUSE, Role.RETURNS)
    if not arrivals:
        raise NothingReceived(f"delivery {delivery_note or 'without a note'}: nothing was counted")
    # What is left to receive is only known once nobody else can receive it.
    planned = moves.lock(session, dict.fromkeys(arrival.move_id for arrival in arrivals))
    site_id = _refuse_unexpected(session, planned)
    _refuse_over_tolerance(planned, arrivals)
    lot_of = _lots(session, {move.id: move for move in planned}, arrivals)
    # The largest count of a line goes last: a count above the plan closes the line, so nothing may follow it.
    ordered = sorted(arrivals, key=lambda arrival: (arrival.move_id, arrival.quantity))
    postings = [Posting(move_id=a.move_id, quantity=a.quantity, lot_id=lot_of.get(a)) for a in ordered]
    result = ledger.post(session, postings, actor=actor, now=now, today=today)
    receipt = _record(
        session, result.posted, site_id=site_id, delivery_note=delivery_note, actor=actor, now=now, today=today
    )
    return Received(
        goods_receipt_id=receipt.id,
        number=receipt.number,
        posted=result.posted,
        planned_next=result.planned_next,
    )


def expected(session: Session, *, site_id: int, due_until: date | None = None) -> list[Expected]:
    """This function will list what suppliers and customers still owe a site, the earliest due first."""
    source = sa.orm.aliased(locations.Location)
    destination = sa.orm.aliased(locations.Location)
    statement = (
        sa.select(
            StockMove.id,
            StockMove.item_id,
            StockMove.quantity,
            StockMove.over_quantity,
            StockMove.due_date,
            StockMove.document_kind,
            StockMove.document_id,
            StockMove.line_id,
        )
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(StockMove.state == MoveState.PLANNED, source.kind.in_(SENDERS), destination.site_id == site_id)
        .order_by(StockMove.due_date, StockMove.id)
    )
    if due_until is not None:
        statement = statement.where(StockMove.due_date <= due_until)
    return [
        Expected(
            move_id=row.id,
            item_id=row.item_id,
            quantity=row.quantity,
            over_quantity=row.over_quantity,
            due_date=row.due_date,
            document_kind=row.document_kind,
            document_id=row.document_id,
            line_id=row.line_id,
        )
        for row in session.execute(statement)
    ]


def _refuse_unexpected(session: Session, planned: Sequence[Move]) -> int:
    """Returns the one site the delivery is for."""
    ends = {move.source_id for move in planned} | {move.destination_id for move in planned}
    places = locations.places(session, ends)
    sites = set()
    for move in planned:
        if places[move.source_id].kind not in SENDERS:
            raise NotExpected(f"{move.label} comes from {places[move.source_id].code}: it is no delivery to receive")
        site_id = places[move.destination_id].site_id
        if site_id is None:
            raise NotExpected(f"{move.label} goes to {places[move.destination_id].code}, not to one of our sites")
        sites.add(site_id)
        if len(sites) > 1:
            raise NotExpected(f"{move.label} is for another site than the rest: receive it there")
    return sites.pop()


def _refuse_over_tolerance(planned: Sequence[Move], arrivals: Sequence[Arrival]) -> None:
    counted: Counter[int] = Counter()
    for arrival in arrivals:
        counted[arrival.move_id] += arrival.quantity
    for move in planned:
        if move.state is MoveState.PLANNED and counted[move.id] > move.quantity + move.over_quantity:
            raise OverTolerance(
                f"{move.label}: {counted[move.id]} of item {move.item_id} were counted, {move.quantity} are still owed "
                f"and {move.over_quantity} more are tolerated: refuse the surplus, or have the order changed first"
            )


def _lots(session: Session, planned: Mapping[int, Move], arrivals: Sequence[Arrival]) -> dict[Arrival, int]:
    tracked = {
        row.id: row
        for row in session.execute(
            sa.select(Item.id, Item.sku, Item.shelf_life_days).where(
                Item.id.in_({move.item_id for move in planned.values()}), Item.lot_tracked
            )
        )
    }
    labels: dict[Arrival, LotLabel] = {}
    for arrival in arrivals:
        move = planned[arrival.move_id]
        item = tracked.get(move.item_id)
        if item is None and (arrival.lot_code or arrival.expiry_date):
            raise LotMissing(f"{move.label}: item {move.item_id} has no lots: leave lot and expiry date out")
        if item is None:
            continue
        if not arrival.lot_code or not arrival.lot_code.strip():
            raise LotMissing(f"{move.label}: item {item.sku} is tracked by lot: give the code on the label")
        if item.shelf_life_days is not None and arrival.expiry_date is None:
            raise LotMissing(f"{move.label}: item {item.sku} has a shelf life: give the expiry date on the label")
        labels[arrival] = LotLabel(item_id=move.item_id, code=arrival.lot_code, expiry_date=arrival.expiry_date)
    ids = lots.find_or_create_all(session, labels.values())
    return {arrival: ids[label.item_id, label.code] for arrival, label in labels.items()}


def _record(
    session: Session,
    posted: Sequence[Move],
    *,
    site_id: int,
    delivery_note: str,
    actor: Actor,
    now: datetime,
    today: date,
) -> GoodsReceipt:
    company_id = posted[0].company_id
    [number] = numbering.draw(session, series=numbering.GOODS_RECEIPT, company_id=company_id, year=today.year)
    receipt = GoodsReceipt(
        company_id=company_id,
        site_id=site_id,
        number=number,
        delivery_note=delivery_note,
        received_at=now,
        received_date=today,
    )
    session.add(receipt)
    session.flush()
    session.execute(
        sa.insert(table_of(GoodsReceiptLine)), [{"move_id": move.id, "receipt_id": receipt.id} for move in posted]
    )
    documents: dict[str, set[int]] = defaultdict(set)
    for move in posted:
        documents[move.document_kind].add(move.document_id)
    audit.record(
        session,
        actor=actor,
        verb="goods_receipt.receive",
        document_kind=KIND,
        document_ids=[receipt.id],
        delivery_note=delivery_note,
        documents={kind: sorted(ids) for kind, ids in documents.items()},
    )
    return receipt
