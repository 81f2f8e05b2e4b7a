"""A run's life in the database: opened once, taken once, held by a lease, ended once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import job_claims, job_history, jobs, users
from scm.core.documents import IllegalTransition
from scm.core.job_claims import Claim, LostRun
from scm.core.job_slots import Calendar, CatchUp, Daily, Every, JobRule
from scm.core.jobs import BadRunKey, JobRun, RunState
from scm.core.users import Actor, Role, RoleMissing

CALENDAR = Calendar(zone="Europe/London")
NIGHTLY = JobRule(name="nightly", timing=Daily(at=time(1, 30), days_back=1), catch_up=CatchUp.ALL)
OFTEN = JobRule(name="often", timing=Every(seconds=5), catch_up=CatchUp.LATEST)
RULES = (NIGHTLY, OFTEN)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LEASE = timedelta(minutes=1)


@pytest.fixture
def boss(session: Session) -> Actor:
    return users.add(session, username="boss", display_name="Boss", roles=frozenset({Role.ADMIN}), now=NOW)


def opened(session: Session, *, days: int = 1) -> datetime:
    """This function will let a job's first look pass, and then some days; gives the instant after them."""
    jobs.open_due(session, NIGHTLY, now=NOW, calendar=CALENDAR)
    later = NOW + timedelta(days=days)
    assert len(jobs.open_due(session, NIGHTLY, now=later, calendar=CALENDAR).names) == days
    return later


def take(session: Session, now: datetime, *, worker: str = "one") -> Claim:
    claim = job_claims.take(session, RULES, worker=worker, now=now, lease=LEASE)
    assert claim is not None
    return claim


def run_of(session: Session, claim: Claim) -> JobRun:
    session.expire_all()
    return session.get_one(JobRun, claim.run_id)


def test_a_job_begins_with_the_slots_after_it_was_first_seen(session: Session) -> None:
    assert jobs.open_due(session, NIGHTLY, now=NOW, calendar=CALENDAR).names == ()
    assert jobs.open_due(session, NIGHTLY, now=NOW + timedelta(hours=1), calendar=CALENDAR).names == ()
    tomorrow = NOW + timedelta(days=1)
    assert jobs.open_due(session, NIGHTLY, now=tomorrow, calendar=CALENDAR).names == ("2026-03-02",)
    assert jobs.open_due(session, NIGHTLY, now=tomorrow, calendar=CALENDAR).names == ()


def test_a_clock_set_back_opens_no_slot_again(session: Session) -> None:
    later = opened(session, days=3)
    assert jobs.open_due(session, NIGHTLY, now=later - timedelta(days=2), calendar=CALENDAR).names == ()
    assert jobs.open_due(session, NIGHTLY, now=later, calendar=CALENDAR).names == ()
    assert session.scalar(sa.select(sa.func.count(JobRun.id))) == 3


def test_a_job_that_somebody_else_saw_first_a_moment_ago_begins_with_the_slots_after_it(session: Session) -> None:
    """A worker reads its clock, then a person asks for the job by hand, then the worker looks."""
    assert jobs.open_due(session, NIGHTLY, now=NOW + timedelta(seconds=2), calendar=CALENDAR).names == ()
    assert jobs.open_due(session, NIGHTLY, now=NOW, calendar=CALENDAR).names == ()


def test_of_one_job_one_run_is_worked_on_at_a_time_and_the_oldest_first(session: Session) -> None:
    later = opened(session, days=2)
    first = take(session, later)
    assert first.slot == "2026-03-02"
    assert job_claims.take(session, RULES, worker="two", now=later, lease=LEASE) is None
    job_claims.conclude(session, first, now=later, result={})
    assert take(session, later).slot == "2026-03-03"


def test_a_run_whose_worker_is_silent_is_taken_over_and_the_silent_one_has_no_effect(session: Session) -> None:
    later = opened(session)
    dead = take(session, later)
    assert job_claims.take(session, RULES, worker="two", now=later + LEASE / 2, lease=LEASE) is None
    alive = take(session, later + LEASE * 2, worker="two")
    assert (alive.run_id, alive.attempt) == (dead.run_id, dead.attempt + 1)
    with pytest.raises(LostRun, match="another worker has taken it over"):
        job_claims.conclude(session, dead, now=later, result={})
    with pytest.raises(LostRun):
        job_claims.beat(session, dead, now=later, lease=LEASE, stage="", done=0, total=None)
    job_claims.conclude(session, alive, now=later, result={"proposals": 3})
    run = run_of(session, alive)
    assert (run.state, run.result, run.worker) == (RunState.SUCCEEDED, {"proposals": 3}, "two")
    with pytest.raises(LostRun):
        job_claims.conclude(session, alive, now=later, result={})


def test_a_beat_keeps_the_run_and_shows_how_far_it_is(session: Session) -> None:
    later = opened(session)
    claim = take(session, later)
    for minute in range(1, 6):
        now = later + timedelta(seconds=50 * minute)
        assert not job_claims.beat(session, claim, now=now, lease=LEASE, stage="planning", done=minute, total=9)
        assert job_claims.take(session, RULES, worker="two", now=now, lease=LEASE) is None
    run = run_of(session, claim)
    assert (run.stage, run.done, run.total) == ("planning", 5, 9)


def test_a_run_that_failed_is_tried_again_after_ever_longer_pauses_and_then_no_more(session: Session) -> None:
    now = opened(session)
    for pause in (1, 2):
        claim = take(session, now)
        state = job_claims.fail(session, claim, NIGHTLY, error="the printer burns", again=True, now=now)
        assert state is RunState.QUEUED
        almost = now + timedelta(minutes=pause) - timedelta(seconds=1)
        assert job_claims.take(session, RULES, worker="one", now=almost, lease=LEASE) is None
        now += timedelta(minutes=pause)
    claim = take(session, now)
    assert job_claims.fail(session, claim, NIGHTLY, error="still", again=True, now=now) is RunState.FAILED
    assert run_of(session, claim).error == "still"
    assert not job_claims.waiting(session, RULES, now=now + timedelta(days=1))


def test_a_refusal_that_no_repetition_mends_fails_at_once(session: Session) -> None:
    now = opened(session)
    claim = take(session, now)
    assert job_claims.fail(session, claim, NIGHTLY, error="no", again=False, now=now) is RunState.FAILED


def test_a_run_that_kills_its_workers_is_given_up(session: Session) -> None:
    now = opened(session)
    for _ in range(NIGHTLY.attempts):
        take(session, now)
        now += LEASE * 2
    assert job_claims.take(session, RULES, worker="last", now=now, lease=LEASE) is None
    [run] = session.scalars(sa.select(JobRun)).all()
    assert run.state is RunState.FAILED
    assert "stopped answering" in run.error


def test_a_waiting_run_is_cancelled_at_once_and_a_running_one_at_its_next_step(session: Session, boss: Actor) -> None:
    now = opened(session, days=2)
    claim = take(session, now)
    [waiting] = session.scalars(sa.select(JobRun.id).where(JobRun.state == RunState.QUEUED)).all()
    assert jobs.cancel(session, run_id=waiting, rules=RULES, actor=boss, now=now) is RunState.CANCELLED
    assert jobs.cancel(session, run_id=claim.run_id, rules=RULES, actor=boss, now=now) is RunState.RUNNING
    assert job_claims.beat(session, claim, now=now, lease=LEASE, stage="", done=0, total=None)
    job_claims.cancelled(session, claim, now=now)
    assert run_of(session, claim).state is RunState.CANCELLED
    with pytest.raises(IllegalTransition, match="cancel is not possible"):
        jobs.cancel(session, run_id=claim.run_id, rules=RULES, actor=boss, now=now)


def test_a_cancelled_run_whose_worker_died_stays_cancelled(session: Session, boss: Actor) -> None:
    now = opened(session)
    claim = take(session, now)
    jobs.cancel(session, run_id=claim.run_id, rules=RULES, actor=boss, now=now)
    assert job_claims.take(session, RULES, worker="two", now=now + LEASE * 2, lease=LEASE) is None
    assert run_of(session, claim).state is RunState.CANCELLED


def test_a_failed_run_is_retried_by_hand_with_all_its_tries(session: Session, boss: Actor) -> None:
    now = opened(session)
    claim = take(session, now)
    job_claims.fail(session, claim, NIGHTLY, error="no", again=False, now=now)
    jobs.retry(session, run_id=claim.run_id, rules=RULES, actor=boss, now=now)
    again = take(session, now)
    assert (again.run_id, again.attempt) == (claim.run_id, 2)
    assert job_claims.fail(session, again, NIGHTLY, error="no", again=True, now=now) is RunState.QUEUED


def test_a_worker_that_shuts_down_gives_its_run_back_uncounted(session: Session) -> None:
    now = opened(session)
    claim = take(session, now)
    job_claims.give_back(session, claim)
    assert run_of(session, claim).tries == 0
    assert take(session, now, worker="two").attempt == 2


def test_asked_for_twice_with_one_key_it_runs_once(session: Session, boss: Actor) -> None:
    def ask(key: str) -> int:
        return jobs.request(session, NIGHTLY, client_key=key, actor=boss, now=NOW, calendar=CALENDAR)

    one = ask("k1")
    assert ask("k1") == one
    assert ask("k2") != one
    assert session.get_one(JobRun, one).business_date == NOW.date() - timedelta(days=1)
    with pytest.raises(BadRunKey):
        ask("")


def test_who_has_no_role_for_a_job_asks_for_nothing(session: Session) -> None:
    clerk = users.add(session, username="c", display_name="C", roles=frozenset({Role.WAREHOUSE}), now=NOW)
    with pytest.raises(RoleMissing):
        jobs.request(session, NIGHTLY, client_key="k", actor=clerk, now=NOW, calendar=CALENDAR)
    now = opened(session)
    claim = take(session, now)
    with pytest.raises(RoleMissing):
        jobs.cancel(session, run_id=claim.run_id, rules=RULES, actor=clerk, now=now)


def test_old_runs_of_frequent_jobs_are_forgotten_and_failures_are_kept(session: Session) -> None:
    jobs.open_due(session, OFTEN, now=NOW, calendar=CALENDAR)
    for second, fails in ((5, False), (10, True)):
        now = NOW + timedelta(seconds=second)
        jobs.open_due(session, OFTEN, now=now, calendar=CALENDAR)
        claim = take(session, now)
        if fails:
            job_claims.fail(session, claim, OFTEN, error="no", again=False, now=now)
        else:
            job_claims.conclude(session, claim, now=now, result={})
    assert jobs.forget(session, job_names=["often"], before=NOW + timedelta(days=1)) == 1
    assert [run.state for run in session.scalars(sa.select(JobRun))] == [RunState.FAILED]


def test_the_history_shows_who_asked_and_how_it_ended(session: Session, boss: Actor) -> None:
    jobs.request(session, NIGHTLY, client_key="k", actor=boss, now=NOW, calendar=CALENDAR)
    claim = take(session, NOW)
    job_claims.conclude(session, claim, now=NOW + timedelta(seconds=3), result={"proposals": 7})
    [shown] = job_history.latest(session, count=10)
    assert (shown.requested_by, shown.seconds, shown.result) == ("Boss", 3, {"proposals": 7})
    assert job_history.one(session, run_id=claim.run_id) == shown
