"""The packing bench: the orders of a wave, and one order packed with the check scan."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from scm.core import numbering
from scm.sales.documents import SalesOrder
from warehouse import checking, numbers, packing
from warehouse.checking import Scanned
from warehouse.packing import Shipment
from warehouse.sheets import bench
from warehouse.sheets import picking as pick_sheets
from web import i18n
from web.area import Area
from web.desk import Desk, act, done, read
from web.pages.warehouse import words
from web.pages.warehouse.receiving import FLOOR
from web.schemas import read_form, scans

area = Area("packing", __name__)


@area.page("/warehouse/pack/<number>", roles=FLOOR)
def show(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show what one order's carton must hold, or the orders of a wave that can be packed."""
    with read() as session:
        if number.startswith(numbering.WAVE.prefix):
            wave = pick_sheets.sheet(session, number, site_id=desk.site_id)
            staged = bench.staged_orders(session, site_id=desk.site_id, order_numbers=wave.orders)
            return render_template("warehouse/pack_wave.html", wave=wave, staged=staged, words=words.of_task("index"))
        sheet = bench.sheet(session, number, site_id=desk.site_id)
    data = {
        "kind": "pack",
        "number": sheet.number,
        "lines": [
            {
                "id": line.card.item_id,
                "sku": line.card.sku,
                "name": line.card.name,
                "unit": i18n.unit(line.card.unit),
                "codes": dict(line.card.codes),
                "wanted": line.quantity,
            }
            for line in sheet.lines
        ],
    }
    return render_template(
        "warehouse/pack.html",
        sheet=sheet,
        data=data if sheet.lines and not sheet.cancelled else None,
        words=words.of_task("pack"),
    )


@area.action("/warehouse/pack/<number>/post", roles=FLOOR)
def post(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will pack an order whose contents were scanned."""
    form = read_form(scans.PackForm)
    scanned = [
        Scanned(item_id=row["item"], quantity=row["quantity"]) for row in scans.rows(scans.PackedRow, form["scanned"])
    ]

    def work(session: Session) -> str:
        shipment_id = checking.pack(
            session,
            numbers.find(session, SalesOrder, number, site_id=desk.site_id),
            scanned,
            cartons=form["cartons"],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )
        return str(session.scalar(select(Shipment.number).where(Shipment.id == shipment_id)))

    shipment = act("shipment.pack", work)
    return done(url_for("shipments.show", number=shipment), gettext("%(number)s is packed.", number=shipment))


@area.action("/warehouse/shipments/<number>/unpack", roles=FLOOR)
def unpack(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will take a shipment apart before it leaves."""

    def work(session: Session) -> None:
        shipment_id = numbers.find(session, Shipment, number, site_id=desk.site_id)
        packing.unpack(session, [shipment_id], actor=desk.actor)

    act("shipment.unpack", work)
    return done(url_for("shipments.show", number=number), gettext("%(number)s is taken apart.", number=number))
