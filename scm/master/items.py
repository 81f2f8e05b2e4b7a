"""Items, their base unit, their packs and their categories."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, bulk, language, types
from scm.core.db import Base, table_of
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.master import gtin

# Asked when a statement runs, because some are written down before anybody reads.
_READS_ENGLISH: sa.BindParameter[bool] = sa.bindparam(
    "reads_english", callable_=language.is_english, type_=sa.Boolean()
)


class ItemStatus(enum.Enum):
    """What may still happen with an item."""

    ACTIVE = "active"
    PHASE_OUT = "phase_out"  # sold while stock lasts, never bought again
    RETIRED = "retired"


class BaseUnit(Base):
    """The smallest amount of something that is ever moved: piece, gram, millilitre, square centimetre."""

    __tablename__ = "base_unit"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(12), unique=True)
    name: Mapped[str] = mapped_column(sa.String(60))


class ItemCategory(Base):
    """A family of items that share a season."""

    __tablename__ = "item_category"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    code: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(120))

    __table_args__ = (sa.UniqueConstraint("company_id", "code"),)


class Item(Base):
    """Something bought, stored and sold, known by its SKU. Retired, never deleted."""

    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    sku: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(200))  # in the language of the company
    english_name: Mapped[str | None] = mapped_column(sa.String(200))
    gtin: Mapped[str | None] = mapped_column(sa.String(14), unique=True)
    base_unit_id: Mapped[int] = mapped_column(sa.ForeignKey("base_unit.id"))
    category_id: Mapped[int | None] = mapped_column(sa.ForeignKey("item_category.id"), index=True)
    status: Mapped[ItemStatus] = mapped_column(types.enum_column(ItemStatus), default=ItemStatus.ACTIVE)
    sale_price: Mapped[Decimal | None] = mapped_column(types.UnitPrice)
    opening_unit_cost: Mapped[Decimal | None] = mapped_column(types.UnitPrice)
    lot_tracked: Mapped[bool] = mapped_column(default=False)
    shelf_life_days: Mapped[int | None]
    assumed: Mapped[list[Any]] = mapped_column(types.Json, default=list)  # names of the columns that were assumed

    __table_args__ = (
        sa.UniqueConstraint("company_id", "sku"),
        sa.CheckConstraint("shelf_life_days IS NULL OR shelf_life_days > 0", name="shelf_life_is_positive"),
    )

    @hybrid_property
    def shown_name(self) -> str:
        """The name in the reader's language: English for who reads English, where there is one."""
        return self.english_name or self.name if language.is_english() else self.name

    @shown_name.inplace.expression
    @classmethod
    def _shown_name(cls) -> sa.ColumnElement[str]:
        return sa.case((_READS_ENGLISH, sa.func.coalesce(cls.english_name, cls.name)), else_=cls.name)


class ItemPack(Base):
    """A pack of an item and how many base units it holds, exactly."""

    __tablename__ = "item_pack"

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    code: Mapped[str] = mapped_column(sa.String(20))
    base_units: Mapped[int] = mapped_column(sa.BigInteger)
    gtin: Mapped[str | None] = mapped_column(sa.String(14), unique=True)

    __table_args__ = (
        sa.UniqueConstraint("item_id", "code"),
        sa.CheckConstraint("base_units > 0", name="holds_something"),
    )


CHUNK = 5000
# What words are looked for in: an item is found by its name in either language.
SEARCHED = (Item.sku, Item.name, sa.func.coalesce(Item.english_name, ""))


@dataclass(frozen=True, kw_only=True)
class ItemRequest:
    """An item somebody wants to add."""

    sku: str
    name: str
    base_unit_id: int
    english_name: str | None = None
    gtin: str | None = None
    category_id: int | None = None
    status: ItemStatus = ItemStatus.ACTIVE
    sale_price: Decimal | None = None
    opening_unit_cost: Decimal | None = None
    lot_tracked: bool = False
    shelf_life_days: int | None = None
    assumed: tuple[str, ...] = ()


class BadItem(InvalidInput):
    """An item cannot be added like this."""


class ItemExists(Conflict):
    """The SKU or the GTIN of an item is taken."""


class ItemUnknown(NotFound):
    """There is no item of that id or SKU."""


def create(session: Session, requests: Sequence[ItemRequest], *, company_id: int, actor: Actor) -> list[int]:
    """This function will add items and return their ids in order.

    Raises `BadItem`, `ItemExists`, and `BadGtin` for a GTIN whose check digit is wrong.
    """
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    for request in requests:
        check(request)
    _refuse_taken(session, requests, company_id=company_id)
    rows = [vars(request) | {"company_id": company_id, "assumed": sorted(request.assumed)} for request in requests]
    ids = bulk.insert_rows(session, table_of(Item), rows)
    audit.record(session, actor=actor, verb="item.create", document_kind="item", document_ids=ids)
    return ids


def retire(session: Session, item_ids: Sequence[int], *, actor: Actor) -> None:
    """This function will retire items: they stay, with their past, and nothing new happens to them.

    Raises `ItemUnknown`.
    """
    actor.require(Role.PLANNER, Role.ADMIN, Role.SYSTEM)
    known = skus(session, item_ids)
    for chunk in _chunks(sorted(known)):
        session.execute(sa.update(Item).where(Item.id.in_(chunk)).values(status=ItemStatus.RETIRED))
    audit.record(session, actor=actor, verb="item.retire", document_kind="item", document_ids=sorted(known))


def skus(session: Session, item_ids: Iterable[int]) -> dict[int, str]:
    """This function will give the SKUs of items. Raises `ItemUnknown`."""
    wanted = sorted(set(item_ids))
    found: dict[int, str] = {}
    for chunk in _chunks(wanted):
        found.update(
            (row.id, row.sku) for row in session.execute(sa.select(Item.id, Item.sku).where(Item.id.in_(chunk)))
        )
    for item_id in wanted:
        if item_id not in found:
            raise ItemUnknown(f"there is no item {item_id}")
    return found


def ids_by_sku(session: Session, wanted: Iterable[str], *, company_id: int) -> dict[str, int]:
    """This function will find items by SKU; SKUs no item has are missing from the answer."""
    found: dict[str, int] = {}
    for chunk in _chunks(sorted(set(wanted))):
        rows = session.execute(sa.select(Item.sku, Item.id).where(Item.company_id == company_id, Item.sku.in_(chunk)))
        found.update((row.sku, row.id) for row in rows)
    return found


def id_of(session: Session, sku: str, *, company_id: int) -> int:
    """This function will find one item by its SKU. Raises `ItemUnknown`."""
    found = ids_by_sku(session, [sku], company_id=company_id).get(sku)
    if found is None:
        raise ItemUnknown(f"there is no item {sku[:40]!r}: check the SKU")
    return found


def check(request: ItemRequest) -> None:
    """This function will refuse an item whose own figures are wrong. Raises `BadItem`, `BadGtin`."""
    line = f"item {request.sku!r}"
    if not request.sku.strip() or len(request.sku) > 40:
        raise BadItem(f"{line}: the SKU needs 1 to 40 characters")
    if not request.name.strip() or len(request.name) > 200:
        raise BadItem(f"{line}: the name needs 1 to 200 characters")
    if request.english_name is not None and (not request.english_name.strip() or len(request.english_name) > 200):
        raise BadItem(f"{line}: the English name needs 1 to 200 characters, or leave it out")
    for name, price in (("sale_price", request.sale_price), ("opening_unit_cost", request.opening_unit_cost)):
        if price is not None and price < 0:
            raise BadItem(f"{line}: {name} is {price}: it cannot be below 0")
    if request.shelf_life_days is not None and request.shelf_life_days < 1:
        raise BadItem(f"{line}: shelf_life_days is {request.shelf_life_days}: it must be at least 1")
    if request.shelf_life_days is not None and not request.lot_tracked:
        raise BadItem(f"{line}: it has a shelf life, so its lots must be tracked")
    if request.gtin is not None:
        gtin.check(request.gtin)


def _refuse_taken(session: Session, requests: Sequence[ItemRequest], *, company_id: int) -> None:
    wanted = [request.sku for request in requests]
    taken = set(ids_by_sku(session, wanted, company_id=company_id)) | _twice(wanted)
    if taken:
        raise ItemExists(f"the SKU {min(taken)} is taken: choose another")
    numbers = [request.gtin for request in requests if request.gtin is not None]
    used = _twice(numbers)
    for chunk in _chunks(sorted(set(numbers))):
        used.update(g for g in session.scalars(sa.select(Item.gtin).where(Item.gtin.in_(chunk))) if g is not None)
    if used:
        raise ItemExists(f"the GTIN {min(used)} belongs to another item: check the label")


def _twice(values: Iterable[str]) -> set[str]:
    return {value for value, times in Counter(values).items() if times > 1}


def _chunks(values: Sequence[Any]) -> list[Sequence[Any]]:
    return [values[start : start + CHUNK] for start in range(0, len(values), CHUNK)]
