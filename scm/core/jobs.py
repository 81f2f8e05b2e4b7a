"""Runs of jobs: which slots were opened, who works on each, how far it is and how it ended.

A slot is opened once, because (job, scheduled_for) is unique; a person may ask for a run, once per client key. What a
worker does with a run stands in `scm.core.job_claims`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, job_slots, types
from scm.core.db import Base, BigId, dialect_insert, table_of
from scm.core.documents import Machine
from scm.core.errors import InvalidInput, NotFound
from scm.core.job_slots import Calendar, JobRule
from scm.core.users import Actor, Role

KIND = "job_run"
LONGEST_KEY = 80


class RunState(enum.Enum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


# A run that is running starts again when its worker died: that is a take-over, by another attempt.
MACHINE: Machine[RunState] = Machine(
    kind=KIND,
    initial=RunState.QUEUED,
    transitions={
        (RunState.QUEUED, "start"): RunState.RUNNING,
        (RunState.RUNNING, "start"): RunState.RUNNING,
        (RunState.RUNNING, "succeed"): RunState.SUCCEEDED,
        (RunState.RUNNING, "put back"): RunState.QUEUED,
        (RunState.RUNNING, "fail"): RunState.FAILED,
        (RunState.QUEUED, "cancel"): RunState.CANCELLED,
        (RunState.RUNNING, "cancel"): RunState.CANCELLED,
        (RunState.FAILED, "retry"): RunState.QUEUED,
        (RunState.CANCELLED, "retry"): RunState.QUEUED,
    },
)


class JobSchedule(Base):
    """How far the slots of a job were looked at. Its lock is held by whoever opens or takes one of its runs."""

    __tablename__ = "job_schedule"

    job: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    opened_until: Mapped[datetime] = mapped_column(types.UtcDateTime)


class JobRun(Base):
    """One run of one job: for a slot, or because somebody asked for it."""

    __tablename__ = "job_run"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    job: Mapped[str] = mapped_column(sa.String(60))
    scheduled_for: Mapped[str] = mapped_column(sa.String(120))  # the slot's name, or who asked with which key
    due_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    business_date: Mapped[date | None]
    requested_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    state: Mapped[RunState] = mapped_column(types.enum_column(RunState))
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")  # only the newest attempt may have an effect
    tries: Mapped[int] = mapped_column(default=0, server_default="0")  # attempts since it was last asked for
    not_before_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    worker: Mapped[str | None] = mapped_column(sa.String(120))
    lease_until_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    stage: Mapped[str] = mapped_column(sa.String(200), default="", server_default="")
    done: Mapped[int] = mapped_column(sa.BigInteger, default=0, server_default="0")
    total: Mapped[int | None] = mapped_column(sa.BigInteger)
    result: Mapped[dict[str, Any] | None] = mapped_column(types.Json)
    error: Mapped[str] = mapped_column(sa.Text, default="", server_default="")

    __table_args__ = (
        sa.UniqueConstraint("job", "scheduled_for"),
        sa.Index(None, "state", "due_at"),
        sa.Index(
            "uq_job_run_one_running",
            "job",
            unique=True,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        ),
    )


class RunUnknown(NotFound):
    """There is no run of that number."""


class BadRunKey(InvalidInput):
    """The key a run was asked for with cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What one look at a job's slots did."""

    names: tuple[str, ...]


def open_due(session: Session, rule: JobRule, *, now: datetime, calendar: Calendar) -> Opened:
    """This function will queue a run for each slot that has come due since the last look.

    The start of a worker, its timers and a look after a long sleep all pass through here; a job that was never seen
    before starts with the slots after now.
    """
    insert = dialect_insert(session, table_of(JobSchedule)).values(job=rule.name, opened_until=now)
    session.execute(insert.on_conflict_do_nothing())
    since = session.scalars(
        sa.select(JobSchedule.opened_until).where(JobSchedule.job == rule.name).with_for_update()
    ).one()
    slots = job_slots.due(rule, since=since, now=now, calendar=calendar)
    if not slots:
        return Opened(names=())
    rows = [
        {
            "job": rule.name,
            "scheduled_for": slot.name,
            "due_at": slot.due_at,
            "business_date": slot.business_date,
            "state": RunState.QUEUED,
        }
        for slot in slots
    ]
    new = dialect_insert(session, table_of(JobRun)).values(rows).on_conflict_do_nothing()
    names = session.scalars(new.returning(JobRun.scheduled_for)).all()
    session.execute(sa.update(JobSchedule).where(JobSchedule.job == rule.name).values(opened_until=slots[-1].due_at))
    return Opened(names=tuple(sorted(names)))


def request(
    session: Session, rule: JobRule, *, client_key: str, actor: Actor, now: datetime, calendar: Calendar
) -> int:
    """This function will queue a run by hand and return its number; the same key again gives the same run.

    Raises `BadRunKey`, and `RoleMissing` for whoever may not ask for this job.
    """
    actor.require(*rule.may_request)
    if not client_key or len(client_key) > LONGEST_KEY or not client_key.isprintable():
        raise BadRunKey(f"the key {client_key[:40]!r} must be 1 to {LONGEST_KEY} printable characters")
    name = f"hand:{actor.user_id}:{client_key}"
    row = {
        "job": rule.name,
        "scheduled_for": name,
        "due_at": now,
        "business_date": job_slots.business_date(rule, now=now, calendar=calendar),
        "requested_by_id": actor.user_id,
        "state": RunState.QUEUED,
    }
    schedule = dialect_insert(session, table_of(JobSchedule)).values(job=rule.name, opened_until=now)
    session.execute(schedule.on_conflict_do_nothing())
    insert = dialect_insert(session, table_of(JobRun)).values(row).on_conflict_do_nothing().returning(JobRun.id)
    new = session.scalar(insert)
    if new is None:
        known = sa.select(JobRun.id).where(JobRun.job == rule.name, JobRun.scheduled_for == name)
        return int(session.scalars(known).one())
    audit.record(session, actor=actor, verb="job.request", document_kind=KIND, document_ids=[new], job=rule.name)
    return int(new)


def cancel(session: Session, *, run_id: int, rules: Sequence[JobRule], actor: Actor, now: datetime) -> RunState:
    """This function will cancel a run that waits, or ask the worker of one that runs to stop at its next step.

    Returns the state it is in afterwards. Raises `RunUnknown`, `IllegalTransition`, `RoleMissing`.
    """
    run = _lock(session, run_id)
    actor.require(*_may_request(rules, run.job))
    following = MACHINE.advance(run.state, "cancel", number=_number(run))
    if run.state is RunState.QUEUED:
        run.state, run.finished_at = following, now
    run.cancel_requested_at = run.cancel_requested_at or now
    session.flush()
    audit.record(session, actor=actor, verb="job.cancel", document_kind=KIND, document_ids=[run.id], job=run.job)
    return run.state


def retry(session: Session, *, run_id: int, rules: Sequence[JobRule], actor: Actor, now: datetime) -> None:
    """This function will queue a failed or cancelled run again. Raises `RunUnknown`, `IllegalTransition`."""
    run = _lock(session, run_id)
    actor.require(*_may_request(rules, run.job))
    run.state = MACHINE.advance(run.state, "retry", number=_number(run))
    run.tries, run.not_before_at, run.cancel_requested_at = 0, None, None
    run.finished_at, run.due_at = None, now
    session.flush()
    audit.record(session, actor=actor, verb="job.retry", document_kind=KIND, document_ids=[run.id], job=run.job)


def forget(session: Session, *, job_names: Iterable[str], before: datetime) -> int:
    """This function will delete the succeeded runs of frequent jobs that ended before an instant; return how many.

    Runs that failed stay, and so do those of daily jobs.
    """
    old = sa.delete(JobRun).where(
        JobRun.job.in_(sorted(job_names)), JobRun.state == RunState.SUCCEEDED, JobRun.finished_at < before
    )
    return int(getattr(session.execute(old), "rowcount", 0))


def _lock(session: Session, run_id: int) -> JobRun:
    run = session.scalars(
        sa.select(JobRun).where(JobRun.id == run_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if run is None:
        raise RunUnknown(f"there is no run {run_id}")
    return run


def _may_request(rules: Sequence[JobRule], job: str) -> frozenset[Role]:
    return next((rule.may_request for rule in rules if rule.name == job), job_slots.OPERATORS)


def _number(run: JobRun) -> str:
    return f"run {run.id} of {run.job}"
