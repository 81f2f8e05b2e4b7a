"""Exchange rates: what other currencies cost day by day, as somebody recorded it."""

from __future__ import annotations

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from marshmallow import fields
from sqlalchemy.orm import Session

from scm.core.users import Role
from scm.finance import rate_list, rates
from scm.finance.rates import RateRequest
from web.area import Area
from web.desk import Desk, act, done
from web.listing import Column, ListPage
from web.listing.routes import register
from web.schemas import Form, read_form, text

area = Area("rates", __name__)
READERS = frozenset({Role.PLANNER, Role.BUYER, Role.APPROVER, Role.SALES, Role.ADMIN})
KEEPERS = frozenset({Role.BUYER, Role.ADMIN})


class RateForm(Form):
    """A rate of a day."""

    currency = text(required=True, longest=3)
    rate_date = fields.Date(required=True)
    rate = fields.Decimal(required=True, allow_nan=False)


RATES = ListPage(
    name="rates",
    rule="/rates",
    roles=READERS,
    listing=lambda desk: rate_list.listing(company_id=desk.company.id),
    identity="name",
    heading=lambda found, desk: ngettext("%(num)s exchange rate", "%(num)s exchange rates", found.matching),
    why_empty=_l("No rate is recorded: purchases in other currencies cannot be valued or approved."),
    actions="rates/actions.html",
    columns=(
        Column(field="name", label=_l("Rate"), shown=False, sortable=False),
        Column(field="currency", label=_l("Currency"), filtered=True),
        Column(field="rate_date", label=_l("Day"), filtered=True),
        Column(field="rate", label=_l("Cost of one unit"), template="rates/rate.html", sortable=False),
        Column(field="recorded_at", label=_l("Recorded"), on_phone=False),
    ),
)
register(area, RATES)


@area.action("/rates/record", roles=KEEPERS)
def record(desk: Desk) -> ResponseReturnValue:
    """This function will record the rate of a currency on a day."""
    wanted = RateRequest(**read_form(RateForm))

    def work(session: Session) -> int:
        return len(rates.record(session, [wanted], company_id=desk.company.id, actor=desk.actor, now=desk.now))

    act("exchange_rate.record", work)
    return done(url_for("rates.index"), gettext("The rate of %(currency)s is recorded.", currency=wanted.currency))
