"""How complete the data of items is: what planning, buying, selling and receiving need, and who lacks it.

The list of items and the shares above it are the same conditions, so that a share leads to exactly its rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement.purchase_orders import KIND as PURCHASE_ORDER
from procurement.purchase_orders import PurchaseOrder
from scm.core.listing import Field, Kind, Listing
from scm.finance.costs import ItemCost
from scm.master import items
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.items import BaseUnit, Item, ItemCategory, ItemStatus
from scm.master.partners import Partner
from scm.stock.moves import MoveState, StockMove

NOTHING_ASSUMED = "[]"


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """How many items are in use, how many of them lack nothing, and how many lack each thing, by its name.

    `assumed` counts the items of which some figure was assumed and nobody has confirmed it.
    """

    items: int
    complete: int
    assumed: int
    lacking: Mapping[str, int]

    @property
    def share(self) -> float:
        """The share of items that lack nothing, 0–1; without items everything is complete."""
        return self.complete / self.items if self.items else 1.0


def of_company(session: Session, *, company_id: int) -> Completeness:
    """This function will count what items in use lack, in one query."""
    lacks = lacking()
    # Worked out once for each item; without the word both databases would do it again for every sum.
    flags = (
        sa.select(assumed().label("assumed"), *(condition.label(name) for name, condition in lacks.items()))
        .where(Item.company_id == company_id, Item.status != ItemStatus.RETIRED)
        .cte("flags")
        .prefix_with("MATERIALIZED")
    )
    lacking_any = sa.or_(*(flags.c[name] for name in lacks))
    row = session.execute(
        sa.select(
            sa.func.count().label("items"),
            sa.func.sum(sa.case((lacking_any, 0), else_=1)).label("complete"),
            sa.func.sum(sa.case((flags.c.assumed, 1), else_=0)).label("assumed"),
            *(sa.func.sum(sa.case((flags.c[name], 1), else_=0)).label(name) for name in lacks),
        ).select_from(flags)
    ).one()
    return Completeness(
        items=row.items,
        complete=int(row.complete or 0),
        assumed=int(row.assumed or 0),
        lacking={name: int(row._mapping[name] or 0) for name in lacks},
    )


def lacking() -> dict[str, sa.ColumnElement[bool]]:
    """This function will give the conditions under which an item lacks something, by its name, in order of weight.

    What is sold while stock lasts and never bought again needs no source.
    """
    bought = Item.status == ItemStatus.ACTIVE
    source = _live()
    unknown_terms = source.where(~sa.exists().where(SupplierTerms.partner_id == Partner.id))
    known_cost = sa.exists().where(ItemCost.item_id == Item.id, ItemCost.company_id == Item.company_id)
    return {
        "agreement": sa.and_(bought, ~source.exists()),
        "terms": sa.and_(bought, unknown_terms.exists()),
        "price": Item.sale_price.is_(None),
        "cost": sa.and_(Item.opening_unit_cost.is_(None), ~known_cost),
        "email": sa.and_(bought, source.where(Partner.email.is_(None)).exists()),
        "lead_time": sa.and_(bought, source.exists(), ~source.where(Partner.id.in_(_measured())).exists()),
        "category": Item.category_id.is_(None),
        "gtin": Item.gtin.is_(None),
    }


def assumed() -> sa.ColumnElement[bool]:
    """This function will give the condition under which a figure of an item or its source is only assumed."""
    in_source = _live().where(sa.cast(SupplierAgreement.assumed, sa.String) != NOTHING_ASSUMED)
    return sa.or_(sa.cast(Item.assumed, sa.String) != NOTHING_ASSUMED, in_source.exists())


def listing(*, company_id: int) -> Listing:
    """This function will describe the list of all items, with what each lacks as a filter."""
    lacks = lacking()
    number: sa.ColumnElement[Any] = sum((sa.case((one, 1), else_=0) for one in lacks.values()), start=sa.literal(0))
    flags = [Field(name=f"lacks_{name}", kind=Kind.FLAG, value=one) for name, one in lacks.items()]
    return Listing(
        name="master_items",
        rows=sa.select(Item.id)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .outerjoin(ItemCategory, ItemCategory.id == Item.category_id)
        .where(Item.company_id == company_id),
        key=Item.__table__.c.id,
        fields=(
            Field(name="sku", kind=Kind.CODE, value=Item.sku),
            Field(name="name", kind=Kind.TEXT, value=Item.name),
            Field(name="english_name", kind=Kind.TEXT, value=Item.english_name),
            Field(name="gtin", kind=Kind.CODE, value=Item.gtin),
            Field(name="category", kind=Kind.CODE, value=ItemCategory.code),
            Field(name="status", kind=Kind.CHOICE, value=Item.status, choices=ItemStatus),
            Field(name="sale_price", kind=Kind.PRICE, value=Item.sale_price),
            Field(name="opening_unit_cost", kind=Kind.PRICE, value=Item.opening_unit_cost),
            Field(name="base_unit", kind=Kind.CODE, value=BaseUnit.code),
            Field(name="lot_tracked", kind=Kind.FLAG, value=Item.lot_tracked),
            Field(name="shelf_life_days", kind=Kind.NUMBER, value=Item.shelf_life_days),
            Field(name="lacks", kind=Kind.NUMBER, value=number),
            Field(name="is_assumed", kind=Kind.FLAG, value=assumed()),
            Field(name="assumed", kind=Kind.TEXT, value=Item.assumed),
            *flags,
        ),
        search=(*items.SEARCHED, sa.func.coalesce(Item.gtin, "")),
        order=("sku", False),
    )


def lacks_of(row: Mapping[str, Any]) -> Sequence[str]:
    """This function will name what one row of the list lacks."""
    return [name.removeprefix("lacks_") for name, value in row.items() if name.startswith("lacks_") and value]


def _live() -> sa.Select[int]:
    """The agreements an item may be bought under, correlated to the item outside."""
    return (
        sa.select(SupplierAgreement.id)
        .join(Partner, Partner.id == SupplierAgreement.partner_id)
        .where(SupplierAgreement.item_id == Item.id, ~SupplierAgreement.retired, ~Partner.retired)
        .correlate(Item)
    )


def _measured() -> sa.Select[int]:
    """Suppliers of whom at least one delivery was counted."""
    arrived = sa.exists().where(
        StockMove.document_kind == PURCHASE_ORDER,
        StockMove.document_id == PurchaseOrder.id,
        StockMove.state == MoveState.POSTED,
    )
    return sa.select(PurchaseOrder.supplier_id).where(arrived)
