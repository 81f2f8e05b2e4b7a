"""The sell-through and cover list: every item with what it has, what is coming, how long that lasts and how it sells.

Stock and orders are as they are now; sales, trend and forecast are those `scm.loop.item_measures` measured last.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from procurement.purchase_orders import KIND as PURCHASE_ORDER
from procurement.purchase_orders import PurchaseOrder
from scm.core.db import table_of
from scm.core.listing import Field, Kind, Listing
from scm.finance.costs import ItemCost
from scm.loop.daily import ItemMeasure
from scm.loop.exceptions.planning import EXCESS_COVER_DAYS
from scm.master import items
from scm.master.items import BaseUnit, Item, ItemStatus
from scm.master.locations import Location, LocationKind
from scm.stock.balances import StockPool
from scm.stock.moves import MoveState, StockMove

Column = sa.ColumnElement[Any]


def listing(*, company_id: int, site_id: int) -> Listing:
    """This function will describe the list of one site. Slow: stock for half a year, or that nobody asked for."""
    item, measured = table_of(Item).c, table_of(ItemMeasure).c
    on_hand, reserved = _pool(StockPool.on_hand, site_id), _pool(StockPool.reserved, site_id)
    there = measured.opening + measured.received
    # Whole days, rounded down alike on both databases.
    daily = sa.func.nullif(measured.daily_thousandths, 0, type_=sa.BigInteger())
    cover: Column = (on_hand * 1000).op("/", return_type=sa.BigInteger())(daily)
    idle = sa.func.coalesce(measured.asked_8_weeks, 0) == 0
    slow = sa.and_(on_hand > 0, sa.or_(idle, sa.func.coalesce(cover, 0) > EXCESS_COVER_DAYS))
    return Listing(
        name="cover",
        rows=sa.select(Item.id)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .outerjoin(ItemMeasure, sa.and_(ItemMeasure.item_id == Item.id, ItemMeasure.site_id == site_id))
        .outerjoin(ItemCost, sa.and_(ItemCost.item_id == Item.id, ItemCost.company_id == company_id))
        .where(Item.company_id == company_id, Item.status != ItemStatus.RETIRED),
        key=item.id,
        fields=(
            Field(name="sku", kind=Kind.CODE, value=item.sku),
            Field(name="name", kind=Kind.TEXT, value=Item.shown_name),
            Field(name="status", kind=Kind.CHOICE, value=item.status, choices=ItemStatus),
            Field(name="slow", kind=Kind.FLAG, value=slow),
            Field(name="out", kind=Kind.FLAG, value=sa.and_(item.status == ItemStatus.ACTIVE, on_hand <= reserved)),
            Field(name="on_hand", kind=Kind.QUANTITY, value=on_hand, beside="unit"),
            Field(name="unit", kind=Kind.TEXT, value=table_of(BaseUnit).c.code),
            Field(name="on_order", kind=Kind.QUANTITY, value=_on_order(site_id), beside="unit"),
            Field(name="cover_days", kind=Kind.NUMBER, value=cover),
            Field(name="sell_through", kind=Kind.RATE, value=_share(measured.sold, there)),
            Field(name="moving", kind=Kind.FLAG, value=sa.func.coalesce(measured.sold, 0) > 0),
            Field(name="sold", kind=Kind.QUANTITY, value=measured.sold),
            Field(name="last_sale", kind=Kind.DATE, value=measured.last_sale_date),
            Field(name="asked", kind=Kind.QUANTITY, value=measured.asked_8_weeks),
            Field(
                name="trend",
                kind=Kind.RATE,
                value=_share(measured.asked_8_weeks - measured.asked_8_weeks_before, measured.asked_8_weeks_before),
            ),
            Field(name="value", kind=Kind.MONEY, value=sa.func.coalesce(ItemCost.value, 0)),
            Field(name="sale_price", kind=Kind.PRICE, value=item.sale_price),
        ),
        search=items.SEARCHED,
        order=("value", True),
    )


def _pool(column: Any, site_id: int) -> Column:
    total = sa.func.coalesce(sa.func.sum(column), 0)
    of_item = sa.select(sa.cast(total, sa.BigInteger)).where(StockPool.item_id == Item.id, StockPool.site_id == site_id)
    return of_item.correlate(Item).scalar_subquery()


def _on_order(site_id: int) -> Column:
    source = sa.orm.aliased(Location)
    total = sa.func.coalesce(sa.func.sum(StockMove.quantity), 0)
    return (
        sa.select(sa.cast(total, sa.BigInteger))
        .join(source, source.id == StockMove.source_id)
        .join(PurchaseOrder, PurchaseOrder.id == StockMove.document_id)
        .where(
            StockMove.item_id == Item.id,
            StockMove.state == MoveState.PLANNED,
            StockMove.document_kind == PURCHASE_ORDER,
            source.kind == LocationKind.SUPPLIER,
            PurchaseOrder.site_id == site_id,
        )
        .correlate(Item)
        .scalar_subquery()
    )


def _share(part: Any, whole: Any) -> Column:
    """Nothing to divide by is no share at all. A share is for reading: no ledger is kept in it."""
    return sa.cast(part, sa.Double) / sa.func.nullif(sa.cast(whole, sa.Double), 0)
