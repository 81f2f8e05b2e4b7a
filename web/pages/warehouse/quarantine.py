"""Inspection of received goods, and the way out of quarantine."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from marshmallow import fields
from sqlalchemy.orm import Session

from warehouse import inspection, places, quarantine
from warehouse.inspection import Finding
from warehouse.quarantine import Leaving, WayOut
from warehouse.sheets import dock
from warehouse.sheets import quarantine as quarantine_sheets
from web.area import Area
from web.desk import Desk, act, done, read
from web.pages.warehouse.receiving import FLOOR
from web.schemas import Form, quantity, read_form, text

area = Area("quarantine", __name__)
WAYS_OUT = {
    WayOut.RELEASE: _l("Back to a shelf"),
    WayOut.RETURN_TO_SUPPLIER: _l("Back to the supplier"),
    WayOut.SCRAP: _l("Scrap"),
}


class FindingForm(Form):
    """What was found in goods at the dock."""

    passed = quantity(least=0)
    failed = quantity(least=0)
    reason = text(longest=200)


class LeavingForm(Form):
    """What leaves quarantine, which way and why."""

    location_id = fields.Integer(required=True)
    item_id = fields.Integer(required=True)
    lot_id = fields.Integer(required=True)
    quantity = quantity()
    way_out = fields.Enum(WayOut, by_value=True, required=True)
    bin = text(longest=40)
    reason = text(required=True, longest=200)


@area.page("/warehouse/inspection", roles=FLOOR)
def inspect(desk: Desk) -> ResponseReturnValue:
    """This function will list what stands at the dock until somebody has looked at it."""
    with read() as session:
        standing = dock.standing(session, site_id=desk.site_id)
    return render_template("warehouse/inspection.html", lines=[line for line in standing if line.to_inspect])


@area.action("/warehouse/inspection/<int:move_id>", roles=FLOOR)
def find(desk: Desk, move_id: int) -> ResponseReturnValue:
    """This function will note what was found; what failed goes to quarantine."""
    form = read_form(FindingForm)

    def work(session: Session) -> None:
        dock.of_site(session, [move_id], site_id=desk.site_id)
        finding = Finding(move_id=move_id, passed=form["passed"], failed=form["failed"], reason=form["reason"].strip())
        inspection.record(session, [finding], actor=desk.actor, now=desk.now, today=desk.today)

    act("receipt.inspect", work)
    said = gettext("%(passed)s may be put away, %(failed)s went to quarantine.", **_figures(form))
    return done(url_for("quarantine.inspect"), said)


@area.page("/warehouse/quarantine", roles=FLOOR)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will list what lies in quarantine, since when and why."""
    with read() as session:
        lying = quarantine_sheets.lying(session, site_id=desk.site_id)
    return render_template(
        "warehouse/quarantine.html",
        lines=lying,
        value=sum(line.value for line in lying),
        ways_out=[(way.value, name) for way, name in WAYS_OUT.items()],
    )


@area.action("/warehouse/quarantine/let-out", roles=FLOOR)
def let_out(desk: Desk) -> ResponseReturnValue:
    """This function will let goods out of quarantine."""
    form = read_form(LeavingForm)

    def work(session: Session) -> None:
        code = form["bin"].strip() if form["way_out"] is WayOut.RELEASE else ""
        leaving = Leaving(
            location_id=form["location_id"],
            item_id=form["item_id"],
            lot_id=form["lot_id"],
            quantity=form["quantity"],
            way_out=form["way_out"],
            reason=form["reason"],
            bin_id=places.find(session, [code], site_id=desk.site_id)[code] if code else None,
        )
        quarantine.let_out(session, [leaving], site_id=desk.site_id, actor=desk.actor, now=desk.now, today=desk.today)

    act("quarantine.let_out", work)
    return done(url_for("quarantine.index"), gettext("%(number)s left quarantine.", number=form["quantity"]))


def _figures(form: dict[str, int]) -> dict[str, int]:
    return {"passed": form["passed"], "failed": form["failed"]}
