"""The worker: opens slots while it leads, takes runs, carries them out, and says that it is alive.

APScheduler only says when to look; what is due, who takes it and that it happens once is decided in the database
(`scm.core.jobs`, `scm.core.job_claims`). Each lane is one thread with one run at a time; while the run computes, the
lane's own thread renews its lease.
"""

from __future__ import annotations

import functools
import os
import socket
import threading
import traceback
import uuid
from collections.abc import Callable, Sequence
from concurrent import futures
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.orm import Session

from scm.core import clock as clocks
from scm.core import job_claims, jobs, users, webhooks, workers
from scm.core.config import Settings
from scm.core.db import Database
from scm.core.errors import InvalidInput, NotAllowed, ScmError, Unavailable
from scm.core.job_claims import Claim, LostRun, RunCancelled
from scm.core.job_progress import RunProgress
from scm.core.job_slots import Calendar, Daily, Lane
from scm.core.jobs import RunState
from scm.master import companies
from scm.master.companies import Company, CompanyMissing
from web.jobs import Job, Work
from web.leader import Leadership

LEASE = timedelta(seconds=60)
LOOK_AGAIN_SECONDS = 60  # whoever missed a timer, after a long sleep of the machine, looks again
STOP_SECONDS = 30.0
FIRST_SLOT = datetime(1970, 1, 1, tzinfo=UTC)  # timers go off when slots begin, not so long after the worker began

log = structlog.get_logger("scm.worker")


class Worker:
    """One process that works on jobs. Everything that varies in a test is an argument."""

    def __init__(
        self,
        database: Database,
        jobs_of: Sequence[Job],
        *,
        settings: Settings,
        clock: Callable[[], datetime] = clocks.wall_now,
        lease: timedelta = LEASE,
        poll_seconds: float = 1.0,
        name: str | None = None,
    ) -> None:
        self.name = name or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._database, self._settings = database, settings
        self._jobs = {job.rule.name: job for job in jobs_of}
        self._clock, self._lease, self._poll = clock, lease, poll_seconds
        self._beat_seconds = lease.total_seconds() / 6
        self._leadership = Leadership(database)
        self._stop = threading.Event()
        self._wake = {lane: threading.Event() for lane in Lane}
        self._running: dict[Lane, RunProgress] = {}
        self._started_at = clock()

    # ---- life

    def run(self) -> bool:
        """This function will work until `stop` is called; False when a run did not end in time and is left behind."""
        log.info("worker started", worker=self.name, jobs=sorted(self._jobs))
        lanes = [threading.Thread(target=self._lane, args=(lane,), name=lane.value, daemon=True) for lane in Lane]
        for thread in lanes:
            thread.start()
        self._lead()
        for progress in list(self._running.values()):
            progress.stop()
        for thread in lanes:
            thread.join(STOP_SECONDS)
        ended = not any(thread.is_alive() for thread in lanes)
        self._leadership.release()
        if ended:
            self._once(self._leave)
        log.info("worker stopped", worker=self.name, ended=ended)
        return ended

    def stop(self) -> None:
        """This function will make the worker end: runs stop at their next step and go back into the queue."""
        self._stop.set()
        for event in self._wake.values():
            event.set()

    def _lead(self) -> None:
        """Say that we are alive, and keep the timers going while we are the leader."""
        timers: BackgroundScheduler | None = None
        while True:
            leads = self._leadership.held()
            if leads and timers is None:
                log.info("leading", worker=self.name)
                self.open_slots()  # what was missed while no worker led
                timers = self._timers()
                timers.start()
            elif not leads and timers is not None:
                timers.shutdown(wait=False)
                timers = None
            self._once(functools.partial(self._say_alive, leads))
            if self._stop.wait(self._beat_seconds):
                break
        if timers is not None:
            timers.shutdown(wait=True)

    def _timers(self) -> BackgroundScheduler:
        # Kept in memory: what must survive is in our own table, and catching up is decided there.
        timers = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
        zone = self._zone()
        for job in self._jobs.values():
            timing = job.rule.timing
            if isinstance(timing, Daily):
                trigger = CronTrigger(hour=timing.at.hour, minute=timing.at.minute, second=1, timezone=zone)
            else:
                trigger = IntervalTrigger(seconds=timing.seconds, start_date=FIRST_SLOT, timezone="UTC")
            timers.add_job(self.open_slots, trigger, args=[[job]], id=job.rule.name)
        timers.add_job(self.open_slots, IntervalTrigger(seconds=LOOK_AGAIN_SECONDS, timezone="UTC"), id="look again")
        return timers

    # ---- opening slots

    def open_slots(self, wanted: Sequence[Job] | None = None) -> None:
        """This function will queue what is due now, of all jobs or of some."""
        for job in self._jobs.values() if wanted is None else wanted:
            self._once(functools.partial(self._open, job))

    def _open(self, job: Job) -> None:
        now = self._clock()
        with self._database.unit_of_work(write=False) as session:
            try:
                calendar = calendar_of(companies.only(session))
            except CompanyMissing:
                return  # nothing can be done before there is a company
            if job.waiting is not None and not job.waiting(session, now):
                return
        opened = self._database.run(lambda s: jobs.open_due(s, job.rule, now=now, calendar=calendar))
        if opened.names:
            self._wake[job.rule.lane].set()

    # ---- carrying out

    def _lane(self, lane: Lane) -> None:
        while not self._stop.is_set():
            worked = self._once(functools.partial(self.work_once, lane))
            if not worked and not self._stop.is_set():
                self._wake[lane].wait(self._poll)
                self._wake[lane].clear()

    def work_once(self, lane: Lane) -> bool:
        """This function will carry out one run of a lane's jobs; False when none waits."""
        rules = [job.rule for job in self._jobs.values() if job.rule.lane is lane]
        now = self._clock()
        with self._database.unit_of_work(write=False) as session:
            if not job_claims.waiting(session, rules, now=now):
                return False
        claim = self._database.run(lambda s: job_claims.take(s, rules, worker=self.name, now=now, lease=self._lease))
        if claim is None:
            return False
        self._carry_out(lane, claim)
        return True

    def _carry_out(self, lane: Lane, claim: Claim) -> None:
        job = self._jobs[claim.job]
        progress = RunProgress(self._database, claim, lease=self._lease, clock=self._clock)
        self._running[lane] = progress
        words = log.bind(job=claim.job, run=claim.run_id, slot=claim.slot, attempt=claim.attempt)
        words.info("run started")
        started = self._clock()
        with futures.ThreadPoolExecutor(1, thread_name_prefix=claim.job) as hands:
            doing = hands.submit(lambda: job.run(self._work(claim, progress)))
            while not futures.wait([doing], timeout=self._beat_seconds).done:
                progress.beat()
                if self._stop.is_set():
                    progress.stop()
        error = doing.exception()
        del self._running[lane]
        seconds = round((self._clock() - started).total_seconds(), 3)
        if progress.concluded and (error is None or isinstance(error, LostRun | RunCancelled)):
            words.info("run succeeded", seconds=seconds)
            return
        outcome = self._database.run(lambda s: self._end(s, job, claim, progress, error))
        words.warning("run ended", outcome=outcome, seconds=seconds, error=str(error) if error else "")

    def _end(self, session: Session, job: Job, claim: Claim, progress: RunProgress, error: BaseException | None) -> str:
        """The outcome of a run that was not concluded."""
        now = self._clock()
        try:
            if isinstance(error, LostRun):
                return "taken over"
            if isinstance(error, RunCancelled):
                if progress.stopping and not progress.cancelled:
                    job_claims.give_back(session, claim)
                    return "given back"
                job_claims.cancelled(session, claim, now=now)
                return RunState.CANCELLED.value
            if error is None:
                error = NotConcluded(f"the job {claim.job} ended without concluding its run")
            again = not isinstance(error, InvalidInput | NotAllowed | NotConcluded)
            words = words_of(error)
            state = job_claims.fail(session, claim, job.rule, error=words, again=again, now=now)
            if state is RunState.FAILED:
                webhooks.announce(
                    session,
                    topic=webhooks.RUN_FAILED,
                    document_kind=jobs.KIND,
                    payloads={claim.run_id: {"job": claim.job, "slot": claim.slot, "error": words}},
                    now=now,
                )
            return state.value
        except LostRun:
            return "taken over"

    def _work(self, claim: Claim, progress: RunProgress) -> Work:
        wall = self._clock()
        with self._database.unit_of_work(write=False) as session:
            company = companies.only(session)
            now, today = companies.business_time(company, wall=wall)
            return Work(
                database=self._database,
                settings=self._settings,
                claim=claim,
                progress=progress,
                actor=users.actor(session, username="system"),
                company_id=company.id,
                simulated=company.simulated,
                now=now,
                today=today,
                clock=self._clock,
            )

    # ---- small parts

    def _once(self, step: Callable[[], object]) -> object:
        """A database that is away for a while must not end the worker: what was to be done is done by a later look."""
        try:
            return step()
        except Unavailable as error:
            log.warning("the database is not available", error=str(error))
            self._stop.wait(self._poll)
            return None

    def _say_alive(self, leads: bool) -> None:
        now = self._clock()
        self._database.run(
            lambda s: workers.beat(s, worker=self.name, started_at=self._started_at, leads=leads, now=now)
        )

    def _leave(self) -> None:
        self._database.run(lambda s: workers.leave(s, worker=self.name))

    def _zone(self) -> str:
        with self._database.unit_of_work(write=False) as session:
            try:
                return companies.only(session).zone
            except CompanyMissing:
                return "UTC"


class NotConcluded(ScmError):
    """A job forgot to conclude its run: whether it had an effect is not known, so it is not repeated."""


def calendar_of(company: Company) -> Calendar:
    """This function will give the time a company's slots are named in."""
    return Calendar(zone=company.zone, pinned=company.business_date if company.simulated else None)


def words_of(error: BaseException) -> str:
    """This function will say what went wrong: a refusal's own words, or where an unexpected error arose."""
    if isinstance(error, ScmError):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {os.path.basename(place.filename)} line {place.lineno}"
