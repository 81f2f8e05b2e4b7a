"""One channel: its terms, its prices, and what is set aside for it."""

from __future__ import annotations

import json
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import ValidationError, fields, validate
from sqlalchemy.orm import Session

from scm.core.types import canonical_json
from scm.master import items
from scm.sales import channel_list, channels, pricing
from scm.sales.channels import ChannelKind, Terms
from scm.sales.pricing import PriceRequest
from scm.stock.pools import PoolRequest
from web.area import PEOPLE
from web.desk import Desk, act, done, read
from web.pages.channels import KEEPS, KINDS, area
from web.schemas import BadForm, Form, price, quantity, read_form, text


class TermsForm(Form):
    """What may change of a channel."""

    name = text(required=True, longest=channels.LONGEST_NAME)
    kind = fields.Enum(ChannelKind, by_value=True, required=True)
    prices_with_vat = fields.Boolean(load_default=False)
    pool = text(required=True, longest=channels.LONGEST_POOL)
    cut_off = fields.Time(load_default=None, allow_none=True)
    ship_by_hours = fields.Integer(
        load_default=None, allow_none=True, validate=validate.Range(min=1, max=channels.LONGEST_CLOCK_HOURS)
    )
    retired = fields.Boolean(load_default=False)


class NewForm(TermsForm):
    """A new channel."""

    code = text(required=True, longest=channels.LONGEST_CODE)


class ChangedForm(TermsForm):
    """A channel as somebody believes it is, and as it is to be."""

    believed = text(required=True, longest=2000)


class PriceForm(Form):
    """A price from a day on."""

    sku = text(required=True, longest=40)
    unit_price = price(required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(load_default=None)


class PoolForm(Form):
    """So much of an item to set aside, or to give back."""

    sku = text(required=True, longest=40)
    quantity = quantity()


@area.page("/channels/<code>", roles=PEOPLE)
def show(desk: Desk, code: str) -> ResponseReturnValue:
    """This function will show a channel with its prices and its pool."""
    with read() as session:
        sheet = channel_list.sheet(session, code=code, company_id=desk.company.id, today=desk.today)
    return render_template("channels/show.html", sheet=sheet, kinds=KINDS, believed=canonical_json(_plain(sheet.terms)))


@area.action("/channels/new", roles=KEEPS)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will add a channel that this site serves."""
    form = read_form(NewForm)
    code = form.pop("code")

    def work(session: Session) -> int:
        return channels.add(
            session,
            code=code,
            terms=Terms(**form),
            site_id=desk.site_id,
            company_id=desk.company.id,
            actor=desk.actor,
        )

    act("channel.add", work)
    return done(url_for("channels.show", code=code), gettext("The channel %(code)s is added.", code=code))


@area.action("/channels/<code>/change", roles=KEEPS)
def change(desk: Desk, code: str) -> ResponseReturnValue:
    """This function will change a channel's terms; the next orders follow them."""
    form = read_form(ChangedForm)
    believed = _believed(form.pop("believed"))

    def work(session: Session) -> None:
        channels.change(
            session,
            code=code,
            company_id=desk.company.id,
            believed=believed,
            wanted=Terms(**form),
            actor=desk.actor,
        )

    act("channel.change", work)
    return done(url_for("channels.show", code=code), gettext("The channel is changed: the next orders follow it."))


@area.action("/channels/<code>/prices", roles=KEEPS)
def set_price(desk: Desk, code: str) -> ResponseReturnValue:
    """This function will give an item a price in a channel from a day on."""
    form = read_form(PriceForm)
    sku = form.pop("sku")

    def work(session: Session) -> None:
        wanted = PriceRequest(item_id=items.id_of(session, sku, company_id=desk.company.id), **form)
        pricing.set_prices(session, code=code, requests=[wanted], company_id=desk.company.id, actor=desk.actor)

    act("channel.price", work)
    return done(url_for("channels.show", code=code), gettext("%(sku)s has its price.", sku=sku))


@area.action("/channels/<code>/set-aside", roles=KEEPS)
def fill(desk: Desk, code: str) -> ResponseReturnValue:
    """This function will set free stock aside for a channel."""
    return _pass(desk, code, "channel.fill_pool")


@area.action("/channels/<code>/give-back", roles=KEEPS)
def release(desk: Desk, code: str) -> ResponseReturnValue:
    """This function will give back to everybody what was set aside and is not promised."""
    return _pass(desk, code, "channel.release_pool")


def _pass(desk: Desk, code: str, command: str) -> ResponseReturnValue:
    form = read_form(PoolForm)
    verb = channels.fill_pool if command == "channel.fill_pool" else channels.release_pool

    def work(session: Session) -> int:
        item_id = items.id_of(session, form["sku"], company_id=desk.company.id)
        outcomes = verb(
            session,
            code=code,
            requests=[PoolRequest(item_id=item_id, quantity=form["quantity"])],
            company_id=desk.company.id,
            actor=desk.actor,
            now=desk.now,
        )
        return sum(outcome.reserved for outcome in outcomes)

    promised = act(command, work)
    said = gettext("%(quantity)s of %(sku)s changed pools.", quantity=form["quantity"], sku=form["sku"])
    if promised:
        said += " " + gettext("%(units)s of them went to orders that waited.", units=promised)
    return done(url_for("channels.show", code=code), said)


def _plain(terms: Terms) -> dict[str, Any]:
    return vars(terms) | {
        "kind": terms.kind.value,
        "cut_off": terms.cut_off.isoformat() if terms.cut_off else None,
    }


def _believed(sent: str) -> Terms:
    """The page wrote it; whoever changed it on its way believes nothing that we know."""
    try:
        return Terms(**TermsForm().load(json.loads(sent)))
    except (ValueError, TypeError, ValidationError):
        raise BadForm("the form was damaged on its way: load the page again") from None
