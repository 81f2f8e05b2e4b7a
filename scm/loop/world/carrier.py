"""The carrier: parcels arrive after the days on the road that its habits say."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.clock import local_date
from scm.loop.world.stage import Stage
from scm.master.lanes import CarrierService
from warehouse import delivery
from warehouse.delivery import DeliveryConfirmation
from warehouse.packing import Shipment, ShipmentState

SIGNED_BY = "the recipient"


def deliver(stage: Stage, *, today: date) -> int:
    """This function will confirm the deliveries of the day and return their number."""
    arriving = stage.look(lambda session: _arriving(session, stage, today=today))
    if arriving:
        arrived_at, now = stage.at(today, 11), stage.at(today, 12)
        confirmations = [
            DeliveryConfirmation(shipment_id=shipment_id, delivered_at=arrived_at, signed_by=SIGNED_BY)
            for shipment_id in arriving
        ]
        stage.act(
            lambda session: delivery.confirm(session, confirmations, actor=stage.person("system"), now=now, today=today)
        )
    return len(arriving)


def _arriving(session: Session, stage: Stage, *, today: date) -> list[int]:
    rows = session.execute(
        sa.select(Shipment.id, Shipment.number, Shipment.shipped_at, CarrierService.transit_days)
        .join(CarrierService, CarrierService.id == Shipment.carrier_service_id)
        .where(Shipment.state == ShipmentState.SHIPPED)
        .order_by(Shipment.id)
    )
    return [
        row.id
        for row in rows
        if today
        >= local_date(row.shipped_at, zone=stage.setup.zone)
        + timedelta(days=max(1, stage.temper.transit_days(shipment_number=row.number, promised_days=row.transit_days)))
    ]
