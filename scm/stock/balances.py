"""What is where, and what is promised: the two tables that are written only together with moves.

`StockBalance` counts each physical location, lot and owner; `StockPool` counts what a site can promise from its
storage. Both are read under a lock that is taken once per transaction, in one order, by `lock`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core.db import Base, dialect_insert, table_of

_LOCKED = "stock_lock"
CHUNK = 400  # keys in one statement, well under the drivers' limits on parameters


class StockBalance(Base):
    """On hand of one item, location, lot and owner; `allocated` of it is set aside for picks of released waves."""

    __tablename__ = "stock_balance"

    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), primary_key=True)
    location_id: Mapped[int] = mapped_column(sa.ForeignKey("location.id"), primary_key=True, index=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lot.id"), primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(sa.BigInteger)
    allocated: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.CheckConstraint("on_hand >= 0", name="on_hand_not_negative"),
        sa.CheckConstraint("allocated >= 0 AND allocated <= on_hand", name="allocated_is_there"),
    )


class StockPool(Base):
    """What a site can promise of an item: the unheld stock of its storage, and how much of it is reserved."""

    __tablename__ = "stock_pool"

    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), primary_key=True)
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"), primary_key=True)
    pool: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    on_hand: Mapped[int] = mapped_column(sa.BigInteger)
    reserved: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.CheckConstraint("on_hand >= 0", name="on_hand_not_negative"),
        sa.CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="reserved_is_there"),
    )


class BalanceKey(NamedTuple):
    """The full key of the goods ledger."""

    item_id: int
    location_id: int
    lot_id: int
    owner_id: int


class PoolKey(NamedTuple):
    """What a reservation is promised against."""

    item_id: int
    site_id: int
    owner_id: int
    pool: str


@dataclass(slots=True)
class Counted:
    """A locked row: how much is there, and how much of it is spoken for (reserved or allocated)."""

    there: int
    taken: int

    @property
    def free(self) -> int:
        """How much is not spoken for."""
        return self.there - self.taken


@dataclass
class LockedStock:
    """The stock rows this transaction holds, with their figures as they stand in it."""

    balances: dict[BalanceKey, Counted] = field(default_factory=dict)
    pools: dict[PoolKey, Counted] = field(default_factory=dict)

    @contextlib.contextmanager
    def unchanged_by_refusal(self) -> Iterator[None]:
        """Put the figures back when the block raises, so that a caller who goes on counts what is there."""
        before = [
            (counted, counted.there, counted.taken) for counted in (*self.balances.values(), *self.pools.values())
        ]
        try:
            yield
        except BaseException:
            for counted, there, taken in before:
                counted.there, counted.taken = there, taken
            raise


Key = tuple[Any, ...]
StockTable = type[StockPool] | type[StockBalance]


class SecondStockLock(RuntimeError):
    """A transaction tried to lock more stock rows after its first lock: two such transactions can deadlock."""


def lock(session: Session, *, pools: Iterable[PoolKey] = (), balances: Iterable[BalanceKey] = ()) -> LockedStock:
    """This function will lock stock rows, pools before balances and each sorted, and then read them.

    Missing rows are created with zero. A transaction may call it once; a later call is answered from the first
    when it asks for nothing new, and raises `SecondStockLock` otherwise.
    """
    pool_keys, balance_keys = sorted(set(pools)), sorted(set(balances))
    held: LockedStock | None = session.info.get(_LOCKED)
    if held is not None:
        new = [k for k in pool_keys if k not in held.pools] + [k for k in balance_keys if k not in held.balances]
        if new:
            raise SecondStockLock(f"this transaction already locked its stock rows and now asks for {new[0]}")
        return held
    held = LockedStock()
    if not pool_keys and not balance_keys:
        return held
    for key, there, taken in _lock_rows(session, StockPool, pool_keys):
        held.pools[PoolKey(*key)] = Counted(there, taken)
    for key, there, taken in _lock_rows(session, StockBalance, balance_keys):
        held.balances[BalanceKey(*key)] = Counted(there, taken)
    session.info[_LOCKED] = held
    return held


def held(session: Session) -> LockedStock | None:
    """This function will give the rows this transaction has locked, or None."""
    return session.info.get(_LOCKED)


def _lock_rows(
    session: Session,
    table: StockTable,
    keys: Sequence[Key],
) -> list[tuple[Key, int, int]]:
    rows: list[tuple[Key, int, int]] = []
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        found = _select_for_update(session, table, chunk)
        missing = [key for key in chunk if tuple(key) not in found]
        if missing:
            _create(session, table, missing)
            found.update(_select_for_update(session, table, missing))
        rows.extend((key, *found[tuple(key)]) for key in chunk)
    return rows


def _columns(table: StockTable) -> tuple[list[sa.Column[Any]], sa.Column[Any], sa.Column[Any]]:
    mapped = table_of(table)
    taken = mapped.c["reserved"] if table is StockPool else mapped.c["allocated"]
    return list(mapped.primary_key.columns), mapped.c["on_hand"], taken


def _select_for_update(
    session: Session,
    table: StockTable,
    keys: Sequence[Key],
) -> dict[Key, tuple[int, int]]:
    primary, there, taken = _columns(table)
    statement = (
        sa.select(*primary, there, taken)
        .where(sa.tuple_(*primary).in_([tuple(key) for key in keys]))
        .order_by(*primary)
        .with_for_update()
    )
    return {tuple(row[:-2]): (int(row[-2]), int(row[-1])) for row in session.execute(statement)}


def _create(
    session: Session,
    table: StockTable,
    keys: Sequence[Key],
) -> None:
    primary, there, taken = _columns(table)
    rows = [
        {column.name: value for column, value in zip(primary, key, strict=True)} | {there.name: 0, taken.name: 0}
        for key in keys
    ]
    session.execute(dialect_insert(session, table_of(table)).on_conflict_do_nothing(), rows)


@event.listens_for(Session, "after_rollback")
def _forget_lock(session: Session) -> None:
    session.info.pop(_LOCKED, None)
