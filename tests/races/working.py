"""What workers in processes of their own do, and how they die. The effect of a slot is one message with its name.

Each function is given its `Mate` first. Functions named `without_…` take a guard away in their own process first.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from unittest import mock

from sqlalchemy.orm import Session

from scm.core import clock, job_claims, jobs, outbox
from scm.core.config import Settings
from scm.core.db import Database
from scm.core.job_claims import Claim
from scm.core.job_slots import Calendar, CatchUp, Every, JobRule, Lane
from tests.races.crew import Mate
from web.delivery import letters, sending
from web.jobs import Job, Work
from web.worker import Worker

TICK = JobRule(
    name="tick", timing=Every(seconds=1), catch_up=CatchUp.ALL, lane=Lane.SHORT, attempts=100, retry_after=timedelta(0)
)
LEASE = timedelta(seconds=1)
UTC_CALENDAR = Calendar(zone="UTC")


def effect(session: Session, claim: Claim) -> None:
    """This function will have the effect that must happen once for each slot."""
    outbox.put(
        session,
        topic=claim.slot,
        recipient="r",
        document_kind="d",
        document_id=claim.run_id,
        payload={},
        now=datetime.now(UTC),
    )


def tick(work: Work) -> None:
    """This function will do a slot's work in some steps, as a job does."""
    work.progress.stage("working", total=3)
    for _ in range(3):
        work.progress.advance()

    def publish(session: Session) -> None:
        effect(session, work.claim)
        work.progress.conclude(session, result={})

    work.database.run(publish)


def work_until_killed(mate: Mate) -> None:
    """This function will be a worker of the job `tick` until the test ends it."""
    worker = Worker(mate.database, [Job(rule=TICK, run=tick)], settings=Settings(), lease=LEASE, poll_seconds=0.05)
    mate.tell(worker.name)
    worker.run()


def die_between_effect_and_end(mate: Mate) -> None:
    """This function will take a run, commit its effect with its end, and be killed before it can say so."""
    claim = _take(mate)

    def publish(session: Session) -> None:
        effect(session, claim)
        job_claims.conclude(session, claim, now=clock.wall_now(), result={})

    mate.database.run(publish)
    os.kill(os.getpid(), signal.SIGKILL)


def die_before_the_effect(mate: Mate) -> None:
    """This function will take a run and be killed in the middle of the transaction of its effect."""
    claim = _take(mate)
    with mate.database.unit_of_work(write=True) as session:
        effect(session, claim)
        session.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def come_back_late(mate: Mate) -> str:
    """This function will be two workers: the first is silent until the second has taken its run over and ended it."""
    if mate.number == 0:
        claim = _take(mate)
        mate.meet()  # the second may take it over now
        mate.meet()  # it has ended it
    else:
        mate.meet()
        claim = _take(mate, later=LEASE * 3)
    try:
        with mate.database.unit_of_work(write=True) as session:
            effect(session, claim)
            job_claims.conclude(session, claim, now=clock.wall_now(), result={})
        return "acted"
    except job_claims.LostRun:
        return "too late"
    finally:
        if mate.number == 1:
            mate.meet()


def without_fence_come_back_late(mate: Mate) -> str:
    """This function will do the same with the look at the attempt taken out of the end of a run."""
    with mock.patch.object(job_claims, "_mine", lambda claim: (jobs.JobRun.id == claim.run_id,)):
        return come_back_late(mate)


def take_at_once(mate: Mate) -> int | None:
    """This function will try to take the one waiting run at the same moment as the others, and give its number."""
    mate.meet()
    claim = mate.database.run(
        lambda s: job_claims.take(s, [TICK], worker=str(mate.number), now=clock.wall_now(), lease=LEASE * 60)
    )
    return None if claim is None else claim.run_id


def open_at_once(mate: Mate, now: datetime) -> tuple[str, ...]:
    """This function will look for due slots at the same moment as the others."""
    mate.meet()
    opened = mate.database.run(lambda s: jobs.open_due(s, TICK, now=now, calendar=UTC_CALENDAR))
    return opened.names


def deliver_until_killed(mate: Mate, folder: Path) -> None:
    """This function will deliver messages into a folder, noting every attempt, until the test ends it."""
    deliver_all(mate.database, folder, tell=mate.tell)
    mate.tell("all")
    threading.Event().wait()


def deliver_all(database: Database, folder: Path, *, tell: Callable[[str], None]) -> None:
    """This function will deliver until nothing is due, and tell the key of each message that arrived."""

    class Counting(letters.Folder):
        def send(self, letter: EmailMessage, *, message_key: str) -> None:
            super().send(letter, message_key=message_key)
            tell(message_key)

    sending.deliver(database, settings=Settings(), simulated=False, clock=clock.wall_now, office=Counting(folder))


def _take(mate: Mate, *, later: timedelta = timedelta(0)) -> Claim:
    now = clock.wall_now() + later
    claim = mate.database.run(lambda s: job_claims.take(s, [TICK], worker=str(mate.number), now=now, lease=LEASE))
    assert claim is not None
    return claim
