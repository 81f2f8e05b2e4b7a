"""Goods receipts: the list, and one receipt with the lines that can still be taken back."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from procurement import inbound, receipt_sheet
from warehouse import lists
from web.area import PEOPLE, Area
from web.desk import Desk, act, done, read
from web.listing import Column, ListPage
from web.listing.routes import register
from web.pages.warehouse.receiving import FLOOR
from web.schemas import Form, read_form, text

area = Area("receipts", __name__)
RECEIPTS = ListPage(
    name="receipts",
    rule="/warehouse/receipts",
    roles=PEOPLE,
    listing=lambda desk: lists.receipts(site_id=desk.site_id),
    columns=(
        Column(field="number", label=_l("Receipt"), link=lambda row: url_for("receipts.show", number=row["number"])),
        Column(field="received_date", label=_l("Received"), filtered=True),
        Column(field="received_at", label=_l("Time"), shown=False, on_phone=False),
        Column(field="delivery_note", label=_l("Delivery note")),
        Column(field="lines", label=_l("Lines"), on_phone=False),
        Column(field="quantity", label=_l("Units")),
    ),
    identity="number",
    heading=lambda found, desk: ngettext("%(num)s goods receipt", "%(num)s goods receipts", found.matching),
    why_empty=_l("Nothing was received yet: scan an order at the dock."),
)
register(area, RECEIPTS)


class TakeBackForm(Form):
    """Which lines of a receipt were a mistake, and why."""

    move = fields.List(fields.Integer(), required=True, validate=validate.Length(min=1, max=1000))
    reason = text(required=True, longest=160)


@area.page("/warehouse/receipts/<number>", roles=PEOPLE)
def show(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show one receipt."""
    with read() as session:
        receipt = receipt_sheet.receipt(session, number, site_id=desk.site_id)
    return render_template("warehouse/receipt.html", receipt=receipt, on_the_floor=bool(desk.actor.roles & FLOOR))


@area.action("/warehouse/receipts/<number>/take-back", roles=FLOOR)
def take_back(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will reverse lines of a receipt: they are owed again."""
    form = read_form(TakeBackForm)

    def work(session: Session) -> None:
        moves = inbound.lines_of_receipt(session, number, form["move"], site_id=desk.site_id)
        inbound.take_back(session, moves, reason=form["reason"], actor=desk.actor, now=desk.now, today=desk.today)

    act("receipt.take_back", work)
    return done(url_for("receipts.show", number=number), gettext("Taken back: it is owed again."))
