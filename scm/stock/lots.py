"""Lots and serial numbers, and which of them are held.

A serial number is a lot of one; goods without a lot carry the "none" row. Holds are placed and released in
`scm.stock.holds`; here is their table, because every reservation and allocation reads it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId, dialect_insert, table_of
from scm.core.errors import Conflict, NotFound

CHUNK = 400  # pairs in one statement
NO_LOT = 1  # the lot row meaning: no lot; NULL would defeat the ledger's unique key


class Lot(Base):
    """A batch of one item that shares origin and expiry."""

    __tablename__ = "lot"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("item.id"))
    code: Mapped[str] = mapped_column(sa.String(60))
    expiry_date: Mapped[date | None]
    is_serial: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        sa.UniqueConstraint("item_id", "code"),
        sa.CheckConstraint("item_id IS NOT NULL OR id = 1", name="only_none_has_no_item"),
    )


class HoldReason(enum.Enum):
    """Why a lot may not be promised."""

    INSPECTION = "inspection"
    RECALL = "recall"
    EXPIRED = "expired"
    CUSTOMER_RETURN = "customer_return"


class Hold(Base):
    """One hold on one lot, until it is released."""

    __tablename__ = "hold"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lot.id"), index=True)
    reason: Mapped[HoldReason] = mapped_column(types.enum_column(HoldReason))
    placed_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    released_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)


class LotDiffers(Conflict):
    """A lot of that code exists with another expiry date."""


class LotUnknown(NotFound):
    """There is no such lot."""


def find_or_create(
    session: Session, *, item_id: int, code: str, expiry_date: date | None = None, is_serial: bool = False
) -> int:
    """This function will give the id of an item's lot, creating it. Raises `LotDiffers` on another expiry."""
    # Two docks may meet the same new lot at once: the one that comes second finds the row of the first.
    session.execute(
        dialect_insert(session, table_of(Lot))
        .values(item_id=item_id, code=code, expiry_date=expiry_date, is_serial=is_serial)
        .on_conflict_do_nothing()
    )
    lot = session.execute(sa.select(Lot.id, Lot.expiry_date).where(Lot.item_id == item_id, Lot.code == code)).one()
    if expiry_date is not None and lot.expiry_date != expiry_date:
        raise LotDiffers(f"lot {code} expires on {lot.expiry_date}, not on {expiry_date}: check the label")
    return int(lot.id)


@dataclass(frozen=True, kw_only=True)
class LotLabel:
    """What stands on a lot's label."""

    item_id: int
    code: str
    expiry_date: date | None = None


def find_or_create_all(session: Session, labels: Iterable[LotLabel]) -> dict[tuple[int, str], int]:
    """This function will give the ids of many lots by (item, code), creating those that are new.

    Raises `LotDiffers` when a lot, known or named twice, would have two expiry dates.
    """
    wanted: dict[tuple[int, str], LotLabel] = {}
    for label in labels:
        known = wanted.setdefault((label.item_id, label.code), label)
        if known.expiry_date != label.expiry_date:
            raise LotDiffers(f"lot {label.code} is named with two expiry dates: check the label")
    if not wanted:
        return {}
    rows = [vars(label) | {"is_serial": False} for label in wanted.values()]
    table = table_of(Lot)
    session.execute(
        dialect_insert(session, table).on_conflict_do_nothing(index_elements=["item_id", "code"]),
        sorted(rows, key=lambda row: (row["item_id"], row["code"])),
    )
    found = {}
    keys = list(wanted)
    for start in range(0, len(keys), CHUNK):
        statement = sa.select(table).where(sa.tuple_(table.c.item_id, table.c.code).in_(keys[start : start + CHUNK]))
        for row in session.execute(statement):
            label = wanted[row.item_id, row.code]
            if label.expiry_date is not None and row.expiry_date != label.expiry_date:
                raise LotDiffers(
                    f"lot {row.code} expires on {row.expiry_date}, not on {label.expiry_date}: check the label"
                )
            found[row.item_id, row.code] = row.id
    return found


def held_lots(session: Session, lot_ids: Iterable[int]) -> frozenset[int]:
    """This function will tell which of the lots have an open hold."""
    wanted = sorted(set(lot_ids))
    if not wanted:
        return frozenset()
    rows = session.scalars(sa.select(Hold.lot_id).where(Hold.lot_id.in_(wanted), Hold.released_at.is_(None)))
    return frozenset(rows)


def lock(session: Session, lot_ids: Iterable[int], *, to_hold: bool) -> None:
    """This function will keep lots from being held or released (`to_hold=False`), or also moved, until the commit.

    Between moves and stock rows in the order of locks: goods of a lot that is being held would otherwise be counted
    as promisable by a posting that read the holds a moment before. Raises `LotUnknown`.
    """
    wanted = sorted(set(lot_ids) - {NO_LOT})
    if not wanted:
        return
    statement = sa.select(Lot.id).where(Lot.id.in_(wanted)).order_by(Lot.id)
    found = session.scalars(
        statement.with_for_update(key_share=True) if to_hold else statement.with_for_update(read=True)
    )
    absent = sorted(set(wanted) - set(found))
    if absent:
        raise LotUnknown(f"there is no lot {absent[0]}")
