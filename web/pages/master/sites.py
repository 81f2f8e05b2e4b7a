"""The company's sites: each with its own stock, people, working days and demand."""

from __future__ import annotations

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from scm.core.listing import Found
from scm.core.users import Role
from scm.master import sites
from scm.master.sites import SiteRequest
from web.area import PEOPLE, Area
from web.desk import Desk, act, done
from web.i18n import Text
from web.listing import Column, ListPage
from web.listing.routes import register
from web.pages.master import wording
from web.pages.master.locations import whole

area = Area("master_sites", __name__)
CHANGERS = frozenset({Role.ADMIN})


def heading(found: Found, desk: Desk) -> Text:
    """This function will say how many sites are shown."""
    return ngettext("%(num)s site", "%(num)s sites", found.matching)


PAGE = ListPage(
    name="master_sites",
    rule="/master/sites",
    roles=PEOPLE,
    listing=lambda desk: sites.listing(company_id=desk.company.id),
    columns=(
        Column(field="code", label=_l("Site")),
        Column(field="name", label=_l("Name")),
        Column(field="zone", label=_l("Time zone"), on_phone=False),
        Column(field="bins", label=_l("Bins")),
    ),
    identity="code",
    heading=heading,
    why_empty=_l("A company begins with one site."),
    actions="master/site_actions.html",
)
register(area, PAGE)
area.context_processor(lambda: {"weekday_names": wording.WEEKDAYS})


@area.action("/master/sites/new", roles=CHANGERS)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will open a site with its places."""
    form = request.form
    wanted = SiteRequest(
        code=form.get("code", ""),
        name=form.get("name", ""),
        zone=form.get("zone", ""),
        bin_count=whole(form.get("bins", ""), name="bins"),
        working_weekdays=[day for day in range(7) if f"{day}" in form.getlist("works")],
    )
    act("site.add", lambda session: sites.add(session, wanted, company_id=desk.company.id, actor=desk.actor))
    said = gettext("The site %(code)s is open. Give it lanes, and its people their site.", code=wanted.code.upper())
    return done(url_for("master_sites.index"), said)
