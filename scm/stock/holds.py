"""Holds: a row on a lot that keeps its goods from being promised, whatever place they are in.

Inspection, recall and expiry place them. Physical separation is a location, not a hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.db import table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor
from scm.master import locations
from scm.stock import allocation, balances, lots, pools, posting, reservations
from scm.stock.balances import BalanceKey, PoolKey, StockBalance
from scm.stock.lots import NO_LOT, Hold, HoldReason, Lot, held_lots
from scm.stock.moves import GENERAL_POOL


class NothingToHold(InvalidInput):
    """Goods without a lot cannot be held: move them to quarantine instead."""


class NotHeld(Conflict):
    """The lot has no open hold of that reason."""


def place(
    session: Session, *, lot_ids: list[int], reason: HoldReason, actor: Actor, now: datetime
) -> list[reservations.Unreserved]:
    """This function will hold lots; promises that can no longer be kept are given back, newest first, and returned.

    Raises `NothingToHold` and `LotUnknown`.
    """
    wanted = sorted(set(lot_ids))
    if NO_LOT in wanted:
        raise NothingToHold("goods without a lot cannot be held: move them to quarantine instead")
    allocation.lock_picks(session, _stored(session, wanted))
    lots.lock(session, wanted, to_hold=True)
    lost = _change_pools(session, sorted(set(wanted) - held_lots(session, wanted)), sign=-1, now=now)
    rows = [{"lot_id": lot_id, "reason": reason, "placed_at": now} for lot_id in wanted]
    if rows:
        session.execute(sa.insert(table_of(Hold)), rows)
    _audit(session, actor, "hold.place", wanted, reason)
    return lost


def release(session: Session, *, lot_ids: list[int], reason: HoldReason, actor: Actor, now: datetime) -> None:
    """This function will release the open holds of a reason; the goods can be promised again. Raises `NotHeld`."""
    wanted = sorted(set(lot_ids))
    lots.lock(session, wanted, to_hold=True)
    these = (Hold.lot_id.in_(wanted), Hold.reason == reason, Hold.released_at.is_(None))
    absent = sorted(set(wanted) - set(session.scalars(sa.select(Hold.lot_id).where(*these))))
    if absent:
        raise NotHeld(f"lot {absent[0]} has no open hold for {reason.value}")
    session.execute(sa.update(table_of(Hold)).where(*these).values(released_at=now))
    _change_pools(session, sorted(set(wanted) - held_lots(session, wanted)), sign=1, now=now)
    _audit(session, actor, "hold.release", wanted, reason)


def hold_expired(session: Session, *, today: date, actor: Actor, now: datetime) -> list[int]:
    """This function will hold every lot in stock whose expiry has passed, and return their ids."""
    expired = session.scalars(
        sa.select(Lot.id)
        .where(
            Lot.expiry_date < today,
            sa.exists().where(StockBalance.lot_id == Lot.id, StockBalance.on_hand > 0),
            ~sa.exists().where(Hold.lot_id == Lot.id, Hold.reason == HoldReason.EXPIRED, Hold.released_at.is_(None)),
        )
        .order_by(Lot.id)
    ).all()
    if expired:
        place(session, lot_ids=list(expired), reason=HoldReason.EXPIRED, actor=actor, now=now)
    return list(expired)


def _change_pools(
    session: Session, lot_ids: Sequence[int], *, sign: int, now: datetime
) -> list[reservations.Unreserved]:
    """Take the storage of these lots out of the pools, or put it back.

    The lots are locked, so no posting brings them to a new place; how much is there is read after the rows are locked.
    """
    stored = _stored(session, lot_ids)
    where = locations.places(session, {key.location_id for key in stored})
    pool_of = {key: _general_pool(key, where[key.location_id]) for key in stored}
    also = pools.siblings(session, pool_of.values()) if sign < 0 else []
    locked = balances.lock(session, pools=[*pool_of.values(), *also], balances=stored)
    for key, pool in pool_of.items():
        locked.pools[pool].there += sign * locked.balances[key].there
    if sign < 0:
        allocation.take_back(session, locked, leave=dict.fromkeys(stored, 0))
    touched = [*pool_of.values(), *pools.cover(session, locked, pool_of.values(), now=now)]
    lost = reservations.give_back_shortfalls(session, locked, touched)
    posting.write_stock(session, locked, pools=touched, balances=stored)
    return lost


def _stored(session: Session, lot_ids: Sequence[int]) -> list[BalanceKey]:
    """Where in storage the lots are, or were."""
    rows = session.execute(
        sa.select(StockBalance.item_id, StockBalance.location_id, StockBalance.lot_id, StockBalance.owner_id).where(
            StockBalance.lot_id.in_(lot_ids)
        )
    )
    keys = [BalanceKey(*row) for row in rows]
    where = locations.places(session, {key.location_id for key in keys})
    return [key for key in keys if where[key.location_id].promisable]


def _general_pool(key: BalanceKey, place: locations.Place) -> PoolKey:
    assert place.site_id is not None, f"storage {place.code} belongs to no site"
    return PoolKey(key.item_id, place.site_id, key.owner_id, GENERAL_POOL)


def _audit(session: Session, actor: Actor, verb: str, lot_ids: list[int], reason: HoldReason) -> None:
    audit.record(session, actor=actor, verb=verb, document_kind="lot", document_ids=lot_ids, reason=reason.value)
