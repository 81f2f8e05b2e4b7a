"""One wave as its picker walks it: every pick in path order, with its bin, lot and order. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master.locations import Location
from scm.sales.documents import SalesOrder
from scm.stock.lots import NO_LOT, Lot
from scm.stock.moves import MoveState, StockMove
from warehouse.numbers import NumberUnknown
from warehouse.sheets.cards import Card, cards
from warehouse.waves import Pick, Wave, WaveState


@dataclass(frozen=True, kw_only=True, slots=True)
class PickLine:
    """One pick. `short` of a done one was not found; a withdrawn one is to be left in its bin."""

    move_id: int
    order_number: str
    card: Card
    bin_code: str
    lot_code: str | None
    expiry_date: date | None
    quantity: int
    done: bool
    short: int
    withdrawn: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PickSheet:
    """One wave."""

    wave_id: int
    number: str
    state: WaveState
    released_at: datetime
    picks: Sequence[PickLine]

    @property
    def open_picks(self) -> list[PickLine]:
        """What is still to be picked."""
        return [pick for pick in self.picks if not pick.done and not pick.withdrawn]

    @property
    def orders(self) -> list[str]:
        """The orders of the wave."""
        return sorted({pick.order_number for pick in self.picks})


def sheet(session: Session, number: str, *, site_id: int) -> PickSheet:
    """This function will read a wave of a site along the pick path, in a fixed number of queries.

    Raises `NumberUnknown`.
    """
    wave = session.scalars(sa.select(Wave).where(Wave.number == number, Wave.site_id == site_id)).one_or_none()
    if wave is None:
        raise NumberUnknown(f"this site has no wave {number[:40]}")
    rows = session.execute(
        sa.select(
            StockMove.id,
            StockMove.item_id,
            StockMove.lot_id,
            StockMove.quantity,
            StockMove.state,
            StockMove.allocated,
            Lot.code.label("lot_code"),
            Lot.expiry_date,
            Location.code.label("bin_code"),
            SalesOrder.number,
            Pick.confirmed_at,
            Pick.short_quantity,
        )
        .join(Pick, Pick.move_id == StockMove.id)
        .join(Location, Location.id == StockMove.source_id)
        .join(Lot, Lot.id == StockMove.lot_id)
        .join(SalesOrder, SalesOrder.id == StockMove.document_id)
        .where(Pick.wave_id == wave.id)
        .order_by(Location.pick_sequence, Location.id, StockMove.id)
    ).all()
    named = cards(session, {row.item_id for row in rows})
    return PickSheet(
        wave_id=wave.id,
        number=wave.number,
        state=wave.state,
        released_at=wave.released_at,
        picks=[
            PickLine(
                move_id=row.id,
                order_number=row.number,
                card=named[row.item_id],
                bin_code=row.bin_code,
                lot_code=None if row.lot_id == NO_LOT else row.lot_code,
                expiry_date=row.expiry_date,
                quantity=row.quantity,
                done=row.confirmed_at is not None,
                short=row.short_quantity,
                withdrawn=row.confirmed_at is None and (row.state is not MoveState.PLANNED or not row.allocated),
            )
            for row in rows
        ],
    )
