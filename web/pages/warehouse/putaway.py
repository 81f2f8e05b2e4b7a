"""Putting away what stands at the dock."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from sqlalchemy.orm import Session

from warehouse import places, putaway
from warehouse.putaway import PutAway
from warehouse.sheets import dock
from web import i18n
from web.area import Area
from web.desk import Desk, act, done, read
from web.pages.warehouse import words
from web.pages.warehouse.receiving import FLOOR
from web.schemas import read_form, scans

area = Area("putaway", __name__)


@area.page("/warehouse/put-away", roles=FLOOR)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will show what waits at the dock and where it may go."""
    with read() as session:
        standing = dock.standing(session, site_id=desk.site_id)
    ready = [line for line in standing if not line.to_inspect]
    data = {
        "kind": "putaway",
        "number": desk.site.code,
        "lines": [
            {
                "id": line.move_id,
                "sku": line.card.sku,
                "name": line.card.name,
                "unit": i18n.unit(line.card.unit),
                "codes": dict(line.card.codes),
                "wanted": line.quantity,
                "bin": line.bin_code,
            }
            for line in ready
        ],
    }
    return render_template(
        "warehouse/putaway.html",
        lines=ready,
        to_inspect=[line for line in standing if line.to_inspect],
        data=data if ready else None,
        words=words.of_task("putaway"),
    )


@area.action("/warehouse/put-away/post", roles=FLOOR)
def post(desk: Desk) -> ResponseReturnValue:
    """This function will post what was put into bins."""
    rows = scans.rows(scans.PutRow, read_form(scans.PutForm)["put"])

    def work(session: Session) -> int:
        bins = places.find(session, {row["bin"] for row in rows}, site_id=desk.site_id)
        dock.of_site(session, sorted({row["line"] for row in rows}), site_id=desk.site_id)
        put = [PutAway(move_id=row["line"], bin_id=bins[row["bin"]], quantity=row["quantity"]) for row in rows]
        return len(putaway.put_away(session, put, actor=desk.actor, now=desk.now, today=desk.today).posted)

    posted = act("putaway.post", work)
    said = ngettext("%(num)s line stands in its bin.", "%(num)s lines stand in their bins.", posted)
    return done(url_for("putaway.index"), said)
