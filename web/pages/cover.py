"""Sell-through and cover of every item, slow movers marked, and what can be done about them."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from scm.core import listing as lists
from scm.core.listing import Found, Row
from scm.core.users import Role
from scm.loop import cover_list
from scm.master.items import ItemStatus
from web.area import Area
from web.desk import Desk, not_here, read
from web.i18n import Text
from web.listing import Bulk, Column, ListPage
from web.listing.routes import register
from web.pages import links

area = Area("cover", __name__)
ROLES = frozenset({Role.PLANNER})


def _heading(found: Found, desk: Desk) -> Text:
    return ngettext("%(num)s item, sell-through and cover", "%(num)s items, sell-through and cover", found.matching)


def _item(row: Row) -> str:
    return f"/items/{row['sku']}"


COVER = ListPage(
    name="cover",
    rule="/cover",
    roles=ROLES,
    listing=lambda desk: cover_list.listing(company_id=desk.company.id, site_id=desk.site_id),
    columns=(
        Column(field="sku", label=_l("Item"), link=_item, filtered=True),
        Column(field="name", label=_l("Name"), filtered=True, on_phone=False),
        Column(
            field="status",
            label=_l("Status"),
            filtered=True,
            names={
                ItemStatus.ACTIVE: _l("bought"),
                ItemStatus.PHASE_OUT: _l("selling out"),
                ItemStatus.RETIRED: _l("retired"),
            },
            meanings={ItemStatus.PHASE_OUT: "hand", ItemStatus.RETIRED: "idle"},
            on_phone=False,
        ),
        Column(
            field="slow",
            label=_l("Slow"),
            filtered=True,
            template="cover/slow.html",
            hint=_l("Stock for more than 180 days of demand, or nothing asked for in eight weeks."),
            on_phone=False,
        ),
        Column(field="on_hand", label=_l("On hand"), filtered=True),
        Column(field="on_order", label=_l("On order"), filtered=True, on_phone=False),
        Column(field="cover_days", label=_l("Cover, days"), filtered=True, hint=_l("On hand ÷ the forecast a day.")),
        Column(
            field="sell_through",
            label=_l("Sell-through"),
            hint=_l("Units sold in the last 30 days ÷ (stock at their start + units received in them)."),
            on_phone=False,
        ),
        Column(
            field="moving",
            label=_l("Moving"),
            filtered=True,
            hint=_l("Whether it sold at all in the last 30 days."),
            on_phone=False,
        ),
        Column(field="last_sale", label=_l("Last asked for"), filtered=True, on_phone=False),
        Column(
            field="trend",
            label=_l("Trend"),
            template="cover/trend.html",
            hint=_l("Demand of the last 8 weeks against the 8 weeks before."),
            on_phone=False,
        ),
        Column(field="value", label=_l("Value at cost"), filtered=True),
        Column(field="sale_price", label=_l("Sale price"), shown=False),
        Column(field="asked", label=_l("Asked for in 8 weeks"), shown=False),
        Column(field="sold", label=_l("Sold in 30 days"), shown=False),
        Column(field="out", label=_l("Out of stock"), shown=False, filtered=True),
    ),
    identity="sku",
    heading=_heading,
    why_empty=_l("There are no items yet: import or add some in the master data."),
    detail=lambda row: url_for("cover.detail", item_id=row["key"]),
    worth="value",
    bulk=(
        Bulk(endpoint="cover.stop", text=_l("Stop buying…"), dialog="cover/reason.html"),
        Bulk(endpoint="cover.buy_again", text=_l("Buy again…"), dialog="cover/reason.html"),
        Bulk(endpoint="cover.mark_down", text=_l("Mark down…"), dialog="cover/mark_down.html"),
    ),
    presets=(
        (_l("Slow movers"), "slow=yes"),
        (_l("Out of stock"), "out=yes"),
        (_l("Selling out"), "status=phase_out"),
    ),
)
register(area, COVER)


@area.page("/cover/<int:item_id>", roles=ROLES)
def detail(desk: Desk, item_id: int) -> ResponseReturnValue:
    """This function will show what a row opens to: the actions on one item."""
    listing = cover_list.listing(company_id=desk.company.id, site_id=desk.site_id)
    with read() as session:
        row = lists.by_keys(session, listing, [item_id]).get(item_id)
    if row is None:
        not_here("item", str(item_id))
    return render_template("cover/detail.html", row=row, item=links.openable(desk, _item(row)))
