"""What changed since yesterday, as a planner wants to hear it in the morning: all of it from stored facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from forecasting.signals import DispositionFact
from procurement.proposals import Proposal
from scm.loop.cycle_runs import CycleRun
from scm.loop.exceptions.cases import ExceptionCase
from scm.master.locations import Site
from scm.sales.documents import SalesOrder, SalesOrderLine


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Counts since `since`, that day included; exceptions are those that closed."""

    since: date
    closed_by_themselves: int
    solved_by_you: int
    solved_by_others: int
    new_exceptions: int
    proposals_changed: int | None  # against the run before; none: there was none
    orders_cancelled: int
    units_back_on_the_shelf: int


def since_yesterday(session: Session, *, site_id: int, user_id: int, today: date) -> Changes:
    """This function will count what changed since yesterday at a site, in six queries."""
    since = today - timedelta(days=1)
    site = session.get_one(Site, site_id)
    start = datetime.combine(since, time(0), ZoneInfo(site.zone))
    closed = session.execute(
        sa.select(
            sa.func.count(sa.case((ExceptionCase.solved_by_id.is_(None), 1))),
            sa.func.count(sa.case((ExceptionCase.solved_by_id == user_id, 1))),
            sa.func.count(ExceptionCase.id),
        ).where(ExceptionCase.site_id == site_id, ExceptionCase.closed_date >= since)
    ).one()
    new = session.scalar(
        sa.select(sa.func.count(ExceptionCase.id)).where(
            ExceptionCase.site_id == site_id, ExceptionCase.first_seen_date >= since, ExceptionCase.closed_at.is_(None)
        )
    )
    cancelled = session.scalar(
        sa.select(sa.func.count(sa.distinct(SalesOrderLine.order_id)))
        .join(SalesOrder, SalesOrder.id == SalesOrderLine.order_id)
        .where(SalesOrder.site_id == site_id, SalesOrderLine.cancelled_at >= start)
    )
    back = session.scalar(
        sa.select(sa.func.sum(DispositionFact.resellable_quantity)).where(
            DispositionFact.site_id == site_id, DispositionFact.disposed_date >= since
        )
    )
    return Changes(
        since=since,
        closed_by_themselves=int(closed[0]),
        solved_by_you=int(closed[1]),
        solved_by_others=int(closed[2]) - int(closed[0]) - int(closed[1]),
        new_exceptions=int(new or 0),
        proposals_changed=_proposals_changed(session, site_id=site_id),
        orders_cancelled=int(cancelled or 0),
        units_back_on_the_shelf=int(back or 0),
    )


def _proposals_changed(session: Session, *, site_id: int) -> int | None:
    """Items of which the newest run proposes more, less, or for the first time; and those it proposes no more."""
    runs = session.scalars(
        sa.select(CycleRun.id).where(CycleRun.site_id == site_id).order_by(CycleRun.id.desc()).limit(2)
    ).all()
    if len(runs) < 2:
        return None
    newest, before = runs
    new, old = (
        sa.func.sum(sa.case((Proposal.run_id == run_id, Proposal.quantity), else_=0)) for run_id in (newest, before)
    )
    changed = (
        sa.select(Proposal.item_id)
        .where(Proposal.site_id == site_id, Proposal.run_id.in_([newest, before]))
        .group_by(Proposal.item_id)
        .having(new != old)
        .subquery()
    )
    return int(session.scalar(sa.select(sa.func.count()).select_from(changed)) or 0)
