"""The list of sales orders."""

from __future__ import annotations

from flask import url_for
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from scm.sales import order_list
from web.listing import Column, ListPage
from web.listing.routes import register
from web.pages.sales_orders import LOOKS, area, words

LIST = ListPage(
    name="sales_orders",
    rule="/sales-orders",
    roles=LOOKS,
    listing=lambda desk: order_list.listing(site_id=desk.site_id, currency=desk.currency, today=desk.today),
    identity="number",
    heading=lambda found, desk: ngettext("%(num)s sales order", "%(num)s sales orders", found.matching),
    why_empty=_l("No customer has ordered yet. Orders come in through their channels, or with an import."),
    presets=(
        (_l("Late"), "late=yes"),
        (_l("Waits for supply"), "progress=waiting"),
        (_l("Reserved"), "progress=reserved"),
        (_l("On the way"), "progress=on_the_way"),
    ),
    columns=(
        Column(field="number", label=_l("Order"), link=lambda row: url_for("sales_orders.show", number=row["number"])),
        Column(field="customer", label=_l("Customer"), filtered=True, sortable=False),
        Column(
            field="progress",
            label=_l("Progress"),
            filtered=True,
            sortable=False,
            names=words.PROGRESS,
            meanings=words.MEANINGS,
        ),
        Column(field="late", label=_l("Late"), filtered=True, sortable=False, template="sales_orders/late.html"),
        Column(field="ordered_date", label=_l("Ordered"), filtered=True, on_phone=False),
        Column(field="requested_date", label=_l("Wanted"), filtered=True, shown=False),
        Column(field="promised_date", label=_l("Promised"), filtered=True, sortable=False, on_phone=False),
        Column(field="lines", label=_l("Lines"), shown=False, sortable=False),
        Column(field="units", label=_l("Units"), sortable=False, on_phone=False),
        Column(field="waiting", label=_l("Waiting"), sortable=False, hint=_l("Units for which no stock is promised")),
        Column(field="value", label=_l("Order value"), sortable=False),
        Column(field="channel", label=_l("Channel"), filtered=True, on_phone=False),
        Column(field="external_id", label=_l("Channel's number"), shown=False, filtered=True),
    ),
)
register(area, LIST)
