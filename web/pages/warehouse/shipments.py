"""Shipments: the list, the document, handing them to a carrier, proof of delivery, and what is printed."""

from __future__ import annotations

import enum
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from marshmallow import fields
from sqlalchemy.orm import Session

from scm.core import clock
from warehouse import delivery, lists, numbers, services, shipping
from warehouse.delivery import DeliveryConfirmation
from warehouse.packing import Shipment, ShipmentState
from warehouse.sheets import shipping as ship_sheets
from web import barcode
from web.area import PEOPLE, Area
from web.desk import Desk, act, done, read
from web.i18n import Text
from web.listing import Column, ListPage
from web.listing.routes import register
from web.pages.warehouse.receiving import FLOOR
from web.schemas import Form, read_form, text

area = Area("shipments", __name__)
STATES: dict[enum.Enum, Text] = {
    ShipmentState.PACKED: _l("Packed"),
    ShipmentState.SHIPPED: _l("On its way"),
    ShipmentState.DELIVERED: _l("Delivered"),
    ShipmentState.UNPACKED: _l("Taken apart"),
}
MEANINGS: dict[enum.Enum, str] = {
    ShipmentState.PACKED: "watch",
    ShipmentState.SHIPPED: "machine",
    ShipmentState.DELIVERED: "good",
    ShipmentState.UNPACKED: "idle",
}
SHIPMENTS = ListPage(
    name="shipments",
    rule="/warehouse/shipments",
    roles=PEOPLE,
    listing=lambda desk: lists.shipments(site_id=desk.site_id),
    columns=(
        Column(
            field="number",
            label=_l("Shipment"),
            link=lambda row: url_for("shipments.show", number=row["number"]),
        ),
        Column(field="state", label=_l("Status"), filtered=True, names=STATES, meanings=MEANINGS),
        Column(field="sales_order", label=_l("Sales order"), sortable=False, on_phone=False),
        Column(field="customer", label=_l("Customer"), sortable=False),
        Column(field="country", label=_l("Country"), sortable=False, shown=False, filtered=True, on_phone=False),
        Column(field="quantity", label=_l("Units"), sortable=False),
        Column(field="cartons", label=_l("Cartons"), sortable=False, on_phone=False),
        Column(field="service", label=_l("Carrier service"), sortable=False, filtered=True, on_phone=False),
        Column(field="tracking_number", label=_l("Tracking number"), on_phone=False),
        Column(field="packed_at", label=_l("Packed"), on_phone=False),
        Column(field="shipped_at", label=_l("Shipped"), on_phone=False),
    ),
    identity="number",
    heading=lambda found, desk: ngettext("%(num)s shipment", "%(num)s shipments", found.matching),
    why_empty=_l("Nothing was packed yet: an order is packed at the bench, from the wave it was picked in."),
    presets=((_l("To ship"), "state=packed"), (_l("On their way"), "state=shipped")),
)
register(area, SHIPMENTS)


class ShipForm(Form):
    """The carrier's service, and its number for the parcel."""

    carrier_service_id = fields.Integer(required=True)
    tracking_number = text(longest=60)


class DeliverForm(Form):
    """When it arrived, in the site's zone, and who took it in. Without a time: now."""

    delivered_at = fields.NaiveDateTime(load_default=None, format="iso")
    signed_by = text(required=True, longest=120)


@area.page("/warehouse/shipments/<number>", roles=PEOPLE)
def show(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show one shipment with what can happen to it next."""
    with read() as session:
        sheet = ship_sheets.sheet(session, number, site_id=desk.site_id)
        ways = services.of_site(session, site_id=desk.site_id)
    return render_template(
        "warehouse/shipment.html",
        sheet=sheet,
        ways=ways,
        state_name=STATES[sheet.state],
        meaning=MEANINGS[sheet.state],
        on_the_floor=bool(desk.actor.roles & FLOOR),
    )


@area.page("/warehouse/shipments/<number>/print", roles=PEOPLE)
def printed(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show the labels of a shipment's cartons and its packing slip, for the printer."""
    with read() as session:
        sheet = ship_sheets.sheet(session, number, site_id=desk.site_id)
    return render_template("warehouse/labels.html", sheet=sheet, bars=barcode.path(sheet.number))


@area.action("/warehouse/shipments/<number>/ship", roles=FLOOR)
def ship(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will hand a shipment to a carrier; it is invoiced with it."""
    form = read_form(ShipForm)

    def work(session: Session) -> str:
        shipment_id = numbers.find(session, Shipment, number, site_id=desk.site_id)
        tracking = form["tracking_number"].strip()
        [shipped] = shipping.ship(
            session,
            [shipment_id],
            carrier_service_id=form["carrier_service_id"],
            tracking_numbers={shipment_id: tracking} if tracking else None,
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )
        return shipped.tracking_number

    tracking = act("shipment.ship", work)
    said = gettext("%(number)s is on its way as %(tracking)s.", number=number, tracking=tracking)
    return done(url_for("shipments.show", number=number), said)


@area.action("/warehouse/shipments/<number>/deliver", roles=FLOOR)
def deliver(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will record the proof that a shipment arrived."""
    form = read_form(DeliverForm)
    given: datetime | None = form["delivered_at"]
    now = desk.now if desk.company.simulated else clock.wall_now()
    delivered_at = now if given is None else given.replace(tzinfo=ZoneInfo(desk.zone)).astimezone(UTC)

    def work(session: Session) -> None:
        shipment_id = numbers.find(session, Shipment, number, site_id=desk.site_id)
        proof = DeliveryConfirmation(shipment_id=shipment_id, delivered_at=delivered_at, signed_by=form["signed_by"])
        delivery.confirm(session, [proof], actor=desk.actor, now=now, today=desk.today)

    act("shipment.deliver", work)
    return done(url_for("shipments.show", number=number), gettext("%(number)s has arrived.", number=number))
