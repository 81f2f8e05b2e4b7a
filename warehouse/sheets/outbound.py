"""How far today's orders are, by carrier cut-off: waiting for a wave, being picked, to pack, packed. Reads only."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master.locations import Location, LocationKind
from scm.master.partners import Partner
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import SalesOrder
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Reservation
from warehouse import services
from warehouse.packing import ShipmentLine
from warehouse.services import Service
from warehouse.waves import Pick, Wave, WaveState


class Stage(enum.Enum):
    """Where a promised line is on its way out."""

    TO_RELEASE = "to_release"
    PICKING = "picking"
    TO_PACK = "to_pack"
    PACKED = "packed"


@dataclass(frozen=True, slots=True)
class Load:
    """So much of one stage; `late` lines were due before today, or before a channel's clock ended."""

    lines: int = 0
    quantity: int = 0
    orders: int = 0
    late: int = 0


@dataclass(slots=True)
class CutOff:
    """One carrier service with what must leave by its cut-off today, by stage. `service` of None: no way out."""

    service: Service | None
    loads: dict[Stage, Load] = field(default_factory=dict)

    def load(self, stage: Stage) -> Load:
        """What is in one stage."""
        return self.loads.get(stage, Load())

    @property
    def open_lines(self) -> int:
        """Lines that are not packed yet."""
        return sum(load.lines for stage, load in self.loads.items() if stage is not Stage.PACKED)

    @property
    def late_lines(self) -> int:
        """Lines that should have left."""
        return sum(load.late for load in self.loads.values())


@dataclass(frozen=True, slots=True)
class OpenWave:
    """A wave that is being picked."""

    id: int
    number: str
    released_at: datetime
    picks: int
    done: int
    short: int
    orders: int


def by_cut_off(session: Session, *, site_id: int, now: datetime, today: date) -> list[CutOff]:
    """This function will count the promised lines due by today, by carrier service and stage, in two queries.

    The earliest cut-off comes first. Services without any line are left out.
    """
    known = {service.id: service for service in services.of_site(session, site_id=site_id)}
    found: dict[int | None, CutOff] = {}
    packed = sa.exists().where(ShipmentLine.move_id == StockMove.id)
    stage = sa.case(
        (sa.and_(Location.kind == LocationKind.STORAGE, StockMove.allocated), Stage.PICKING.value),
        (Location.kind == LocationKind.STORAGE, Stage.TO_RELEASE.value),
        (packed, Stage.PACKED.value),
        else_=Stage.TO_PACK.value,
    ).label("stage")
    service = services.to_customer(Partner, site_id=site_id).label("service_id")
    promised = sa.exists().where(Reservation.move_id == StockMove.id)
    lines = (
        sa.select(
            StockMove.document_id,
            StockMove.quantity,
            sa.case((sa.or_(StockMove.due_date < today, SalesOrder.ship_by_at < now), 1), else_=0).label("late"),
            stage,
            service,
        )
        .join(Location, Location.id == StockMove.source_id)
        .join(SalesOrder, SalesOrder.id == StockMove.document_id)
        .join(Partner, Partner.id == SalesOrder.customer_id)
        .where(
            StockMove.state == MoveState.PLANNED,
            StockMove.document_kind == SALES_ORDER,
            StockMove.due_date <= today,
            Location.site_id == site_id,
            sa.or_(Location.kind == LocationKind.STAGING, sa.and_(Location.kind == LocationKind.STORAGE, promised)),
        )
        .subquery()
    )
    rows = session.execute(
        sa.select(
            lines.c.service_id,
            lines.c.stage,
            sa.func.count().label("lines"),
            sa.func.sum(lines.c.quantity).label("quantity"),
            sa.func.count(sa.distinct(lines.c.document_id)).label("orders"),
            sa.func.sum(lines.c.late).label("late"),
        ).group_by(lines.c.service_id, lines.c.stage)
    )
    for row in rows:
        cut_off = found.setdefault(row.service_id, CutOff(known.get(row.service_id)))
        cut_off.loads[Stage(row.stage)] = Load(row.lines, int(row.quantity), row.orders, int(row.late))
    order = {service_id: place for place, service_id in enumerate(known)}
    return [found[service_id] for service_id in sorted(found, key=lambda i: len(order) if i is None else order[i])]


def open_waves(session: Session, *, site_id: int) -> Sequence[OpenWave]:
    """This function will list the waves that are being picked, the oldest first, in one query."""
    done = sa.case((Pick.confirmed_at.is_not(None), 1), else_=0)
    short = sa.case((Pick.short_quantity > 0, 1), else_=0)
    rows = session.execute(
        sa.select(
            Wave.id,
            Wave.number,
            Wave.released_at,
            sa.func.count(Pick.move_id),
            sa.func.sum(done),
            sa.func.sum(short),
            sa.func.count(sa.distinct(StockMove.document_id)),
        )
        .join(Pick, Pick.wave_id == Wave.id)
        .join(StockMove, StockMove.id == Pick.move_id)
        .where(Wave.site_id == site_id, Wave.state == WaveState.RELEASED)
        .group_by(Wave.id, Wave.number, Wave.released_at)
        .order_by(Wave.id)
    )
    return [OpenWave(row[0], row[1], row[2], int(row[3]), int(row[4]), int(row[5]), int(row[6])) for row in rows]
