"""The progress of a run that a worker carries out: it is written for those who watch, and it learns of a cancellation.

Both pass through transactions of their own, never inside one of the job's: on SQLite a second writer would wait for
the first, which is itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from scm.core import db, job_claims
from scm.core.db import Database
from scm.core.errors import Unavailable
from scm.core.job_claims import Claim, LostRun, RunCancelled

WRITE_EVERY_SECONDS = 1.0


class RunProgress:
    """A `scm.core.progress.Progress` over one claim. Its steps raise when the run was cancelled, lost, or must stop."""

    def __init__(self, database: Database, claim: Claim, *, lease: timedelta, clock: Callable[[], datetime]) -> None:
        self._database, self._claim, self._lease, self._clock = database, claim, lease, clock
        self._stage, self._done = "", 0
        self._total: int | None = None
        self._written = 0.0
        self._cancelled = self._lost = self._stopping = self._concluded = False
        self._writing = threading.Lock()

    @property
    def concluded(self) -> bool:
        """Whether the run was ended with its effect."""
        return self._concluded

    @property
    def cancelled(self) -> bool:
        """Whether a person asked that the run stop."""
        return self._cancelled

    @property
    def stopping(self) -> bool:
        """Whether the worker shuts down and wants the run back in the queue."""
        return self._stopping

    def stage(self, name: str, *, total: int | None = None) -> None:
        """A new stage begins. Raises `RunCancelled` or `LostRun`."""
        self._stage, self._done, self._total = name, 0, total
        self._step(urgent=True)

    def advance(self, steps: int = 1) -> None:
        """So many steps are done. Raises `RunCancelled` or `LostRun`."""
        self._done += steps
        self._step(urgent=False)

    def beat(self) -> None:
        """This function will renew the lease; the worker calls it from another thread while the job computes."""
        with self._writing:
            if self._concluded:
                return
            try:
                with self._database.unit_of_work(write=True) as session:
                    cancelled = job_claims.beat(
                        session,
                        self._claim,
                        now=self._clock(),
                        lease=self._lease,
                        stage=self._stage,
                        done=self._done,
                        total=self._total,
                    )
            except LostRun:
                self._lost = True
            except Unavailable:
                return  # the next beat tries again; the lease outlasts several
            else:
                self._cancelled = self._cancelled or cancelled
            self._written = time.monotonic()

    def stop(self) -> None:
        """This function will make the job end at its next step, because the worker shuts down."""
        self._stopping = True

    def conclude(self, session: Session, *, result: dict[str, Any]) -> None:
        """This function will end the run in the transaction of its effect; no later step of it counts.

        Raises `LostRun` when another worker has the run by now: the effect is undone then.
        """
        job_claims.conclude(session, self._claim, now=self._clock(), result=result)
        self._concluded = True

    def _step(self, *, urgent: bool) -> None:
        if self._concluded:
            return
        due = urgent or time.monotonic() - self._written >= WRITE_EVERY_SECONDS
        if due and not db.in_transaction():
            self.beat()
        if self._lost:
            raise LostRun(f"run {self._claim.run_id} of {self._claim.job} was taken over by another worker")
        if self._cancelled:
            raise RunCancelled(f"run {self._claim.run_id} of {self._claim.job} was cancelled")
        if self._stopping:
            raise RunCancelled(f"run {self._claim.run_id} of {self._claim.job} stops because its worker shuts down")
