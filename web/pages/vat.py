"""VAT rates: of everything, of a category, of one item, each from a day on."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from marshmallow import fields

from scm.core.users import Role
from scm.finance import vat, vat_list
from scm.finance.vat import VatRequest
from scm.finance.vat_list import Scope
from web.area import Area
from web.desk import Desk, act, done
from web.i18n import Text
from web.listing import Column, ListPage
from web.listing.routes import register
from web.schemas import Form, read_form, text

area = Area("vat", __name__)
READERS = frozenset({Role.BUYER, Role.APPROVER, Role.SALES, Role.RETURNS, Role.ADMIN})
KEEPERS = frozenset({Role.ADMIN})
SCOPES: Mapping[enum.Enum, Text] = {
    Scope.EVERYTHING: _l("everything"),
    Scope.CATEGORY: _l("category"),
    Scope.ITEM: _l("item"),
}


class RateForm(Form):
    """A rate in per cent, from a day on."""

    sku = text(longest=40)
    category = text(longest=40)
    per_cent = fields.Decimal(required=True, allow_nan=False)
    valid_from = fields.Date(required=True)


RATES = ListPage(
    name="vat",
    rule="/vat",
    roles=READERS,
    listing=lambda desk: vat_list.listing(company_id=desk.company.id),
    identity="name",
    heading=lambda found, desk: ngettext("%(num)s VAT rate", "%(num)s VAT rates", found.matching),
    why_empty=_l("No rate is recorded: orders and invoices are without VAT."),
    actions="vat/actions.html",
    columns=(
        Column(field="name", label=_l("Rate"), shown=False, sortable=False),
        Column(field="scope", label=_l("Holds for"), filtered=True, sortable=False, names=SCOPES),
        Column(field="code", label=_l("Code"), filtered=True, sortable=False),
        Column(field="rate", label=_l("VAT rate")),
        Column(field="valid_from", label=_l("From"), filtered=True),
        Column(field="valid_until", label=_l("Until"), on_phone=False),
    ),
)
register(area, RATES)


@area.action("/vat/set", roles=KEEPERS)
def set_rate(desk: Desk) -> ResponseReturnValue:
    """This function will let a rate hold from a day on."""
    form = read_form(RateForm)
    wanted = VatRequest(
        rate=form["per_cent"] / Decimal(100),
        valid_from=form["valid_from"],
        sku=form["sku"],
        category=form["category"],
    )
    act(
        "vat_rate.set",
        lambda session: vat.set_rate(session, wanted, company_id=desk.company.id, actor=desk.actor),
    )
    return done(url_for("vat.index"), gettext("The rate is set: orders from that day on have it."))
