"""Which jobs there are, when each runs, what happens to missed slots, and what it calls."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import deliveries, idempotency, jobs, sealing, sign_in
from scm.core.errors import Conflict
from scm.core.job_slots import OPERATORS, CatchUp, Daily, Every, JobRule, Lane
from scm.core.users import Role
from scm.finance import valuation
from scm.finance.costs import UnvaluedMove
from scm.loop import cycle
from scm.loop.cycle import CycleResult
from scm.loop.exceptions import refresh
from scm.master.locations import Site
from scm.production import books
from scm.stock import holds
from web.delivery import sending
from web.jobs import Job, Work

KEPT_RUNS = timedelta(days=7)  # of jobs that run every few seconds
MOST_FINDINGS = 20


class BooksDisagree(Conflict):
    """The nightly proof found places where the books disagree."""


def _nightly_cycle(work: Work) -> None:
    assert work.claim.business_date is not None, "a daily slot has a business date"

    def conclude(session: Session, result: CycleResult) -> None:
        work.progress.conclude(
            session,
            result={"cycle_run_id": result.run_id, "proposals": result.proposals, "inputs_hash": result.inputs_hash},
        )

    cycle.run(
        work.database,
        as_of=work.claim.business_date,
        actor=work.actor,
        now=work.now,
        progress=work.progress,
        conclude=conclude,
    )


def _valuation(work: Work) -> None:
    def value(session: Session) -> None:
        moves = valuation.run(session, company_id=work.company_id, now=work.now)
        work.progress.conclude(session, result={"moves": moves})

    work.database.run(value)


def _moves_wait(session: Session, now: datetime) -> bool:
    return session.scalar(sa.select(UnvaluedMove.id).limit(1)) is not None


def _verify_books(work: Work) -> None:
    work.progress.stage("Proving the books")
    with work.database.unit_of_work(write=False) as session:
        report = books.verify(session, now=work.now)
    if report.findings:
        named = "; ".join(
            f"{finding.place}: expected {finding.expected}, found {finding.found}"
            for finding in report.findings[:MOST_FINDINGS]
        )
        raise BooksDisagree(f"{len(report.findings)} places disagree: {named}")
    _conclude(work, summary=report.summary())


def _hold_expired(work: Work) -> None:
    def hold(session: Session) -> None:
        lots = holds.hold_expired(session, today=work.today, actor=work.actor, now=work.now)
        work.progress.conclude(session, result={"lots": len(lots)})

    work.database.run(hold)


def _exceptions(work: Work) -> None:
    work.progress.stage("Looking for exceptions")

    def look(session: Session) -> None:
        sites = session.scalars(sa.select(Site.id).where(Site.company_id == work.company_id).order_by(Site.id)).all()
        found = [
            refresh.refresh(session, site_id=site, actor=work.actor, now=work.now, today=work.today) for site in sites
        ]
        work.progress.conclude(
            session,
            result={
                "opened": sum(one.opened for one in found),
                "closed": sum(one.closed for one in found),
                "open": sum(one.open for one in found),
            },
        )

    work.database.run(look)


def _seal_audit(work: Work) -> None:
    work.progress.stage("Sealing the audit trail")
    seals, rows, head = 0, 0, ""
    while True:
        sealed = work.database.run(lambda session: sealing.seal(session, now=work.clock()))
        if sealed is None:
            break
        seals, rows, head = seals + 1, rows + sealed.row_count, sealed.hash
        work.progress.advance()
    _conclude(work, seals=seals, rows=rows, head=head)


def _rows_wait(session: Session, now: datetime) -> bool:
    return sealing.waits(session)


def _deliver_outbox(work: Work) -> None:
    outcome = sending.deliver(
        work.database, settings=work.settings, simulated=work.simulated, clock=work.clock, progress=work.progress
    )
    _conclude(work, delivered=outcome.delivered, failed=outcome.failed, dead=outcome.dead)


def _messages_wait(session: Session, now: datetime) -> bool:
    return deliveries.due(session, now=now)


def _forget_old(work: Work) -> None:
    def forget(session: Session) -> None:
        keys = idempotency.forget_before(session, now=work.clock())
        runs = jobs.forget(session, job_names=FREQUENT, before=work.clock() - KEPT_RUNS)
        sessions = sign_in.forget_ended(session, now=work.clock())
        work.progress.conclude(session, result={"idempotency_keys": keys, "runs": runs, "login_sessions": sessions})

    work.database.refresh_statistics()
    work.database.run(forget)


def _conclude(work: Work, **result: object) -> None:
    work.database.run(lambda session: work.progress.conclude(session, result=dict(result)))


JOBS: tuple[Job, ...] = (
    Job(
        rule=JobRule(
            name="nightly_cycle",
            timing=Daily(at=time(1, 30), days_back=1),
            catch_up=CatchUp.LATEST,  # a plan for a day that is over helps nobody
            may_request=OPERATORS | {Role.PLANNER},
        ),
        run=_nightly_cycle,
    ),
    Job(
        rule=JobRule(name="valuation", timing=Every(seconds=5), catch_up=CatchUp.LATEST, lane=Lane.SHORT),
        run=_valuation,
        waiting=_moves_wait,
    ),
    Job(
        rule=JobRule(name="deliver_outbox", timing=Every(seconds=5), catch_up=CatchUp.LATEST, lane=Lane.NETWORK),
        run=_deliver_outbox,
        waiting=_messages_wait,
    ),
    Job(
        rule=JobRule(name="seal_audit", timing=Every(seconds=60), catch_up=CatchUp.LATEST, lane=Lane.SHORT),
        run=_seal_audit,
        waiting=_rows_wait,
    ),
    Job(
        rule=JobRule(name="hold_expired", timing=Daily(at=time(0, 5)), catch_up=CatchUp.LATEST, lane=Lane.SHORT),
        run=_hold_expired,
    ),
    Job(
        rule=JobRule(
            name="exceptions",
            timing=Every(seconds=300),
            catch_up=CatchUp.LATEST,
            may_request=OPERATORS | {Role.PLANNER, Role.BUYER, Role.WAREHOUSE, Role.RETURNS},
        ),
        run=_exceptions,
    ),
    Job(
        rule=JobRule(name="verify_books", timing=Daily(at=time(3, 0)), catch_up=CatchUp.LATEST, attempts=1),
        run=_verify_books,
    ),
    Job(
        rule=JobRule(name="forget_old", timing=Daily(at=time(4, 0)), catch_up=CatchUp.LATEST, lane=Lane.SHORT),
        run=_forget_old,
    ),
)
RULES = tuple(job.rule for job in JOBS)
FREQUENT = tuple(rule.name for rule in RULES if isinstance(rule.timing, Every))
