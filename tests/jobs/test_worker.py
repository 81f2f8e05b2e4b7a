"""The worker itself: catches up when it starts, shows progress, can be cancelled and stopped, and reports failure."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from datetime import time as wall

import pytest
import sqlalchemy as sa

from scm.core import clock, job_history, jobs, outbox, users, webhooks, workers
from scm.core.config import Settings
from scm.core.db import Database
from scm.core.errors import Conflict
from scm.core.job_history import RunShown
from scm.core.job_slots import Calendar, CatchUp, Daily, Every, JobRule, Lane
from scm.core.jobs import JobSchedule, RunState
from scm.core.outbox import OutboxMessage
from scm.core.users import Actor, Role
from scm.core.webhooks import WebhookShape
from tests.world import World
from web import schedule
from web.jobs import Job, Work
from web.leader import Leadership
from web.worker import Worker


@pytest.fixture
def company(database: Database) -> World:
    with database.unit_of_work(write=True) as session:
        return World(session)


@pytest.fixture
def boss(company: World, database: Database) -> Actor:
    with database.unit_of_work(write=True) as session:
        return users.add(session, username="boss", display_name="Boss", roles=frozenset({Role.ADMIN}), now=company.now)


def rule(name: str, catch_up: CatchUp, **changes: object) -> JobRule:
    return JobRule(name=name, timing=Every(seconds=3600), catch_up=catch_up, **changes)  # type: ignore[arg-type]


def done(work: Work) -> None:
    work.database.run(lambda session: work.progress.conclude(session, result={"slot": work.claim.slot}))


@contextlib.contextmanager
def working(database: Database, offered: Sequence[Job]) -> Iterator[Worker]:
    worker = Worker(database, offered, settings=Settings(), lease=timedelta(seconds=2), poll_seconds=0.02)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(60)
        assert not thread.is_alive()


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not found():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.02)


def runs(database: Database, job: str | None = None) -> list[RunShown]:
    with database.unit_of_work(write=False) as session:
        return list(job_history.latest(session, count=100, job=job))


def seen_before(database: Database, *names: str, ago: timedelta) -> None:
    """This function will let jobs have been looked at some time ago, since when no worker ran."""
    with database.unit_of_work(write=True) as session:
        session.add_all(JobSchedule(job=name, opened_until=clock.wall_now() - ago) for name in names)


def ask(database: Database, asked: JobRule, actor: Actor) -> int:
    calendar = Calendar(zone="UTC")
    return database.run(
        lambda s: jobs.request(
            s, asked, client_key=str(time.monotonic_ns()), actor=actor, now=clock.wall_now(), calendar=calendar
        )
    )


def test_downtime_is_caught_up_by_each_jobs_rule_when_a_worker_starts(database: Database, company: World) -> None:
    seen_before(database, "all", "latest", "none", ago=timedelta(hours=5))
    offered = [
        Job(rule=rule("all", CatchUp.ALL), run=done),
        Job(rule=rule("latest", CatchUp.LATEST), run=done),
        Job(
            rule=JobRule(name="none", timing=Daily(at=wall(0, 0)), catch_up=CatchUp.NONE, grace=timedelta(0)), run=done
        ),
    ]
    with working(database, offered):
        until(lambda: len([run for run in runs(database) if run.state is RunState.SUCCEEDED]) >= 6)
    slots = [run.slot for run in reversed(runs(database, "all"))]
    assert len(slots) == 5 and slots == sorted(slots)
    assert len(runs(database, "latest")) == 1
    assert len(runs(database, "none")) <= 1


def test_a_slot_with_nothing_to_do_leaves_no_run(database: Database, company: World) -> None:
    seen_before(database, "idle", "busy", ago=timedelta(hours=2))
    offered = [
        Job(rule=rule("idle", CatchUp.LATEST), run=done, waiting=lambda session, now: False),
        Job(rule=rule("busy", CatchUp.LATEST), run=done, waiting=lambda session, now: True),
    ]
    with working(database, offered):
        until(lambda: bool(runs(database)))
    assert {run.job for run in runs(database)} == {"busy"}


def test_progress_is_seen_while_it_runs_and_a_cancellation_ends_it(
    database: Database, company: World, boss: Actor
) -> None:
    slow = rule("slow", CatchUp.NONE)

    def crawl(work: Work) -> None:
        work.progress.stage("counting sheep", total=10_000)
        for _ in range(10_000):
            time.sleep(0.01)
            work.progress.advance()
        done(work)

    with working(database, [Job(rule=slow, run=crawl)]):
        run_id = ask(database, slow, boss)
        until(lambda: runs(database)[0].done > 10)
        [shown] = runs(database)
        assert (shown.stage, shown.total, shown.state) == ("counting sheep", 10_000, RunState.RUNNING)
        database.run(lambda s: jobs.cancel(s, run_id=run_id, rules=[slow], actor=boss, now=clock.wall_now()))
        until(lambda: runs(database)[0].is_over)
    [shown] = runs(database)
    assert (shown.state, shown.result) == (RunState.CANCELLED, None)


def test_a_worker_that_is_stopped_puts_its_run_back_and_the_next_one_ends_it(
    database: Database, company: World, boss: Actor
) -> None:
    asked = rule("patient", CatchUp.NONE)
    quick = threading.Event()

    def wait(work: Work) -> None:
        work.progress.stage("waiting")
        while not quick.is_set():
            time.sleep(0.01)
            work.progress.advance()
        done(work)

    with working(database, [Job(rule=asked, run=wait)]):
        ask(database, asked, boss)
        until(lambda: runs(database)[0].state is RunState.RUNNING)
    assert runs(database)[0].state is RunState.QUEUED
    with database.unit_of_work(write=False) as session:
        assert workers.alive(session) == ()
    quick.set()
    with working(database, [Job(rule=asked, run=wait)]):
        until(lambda: runs(database)[0].is_over)
    [shown] = runs(database)
    assert (shown.state, shown.attempt) == (RunState.SUCCEEDED, 2)


def test_a_failure_is_reported_with_its_words_and_to_those_who_subscribed(
    database: Database, company: World, boss: Actor
) -> None:
    refused, broken = rule("refused", CatchUp.NONE, attempts=1), rule("broken", CatchUp.NONE, attempts=1)
    forgetful = rule("forgetful", CatchUp.NONE)

    def refuse(work: Work) -> None:
        raise Conflict("PO-7 is in the way: cancel it")

    def divide(work: Work) -> None:
        raise ValueError("postgresql://scm:hunter2@db/scm")

    with database.unit_of_work(write=True) as session:
        webhooks.add(
            session,
            name="ops",
            shape=WebhookShape.SLACK,
            url="https://hooks.example/x",
            topics=[webhooks.RUN_FAILED],
            actor=boss,
            now=company.now,
        )
    offered = [
        Job(rule=refused, run=refuse),
        Job(rule=broken, run=divide),
        Job(rule=forgetful, run=lambda work: None),
    ]
    with working(database, offered):
        for asked in (refused, broken, forgetful):
            ask(database, asked, boss)
        until(lambda: len([run for run in runs(database) if run.is_over]) == 3)
    errors = {run.job: run.error for run in runs(database)}
    assert errors["refused"] == "PO-7 is in the way: cancel it"
    assert errors["broken"].startswith("ValueError in test_worker.py line")
    assert "without concluding" in errors["forgetful"]
    with database.unit_of_work(write=False) as session:
        messages = session.scalars(sa.select(OutboxMessage)).all()
        assert {message.payload["job"] for message in messages} == set(errors)
        assert "hunter2" not in repr([message.payload for message in messages])


def test_one_of_two_leads_and_the_other_follows_it(database: Database, company: World) -> None:
    first, second = Leadership(database), Leadership(database)
    assert first.held() and first.held()
    assert not second.held()
    first.release()
    assert second.held()
    assert not first.held()
    second.release()


def test_the_jobs_of_the_product_run_on_a_company(
    database: Database, company: World, boss: Actor, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    with database.unit_of_work(write=True) as session:
        company.on(session).stock(company.item("bolt"), 40)
        outbox.put(
            session,
            topic="purchase_order.sent",
            recipient="S1",
            document_kind="purchase_order",
            document_id=1,
            payload={"number": "PO-1", "currency": "GBP", "lines": []},
            now=datetime.now(UTC),
        )
    seen_before(database, *(job.rule.name for job in schedule.JOBS), ago=timedelta(days=2))
    worker = Worker(
        database, schedule.JOBS, settings=Settings(outbox_directory=str(tmp_path)), name="test", poll_seconds=0.01
    )
    worker.open_slots()
    while any(worker.work_once(lane) for lane in Lane):
        pass
    found = {run.job: run for run in runs(database)}
    assert set(found) == {job.rule.name for job in schedule.JOBS}
    assert {name for name, run in found.items() if run.state is not RunState.SUCCEEDED} == {"nightly_cycle"}
    # There are no agreements yet; the run waits for its next try and says why.
    assert "import agreements first" in found["nightly_cycle"].error
    assert found["nightly_cycle"].business_date == company.today
    assert found["deliver_outbox"].result == {"delivered": 1, "failed": 0, "dead": 0}
    valued = found["valuation"].result
    assert valued is not None and valued["moves"] == 1


def test_every_job_is_described() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    assert [job.rule.name for job in schedule.JOBS if f"| `{job.rule.name}` |" not in text] == []
