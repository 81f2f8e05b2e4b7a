"""Proves balances, pools, promises and chains of legs against the posted moves they must follow from.

It reads no balance to compute one, and writes nothing. `scm.finance.reconcile` runs the checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.finance.findings import Check, Finding
from scm.master.items import Item
from scm.master.locations import PHYSICAL, Location, LocationKind, Site
from scm.master.partners import Owner
from scm.stock.balances import StockBalance, StockPool
from scm.stock.lots import Hold, Lot
from scm.stock.moves import GENERAL_POOL, MoveState, StockMove
from scm.stock.pools import PoolTransfer
from scm.stock.reservations import Reservation

Figures = sa.Select[*tuple[Any, ...]]
NOTHING = sa.literal(0, sa.BigInteger)


def differing(*figures: Figures, keys: tuple[str, ...]) -> sa.Subquery:
    """This function will join figures labelled `expected` and `found` by their keys and keep where they differ."""
    both = sa.union_all(*figures).subquery()
    key_columns = [both.c[key] for key in keys]
    expected, found = sa.func.sum(both.c.expected), sa.func.sum(both.c.found)
    return (
        sa.select(*key_columns, expected.label("expected"), found.label("found"))
        .group_by(*key_columns)
        .having(expected != found)
        .order_by(*key_columns)
        .subquery()
    )


def on_hand(session: Session) -> Iterator[Finding]:
    """This function will prove every balance against the moves posted into and out of its place."""
    keys = ("item_id", "location_id", "lot_id", "owner_id")
    wrong = differing(
        _side(StockMove.destination_id, StockMove.quantity),
        _side(StockMove.source_id, -StockMove.quantity),
        _balances(StockBalance.on_hand),
        keys=keys,
    )
    yield from _at_balances(session, wrong, "on hand")


def set_aside(session: Session) -> Iterator[Finding]:
    """This function will prove what is set aside in each place against the planned picks out of it."""
    picks = sa.select(
        StockMove.item_id,
        StockMove.source_id.label("location_id"),
        StockMove.lot_id,
        StockMove.owner_id,
        StockMove.quantity.label("expected"),
        NOTHING.label("found"),
    ).where(StockMove.state == MoveState.PLANNED, StockMove.allocated)
    keys = ("item_id", "location_id", "lot_id", "owner_id")
    yield from _at_balances(session, differing(picks, _balances(StockBalance.allocated), keys=keys), "set aside")


def promisable(session: Session) -> Iterator[Finding]:
    """This function will prove what each site can promise against the moves through its storage, less its held lots,
    and what passed between its pools. Held lots count in no pool; they would be the general pool's.
    """
    stored = [
        _stored(StockMove.destination_id, StockMove.quantity),
        _stored(StockMove.source_id, -StockMove.quantity),
        _held(StockMove.destination_id, -StockMove.quantity),
        _held(StockMove.source_id, StockMove.quantity),
        _passed(PoolTransfer.destination_pool, PoolTransfer.quantity),
        _passed(PoolTransfer.source_pool, -PoolTransfer.quantity),
    ]
    yield from _at_pools(session, *stored, _pools(StockPool.on_hand), what="promisable")


def promised(session: Session) -> Iterator[Finding]:
    """This function will prove what each site has promised against the single promises."""
    promises = sa.select(
        Reservation.item_id,
        Reservation.site_id,
        Reservation.owner_id,
        Reservation.pool,
        Reservation.quantity.label("expected"),
        NOTHING.label("found"),
    )
    yield from _at_pools(session, promises, _pools(StockPool.reserved), what="reserved")


def promises_fit_moves(session: Session) -> Iterator[Finding]:
    """This function will prove that each promise belongs to a planned move out of that site's storage, of its size."""
    fits = sa.and_(
        StockMove.state == MoveState.PLANNED,
        Location.kind == LocationKind.STORAGE,
        Location.site_id == Reservation.site_id,
        StockMove.item_id == Reservation.item_id,
        StockMove.owner_id == Reservation.owner_id,
        StockMove.pool == Reservation.pool,
        StockMove.quantity == Reservation.quantity,
    )
    statement = (
        sa.select(
            Item.sku,
            StockMove.id,
            StockMove.document_kind,
            StockMove.document_id,
            StockMove.state,
            StockMove.quantity,
            Location.code,
            Reservation.quantity.label("promised"),
        )
        .join(StockMove, StockMove.id == Reservation.move_id)
        .join(Location, Location.id == StockMove.source_id)
        .join(Item, Item.id == Reservation.item_id)
        .where(~fits)
        .order_by(StockMove.id)
    )
    for row in session.execute(statement):
        yield Finding(
            f"promise to move {row.id} ({row.document_kind} {row.document_id}), item {row.sku}",
            f"a planned move of {row.promised} out of the site's storage",
            f"a {row.state.value} move of {row.quantity} out of {row.code}",
        )


def areas_hold_nothing(session: Session) -> Iterator[Finding]:
    """This function will prove that goods are posted to and from bins only: an area stands for the bins below it."""
    statement = (
        sa.select(Item.sku, Location.code, StockMove.id)
        .join(Item, Item.id == StockMove.item_id)
        .join(Location, Location.id.in_([StockMove.source_id, StockMove.destination_id]))
        .where(StockMove.state == MoveState.POSTED, Location.is_area)
        .order_by(StockMove.id)
    )
    for row in session.execute(statement):
        yield Finding(f"move {row.id} of item {row.sku}", "a bin", f"the area {row.code}")


def reversals_mirror(session: Session) -> Iterator[Finding]:
    """This function will prove that each reversal takes exactly what it reverses back to where it came from."""
    back, fact = aliased(StockMove), aliased(StockMove)
    mirrors = sa.and_(
        fact.state == MoveState.POSTED,
        back.state == MoveState.POSTED,
        back.item_id == fact.item_id,
        back.lot_id == fact.lot_id,
        back.owner_id == fact.owner_id,
        back.quantity == fact.quantity,
        back.source_id == fact.destination_id,
        back.destination_id == fact.source_id,
    )
    statement = (
        sa.select(back.id, fact.id.label("reverses_id"), fact.quantity.label("expected"), back.quantity.label("found"))
        .join(fact, fact.id == back.reverses_id)
        .where(~mirrors)
        .order_by(back.id)
    )
    for row in session.execute(statement):
        yield Finding(
            f"move {row.id}, which reverses move {row.reverses_id}",
            f"its mirror, {row.expected} units",
            f"another move, {row.found} units",
        )


def legs_follow(session: Session) -> Iterator[Finding]:
    """This function will prove that a leg is planned only after the leg before it was posted, and not undone."""
    leg, before, undone = aliased(StockMove), aliased(StockMove), aliased(StockMove)
    is_undone = sa.and_(leg.state == MoveState.PLANNED, sa.exists().where(undone.reverses_id == before.id))
    statement = (
        sa.select(leg.id, before.id.label("before_id"), before.state)
        .join(before, before.id == leg.previous_id)
        .where(leg.state != MoveState.CANCELLED, sa.or_(before.state != MoveState.POSTED, is_undone))
        .order_by(leg.id)
    )
    for row in session.execute(statement):
        found = "reversed" if row.state is MoveState.POSTED else row.state.value
        yield Finding(f"move {row.before_id}, after which move {row.id} is planned", "posted", found)


def legs_add_up(session: Session) -> Iterator[Finding]:
    """This function will prove that the legs after a posted move, splits included, carry on no more than it brought."""
    leg, before = aliased(StockMove), aliased(StockMove)
    carried = sa.func.sum(leg.quantity)
    statement = (
        sa.select(before.id, before.quantity, carried.label("carried"))
        .join(before, before.id == leg.previous_id)
        .where(leg.state != MoveState.CANCELLED)
        .group_by(before.id, before.quantity)
        .having(carried > before.quantity)
        .order_by(before.id)
    )
    for row in session.execute(statement):
        yield Finding(f"the legs after move {row.id}", f"at most {row.quantity}", int(row.carried))


CHECKS: tuple[Check, ...] = (
    on_hand,
    set_aside,
    promisable,
    promised,
    promises_fit_moves,
    areas_hold_nothing,
    reversals_mirror,
    legs_follow,
    legs_add_up,
)


def _side(location_id: Any, quantity: Any) -> Figures:
    """One side of every posted move, where goods are counted."""
    return (
        sa.select(
            StockMove.item_id,
            location_id.label("location_id"),
            StockMove.lot_id,
            StockMove.owner_id,
            quantity.label("expected"),
            NOTHING.label("found"),
        )
        .join(Location, Location.id == location_id)
        .where(StockMove.state == MoveState.POSTED, Location.kind.in_(PHYSICAL))
    )


def _balances(column: Any) -> Figures:
    return sa.select(
        StockBalance.item_id,
        StockBalance.location_id,
        StockBalance.lot_id,
        StockBalance.owner_id,
        NOTHING.label("expected"),
        column.label("found"),
    )


def _at_balances(session: Session, wrong: sa.Subquery, what: str) -> Iterator[Finding]:
    statement = (
        sa.select(Item.sku, Location.code, Lot.code, Owner.code, wrong.c.expected, wrong.c.found)
        .join_from(wrong, Item, Item.id == wrong.c.item_id)
        .join(Location, Location.id == wrong.c.location_id)
        .join(Lot, Lot.id == wrong.c.lot_id)
        .join(Owner, Owner.id == wrong.c.owner_id)
        .order_by(Item.sku, Location.code, Lot.code, Owner.code)
    )
    for sku, location, lot, owner, expected, found in session.execute(statement):
        yield Finding(f"{what}: item {sku}, location {location}, lot {lot}, owner {owner}", int(expected), int(found))


def _stored(location_id: Any, quantity: Any, pool: Any = StockMove.pool) -> Figures:
    return (
        sa.select(
            StockMove.item_id,
            Location.site_id,
            StockMove.owner_id,
            pool,
            quantity.label("expected"),
            NOTHING.label("found"),
        )
        .join(Location, Location.id == location_id)
        .where(StockMove.state == MoveState.POSTED, Location.kind == LocationKind.STORAGE)
    )


def _held(location_id: Any, quantity: Any) -> Figures:
    held = sa.exists().where(Hold.lot_id == StockMove.lot_id, Hold.released_at.is_(None))
    return _stored(location_id, quantity, sa.literal(GENERAL_POOL, sa.String(20)).label("pool")).where(held)


def _passed(pool: Any, quantity: Any) -> Figures:
    return sa.select(
        PoolTransfer.item_id,
        PoolTransfer.site_id,
        PoolTransfer.owner_id,
        pool.label("pool"),
        quantity.label("expected"),
        NOTHING.label("found"),
    )


def _pools(column: Any) -> Figures:
    return sa.select(
        StockPool.item_id,
        StockPool.site_id,
        StockPool.owner_id,
        StockPool.pool,
        NOTHING.label("expected"),
        column.label("found"),
    )


def _at_pools(session: Session, *figures: Figures, what: str) -> Iterator[Finding]:
    wrong = differing(*figures, keys=("item_id", "site_id", "owner_id", "pool"))
    statement = (
        sa.select(Item.sku, Site.code, Owner.code, wrong.c.pool, wrong.c.expected, wrong.c.found)
        .join_from(wrong, Item, Item.id == wrong.c.item_id)
        .join(Site, Site.id == wrong.c.site_id)
        .join(Owner, Owner.id == wrong.c.owner_id)
        .order_by(Item.sku, Site.code, Owner.code, wrong.c.pool)
    )
    for sku, site, owner, pool, expected, found in session.execute(statement):
        yield Finding(f"{what}: item {sku}, site {site}, owner {owner}, pool {pool}", int(expected), int(found))
