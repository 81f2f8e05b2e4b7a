"""Counts in the words of whoever plans and counts: codes of places, SKUs and lots, as they stand on labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.users import Actor, Role
from scm.master import items
from scm.master.locations import Location, LocationKind, Site
from scm.stock.balances import StockBalance
from scm.stock.lots import NO_LOT, Lot
from warehouse import counting, places
from warehouse.counting import BadCount, CountedStock, CountedUnknown, Difference
from warehouse.counts import Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """So much of an item (and lot) was found in a place."""

    place: str
    sku: str
    quantity: int
    lot: str = ""


def plan(
    session: Session,
    *,
    site_id: int,
    place_codes: Sequence[str],
    sku: str,
    actor: Actor,
    now: datetime,
    today: date,
) -> int:
    """This function will plan a count of places, of one item in them, or of an item wherever it lies.

    Returns the count's id. Raises `PlaceUnknown`, `CountedUnknown`, `BadCount`.
    """
    actor.require(Role.WAREHOUSE)
    item_id = _items(session, [sku], site_id=site_id)[sku] if sku else None
    found = list(places.find(session, place_codes, site_id=site_id).values())
    if not found and item_id is not None:
        found = _bins_of(session, item_id, site_id=site_id)
        if not found:
            raise BadCount(f"{sku} lies in no bin of this site: name the place to count it in")
    if not found:
        raise BadCount("nothing was named to be counted: name places or an item")
    targets = [Target(location_id, item_id) for location_id in found]
    return counting.plan_count(session, targets, actor=actor, now=now, today=today)


def record(
    session: Session, count_id: int, found: Sequence[Found], *, site_id: int, actor: Actor, now: datetime
) -> list[Difference]:
    """This function will record what was found in a site's places, and return what differs.

    Raises `PlaceUnknown`, and what `warehouse.counting.record_count` raises.
    """
    place_ids = places.find(session, {one.place for one in found}, site_id=site_id)
    item_ids = _items(session, [one.sku for one in found], site_id=site_id)
    lot_ids = _lots(session, found, item_ids)
    counted = [
        CountedStock(
            location_id=place_ids[one.place],
            item_id=item_ids[one.sku],
            quantity=one.quantity,
            lot_id=lot_ids[one.sku, one.lot] if one.lot else NO_LOT,
        )
        for one in found
    ]
    return counting.record_count(session, count_id, counted, actor=actor, now=now)


def _items(session: Session, skus: Sequence[str], *, site_id: int) -> dict[str, int]:
    company_id = session.scalars(sa.select(Site.company_id).where(Site.id == site_id)).one()
    found = items.ids_by_sku(session, skus, company_id=company_id)
    for sku in skus:
        if sku not in found:
            raise CountedUnknown(f"there is no item {sku[:40]}")
    return found


def _bins_of(session: Session, item_id: int, *, site_id: int) -> list[int]:
    rows = session.scalars(
        sa.select(StockBalance.location_id)
        .join(Location, Location.id == StockBalance.location_id)
        .where(
            StockBalance.item_id == item_id,
            StockBalance.on_hand > 0,
            Location.site_id == site_id,
            Location.kind == LocationKind.STORAGE,
        )
        .distinct()
        .order_by(StockBalance.location_id)
    )
    return list(rows)


def _lots(session: Session, found: Sequence[Found], item_ids: dict[str, int]) -> dict[tuple[str, str], int]:
    wanted = {(one.sku, one.lot) for one in found if one.lot}
    rows = session.execute(
        sa.select(Lot.item_id, Lot.code, Lot.id).where(
            Lot.item_id.in_({item_ids[sku] for sku, _ in wanted}), Lot.code.in_({lot for _, lot in wanted})
        )
    )
    known = {(row.item_id, row.code): row.id for row in rows}
    for sku, lot in wanted:
        if (item_ids[sku], lot) not in known:
            raise CountedUnknown(f"there is no lot {lot[:40]} of {sku}: read the label again")
    return {(sku, lot): known[item_ids[sku], lot] for sku, lot in wanted}
