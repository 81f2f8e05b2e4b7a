"""Work orders at the desk: the list, one order's page, and what a planner does with it."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from marshmallow import fields
from sqlalchemy.orm import Session

from scm.core import clock
from scm.loop import work_links
from scm.production import by_hand, documents, links, order_list, order_sheet, orders
from scm.production.documents import KIND, LONGEST_REASON
from web.area import Area
from web.desk import Desk, act, done, read
from web.documents import chains, timelines
from web.listing import Bulk, Column, ListPage, routes
from web.pages.production import HANDLES, LOOKS, MAKES, PLANS, wording
from web.schemas import Form, quantity, read_form, text

area = Area("work_orders", __name__)

ORDERS = ListPage(
    name="work_orders",
    rule="/production/work-orders",
    roles=LOOKS,
    listing=lambda desk: order_list.listing(site_id=desk.site_id, today=desk.today),
    columns=(
        Column(
            field="number",
            label=_l("Work order"),
            link=lambda row: url_for("work_orders.show", number=row["number"]),
        ),
        Column(
            field="state",
            label=_l("Status"),
            filtered=True,
            names=wording.STATES,
            meanings=wording.STATE_MEANINGS,
        ),
        Column(field="sku", label=_l("Item"), filtered=True),
        Column(field="item", label=_l("Name"), on_phone=False),
        Column(field="quantity", label=_l("Ordered"), filtered=True),
        Column(field="completed", label=_l("Completed"), on_phone=False),
        Column(field="start_date", label=_l("Starts"), filtered=True, on_phone=False),
        Column(field="due_date", label=_l("Due"), filtered=True, on_phone=False),
        Column(field="late", label=_l("Late"), filtered=True, on_phone=False),
        Column(field="blocked", label=_l("Waits for components"), filtered=True, on_phone=False),
        Column(field="kind", label=_l("Made"), filtered=True, shown=False, names=wording.KINDS),
        Column(field="partner", label=_l("Partner"), filtered=True, shown=False),
    ),
    identity="number",
    heading=lambda found, desk: ngettext("%(num)s work order", "%(num)s work orders", found.matching),
    why_empty=_l("Work orders come from proposals to make something, or are written by hand."),
    actions="production/list_actions.html",
    presets=(
        (_l("To release"), "state=planned"),
        (_l("On the floor"), "state=released&state=started"),
        (_l("Late"), "late=yes"),
        (_l("Waits for components"), "blocked=yes"),
    ),
    bulk=(Bulk(endpoint="work_orders.release_many", text=_l("Release")),),
)
routes.register(area, ORDERS)


class NewForm(Form):
    """An order to write."""

    sku = text(required=True, longest=60)
    quantity = quantity()
    due_date = fields.Date(required=True)
    start_date = fields.Date(load_default=None)


class ReasonForm(Form):
    """Why."""

    reason = text(longest=LONGEST_REASON)


class DaysForm(Form):
    """On which days an order is made."""

    start_date = fields.Date(required=True)
    due_date = fields.Date(required=True)


@area.page("/production/work-orders/<number>", roles=LOOKS)
def show(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show one order: whether everything is there, its work, its goods and what they cost."""
    with read() as session:
        sheet = order_sheet.read(session, number=number, site_id=desk.site_id, today=desk.today, wall=clock.wall_now())
        around = work_links.of_order(session, sheet.id)
        timeline = timelines.read(session, desk, kind=KIND, document_id=sheet.id)
    named = [*around.up, *around.down]
    return render_template(
        "production/show.html",
        sheet=sheet,
        around=around,
        addresses={link.number: chains.address_of(link.kind, link.number, desk) for link in named},
        timeline=timeline,
        late=sheet.late(today=desk.today),
        next=str(wording.NEXT[sheet.state]),
        plans=desk.has(*PLANS),
        handles=desk.has(*HANDLES),
        makes=desk.has(*MAKES),
        wording=wording,
    )


@area.action("/production/work-orders/new", roles=PLANS)
def write(desk: Desk) -> ResponseReturnValue:
    """This function will write an order by hand."""
    form = read_form(NewForm)

    def work(session: Session) -> str:
        return by_hand.write(
            session,
            sku=form["sku"],
            quantity=form["quantity"],
            due_date=form["due_date"],
            start_date=form["start_date"],
            site_id=desk.site_id,
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        ).number

    number = act("work_order.write", work)
    return done(url_for("work_orders.show", number=number), gettext("%(number)s is planned.", number=number))


@area.action("/production/work-orders/release", roles=PLANS)
def release_many(desk: Desk) -> ResponseReturnValue:
    """This function will release the picked orders together; with anything short of one, none."""
    ids = routes.picked(ORDERS, desk)

    def work(session: Session) -> int:
        return len(orders.release(session, ids, actor=desk.actor, now=desk.now, today=desk.today))

    released = act("work_order.release_many", work)
    said = ngettext("%(num)s order is on the floor.", "%(num)s orders are on the floor.", released)
    return done(url_for("work_orders.index", state="released"), said)


@area.action("/production/work-orders/<number>/release", roles=PLANS)
def release(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will release an order; in spite of a shortage only with a reason."""
    reason = read_form(ReasonForm)["reason"]

    def work(session: Session) -> int:
        [released] = orders.release(
            session,
            [documents.find(session, number=number, site_id=desk.site_id)],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
            in_spite_of=reason,
        )
        return len(released.short)

    short = act("work_order.release", work)
    said = gettext("%(number)s is on the floor.", number=number)
    if short:
        said = ngettext(
            "%(number)s is on the floor; %(num)s component is promised to it as it arrives.",
            "%(number)s is on the floor; %(num)s components are promised to it as they arrive.",
            short,
            number=number,
        )
    return done(url_for("work_orders.show", number=number), said)


@area.action("/production/work-orders/<number>/reschedule", roles=PLANS)
def reschedule(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will move an order to other days."""
    form = read_form(DaysForm)
    act(
        "work_order.reschedule",
        lambda session: orders.reschedule(
            session,
            [documents.find(session, number=number, site_id=desk.site_id)],
            start_date=form["start_date"],
            due_date=form["due_date"],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        ),
    )
    return done(url_for("work_orders.show", number=number), gettext("%(number)s has new days.", number=number))


@area.action("/production/work-orders/<number>/close", roles=PLANS)
def close(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will close an order."""
    reason = read_form(ReasonForm)["reason"]
    act(
        "work_order.close",
        lambda session: orders.close(
            session,
            [documents.find(session, number=number, site_id=desk.site_id)],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
            reason=reason,
        ),
    )
    return done(url_for("work_orders.show", number=number), gettext("%(number)s is closed.", number=number))


@area.action("/production/work-orders/<number>/cancel", roles=PLANS)
def cancel(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will give an order up."""
    reason = read_form(ReasonForm)["reason"]
    act(
        "work_order.cancel",
        lambda session: orders.cancel(
            session,
            [documents.find(session, number=number, site_id=desk.site_id)],
            reason=reason,
            actor=desk.actor,
            now=desk.now,
        ),
    )
    return done(url_for("work_orders.show", number=number), gettext("%(number)s is cancelled.", number=number))


@area.action("/production/work-orders/<number>/end-link", roles=PLANS)
def end_link(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will end the partner's link at once."""
    act(
        "work_order.revoke_link",
        lambda session: links.revoke(
            session,
            documents.find(session, number=number, site_id=desk.site_id),
            actor=desk.actor,
            wall=clock.wall_now(),
        ),
    )
    return done(url_for("work_orders.show", number=number), gettext("The link is not good any more."))
