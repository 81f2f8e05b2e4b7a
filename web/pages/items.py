"""Items as their planner sees them: the list, and the page on which everything about one stands together."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from aftersales.documents import ReturnReason
from scm.core.users import Role
from scm.loop import item_list
from scm.loop.item_list import Standing
from scm.loop.item_page import past, story
from scm.master.items import ItemStatus
from web import charts
from web.area import Area
from web.desk import Desk, not_here, read
from web.i18n import Text
from web.listing import Column, ListPage
from web.listing.routes import register
from web.pages import item_figures, wording
from web.pages.proposals.listed import ORDER_STATES, STATES

area = Area("items", __name__)
READING = frozenset({Role.PLANNER, Role.BUYER, Role.APPROVER, Role.WAREHOUSE, Role.SALES, Role.RETURNS})

STANDINGS: Mapping[Enum, Text] = {
    Standing.OUT: _l("out of stock"),
    Standing.LOW: _l("below safety stock"),
    Standing.ORDER: _l("at the reorder point"),
    Standing.FINE: _l("in balance"),
    Standing.EXCESS: _l("more than twice the level"),
    Standing.IDLE: _l("no demand expected"),
}
HUES: Mapping[Enum, str] = {
    Standing.OUT: "risk",
    Standing.LOW: "watch",
    Standing.ORDER: "watch",
    Standing.FINE: "good",
    Standing.EXCESS: "idle",
    Standing.IDLE: "idle",
}
STATUSES: Mapping[Enum, Text] = {
    ItemStatus.ACTIVE: _l("active"),
    ItemStatus.PHASE_OUT: _l("phasing out"),
    ItemStatus.RETIRED: _l("retired"),
}
REASONS: Mapping[Enum, Text] = {
    ReturnReason.UNWANTED: _l("unwanted"),
    ReturnReason.DAMAGED: _l("damaged"),
    ReturnReason.DEFECTIVE: _l("defective"),
    ReturnReason.WRONG_ITEM: _l("wrong item"),
    ReturnReason.LATE: _l("came too late"),
}

ITEMS = ListPage(
    name="items",
    rule="/items",
    roles=READING,
    listing=lambda desk: item_list.listing(company_id=desk.company.id, site_id=desk.site_id),
    columns=(
        Column(field="sku", label=_l("Item"), link=lambda row: url_for("items.show", sku=row["sku"])),
        Column(field="name", label=_l("Name")),
        Column(
            field="standing", label=_l("How it stands"), names=STANDINGS, meanings=HUES, filtered=True, sortable=False
        ),
        Column(field="available", label=_l("Available"), filtered=True, hint=_l("On hand less what is reserved.")),
        Column(field="on_order", label=_l("On order"), filtered=True, on_phone=False),
        Column(field="backordered", label=_l("Backordered"), filtered=True, on_phone=False),
        Column(
            field="cover_days",
            label=_l("Cover, days"),
            filtered=True,
            hint=_l("How long the free stock lasts at the forecast demand."),
            on_phone=False,
        ),
        Column(
            field="missing",
            label=_l("Missing"),
            filtered=True,
            on_phone=False,
            hint=_l("What the last run found missing over the protection interval."),
        ),
        Column(field="proposed", label=_l("Proposed"), filtered=True, on_phone=False),
        Column(field="order_date", label=_l("Order by"), filtered=True, on_phone=False),
        Column(field="on_hand", label=_l("On hand"), filtered=True, shown=False),
        Column(field="safety_stock", label=_l("Safety stock"), filtered=True, shown=False),
        Column(field="reorder_point", label=_l("Reorder point"), filtered=True, shown=False),
        Column(field="category", label=_l("Category"), filtered=True, shown=False),
        Column(field="status", label=_l("Status"), names=STATUSES, filtered=True, shown=False),
    ),
    identity="sku",
    heading=lambda found, desk: ngettext("%(num)s item", "%(num)s items", found.matching),
    why_empty=_l("No item has been entered or imported yet."),
    presets=(
        (_l("All"), ""),
        (_l("Running out"), "standing=out&standing=low&sort=cover_days"),
        (_l("Proposed"), "proposed.from=1&sort=order_date"),
        (_l("Too much"), "standing=excess&standing=idle&sort=-available"),
    ),
)
register(area, ITEMS)


@area.page("/items/<sku>", roles=READING)
def show(desk: Desk, sku: str) -> ResponseReturnValue:
    """This function will show one item: its past, its outlook, its supply and what is proposed."""
    with read() as session:
        facts = story.find(session, sku=sku, company_id=desk.company.id)
        told = None if facts is None else story.tell(session, facts, site_id=desk.site_id, today=desk.today)
    if told is None:
        not_here("item", sku)
    chart = charts.item_chart(told)
    return render_template(
        "items/show.html",
        told=told,
        facts=told.facts,
        figures=item_figures.strip(told),
        chart=chart,
        past_weeks=past.weeks(told.days),
        outages=past.outages(told.days),
        learnt=item_figures.learnt(told),
        events=item_figures.events(told),
        wording=wording,
        statuses=STATUSES,
        reasons=REASONS,
        states=STATES,
        order_states=ORDER_STATES,
    )
