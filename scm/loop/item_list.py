"""The list of items as their planner sees it: what is there, what is coming, how long it lasts, what is proposed.

Reads only. What each row needs beside the item is looked up for the rows of the page alone.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from procurement.proposals import Proposal, ProposalState
from scm.core import types
from scm.core.listing import Condition, Contains, Field, Kind, Listing
from scm.loop.cycle_runs import CycleRun
from scm.loop.item_targets import ItemTarget
from scm.master import items
from scm.master.items import BaseUnit, Item, ItemCategory, ItemStatus
from scm.master.locations import Location, LocationKind
from scm.master.partners import OWN_STOCK
from scm.stock.balances import StockPool
from scm.stock.moves import MoveState, StockMove


class Standing(enum.Enum):
    """How an item stands. Free stock is what is there and not promised, less what customers wait for."""

    OUT = "out"  # nothing is free, and it is wanted
    LOW = "low"  # free stock has come down to the safety stock
    ORDER = "order"  # with all that is on order it has come down to the reorder point
    FINE = "fine"
    EXCESS = "excess"  # free stock is more than twice what is ordered up to
    IDLE = "idle"  # there is stock, and no demand is expected


def listing(*, company_id: int, site_id: int) -> Listing:
    """This function will describe the company's items at a site, those with the most missing first."""
    stock, move = _Stock(site_id), _Moves(site_id)
    backordered = move.outbound - stock.reserved
    available = stock.on_hand - stock.reserved
    free = stock.on_hand - move.outbound  # available less backordered; what is reserved stands in both
    return Listing(
        name="items",
        rows=_rows(company_id, site_id),
        key=Item.id,
        fields=(
            Field(name="sku", kind=Kind.CODE, value=Item.sku),
            Field(name="name", kind=Kind.TEXT, value=Item.shown_name),
            Field(
                name="standing",
                kind=Kind.CHOICE,
                value=_standing(free, move.on_order),
                choices=Standing,
                holds=_stands(company_id, site_id),
            ),
            Field(name="on_hand", kind=Kind.QUANTITY, value=stock.on_hand, beside="unit"),
            Field(name="available", kind=Kind.QUANTITY, value=available, beside="unit"),
            Field(name="on_order", kind=Kind.QUANTITY, value=move.on_order, beside="unit"),
            Field(name="backordered", kind=Kind.QUANTITY, value=backordered, beside="unit"),
            Field(name="cover_days", kind=Kind.NUMBER, value=_cover(free)),
            Field(name="missing", kind=Kind.QUANTITY, value=_missing(), beside="unit"),
            Field(name="reorder_point", kind=Kind.QUANTITY, value=ItemTarget.reorder_point, beside="unit"),
            Field(name="safety_stock", kind=Kind.QUANTITY, value=_safety(), beside="unit"),
            Field(
                name="proposed",
                kind=Kind.QUANTITY,
                value=_proposed(site_id, sa.func.sum(Proposal.quantity)),
                beside="unit",
            ),
            Field(name="order_date", kind=Kind.DATE, value=_proposed(site_id, sa.func.min(Proposal.order_date))),
            Field(name="unit", kind=Kind.TEXT, value=BaseUnit.code),
            Field(name="category", kind=Kind.TEXT, value=ItemCategory.name),
            Field(name="status", kind=Kind.CHOICE, value=Item.status, choices=ItemStatus),
        ),
        search=items.SEARCHED,
        order=("missing", True),
    )


def _rows(company_id: int, site_id: int) -> sa.Select[*tuple[Any, ...]]:
    newest = sa.select(sa.func.max(CycleRun.id)).where(CycleRun.site_id == site_id).scalar_subquery()
    return (
        sa.select(Item.id)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .outerjoin(ItemCategory, ItemCategory.id == Item.category_id)
        .outerjoin(ItemTarget, sa.and_(ItemTarget.item_id == Item.id, ItemTarget.run_id == newest))
        .where(Item.company_id == company_id)
    )


class _Stock:
    """What the site can promise of the item."""

    def __init__(self, site_id: int) -> None:
        self._site_id = site_id
        self.on_hand = self._sum(StockPool.on_hand)
        self.reserved = self._sum(StockPool.reserved)

    def _sum(self, column: sa.SQLColumnExpression[int]) -> sa.ColumnElement[int]:
        statement = sa.select(sa.func.sum(column)).where(
            StockPool.item_id == Item.id, StockPool.site_id == self._site_id, StockPool.owner_id == OWN_STOCK
        )
        return _whole(statement)


class _Moves:
    """What is planned to come to the site and to leave its storage."""

    def __init__(self, site_id: int) -> None:
        here = sa.select(Location.id).where(Location.site_id == site_id)
        suppliers = sa.select(Location.id).where(Location.kind == LocationKind.SUPPLIER)
        storage = here.where(Location.kind == LocationKind.STORAGE)
        self.inbound = sa.and_(StockMove.source_id.in_(suppliers), StockMove.destination_id.in_(here))
        self.leaving = sa.and_(StockMove.source_id.in_(storage), StockMove.destination_id.not_in(storage))
        self.on_order, self.outbound = self._sum(self.inbound), self._sum(self.leaving)

    def by_item(self, condition: sa.ColumnElement[bool]) -> sa.Subquery:
        """This function will give the planned quantity of every item that has some."""
        quantity = sa.func.sum(StockMove.quantity).label("quantity")
        statement = sa.select(StockMove.item_id, quantity).where(*self._planned(condition))
        return statement.group_by(StockMove.item_id).subquery()

    def _sum(self, condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        statement = sa.select(sa.func.sum(StockMove.quantity)).where(
            StockMove.item_id == Item.id, *self._planned(condition)
        )
        return _whole(statement)

    @staticmethod
    def _planned(condition: sa.ColumnElement[bool]) -> Sequence[sa.ColumnElement[bool]]:
        return (StockMove.state == MoveState.PLANNED, StockMove.owner_id == OWN_STOCK, condition)


def _whole(statement: sa.Select[*tuple[Any, ...]]) -> sa.ColumnElement[int]:
    """A sum as a whole number on both databases: PostgreSQL adds whole numbers up to a decimal."""
    return sa.cast(sa.func.coalesce(statement.correlate(Item).scalar_subquery(), 0), sa.BigInteger)


def _proposed(site_id: int, figure: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    statement = sa.select(figure).where(
        Proposal.item_id == Item.id, Proposal.site_id == site_id, Proposal.state == ProposalState.OPEN
    )
    found = statement.correlate(Item).scalar_subquery()
    return found if isinstance(figure.type, sa.Date) else sa.cast(found, sa.BigInteger)


def _safety() -> sa.ColumnElement[int]:
    return ItemTarget.safety_demand + ItemTarget.safety_lead_time


def _missing() -> sa.ColumnElement[int]:
    """What the last run found missing; nothing for what it did not plan."""
    return sa.case((ItemTarget.need > 0, ItemTarget.need), else_=0)


def _cover(free: sa.ColumnElement[int]) -> sa.ColumnElement[Any]:
    """Days that the free stock lasts at the demand of the protection interval; none without demand."""
    return sa.case(
        (sa.or_(ItemTarget.demand.is_(None), ItemTarget.demand <= 0), None),
        (free <= 0, 0),
        else_=free * ItemTarget.protection_days // ItemTarget.demand,
    )


def _standing(free: sa.ColumnElement[int], on_order: sa.ColumnElement[int]) -> sa.ColumnElement[Any]:
    level = ItemTarget.demand + _safety()
    wanted = sa.func.coalesce(ItemTarget.demand, 0) > 0
    kind = types.enum_column(Standing)

    def is_(standing: Standing) -> sa.ColumnElement[Any]:
        return sa.literal(standing, kind)

    # The free stock is looked up row by row wherever it stands here: most rows ask for it twice. The reorder point is
    # never below the safety stock.
    scarce = sa.case(
        (free <= 0, is_(Standing.OUT)),
        (free <= _safety(), is_(Standing.LOW)),
        (free + on_order <= ItemTarget.reorder_point, is_(Standing.ORDER)),
        else_=is_(Standing.FINE),
    )
    return sa.case(
        (sa.not_(wanted), sa.case((free > 0, is_(Standing.IDLE)), else_=is_(Standing.FINE))),
        (free <= ItemTarget.reorder_point, scarce),
        (free > 2 * level, is_(Standing.EXCESS)),
        else_=is_(Standing.FINE),
    )


def _stands(company_id: int, site_id: int) -> Callable[[Condition, Contains], sa.ColumnElement[bool]]:
    """Finds how items stand from sums over all of them, which is several times faster than item by item."""

    def holds(condition: Condition, _: Contains) -> sa.ColumnElement[bool]:
        return Item.id.in_(_standing_of_all(company_id, site_id, condition.values))

    return holds


def _standing_of_all(company_id: int, site_id: int, wanted: Sequence[Standing]) -> sa.Select[int]:
    pool = (
        sa.select(StockPool.item_id, sa.func.sum(StockPool.on_hand).label("on_hand"))
        .where(StockPool.site_id == site_id, StockPool.owner_id == OWN_STOCK)
        .group_by(StockPool.item_id)
        .subquery()
    )
    moves = _Moves(site_id)
    coming, leaving = moves.by_item(moves.inbound), moves.by_item(moves.leaving)
    free = sa.func.coalesce(pool.c.on_hand, 0) - sa.func.coalesce(leaving.c.quantity, 0)
    figures = (
        sa.select(
            Item.id,
            free.label("free"),
            sa.func.coalesce(coming.c.quantity, 0).label("on_order"),
        )
        .outerjoin(pool, pool.c.item_id == Item.id)
        .outerjoin(coming, coming.c.item_id == Item.id)
        .outerjoin(leaving, leaving.c.item_id == Item.id)
        .where(Item.company_id == company_id)
        .cte("figures")
        .prefix_with("MATERIALIZED")  # or the sums would be worked out wherever they stand below
    )
    newest = sa.select(sa.func.max(CycleRun.id)).where(CycleRun.site_id == site_id).scalar_subquery()
    return (
        sa.select(figures.c.id)
        .outerjoin(ItemTarget, sa.and_(ItemTarget.item_id == figures.c.id, ItemTarget.run_id == newest))
        .where(_standing(figures.c.free, figures.c.on_order).in_(wanted))
    )
