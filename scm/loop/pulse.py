"""How the installation itself is doing: workers, runs, messages, seals and moves that wait. A few cheap queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import deliveries, sealing, workers
from scm.core.deliveries import Backlog
from scm.core.jobs import JobRun, RunState
from scm.core.sealing import Unsealed
from scm.core.workers import WorkerState
from scm.finance.costs import UnvaluedMove
from scm.stock.moves import StockMove

SILENT_AFTER = timedelta(minutes=2)  # a worker says that it is alive several times a minute


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """What an operator watches. `runs` counts the runs of the last day by job and state."""

    taken_at: datetime
    workers: tuple[WorkerState, ...]
    backlog: Backlog
    unsealed: Unsealed
    unvalued: int
    unvalued_since: datetime | None
    runs: Mapping[tuple[str, RunState], int]
    succeeded_at: Mapping[str, datetime]

    @property
    def worker_seconds(self) -> float | None:
        """How long ago a worker was last heard of; None when there never was one."""
        return (self.taken_at - self.workers[0].seen_at).total_seconds() if self.workers else None

    @property
    def has_worker(self) -> bool:
        """Whether a worker is at work."""
        seconds = self.worker_seconds
        return seconds is not None and seconds <= SILENT_AFTER.total_seconds()

    def seconds_since(self, instant: datetime | None) -> float:
        """This function will give the age of what waits; nothing waiting is 0."""
        return 0.0 if instant is None else max(0.0, (self.taken_at - instant).total_seconds())


def take(session: Session, *, now: datetime) -> Pulse:
    """This function will read the pulse at an instant of the wall clock."""
    waiting = session.execute(
        sa.select(sa.func.count(), sa.func.min(StockMove.posted_at)).select_from(
            sa.join(UnvaluedMove, StockMove, StockMove.id == UnvaluedMove.move_id)
        )
    ).one()
    recent = session.execute(
        sa.select(JobRun.job, JobRun.state, sa.func.count())
        .where(sa.or_(JobRun.finished_at.is_(None), JobRun.finished_at >= now - timedelta(days=1)))
        .group_by(JobRun.job, JobRun.state)
    ).all()
    succeeded = session.execute(
        sa.select(JobRun.job, sa.func.max(JobRun.finished_at))
        .where(JobRun.state == RunState.SUCCEEDED)
        .group_by(JobRun.job)
    ).all()
    return Pulse(
        taken_at=now,
        workers=workers.alive(session),
        backlog=deliveries.backlog(session),
        unsealed=sealing.unsealed(session),
        unvalued=waiting[0],
        unvalued_since=waiting[1],
        runs={(job, state): count for job, state, count in recent},
        succeeded_at={job: at for job, at in succeeded if at is not None},
    )
