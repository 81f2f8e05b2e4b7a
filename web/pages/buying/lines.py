"""What is done to the lines of an order: changed, added, taken off, the rest given up."""

from __future__ import annotations

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import fields
from sqlalchemy.orm import Session

from procurement import amending, offers, purchase_orders
from procurement.drafting import OrderLineRequest
from procurement.purchase_orders import PurchaseOrder
from web.desk import Desk, act, done
from web.pages.buying.orders import BUYERS, area
from web.schemas import Form, quantity, read_form, text


class LineForm(Form):
    """A new quantity or due date of a line."""

    quantity = quantity()
    due_date = fields.Date(required=True)


class NewLineForm(Form):
    """A line to add, by the SKU of one of the supplier's items."""

    sku = text(required=True, longest=40)
    quantity = quantity()
    due_date = fields.Date(required=True)
    reason = text()


class ReasonForm(Form):
    """Why the rest of a line is given up."""

    reason = text()


@area.action("/purchase-orders/<number>/lines/<int:line_id>/edit", roles=BUYERS)
def edit_line(desk: Desk, number: str, line_id: int) -> ResponseReturnValue:
    """This function will change quantity and due date of a line; the order is a draft again."""
    wanted = read_form(LineForm)

    def work(session: Session) -> str:
        order_id = purchase_orders.find(session, number=number, site_id=desk.site_id)
        amending.edit_line(
            session,
            line_id=line_id,
            order_id=order_id,
            quantity=wanted["quantity"],
            due_date=wanted["due_date"],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )
        return number

    act("purchase_order.edit_line", work)
    return _shown(number, gettext("The line is changed; the order is a draft."))


@area.action("/purchase-orders/<number>/lines/add", roles=BUYERS)
def add_line(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will add a line; the order is a draft again."""
    wanted = read_form(NewLineForm)

    def work(session: Session) -> str:
        order = session.get_one(PurchaseOrder, purchase_orders.find(session, number=number, site_id=desk.site_id))
        agreement_id = offers.agreement_of(session, sku=wanted["sku"], supplier_id=order.supplier_id)
        line = OrderLineRequest(
            agreement_id=agreement_id,
            quantity=wanted["quantity"],
            due_date=wanted["due_date"],
            reason=wanted["reason"],
        )
        amending.add_lines(session, order.id, [line], actor=desk.actor, now=desk.now, today=desk.today)
        return number

    act("purchase_order.add_line", work)
    return _shown(number, gettext("The line is added; the order is a draft."))


@area.action("/purchase-orders/<number>/lines/<int:line_id>/remove", roles=BUYERS)
def remove_line(desk: Desk, number: str, line_id: int) -> ResponseReturnValue:
    """This function will take a line off; the order is a draft again."""

    def work(session: Session) -> str:
        order_id = purchase_orders.find(session, number=number, site_id=desk.site_id)
        amending.remove_line(
            session, line_id=line_id, order_id=order_id, actor=desk.actor, now=desk.now, today=desk.today
        )
        return number

    act("purchase_order.remove_line", work)
    return _shown(number, gettext("The line is off the order; a proposal behind it waits to be ordered again."))


@area.action("/purchase-orders/<number>/lines/<int:line_id>/close-short", roles=BUYERS)
def close_short(desk: Desk, number: str, line_id: int) -> ResponseReturnValue:
    """This function will give up what the supplier still owes of a line."""
    reason = read_form(ReasonForm)["reason"]

    def work(session: Session) -> str:
        order_id = purchase_orders.find(session, number=number, site_id=desk.site_id)
        amending.close_short(session, line_id=line_id, order_id=order_id, reason=reason, actor=desk.actor, now=desk.now)
        return number

    act("purchase_order.close_short", work)
    return _shown(number, gettext("The rest of the line is given up."))


def _shown(number: str, message: str) -> ResponseReturnValue:
    return done(url_for("purchase_orders.show", number=number), message)
