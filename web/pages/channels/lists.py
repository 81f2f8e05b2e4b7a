"""The list of channels."""

from __future__ import annotations

from flask import url_for
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from scm.sales import channel_list
from web.listing import Column, ListPage
from web.listing.routes import register
from web.pages.channels import KINDS, LOOKS, area

LIST = ListPage(
    name="channels",
    rule="/channels",
    roles=LOOKS,
    listing=lambda desk: channel_list.listing(company_id=desk.company.id),
    identity="code",
    heading=lambda found, desk: ngettext("%(num)s channel", "%(num)s channels", found.matching),
    why_empty=_l("Without a channel no order can be taken: add one."),
    actions="channels/list_actions.html",
    columns=(
        Column(field="code", label=_l("Channel"), link=lambda row: url_for("channels.show", code=row["code"])),
        Column(field="name", label=_l("Name"), filtered=True),
        Column(field="kind", label=_l("Kind"), filtered=True, names=dict(KINDS)),
        Column(field="site", label=_l("Served by"), on_phone=False),
        Column(field="pool", label=_l("Pool"), on_phone=False, hint=_l("The stock its orders are promised from.")),
        Column(field="ship_by_hours", label=_l("Ships within, hours"), on_phone=False),
        Column(field="orders", label=_l("Orders"), sortable=False),
        Column(field="retired", label=_l("Retired"), filtered=True, on_phone=False),
    ),
)
register(area, LIST)
