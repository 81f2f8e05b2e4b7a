"""What an item has, is owed and owes: on hand, on order, backordered, and how that develops by date.

All of it is derived from balances and planned moves, for many items at once; nothing here writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master.locations import PHYSICAL, Location, LocationKind
from scm.master.partners import OWN_STOCK
from scm.stock.balances import StockBalance, StockPool
from scm.stock.moves import MoveState, StockMove

# Goods that stand at the site and go to a shelf: on hand for the books, not yet for a promise.
INBOUND_KINDS = frozenset({LocationKind.DOCK})
SOURCES_OF_SUPPLY = frozenset({LocationKind.SUPPLIER, LocationKind.PRODUCTION, LocationKind.TRANSIT})


@dataclass(slots=True)
class Position:
    """The stock position of one item at one site, in base units. Dated lists are (date, quantity), sorted."""

    on_hand: int = 0  # promisable storage
    inbound: int = 0  # received, not yet put away
    reserved: int = 0
    supply: list[tuple[date, int]] = field(
        default_factory=list
    )  # planned moves from suppliers, and of what other sites sent
    demand: list[tuple[date, int]] = field(default_factory=list)  # planned moves out of storage
    backordered: int = 0  # of `demand`, what holds no promise

    @property
    def available(self) -> int:
        """On hand that is not reserved."""
        return self.on_hand - self.reserved

    @property
    def on_order(self) -> int:
        """What suppliers still owe."""
        return sum(quantity for _, quantity in self.supply)

    @property
    def inventory_position(self) -> int:
        """What is free or coming, less what customers wait for."""
        return self.available + self.inbound + self.on_order - self.backordered


def positions(session: Session, *, site_id: int, item_ids: Iterable[int] | None = None) -> dict[int, Position]:
    """This function will read the positions of items at a site in four queries, whatever their number."""
    wanted = None if item_ids is None else sorted(set(item_ids))
    found: dict[int, Position] = defaultdict(Position)
    for row in session.execute(_restrict(_pools(site_id), StockPool.item_id, wanted)):
        found[row.item_id].on_hand, found[row.item_id].reserved = int(row.on_hand), int(row.reserved)
    for row in session.execute(_restrict(_inbound(site_id), StockBalance.item_id, wanted)):
        found[row.item_id].inbound = int(row.quantity)
    for row in session.execute(_restrict(_planned(site_id, inward=True), StockMove.item_id, wanted)):
        found[row.item_id].supply.append((row.due_date, int(row.quantity)))
    for row in session.execute(_restrict(_planned(site_id, inward=False), StockMove.item_id, wanted)):
        found[row.item_id].demand.append((row.due_date, int(row.quantity)))
    for position in found.values():
        position.backordered = sum(quantity for _, quantity in position.demand) - position.reserved
    return dict(found)


def projected_available(position: Position, *, on: date) -> int:
    """This function will give what will be free on a date if all planned moves happen when due.

    >>> from datetime import date
    >>> two = Position(on_hand=10, supply=[(date(2026, 1, 5), 20)], demand=[(date(2026, 1, 9), 25)])
    >>> [projected_available(two, on=date(2026, 1, day)) for day in (4, 5, 9)]
    [10, 30, 5]
    """
    return (
        position.on_hand
        + position.inbound
        + sum(quantity for due, quantity in position.supply if due <= on)
        - sum(quantity for due, quantity in position.demand if due <= on)
    )


def available_to_promise(position: Position, *, on: date) -> int:
    """This function will give what can be promised for a date without breaking a promise of a later date.

    >>> from datetime import date
    >>> two = Position(on_hand=10, supply=[(date(2026, 1, 5), 20)], demand=[(date(2026, 1, 9), 25)])
    >>> [available_to_promise(two, on=date(2026, 1, day)) for day in (4, 5, 9)]
    [5, 5, 5]
    """
    turning = {on, *(due for due, _ in position.supply + position.demand if due > on)}
    return max(0, min(projected_available(position, on=day) for day in turning))


def _restrict(
    statement: sa.Select[*tuple[Any, ...]],
    column: sa.orm.InstrumentedAttribute[int],
    wanted: list[int] | None,
) -> sa.Select[*tuple[Any, ...]]:
    return statement if wanted is None else statement.where(column.in_(wanted))


def _pools(site_id: int) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            StockPool.item_id,
            sa.func.sum(StockPool.on_hand).label("on_hand"),
            sa.func.sum(StockPool.reserved).label("reserved"),
        )
        .where(StockPool.site_id == site_id, StockPool.owner_id == OWN_STOCK)
        .group_by(StockPool.item_id)
    )


def _inbound(site_id: int) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(StockBalance.item_id, sa.func.sum(StockBalance.on_hand).label("quantity"))
        .join(Location, Location.id == StockBalance.location_id)
        .where(
            Location.site_id == site_id,
            Location.kind.in_(INBOUND_KINDS & PHYSICAL),
            StockBalance.owner_id == OWN_STOCK,
            StockBalance.on_hand > 0,
        )
        .group_by(StockBalance.item_id)
    )


def _planned(site_id: int, *, inward: bool) -> sa.Select[*tuple[Any, ...]]:
    source = sa.orm.aliased(Location)
    destination = sa.orm.aliased(Location)
    condition = (
        sa.and_(destination.site_id == site_id, source.kind.in_(SOURCES_OF_SUPPLY))
        if inward
        else sa.and_(
            source.site_id == site_id,
            source.kind == LocationKind.STORAGE,
            destination.kind != LocationKind.STORAGE,
        )
    )
    return (
        sa.select(StockMove.item_id, StockMove.due_date, sa.func.sum(StockMove.quantity).label("quantity"))
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(StockMove.state == MoveState.PLANNED, StockMove.owner_id == OWN_STOCK, condition)
        .group_by(StockMove.item_id, StockMove.due_date)
        .order_by(StockMove.item_id, StockMove.due_date)
    )
