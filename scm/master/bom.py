"""Bills of materials: what an item is made of at a site, revision by revision, and the dates each one is valid.

A line says how many base units of a component go into `output_quantity` base units of the parent, as two whole
numbers, so that no ratio is ever rounded before it is needed.
"""

from __future__ import annotations

import enum
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scm.core import types
from scm.core.db import Base
from scm.core.documents import Machine

KIND = "bom"


class BomKind(enum.Enum):
    """What happens with the parent of a bill."""

    MAKE = "make"  # a work order makes it here
    SUBCONTRACT = "subcontract"  # a partner makes it of components that are sent there
    PHANTOM = "phantom"  # it is never ordered: its components stand in its place
    KIT = "kit"  # it is sold as one and picked as its components


class BomState(enum.Enum):
    """Where a revision stands. Only an approved one is used, on the dates it is valid."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETIRED = "retired"


MACHINE = Machine(
    kind=KIND,
    initial=BomState.DRAFT,
    transitions={
        (BomState.DRAFT, "edit"): BomState.DRAFT,
        (BomState.DRAFT, "submit"): BomState.SUBMITTED,
        (BomState.DRAFT, "retire"): BomState.RETIRED,
        (BomState.SUBMITTED, "edit"): BomState.DRAFT,
        (BomState.SUBMITTED, "withdraw"): BomState.DRAFT,
        (BomState.SUBMITTED, "reject"): BomState.DRAFT,
        (BomState.SUBMITTED, "approve"): BomState.APPROVED,
        (BomState.APPROVED, "retire"): BomState.RETIRED,
    },
)


class Bom(Base):
    """One revision of what an item is made of at a site. `valid_until` is the last day it is valid."""

    __tablename__ = "bom"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    revision: Mapped[int]
    kind: Mapped[BomKind] = mapped_column(types.enum_column(BomKind))
    state: Mapped[BomState] = mapped_column(types.enum_column(BomState), default=BomState.DRAFT)
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    output_quantity: Mapped[int] = mapped_column(sa.BigInteger)
    yield_rate: Mapped[Decimal] = mapped_column(types.Rate)  # the good share of what is started
    partner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("partner.id"))  # the subcontractor
    lead_time_days: Mapped[int]
    minimum_order_quantity: Mapped[int] = mapped_column(sa.BigInteger)
    order_multiple: Mapped[int] = mapped_column(sa.BigInteger)
    cover_limit_days: Mapped[int | None]  # more than so many days of demand is never made

    __table_args__ = (
        sa.UniqueConstraint("item_id", "site_id", "revision"),
        sa.Index(None, "company_id", "state"),
        sa.CheckConstraint("revision >= 1", name="revisions_count_from_one"),
        sa.CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="ends_after_it_begins"),
        sa.CheckConstraint("output_quantity >= 1", name="makes_something"),
        sa.CheckConstraint("yield_rate > 0 AND yield_rate <= 1000000000", name="yield_is_a_share"),
        sa.CheckConstraint("(kind = 'subcontract') = (partner_id IS NOT NULL)", name="subcontractor_is_named"),
        sa.CheckConstraint("lead_time_days >= 0", name="lead_time_not_negative"),
        sa.CheckConstraint("minimum_order_quantity >= 0 AND order_multiple >= 1", name="lots_are_whole"),
        sa.CheckConstraint("cover_limit_days IS NULL OR cover_limit_days >= 1", name="cover_limit_is_positive"),
    )


class BomLine(Base):
    """A component: so many base units go into `output_quantity` of the parent, and some are lost on the way."""

    __tablename__ = "bom_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    bom_id: Mapped[int] = mapped_column(sa.ForeignKey("bom.id"))
    line_number: Mapped[int]
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    scrap_rate: Mapped[Decimal] = mapped_column(types.Rate)  # of 100 that are used, so many more are taken

    __table_args__ = (
        sa.UniqueConstraint("bom_id", "line_number"),
        sa.UniqueConstraint("bom_id", "item_id"),
        sa.CheckConstraint("line_number >= 1", name="lines_count_from_one"),
        sa.CheckConstraint("quantity >= 1", name="uses_something"),
        sa.CheckConstraint("scrap_rate >= 0 AND scrap_rate <= 1000000000", name="scrap_is_a_share"),
    )


class BomSubstitute(Base):
    """What may stand in for a component; the lowest `priority` number is taken first.

    `quantity` is for the same `output_quantity` as that of the line it replaces.
    """

    __tablename__ = "bom_substitute"

    id: Mapped[int] = mapped_column(primary_key=True)
    bom_line_id: Mapped[int] = mapped_column(sa.ForeignKey("bom_line.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    priority: Mapped[int]
    quantity: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.UniqueConstraint("bom_line_id", "item_id"),
        sa.UniqueConstraint("bom_line_id", "priority"),
        sa.CheckConstraint("priority >= 1", name="priorities_count_from_one"),
        sa.CheckConstraint("quantity >= 1", name="uses_something"),
    )


def number(sku: str, site: str, revision: int) -> str:
    """This function will give what a revision is called.

    >>> number("TABLE", "MAIN", 2)
    'BOM TABLE@MAIN r2'
    """
    return f"BOM {sku}@{site} r{revision}"
