"""The pages of operations: what runs, what left, who is told, who did what, and how the server is."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from scm.core import clock, deliveries, job_claims, outbox, sealing, webhooks, workers
from scm.core.db import Database
from scm.core.jobs import JobRun, RunState
from scm.core.outbox import OutboxMessage
from scm.core.webhooks import WebhookEndpoint
from tests.web.visitor import PASSWORD, Visitor, give_passwords, signed_in, text_of
from tests.world import World
from web import logs, schedule
from web.app import create_app
from web.pages.operations import deeds

ROOT = Path(__file__).parents[2]
SECRET = "https://hooks.example/services/T0/hunter2"


@pytest.fixture
def company(database: Database) -> World:
    with database.unit_of_work(write=True) as session:
        return World(session)


@pytest.fixture
def admin(database: Database, company: World) -> Visitor:
    return signed_in(database, "admin")


def run_of(database: Database) -> JobRun:
    with database.unit_of_work(write=False) as session:
        return session.scalars(sa.select(JobRun).order_by(JobRun.id.desc()).limit(1)).one()


def take(database: Database) -> job_claims.Claim:
    lease = timedelta(minutes=1)
    claim = database.run(lambda s: job_claims.take(s, schedule.RULES, worker="w", now=clock.wall_now(), lease=lease))
    assert claim is not None
    return claim


def test_the_page_says_what_each_job_does_and_that_no_worker_is_there(admin: Visitor, database: Database) -> None:
    said = text_of(admin.get("/jobs"))
    assert said.count("Run now") == len(schedule.JOBS)
    assert "none is at work" in said and "daily at 01:30" in said
    now = clock.wall_now()
    database.run(lambda s: workers.beat(s, worker="w", started_at=now, leads=True, now=now))
    assert "none is at work" not in text_of(admin.get("/jobs/now"))


def test_a_run_is_asked_for_once_however_often_the_form_is_sent(admin: Visitor, database: Database) -> None:
    for _ in range(2):
        admin.post("/jobs/run/verify_books", key="same", status=303)
    run = run_of(database)
    assert (run.job, run.state) == ("verify_books", RunState.QUEUED)
    with database.unit_of_work(write=False) as session:
        assert session.scalar(sa.select(sa.func.count(JobRun.id))) == 1
    said = text_of(admin.get(f"/jobs/{run.id}"))
    assert "queued" in said and "No worker is at work" in said
    admin.get("/jobs/999999", status=404)
    admin.post("/jobs/run/nothing", status=404)


def test_a_running_job_is_watched_cancelled_and_tried_again(admin: Visitor, database: Database) -> None:
    admin.post("/jobs/run/verify_books", status=303)
    claim = take(database)
    database.run(
        lambda s: job_claims.beat(
            s, claim, now=clock.wall_now(), lease=timedelta(minutes=1), stage="counting", done=3, total=12
        )
    )
    page = admin.get(f"/jobs/{claim.run_id}/now")
    assert "counting" in page and "25%" in text_of(page) and 'hx-trigger="load delay:2s"' in page
    assert "counting" in admin.get("/jobs/now")
    admin.post(f"/jobs/{claim.run_id}/cancel", status=303)
    assert "asked to stop" in admin.get(f"/jobs/{claim.run_id}")
    database.run(lambda s: job_claims.cancelled(s, claim, now=clock.wall_now()))
    page = admin.get(f"/jobs/{claim.run_id}")
    assert "cancelled" in text_of(page) and "load delay" not in page
    admin.post(f"/jobs/{claim.run_id}/cancel", status=409)
    admin.post(f"/jobs/{claim.run_id}/retry", status=303)
    assert run_of(database).state is RunState.QUEUED


def test_a_planner_starts_the_cycle_and_nothing_of_the_administrators(database: Database, company: World) -> None:
    planner = signed_in(database, "planner")
    said = text_of(planner.get("/jobs"))
    assert said.count("Run now") == 2  # the cycle and the look for exceptions
    planner.post("/jobs/run/nightly_cycle", status=303)
    planner.post("/jobs/run/valuation", status=403)
    for address in ("/jobs/messages", "/jobs/webhooks", "/audit"):
        planner.get(address, status=403)


def test_what_a_run_brought_and_what_went_wrong_is_shown(admin: Visitor, database: Database) -> None:
    admin.post("/jobs/run/verify_books", status=303)
    claim = take(database)
    database.run(
        lambda s: job_claims.fail(
            s, claim, schedule.RULES[6], error="<b>7 places disagree</b>", again=False, now=clock.wall_now()
        )
    )
    assert "&lt;b&gt;7 places disagree" in admin.get(f"/jobs/{claim.run_id}")
    assert "7 places disagree" in text_of(admin.get("/jobs/runs?state=failed"))
    admin.post("/jobs/run/seal_audit", status=303)
    claim = take(database)
    database.run(lambda s: job_claims.conclude(s, claim, now=clock.wall_now(), result={"seals": 2, "rows": 1234}))
    assert "Entries sealed 1,234" in text_of(admin.get(f"/jobs/{claim.run_id}"))


def test_a_dead_letter_is_sent_again_and_a_living_one_is_not(admin: Visitor, database: Database) -> None:
    with database.unit_of_work(write=True) as session:
        for number in (1, 2):
            outbox.put(
                session,
                topic="purchase_order.sent",
                recipient=f"s{number}@x.example",
                document_kind="d",
                document_id=number,
                payload={},
                now=clock.wall_now(),
            )
    [first] = database.run(lambda s: deliveries.claim(s, now=clock.wall_now()))
    database.run(lambda s: deliveries.failed(s, first, error="no such box", for_good=True, now=clock.wall_now()))
    said = text_of(admin.get("/jobs/messages?state=dead"))
    assert "s1@x.example" in said and "no such box" in said and "s2@x.example" not in said
    admin.post("/jobs/messages/send-again", data={"row": str(first.id)}, status=303)
    with database.unit_of_work(write=False) as session:
        assert deliveries.backlog(session).dead == 0
        alive = session.scalars(sa.select(OutboxMessage.id).order_by(OutboxMessage.id.desc())).first()
    admin.post("/jobs/messages/send-again", data={"row": str(alive)}, status=409)


def test_a_webhook_is_added_and_its_address_is_never_shown_again(admin: Visitor, database: Database) -> None:
    room = {"name": "buyers", "shape": "slack", "url": SECRET, "topics": webhooks.APPROVAL_ASKED}
    admin.post("/jobs/webhooks/add", data=room | {"secret": "hush"}, status=303)
    page = admin.get("/jobs/webhooks")
    assert "hooks.example" in page and "hunter2" not in page and "hush" not in page
    admin.post("/jobs/webhooks/add", data=room | {"url": "http://10.0.0.1/hunter2"}, status=400)
    with database.unit_of_work(write=False) as session:
        [endpoint] = session.scalars(sa.select(WebhookEndpoint.id))
    admin.post(f"/jobs/webhooks/{endpoint}/remove", status=303)
    assert "hooks.example" not in admin.get("/jobs/webhooks")
    with database.unit_of_work(write=False) as session:
        stored = session.connection().exec_driver_sql("SELECT detail FROM audit_row").scalars().all()
        remembered = session.connection().exec_driver_sql("SELECT answer FROM idempotency_key").scalars().all()
    assert "hunter2" not in repr([stored, remembered])


def test_the_trail_says_who_did_what_and_how_much_is_sealed(admin: Visitor, database: Database) -> None:
    said = text_of(admin.get("/audit"))
    assert "created company" in said and "signed in user" in said and "admin" in said
    assert "created company" not in text_of(admin.get("/audit?verb.has=sign_in"))
    assert "not sealed yet" in text_of(admin.get("/audit/seals"))
    database.run(lambda s: sealing.seal(s, now=clock.wall_now()))
    assert "Every entry is sealed" in text_of(admin.get("/audit/seals"))
    exported = admin.get("/audit/export.csv")
    assert "company.create" in exported


def test_every_verb_of_the_product_has_its_word() -> None:
    rooms = ("scm", "forecasting", "procurement", "warehouse", "aftersales")
    sources = [path.read_text() for room in rooms for path in (ROOT / room).rglob("*.py")]
    verbs = {verb for source in sources for verb in re.findall(r'verb="([a-z_]+\.[a-z_]+)"', source)}
    assert len(verbs) > 50
    assert {verb for verb in verbs if verb.rpartition(".")[2] not in deeds.DEEDS} == set()


# ---- health and figures


def test_health_is_told_to_everybody_and_names_nobody(database: Database, company: World) -> None:
    client = create_app(database).test_client()
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "degraded",
        "database": "reachable",
        "schema": "current",
        "worker": "none",
        "worker_seen_seconds": None,
    }
    now = clock.wall_now()
    database.run(lambda s: workers.beat(s, worker="w", started_at=now, leads=True, now=now))
    assert client.get("/health").json["status"] == "ready"  # type: ignore[index]
    assert "Ready" in client.get("/health", headers={"Accept": "text/html"}).get_data(as_text=True)
    assert client.get("/health/live").json == {"status": "alive"}


def test_a_database_that_is_gone_or_old_is_not_healthy(tmp_path: Path, database: Database) -> None:
    app = create_app(database)
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    app.extensions["scm"] = empty
    answer = app.test_client().get("/health")
    assert (answer.status_code, answer.json["schema"]) == (503, "not current")  # type: ignore[index]
    app.extensions["scm"] = Database(f"sqlite:///{tmp_path / 'no folder' / 'gone.db'}")
    answer = app.test_client().get("/health")
    assert (answer.status_code, answer.json["database"]) == (503, "unreachable")  # type: ignore[index]
    assert app.test_client().get("/health/live").status_code == 200
    empty.dispose()


def test_figures_are_for_this_machine_or_for_the_token(database: Database, company: World) -> None:
    client = create_app(database).test_client()
    text = client.get("/metrics").get_data(as_text=True)
    for name in ("scm_outbox_waiting", "scm_audit_unsealed_seconds", "scm_moves_unvalued", "scm_workers"):
        assert re.search(rf"^{name}", text, re.MULTILINE), name
    client.get("/login")
    text = client.get("/metrics").get_data(as_text=True)
    assert "scm_request_seconds_bucket" in text
    assert 'scm_requests_total{method="GET",route="account.login",status="200"} 1.0' in text
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
    assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": "10.0.0.9"}).status_code == 403
    guarded = create_app(database, metrics_token="open sesame").test_client()
    assert guarded.get("/metrics").status_code == 403
    assert guarded.get("/metrics", headers={"Authorization": "Bearer open sesame"}).status_code == 200


# ---- secrets


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_no_secret_is_logged_or_repeated_in_an_error(database: Database, company: World, written: io.StringIO) -> None:
    give_passwords(database, "admin")
    visitor = Visitor(create_app(database))
    visitor.get("/login?next=/audit&token=hunter2")
    wrong = visitor.post("/login", username="admin", password="hunter2-wrong")
    assert "hunter2" not in wrong.get_data(as_text=True)
    visitor.sign_in("admin")
    bad = {"name": "x", "shape": "slack", "url": "ftp://hooks.example/hunter2", "topics": webhooks.RUN_FAILED}
    refused = visitor.post("/jobs/webhooks/add", data=bad | {"secret": "hunter2"})
    assert refused.status_code == 400 and "hunter2" not in refused.get_data(as_text=True)
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert {line["route"] for line in lines if line["event"] == "request"} >= {"account.login", "webhooks.add"}
    text = written.getvalue()
    assert "hunter2" not in text and PASSWORD not in text
    cookie = visitor.client.get_cookie("scm_session")
    assert cookie is not None and cookie.value not in text
