"""The planner's cockpit: the last run, how the business stands, and what changed since yesterday."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from scm.core.users import Role
from scm.loop import changes, cycle_runs, indicators
from web.area import Area
from web.desk import Desk, read
from web.pages import indicator_words

area = Area("cockpit", __name__)
SHOWN_RUNS = 14


@area.page("/cockpit", roles={Role.PLANNER})
def show(desk: Desk) -> ResponseReturnValue:
    """This function will show the cockpit."""
    with read() as session:
        runs = cycle_runs.recent(session, site_id=desk.site_id, limit=SHOWN_RUNS)
        found = indicators.read(session, site_id=desk.site_id, today=desk.today)
        changed = changes.since_yesterday(session, site_id=desk.site_id, user_id=desk.actor.user_id, today=desk.today)
    branches = (
        [(name, indicator_words.figures(found.readings, wanted, desk)) for name, wanted in indicator_words.TREE]
        if found
        else []
    )
    return render_template(
        "cockpit/show.html",
        runs=runs,
        run=runs[0] if runs else None,
        found=found,
        branches=[(name, figures) for name, figures in branches if figures],
        changed=changed,
        accuracy=_accuracy(runs),
    )


def _accuracy(runs: list[cycle_runs.CycleRun]) -> list[dict[str, object]]:
    """Errors by class of demand, from the newest run that measured any."""
    for run in runs:
        measured = run.measures.get("forecast")
        if measured and measured.get("by_class"):
            return list(measured["by_class"])
    return []
