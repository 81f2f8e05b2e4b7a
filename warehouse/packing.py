"""Packing: what stands in staging for an order becomes one shipment."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, numbering, types
from scm.core.db import Base, BigId, table_of
from scm.core.documents import Machine
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.master.locations import Location, LocationKind
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import SalesOrder
from scm.stock import moves
from scm.stock.moves import Move, MoveState, StockMove
from warehouse.waves import Pick

KIND = "shipment"
MOST_CARTONS = 999


class ShipmentState(enum.Enum):
    """Where a shipment is; an unpacked one was taken apart before it left."""

    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    UNPACKED = "unpacked"


MACHINE = Machine(
    kind=KIND,
    initial=ShipmentState.PACKED,
    transitions={
        (ShipmentState.PACKED, "ship"): ShipmentState.SHIPPED,
        (ShipmentState.PACKED, "unpack"): ShipmentState.UNPACKED,
        (ShipmentState.SHIPPED, "deliver"): ShipmentState.DELIVERED,
    },
)


class Shipment(Base):
    """What leaves together for one order. Its contents are the stock moves of its lines."""

    __tablename__ = "shipment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    sales_order_id: Mapped[int] = mapped_column(sa.ForeignKey("sales_order.id"), index=True)
    number: Mapped[str] = mapped_column(sa.String(30), unique=True)
    state: Mapped[ShipmentState] = mapped_column(types.enum_column(ShipmentState))
    packed_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    shipped_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    carrier_service_id: Mapped[int | None] = mapped_column(sa.ForeignKey("carrier_service.id"))
    tracking_number: Mapped[str | None] = mapped_column(sa.String(60))

    __table_args__ = (
        sa.UniqueConstraint("carrier_service_id", "tracking_number"),
        sa.Index(None, "site_id", "state", "number"),
        sa.Index(None, "site_id", "packed_at"),
        sa.Index("ix_shipment_searched", "site_id", "number", "tracking_number", "sales_order_id"),
        sa.CheckConstraint(
            "(state IN ('shipped', 'delivered')) = (shipped_at IS NOT NULL AND carrier_service_id IS NOT NULL "
            "AND tracking_number IS NOT NULL)",
            name="shipped_by_somebody",
        ),
    )


class ShipmentLine(Base):
    """One planned move out of staging that was packed. A move is in one shipment at most."""

    __tablename__ = "shipment_line"

    move_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_move.id"), primary_key=True)
    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), index=True)


class Carton(Base):
    """One parcel of a shipment."""

    __tablename__ = "carton"

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), primary_key=True)
    carton_number: Mapped[int] = mapped_column(primary_key=True)

    __table_args__ = (sa.CheckConstraint("carton_number > 0", name="numbered_from_one"),)


@dataclass(frozen=True, slots=True)
class _Head:
    company_id: int
    site_id: int


class BadPacking(InvalidInput):
    """A call does not say what to pack, or into how many cartons."""


class NothingToPack(Conflict):
    """Nothing stands in staging for an order."""


class ShipmentUnknown(NotFound):
    """There is no shipment of that id."""


def pack(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    today: date,
    order_ids: Sequence[int] | None = None,
    wave_id: int | None = None,
    cartons: int = 1,
) -> list[int]:
    """This function will pack everything that stands in staging for each order, and return one shipment id per order.

    The orders are named, or are those of a wave. Raises `BadPacking`, `NothingToPack`.
    """
    actor.require(Role.WAREHOUSE)
    if not 1 <= cartons <= MOST_CARTONS:
        raise BadPacking(f"{cartons} cartons were given: an order is packed into 1 to {MOST_CARTONS}")
    wanted = _orders(session, order_ids, wave_id)
    by_order: dict[int, list[Move]] = defaultdict(list)
    for move in staged(session, wanted):
        by_order[move.document_id].append(move)
    heads = _heads(session, wanted, needed=by_order if wave_id is None else None)
    packed_orders = sorted(by_order)
    if not packed_orders:
        raise NothingToPack(f"nothing stands in staging for wave {wave_id}: pick it first")
    shipment_ids = _insert(session, packed_orders, heads, now=now, today=today)
    lines = [
        {"move_id": move.id, "shipment_id": shipment_id}
        for order_id, shipment_id in zip(packed_orders, shipment_ids, strict=True)
        for move in by_order[order_id]
    ]
    session.execute(sa.insert(table_of(ShipmentLine)), lines)
    session.execute(
        sa.insert(table_of(Carton)),
        [{"shipment_id": i, "carton_number": n} for i in shipment_ids for n in range(1, cartons + 1)],
    )
    audit.record(
        session, actor=actor, verb="shipment.pack", document_kind=KIND, document_ids=shipment_ids, cartons=cartons
    )
    return shipment_ids


def unpack(session: Session, shipment_ids: Sequence[int], *, actor: Actor) -> None:
    """This function will take shipments apart before they leave, so that what still stands can be packed again.

    Raises `ShipmentUnknown`, `IllegalTransition`.
    """
    actor.require(Role.WAREHOUSE)
    shipments = lock(session, shipment_ids)
    for shipment in shipments:
        shipment.state = MACHINE.advance(shipment.state, "unpack", number=shipment.number)
    session.flush()
    session.execute(sa.delete(ShipmentLine).where(ShipmentLine.shipment_id.in_(shipment_ids)))
    audit.record(
        session, actor=actor, verb="shipment.unpack", document_kind=KIND, document_ids=[s.id for s in shipments]
    )


def lock(session: Session, shipment_ids: Iterable[int]) -> list[Shipment]:
    """This function will lock shipments in the order of their ids and read them as they now are, in the order asked.

    Raises `ShipmentUnknown`.
    """
    wanted = list(dict.fromkeys(shipment_ids))
    rows = session.scalars(
        sa.select(Shipment)
        .where(Shipment.id.in_(wanted))
        .order_by(Shipment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = {shipment.id: shipment for shipment in rows}
    for shipment_id in wanted:
        if shipment_id not in found:
            raise ShipmentUnknown(f"there is no shipment {shipment_id}")
    return [found[shipment_id] for shipment_id in wanted]


def staged(session: Session, order_ids: Sequence[int]) -> list[Move]:
    """This function will lock what stands in staging unpacked for orders, and read it.

    The moves are locked first and read in a later statement, so that two packers do not both take them.
    """
    statement = (
        sa.select(StockMove.id)
        .join(Location, Location.id == StockMove.source_id)
        .where(
            StockMove.document_kind == SALES_ORDER,
            StockMove.document_id.in_(order_ids),
            StockMove.state == MoveState.PLANNED,
            Location.kind == LocationKind.STAGING,
        )
        .order_by(StockMove.id)
    )
    found = moves.lock(session, session.scalars(statement).all())
    packed = set(
        session.scalars(sa.select(ShipmentLine.move_id).where(ShipmentLine.move_id.in_([m.id for m in found])))
    )
    return [move for move in found if move.state is MoveState.PLANNED and move.id not in packed]


def _orders(session: Session, order_ids: Sequence[int] | None, wave_id: int | None) -> list[int]:
    if (order_ids is None) == (wave_id is None):
        raise BadPacking("name either the orders or the wave to pack")
    if order_ids is not None:
        return sorted(set(order_ids))
    rows = session.scalars(
        sa.select(StockMove.document_id)
        .join(Pick, Pick.move_id == StockMove.id)
        .where(Pick.wave_id == wave_id)
        .distinct()
        .order_by(StockMove.document_id)
    )
    return list(rows)


def _heads(session: Session, order_ids: Sequence[int], *, needed: Iterable[int] | None) -> dict[int, _Head]:
    rows = session.execute(
        sa.select(SalesOrder.id, SalesOrder.number, SalesOrder.company_id, SalesOrder.site_id).where(
            SalesOrder.id.in_(order_ids)
        )
    ).all()
    if needed is not None:
        numbers = {row.id: row.number for row in rows}
        empty = sorted(set(order_ids) - set(needed))
        if empty:
            name = numbers.get(empty[0], f"sales order {empty[0]}")
            raise NothingToPack(f"nothing stands in staging for {name} that is not packed already: pick it first")
    return {row.id: _Head(row.company_id, row.site_id) for row in rows}


def _insert(
    session: Session, order_ids: Sequence[int], heads: dict[int, _Head], *, now: datetime, today: date
) -> list[int]:
    company_ids = [heads[order_id].company_id for order_id in order_ids]
    numbers = {
        company_id: iter(
            numbering.draw(
                session,
                series=numbering.SHIPMENT,
                company_id=company_id,
                year=today.year,
                count=company_ids.count(company_id),
            )
        )
        for company_id in sorted(set(company_ids))
    }
    rows = [
        {
            "company_id": heads[order_id].company_id,
            "site_id": heads[order_id].site_id,
            "sales_order_id": order_id,
            "number": next(numbers[heads[order_id].company_id]),
            "state": MACHINE.initial,
            "packed_at": now,
        }
        for order_id in order_ids
    ]
    shipment = table_of(Shipment)
    statement = sa.insert(shipment).returning(shipment.c.id, sort_by_parameter_order=True)
    return list(session.execute(statement, rows).scalars())
