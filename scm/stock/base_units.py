"""The base unit of an item, and whether its lots are tracked, may change until its first move and never after it.

It stands here and not with the items, because only this room knows the moves.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.errors import Conflict
from scm.core.users import Actor, Role
from scm.master.items import Item, ItemUnknown
from scm.stock.moves import StockMove


class BaseUnitFrozen(Conflict):
    """The item has moved: its unit is part of its past."""


class TrackingFrozen(Conflict):
    """The item has moved: with or without lots is part of its past, or somebody has changed it meanwhile."""


def change(session: Session, *, item_id: int, base_unit_id: int, actor: Actor) -> None:
    """This function will count an item in another unit. Raises `ItemUnknown`, `BaseUnitFrozen`."""
    actor.require(Role.PLANNER, Role.ADMIN)
    item = _lock(session, Item.id == item_id, name=str(item_id))
    if _has_moved(session, item.id):
        raise BaseUnitFrozen(f"item {item.sku} has moves counted in its present unit: retire it and add another")
    item.base_unit_id = base_unit_id
    session.flush()
    audit.record(session, actor=actor, verb="item.base_unit", document_kind="item", document_ids=[item_id])


def track_lots(session: Session, *, sku: str, believed: bool, wanted: bool, company_id: int, actor: Actor) -> None:
    """This function will track an item by lot from now on, or not. Raises `ItemUnknown`, `TrackingFrozen`."""
    actor.require(Role.PLANNER, Role.ADMIN)
    item = _lock(session, sa.and_(Item.sku == sku, Item.company_id == company_id), name=sku)
    if item.lot_tracked is not believed:
        raise TrackingFrozen(f"item {sku}: somebody has changed whether its lots are tracked meanwhile: look again")
    if item.lot_tracked is wanted:
        return
    if _has_moved(session, item.id):
        raise TrackingFrozen(f"item {sku} has moved {'with' if believed else 'without'} lots: retire it, add another")
    if not wanted and item.shelf_life_days is not None:
        raise TrackingFrozen(f"item {sku} has a shelf life, so its lots are tracked: empty its shelf life first")
    item.lot_tracked = wanted
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb="item.change",
        document_kind="item",
        document_ids=[item.id],
        row=sku,
        changes={"lot_tracked": ["yes" if believed else "no", "yes" if wanted else "no"]},
    )


def _lock(session: Session, condition: sa.ColumnElement[bool], *, name: str) -> Item:
    """A full lock: planning a move of the item takes a share of this row, so neither can overtake the other."""
    item = session.scalars(
        sa.select(Item).where(condition).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if item is None:
        raise ItemUnknown(f"there is no item {name}")
    return item


def _has_moved(session: Session, item_id: int) -> bool:
    return bool(session.scalar(sa.select(sa.exists().where(StockMove.item_id == item_id))))
