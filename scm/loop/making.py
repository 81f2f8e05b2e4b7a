"""What the site makes: its bills of a day, and what they need at all levels. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master import bom_structure
from scm.master.bom_validity import MADE, THROUGH
from scm.master.items import Item, ItemStatus


@dataclass(frozen=True, kw_only=True)
class Made:
    """One item that is made at the site, and the terms of its bill. Lots are good units."""

    item_id: int
    sku: str
    category_id: int
    sale_price: Decimal | None
    bom_id: int
    lead_time_days: int
    minimum_order_quantity: int
    order_multiple: int
    cover_limit_days: int | None
    assumed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One good unit of the parent needs numerator ÷ denominator units of the component, losses included."""

    parent_id: int
    component_id: int
    numerator: int
    denominator: int


@dataclass(frozen=True, kw_only=True)
class Making:
    """Made items in the order of their ids, the lines of all bills, and what is never stocked (phantoms and kits)."""

    items: tuple[Made, ...] = ()
    lines: tuple[Line, ...] = ()
    through: tuple[int, ...] = ()

    @property
    def item_ids(self) -> list[int]:
        """Ids of the made items."""
        return [made.item_id for made in self.items]


def read(session: Session, *, company_id: int, site_id: int, on: date) -> Making:
    """This function will read what is made at a site by the bills that are valid on a day.

    A later revision counts from its first day on: the plan is made anew every night.
    """
    found = bom_structure.structure(session, company_id=company_id, on=on, site_id=site_id)
    boms = {bom.item_id: bom for bom in found.boms if bom.kind in MADE}
    rows = session.execute(
        sa.select(Item.id, Item.sku, Item.category_id, Item.sale_price, Item.assumed)
        .where(Item.id.in_(sorted(boms)), Item.status == ItemStatus.ACTIVE)
        .order_by(Item.id)
    )
    columns = (found.parent, found.component, found.numerator, found.denominator)
    return Making(
        items=tuple(
            Made(
                item_id=row.id,
                sku=row.sku,
                category_id=row.category_id or 0,
                sale_price=row.sale_price,
                bom_id=boms[row.id].id,
                lead_time_days=boms[row.id].lead_time_days,
                minimum_order_quantity=boms[row.id].minimum_order_quantity,
                order_multiple=boms[row.id].order_multiple,
                cover_limit_days=boms[row.id].cover_limit_days,
                assumed=tuple(row.assumed),
            )
            for row in rows
        ),
        lines=tuple(
            Line(parent_id=parent, component_id=component, numerator=numerator, denominator=denominator)
            for parent, component, numerator, denominator in zip(*(part.tolist() for part in columns), strict=True)
        ),
        through=tuple(sorted(bom.item_id for bom in found.boms if bom.kind in THROUGH)),
    )
