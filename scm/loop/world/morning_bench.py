"""The bench in the morning: one set is assembled of two items, an order is half done, one is complete, one is short.

The set is an item that nobody bought lately, made of the two of which most is free, so that no customer waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.loop.world.stage import Stage
from scm.master import bom_approving, bom_writing
from scm.master.bom import Bom, BomKind
from scm.master.bom_content import BomContent, LineContent
from scm.master.items import Item, ItemStatus
from scm.production import completing, issuing, orders, progress, reporting
from scm.production.completing import Completion
from scm.production.documents import ScrapReason, WorkOrder
from scm.production.issuing import Issue
from scm.production.orders import WorkOrderRequest
from scm.production.reporting import Report
from scm.stock import projection

COMPONENTS = 2
SMALL = 6  # sets of an order; two of each item go into one
MOST = 10**6  # of which there is never enough


@dataclass(frozen=True, kw_only=True)
class _Set:
    """What is assembled of what."""

    item_id: int
    component_ids: tuple[int, ...]


def assemble(stage: Stage, *, today: date) -> None:
    """This function will have the bill approved, and work orders written, released, worked on and completed."""
    chosen = stage.look(lambda session: _chosen(session, stage))
    if chosen is None:
        return
    planner, now = stage.person("planner"), stage.at(today, 8, 20)
    company_id, site_id = stage.setup.company_id, stage.setup.site_id
    content = BomContent(
        kind=BomKind.MAKE,
        valid_from=today,
        lines=tuple(
            LineContent(line_number=number, item_id=item_id, quantity=2)
            for number, item_id in enumerate(chosen.component_ids, start=1)
        ),
        lead_time_days=2,
    )
    stage.act_once(
        f"{today} bench bill",
        lambda session: bom_writing.create(
            session, content, site_id=site_id, item_id=chosen.item_id, company_id=company_id, actor=planner
        ),
    )
    bom_id = stage.look(lambda session: _newest_bill(session, chosen.item_id, site_id))
    stage.act_once(
        f"{today} bench bill submitted",
        lambda session: bom_approving.submit(session, bom_id=bom_id, company_id=company_id, actor=planner, now=now),
    )
    approver = stage.person("admin")
    stage.act_once(
        f"{today} bench bill approved",
        lambda session: bom_approving.approve(session, bom_id=bom_id, company_id=company_id, actor=approver, now=now),
    )
    requests = [
        WorkOrderRequest(bom_id=bom_id, quantity=quantity, due_date=today + timedelta(days=days))
        for quantity, days in ((SMALL, 1), (SMALL, 0), (MOST, 9))
    ]
    stage.act_once(
        f"{today} bench orders",
        lambda session: orders.create(session, requests, actor=planner, now=now, today=today),
    )
    half, whole, _ = stage.look(lambda session: _newest_orders(session, bom_id))
    stage.act_once(
        f"{today} bench released",
        lambda session: orders.release(session, [half, whole], actor=planner, now=now, today=today),
    )
    for order_id, good, scrap in ((half, SMALL // 2, 1), (whole, SMALL, 0)):
        _work(stage, order_id, good=good, scrap=scrap, today=today)


def _work(stage: Stage, order_id: int, *, good: int, scrap: int, today: date) -> None:
    """Issue everything, report what was done, complete what is good."""
    floor, now = stage.person("production"), stage.at(today, 9, 15)
    component_ids, operation_id = stage.look(lambda session: _parts(session, order_id))
    wanted = [Issue(component_id=component_id) for component_id in component_ids]
    stage.act_once(
        f"{today} bench issue {order_id}",
        lambda session: issuing.issue(session, order_id, wanted, actor=floor, now=now, today=today),
    )
    done = Report(
        operation_id=operation_id,
        good=good,
        scrap=scrap,
        scrap_reason=ScrapReason.HANDLING if scrap else None,
        minutes=5 * (good + scrap),
    )
    later = stage.at(today, 10, 10)
    stage.act_once(
        f"{today} bench report {order_id}",
        lambda session: reporting.report(session, order_id, [done], actor=floor, now=later, today=today),
    )
    completed = Completion(quantity=good - scrap)
    stage.act_once(
        f"{today} bench complete {order_id}",
        lambda session: completing.complete(session, order_id, completed, actor=floor, now=later, today=today),
    )


def _chosen(session: Session, stage: Stage) -> _Set | None:
    active = sa.select(Item.id).where(Item.status == ItemStatus.ACTIVE, ~Item.lot_tracked).order_by(Item.sku)
    ids = list(session.scalars(active))
    there = projection.positions(session, site_id=stage.setup.site_id, item_ids=ids)
    free = {item_id: there[item_id].available if item_id in there else 0 for item_id in ids}
    most = sorted(ids, key=lambda item_id: (-free[item_id], item_id))[:COMPONENTS]
    rest = [item_id for item_id in ids if item_id not in most]
    if not rest or any(free[item_id] < 4 * SMALL for item_id in most):
        return None
    return _Set(item_id=min(rest, key=lambda item_id: (free[item_id], item_id)), component_ids=tuple(most))


def _newest_bill(session: Session, item_id: int, site_id: int) -> int:
    newest = sa.select(sa.func.max(Bom.id)).where(Bom.item_id == item_id, Bom.site_id == site_id)
    return session.execute(newest).scalar_one()


def _newest_orders(session: Session, bom_id: int) -> list[int]:
    newest = sa.select(WorkOrder.id).where(WorkOrder.bom_id == bom_id).order_by(WorkOrder.id.desc()).limit(3)
    return list(session.scalars(newest))[::-1]


def _parts(session: Session, order_id: int) -> tuple[list[int], int]:
    found = progress.of_order(session, session.get_one(WorkOrder, order_id))
    return [component.id for component in found.components], found.work[0].operation.id
