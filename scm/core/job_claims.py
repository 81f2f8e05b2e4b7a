"""What a worker does with a run: take it, hold it by a lease, and end it.

A run is taken under the lock of its job. Whoever takes it counts one attempt up; only the newest attempt may end the
run, and it does so in the transaction of the run's effect. So a worker that was thought dead, and comes back, cannot
have the effect a second time, and one that is killed after its commit leaves nothing to repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.core.errors import Conflict
from scm.core.job_slots import JobRule
from scm.core.jobs import JobRun, JobSchedule, RunState

LONGEST_ERROR = 4000
LONGEST_BACK_OFF = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One attempt at one run, as the worker that took it knows it."""

    run_id: int
    job: str
    slot: str
    due_at: datetime
    business_date: date | None
    requested_by_id: int | None
    attempt: int


class LostRun(Conflict):
    """The lease was not renewed in time, and another worker has taken the run over."""


class RunCancelled(Conflict):
    """A person asked that the run stop."""


def waiting(session: Session, rules: Sequence[JobRule], *, now: datetime) -> bool:
    """This function will tell, without a lock, whether one of these jobs has a run that could be taken."""
    found = session.scalar(sa.select(JobRun.id).where(_takeable(rules, now)).limit(1))
    return found is not None


def take(session: Session, rules: Sequence[JobRule], *, worker: str, now: datetime, lease: timedelta) -> Claim | None:
    """This function will take the run that has waited longest, or one whose worker stopped answering; or None.

    Of one job at most one run is worked on at a time. A run that killed its worker too often, and one that should be
    cancelled, are ended here instead.
    """
    by_name = {rule.name: rule for rule in rules}
    candidates = session.execute(
        sa.select(JobRun.id, JobRun.job).where(_takeable(rules, now)).order_by(JobRun.due_at, JobRun.id).limit(20)
    ).all()
    busy: set[str] = set()
    for run_id, job in candidates:
        if job in busy or not _lock_job(session, job):
            continue
        run = session.scalars(
            sa.select(JobRun)
            .where(JobRun.id == run_id, _takeable(rules, now))
            .execution_options(populate_existing=True)
        ).one_or_none()
        if run is None:
            continue
        if run.state is RunState.QUEUED and _is_running(session, job):
            busy.add(job)
            continue
        if _ended_instead(run, by_name[job], now):
            session.flush()
            continue
        return _start(session, run, worker=worker, now=now, lease=lease)
    return None


def beat(
    session: Session, claim: Claim, *, now: datetime, lease: timedelta, stage: str, done: int, total: int | None
) -> bool:
    """This function will renew the lease, note how far the run is, and tell whether it should be cancelled.

    Raises `LostRun`.
    """
    renewed = session.execute(
        sa.update(table_of(JobRun))
        .where(*_mine(claim))
        .values(lease_until_at=now + lease, stage=stage[:200], done=done, total=total)
        .returning(JobRun.cancel_requested_at)
    ).one_or_none()
    if renewed is None:
        raise _lost(claim)
    return renewed.cancel_requested_at is not None


def conclude(session: Session, claim: Claim, *, now: datetime, result: dict[str, Any]) -> None:
    """This function will end the run as succeeded, in the transaction of its effect. Raises `LostRun`.

    The row stays locked until the commit, so that nobody can take the run over between this and the effect.
    """
    _end(session, claim, state=RunState.SUCCEEDED, finished_at=now, result=result, error="", lease_until_at=None)


def cancelled(session: Session, claim: Claim, *, now: datetime) -> None:
    """This function will end the run as cancelled, by the worker that was asked to stop. Raises `LostRun`."""
    _end(session, claim, state=RunState.CANCELLED, finished_at=now, lease_until_at=None)


def give_back(session: Session, claim: Claim) -> None:
    """This function will queue the run again because its worker shuts down; that try is not counted."""
    _end(session, claim, state=RunState.QUEUED, lease_until_at=None, worker=None, tries=JobRun.tries - 1)


def fail(session: Session, claim: Claim, rule: JobRule, *, error: str, again: bool, now: datetime) -> RunState:
    """This function will put the run back for a later try, or end it as failed when no try is left.

    `again` says whether another try could help. Raises `LostRun`.
    """
    tries = session.scalar(sa.select(JobRun.tries).where(*_mine(claim)))
    if tries is None:
        raise _lost(claim)
    text = error[:LONGEST_ERROR]
    if not again or tries >= rule.attempts:
        _end(session, claim, state=RunState.FAILED, finished_at=now, error=text, lease_until_at=None)
        return RunState.FAILED
    pause = min(rule.retry_after * 2 ** (tries - 1), LONGEST_BACK_OFF)
    _end(session, claim, state=RunState.QUEUED, error=text, lease_until_at=None, worker=None, not_before_at=now + pause)
    return RunState.QUEUED


def _takeable(rules: Sequence[JobRule], now: datetime) -> sa.ColumnElement[bool]:
    waits = sa.and_(
        JobRun.state == RunState.QUEUED, sa.or_(JobRun.not_before_at.is_(None), JobRun.not_before_at <= now)
    )
    abandoned = sa.and_(JobRun.state == RunState.RUNNING, JobRun.lease_until_at < now)
    return sa.and_(JobRun.job.in_([rule.name for rule in rules]), sa.or_(waits, abandoned))


def _lock_job(session: Session, job: str) -> bool:
    """A job that another worker is taking a run of is left to it."""
    locked = sa.select(JobSchedule.job).where(JobSchedule.job == job).with_for_update(skip_locked=True)
    return session.scalar(locked) is not None


def _is_running(session: Session, job: str) -> bool:
    running = sa.select(JobRun.id).where(JobRun.job == job, JobRun.state == RunState.RUNNING)
    return session.scalar(running) is not None


def _ended_instead(run: JobRun, rule: JobRule, now: datetime) -> bool:
    if run.state is not RunState.RUNNING:
        return False
    if run.cancel_requested_at is not None:
        run.state, run.finished_at, run.lease_until_at = RunState.CANCELLED, now, None
        return True
    if run.tries >= rule.attempts:
        run.state, run.finished_at, run.lease_until_at = RunState.FAILED, now, None
        run.error = f"its worker ({run.worker}) stopped answering, as {run.tries} tries before it did"
        return True
    return False


def _start(session: Session, run: JobRun, *, worker: str, now: datetime, lease: timedelta) -> Claim:
    run.state, run.worker = RunState.RUNNING, worker
    run.attempt, run.tries = run.attempt + 1, run.tries + 1
    run.started_at, run.lease_until_at = now, now + lease
    run.stage, run.done, run.total = "", 0, None
    session.flush()
    return Claim(
        run_id=run.id,
        job=run.job,
        slot=run.scheduled_for,
        due_at=run.due_at,
        business_date=run.business_date,
        requested_by_id=run.requested_by_id,
        attempt=run.attempt,
    )


def _mine(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return JobRun.id == claim.run_id, JobRun.attempt == claim.attempt, JobRun.state == RunState.RUNNING


def _end(session: Session, claim: Claim, **values: Any) -> None:
    ended = session.execute(sa.update(table_of(JobRun)).where(*_mine(claim)).values(**values))
    if getattr(ended, "rowcount", 0) != 1:
        raise _lost(claim)


def _lost(claim: Claim) -> LostRun:
    return LostRun(
        f"run {claim.run_id} of {claim.job} is no longer attempt {claim.attempt}'s: another worker has taken it over, "
        "nothing of this attempt counts"
    )
