"""What an administrator must know: jobs that failed and have not succeeded since, and messages given up on."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.clock import local_date
from scm.core.jobs import JobRun, RunState
from scm.core.outbox import OutboxMessage
from scm.loop.exceptions.findings import Finding, Kind, Scope

LONGEST_ERROR = 400


def failed_jobs(session: Session, scope: Scope) -> Iterator[Finding]:
    """This function will find the newest failed run of every job that has not succeeded since."""
    newest = sa.select(JobRun.job, sa.func.max(JobRun.id).label("id"))
    failed = newest.where(JobRun.state == RunState.FAILED).group_by(JobRun.job).subquery()
    better = newest.where(JobRun.state == RunState.SUCCEEDED).group_by(JobRun.job).subquery()
    rows = session.execute(
        sa.select(JobRun.id, JobRun.job, JobRun.due_at, JobRun.error)
        .join(failed, failed.c.id == JobRun.id)
        .outerjoin(better, better.c.job == JobRun.job)
        .where(sa.or_(better.c.id.is_(None), better.c.id < JobRun.id))
        .order_by(JobRun.id)
    )
    for row in rows:
        yield Finding(
            kind=Kind.JOB_FAILED,
            subject_id=row.id,
            label=row.job,
            due_date=local_date(row.due_at, zone=scope.zone),
            facts={"error": row.error[:LONGEST_ERROR]},
        )


def dead_messages(session: Session, scope: Scope) -> Iterator[Finding]:
    """This function will find messages that were tried as often as they may be and never arrived."""
    rows = session.execute(
        sa.select(
            OutboxMessage.id,
            OutboxMessage.topic,
            OutboxMessage.recipient,
            OutboxMessage.created_at,
            OutboxMessage.last_error,
        )
        .where(OutboxMessage.dead_at.is_not(None))
        .order_by(OutboxMessage.id)
    )
    for row in rows:
        yield Finding(
            kind=Kind.MESSAGE_DEAD,
            subject_id=row.id,
            label=row.topic,
            name=row.recipient,
            due_date=local_date(row.created_at, zone=scope.zone),
            facts={"error": row.last_error},
        )
