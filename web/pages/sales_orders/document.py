"""One sales order: its page, and the verbs of whoever sells: confirm, cancel, let a customer walk away."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scm.finance import claims
from scm.loop import chain
from scm.sales import order_sheet, orders
from scm.sales.documents import KIND
from web.desk import Desk, act, done, read
from web.documents import chains, timelines
from web.pages.sales_orders import LOOKS, SELLS, area, words
from web.schemas import read_form
from web.schemas.returns import ReasonForm


@area.page("/sales-orders/<number>", roles=LOOKS)
def show(desk: Desk, number: str) -> ResponseReturnValue:
    with read() as session:
        sheet = order_sheet.read(session, number=number, site_id=desk.site_id)
        stages = chain.of_document(session, kind=KIND, document_id=sheet.id)
        invoices = claims.standings_of_orders(session, [sheet.id])
        timeline = timelines.read(session, desk, kind=KIND, document_id=sheet.id)
    numbers = {link.id: link.number for stage in stages for link in stage.links if link.kind == "purchase_order"}
    return render_template(
        "sales_orders/show.html",
        sheet=sheet,
        chain=chains.shown(stages, desk),
        timeline=timeline,
        invoices=invoices,
        numbers=numbers,
        addresses={name: chains.address_of("purchase_order", name, desk) for name in numbers.values()},
        reasons={line.status.line_id: words.why_promised(line, numbers) for line in sheet.lines},
        late=sheet.late(today=desk.today),
        next=str(words.NEXT[sheet.progress]),
        sells=desk.has(*SELLS),
        words=words,
    )


@area.action("/sales-orders/<number>/confirm", roles=SELLS)
def confirm(desk: Desk, number: str) -> ResponseReturnValue:
    waiting = act(
        "sales_order.confirm",
        lambda session: (
            orders.confirm(
                session,
                [order_sheet.find(session, number=number, site_id=desk.site_id)],
                actor=desk.actor,
                now=desk.now,
                today=desk.today,
            )[0].waiting
        ),
    )
    said = gettext("%(number)s is confirmed: everything is in stock.", number=number)
    if waiting:
        said = gettext("%(number)s is confirmed; %(waiting)s units wait for supply.", number=number, waiting=waiting)
    return done(url_for("sales_orders.show", number=number), said)


@area.action("/sales-orders/<number>/cancel", roles=SELLS)
def cancel(desk: Desk, number: str) -> ResponseReturnValue:
    reason = read_form(ReasonForm)["reason"]
    act(
        "sales_order.cancel",
        lambda session: orders.cancel(
            session,
            [order_sheet.find(session, number=number, site_id=desk.site_id)],
            reason=reason,
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        ),
    )
    return done(url_for("sales_orders.show", number=number), gettext("%(number)s is cancelled.", number=number))


@area.action("/sales-orders/<number>/lines/<int:line_number>/cancel", roles=SELLS)
def cancel_line(desk: Desk, number: str, line_number: int) -> ResponseReturnValue:
    reason = read_form(ReasonForm)["reason"]
    act(
        "sales_order.cancel_line",
        lambda session: orders.cancel_lines(
            session,
            [order_sheet.line_of(session, number=number, site_id=desk.site_id, line_number=line_number)],
            reason=reason,
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        ),
    )
    return done(url_for("sales_orders.show", number=number), gettext("Line %(line)s is cancelled.", line=line_number))


@area.action("/sales-orders/<number>/lines/<int:line_number>/give-up", roles=SELLS)
def give_up(desk: Desk, number: str, line_number: int) -> ResponseReturnValue:
    lost = act(
        "sales_order.give_up",
        lambda session: sum(
            loss.quantity
            for loss in orders.give_up(
                session,
                [order_sheet.line_of(session, number=number, site_id=desk.site_id, line_number=line_number)],
                actor=desk.actor,
                now=desk.now,
                today=desk.today,
            )
        ),
    )
    said = gettext("%(units)s units are recorded as lost demand.", units=lost)
    return done(url_for("sales_orders.show", number=number), said)
