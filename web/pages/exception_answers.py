"""What a person does about a row of their inbox: solve it, put it off, accept it, hand it over, say something."""

from __future__ import annotations

from datetime import date

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scm.core.errors import InvalidInput
from scm.loop.exceptions import answers, solving
from scm.loop.exceptions.solving import Solution
from web.area import PEOPLE, Area
from web.desk import Desk, act, back, done

area = Area("exceptions", __name__)


class BadForm(InvalidInput):
    """A field of the form cannot be read."""


@area.action("/exceptions/<int:case_id>/solve", roles=PEOPLE)
def solve(desk: Desk, case_id: int) -> ResponseReturnValue:
    """This function will do what solves the case; its own verb decides whether this person may."""
    solution = _solution(request.form.get("solution", ""))

    def work(session: Session) -> dict[str, object]:
        result = solving.solve(
            session,
            case_id,
            solution,
            site_id=desk.site_id,
            reason=request.form.get("reason", ""),
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )
        return {"label": result.label, "closed": result.closed}

    result = act(f"exception.{solution.value}", work)
    if result["closed"]:
        return _on(gettext("%(label)s: done, and off the list.", label=result["label"]))
    return _on(gettext("%(label)s: done. The row closes when its cause has gone.", label=result["label"]))


@area.action("/exceptions/<int:case_id>/snooze", roles=PEOPLE)
def snooze(desk: Desk, case_id: int) -> ResponseReturnValue:
    """This function will put the case off."""
    until = _day(request.form.get("until", ""))

    def work(session: Session) -> None:
        answers.snooze(
            session,
            [case_id],
            site_id=desk.site_id,
            until=until,
            comment=request.form.get("comment", ""),
            actor=desk.actor,
            now=desk.now,
            today=desk.today,
        )

    act("exception.snooze", work)
    return _on(gettext("Put off. It comes back on its day."))


@area.action("/exceptions/<int:case_id>/accept", roles=PEOPLE)
def accept(desk: Desk, case_id: int) -> ResponseReturnValue:
    """This function will accept the case as it is."""

    def work(session: Session) -> None:
        answers.accept(
            session,
            [case_id],
            site_id=desk.site_id,
            reason=request.form.get("reason", ""),
            actor=desk.actor,
            now=desk.now,
        )

    act("exception.accept", work)
    return _on(gettext("Accepted. It comes back if it gets half as bad again."))


@area.action("/exceptions/<int:case_id>/comment", roles=PEOPLE)
def comment(desk: Desk, case_id: int) -> ResponseReturnValue:
    """This function will note what the person says."""

    def work(session: Session) -> None:
        answers.comment(
            session,
            [case_id],
            site_id=desk.site_id,
            text=request.form.get("text", ""),
            actor=desk.actor,
            now=desk.now,
        )

    act("exception.comment", work)
    return _on(gettext("The comment stands with the row."))


@area.action("/exceptions/<int:case_id>/hand-over", roles=PEOPLE)
def hand_over(desk: Desk, case_id: int) -> ResponseReturnValue:
    """This function will make a colleague the owner."""
    username = request.form.get("username", "")

    def work(session: Session) -> None:
        answers.hand_over(
            session,
            [case_id],
            site_id=desk.site_id,
            to_username=username,
            text=request.form.get("text", ""),
            actor=desk.actor,
            now=desk.now,
        )

    act("exception.hand_over", work)
    return _on(gettext("Handed over to %(who)s.", who=username))


@area.action("/exceptions/<int:case_id>/wake", roles=PEOPLE)
def wake(desk: Desk, case_id: int) -> ResponseReturnValue:
    """This function will bring the case back."""
    act(
        "exception.wake",
        lambda session: answers.wake(session, [case_id], site_id=desk.site_id, actor=desk.actor, now=desk.now),
    )
    return _on(gettext("It is back in the inbox."))


def _on(message: str) -> ResponseReturnValue:
    return done(back(url_for("home.show")), message)


def _solution(text: str) -> Solution:
    try:
        return Solution(text)
    except ValueError:
        raise BadForm(f"solution is {text[:30]!r}: use one of the row's own buttons") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadForm(f"the day is {text[:20]!r}: write it as YYYY-MM-DD") from None
