"""From a delivered order to a return: which line, how many, and why. An unknown parcel may be matched by it."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from aftersales import desk as verbs
from aftersales import lookup, returnable
from aftersales.returns import ReturnRequest
from scm.sales import order_sheet
from web.desk import Desk, act, done, not_here, read
from web.pages.returns import PAYS, area, words
from web.schemas import read_form
from web.schemas.returns import AuthorizeForm


@area.page("/returns/authorize/<order_number>", roles=PAYS)
def choose(desk: Desk, order_number: str) -> ResponseReturnValue:
    with read() as session:
        order = order_sheet.read(session, number=order_number, site_id=desk.site_id)
        lines = returnable.of_orders(session, [order.id])
    return render_template(
        "returns/authorize.html",
        order=order,
        lines=[line for line in lines if line.delivered],
        parcel=request.args.get("parcel", "")[:30],
        words=words,
    )


@area.page("/returns/orders", roles=PAYS)
def find_order(desk: Desk) -> ResponseReturnValue:
    """From any number on a paper to the order it is about, for a parcel that waits for its owner."""
    code, parcel = request.args.get("code", ""), request.args.get("parcel", "")[:30]
    with read() as session:
        orders = lookup.find(session, code, site_id=desk.site_id).orders
    if len(orders) != 1:
        not_here("order", code)
    return redirect(url_for("returns.choose", order_number=orders[0].number, parcel=parcel))


@area.action("/returns/authorize/<order_number>", roles=PAYS)
def authorize(desk: Desk, order_number: str) -> ResponseReturnValue:
    form = read_form(AuthorizeForm)
    wanted = ReturnRequest(
        sales_order_line_id=form["line"], quantity=form["quantity"], reason=form["reason"], lot_id=form.get("lot")
    )
    number = act(
        "return.authorize",
        lambda session: verbs.authorize(
            session,
            wanted,
            order_number=order_number,
            site_id=desk.site_id,
            parcel_number=form["parcel"] or None,
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        ),
    )
    return done(url_for("returns.work", number=number), gettext("%(number)s is authorized.", number=number))
