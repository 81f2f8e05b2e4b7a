"""What a supplier asks for an order, and what it is paid, on the order's page."""

from __future__ import annotations

from decimal import Decimal

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import fields
from sqlalchemy.orm import Session

from procurement import settling
from scm.core.users import Role
from scm.finance import payables
from web.desk import Desk, act, done, read
from web.pages.buying.orders import area
from web.pages.buying.rules import minor_units
from web.schemas import Form, read_form, text

KEEPERS = frozenset({Role.BUYER, Role.ADMIN})


class InvoiceForm(Form):
    """A supplier's invoice, in the order's currency."""

    invoice_number = text(required=True, longest=payables.LONGEST_NUMBER)
    amount = fields.Decimal(required=True, allow_nan=False)
    vat_amount = fields.Decimal(load_default=Decimal(0), allow_nan=False)
    invoice_date = fields.Date(required=True)


class PaymentForm(Form):
    """Money that went to the supplier, in the order's currency."""

    amount = fields.Decimal(required=True, allow_nan=False)
    paid_date = fields.Date(required=True)


@area.action("/purchase-orders/<number>/invoices", roles=KEEPERS)
def record_invoice(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will record what the supplier asks for goods that came."""
    form = read_form(InvoiceForm)
    currency = _currency(desk, number)
    amount, vat_amount = (minor_units(form[name], currency) for name in ("amount", "vat_amount"))

    def work(session: Session) -> int:
        return settling.record_invoice(
            session,
            number=number,
            site_id=desk.site_id,
            invoice_number=form["invoice_number"],
            amount=amount,
            vat_amount=vat_amount,
            invoice_date=form["invoice_date"],
            actor=desk.actor,
            now=desk.now,
        )

    act("supplier_invoice.record", work)
    said = gettext("The supplier's invoice %(number)s is recorded.", number=form["invoice_number"])
    return done(url_for("purchase_orders.show", number=number), said)


@area.action("/purchase-orders/<number>/invoices/<int:invoice_id>/pay", roles=KEEPERS)
def pay(desk: Desk, number: str, invoice_id: int) -> ResponseReturnValue:
    """This function will record money that went to the supplier."""
    form = read_form(PaymentForm)
    amount = minor_units(form["amount"], _currency(desk, number))

    def work(session: Session) -> int:
        return settling.pay(
            session,
            number=number,
            site_id=desk.site_id,
            invoice_id=invoice_id,
            amount=amount,
            paid_date=form["paid_date"],
            actor=desk.actor,
            now=desk.now,
        )

    act("supplier_payment.record", work)
    return done(url_for("purchase_orders.show", number=number), gettext("The payment is recorded."))


def _currency(desk: Desk, number: str) -> str:
    with read() as session:
        return settling.of_number(session, number=number, site_id=desk.site_id).currency
