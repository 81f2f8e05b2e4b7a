"""What a worker runs: a job is a rule, which says when, and a call, which does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from scm.core.config import Settings
from scm.core.db import Database
from scm.core.job_claims import Claim
from scm.core.job_progress import RunProgress
from scm.core.job_slots import JobRule
from scm.core.users import Actor


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a job is given. It must end its run with `progress.conclude`, in the transaction of its effect.

    `clock` reads the wall clock; `now` and `today` are business time, pinned for a simulated company.
    """

    database: Database
    settings: Settings
    claim: Claim
    progress: RunProgress
    actor: Actor
    company_id: int
    simulated: bool
    now: datetime
    today: date
    clock: Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job. `waiting` tells, by a cheap query, whether a slot would have anything to do; without it, it always has.

    A slot that has nothing to do is passed over, so the history shows only runs that did something.
    """

    rule: JobRule
    run: Callable[[Work], None]
    waiting: Callable[[Session, datetime], bool] | None = None
