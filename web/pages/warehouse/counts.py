"""Cycle counts: the list, counting blind, and the decision of somebody else about the differences."""

from __future__ import annotations

import enum
import re
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from scm.core.users import Role
from warehouse import count_requests, counting, lists, numbers, recounting
from warehouse.count_requests import Found
from warehouse.counts import CountState, CycleCount
from warehouse.sheets import counting as count_sheets
from warehouse.sheets.counting import CountSheet
from web.area import Area
from web.desk import Desk, act, done, read
from web.i18n import Text
from web.listing import Column, ListPage
from web.listing.routes import register
from web.pages.warehouse import words
from web.pages.warehouse.receiving import FLOOR
from web.schemas import Form, read_form, scans, text

area = Area("counts", __name__)
DECIDERS = {Role.WAREHOUSE, Role.APPROVER}
STATES: dict[enum.Enum, Text] = {
    CountState.PLANNED: _l("To count"),
    CountState.COUNTED: _l("Waits for approval"),
    CountState.CLOSED: _l("Closed"),
    CountState.REJECTED: _l("Rejected"),
}
MEANINGS: dict[enum.Enum, str] = {
    CountState.PLANNED: "idle",
    CountState.COUNTED: "watch",
    CountState.CLOSED: "good",
    CountState.REJECTED: "risk",
}
COUNTS = ListPage(
    name="counts",
    rule="/warehouse/counts",
    roles=frozenset(DECIDERS),
    listing=lambda desk: lists.counts(site_id=desk.site_id),
    columns=(
        Column(field="number", label=_l("Count"), link=lambda row: url_for("counts.show", number=row["number"])),
        Column(field="state", label=_l("Status"), filtered=True, names=STATES, meanings=MEANINGS),
        Column(field="places", label=_l("Places")),
        Column(field="differences", label=_l("Differences")),
        Column(field="planned_at", label=_l("Planned"), on_phone=False),
        Column(field="counted_at", label=_l("Counted"), on_phone=False),
        Column(field="counted_by", label=_l("Counted by"), on_phone=False),
    ),
    identity="number",
    heading=lambda found, desk: ngettext("%(num)s count", "%(num)s counts", found.matching),
    why_empty=_l("A short pick plans the count of its bin by itself; others are planned here."),
    presets=((_l("To count"), "state=planned"), (_l("To decide"), "state=counted")),
    actions="warehouse/count_plan.html",
)
register(area, COUNTS)


class PlanForm(Form):
    """Codes of places, one item, or both."""

    places = text(longest=2000)
    sku = text(longest=40)


class DecisionForm(Form):
    """What whoever decides wants to say."""

    comment = text(longest=200)
    reason = text(longest=200)


@area.action("/warehouse/counts/plan", roles=FLOOR)
def plan(desk: Desk) -> ResponseReturnValue:
    """This function will plan a count by hand."""
    form = read_form(PlanForm)
    codes = [code for code in re.split(r"[\s,;、，；]+", form["places"]) if code]

    def work(session: Session) -> str:
        count_id = count_requests.plan(
            session,
            site_id=desk.site_id,
            place_codes=codes,
            sku=form["sku"].strip(),
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )
        return _number(session, count_id)

    number = act("count.plan", work)
    return done(url_for("counts.show", number=number), gettext("%(number)s is to be counted.", number=number))


@area.page("/warehouse/counts/<number>", roles=DECIDERS)
def show(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will show the places to count, or what was counted beside the books."""
    with read() as session:
        sheet = count_sheets.sheet(session, number, site_id=desk.site_id)
    if sheet.state is CountState.PLANNED and desk.has(Role.WAREHOUSE):
        return render_template("warehouse/count.html", sheet=sheet, data=_data(sheet), words=words.of_task("count"))
    return render_template(
        "warehouse/counted.html",
        sheet=sheet,
        state_name=STATES[sheet.state],
        meaning=MEANINGS[sheet.state],
        mine=sheet.counted_by_id == desk.actor.user_id,
        on_the_floor=desk.has(Role.WAREHOUSE),
    )


@area.action("/warehouse/counts/<number>/post", roles=FLOOR)
def post(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will record what was found."""
    rows = scans.rows(scans.CountedRow, read_form(scans.CountForm)["counted"])
    found = [Found(place=r["place"], sku=r["sku"], quantity=r["quantity"], lot=r["lot"] or "") for r in rows]

    def work(session: Session) -> int:
        count_id = numbers.find(session, CycleCount, number, site_id=desk.site_id)
        return len(
            count_requests.record(session, count_id, found, site_id=desk.site_id, actor=desk.actor, now=desk.now)
        )

    differences = act("count.record", work)
    said = (
        ngettext("%(num)s difference waits for approval.", "%(num)s differences wait for approval.", differences)
        if differences
        else gettext("It agrees with the books.")
    )
    return done(url_for("counts.show", number=number), said)


@area.action("/warehouse/counts/<number>/approve", roles=DECIDERS)
def approve(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will put the differences of a count into the books."""
    comment = read_form(DecisionForm)["comment"]

    def work(session: Session) -> int:
        count_id = numbers.find(session, CycleCount, number, site_id=desk.site_id)
        result = counting.approve(session, count_id, actor=desk.actor, now=desk.now, today=desk.today, comment=comment)
        return len(result.broken)

    broken = act("count.approve", work)
    said = gettext("The books follow the count.")
    if broken:
        said += " " + ngettext("%(num)s promise was given back.", "%(num)s promises were given back.", broken)
    return done(url_for("counts.show", number=number), said)


@area.action("/warehouse/counts/<number>/reject", roles=DECIDERS)
def reject(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will reject a count: the books stay."""
    reason = read_form(DecisionForm)["reason"]

    def work(session: Session) -> None:
        count_id = numbers.find(session, CycleCount, number, site_id=desk.site_id)
        counting.reject(session, count_id, actor=desk.actor, now=desk.now, comment=reason)

    act("count.reject", work)
    return done(url_for("counts.show", number=number), gettext("Rejected: the books stay as they are."))


@area.action("/warehouse/counts/<number>/recount", roles=FLOOR)
def recount(desk: Desk, number: str) -> ResponseReturnValue:
    """This function will plan another count of the places of a rejected one."""

    def work(session: Session) -> str:
        count_id = numbers.find(session, CycleCount, number, site_id=desk.site_id)
        new = recounting.recount(session, count_id, actor=desk.actor, now=desk.now, today=desk.today)
        return _number(session, new)

    again = act("count.recount", work)
    return done(url_for("counts.show", number=again), gettext("%(number)s is to be counted.", number=again))


def _number(session: Session, count_id: int) -> str:
    return str(session.scalar(select(CycleCount.number).where(CycleCount.id == count_id)))


def _data(sheet: CountSheet) -> dict[str, Any]:
    return {
        "kind": "count",
        "number": sheet.number,
        "lines": [
            {
                "id": place,
                "place": target.code,
                "sku": target.card.sku if target.card else "",
                "name": target.card.name if target.card else "",
                "codes": dict(target.card.codes) if target.card else {},
                "lot": bool(target.card and target.card.lot_tracked),
            }
            for place, target in enumerate(sheet.places, start=1)
        ],
    }
