"""Pools: how much of a site's storage is set aside for some orders, and what passes from one pool to another.

Goods in storage belong to the general pool. A pool of its own holds a quantity for whoever promises from it, a channel
for instance: nobody else can promise it. It names no bin and no lot. When goods are lost or held and the general pool
cannot bear it, what was set aside gives way. Every passing is a row, so that the pools are proved from moves and rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master import items
from scm.master.partners import OWN_STOCK
from scm.stock import balances, posting
from scm.stock.balances import LockedStock, PoolKey, StockPool
from scm.stock.moves import GENERAL_POOL

GAVE_WAY = "goods were lost or held"
HELD = "a held lot came back"


class PoolTransfer(Base):
    """So many units of an item passed from one pool of a site to another. Append-only; a trigger refuses changes."""

    __tablename__ = "pool_transfer"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("owner.id"))
    source_pool: Mapped[str] = mapped_column(sa.String(20))
    destination_pool: Mapped[str] = mapped_column(sa.String(20))
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    reason: Mapped[str] = mapped_column(sa.String(200))
    transferred_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="transfers_something"),
        sa.CheckConstraint("source_pool <> destination_pool", name="goes_somewhere"),
        sa.Index(None, "item_id", "site_id"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolRequest:
    """So many units of an item that are to pass to another pool."""

    item_id: int
    quantity: int


class BadTransfer(InvalidInput):
    """A quantity is no whole number above zero, an item is named twice, or the pools are the same."""


class NotFree(Conflict):
    """A pool has less that is free than is to leave it."""


def transfer(
    session: Session,
    requests: Sequence[PoolRequest],
    *,
    site_id: int,
    source_pool: str,
    destination_pool: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """This function will let free goods pass from one pool of a site to another; what is promised stays.

    Raises `BadTransfer`, `NotFree`, `ItemUnknown`; nothing passes then.
    """
    actor.require(Role.SALES, Role.WAREHOUSE, Role.ADMIN, Role.SYSTEM)
    names = items.skus(session, {request.item_id for request in requests})
    _refuse_bad(requests, names, source_pool=source_pool, destination_pool=destination_pool)
    pairs = [
        (
            PoolKey(request.item_id, site_id, OWN_STOCK, source_pool),
            PoolKey(request.item_id, site_id, OWN_STOCK, destination_pool),
            request.quantity,
        )
        for request in requests
    ]
    touched = [key for pair in pairs for key in pair[:2]]
    locked = balances.lock(session, pools=touched)
    for source, _, quantity in pairs:
        if locked.pools[source].free < quantity:
            raise NotFree(
                f"{quantity} of item {names[source.item_id]} are to leave the pool {source_pool}, where "
                f"{locked.pools[source].free} are free: name at most that"
            )
    for pair in pairs:
        _pass(locked, *pair)
    _write_rows(session, pairs, reason=reason, now=now)
    posting.write_stock(session, locked, pools=touched, balances=())
    audit.record(
        session,
        actor=actor,
        verb="pool.transfer",
        document_kind="item",
        document_ids=[request.item_id for request in requests],
        source=source_pool,
        destination=destination_pool,
        quantities=[request.quantity for request in requests],
    )


def siblings(session: Session, pools: Iterable[PoolKey]) -> list[PoolKey]:
    """This function will name the pools of the same goods that hold something and may have to bear a loss."""
    wanted = {key[:3] for key in pools}
    if not wanted:
        return []
    columns = (StockPool.item_id, StockPool.site_id, StockPool.owner_id, StockPool.pool)
    found: list[PoolKey] = []
    keys = sorted(wanted)
    for start in range(0, len(keys), balances.CHUNK):
        chunk = keys[start : start + balances.CHUNK]
        statement = sa.select(*columns).where(sa.tuple_(*columns[:3]).in_(chunk), StockPool.on_hand > 0)
        found += [PoolKey(*row) for row in session.execute(statement)]
    return found


def cover(session: Session, locked: LockedStock, pools: Iterable[PoolKey], *, now: datetime) -> list[PoolKey]:
    """This function will let set-aside goods fill up pools that hold less than nothing, in memory, and name what gave.

    The caller holds the locks and writes the figures. What gave may have promised more than it still holds.
    """
    pairs: list[tuple[PoolKey, PoolKey, int]] = []
    for short in sorted(set(pools)):
        for other in sorted(key for key in locked.pools if key[:3] == short[:3] and key != short):
            given = min(-locked.pools[short].there, locked.pools[other].there)
            if given > 0:
                pairs.append((other, short, given))
                _pass(locked, *pairs[-1])
    _write_rows(session, pairs, reason=GAVE_WAY, now=now)
    return [source for source, _, _ in pairs]


def note_held(session: Session, changes: Iterable[tuple[PoolKey, int]], *, now: datetime) -> None:
    """This function will note held goods that a move brought to a pool of its own: they count in no pool, and are the
    general pool's when they are released."""
    pairs = [(key, key._replace(pool=GENERAL_POOL), quantity) for key, quantity in changes if key.pool != GENERAL_POOL]
    into = [pair for pair in pairs if pair[2] > 0]
    out_of = [(general, own, -quantity) for own, general, quantity in pairs if quantity < 0]
    _write_rows(session, into + out_of, reason=HELD, now=now)


def _pass(locked: LockedStock, source: PoolKey, destination: PoolKey, quantity: int) -> None:
    locked.pools[source].there -= quantity
    locked.pools[destination].there += quantity


def _write_rows(session: Session, pairs: Sequence[tuple[PoolKey, PoolKey, int]], *, reason: str, now: datetime) -> None:
    if not pairs:
        return
    rows = [
        {
            "item_id": source.item_id,
            "site_id": source.site_id,
            "owner_id": source.owner_id,
            "source_pool": source.pool,
            "destination_pool": destination.pool,
            "quantity": quantity,
            "reason": reason,
            "transferred_at": now,
        }
        for source, destination, quantity in pairs
    ]
    session.execute(sa.insert(table_of(PoolTransfer)), rows)


def _refuse_bad(
    requests: Sequence[PoolRequest], names: dict[int, str], *, source_pool: str, destination_pool: str
) -> None:
    if not requests or source_pool == destination_pool:
        raise BadTransfer(f"nothing passes from the pool {source_pool} to {destination_pool}: name items and two pools")
    seen: set[int] = set()
    for request in requests:
        name = names[request.item_id]
        if request.item_id in seen:
            raise BadTransfer(f"item {name} is named twice: name it once, with the sum")
        seen.add(request.item_id)
        if type(request.quantity) is not int or request.quantity <= 0:
            raise BadTransfer(f"item {name}: {request.quantity!r} units cannot pass: give a whole number above 0")
