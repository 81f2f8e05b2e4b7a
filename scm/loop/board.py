"""The warehouse manager's board: what comes, what stands, what must leave by when, and what waits for a decision.

Reads only, in a fixed number of queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales import documents, status
from procurement import receipt_sheet
from procurement.receipt_sheet import InboundOrder
from scm.master.lanes import CarrierService
from warehouse.counts import CountState, CycleCount
from warehouse.packing import Shipment, ShipmentState
from warehouse.sheets import bench, dock, outbound, quarantine, shortfalls
from warehouse.sheets.bench import StagedOrder
from warehouse.sheets.dock import DockLine
from warehouse.sheets.outbound import CutOff, OpenWave
from warehouse.sheets.quarantine import QuarantineLine
from warehouse.sheets.shortfalls import ShortPick

STALLED_AFTER_DAYS = 2  # beyond the carrier's own transit days


@dataclass(frozen=True, slots=True)
class OpenCount:
    """A count that waits for its counter, or for somebody else's approval."""

    number: str
    state: CountState
    planned_at: datetime


@dataclass(frozen=True, slots=True)
class ReturnsWaiting:
    """What waits for the returns desk, in units, and since when the oldest parcel is here."""

    to_receive: int
    to_inspect: int
    to_dispose: int
    oldest_date: date | None


@dataclass(frozen=True, slots=True)
class PackedShipment:
    """A shipment that no carrier has taken."""

    number: str
    packed_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """One site at one moment."""

    inbound: Sequence[InboundOrder]  # due by today, the one that is late the longest first
    next_inbound: InboundOrder | None
    dock: Sequence[DockLine]
    cut_offs: Sequence[CutOff]
    waves: Sequence[OpenWave]
    to_pack: Sequence[StagedOrder]
    packed: Sequence[PackedShipment]
    shorts: Sequence[ShortPick]
    counts: Sequence[OpenCount]
    quarantine: Sequence[QuarantineLine]
    returns: ReturnsWaiting
    stalled: int

    @property
    def to_inspect(self) -> list[DockLine]:
        """Lines at the dock that somebody must look at."""
        return [line for line in self.dock if line.to_inspect]

    @property
    def to_put_away(self) -> list[DockLine]:
        """Lines at the dock that may go to a bin."""
        return [line for line in self.dock if not line.to_inspect]

    def late(self, *, today: date) -> list[InboundOrder]:
        """Orders whose first goods were due before today."""
        return [order for order in self.inbound if order.due_date < today]


def read(session: Session, *, site_id: int, now: datetime, today: date) -> Board:
    """This function will read the board of a site."""
    owed = receipt_sheet.owed(session, site_id=site_id)
    coming = [order for order in owed if order.due_date > today]
    return Board(
        inbound=[order for order in owed if order.due_date <= today],
        next_inbound=coming[0] if coming else None,
        dock=dock.standing(session, site_id=site_id),
        cut_offs=outbound.by_cut_off(session, site_id=site_id, now=now, today=today),
        waves=outbound.open_waves(session, site_id=site_id),
        to_pack=bench.staged_orders(session, site_id=site_id),
        packed=_packed(session, site_id),
        shorts=shortfalls.open_shorts(session, site_id=site_id),
        counts=_counts(session, site_id),
        quarantine=quarantine.lying(session, site_id=site_id),
        returns=_returns(session, site_id),
        stalled=_stalled(session, site_id, now=now),
    )


def _packed(session: Session, site_id: int) -> list[PackedShipment]:
    rows = session.execute(
        sa.select(Shipment.number, Shipment.packed_at)
        .where(Shipment.site_id == site_id, Shipment.state == ShipmentState.PACKED)
        .order_by(Shipment.packed_at, Shipment.id)
    )
    return [PackedShipment(*row) for row in rows]


def _counts(session: Session, site_id: int) -> list[OpenCount]:
    rows = session.execute(
        sa.select(CycleCount.number, CycleCount.state, CycleCount.planned_at)
        .where(CycleCount.site_id == site_id, CycleCount.state.in_([CountState.PLANNED, CountState.COUNTED]))
        .order_by(CycleCount.planned_at, CycleCount.id)
    )
    return [OpenCount(*row) for row in rows]


def _returns(session: Session, site_id: int) -> ReturnsWaiting:
    waiting = status.awaiting(session, site_id=site_id)
    here = {one.return_id for one in (*waiting.to_inspect, *waiting.to_dispose)}
    dates = [move.posted_date for move in documents.arrived(session, here) if move.posted_date] if here else []
    return ReturnsWaiting(
        to_receive=sum(one.quantity for one in waiting.to_receive),
        to_inspect=sum(one.quantity for one in waiting.to_inspect),
        to_dispose=sum(one.quantity for one in waiting.to_dispose),
        oldest_date=min(dates, default=None),
    )


def _stalled(session: Session, site_id: int, *, now: datetime) -> int:
    """Shipments that should have arrived: counted by how long their service takes, service by service."""
    rows = session.execute(
        sa.select(Shipment.shipped_at, CarrierService.transit_days)
        .join(CarrierService, CarrierService.id == Shipment.carrier_service_id)
        .where(
            Shipment.site_id == site_id,
            Shipment.state == ShipmentState.SHIPPED,
            Shipment.shipped_at < now - timedelta(days=STALLED_AFTER_DAYS),
        )
    )
    return sum(row.shipped_at + timedelta(days=row.transit_days + STALLED_AFTER_DAYS) < now for row in rows)
