"""The home of every role: what needs them today, grouped by reason, solved where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from scm.core.errors import InvalidInput
from scm.core.users import Role
from scm.loop import cycle_runs
from scm.loop.exceptions import evidence, inbox, looking, refresh, solving
from scm.loop.exceptions.findings import Kind, kinds_of
from scm.loop.exceptions.solving import DEEDS, Solution
from web.area import PEOPLE, Area
from web.desk import Desk, act, done, read
from web.i18n import Text
from web.pages import exception_kinds, exception_why, exception_words, links, stock_sketch

area = Area("home", __name__)
USUAL_PAUSE_DAYS = 3

SOLUTIONS: Mapping[Solution, Text] = {
    Solution.ACCEPT_PROPOSALS: _l("Accept the proposal"),
    Solution.DRAFT: _l("Draft the order"),
    Solution.SUBMIT: _l("Submit for approval"),
    Solution.APPROVE: _l("Approve"),
    Solution.SEND: _l("Send to the supplier"),
    Solution.CANCEL: _l("Cancel the order"),
    Solution.STOP_BUYING: _l("Stop buying"),
    Solution.APPROVE_COUNT: _l("Approve the count"),
    Solution.GIVE_UP: _l("The customer gives up"),
}


class NoSuchKind(InvalidInput):
    """The address names a kind of exception that there is not."""


@area.page("/", roles=PEOPLE)
def show(desk: Desk) -> ResponseReturnValue:
    """This function will show the person's inbox."""
    mine = request.args.get("mine") == "yes"
    whole = _kind(request.args.get("kind", ""))
    with read() as session:
        found = inbox.read(
            session,
            site_id=desk.site_id,
            kinds=kinds_of(desk.actor.roles),
            today=desk.today,
            owner_id=desk.actor.user_id if mine else None,
            whole=whole,
        )
        run = cycle_runs.latest(session, site_id=desk.site_id) if desk.has(Role.PLANNER) else None
    return render_template(
        "home/show.html",
        found=found,
        heading=_heading(found.count, found.new),
        run=run,
        mine=mine,
        whole=whole,
        kinds=exception_kinds.KINDS,
        what=exception_words.what,
        links=links,
    )


@area.page("/exceptions/put-away", roles=PEOPLE)
def hidden(desk: Desk) -> ResponseReturnValue:
    """This function will list what was put off or accepted."""
    with read() as session:
        rows = inbox.hidden(session, site_id=desk.site_id, kinds=kinds_of(desk.actor.roles), today=desk.today)
    return render_template("home/hidden.html", rows=rows, kinds=exception_kinds.KINDS, links=links)


@area.page("/exceptions/<int:case_id>", roles=PEOPLE)
def detail(desk: Desk, case_id: int) -> ResponseReturnValue:
    """This function will show what a row opens to: why, what it will come to, and what can be done."""
    with read() as session:
        case = inbox.case(session, case_id, site_id=desk.site_id, kinds=kinds_of(desk.actor.roles), today=desk.today)
        scope = looking.scope_of(session, site_id=desk.site_id, now=desk.now, today=desk.today)
        found = evidence.read(session, scope, case.row)
    offered = solving.possible(case.row.kind, desk.actor.roles)
    if not found.count:  # nothing is proposed, so nothing can be accepted
        offered = tuple(one for one in offered if one is not Solution.ACCEPT_PROPOSALS)
    return render_template(
        "home/detail.html",
        case=case,
        found=found,
        why=exception_why.why(case.row, found, desk.currency),
        sketch=stock_sketch.draw(found.projection) if found.projection else None,
        offered=offered,
        deeds=DEEDS,
        solutions=SOLUTIONS,
        words=exception_kinds.KINDS[case.row.kind],
        subject=links.subject(desk, case.row),
        workplace=links.workplace(desk, case.row),
        pause=desk.today + timedelta(days=USUAL_PAUSE_DAYS),
        earliest=desk.today + timedelta(days=1),
    )


@area.action("/exceptions/look", roles=PEOPLE)
def look(desk: Desk) -> ResponseReturnValue:
    """This function will let the finders look now."""

    def work(session: Session) -> dict[str, int]:
        seen = refresh.refresh(session, site_id=desk.site_id, actor=desk.actor, now=desk.now, today=desk.today)
        return {"opened": seen.opened, "closed": seen.closed}

    seen = act("exception.refresh", work)
    opened = ngettext("%(num)s new exception", "%(num)s new exceptions", seen["opened"])
    return done(url_for("home.show"), gettext("%(opened)s, %(closed)s closed.", opened=opened, closed=seen["closed"]))


def _heading(count: int, new: int) -> str:
    if not count:
        return str(gettext("Nothing needs you today"))
    if not new:
        return str(ngettext("%(num)s today", "%(num)s today", count))
    return str(gettext("%(count)s today, %(new)s new", count=count, new=new))


def _kind(text: str) -> Kind | None:
    if not text:
        return None
    try:
        return Kind(text)
    except ValueError:
        raise NoSuchKind(f"there is no kind of exception {text[:30]!r}: take it from the page's own links") from None
