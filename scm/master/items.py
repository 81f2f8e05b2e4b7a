"""Items, their base unit, their packs and their categories."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scm.core import types
from scm.core.db import Base


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
    name: Mapped[str] = mapped_column(sa.String(200))
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
