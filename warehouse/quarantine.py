"""The way out of quarantine: back to a shelf after a second look, back to the supplier, or to scrap; with a reason.

What lies there is a stock balance. Each decision is a row of its own and moves goods once; their value follows.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import InvalidInput, NotFound
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.items import Item
from scm.master.locations import LocationKind, Place, Site
from scm.master.partners import OWN_STOCK
from scm.stock import ledger, reservations
from scm.stock.ledger import MoveRequest
from scm.stock.lots import NO_LOT, Lot
from scm.stock.moves import Move
from scm.stock.reservations import Outcome

KIND = "quarantine"
LONGEST_REASON = 200


class WayOut(enum.Enum):
    """Where goods go from quarantine."""

    RELEASE = "release"
    RETURN_TO_SUPPLIER = "return_to_supplier"
    SCRAP = "scrap"


OUTSIDE = {WayOut.RETURN_TO_SUPPLIER: LocationKind.SUPPLIER, WayOut.SCRAP: LocationKind.SCRAP}


class QuarantineDecision(Base):
    """Who let how much out of quarantine, which way and why. It never changes."""

    __tablename__ = "quarantine_decision"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), index=True)
    location_id: Mapped[int] = mapped_column(sa.ForeignKey("location.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lot.id"))
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    way_out: Mapped[WayOut] = mapped_column(types.enum_column(WayOut))
    reason: Mapped[str] = mapped_column(sa.String(LONGEST_REASON))
    decided_by_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    decided_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    decided_date: Mapped[date]

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="lets_something_out"),
        sa.CheckConstraint("reason <> ''", name="has_a_reason"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaving:
    """So much of what lies in a quarantine place leaves it. Released goods name the bin they go to."""

    location_id: int
    item_id: int
    quantity: int
    way_out: WayOut
    reason: str
    lot_id: int = NO_LOT
    bin_id: int | None = None


@dataclass(frozen=True, slots=True)
class LetOut:
    """The decisions' ids and moves in the order given, and which waiting orders were promised what was released."""

    decision_ids: tuple[int, ...]
    posted: tuple[Move, ...]
    filled: tuple[Outcome, ...]


class BadDecision(InvalidInput):
    """A decision names no reason, no whole quantity, or a bin that does not fit."""


class NotInQuarantine(NotFound):
    """The place is no quarantine of this site, or there is no such item or lot."""


def let_out(
    session: Session, leaving: Sequence[Leaving], *, site_id: int, actor: Actor, now: datetime, today: date
) -> LetOut:
    """This function will move goods out of quarantine and promise what was released to whoever waits for it.

    Raises `BadDecision`, `NotInQuarantine`, and `NotEnoughStock` when less lies there.
    """
    actor.require(Role.WAREHOUSE)
    if not leaving:
        raise BadDecision("nothing was named: say what leaves quarantine")
    places = locations.places(session, {i for one in leaving for i in (one.location_id, one.bin_id) if i is not None})
    for one in leaving:
        _refuse(one, places, site_id=site_id)
    _refuse_unknown(session, leaving)
    company_id = session.scalars(sa.select(Site.company_id).where(Site.id == site_id)).one()
    ids = _insert(session, leaving, company_id=company_id, site_id=site_id, actor=actor, now=now, today=today)
    outside = {
        way: locations.of_kind(session, kind=OUTSIDE[way], site_id=None)
        for way in {one.way_out for one in leaving} & OUTSIDE.keys()
    }
    requests = [_request(one, i, outside.get(one.way_out), today=today) for one, i in zip(leaving, ids, strict=True)]
    posted = ledger.move_now(session, requests, company_id=company_id, actor=actor, now=now, today=today).posted
    released = {one.item_id for one in leaving if one.way_out is WayOut.RELEASE}
    filled = reservations.fill_backorders(session, item_ids=released, site_id=site_id) if released else []
    audit.record(session, actor=actor, verb="quarantine.let_out", document_kind=KIND, document_ids=ids)
    return LetOut(tuple(ids), posted, tuple(filled))


def _refuse(one: Leaving, places: dict[int, Place], *, site_id: int) -> None:
    place = places[one.location_id]
    if place.kind is not LocationKind.QUARANTINE or place.site_id != site_id:
        raise NotInQuarantine(f"location {one.location_id} is no quarantine of this site")
    where = f"{place.code}, item {one.item_id}"
    if type(one.quantity) is not int or one.quantity < 1:
        raise BadDecision(f"{where}: quantity {one.quantity!r} must be a whole number above 0")
    if not 0 < len(one.reason.strip()) <= LONGEST_REASON:
        raise BadDecision(f"{where}: say in 1 to {LONGEST_REASON} characters why {one.quantity} leave quarantine")
    if one.way_out is not WayOut.RELEASE:
        if one.bin_id is not None:
            raise BadDecision(f"{where}: a bin was named, but {one.way_out.value} puts nothing on a shelf")
        return
    chosen = None if one.bin_id is None else places[one.bin_id]
    if chosen is None:
        raise BadDecision(f"{where}: released goods go to a bin: name it")
    if chosen.kind is not LocationKind.STORAGE or chosen.is_area or chosen.site_id != site_id:
        raise BadDecision(f"{where}: {chosen.code} is no bin of this site: name another")


def _refuse_unknown(session: Session, leaving: Sequence[Leaving]) -> None:
    known = set(session.scalars(sa.select(Item.id).where(Item.id.in_({one.item_id for one in leaving}))))
    lots = {
        row.id: row.item_id
        for row in session.execute(sa.select(Lot.id, Lot.item_id).where(Lot.id.in_({one.lot_id for one in leaving})))
    }
    for one in leaving:
        if one.item_id not in known or lots.get(one.lot_id, -1) not in (None, one.item_id):
            raise NotInQuarantine(f"there is no item {one.item_id} with lot {one.lot_id}")


def _insert(
    session: Session,
    leaving: Sequence[Leaving],
    *,
    company_id: int,
    site_id: int,
    actor: Actor,
    now: datetime,
    today: date,
) -> list[int]:
    rows = [
        {
            "company_id": company_id,
            "site_id": site_id,
            "location_id": one.location_id,
            "item_id": one.item_id,
            "lot_id": one.lot_id,
            "quantity": one.quantity,
            "way_out": one.way_out,
            "reason": one.reason.strip(),
            "decided_by_id": actor.user_id,
            "decided_at": now,
            "decided_date": today,
        }
        for one in leaving
    ]
    table = table_of(QuarantineDecision)
    statement = sa.insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(session.execute(statement, rows).scalars())


def _request(one: Leaving, decision_id: int, outside_id: int | None, *, today: date) -> MoveRequest:
    destination_id = outside_id if one.bin_id is None else one.bin_id
    assert destination_id is not None, f"{one.way_out} has neither a bin nor a place outside"
    return MoveRequest(
        item_id=one.item_id,
        source_id=one.location_id,
        destination_id=destination_id,
        quantity=one.quantity,
        due_date=today,
        document_kind=KIND,
        document_id=decision_id,
        line_id=decision_id,
        lot_id=one.lot_id,
        owner_id=OWN_STOCK,
        reason=one.reason.strip(),
    )
