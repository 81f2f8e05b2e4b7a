"""Demand as orders tell it: what customers wanted, on the day they wanted it, whether or not it was delivered."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.sales.documents import OrderState, SalesOrder, SalesOrderLine
from scm.sales.lost_demand import LostDemand


class DemandRow(NamedTuple):
    """So many base units of an item wanted on a date in the site's zone."""

    item_id: int
    demand_date: date
    quantity: int


def ordered(session: Session, *, site_id: int, since: date, until: date) -> list[DemandRow]:
    """This function will sum what was ordered per item and day, `since` included and `until` not.

    The quantity ordered counts, not the quantity shipped; drafts and what was cancelled within a day never counted.
    Demand that was lost before it became an order is added on the day it was lost.
    """
    lines = (
        sa.select(SalesOrderLine.item_id, SalesOrder.ordered_date.label("demand_date"), SalesOrderLine.quantity)
        .join(SalesOrder, SalesOrder.id == SalesOrderLine.order_id)
        .where(
            SalesOrder.site_id == site_id,
            SalesOrder.ordered_date >= since,
            SalesOrder.ordered_date < until,
            SalesOrder.state != OrderState.DRAFT,
            ~SalesOrderLine.never_demand,
        )
    )
    lost = sa.select(LostDemand.item_id, LostDemand.lost_date, LostDemand.quantity).where(
        LostDemand.site_id == site_id,
        LostDemand.lost_date >= since,
        LostDemand.lost_date < until,
        LostDemand.line_id.is_(None),
    )
    wanted = sa.union_all(lines, lost).subquery()
    rows = session.execute(
        sa.select(wanted.c.item_id, wanted.c.demand_date, sa.func.sum(wanted.c.quantity).label("quantity"))
        .group_by(wanted.c.item_id, wanted.c.demand_date)
        .order_by(wanted.c.item_id, wanted.c.demand_date)
    )
    return [DemandRow(row.item_id, row.demand_date, int(row.quantity)) for row in rows]
