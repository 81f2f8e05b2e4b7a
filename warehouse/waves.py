"""Waves: promised order lines that are due are given bins and lots and handed to the pickers together.

A pick is a planned stock move with a bin; a wave says which picks belong together and stores no quantity of its own.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, numbering, types
from scm.core.db import Base, BigId, table_of
from scm.core.documents import Machine
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.master.locations import Location, LocationKind, Site
from scm.master.partners import Partner
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import SalesOrder
from scm.stock import allocation
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Reservation
from warehouse import counts, services

KIND = "wave"
LARGEST_WAVE = 5000


class WaveState(enum.Enum):
    """A released wave is being picked; a picked one has no open pick left."""

    RELEASED = "released"
    PICKED = "picked"


MACHINE = Machine(
    kind=KIND,
    initial=WaveState.RELEASED,
    transitions={(WaveState.RELEASED, "finish"): WaveState.PICKED},
)


class Wave(Base):
    """Picks that are released together at one site."""

    __tablename__ = "wave"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    number: Mapped[str] = mapped_column(sa.String(30), unique=True)
    state: Mapped[WaveState] = mapped_column(types.enum_column(WaveState))
    released_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (sa.Index(None, "site_id", "state"),)


class Pick(Base):
    """One stock move on a wave's pick list. A move that was short in one wave may stand in a later one."""

    __tablename__ = "pick"

    wave_id: Mapped[int] = mapped_column(sa.ForeignKey("wave.id"), primary_key=True)
    move_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_move.id"), primary_key=True, index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    short_quantity: Mapped[int] = mapped_column(sa.BigInteger, default=0)  # what the picker did not find

    __table_args__ = (
        sa.CheckConstraint(
            "short_quantity >= 0 AND (short_quantity = 0 OR confirmed_at IS NOT NULL)", name="short_when_confirmed"
        ),
    )


@dataclass(frozen=True, slots=True)
class WithoutBin:
    """A promised line for which no bin had all of it: so much stays promised and waits for another wave."""

    move_id: int
    order_id: int
    line_id: int
    item_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class WaveResult:
    """A released wave, its picks in the order they were found, and what found no bin."""

    wave_id: int
    number: str
    pick_ids: tuple[int, ...]
    short: tuple[WithoutBin, ...]


@dataclass(frozen=True, slots=True)
class PickListRow:
    """One open pick as a picker reads it."""

    move_id: int
    order_id: int
    line_id: int
    item_id: int
    bin_id: int
    bin_code: str
    lot_id: int
    quantity: int


class BadWave(InvalidInput):
    """A limit is out of range."""


class SiteUnknown(NotFound):
    """There is no such site."""


class WaveUnknown(NotFound):
    """There is no wave of that id."""


class NothingToRelease(Conflict):
    """No promised line is due, or none of those that are has goods in a bin."""


def release(
    session: Session,
    *,
    site_id: int,
    actor: Actor,
    now: datetime,
    today: date,
    limit: int = 500,
    order_ids: Sequence[int] | None = None,
    carrier_service_id: int | None = None,
) -> WaveResult:
    """This function will release up to `limit` promised lines: those due to leave by `today`, or of these orders.

    With `carrier_service_id` only lines whose customers that service goes to, so that one cut-off is served together.
    The earliest to leave come first, and of a day those whose channel's clock ends first. Bins with an open count of
    the item are passed over. What finds no bin stays promised and is reported. Raises `BadWave`, `SiteUnknown`,
    `NothingToRelease`.
    """
    actor.require(Role.WAREHOUSE)
    if not 1 <= limit <= LARGEST_WAVE:
        raise BadWave(f"limit is {limit}: a wave has 1 to {LARGEST_WAVE} lines")
    company_id = session.scalar(sa.select(Site.company_id).where(Site.id == site_id))
    if company_id is None:
        raise SiteUnknown(f"there is no site {site_id}")
    ready = _ready(site_id, today=today, order_ids=order_ids)
    if carrier_service_id is not None:
        ready = _served_by(ready, carrier_service_id, site_id=site_id)
    lines = _take(session, ready.limit(limit))
    what = "of these orders" if order_ids is not None else f"due by {today}"
    if not lines:
        raise NothingToRelease(f"no promised line {what} waits for a wave at site {site_id}")
    allocated = allocation.allocate(session, list(lines), today=today, avoid=counts.doubtful(session, site_id=site_id))
    short = tuple(WithoutBin(a.move_id, *lines[a.move_id], a.short) for a in allocated if a.short)
    pick_ids = tuple(move_id for found in allocated for move_id in found.pick_ids)
    if not pick_ids:
        raise NothingToRelease(
            f"{len(lines)} promised lines {what} found no bin, the first is {short[0].quantity} of item "
            f"{short[0].item_id} for sales order {short[0].order_id}: count its bins"
        )
    [number] = numbering.draw(session, series=numbering.WAVE, company_id=company_id, year=today.year)
    wave_id = _insert(session, company_id=company_id, site_id=site_id, number=number, now=now, pick_ids=pick_ids)
    audit.record(
        session,
        actor=actor,
        verb="wave.release",
        document_kind=KIND,
        document_ids=[wave_id],
        picks=len(pick_ids),
        without_bin=[one.move_id for one in short],
    )
    return WaveResult(wave_id, number, pick_ids, short)


def count_due(session: Session, *, site_id: int, today: date) -> int:
    """This function will count the promised lines that are due to leave by `today` and stand in no wave."""
    ready = _ready(site_id, today=today, order_ids=None).order_by(None).subquery()
    return int(session.execute(sa.select(sa.func.count()).select_from(ready)).scalar_one())


def pick_list(session: Session, *, wave_id: int) -> list[PickListRow]:
    """This function will read the open picks of a wave along the pick path."""
    rows = session.execute(
        sa.select(
            StockMove.id,
            StockMove.document_id,
            StockMove.line_id,
            StockMove.item_id,
            StockMove.source_id,
            Location.code,
            StockMove.lot_id,
            StockMove.quantity,
        )
        .join(Pick, Pick.move_id == StockMove.id)
        .join(Location, Location.id == StockMove.source_id)
        .where(Pick.wave_id == wave_id, Pick.confirmed_at.is_(None))
        .order_by(Location.pick_sequence, Location.id, StockMove.id)
    )
    return [PickListRow(*row) for row in rows]


def lock(session: Session, wave_id: int) -> Wave:
    """This function will lock a wave and read it as it now is. Raises `WaveUnknown`."""
    wave = session.scalars(
        sa.select(Wave).where(Wave.id == wave_id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if wave is None:
        raise WaveUnknown(f"there is no wave {wave_id}")
    return wave


def _ready(site_id: int, *, today: date, order_ids: Sequence[int] | None) -> sa.Select[*tuple[Any, ...]]:
    statement = (
        sa.select(StockMove.id, StockMove.document_id, StockMove.line_id, StockMove.item_id)
        .join(Location, Location.id == StockMove.source_id)
        .join(Reservation, Reservation.move_id == StockMove.id)
        .join(SalesOrder, SalesOrder.id == StockMove.document_id)
        .where(
            StockMove.state == MoveState.PLANNED,
            StockMove.document_kind == SALES_ORDER,
            ~StockMove.allocated,
            Location.site_id == site_id,
            Location.kind == LocationKind.STORAGE,
            Location.is_area,
        )
        .order_by(StockMove.due_date, SalesOrder.ship_by_at.nulls_last(), StockMove.document_id, StockMove.id)
    )
    if order_ids is None:
        return statement.where(StockMove.due_date <= today)
    return statement.where(StockMove.document_id.in_(order_ids))


def _served_by(
    ready: sa.Select[*tuple[Any, ...]], carrier_service_id: int, *, site_id: int
) -> sa.Select[*tuple[Any, ...]]:
    return ready.join(Partner, Partner.id == SalesOrder.customer_id).where(
        services.to_customer(Partner, site_id=site_id) == carrier_service_id
    )


def _take(session: Session, ready: sa.Select[*tuple[Any, ...]]) -> dict[int, tuple[int, int, int]]:
    """Lock the lines; those that another wave takes at this moment are left to it."""
    taken = session.execute(ready.with_for_update(of=table_of(StockMove), key_share=True, skip_locked=True))
    return {row.id: (row.document_id, row.line_id, row.item_id) for row in taken}


def _insert(
    session: Session, *, company_id: int, site_id: int, number: str, now: datetime, pick_ids: Sequence[int]
) -> int:
    wave = table_of(Wave)
    head = {
        "company_id": company_id,
        "site_id": site_id,
        "number": number,
        "state": MACHINE.initial,
        "released_at": now,
    }
    wave_id = int(session.execute(sa.insert(wave).values(head).returning(wave.c.id)).scalar_one())
    rows = [{"wave_id": wave_id, "move_id": move_id, "short_quantity": 0} for move_id in pick_ids]
    session.execute(sa.insert(table_of(Pick)), rows)
    return wave_id
