"""The palette behind Ctrl-K: pages this person may open, and documents by number, SKU or name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask import current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from scm.loop import finder
from scm.loop.finder import Hit
from web import area as access
from web import navigation
from web.area import PEOPLE, Area
from web.desk import Desk, is_partial, read

area = Area("palette", __name__)
LONGEST = 60
# What was found → the endpoint that shows it, the part of its address, and its kind in words.
SHOWN_BY = {
    "item": ("items.show", "sku", _l("Item")),
    "supplier": ("suppliers.show", "code", _l("Supplier")),
    "purchase_order": ("purchase_orders.show", "number", _l("Purchase order")),
    "sales_order": ("sales_orders.show", "number", _l("Sales order")),
    "shipment": ("shipments.show", "number", _l("Shipment")),
    "return_authorization": ("returns.show", "number", _l("Return")),
}


@area.page("/find", roles=PEOPLE)
def find(desk: Desk) -> ResponseReturnValue:
    """This function will find pages and documents for a text."""
    text = request.args.get("q", "").strip()[:LONGEST]
    with read() as session:
        hits = finder.find(session, text, company_id=desk.company.id, site_id=desk.site_id)
    template = "palette/found.html" if is_partial() else "palette/page.html"
    return render_template(template, text=text, pages=list(_pages(desk, text)), documents=list(_documents(desk, hits)))


def _pages(desk: Desk, text: str) -> Iterator[navigation.Shown]:
    for _group, links in navigation.rail(desk):
        for link in links:
            if text.lower() in str(link.text).lower():
                yield link


def _documents(desk: Desk, hits: Sequence[Hit]) -> Iterator[dict[str, str]]:
    for hit in hits:
        endpoint, part, words = SHOWN_BY[hit.kind]
        if endpoint in current_app.view_functions and access.may(desk, endpoint):
            named: dict[str, Any] = {part: hit.code}
            yield {
                "address": url_for(endpoint, **named),
                "code": hit.code,
                "name": hit.name,
                "kind": str(words),
            }
