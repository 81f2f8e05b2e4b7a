"""The base unit of an item may change until its first move; from then on every quantity is counted in it.

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


def change(session: Session, *, item_id: int, base_unit_id: int, actor: Actor) -> None:
    """This function will count an item in another unit. Raises `ItemUnknown`, `BaseUnitFrozen`."""
    actor.require(Role.PLANNER, Role.ADMIN)
    # A full lock: planning a move of the item takes a share of this row, so neither can overtake the other.
    item = session.scalars(
        sa.select(Item).where(Item.id == item_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if item is None:
        raise ItemUnknown(f"there is no item {item_id}")
    if session.scalar(sa.select(sa.exists().where(StockMove.item_id == item_id))):
        raise BaseUnitFrozen(f"item {item.sku} has moves counted in its present unit: retire it and add another")
    item.base_unit_id = base_unit_id
    session.flush()
    audit.record(session, actor=actor, verb="item.base_unit", document_kind="item", document_ids=[item_id])
