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


def wanted(*, site_id: int) -> sa.CompoundSelect[int, date, int]:
    """This function will describe every row of demand (`item_id`, `demand_date`, `quantity`) for a statement to add up.

    The quantity ordered counts, not the quantity shipped; drafts and what was cancelled within a day never counted.
    Demand that was lost before it became an order stands on the day it was lost.
    """
    lines = (
        sa.select(SalesOrderLine.item_id, SalesOrder.ordered_date.label("demand_date"), SalesOrderLine.quantity)
        .join(SalesOrder, SalesOrder.id == SalesOrderLine.order_id)
        .where(
            SalesOrder.site_id == site_id,
            SalesOrder.state != OrderState.DRAFT,
            ~SalesOrderLine.never_demand,
        )
    )
    lost = sa.select(LostDemand.item_id, LostDemand.lost_date, LostDemand.quantity).where(
        LostDemand.site_id == site_id,
        LostDemand.line_id.is_(None),
    )
    return sa.union_all(lines, lost)


def ordered(session: Session, *, site_id: int, since: date, until: date) -> list[DemandRow]:
    """This function will sum what was `wanted` per item and day, `since` included and `until` not."""
    rows_of = wanted(site_id=site_id).subquery()
    rows = session.execute(
        sa.select(rows_of.c.item_id, rows_of.c.demand_date, sa.func.sum(rows_of.c.quantity).label("quantity"))
        .where(rows_of.c.demand_date >= since, rows_of.c.demand_date < until)
        .group_by(rows_of.c.item_id, rows_of.c.demand_date)
        .order_by(rows_of.c.item_id, rows_of.c.demand_date)
    )
    return [DemandRow(row.item_id, row.demand_date, int(row.quantity)) for row in rows]
