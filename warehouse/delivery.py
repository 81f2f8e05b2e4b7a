"""Delivery: the carrier's proof that a shipment arrived, and the goods' last step to the customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, clock, types
from scm.core.db import Base, table_of
from scm.core.errors import InvalidInput
from scm.core.users import Actor, Role
from scm.master.locations import Site
from scm.stock import ledger
from scm.stock.ledger import Posting
from scm.stock.moves import MoveState, StockMove
from warehouse import packing
from warehouse.packing import KIND, MACHINE, Shipment, ShipmentLine


class ProofOfDelivery(Base):
    """Who took a shipment in, and when."""

    __tablename__ = "proof_of_delivery"

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), primary_key=True)
    delivered_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    signed_by: Mapped[str] = mapped_column(sa.String(120))
    recorded_at: Mapped[datetime] = mapped_column(types.UtcDateTime)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryConfirmation:
    """The carrier's word that a shipment arrived."""

    shipment_id: int
    delivered_at: datetime
    signed_by: str


class BadConfirmation(InvalidInput):
    """A confirmation lacks its signature, or names an impossible time."""


def confirm(
    session: Session,
    confirmations: Sequence[DeliveryConfirmation],
    *,
    actor: Actor,
    now: datetime,
    today: date,
) -> None:
    """This function will record proofs of delivery and post the goods to the customer, on the day they arrived there.

    `today` bounds that day. Raises `BadConfirmation`, `ShipmentUnknown`, `IllegalTransition`.
    """
    actor.require(Role.WAREHOUSE, Role.SYSTEM)
    shipments = packing.lock(session, [one.shipment_id for one in confirmations])
    by_id = {shipment.id: shipment for shipment in shipments}
    if len(by_id) < len(confirmations) or not confirmations:
        raise BadConfirmation(f"{len(confirmations)} confirmations name {len(by_id)} shipments: confirm each once")
    for one in confirmations:
        shipment = by_id[one.shipment_id]
        shipment.state = MACHINE.advance(shipment.state, "deliver", number=shipment.number)
        _refuse(shipment, one, now=now)
    session.flush()
    session.execute(
        sa.insert(table_of(ProofOfDelivery)),
        [
            {
                "shipment_id": one.shipment_id,
                "delivered_at": one.delivered_at,
                "signed_by": one.signed_by.strip(),
                "recorded_at": now,
            }
            for one in confirmations
        ],
    )
    arrived = _arrival_dates(session, shipments, confirmations, today=today)
    for day, move_ids in sorted(_last_legs(session, arrived).items()):
        # Neither end is counted in balances, so posting day by day takes no second stock lock.
        ledger.post(session, [Posting(move_id=i) for i in move_ids], actor=actor, now=now, today=day)
    audit.record(session, actor=actor, verb="shipment.deliver", document_kind=KIND, document_ids=sorted(by_id))


def _refuse(shipment: Shipment, one: DeliveryConfirmation, *, now: datetime) -> None:
    if not 0 < len(one.signed_by.strip()) <= 120:
        raise BadConfirmation(f"{shipment.number}: signed_by {one.signed_by[:130]!r} must be 1 to 120 characters")
    if one.delivered_at.tzinfo is None:
        raise BadConfirmation(f"{shipment.number}: delivered_at {one.delivered_at} has no zone: give an instant")
    assert shipment.shipped_at is not None, f"{shipment.number} was shipped without its time"
    if not shipment.shipped_at <= one.delivered_at <= now:
        raise BadConfirmation(
            f"{shipment.number} left at {shipment.shipped_at} and cannot have arrived at {one.delivered_at}: give a "
            f"time between that and {now}"
        )


def _arrival_dates(
    session: Session, shipments: Sequence[Shipment], confirmations: Sequence[DeliveryConfirmation], *, today: date
) -> dict[int, date]:
    """The day each shipment arrived, in its site's zone and never after today."""
    rows = session.execute(sa.select(Site.id, Site.zone).where(Site.id.in_({s.site_id for s in shipments})))
    zones = {row.id: row.zone for row in rows}
    site_of = {shipment.id: shipment.site_id for shipment in shipments}
    return {
        one.shipment_id: min(today, clock.local_date(one.delivered_at, zone=zones[site_of[one.shipment_id]]))
        for one in confirmations
    }


def _last_legs(session: Session, arrived: dict[int, date]) -> dict[date, list[int]]:
    """The planned moves to the customer, by the day they happened: each follows a packed move that has left."""
    shipped = sa.orm.aliased(StockMove)
    rows = session.execute(
        sa.select(StockMove.id, ShipmentLine.shipment_id)
        .join(shipped, StockMove.previous_id == shipped.id)
        .join(ShipmentLine, ShipmentLine.move_id == shipped.id)
        .where(ShipmentLine.shipment_id.in_(sorted(arrived)), StockMove.state == MoveState.PLANNED)
        .order_by(StockMove.id)
    )
    legs: dict[date, list[int]] = defaultdict(list)
    for row in rows:
        legs[arrived[row.shipment_id]].append(row.id)
    return legs
