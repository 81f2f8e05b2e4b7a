"""What stands on the labels of lots: whoever counts a delivery reads them off the goods."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master.items import Item
from scm.stock.lots import NO_LOT, Lot
from scm.stock.moves import StockMove
from warehouse.receiving import Arrival

AGE_DAYS = 20  # since it was made, when it arrives
Counted = tuple[int, int]  # a planned move, and the units counted of it


def label_of(maker: str, day: date, shelf_life_days: int | None) -> tuple[str, date | None]:
    """This function will give the code and the expiry date of a lot that arrives on a day.

    >>> label_of("S10", date(2026, 3, 1), 270)
    ('S10-260301', datetime.date(2026, 11, 6))
    """
    expiry = None if shelf_life_days is None else day + timedelta(days=shelf_life_days - AGE_DAYS)
    return f"{maker}-{day:%y%m%d}", expiry


def delivered(session: Session, counted: Sequence[Counted], *, maker: str, day: date) -> list[Arrival]:
    """This function will label what a supplier delivers on a day; items without lots have no label."""
    tracked = _tracked(session, counted)
    found = []
    for move_id, quantity in counted:
        code, expiry = None, None
        if move_id in tracked:
            code, expiry = label_of(maker, day, tracked[move_id].shelf_life_days)
        found.append(Arrival(move_id=move_id, quantity=quantity, lot_code=code, expiry_date=expiry))
    return found


def sent_back(session: Session, counted: Sequence[Counted]) -> list[Arrival]:
    """This function will read the labels of what customers send back: the lot they were sold, else the oldest known."""
    tracked = _tracked(session, counted)
    known: dict[int, sa.Row[int, int | None, str, date | None]] = {}
    if tracked:
        items = {row.item_id for row in tracked.values()}
        rows = session.execute(
            sa.select(Lot.id, Lot.item_id, Lot.code, Lot.expiry_date)
            .where(Lot.item_id.in_(items))
            .order_by(Lot.expiry_date.desc(), Lot.id.desc())
        ).all()
        oldest = {row.item_id: row for row in rows}
        by_id = {row.id: row for row in rows}
        known = {
            move_id: oldest[row.item_id] if row.lot_id == NO_LOT else by_id[row.lot_id]
            for move_id, row in tracked.items()
        }
    return [
        Arrival(
            move_id=move_id,
            quantity=quantity,
            lot_code=known[move_id].code if move_id in known else None,
            expiry_date=known[move_id].expiry_date if move_id in known else None,
        )
        for move_id, quantity in counted
    ]


def _tracked(session: Session, counted: Sequence[Counted]) -> dict[int, sa.Row[int, int, int, int | None]]:
    rows = session.execute(
        sa.select(StockMove.id, StockMove.item_id, StockMove.lot_id, Item.shelf_life_days)
        .join(Item, Item.id == StockMove.item_id)
        .where(StockMove.id.in_([move_id for move_id, _ in counted]), Item.lot_tracked)
    )
    return {row.id: row for row in rows}
