"""Whether the server is alive and can work, for load balancers, monitors and people; and its figures."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from scm.core import clock
from scm.core.errors import NotAllowed, Unavailable
from scm.loop import pulse
from scm.loop.pulse import Pulse
from web import desk, metrics, migrations
from web.area import NOBODY_IN_PARTICULAR, Area

area = Area("health", __name__)

READY, DEGRADED, BROKEN = "ready", "degraded", "broken"


class NotForYou(NotAllowed):
    """The figures are for this machine, or for whoever has the token."""


@area.page("/health/live", roles=NOBODY_IN_PARTICULAR)
def live() -> ResponseReturnValue:
    """This function will say that the process answers, whatever the database does."""
    return jsonify(status="alive")


@area.page("/health", roles=NOBODY_IN_PARTICULAR)
def ready() -> ResponseReturnValue:
    """This function will say whether requests can be served: 200, or 503 when the database or its schema cannot.

    Without a worker pages work, so that alone is no reason to send people elsewhere.
    """
    checks = _checks()
    status = 503 if checks["status"] == BROKEN else 200
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return render_template("operations/health.html", checks=checks), status
    return jsonify(checks), status


@area.page("/metrics", roles=NOBODY_IN_PARTICULAR)
def figures() -> ResponseReturnValue:
    """This function will give the figures for Prometheus."""
    meter = metrics.meter()
    if not meter.may_read():
        raise NotForYou("the figures are for this machine, or for whoever sends the token of SCM_METRICS_TOKEN")
    with desk.read() as session:
        found = pulse.take(session, now=clock.wall_now())
    return Response(meter.text(found), content_type=metrics.CONTENT_TYPE)


def _checks() -> dict[str, Any]:
    """Nothing here is for strangers: states and ages, no names, numbers or addresses."""
    try:
        current = migrations.is_current(desk.database())
        found = _pulse() if current else None
    except Unavailable:
        return {"status": BROKEN, "database": "unreachable", "schema": "unknown", "worker": "unknown"}
    if found is None:
        return {"status": BROKEN, "database": "reachable", "schema": "not current", "worker": "unknown"}
    seconds = found.worker_seconds
    return {
        "status": READY if found.has_worker else DEGRADED,
        "database": "reachable",
        "schema": "current",
        "worker": "at work" if found.has_worker else "none",
        "worker_seen_seconds": None if seconds is None else round(seconds),
    }


def _pulse() -> Pulse:
    with desk.read() as session:
        return pulse.take(session, now=clock.wall_now())
