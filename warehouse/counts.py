"""The cycle count as a document: what is to be counted, what was counted, and where it stands."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId
from scm.core.documents import Machine
from scm.core.errors import NotFound
from scm.master.locations import Location
from scm.stock.balances import BalanceKey

KIND = "cycle_count"


class CountState(enum.Enum):
    """A counted one waits for somebody else's approval; a closed one agrees with the books."""

    PLANNED = "planned"
    COUNTED = "counted"
    CLOSED = "closed"
    REJECTED = "rejected"


MACHINE = Machine(
    kind=KIND,
    initial=CountState.PLANNED,
    transitions={
        (CountState.PLANNED, "record"): CountState.COUNTED,
        (CountState.COUNTED, "agree"): CountState.CLOSED,  # nothing differs, so there is nothing to approve
        (CountState.COUNTED, "approve"): CountState.CLOSED,
        (CountState.COUNTED, "reject"): CountState.REJECTED,
    },
)


class CycleCount(Base):
    """One count of some places of one site."""

    __tablename__ = "cycle_count"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    number: Mapped[str] = mapped_column(sa.String(30), unique=True)
    state: Mapped[CountState] = mapped_column(types.enum_column(CountState), index=True)
    planned_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    counted_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    counted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("app_user.id"))
    recount_of_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cycle_count.id"))

    __table_args__ = (sa.Index("uq_cycle_count_recount_of_id", "recount_of_id", unique=True),)


class CycleCountTarget(Base):
    """A place to count: one item in it, or everything."""

    __tablename__ = "cycle_count_target"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    count_id: Mapped[int] = mapped_column(sa.ForeignKey("cycle_count.id"), index=True)
    location_id: Mapped[int] = mapped_column(sa.ForeignKey("location.id"))
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("item.id"))


class CycleCountLine(Base):
    """What was counted, beside what the books said at that moment."""

    __tablename__ = "cycle_count_line"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    count_id: Mapped[int] = mapped_column(sa.ForeignKey("cycle_count.id"))
    location_id: Mapped[int] = mapped_column(sa.ForeignKey("location.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lot.id"))
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"))
    expected_quantity: Mapped[int] = mapped_column(sa.BigInteger)
    counted_quantity: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.UniqueConstraint("count_id", "location_id", "item_id", "lot_id", "owner_id"),
        sa.CheckConstraint("expected_quantity >= 0 AND counted_quantity >= 0", name="quantities_not_negative"),
    )

    @property
    def key(self) -> BalanceKey:
        """The row of the goods ledger that was counted."""
        return BalanceKey(self.item_id, self.location_id, self.lot_id, self.owner_id)

    @property
    def difference(self) -> int:
        """How much more was counted than the books said."""
        return self.counted_quantity - self.expected_quantity


@dataclass(frozen=True, slots=True)
class Target:
    """A place to count; without an item, everything in it."""

    location_id: int
    item_id: int | None = None

    def covers(self, key: BalanceKey) -> bool:
        """Whether a row of the ledger is to be counted."""
        return key.location_id == self.location_id and self.item_id in (None, key.item_id)


class CountUnknown(NotFound):
    """There is no cycle count of that id."""


def lock(session: Session, count_id: int) -> CycleCount:
    """This function will lock a count and read it as it now is. Raises `CountUnknown`."""
    count = session.scalars(
        sa.select(CycleCount)
        .where(CycleCount.id == count_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if count is None:
        raise CountUnknown(f"there is no cycle count {count_id}")
    return count


def targets_of(session: Session, count_id: int) -> list[Target]:
    """This function will read what is to be counted."""
    rows = session.execute(
        sa.select(CycleCountTarget.location_id, CycleCountTarget.item_id)
        .where(CycleCountTarget.count_id == count_id)
        .order_by(CycleCountTarget.id)
    )
    return [Target(*row) for row in rows]


def lines_of(session: Session, count_id: int) -> list[CycleCountLine]:
    """This function will read what was counted."""
    rows = session.scalars(
        sa.select(CycleCountLine).where(CycleCountLine.count_id == count_id).order_by(CycleCountLine.id)
    )
    return list(rows)


def doubtful(session: Session, *, site_id: int) -> frozenset[tuple[int, int]]:
    """This function will name the (item, location) pairs of single items whose count is still open.

    A picker did not find there what the books say; until it is counted and approved, nobody is sent there again.
    """
    rows = session.execute(_open().where(CycleCount.site_id == site_id, CycleCountTarget.item_id.is_not(None)))
    return frozenset((row.item_id, row.location_id) for row in rows)


def without_open_count(session: Session, targets: Iterable[Target]) -> list[Target]:
    """This function will give those targets that no open count covers already."""
    wanted: Sequence[Target] = list(dict.fromkeys(targets))
    rows = session.execute(_open().where(CycleCountTarget.location_id.in_({t.location_id for t in wanted})))
    covered = {Target(row.location_id, row.item_id) for row in rows}
    return [t for t in wanted if t not in covered and Target(t.location_id) not in covered]


def codes(session: Session, location_ids: Iterable[int]) -> dict[int, str]:
    """This function will give the codes of locations, for messages."""
    rows = session.execute(sa.select(Location.id, Location.code).where(Location.id.in_(set(location_ids))))
    return {row.id: row.code for row in rows}


def _open() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(CycleCountTarget.item_id, CycleCountTarget.location_id)
        .join(CycleCount, CycleCount.id == CycleCountTarget.count_id)
        .where(CycleCount.state.in_([CountState.PLANNED, CountState.COUNTED]))
    )
