"""Work centres of the site: machines and names change in place, shifts and the hours they give on a page of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import time, timedelta

import sqlalchemy as sa
from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from scm.core.listing import Found
from scm.master import bom_records, work_centers, work_hours
from scm.master.cells import BadCell
from scm.master.routing import WorkCenter
from scm.master.sheets import WrongCell
from scm.master.work_center_rows import read_shifts, show_shifts
from scm.master.work_centers import BadCenter, CenterRow, ShiftRow
from web.area import PEOPLE, Area
from web.desk import Desk, act, done, not_here, read
from web.i18n import Text
from web.listing import Column
from web.pages.master import inline, wording
from web.pages.master import making_words as words
from web.pages.master.inline import Edited, InlinePage, Input

area = Area("master_work_centers", __name__)
DAYS_AHEAD = 14
INPUTS = {
    "name": Input(longest=120),
    "machines": Input(numeric=True, longest=5, hint=_l("How many orders it can work on at the same time.")),
    "retired": Input(options=wording.yes_or_no),
}


def heading(found: Found, desk: Desk) -> Text:
    """This function will say how many work centres are shown."""
    return ngettext("%(num)s work centre", "%(num)s work centres", found.matching)


def save(session: Session, desk: Desk, edits: Sequence[Edited]) -> None:
    """This function will change work centres, each as somebody believes it is."""
    for edit in edits:
        work_centers.change(
            session,
            work_center_id=int(edit.row["key"]),
            site_id=desk.site_id,
            believed=_row(edit, edit.believed),
            wanted=_row(edit, edit.wanted),
            actor=desk.actor,
        )


def _row(edit: Edited, text: str) -> CenterRow:
    if edit.field == "machines" and not (text.isascii() and text.isdigit()):
        raise BadCell(f"machines cannot be {text[:20] or 'empty'}: write a whole number, for example 2")
    return CenterRow(
        name=text if edit.field == "name" else str(edit.row["name"]),
        machines=int(text) if edit.field == "machines" else int(edit.row["machines"]),
        retired=text == "yes" if edit.field == "retired" else bool(edit.row["retired"]),
    )


PAGE: InlinePage = InlinePage(
    name="master_work_centers",
    rule="/master/work-centers",
    roles=PEOPLE,
    listing=lambda desk: bom_records.work_centers(site_id=desk.site_id),
    columns=(
        Column(
            field="code",
            label=_l("Work centre"),
            link=lambda row: url_for("master_work_centers.show", work_center_id=row["key"]),
        ),
        Column(field="name", label=_l("Name"), template="master/cell.html"),
        Column(field="machines", label=_l("Machines"), template="master/cell.html"),
        Column(field="shifts", label=_l("Shifts a week"), on_phone=False),
        Column(field="retired", label=_l("Retired"), template="master/cell.html", filtered=True, on_phone=False),
    ),
    identity="code",
    heading=heading,
    why_empty=_l("Without a work centre no operation can be planned: add one, and its shifts."),
    presets=((_l("In use"), "retired=no"),),
    actions="master/work_center_actions.html",
    editable=frozenset(INPUTS),
    apply=inline.applied(lambda: PAGE),
    changers=words.EDITORS,
    inputs=INPUTS,
    save=save,
    adds="master/new_work_center.html",
)
inline.register(area, PAGE)


@area.page("/master/work-centers/<int:work_center_id>", roles=PEOPLE)
def show(desk: Desk, work_center_id: int) -> ResponseReturnValue:
    """This function will show the shifts of a work centre, and the hours they give on the coming days."""
    last = desk.today + timedelta(days=DAYS_AHEAD - 1)
    with read() as session:
        center = session.execute(
            sa.select(WorkCenter.id, WorkCenter.code, WorkCenter.name, WorkCenter.machines, WorkCenter.retired).where(
                WorkCenter.id == work_center_id, WorkCenter.site_id == desk.site_id
            )
        ).one_or_none()
        if center is None:
            not_here("work centre", str(work_center_id))
        week = work_centers.shifts(session, [work_center_id]).get(work_center_id, ())
        found = work_hours.of_site(session, site_id=desk.site_id, first=desk.today, last=last)
    seconds = found[work_center_id].seconds_by_day if work_center_id in found else {}
    days = [desk.today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD)]
    return render_template(
        "master/work_center.html",
        center=center,
        week=[(shift, _minute(shift.starts_at), _minute(shift.ends_at), show_shifts([shift])) for shift in week],
        believes=show_shifts(week),
        weekdays=wording.WEEKDAYS,
        days=[(day, seconds.get(day, 0) / 3600) for day in days],
        hours=sum(seconds.values()) / 3600,
        may_change=desk.has(*words.EDITORS),
    )


@area.action("/master/work-centers/new", roles=words.EDITORS)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will add a work centre to the site."""
    form = request.form
    machines = form.get("machines", "")
    if not (machines.isascii() and machines.isdigit()):
        raise BadCenter(f"machines cannot be {machines[:20] or 'empty'}: write a whole number, for example 2")
    code = form.get("code", "").strip()
    center_id = act(
        "work_center.add",
        lambda session: work_centers.add(
            session,
            CenterRow(name=form.get("name", "").strip(), machines=int(machines)),
            code=code,
            site_id=desk.site_id,
            company_id=desk.company.id,
            actor=desk.actor,
        ),
    )
    said = gettext("The work centre %(code)s is added: give it shifts.", code=code)
    return done(url_for("master_work_centers.show", work_center_id=center_id), said)


@area.action("/master/work-centers/<int:work_center_id>/shifts", roles=words.EDITORS)
def add_shifts(desk: Desk, work_center_id: int) -> ResponseReturnValue:
    """This function will add a shift to some weekdays."""
    form = request.form
    starts_at, ends_at = (words.clock_time(form.get(name, "")) for name in ("starts_at", "ends_at"))
    picked = [number for number in range(7) if form.get(f"weekday_{number}") == "yes"]
    if not picked:
        raise BadCenter("a shift needs a weekday: choose one or more")
    added = [ShiftRow(weekday=number, starts_at=starts_at, ends_at=ends_at) for number in picked]
    _set(desk, work_center_id, lambda week: [*week, *added])
    return done(url_for("master_work_centers.show", work_center_id=work_center_id), gettext("The shift is added."))


@area.action("/master/work-centers/<int:work_center_id>/shifts/remove", roles=words.EDITORS)
def remove_shift(desk: Desk, work_center_id: int) -> ResponseReturnValue:
    """This function will take a shift out of the week."""
    gone = _week(request.form.get("shift", ""))
    _set(desk, work_center_id, lambda week: [shift for shift in week if shift not in gone])
    return done(url_for("master_work_centers.show", work_center_id=work_center_id), gettext("The shift is taken out."))


def _set(desk: Desk, work_center_id: int, change: Callable[[Sequence[ShiftRow]], Sequence[ShiftRow]]) -> None:
    believed = _week(request.form.get("believes", ""))
    act(
        "work_center.set_shifts",
        lambda session: work_centers.set_shifts(
            session,
            work_center_id=work_center_id,
            site_id=desk.site_id,
            believed=believed,
            wanted=change(believed),
            actor=desk.actor,
        ),
    )


def _minute(moment: time) -> str:
    """A time of a wall clock as every language writes it."""
    return moment.isoformat("minutes")


def _week(text: str) -> tuple[ShiftRow, ...]:
    try:
        return read_shifts(text) if text else ()
    except WrongCell as error:
        raise BadCenter(f"the shifts cannot be {text[:40]!r}: {error.mend}") from None
