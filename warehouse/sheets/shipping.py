"""One shipment as a document: its cartons, contents, carrier and proof of delivery. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.core.users import User
from scm.master.lanes import CarrierService
from scm.master.partners import Partner
from scm.sales.documents import SalesOrder
from scm.stock.lots import NO_LOT, Lot
from scm.stock.moves import StockMove
from warehouse import services
from warehouse.checking import PackingCheck
from warehouse.delivery import ProofOfDelivery
from warehouse.numbers import NumberUnknown
from warehouse.packing import Carton, Shipment, ShipmentLine, ShipmentState
from warehouse.sheets.cards import Card, cards


@dataclass(frozen=True, slots=True)
class Content:
    """So much of an item and lot is in the shipment."""

    card: Card
    quantity: int
    lot_code: str | None
    expiry_date: date | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShipmentSheet:
    """One shipment. `proposed_service_id` is the carrier service to the customer's country."""

    shipment_id: int
    number: str
    state: ShipmentState
    order_number: str
    customer: str
    country: str | None
    packed_at: datetime
    cartons: int
    checked_by: str | None
    shipped_at: datetime | None
    service_code: str | None
    carrier: str | None
    tracking_number: str | None
    delivered_at: datetime | None
    signed_by: str | None
    proposed_service_id: int | None
    contents: Sequence[Content]


def sheet(session: Session, number: str, *, site_id: int) -> ShipmentSheet:
    """This function will read one shipment of a site in a fixed number of queries. Raises `NumberUnknown`."""
    carrier = aliased(Partner)
    cartons = sa.select(sa.func.count()).where(Carton.shipment_id == Shipment.id).scalar_subquery()
    row = session.execute(
        sa.select(
            Shipment,
            SalesOrder.number.label("order_number"),
            Partner.name.label("customer"),
            Partner.country,
            cartons.label("cartons"),
            User.display_name.label("checked_by"),
            CarrierService.code.label("service_code"),
            carrier.name.label("carrier"),
            ProofOfDelivery.delivered_at,
            ProofOfDelivery.signed_by,
            services.to_customer(Partner, site_id=site_id).label("proposed"),
        )
        .join(SalesOrder, SalesOrder.id == Shipment.sales_order_id)
        .join(Partner, Partner.id == SalesOrder.customer_id)
        .outerjoin(PackingCheck, PackingCheck.shipment_id == Shipment.id)
        .outerjoin(User, User.id == PackingCheck.checked_by_id)
        .outerjoin(CarrierService, CarrierService.id == Shipment.carrier_service_id)
        .outerjoin(carrier, carrier.id == CarrierService.partner_id)
        .outerjoin(ProofOfDelivery, ProofOfDelivery.shipment_id == Shipment.id)
        .where(Shipment.number == number, Shipment.site_id == site_id)
    ).one_or_none()
    if row is None:
        raise NumberUnknown(f"this site has no shipment {number[:40]}")
    shipment: Shipment = row.Shipment
    return ShipmentSheet(
        shipment_id=shipment.id,
        number=shipment.number,
        state=shipment.state,
        order_number=row.order_number,
        customer=row.customer,
        country=row.country,
        packed_at=shipment.packed_at,
        cartons=row.cartons,
        checked_by=row.checked_by,
        shipped_at=shipment.shipped_at,
        service_code=row.service_code,
        carrier=row.carrier,
        tracking_number=shipment.tracking_number,
        delivered_at=row.delivered_at,
        signed_by=row.signed_by,
        proposed_service_id=row.proposed,
        contents=_contents(session, shipment.id),
    )


def _contents(session: Session, shipment_id: int) -> list[Content]:
    rows = session.execute(
        sa.select(
            StockMove.item_id,
            StockMove.lot_id,
            Lot.code,
            Lot.expiry_date,
            sa.func.sum(StockMove.quantity).label("quantity"),
        )
        .join(ShipmentLine, ShipmentLine.move_id == StockMove.id)
        .join(Lot, Lot.id == StockMove.lot_id)
        .where(ShipmentLine.shipment_id == shipment_id)
        .group_by(StockMove.item_id, StockMove.lot_id, Lot.code, Lot.expiry_date)
        .order_by(StockMove.item_id, StockMove.lot_id)
    ).all()
    named = cards(session, {row.item_id for row in rows})
    return [
        Content(named[row.item_id], int(row.quantity), None if row.lot_id == NO_LOT else row.code, row.expiry_date)
        for row in rows
    ]
