"""Orders that a partner makes: the link it reports by, its page, and what our own people note for it.

The partner has no account. Its token travels in the body of a form, and in the part of the address that browsers keep
to themselves, so no log and no proxy ever sees it.
"""

from __future__ import annotations

from typing import Any

from flask import flash, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import fields, validate
from sqlalchemy.orm import Session

from scm.core import clock, idempotency, users
from scm.core.errors import ScmError
from scm.master import companies
from scm.production import by_link, documents, links, subcontracting, ways
from scm.production.by_link import PartnerReport
from scm.production.documents import LONGEST_REASON, ScrapReason
from scm.production.issuing import Return
from scm.production.order_sheet import OrderSheet
from scm.production.subcontracting import Used
from web import i18n
from web.area import NOBODY_IN_PARTICULAR, Area
from web.desk import Desk, KeyMissing, act, database, done
from web.pages.production import HANDLES, PLANS, wording
from web.schemas import Form, quantity, read_form, text

area = Area("partners", __name__)
LONGEST_TOKEN = 100


class LinkForm(Form):
    """How long a link is good."""

    days = fields.Integer(load_default=30, validate=validate.Range(min=1, max=links.LONGEST_DAYS))


class UsedForm(Form):
    """So much of a component was used."""

    component = fields.Integer(required=True)
    quantity = quantity()


class BackForm(Form):
    """So much of a component comes back from the partner."""

    component = fields.Integer(required=True)
    quantity = quantity()
    bin = text(required=True, longest=40)
    reason = text(longest=LONGEST_REASON)


@area.action("/production/work-orders/<number>/link", roles=PLANS)
def link(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will make a link for the partner; it stands on this answer and nowhere else."""
    days = read_form(LinkForm)["days"]
    token = links.new_token()

    def work(session: Session) -> None:
        order_id = documents.find(session, number=number, site_id=desk.site_id)
        links.make(session, order_id, token=token, days=days, actor=desk.actor, wall=clock.wall_now())

    act("work_order.link", work)
    if g.get("replayed"):
        said = gettext("That was done before: make another link.")
        return done(url_for("work_orders.show", number=number), said)
    address = f"{url_for('partners.gate', _external=True)}#{token}"
    return render_template("production/link.html", number=number, address=address, days=days)


@area.action("/production/work-orders/<number>/used", roles=PLANS | HANDLES)
def used(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will note what the partner used of a component."""
    form = read_form(UsedForm)
    one = Used(component_id=form["component"], quantity=form["quantity"])
    act(
        "work_order.consume",
        lambda session: _none(
            subcontracting.consume(
                session,
                documents.find(session, number=number, site_id=desk.site_id),
                [one],
                actor=desk.actor,
                now=desk.now,
                today=desk.today,
            )
        ),
    )
    said = gettext("%(units)s units are noted as used.", units=one.quantity)
    return done(url_for("work_orders.show", number=number), said)


@area.action("/production/work-orders/<number>/sent-back", roles=HANDLES)
def sent_back(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will bring components back from the partner."""
    form = read_form(BackForm)

    def work(session: Session) -> None:
        one = Return(
            component_id=form["component"],
            quantity=form["quantity"],
            bin_id=ways.find_bin(session, form["bin"], site_id=desk.site_id),
        )
        subcontracting.send_back(
            session,
            documents.find(session, number=number, site_id=desk.site_id),
            [one],
            reason=form["reason"],
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )

    act("work_order.send_back", work)
    said = gettext("%(units)s units are back in storage.", units=form["quantity"])
    return done(url_for("work_orders.show", number=number), said)


@area.page("/partner", roles=NOBODY_IN_PARTICULAR)
def gate() -> ResponseReturnValue:
    """This function will ask for the code of a link; a script takes it from the address."""
    return render_template("production/partner_gate.html")


@area.action("/partner", roles=NOBODY_IN_PARTICULAR)
def enter() -> ResponseReturnValue:
    """This function will show the order that a link opens."""
    return _page(_token())


@area.action("/partner/report", roles=NOBODY_IN_PARTICULAR)
def report() -> ResponseReturnValue:
    """This function will take a partner's report, once for the form's key."""
    token, key = _token(), request.form.get("key", "")
    if not key:
        raise KeyMissing("this form came without its key: load the page again and repeat the change")
    wall = clock.wall_now()
    told = PartnerReport(
        used=[
            Used(component_id=int(name.removeprefix("used-")), quantity=_number(value))
            for name, value in request.form.items()
            if name.removeprefix("used-").isdecimal() and name.startswith("used-") and _number(value)
        ],
        good=_number(request.form.get("good", "")),
        scrap=_number(request.form.get("scrap", "")),
        scrap_reason=_reason(request.form.get("scrap_reason", "")),
    )

    def work(session: Session) -> None:
        now, today = companies.business_time(companies.only(session), wall=wall)
        system = users.actor(session, username="system")
        by_link.report(session, token, told, actor=system, now=now, today=today, wall=wall)

    with database().unit_of_work(write=False) as session:
        opened = links.open_link(session, token, wall=wall)
    try:
        idempotency.run_once(
            database(),
            principal=f"partner link {opened.link_id}",
            command="work_order.partner_report",
            key=key,
            body=_body(told),
            now=wall,
            work=work,
        )
    except ScmError as refused:
        flash(i18n.refusal(refused), "refused")
        return _page(token), 409
    flash(gettext("Thank you: it is reported."), "done")
    return _page(token)


def _page(token: str) -> str:
    wall = clock.wall_now()
    with database().unit_of_work(write=False) as session:
        _, today = companies.business_time(companies.only(session), wall=wall)
        sheet: OrderSheet = by_link.sheet(session, token, today=today, wall=wall)
    return render_template("production/partner.html", sheet=sheet, token=token, wording=wording)


def _token() -> str:
    return request.form.get("token", "").strip()[:LONGEST_TOKEN]


def _number(value: str) -> int:
    text_ = value.strip()
    return int(text_) if text_.isdecimal() and len(text_) <= 12 else 0


def _reason(value: str) -> ScrapReason | None:
    return next((reason for reason in ScrapReason if reason.value == value), None)


def _body(told: PartnerReport) -> dict[str, Any]:
    return {
        "used": [[one.component_id, one.quantity] for one in told.used],
        "good": told.good,
        "scrap": told.scrap,
        "scrap_reason": told.scrap_reason.value if told.scrap_reason else None,
    }


def _none(_: object) -> None:
    return None
