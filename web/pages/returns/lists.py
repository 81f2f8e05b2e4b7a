"""All returns as a list: filtered, sorted, saved as views, exported."""

from __future__ import annotations

from flask import url_for
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from aftersales import return_list
from web.area import Area
from web.listing import Column, ListPage
from web.listing.routes import register
from web.pages.returns import LOOKS, words

area = Area("return_list", __name__)
LIST = ListPage(
    name="returns",
    rule="/returns/all",
    roles=LOOKS,
    listing=lambda desk: return_list.listing(site_id=desk.site_id),
    identity="number",
    heading=lambda found, desk: ngettext("%(num)s return", "%(num)s returns", found.matching),
    why_empty=_l("Nothing was sent back yet. A return is authorized from a delivered order at the returns desk."),
    presets=(
        (_l("To inspect"), "step=inspect"),
        (_l("To dispose of"), "step=dispose"),
        (_l("To refund"), "step=refund"),
        (_l("On its way back"), "step=receive"),
    ),
    columns=(
        Column(field="number", label=_l("Return"), link=lambda row: url_for("returns.show", number=row["number"])),
        Column(field="customer", label=_l("Customer"), filtered=True),
        Column(
            field="step",
            label=_l("Next step"),
            filtered=True,
            sortable=False,
            names=words.STEPS,
            meanings=words.STEP_MEANINGS,
        ),
        Column(field="state", label=_l("State"), filtered=True, shown=False, names=words.STATES),
        Column(field="reason", label=_l("Reason"), filtered=True, sortable=False, names=words.REASONS, on_phone=False),
        Column(field="authorized_date", label=_l("Authorized"), filtered=True),
        Column(field="units", label=_l("Units"), sortable=False),
        Column(field="received", label=_l("Received"), sortable=False, on_phone=False),
        Column(field="refunded", label=_l("Refunded"), sortable=False, on_phone=False),
    ),
)
register(area, LIST)
