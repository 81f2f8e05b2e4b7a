"""A new order by hand: somebody asks for one item, or the buyer orders from one supplier's list."""

from __future__ import annotations

from datetime import date

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import fields
from sqlalchemy.orm import Session

from procurement import offers, orders, requisitions
from procurement.drafting import OrderLineRequest
from procurement.purchase_orders import PurchaseOrder
from scm.core.errors import InvalidInput
from scm.core.users import Role
from web.desk import Desk, act, done, not_here, read
from web.pages.buying.orders import BUYERS, area
from web.schemas import Form, quantity, read_form, text

ASKERS = frozenset({Role.PLANNER, Role.BUYER, Role.WAREHOUSE, Role.SALES})
PREFIX = "quantity-"


class AskForm(Form):
    """What somebody asks for."""

    sku = text(required=True, longest=40)
    quantity = quantity()
    due_date = fields.Date(required=True)
    reason = text()


class BadOrderForm(InvalidInput):
    """A quantity or a day of a hand-written order cannot be read."""


@area.page("/purchase-orders/new", roles=ASKERS)
def new(desk: Desk) -> ResponseReturnValue:
    """This function will show the form for one item, and the items of a supplier once one is chosen."""
    code, search = request.args.get("supplier", ""), request.args.get("q", "")[:100].replace("\0", "")
    with read() as session:
        known = offers.suppliers(session, company_id=desk.company.id)
        chosen = next((one for one in known if one[1] == code), None)
        if code and chosen is None:
            not_here("supplier", code)
        offered, matching = (
            offers.of_supplier(session, supplier_id=chosen[0], site_id=desk.site_id, search=search)
            if chosen
            else ([], 0)
        )
    return render_template(
        "buying/new.html",
        suppliers=known,
        chosen=chosen,
        offered=offered,
        matching=matching,
        search=search,
        sku=request.args.get("sku", "")[:40],
    )


@area.action("/purchase-orders/ask", roles=ASKERS)
def ask(desk: Desk) -> ResponseReturnValue:
    """This function will put what somebody asks for on a draft to the item's supplier."""
    wanted = read_form(AskForm)

    def work(session: Session) -> str:
        requested = requisitions.ask(
            session,
            item_id=offers.item_of(session, sku=wanted["sku"], company_id=desk.company.id),
            quantity=wanted["quantity"],
            due_date=wanted["due_date"],
            reason=wanted["reason"],
            site_id=desk.site_id,
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )
        return requested.number

    number = act("purchase_order.ask", work)
    said = gettext("It stands on the draft %(number)s; the buyer submits it.", number=number)
    return done(url_for("purchase_orders.show", number=number), said)


@area.action("/purchase-orders/new", roles=BUYERS)
def write(desk: Desk) -> ResponseReturnValue:
    """This function will draft an order of every quantity that was filled in."""
    lines = _lines()

    def work(session: Session) -> str:
        written = orders.write(session, lines, site_id=desk.site_id, actor=desk.actor, now=desk.now, today=desk.today)
        return session.get_one(PurchaseOrder, written[0]).number

    number = act("purchase_order.write", work)
    return done(url_for("purchase_orders.show", number=number), gettext("%(number)s is drafted.", number=number))


def _lines() -> list[OrderLineRequest]:
    """The filled rows. Quantities are of one supplier's agreements, so that one order comes of them."""
    try:
        due_date = date.fromisoformat(request.form.get("due_date", ""))
        found = [
            OrderLineRequest(
                agreement_id=int(name.removeprefix(PREFIX)),
                quantity=int(value),
                due_date=due_date,
                reason=request.form.get("reason", "")[:400],
            )
            for name, value in request.form.items()
            if name.startswith(PREFIX) and value.strip()
        ]
    except ValueError:
        raise BadOrderForm("an order needs whole numbers and the day by which the goods are wanted") from None
    if not found:
        raise BadOrderForm("no quantity was filled in: fill in at least one")
    return found
