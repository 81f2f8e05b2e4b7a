"""The item as somebody who holds it in the hand knows it: its name, its unit, and every code it may be scanned by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master import gtin
from scm.master.items import BaseUnit, Item, ItemPack, ItemUnknown

CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Card:
    """One item. `codes` says how many base units one scan of a code stands for; GTINs are written with 14 digits."""

    item_id: int
    sku: str
    name: str
    unit: str
    lot_tracked: bool
    shelf_life_days: int | None
    codes: Mapping[str, int] = field(default_factory=dict)


def cards(session: Session, item_ids: Iterable[int]) -> dict[int, Card]:
    """This function will read items with their codes, in two queries for each few thousand. Raises `ItemUnknown`."""
    wanted = sorted(set(item_ids))
    found: dict[int, Card] = {}
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        found.update(_read(session, chunk))
    for item_id in wanted:
        if item_id not in found:
            raise ItemUnknown(f"there is no item {item_id}")
    return found


def _read(session: Session, item_ids: list[int]) -> dict[int, Card]:
    packs: dict[int, dict[str, int]] = {}
    for pack in session.execute(
        sa.select(ItemPack.item_id, ItemPack.gtin, ItemPack.base_units).where(
            ItemPack.item_id.in_(item_ids), ItemPack.gtin.is_not(None)
        )
    ):
        packs.setdefault(pack.item_id, {})[_code(pack.gtin)] = pack.base_units
    rows = session.execute(
        sa.select(
            Item.id,
            Item.sku,
            Item.shown_name.label("name"),
            BaseUnit.code,
            Item.lot_tracked,
            Item.shelf_life_days,
            Item.gtin,
        )
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .where(Item.id.in_(item_ids))
    )
    found = {}
    for row in rows:
        own = {row.sku.upper(): 1} | ({} if row.gtin is None else {_code(row.gtin): 1})
        found[row.id] = Card(*row[:6], packs.get(row.id, {}) | own)
    return found


def _code(written: str) -> str:
    return gtin.normal(written) or written
