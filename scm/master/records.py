"""The lists of suppliers, agreements and services, as pages show, filter and export them."""

from __future__ import annotations

from datetime import time

import sqlalchemy as sa

from scm.core.listing import Field, Kind, Listing
from scm.master import items
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.items import Item
from scm.master.lanes import CarrierService
from scm.master.partners import Partner

NOTHING_ASSUMED = "[]"


def suppliers(*, company_id: int) -> Listing:
    """This function will describe the list of suppliers with their terms of order."""
    agreements = (
        sa.select(sa.func.count())
        .where(SupplierAgreement.partner_id == Partner.id, ~SupplierAgreement.retired)
        .correlate(Partner)
        .scalar_subquery()
    )
    return Listing(
        name="master_suppliers",
        rows=sa.select(Partner.id)
        .outerjoin(SupplierTerms, SupplierTerms.partner_id == Partner.id)
        .where(Partner.company_id == company_id, Partner.is_supplier),
        key=Partner.__table__.c.id,
        fields=(
            Field(name="code", kind=Kind.CODE, value=Partner.code),
            Field(name="name", kind=Kind.TEXT, value=Partner.name),
            Field(name="email", kind=Kind.CODE, value=Partner.email),
            Field(name="country", kind=Kind.TEXT, value=Partner.country),
            Field(name="currency", kind=Kind.CODE, value=SupplierTerms.currency),
            Field(name="review_period_days", kind=Kind.NUMBER, value=SupplierTerms.review_period_days),
            Field(name="review_weekday", kind=Kind.NUMBER, value=SupplierTerms.review_weekday),
            Field(name="minimum_order_value", kind=Kind.MONEY, value=_amount("minimum_order_value"), beside="currency"),
            Field(name="joint_order_cost", kind=Kind.MONEY, value=_amount("joint_order_cost"), beside="currency"),
            Field(name="over_receipt_rate", kind=Kind.RATE, value=SupplierTerms.over_receipt_rate),
            Field(name="agreements", kind=Kind.NUMBER, value=agreements),
            Field(name="retired", kind=Kind.FLAG, value=Partner.retired),
            Field(name="is_assumed", kind=Kind.FLAG, value=is_assumed(SupplierTerms.assumed)),
            Field(name="assumed", kind=Kind.TEXT, value=SupplierTerms.assumed),
        ),
        search=(Partner.code, Partner.name),
        order=("code", False),
    )


def agreements(*, company_id: int) -> Listing:
    """This function will describe the list of agreements: the terms of each item at each supplier."""
    return Listing(
        name="master_agreements",
        rows=sa.select(SupplierAgreement.id)
        .join(Partner, Partner.id == SupplierAgreement.partner_id)
        .join(Item, Item.id == SupplierAgreement.item_id)
        .outerjoin(SupplierTerms, SupplierTerms.partner_id == Partner.id)
        .where(Partner.company_id == company_id),
        key=SupplierAgreement.__table__.c.id,
        fields=(
            # One text that names the row, in pages and files.
            Field(name="name", kind=Kind.CODE, value=Partner.code + " " + Item.sku),
            Field(name="sku", kind=Kind.CODE, value=Item.sku),
            Field(name="item", kind=Kind.TEXT, value=Item.shown_name),
            Field(name="supplier", kind=Kind.CODE, value=Partner.code),
            Field(name="priority", kind=Kind.NUMBER, value=SupplierAgreement.priority),
            Field(name="lead_time_days", kind=Kind.NUMBER, value=SupplierAgreement.lead_time_days),
            Field(name="minimum_order_quantity", kind=Kind.QUANTITY, value=SupplierAgreement.minimum_order_quantity),
            Field(name="order_multiple", kind=Kind.QUANTITY, value=SupplierAgreement.order_multiple),
            Field(name="unit_price", kind=Kind.PRICE, value=SupplierAgreement.unit_price, beside="currency"),
            Field(name="currency", kind=Kind.CODE, value=SupplierTerms.currency),
            Field(name="needs_inspection", kind=Kind.FLAG, value=SupplierAgreement.needs_inspection),
            Field(name="retired", kind=Kind.FLAG, value=SupplierAgreement.retired),
            Field(name="is_assumed", kind=Kind.FLAG, value=is_assumed(SupplierAgreement.assumed)),
            Field(name="assumed", kind=Kind.TEXT, value=SupplierAgreement.assumed),
        ),
        search=(*items.SEARCHED, Partner.code, Partner.name),
        order=("sku", False),
    )


def services(*, site_id: int) -> Listing:
    """This function will describe the list of carriers' services from a site."""
    return Listing(
        name="master_carriers",
        rows=sa.select(CarrierService.id)
        .join(Partner, Partner.id == CarrierService.partner_id)
        .where(CarrierService.site_id == site_id),
        key=CarrierService.__table__.c.id,
        fields=(
            Field(name="carrier", kind=Kind.CODE, value=Partner.code),
            Field(name="name", kind=Kind.CODE, value=CarrierService.code + " " + CarrierService.country),
            Field(name="code", kind=Kind.CODE, value=CarrierService.code),
            Field(name="country", kind=Kind.TEXT, value=CarrierService.country),
            Field(name="transit_days", kind=Kind.NUMBER, value=CarrierService.transit_days),
            Field(name="cut_off", kind=Kind.TEXT, value=_to_the_minute(CarrierService.cut_off)),
            Field(name="parcel_cost", kind=Kind.MONEY, value=CarrierService.parcel_cost),
            Field(name="retired", kind=Kind.FLAG, value=CarrierService.retired),
        ),
        search=(Partner.code, Partner.name, CarrierService.code, CarrierService.country),
        order=("code", False),
    )


def _to_the_minute(cut_off: sa.orm.InstrumentedAttribute[time]) -> sa.ColumnElement[str]:
    return sa.func.substr(sa.cast(cut_off, sa.String), 1, len("16:00"))


def _amount(name: str) -> sa.ColumnElement[int]:
    return SupplierTerms.__table__.c[name]


def is_assumed(labels: sa.orm.InstrumentedAttribute[list[object]]) -> sa.ColumnElement[bool]:
    """This function will tell whether a row still has figures nobody has confirmed."""
    return sa.func.coalesce(sa.cast(labels, sa.String), NOTHING_ASSUMED) != NOTHING_ASSUMED
