"""Receiving: what is due, and one order received by scanning."""

from __future__ import annotations

from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from procurement import inbound, receipt_sheet
from procurement.inbound import Counted
from procurement.receipt_sheet import ReceiptSheet
from scm.core.users import Role
from web import i18n
from web.area import Area
from web.desk import Desk, act, done, read
from web.pages.warehouse import words
from web.schemas import read_form, scans

area = Area("receiving", __name__)
FLOOR = {Role.WAREHOUSE}


@area.page("/warehouse/receive", roles=FLOOR)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will list the orders that still owe goods, and lead from a scanned number to its order."""
    with read() as session:
        orders = receipt_sheet.owed(session, site_id=desk.site_id)
    return render_template("warehouse/receive_index.html", orders=orders, words=words.of_task("index"))


@area.page("/warehouse/receive/<number>", roles=FLOOR)
def show(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show what one order may still bring."""
    with read() as session:
        sheet = receipt_sheet.sheet(session, number, site_id=desk.site_id)
    open_lines = [line for line in sheet.lines if line.acceptable]
    return render_template(
        "warehouse/receive.html",
        sheet=sheet,
        lines=open_lines,
        complete=[line for line in sheet.lines if not line.acceptable],
        data=_data(sheet) if sheet.receivable else None,
        words=words.of_task("receive"),
    )


@area.action("/warehouse/receive/<number>/post", roles=FLOOR)
def post(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will post what was counted as one goods receipt."""
    form = read_form(scans.ReceiveForm)
    counted = [
        Counted(line_id=row["line"], quantity=row["quantity"], lot_code=row["lot"], expiry_date=row["expiry"])
        for row in scans.rows(scans.ReceivedRow, form["counted"])
    ]

    def work(session: Session) -> str:
        return inbound.receive(
            session,
            inbound.find(session, number, site_id=desk.site_id),
            counted,
            delivery_note=form["delivery_note"],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        ).number

    receipt = act("receipt.post", work)
    return done(url_for("receipts.show", number=receipt), gettext("%(number)s is posted.", number=receipt))


def _data(sheet: ReceiptSheet) -> dict[str, Any]:
    return {
        "kind": "receive",
        "number": sheet.number,
        "lines": [
            {
                "id": line.line_id,
                "sku": line.card.sku,
                "name": line.card.name,
                "unit": i18n.unit(line.card.unit),
                "codes": dict(line.card.codes),
                "wanted": line.owed,
                "most": line.acceptable,
                "lot": line.card.lot_tracked,
                "expiry": line.card.shelf_life_days is not None,
            }
            for line in sheet.lines
            if line.acceptable
        ],
    }
