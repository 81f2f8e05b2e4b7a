"""Agreements: the terms of each item at each supplier, changed in place; new ones are added here."""

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

area = Area("master_agreements", __name__)
CHANGERS = frozenset({Role.BUYER, Role.ADMIN})
INPUTS = {
    "priority": Input(numeric=True, longest=4, hint=_l("The lowest number is the preferred source.")),
    "lead_time_days": Input(numeric=True, longest=4),
    "minimum_order_quantity": Input(numeric=True, longest=12),
    "order_multiple": Input(numeric=True, longest=12),
    "unit_price": Input(numeric=True, longest=20),
    "needs_inspection": Input(options=wording.yes_or_no),
    "retired": Input(options=wording.yes_or_no),
}
NEW = ("supplier", "sku", "lead_time_days", "unit_price", "minimum_order_quantity", "order_multiple")


def heading(found: Found, desk: Desk) -> Text:
    """This function will say how many agreements are shown."""
    return ngettext("%(num)s agreement", "%(num)s agreements", found.matching)


def save(session: Session, desk: Desk, edits: Sequence[Edited]) -> None:
    """This function will change cells of agreements."""
    texts = [edit.as_text("supplier", "sku") for edit in edits]
    cells.change_agreements(session, texts, company_id=desk.company.id, actor=desk.actor)


PAGE: InlinePage = InlinePage(
    name="master_agreements",
    rule="/master/agreements",
    roles=PEOPLE,
    listing=lambda desk: records.agreements(company_id=desk.company.id),
    columns=(
        Column(field="name", label=_l("Agreement"), shown=False),
        Column(field="sku", label=_l("SKU"), link=lambda row: wording.item_address(row["sku"]), filtered=True),
        Column(field="item", label=_l("Item"), on_phone=False),
        Column(
            field="supplier",
            label=_l("Supplier"),
            link=lambda row: wording.supplier_address(row["supplier"]),
            filtered=True,
        ),
        Column(field="priority", label=_l("Priority"), template="master/cell.html", on_phone=False),
        Column(field="lead_time_days", label=_l("Lead time, days"), template="master/cell.html", filtered=True),
        Column(field="minimum_order_quantity", label=_l("Minimum"), template="master/cell.html", on_phone=False),
        Column(field="order_multiple", label=_l("Multiple"), template="master/cell.html", on_phone=False),
        Column(field="unit_price", label=_l("Unit price"), template="master/cell.html"),
        Column(field="currency", label=_l("Currency"), shown=False),
        Column(
            field="needs_inspection",
            label=_l("Inspect at receipt"),
            template="master/cell.html",
            filtered=True,
            on_phone=False,
        ),
        Column(field="retired", label=_l("Retired"), template="master/cell.html", filtered=True, on_phone=False),
        Column(field="is_assumed", label=_l("Assumed figures"), shown=False, filtered=True, hint=wording.ASSUMED_HINT),
    ),
    identity="name",
    heading=heading,
    why_empty=_l("Agreements come with a file of agreements, or one by one."),
    presets=((_l("Assumed figures"), "is_assumed=yes"), (_l("In use"), "retired=no")),
    actions="master/agreement_actions.html",
    editable=frozenset(INPUTS),
    apply=inline.applied(lambda: PAGE),
    changers=CHANGERS,
    inputs=INPUTS,
    save=save,
    adds="master/new_agreement.html",
)
inline.register(area, PAGE)


@area.action("/master/agreements/new", roles=CHANGERS)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will add an agreement on one item with one supplier."""
    texts = {name: request.form.get(name, "") for name in NEW}
    act(
        "agreement.add",
        lambda session: cells.add_agreement(session, texts, company_id=desk.company.id, actor=desk.actor),
    )
    said = gettext("%(supplier)s supplies %(sku)s from now on.", supplier=texts["supplier"], sku=texts["sku"])
    return done(url_for("master_agreements.index", sku=texts["sku"]), said)
