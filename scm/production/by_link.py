"""A partner reports on the one order its link opens: what it used up, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.users import Actor
from scm.master.locations import Site
from scm.production import links, order_sheet, reporting, subcontracting
from scm.production.documents import ScrapReason, WorkOrder
from scm.production.order_sheet import OrderSheet
from scm.production.reporting import Report
from scm.production.subcontracting import BadReport, Used


@dataclass(frozen=True, kw_only=True)
class PartnerReport:
    """What a partner reports at once. Good and scrapped pieces are of the order's last operation."""

    used: Sequence[Used] = ()
    good: int = 0
    scrap: int = 0
    scrap_reason: ScrapReason | None = None


def sheet(session: Session, token: str, *, today: date, wall: datetime) -> OrderSheet:
    """This function will read the order that a link opens. Raises `LinkUnknown`."""
    opened = links.open_link(session, token, wall=wall)
    row = session.execute(
        sa.select(WorkOrder.number, WorkOrder.site_id)
        .join(Site, Site.id == WorkOrder.site_id)
        .where(WorkOrder.id == opened.order_id)
    ).one()
    return order_sheet.read(session, number=row.number, site_id=row.site_id, today=today, wall=wall)


def report(
    session: Session,
    token: str,
    told: PartnerReport,
    *,
    actor: Actor,
    now: datetime,
    today: date,
    wall: datetime,
) -> None:
    """This function will post what a partner used and record what it made of it.

    `actor` is the system, in whose name a link acts; the audit names the link. Raises `LinkUnknown`, `NotThere`,
    `NotThatManyHere`, `BadReport`, `IllegalTransition`; nothing is changed then.
    """
    opened = links.open_link(session, token, wall=wall)
    if not (told.used or told.good or told.scrap):
        raise BadReport("nothing was reported: say what was used or made")
    if told.used:
        subcontracting.consume(
            session, opened.order_id, told.used, actor=actor, now=now, today=today, link_id=opened.link_id
        )
    if told.good or told.scrap:
        order = session.get_one(WorkOrder, opened.order_id)
        seen = order_sheet.read(session, number=order.number, site_id=order.site_id, today=today, wall=wall)
        done = Report(
            operation_id=seen.operations[-1].id, good=told.good, scrap=told.scrap, scrap_reason=told.scrap_reason
        )
        reporting.report(session, opened.order_id, [done], actor=actor, now=now, today=today)
