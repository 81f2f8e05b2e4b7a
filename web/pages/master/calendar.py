"""When the site works: the weekdays, and the dates on which it is closed."""

from __future__ import annotations

from datetime import date, timedelta

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from scm.core.users import Role
from scm.master import calendars
from scm.master.calendars import BadClosure
from web.area import PEOPLE, Area
from web.desk import Desk, act, done, read
from web.pages.master import wording

area = Area("master_calendar", __name__)
CHANGERS = frozenset({Role.PLANNER, Role.ADMIN})
LONGEST_DAYS = 92


@area.page("/master/calendar", roles=PEOPLE)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will show the working week and the coming closed days."""
    with read() as session:
        calendar = calendars.load(session, site_id=desk.site_id)
        closed = calendars.closed_days(session, site_id=desk.site_id, since=desk.today)
    return render_template(
        "master/calendar.html",
        calendar=calendar,
        closed=closed,
        weekdays=wording.WEEKDAYS,
        may_change=desk.has(*CHANGERS),
    )


@area.action("/master/calendar/weekdays/<int:weekday>", roles=CHANGERS)
def set_weekday(desk: Desk, weekday: int) -> ResponseReturnValue:
    """This function will let the site work on a weekday from now on, or not."""
    believed, works = request.form.get("believed") == "yes", request.form.get("works") == "yes"
    act(
        "calendar.set_weekday",
        lambda session: calendars.set_weekday(
            session, site_id=desk.site_id, weekday=weekday, believed=believed, works=works, actor=desk.actor
        ),
    )
    return done(url_for("master_calendar.index"), gettext("The working week is changed; the next promises follow it."))


@area.action("/master/calendar/close", roles=CHANGERS)
def close(desk: Desk) -> ResponseReturnValue:
    """This function will close the site on some days in a row."""
    first, last = (_day(request.form.get(name, "")) for name in ("first", "last"))
    if not 0 <= (last - first).days < LONGEST_DAYS:
        raise BadClosure(f"from {first} to {last}: close 1 to {LONGEST_DAYS} days in a row")
    days = [first + timedelta(days=place) for place in range((last - first).days + 1)]
    reason = request.form.get("reason", "")
    act(
        "calendar.close",
        lambda session: calendars.close(
            session, site_id=desk.site_id, closed_dates=days, reason=reason, actor=desk.actor
        ),
    )
    return done(url_for("master_calendar.index"), gettext("The site is closed on these days."))


@area.action("/master/calendar/reopen", roles=CHANGERS)
def reopen(desk: Desk) -> ResponseReturnValue:
    """This function will take a closed day back."""
    day = _day(request.form.get("day", ""))
    act(
        "calendar.reopen",
        lambda session: calendars.reopen(session, site_id=desk.site_id, closed_dates=[day], actor=desk.actor),
    )
    return done(url_for("master_calendar.index"), gettext("The site works on that day again."))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadClosure(f"{text[:20] or 'nothing'!r} is no date: write it as YYYY-MM-DD") from None
