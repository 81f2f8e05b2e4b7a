"""What pages show of jobs: runs with who asked for them and how long they took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.jobs import JobRun, RunState, RunUnknown
from scm.core.users import User

ENDED = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class RunShown:
    """One run as a page shows it. `requested_by` is None for a slot."""

    id: int
    job: str
    slot: str
    due_at: datetime
    business_date: date | None
    requested_by: str | None
    state: RunState
    attempt: int
    worker: str | None
    cancel_requested: bool
    not_before_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    stage: str
    done: int
    total: int | None
    result: dict[str, Any] | None
    error: str

    @property
    def seconds(self) -> int | None:
        """How long the newest attempt took, when it has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds())

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen to it by itself."""
        return self.state in ENDED


@dataclass(frozen=True, kw_only=True)
class JobShown:
    """One job: its newest run that ended, the one that runs or waits, and its newest failure."""

    job: str
    current: RunShown | None
    last: RunShown | None


def latest(session: Session, *, count: int, job: str | None = None) -> tuple[RunShown, ...]:
    """This function will read the newest runs."""
    statement = _select().order_by(JobRun.id.desc()).limit(count)
    if job is not None:
        statement = statement.where(JobRun.job == job)
    return tuple(_shown(row) for row in session.execute(statement))


def one(session: Session, *, run_id: int) -> RunShown:
    """This function will read one run. Raises `RunUnknown`."""
    row = session.execute(_select().where(JobRun.id == run_id)).one_or_none()
    if row is None:
        raise RunUnknown(f"there is no run {run_id}")
    return _shown(row)


def by_job(session: Session, *, job_names: Sequence[str]) -> tuple[JobShown, ...]:
    """This function will read of each job what runs or waits now and what ended last, in two queries."""
    last = (
        sa.select(sa.func.max(JobRun.id)).where(JobRun.job.in_(job_names), JobRun.state.in_(ENDED)).group_by(JobRun.job)
    )
    ended = {row.job: _shown(row) for row in session.execute(_select().where(JobRun.id.in_(last)))}
    open_ = (
        sa.select(sa.func.min(JobRun.id))
        .where(JobRun.job.in_(job_names), JobRun.state.not_in(ENDED))
        .group_by(JobRun.job)
    )
    current = {row.job: _shown(row) for row in session.execute(_select().where(JobRun.id.in_(open_)))}
    return tuple(JobShown(job=name, current=current.get(name), last=ended.get(name)) for name in job_names)


def failed_since(session: Session, *, since: datetime) -> int:
    """This function will count the runs that failed since an instant."""
    count = sa.select(sa.func.count()).where(JobRun.state == RunState.FAILED, JobRun.finished_at >= since)
    return session.scalar(count) or 0


def _select() -> sa.Select[Any]:
    columns = [column for column in JobRun.__table__.columns if column.name not in ("requested_by_id", "tries")]
    return (
        sa.select(*columns, User.display_name.label("requested_by"))
        .outerjoin(User, User.id == JobRun.requested_by_id)
        .select_from(JobRun)
    )


def _shown(row: sa.Row[Any]) -> RunShown:
    return RunShown(
        id=row.id,
        job=row.job,
        slot=row.scheduled_for,
        due_at=row.due_at,
        business_date=row.business_date,
        requested_by=row.requested_by,
        state=row.state,
        attempt=row.attempt,
        worker=row.worker,
        cancel_requested=row.cancel_requested_at is not None,
        not_before_at=row.not_before_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        stage=row.stage,
        done=row.done,
        total=row.total,
        result=row.result,
        error=row.error,
    )
