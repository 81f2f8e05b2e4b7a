"""Carriers' services from the site: days on the way and the cut-off, which the next promise follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from scm.core.listing import Found
from scm.core.users import Role
from scm.master import lanes, records
from scm.master.cells import BadCell
from scm.master.lanes import ServiceRequest, Terms
from web.area import PEOPLE, Area
from web.desk import Desk, act, done
from web.i18n import Text
from web.listing import Column
from web.pages.master import inline, wording
from web.pages.master.inline import Edited, InlinePage, Input
from web.pages.master.locations import whole

area = Area("master_carriers", __name__)
CHANGERS = frozenset({Role.WAREHOUSE, Role.ADMIN})
INPUTS = {
    "transit_days": Input(numeric=True, longest=3),
    "cut_off": Input(longest=5, hint=_l("Local time by which parcels are ready, for example 16:00.")),
    "parcel_cost": Input(numeric=True, longest=14, hint=_l("It decides between sites that could serve an order.")),
    "retired": Input(options=wording.yes_or_no),
}


def heading(found: Found, desk: Desk) -> Text:
    """This function will say how many services are shown."""
    return ngettext("%(num)s carrier's service", "%(num)s carriers' services", found.matching)


def save(session: Session, desk: Desk, edits: Sequence[Edited]) -> None:
    """This function will change services, each as somebody believes it is."""
    for edit in edits:
        believed, wanted = (_terms(edit, text) for text in (edit.believed, edit.wanted))
        service_id = int(edit.row["key"])
        lanes.change(
            session, service_id=service_id, site_id=desk.site_id, believed=believed, wanted=wanted, actor=desk.actor
        )


def _terms(edit: Edited, text: str) -> Terms:
    row = edit.row
    return Terms(
        transit_days=whole(text, name="transit_days") if edit.field == "transit_days" else int(row["transit_days"]),
        cut_off=clock_time(text if edit.field == "cut_off" else str(row["cut_off"])),
        retired=text == "yes" if edit.field == "retired" else bool(row["retired"]),
        parcel_cost=whole(text, name="parcel_cost") if edit.field == "parcel_cost" else int(row["parcel_cost"]),
    )


def clock_time(text: str) -> time:
    """This function will read a time of day to the minute. Raises `BadCell`."""
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0)
    except ValueError:
        raise BadCell(f"the cut-off cannot be {text[:20] or 'empty'}: write it as 16:00") from None


PAGE: InlinePage = InlinePage(
    name="master_carriers",
    rule="/master/carriers",
    roles=PEOPLE,
    listing=lambda desk: records.services(site_id=desk.site_id),
    columns=(
        Column(field="code", label=_l("Service")),
        Column(field="name", label=_l("Service and destination"), sortable=False, shown=False),
        Column(field="carrier", label=_l("Carrier"), on_phone=False),
        Column(
            field="country",
            label=_l("Destination"),
            template="master/destination.html",
            on_phone=False,
        ),
        Column(field="transit_days", label=_l("Days on the way"), template="master/cell.html"),
        Column(field="cut_off", label=_l("Cut-off"), template="master/cell.html"),
        Column(field="parcel_cost", label=_l("Cost of a parcel"), template="master/cell.html", on_phone=False),
        Column(field="retired", label=_l("Retired"), template="master/cell.html", filtered=True, on_phone=False),
    ),
    identity="name",
    heading=heading,
    why_empty=_l("Without a service nothing can be promised: add one."),
    actions="master/carrier_actions.html",
    editable=frozenset(INPUTS),
    apply=inline.applied(lambda: PAGE),
    changers=CHANGERS,
    inputs=INPUTS,
    save=save,
    adds="master/new_service.html",
)
inline.register(area, PAGE)


@area.action("/master/carriers/new", roles=CHANGERS)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will add a service of a carrier from this site."""
    form = request.form
    wanted = ServiceRequest(
        carrier=form.get("carrier", ""),
        code=form.get("code", ""),
        country=form.get("country", ""),
        transit_days=whole(form.get("transit_days", ""), name="transit_days"),
        cut_off=clock_time(form.get("cut_off", "")),
    )
    act(
        "carrier_service.add",
        lambda session: lanes.add(session, wanted, site_id=desk.site_id, company_id=desk.company.id, actor=desk.actor),
    )
    return done(url_for("master_carriers.index"), gettext("The service %(code)s is added.", code=wanted.code))
