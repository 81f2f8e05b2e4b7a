"""Suppliers with their terms of order, changed in place; new ones are added here."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from scm.core.listing import Found
from scm.core.users import Role
from scm.master import cells, records
from web.area import PEOPLE, Area
from web.desk import Desk, act, done
from web.i18n import Text
from web.listing import Column
from web.pages.master import inline, wording
from web.pages.master.inline import Edited, InlinePage, Input

area = Area("master_suppliers", __name__)
CHANGERS = frozenset({Role.BUYER, Role.ADMIN})
INPUTS = {
    "name": Input(longest=160),
    "email": Input(hint=_l("Orders are sent to it.")),
    "country": Input(longest=60),
    "currency": Input(longest=3, hint=_l("Three capital letters, for example GBP.")),
    "review_period_days": Input(numeric=True, longest=4),
    "review_weekday": Input(options=wording.weekdays),
    "minimum_order_value": Input(numeric=True, longest=16),
    "joint_order_cost": Input(numeric=True, longest=16),
    "over_receipt_rate": Input(numeric=True, longest=11, hint=_l("A share: 0.05 is 5%.")),
    "retired": Input(options=wording.yes_or_no),
}
NEW = ("code", "name", "email", "country", "currency", "review_period_days")


def heading(found: Found, desk: Desk) -> Text:
    """This function will say how many suppliers are shown."""
    return ngettext("%(num)s supplier", "%(num)s suppliers", found.matching)


def save(session: Session, desk: Desk, edits: Sequence[Edited]) -> None:
    """This function will change cells of suppliers."""
    texts = [edit.as_text("code") for edit in edits]
    cells.change_suppliers(session, texts, company_id=desk.company.id, actor=desk.actor)


PAGE: InlinePage = InlinePage(
    name="master_suppliers",
    rule="/master/suppliers",
    roles=PEOPLE,
    listing=lambda desk: records.suppliers(company_id=desk.company.id),
    columns=(
        Column(field="code", label=_l("Supplier"), link=lambda row: wording.supplier_address(row["code"])),
        Column(field="name", label=_l("Name"), template="master/cell.html"),
        Column(field="email", label=_l("E-mail"), template="master/cell.html", on_phone=False),
        Column(field="country", label=_l("Country"), template="master/cell.html", shown=False),
        Column(field="currency", label=_l("Currency"), template="master/cell.html", on_phone=False),
        Column(
            field="review_period_days", label=_l("Review period, days"), template="master/cell.html", on_phone=False
        ),
        Column(field="review_weekday", label=_l("Ordered from on"), template="master/cell.html", on_phone=False),
        Column(field="minimum_order_value", label=_l("Minimum order"), template="master/cell.html", on_phone=False),
        Column(field="joint_order_cost", label=_l("Cost of an order"), template="master/cell.html", on_phone=False),
        Column(field="over_receipt_rate", label=_l("Over-receipt"), template="master/cell.html", shown=False),
        Column(
            field="agreements",
            label=_l("Items"),
            link=lambda row: url_for("master_agreements.index", supplier=row["code"]),
        ),
        Column(field="retired", label=_l("Retired"), template="master/cell.html", filtered=True, on_phone=False),
        Column(field="is_assumed", label=_l("Assumed figures"), shown=False, filtered=True, hint=wording.ASSUMED_HINT),
    ),
    identity="code",
    heading=heading,
    why_empty=_l("Suppliers come with a file of suppliers, or one by one."),
    presets=((_l("Assumed figures"), "is_assumed=yes"), (_l("In use"), "retired=no")),
    actions="master/supplier_actions.html",
    editable=frozenset(INPUTS),
    apply=inline.applied(lambda: PAGE),
    changers=CHANGERS,
    inputs=INPUTS,
    save=save,
    adds="master/new_supplier.html",
)
inline.register(area, PAGE)


@area.action("/master/suppliers/new", roles=CHANGERS)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will add a supplier with its terms of order."""
    texts = {name: request.form.get(name, "") for name in NEW}
    act(
        "partner.add",
        lambda session: cells.add_supplier(session, texts, company_id=desk.company.id, actor=desk.actor),
    )
    said = gettext("%(code)s is added. Agree on the items it supplies.", code=texts["code"])
    return done(url_for("master_suppliers.index", q=texts["code"]), said)
