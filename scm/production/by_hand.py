"""A planner writes a work order by hand: an item, a quantity and a day are enough."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import NotFound
from scm.core.users import Actor, Role
from scm.master import bom_validity
from scm.master.bom_validity import MADE
from scm.master.items import Item
from scm.master.locations import Site
from scm.production import orders
from scm.production.documents import WorkOrder
from scm.production.orders import WorkOrderRequest


class NotMadeHere(NotFound):
    """There is no such item, or nobody has approved how this site makes it."""


def write(
    session: Session,
    *,
    sku: str,
    quantity: int,
    due_date: date,
    start_date: date | None,
    site_id: int,
    actor: Actor,
    now: datetime,
    today: date,
) -> WorkOrder:
    """This function will write a planned order by the bill that is valid when it starts, or today.

    Raises `NotMadeHere`, `BadWorkOrder`, `CannotMake`.
    """
    actor.require(Role.PLANNER)
    company_id = session.execute(sa.select(Site.company_id).where(Site.id == site_id)).scalar_one()
    item_id = session.scalar(sa.select(Item.id).where(Item.company_id == company_id, Item.sku == sku.strip()))
    if item_id is None:
        raise NotMadeHere(f"there is no item {sku.strip()}: check its SKU")
    on = start_date or today
    found = bom_validity.valid_on(
        session, on=on, company_id=company_id, site_ids=[site_id], item_ids=[item_id], kinds=MADE
    )
    bom = found.get((site_id, item_id))
    if bom is None:
        raise NotMadeHere(f"{sku.strip()} is not made at this site on {on}: have a bill of materials approved first")
    request = WorkOrderRequest(bom_id=bom.id, quantity=quantity, due_date=due_date, start_date=start_date)
    return orders.create(session, [request], actor=actor, now=now, today=today)[0]
