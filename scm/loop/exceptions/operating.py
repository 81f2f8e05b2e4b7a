"""What an administrator must know: jobs that failed, messages given up on, and figures that were only assumed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.clock import local_date
from scm.core.jobs import JobRun, RunState
from scm.core.outbox import OutboxMessage
from scm.finance import money
from scm.loop.exceptions.findings import Finding, Kind, Scope
from scm.loop.exceptions.planning import Coming
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.partners import Partner
from scm.master.records import is_assumed

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


def assumed_figures(session: Session, scope: Scope, coming: Sequence[Coming]) -> Iterator[Finding]:
    """This function will find suppliers whose terms or agreements nobody has confirmed, and what is on order there."""
    on_order: dict[int, list[Coming]] = defaultdict(list)
    for line in coming:
        on_order[line.supplier_id].append(line)
    guessed = (
        sa.select(SupplierAgreement.partner_id, sa.func.count(SupplierAgreement.id).label("agreements"))
        .where(~SupplierAgreement.retired, is_assumed(SupplierAgreement.assumed))
        .group_by(SupplierAgreement.partner_id)
        .subquery()
    )
    terms = sa.and_(SupplierTerms.partner_id.is_not(None), is_assumed(SupplierTerms.assumed))
    rows = session.execute(
        sa.select(Partner.id, Partner.code, Partner.name, guessed.c.agreements, terms.label("terms"))
        .outerjoin(guessed, guessed.c.partner_id == Partner.id)
        .outerjoin(SupplierTerms, SupplierTerms.partner_id == Partner.id)
        .where(
            Partner.company_id == scope.company_id,
            Partner.is_supplier,
            ~Partner.retired,
            sa.or_(guessed.c.agreements.is_not(None), terms),
        )
        .order_by(Partner.id)
    )
    for row in rows:
        lines = on_order[row.id]
        yield Finding(
            kind=Kind.FIGURES_ASSUMED,
            subject_id=row.id,
            label=row.code,
            name=row.name,
            amount=sum(money.line_amount(line.unit_cost, line.quantity, currency=scope.currency) for line in lines),
            facts={
                "agreements": row.agreements or 0,
                "terms": bool(row.terms),
                "open_orders": len({line.order_id for line in lines}),
            },
        )
