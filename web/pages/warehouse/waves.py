"""Waves: what must leave by which cut-off, released to the pickers together."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from warehouse import waves
from warehouse.sheets import bench, outbound, shortfalls
from warehouse.sheets.outbound import Stage
from web.area import Area
from web.desk import Desk, act, done, read
from web.pages.warehouse import words
from web.pages.warehouse.receiving import FLOOR
from web.schemas import Form, read_form

area = Area("waves", __name__)


class ReleaseForm(Form):
    """Which cut-off is served; without one, everything that is due."""

    carrier_service_id = fields.Integer(load_default=None)
    limit = fields.Integer(load_default=200, validate=validate.Range(min=1, max=waves.LARGEST_WAVE))


@area.page("/warehouse/waves", roles=FLOOR)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will show the cut-offs of today with what waits, and the waves under way."""
    with read() as session:
        return render_template(
            "warehouse/waves.html",
            cut_offs=outbound.by_cut_off(session, site_id=desk.site_id, now=desk.now, today=desk.today),
            open_waves=outbound.open_waves(session, site_id=desk.site_id),
            staged=bench.staged_orders(session, site_id=desk.site_id),
            shorts=shortfalls.open_shorts(session, site_id=desk.site_id),
            Stage=Stage,
            words=words.of_task("index"),
        )


@area.action("/warehouse/waves/release", roles=FLOOR)
def release(desk: Desk) -> ResponseReturnValue:
    """This function will release a wave for one cut-off."""
    form = read_form(ReleaseForm)

    def work(session: Session) -> dict[str, object]:
        wave = waves.release(
            session,
            site_id=desk.site_id,
            carrier_service_id=form["carrier_service_id"],
            limit=form["limit"],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )
        return {"number": wave.number, "picks": len(wave.pick_ids), "short": len(wave.short)}

    wave = act("wave.release", work)
    said = gettext("%(number)s is released with %(picks)s picks.", number=wave["number"], picks=wave["picks"])
    if wave["short"]:
        said += " " + gettext("%(lines)s promised lines found no bin and wait.", lines=wave["short"])
    return done(url_for("picking.show", number=wave["number"]), said)
