"""The lists of the warehouse's documents: shipments, goods receipts and counts, as rows and fields."""

from __future__ import annotations

import sqlalchemy as sa

from scm.core.db import table_of
from scm.core.listing import Condition, Contains, Field, Kind, Listing
from scm.core.users import User
from scm.master.lanes import CarrierService
from scm.master.partners import Partner
from scm.sales.documents import SalesOrder
from scm.stock.moves import StockMove
from warehouse.counts import CountState, CycleCount, CycleCountLine, CycleCountTarget
from warehouse.packing import Carton, Shipment, ShipmentLine, ShipmentState
from warehouse.receiving import GoodsReceipt, GoodsReceiptLine

SHIPMENT, ORDER, PARTNER, SERVICE = (table_of(one).c for one in (Shipment, SalesOrder, Partner, CarrierService))
RECEIPT, COUNT, USER = (table_of(one).c for one in (GoodsReceipt, CycleCount, User))


def shipments(*, site_id: int) -> Listing:
    """This function will describe the shipments of a site, the newest first."""
    cartons = sa.select(sa.func.count()).where(Carton.shipment_id == Shipment.id).scalar_subquery()
    units = (
        sa.select(sa.func.coalesce(sa.func.sum(StockMove.quantity), 0))
        .join(ShipmentLine, ShipmentLine.move_id == StockMove.id)
        .where(ShipmentLine.shipment_id == Shipment.id)
        .scalar_subquery()
    )
    order_number = sa.select(ORDER.number).where(ORDER.id == SHIPMENT.sales_order_id).scalar_subquery()
    customer = sa.select(PARTNER.name).join(SalesOrder, ORDER.customer_id == PARTNER.id)
    country = sa.select(PARTNER.country).join(SalesOrder, ORDER.customer_id == PARTNER.id)
    service = sa.select(SERVICE.code).where(SERVICE.id == SHIPMENT.carrier_service_id).scalar_subquery()
    return Listing(
        name="shipments",
        # No joins: whoever only counts shipments, or walks along their numbers, needs no orders and no customers.
        rows=sa.select(Shipment.id).where(Shipment.site_id == site_id),
        key=SHIPMENT.id,
        fields=(
            Field(name="number", kind=Kind.CODE, value=SHIPMENT.number),
            Field(name="state", kind=Kind.CHOICE, value=SHIPMENT.state, choices=ShipmentState),
            Field(name="sales_order", kind=Kind.CODE, value=order_number),
            Field(
                name="customer",
                kind=Kind.TEXT,
                value=customer.where(ORDER.id == SHIPMENT.sales_order_id).scalar_subquery(),
                holds=lambda condition, contains: _for_customers(PARTNER.name, condition, contains),
            ),
            Field(
                name="country",
                kind=Kind.TEXT,
                value=country.where(ORDER.id == SHIPMENT.sales_order_id).scalar_subquery(),
                holds=lambda condition, contains: _for_customers(PARTNER.country, condition, contains),
            ),
            Field(name="quantity", kind=Kind.QUANTITY, value=units),
            Field(name="cartons", kind=Kind.NUMBER, value=cartons),
            Field(name="service", kind=Kind.CODE, value=service),
            Field(name="tracking_number", kind=Kind.CODE, value=SHIPMENT.tracking_number),
            Field(name="packed_at", kind=Kind.INSTANT, value=SHIPMENT.packed_at),
            Field(name="shipped_at", kind=Kind.INSTANT, value=SHIPMENT.shipped_at),
        ),
        search=(
            SHIPMENT.number,
            SHIPMENT.tracking_number,
            lambda contains: _of_orders(
                sa.or_(
                    contains(ORDER.number), ORDER.customer_id.in_(sa.select(PARTNER.id).where(contains(PARTNER.name)))
                )
            ),
        ),
        order=("number", True),
    )


def _of_orders(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return SHIPMENT.sales_order_id.in_(sa.select(ORDER.id).where(condition))


def _for_customers(text: sa.ColumnElement[str], condition: Condition, contains: Contains) -> sa.ColumnElement[bool]:
    found = sa.select(PARTNER.id).where(contains(text) if condition.text else sa.true())
    found = found.where(text.in_(condition.values)) if condition.values else found
    return _of_orders(ORDER.customer_id.in_(found))


def receipts(*, site_id: int) -> Listing:
    """This function will describe the goods receipts of a site, the newest first."""
    lines = sa.select(sa.func.count()).where(GoodsReceiptLine.receipt_id == GoodsReceipt.id).scalar_subquery()
    units = (
        sa.select(sa.func.coalesce(sa.func.sum(StockMove.quantity), 0))
        .join(GoodsReceiptLine, GoodsReceiptLine.move_id == StockMove.id)
        .where(GoodsReceiptLine.receipt_id == GoodsReceipt.id)
        .scalar_subquery()
    )
    return Listing(
        name="receipts",
        rows=sa.select(GoodsReceipt.id).where(GoodsReceipt.site_id == site_id),
        key=RECEIPT.id,
        fields=(
            Field(name="number", kind=Kind.CODE, value=RECEIPT.number),
            Field(name="received_date", kind=Kind.DATE, value=RECEIPT.received_date),
            Field(name="received_at", kind=Kind.INSTANT, value=RECEIPT.received_at),
            Field(name="delivery_note", kind=Kind.TEXT, value=RECEIPT.delivery_note),
            Field(name="lines", kind=Kind.NUMBER, value=lines),
            Field(name="quantity", kind=Kind.QUANTITY, value=units),
        ),
        search=(RECEIPT.number, RECEIPT.delivery_note),
        order=("number", True),
    )


def counts(*, site_id: int) -> Listing:
    """This function will describe the cycle counts of a site, the newest first."""
    places = sa.select(sa.func.count()).where(CycleCountTarget.count_id == CycleCount.id).scalar_subquery()
    differences = (
        sa.select(sa.func.count())
        .where(
            CycleCountLine.count_id == CycleCount.id,
            CycleCountLine.expected_quantity != CycleCountLine.counted_quantity,
        )
        .scalar_subquery()
    )
    return Listing(
        name="counts",
        rows=sa.select(CycleCount.id)
        .outerjoin(User, User.id == CycleCount.counted_by_id)
        .where(CycleCount.site_id == site_id),
        key=COUNT.id,
        fields=(
            Field(name="number", kind=Kind.CODE, value=COUNT.number),
            Field(name="state", kind=Kind.CHOICE, value=COUNT.state, choices=CountState),
            Field(name="places", kind=Kind.NUMBER, value=places),
            Field(name="differences", kind=Kind.NUMBER, value=differences),
            Field(name="planned_at", kind=Kind.INSTANT, value=COUNT.planned_at),
            Field(name="counted_at", kind=Kind.INSTANT, value=COUNT.counted_at),
            Field(name="counted_by", kind=Kind.TEXT, value=USER.display_name),
        ),
        search=(COUNT.number,),
        order=("number", True),
    )
