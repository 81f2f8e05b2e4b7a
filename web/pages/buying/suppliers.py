"""Suppliers: the list with what was measured, and one supplier's page."""

from __future__ import annotations

from collections.abc import Sequence

from flask import g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from procurement import supplier_list, suppliers
from procurement.evidence import Measured
from scm.core.listing import Row
from scm.core.users import Role
from web import desk as desks
from web.area import Area
from web.desk import Desk, read
from web.listing import Column, ListPage, routes
from web.pages.buying import pictures, wording

area = Area("suppliers", __name__)
READERS = frozenset({Role.PLANNER, Role.BUYER, Role.APPROVER, Role.WAREHOUSE, Role.ADMIN})

SUPPLIERS = ListPage(
    name="suppliers",
    rule="/suppliers",
    roles=READERS,
    listing=lambda desk: supplier_list.listing(company_id=desk.company.id, site_id=desk.site_id),
    columns=(
        Column(
            field="name",
            label=_l("Supplier"),
            filtered=True,
            link=lambda row: url_for("suppliers.show", code=row["code"]),
        ),
        Column(field="code", label=_l("Code"), filtered=True, template="buying/supplier_code.html"),
        Column(field="owed", label=_l("Orders owed"), filtered=True),
        Column(field="undecided", label=_l("To decide or send"), filtered=True, on_phone=False),
        Column(field="agreements", label=_l("Items"), filtered=True, on_phone=False),
        Column(field="newest_date", label=_l("Last sent"), filtered=True, on_phone=False),
        Column(field="minimum_order_value", label=_l("Minimum order"), filtered=True, on_phone=False),
        Column(field="currency", label=_l("Currency"), shown=False),
        Column(field="review_period_days", label=_l("Ordered every, days"), shown=False, filtered=True),
        Column(field="country", label=_l("Country"), shown=False, filtered=True),
        Column(field="retired", label=_l("Retired"), shown=False, filtered=True),
    ),
    identity="code",
    heading=lambda found, desk: ngettext("%(num)s supplier", "%(num)s suppliers", found.matching),
    why_empty=_l("Suppliers are master data: they are imported or entered there."),
    presets=((_l("In use"), "retired=no"),),
)
routes.register(area, SUPPLIERS)


@area.page("/suppliers/<code>", roles=READERS)
def show(desk: Desk, code: str) -> ResponseReturnValue:
    """This function will show one supplier."""
    with read() as session:
        found = suppliers.page(session, code=code, company_id=desk.company.id, site_id=desk.site_id, today=desk.today)
    return render_template("buying/supplier.html", supplier=found, wording=wording, pictures=pictures)


@area.app_template_global("punctuality_of")
def punctuality_of(supplier_id: int, page: Sequence[Row]) -> Measured | None:
    """This function will give how punctual a supplier was; those of a page of the list are read once."""
    if "punctuality" not in g:
        with read() as session:
            g.punctuality = suppliers.punctuality(
                session, today=desks.current().today, supplier_ids=[row["key"] for row in page]
            )
    found: dict[int, Measured] = g.punctuality
    return found.get(supplier_id)
