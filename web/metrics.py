"""Measures every request, and offers the figures that an operator watches in the text format of Prometheus."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator

import structlog
from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from scm.core.jobs import RunState
from scm.loop.pulse import Pulse

BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.06, 0.1, 0.25, 0.5, 1, 2.5, 10)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LOOPBACK = ("127.0.0.1", "::1")
UNKNOWN = "none"
log = structlog.get_logger("web.request")


class Meter:
    """The figures of one process: each web process is asked by itself."""

    def __init__(self, *, token: str | None) -> None:
        self._token = token
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "scm_requests", "Requests answered", ("route", "method", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "scm_request_seconds", "Time to answer", ("route",), registry=self._registry, buckets=BUCKETS
        )

    def measured(self, *, route: str, status: int, seconds: float) -> None:
        """This function will count one request; routes are endpoints, so that no address becomes a label."""
        self._requests.labels(route, request.method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def may_read(self) -> bool:
        """This function will tell whether the request may see the figures: by the token, or from this machine."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._token is not None:
            return hmac.compare_digest(given.encode(), self._token.encode())
        passed_on = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
        return request.remote_addr in LOOPBACK and not passed_on

    def text(self, pulse: Pulse) -> bytes:
        """This function will write this process's figures and those of the installation."""
        once = CollectorRegistry()
        once.register(_Installation(pulse))
        return generate_latest(self._registry) + generate_latest(once)


class _Installation:
    """The figures that are in the database, and so the same whichever process is asked."""

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse

    def collect(self) -> Iterator[Metric]:
        """This function will give the figures of the pulse."""
        pulse = self._pulse
        for name, text, value in (
            ("scm_outbox_waiting", "Messages not delivered yet", pulse.backlog.waiting),
            ("scm_outbox_dead", "Messages given up", pulse.backlog.dead),
            ("scm_outbox_oldest_seconds", "Age of the oldest", pulse.seconds_since(pulse.backlog.oldest_at)),
            ("scm_audit_unsealed", "Audit rows without a seal", pulse.unsealed.rows),
            ("scm_audit_unsealed_seconds", "Age of the oldest", pulse.seconds_since(pulse.unsealed.oldest_at)),
            ("scm_moves_unvalued", "Posted moves without a value", pulse.unvalued),
            ("scm_workers", "Workers heard of in the last week", len(pulse.workers)),
        ):
            yield GaugeMetricFamily(name, text, value=value)
        if pulse.worker_seconds is not None:
            text = "Time since a worker was last heard of"
            yield GaugeMetricFamily("scm_worker_seen_seconds", text, value=pulse.worker_seconds)
        runs = GaugeMetricFamily("scm_job_runs", "Runs of the last day, and those open", labels=("job", "state"))
        for (job, state), count in pulse.runs.items():
            assert isinstance(state, RunState)
            runs.add_metric((job, state.value), count)
        yield runs
        ages = GaugeMetricFamily("scm_job_success_seconds", "Time since the job last succeeded", labels=("job",))
        for job, at in pulse.succeeded_at.items():
            ages.add_metric((job,), pulse.seconds_since(at))
        yield ages


def init(app: Flask, *, token: str | None) -> None:
    """This function will measure and log every request of an application."""
    app.extensions["scm-meter"] = Meter(token=token)
    app.before_request(_begin)
    app.after_request(_end)


def meter() -> Meter:
    """This function will give the meter of the running application."""
    found = current_app.extensions["scm-meter"]
    assert isinstance(found, Meter)
    return found


def _begin() -> None:
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    began = g.get("began")
    if began is None:
        return response
    route, seconds = request.endpoint or UNKNOWN, time.perf_counter() - began
    meter().measured(route=route, status=response.status_code, seconds=seconds)
    if route != "static":
        # The path names documents, never a secret; the query is left out.
        desk = g.get("desk")
        log.info(
            "request",
            route=route,
            method=request.method,
            path=request.path,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
            person=desk.actor.username if desk is not None else None,
        )
    return response
