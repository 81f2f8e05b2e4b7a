"""Who did what: the audit trail, with links to the documents and the state of its seals."""

from __future__ import annotations

from typing import Any

from flask import current_app, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from scm.core import clock, sealing
from scm.core.listing import Found, Row
from scm.core.users import Role
from scm.loop import audit_trail
from web import area as access
from web.area import Area
from web.desk import Desk, current, read
from web.formats import count
from web.i18n import Text
from web.listing import Column, ListPage
from web.listing.routes import register
from web.pages.operations import deeds, details

area = Area("audit", __name__)

# The kind of a document → the endpoint that shows it, and the part of its address.
SHOWN_BY = {
    "purchase_order": ("purchase_orders.show", "number"),
    "sales_order": ("sales_orders.show", "number"),
    "goods_receipt": ("receipts.show", "number"),
    "wave": ("picking.show", "number"),
    "shipment": ("shipments.show", "number"),
    "cycle_count": ("counts.show", "number"),
    "transfer": ("transfers.show", "number"),
    "return_authorization": ("returns.show", "number"),
    "item": ("items.show", "sku"),
}


def address_of(row: Row) -> str | None:
    """This function will give the address of a row's document, if there is a page of it that this person may open."""
    if row["kind"] == "job_run":
        return url_for("jobs.show", run_id=row["document_id"])
    endpoint, part = SHOWN_BY.get(row["kind"], ("", ""))
    if not row["document"] or endpoint not in current_app.view_functions or not access.may(current(), endpoint):
        return None
    rule = next(current_app.url_map.iter_rules(endpoint))
    named: dict[str, Any] = {part: row["document"]}
    return url_for(endpoint, **named) if rule.arguments == {part} else None


def _heading(found: Found, desk: Desk) -> Text:
    return ngettext(
        "%(count)s entry in the audit trail",
        "%(count)s entries in the audit trail",
        found.matching,
        count=count(found.matching),
    )


TRAIL = ListPage(
    name="audit",
    rule="/audit",
    roles=frozenset({Role.ADMIN, Role.APPROVER}),
    listing=lambda desk: audit_trail.listing(),
    columns=(
        Column(field="at", label=_l("When"), filtered=True, sortable=False),
        Column(field="person", label=_l("Who"), filtered=True, sortable=False),
        Column(field="username", label=_l("User name"), shown=False, sortable=False),
        Column(
            field="verb",
            label=_l("What was done"),
            filtered=True,
            sortable=False,
            template="operations/audit_deed.html",
        ),
        Column(
            field="kind",
            label=_l("Kind of document"),
            filtered=True,
            sortable=False,
            template="operations/audit_kind.html",
        ),
        Column(
            field="document",
            label=_l("Document"),
            filtered=True,
            sortable=False,
            template="operations/audit_document.html",
        ),
        Column(field="document_id", label=_l("Internal number"), shown=False, sortable=False),
        Column(field="entry", label=_l("Entry"), shown=False, sortable=False),
        Column(field="detail", label=_l("Details"), sortable=False, template="operations/audit_detail.html"),
    ),
    identity="entry",
    heading=_heading,
    why_empty=_l("Every change that a person, a rule or a job makes is noted here, and nothing has been changed yet."),
    aside="operations/audit_seals.html",
    presets=(
        (_l("Sign-ins and users"), "kind.has=user"),
        (_l("Purchase orders"), "kind.has=purchase_order"),
        (_l("Master data"), "kind.has=item"),
        (_l("Jobs"), "kind.has=job_run"),
    ),
)
register(area, TRAIL)
area.add_app_template_global(address_of, "audit_address")
area.add_app_template_global(deeds.deed_of, "audit_deed")
area.add_app_template_global(deeds.kind_of, "audit_kind")
area.add_app_template_global(details.details_of, "audit_details")


@area.page("/audit/seals", roles=TRAIL.roles)
def seals(desk: Desk) -> ResponseReturnValue:
    """This function will tell how old the oldest entry is that no seal holds, as a part of the page."""
    with read() as session:
        waiting = sealing.unsealed(session)
        newest = sealing.newest(session)
    return render_template("operations/seals.html", waiting=waiting, newest=newest, now=clock.wall_now())
