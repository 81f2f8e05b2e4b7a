"""Jobs: what runs, how far it is, what ran; cancel, try again, run now."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_pgettext, ngettext
from flask_babel import lazy_gettext as _l

from scm.core import clock, job_history, jobs, run_list
from scm.core.job_slots import JobRule
from scm.core.listing import Found
from scm.core.users import Role
from scm.loop import pulse
from web import schedule
from web.area import PEOPLE, Area
from web.desk import KEY_FIELD, Desk, act, done, not_here, read
from web.formats import count
from web.i18n import Text
from web.listing import Column, ListPage
from web.listing.routes import register
from web.pages.operations import job_words
from web.worker import calendar_of

area = Area("jobs", __name__)
runs = Area("runs", __name__)


@area.page("/jobs", roles=PEOPLE)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will show every job: what it does, how it stands, and what it did last."""
    return render_template("operations/jobs.html", **_state(desk))


@area.page("/jobs/now", roles=PEOPLE)
def now(desk: Desk) -> ResponseReturnValue:
    """This function will give the part of the page that changes while jobs run."""
    return render_template("operations/jobs_now.html", **_state(desk))


@area.page("/jobs/<int:run_id>", roles=PEOPLE)
def show(desk: Desk, run_id: int) -> ResponseReturnValue:
    """This function will show one run."""
    return render_template("operations/job_run.html", **_run(desk, run_id))


@area.page("/jobs/<int:run_id>/now", roles=PEOPLE)
def progress(desk: Desk, run_id: int) -> ResponseReturnValue:
    """This function will give the part of a run's page that changes while it runs."""
    return render_template("operations/job_run_now.html", **_run(desk, run_id))


@area.action("/jobs/run/<name>", roles=PEOPLE)
def start(desk: Desk, name: str) -> ResponseReturnValue:
    """This function will ask for a run of a job."""
    rule = next((one for one in schedule.RULES if one.name == name), None)
    if rule is None:
        not_here("job", name)
    run_id = act(
        f"job.request:{name}",
        lambda session: jobs.request(
            session,
            rule,
            client_key=request.form[KEY_FIELD],
            actor=desk.actor,
            now=clock.wall_now(),
            calendar=calendar_of(desk.company),
        ),
    )
    return done(url_for("jobs.show", run_id=run_id), gettext("The run waits for a worker."))


@area.action("/jobs/<int:run_id>/cancel", roles=PEOPLE)
def cancel(desk: Desk, run_id: int) -> ResponseReturnValue:
    """This function will cancel a run."""

    def work(session: Any) -> str:
        state = jobs.cancel(session, run_id=run_id, rules=schedule.RULES, actor=desk.actor, now=clock.wall_now())
        return state.value

    waits = act("job.cancel", work) == jobs.RunState.RUNNING.value
    said = gettext("The run stops at its next step.") if waits else gettext("The run is cancelled.")
    return done(url_for("jobs.show", run_id=run_id), said)


@area.action("/jobs/<int:run_id>/retry", roles=PEOPLE)
def retry(desk: Desk, run_id: int) -> ResponseReturnValue:
    """This function will queue a failed or cancelled run again."""
    act(
        "job.retry",
        lambda session: jobs.retry(
            session, run_id=run_id, rules=schedule.RULES, actor=desk.actor, now=clock.wall_now()
        ),
    )
    return done(url_for("jobs.show", run_id=run_id), gettext("The run waits for a worker."))


def _heading(found: Found, desk: Desk) -> Text:
    return ngettext("%(count)s run", "%(count)s runs", found.matching, count=count(found.matching))


HISTORY = ListPage(
    name="runs",
    rule="/jobs/runs",
    roles=PEOPLE,
    listing=lambda desk: run_list.listing(),
    columns=(
        Column(
            field="number",
            label=_l("Run"),
            sortable=False,
            link=lambda row: url_for("jobs.show", run_id=row["number"]),
        ),
        Column(field="job", label=_l("Job"), filtered=True, template="operations/run_job.html"),
        Column(field="state", label=_l("State"), filtered=True, names=job_words.STATES, meanings=job_words.MEANINGS),
        Column(field="due_at", label=lazy_pgettext("a run is", "Due"), filtered=True),
        Column(field="business_date", label=_l("Business date")),
        Column(field="requested_by", label=_l("Asked for by"), filtered=True),
        Column(field="started_at", label=_l("Started"), shown=False),
        Column(field="finished_at", label=_l("Finished")),
        Column(field="attempt", label=_l("Attempts"), shown=False),
        Column(field="error", label=_l("What went wrong"), sortable=False, template="operations/run_error.html"),
    ),
    identity="number",
    heading=_heading,
    why_empty=_l("No job has run yet: start a worker with scm worker."),
    presets=((_l("Failed runs"), "state=failed"), (_l("Running now"), "state=running")),
)
register(runs, HISTORY)
runs.add_app_template_global(job_words.title_of, "job_title")


def _state(desk: Desk) -> dict[str, Any]:
    names = [rule.name for rule in schedule.RULES]
    with read() as session:
        shown = job_history.by_job(session, job_names=names)
        taken = pulse.take(session, now=clock.wall_now())
    return {
        "rows": list(zip(schedule.RULES, shown, strict=True)),
        "pulse": taken,
        "words": job_words,
        "may_ask": lambda rule: desk.has(*rule.may_request),
        "is_admin": desk.has(Role.ADMIN),
    }


def _run(desk: Desk, run_id: int) -> dict[str, Any]:
    with read() as session:
        run = job_history.one(session, run_id=run_id)
        alive = pulse.take(session, now=clock.wall_now()).has_worker
    rule: JobRule | None = next((one for one in schedule.RULES if one.name == run.job), None)
    may = desk.has(*(rule.may_request if rule is not None else {Role.ADMIN}))
    return {"run": run, "rule": rule, "may_change": may, "words": job_words, "has_worker": alive}
