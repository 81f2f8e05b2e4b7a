"""The words of jobs: what each is called and does, when it runs, and how a run stands."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from scm.core.job_history import RunShown
from scm.core.job_slots import Daily, Every
from scm.core.jobs import RunState
from web.i18n import Text

TITLES: dict[str, tuple[Text, Text]] = {
    "nightly_cycle": (_l("Nightly cycle"), _l("Forecasts, plans and publishes proposals as of the end of a day.")),
    "hold_expired": (_l("Hold expired lots"), _l("Lots past their expiry are held, so that nobody picks them.")),
    "valuation": (_l("Valuation"), _l("Gives every posted move its value and writes the journal.")),
    "deliver_outbox": (_l("Delivery of messages"), _l("Sends orders to suppliers and cards to chat rooms.")),
    "seal_audit": (
        _l("Sealing of the audit trail"),
        _l("Seals what was noted since, so that changes to it are found."),
    ),
    "exceptions": (_l("Look for exceptions"), _l("Brings the exceptions on everybody's home up to date.")),
    "verify_books": (_l("Proof of the books"), _l("Proves goods, reservations and journal against each other.")),
    "forget_old": (
        _l("Forget what is old"),
        _l("Removes old keys of repeated forms, ended sessions and frequent runs."),
    ),
}
STATES: Mapping[enum.Enum, Text] = {
    RunState.QUEUED: _l("queued"),
    RunState.RUNNING: _l("running"),
    RunState.SUCCEEDED: _l("succeeded"),
    RunState.FAILED: _l("failed"),
    RunState.CANCELLED: _l("cancelled"),
}
MEANINGS: Mapping[enum.Enum, str] = {
    RunState.QUEUED: "idle",
    RunState.RUNNING: "machine",
    RunState.SUCCEEDED: "good",
    RunState.FAILED: "risk",
    RunState.CANCELLED: "hand",
}
RESULTS: dict[str, Text] = {
    "proposals": _l("Proposals"),
    "cycle_run_id": _l("Run of the cycle"),
    "inputs_hash": _l("Hash of the inputs"),
    "lots": _l("Lots held"),
    "moves": _l("Moves valued"),
    "delivered": _l("Delivered"),
    "failed": _l("To be tried again"),
    "dead": _l("Given up"),
    "seals": _l("Seals"),
    "rows": _l("Entries sealed"),
    "head": _l("Newest seal"),
    "opened": _l("New exceptions"),
    "closed": _l("Exceptions closed"),
    "open": _l("Exceptions open"),
    "summary": _l("Outcome"),
    "idempotency_keys": _l("Keys removed"),
    "runs": _l("Runs removed"),
    "login_sessions": _l("Sessions removed"),
}


def title_of(name: str) -> Text:
    """This function will give what a job is called; one of an older release keeps its name."""
    return TITLES[name][0] if name in TITLES else name


def when(timing: Daily | Every) -> str:
    """This function will say when a job runs."""
    if isinstance(timing, Daily):
        return str(gettext("daily at %(time)s", time=f"{timing.at:%H:%M}"))
    if timing.seconds % 60:
        return str(gettext("every %(num)s seconds, if something waits", num=timing.seconds))
    minutes = timing.seconds // 60
    if minutes == 1:
        return str(gettext("every minute, if something waits"))
    return str(gettext("every %(num)s minutes", num=minutes))


def result_of(run: RunShown) -> Iterator[tuple[Text, Any]]:
    """This function will give what a run brought, as names and values."""
    for name, value in (run.result or {}).items():
        if value not in ("", None):
            yield RESULTS.get(name, name), value
