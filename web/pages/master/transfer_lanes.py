"""Lanes between the company's sites, changed in place: days on the way, what a transfer costs, which is asked first."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from scm.core.listing import Found
from scm.core.users import Role
from scm.finance import money
from scm.master import transfer_lanes
from scm.master.cells import BadCell
from scm.master.transfer_lanes import LaneTerms
from web.area import PEOPLE, Area
from web.desk import Desk, act, done
from web.i18n import Text
from web.listing import Column
from web.pages.master import inline, wording
from web.pages.master.inline import Edited, InlinePage, Input
from web.pages.master.locations import whole

area = Area("master_transfer_lanes", __name__)
CHANGERS = frozenset({Role.PLANNER, Role.WAREHOUSE, Role.ADMIN})
INPUTS = {
    "transit_days": Input(numeric=True, longest=3),
    "joint_cost": Input(numeric=True, longest=14),
    "priority": Input(numeric=True, longest=3, hint=_l("1 is asked first.")),
    "retired": Input(options=wording.yes_or_no),
}


def heading(found: Found, desk: Desk) -> Text:
    """This function will say how many lanes are shown."""
    return ngettext("%(num)s lane between sites", "%(num)s lanes between sites", found.matching)


def save(session: Session, desk: Desk, edits: Sequence[Edited]) -> None:
    """This function will change lanes, each as somebody believes it is."""
    for edit in edits:
        believed, wanted = (_terms(edit, text) for text in (edit.believed, edit.wanted))
        transfer_lanes.change(
            session,
            lane_id=int(edit.row["key"]),
            company_id=desk.company.id,
            believed=believed,
            wanted=wanted,
            actor=desk.actor,
        )


def _terms(edit: Edited, text: str) -> LaneTerms:
    row, field = edit.row, edit.field
    return LaneTerms(
        transit_days=whole(text, name=field) if field == "transit_days" else int(row["transit_days"]),
        joint_cost=whole(text, name=field) if field == "joint_cost" else int(row["joint_cost"]),
        priority=whole(text, name=field) if field == "priority" else int(row["priority"]),
        retired=text == "yes" if field == "retired" else bool(row["retired"]),
    )


PAGE: InlinePage = InlinePage(
    name="master_transfer_lanes",
    rule="/master/lanes",
    roles=PEOPLE,
    listing=lambda desk: transfer_lanes.listing(company_id=desk.company.id),
    columns=(
        Column(field="name", label=_l("Lane"), sortable=False),
        Column(field="from_site", label=_l("From site"), on_phone=False),
        Column(field="to_site", label=_l("To site"), on_phone=False),
        Column(field="transit_days", label=_l("Days on the way"), template="master/cell.html"),
        Column(field="joint_cost", label=_l("Cost of a transfer"), template="master/cell.html"),
        Column(field="priority", label=_l("Priority"), template="master/cell.html", on_phone=False),
        Column(field="retired", label=_l("Retired"), template="master/cell.html", filtered=True, on_phone=False),
    ),
    identity="name",
    heading=heading,
    why_empty=_l("Without a lane no goods move between sites: add one."),
    actions="master/lane_actions.html",
    editable=frozenset(INPUTS),
    apply=inline.applied(lambda: PAGE),
    changers=CHANGERS,
    inputs=INPUTS,
    save=save,
    adds="master/new_lane.html",
)
inline.register(area, PAGE)


@area.action("/master/lanes/new", roles=CHANGERS)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will open a lane from one site to another."""
    form = request.form
    terms = LaneTerms(
        transit_days=whole(form.get("transit_days", ""), name="transit_days"),
        joint_cost=_amount(form.get("joint_cost", ""), desk.currency),
        priority=whole(form.get("priority", ""), name="priority"),
    )
    act(
        "transfer_lane.add",
        lambda session: transfer_lanes.add(
            session,
            from_code=form.get("from_site", ""),
            to_code=form.get("to_site", ""),
            terms=terms,
            company_id=desk.company.id,
            actor=desk.actor,
        ),
    )
    return done(url_for("master_transfer_lanes.index"), gettext("The lane is open: the next plan may use it."))


def _amount(text: str, currency: str) -> int:
    try:
        minor = Decimal(text).scaleb(money.places(currency))
    except InvalidOperation:
        raise BadCell(f"joint_cost cannot be {text[:40]!r}: write digits with a point, for example 12.50") from None
    if not minor.is_finite() or minor != minor.to_integral_value():
        raise BadCell(f"joint_cost cannot be {text[:40]}: {currency} has no such small amounts")
    return int(minor)
