"""Picking a wave along the path."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from warehouse import numbers, picking
from warehouse.picking import PickResult
from warehouse.sheets import picking as pick_sheets
from warehouse.sheets.picking import PickSheet
from warehouse.waves import Wave, WaveState
from web import i18n
from web.area import Area
from web.desk import Desk, act, done, read
from web.pages.warehouse import words
from web.pages.warehouse.receiving import FLOOR
from web.schemas import read_form, scans

area = Area("picking", __name__)


@area.page("/warehouse/pick/<number>", roles=FLOOR)
def show(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show the open picks of a wave in path order, and what was short."""
    with read() as session:
        sheet = pick_sheets.sheet(session, number, site_id=desk.site_id)
    return render_template(
        "warehouse/pick.html",
        sheet=sheet,
        lines=sheet.open_picks,
        short=[pick for pick in sheet.picks if pick.short],
        withdrawn=[pick for pick in sheet.picks if pick.withdrawn],
        finished=sheet.state is WaveState.PICKED,
        data=_data(sheet) if sheet.open_picks else None,
        words=words.of_task("pick"),
    )


@area.action("/warehouse/pick/<number>/post", roles=FLOOR)
def post(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will post what was picked; what was short keeps its promise."""
    results = [
        PickResult(move_id=row["line"], quantity=row["quantity"])
        for row in scans.rows(scans.PickedRow, read_form(scans.PickForm)["picked"])
    ]

    def work(session: Session) -> dict[str, Any]:
        result = picking.confirm(
            session,
            wave_id=numbers.find(session, Wave, number, site_id=desk.site_id),
            results=results,
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )
        return {"posted": len(result.posted_ids), "short": len(result.short), "finished": result.finished}

    result = act("wave.pick", work)
    if result["short"]:
        text = ngettext(
            "%(num)s pick was short: it keeps its promise, and its bin is to be counted.",
            "%(num)s picks were short: they keep their promise, and their bins are to be counted.",
            result["short"],
        )
        flash(text, "watch")
    said = ngettext("%(num)s pick stands in staging.", "%(num)s picks stand in staging.", result["posted"])
    onward = "packing.show" if result["finished"] and not result["short"] else "picking.show"
    return done(url_for(onward, number=number), said)


@area.action("/warehouse/pick/<number>/again", roles=FLOOR)
def look_again(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will look for what was short in other bins, as a wave of its own."""

    def work(session: Session) -> dict[str, Any]:
        wave_id = numbers.find(session, Wave, number, site_id=desk.site_id)
        found = picking.look_again(session, wave_id=wave_id, actor=desk.actor, now=desk.now, today=desk.today)
        return {"number": found.number, "missing": sum(one.quantity for one in found.short)}

    found = act("wave.look_again", work)
    said = gettext("%(number)s leads to other bins.", number=found["number"])
    if found["missing"]:
        said += " " + gettext("%(units)s more are in no bin.", units=found["missing"])
    return done(url_for("picking.show", number=found["number"]), said)


def _data(sheet: PickSheet) -> dict[str, Any]:
    return {
        "kind": "pick",
        "number": sheet.number,
        "lines": [
            {
                "id": pick.move_id,
                "sku": pick.card.sku,
                "name": pick.card.name,
                "unit": i18n.unit(pick.card.unit),
                "codes": dict(pick.card.codes),
                "wanted": pick.quantity,
                "bin": pick.bin_code,
                "order": pick.order_number,
                "lotText": gettext("Lot %(code)s", code=pick.lot_code) if pick.lot_code else "",
            }
            for pick in sheet.open_picks
        ],
    }
