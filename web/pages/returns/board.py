"""The desk's day: the four queues with their ages, the scan box, and the parcels nobody expects."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from aftersales import lookup, queues, showing
from scm.core.users import Role
from web.desk import Desk, read
from web.pages.returns import LOOKS, area, words


@area.page("/returns", roles=LOOKS)
def index(desk: Desk) -> ResponseReturnValue:
    with read() as session:
        found = queues.of_site(session, site_id=desk.site_id, today=desk.today)
        unknown = showing.parcels_waiting(session, site_id=desk.site_id)
    steps = (found.to_inspect, found.to_dispose, found.to_refund, found.to_receive)
    return render_template(
        "returns/index.html",
        queues=found,
        unknown=unknown,
        waiting=sum(queue.lines for queue in steps[:3]),
        old=sum(queue.old for queue in steps[:3]),
        old_days=queues.OLD_DAYS,
        words=words,
        handles=desk.has(Role.RETURNS, Role.WAREHOUSE),
    )


@area.page("/returns/scan", roles={Role.RETURNS, Role.WAREHOUSE})
def scan(desk: Desk) -> ResponseReturnValue:
    code = request.args.get("code", "").strip()
    if not code:
        return render_template("returns/scan.html", matches=None, words=words)
    with read() as session:
        matches = lookup.find(session, code, site_id=desk.site_id)
    if matches.the_return is not None:
        return redirect(url_for("returns.work", number=matches.the_return.number))
    if matches.the_order is not None:
        return redirect(url_for("returns.choose", order_number=matches.the_order.number))
    return render_template("returns/scan.html", matches=matches, words=words)
