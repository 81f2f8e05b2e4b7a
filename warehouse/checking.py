"""The check scan: what goes into the carton is scanned once more, and only what the order asks for may leave.

It catches a wrong item, a missing one, and an order that was cancelled while its goods were on the way to the bench.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master import items
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import OrderState, OrderUnknown, SalesOrder
from scm.stock.moves import MoveState, StockMove
from warehouse import counts, packing


class PackingCheck(Base):
    """Who scanned the contents of a shipment while packing it, and found them right."""

    __tablename__ = "packing_check"

    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipment.id"), primary_key=True)
    checked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    checked_at: Mapped[datetime] = mapped_column(types.UtcDateTime)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scanned:
    """So many units of an item went through the packer's hands."""

    item_id: int
    quantity: int


class BadCheck(InvalidInput):
    """A scanned quantity is no whole number above 0."""


class WrongContents(Conflict):
    """What was scanned is not what stands in staging for the order."""


class Intercepted(Conflict):
    """The order was cancelled: its goods must not leave."""


def pack(
    session: Session,
    order_id: int,
    scanned: Sequence[Scanned],
    *,
    cartons: int,
    actor: Actor,
    now: datetime,
    today: date,
) -> int:
    """This function will pack what stands in staging for an order if exactly that was scanned, and return the
    shipment's id.

    Raises `Intercepted`, `WrongContents`, `BadCheck`, `BadPacking`, `NothingToPack`, `OrderUnknown`.
    """
    actor.require(Role.WAREHOUSE)
    _refuse_cancelled(session, order_id)
    found: Counter[int] = Counter()
    for one in scanned:
        if type(one.quantity) is not int or one.quantity < 1:
            raise BadCheck(f"{one.quantity!r} of item {one.item_id} were scanned: give a whole number above 0")
        found[one.item_id] += one.quantity
    wanted: Counter[int] = Counter()
    for move in packing.staged(session, [order_id]):
        wanted[move.item_id] += move.quantity
    if wanted:
        _refuse_different(session, found, wanted)
    [shipment_id] = packing.pack(session, order_ids=[order_id], cartons=cartons, actor=actor, now=now, today=today)
    session.add(PackingCheck(shipment_id=shipment_id, checked_by_id=actor.user_id, checked_at=now))
    session.flush()
    audit.record(session, actor=actor, verb="shipment.check", document_kind=packing.KIND, document_ids=[shipment_id])
    return shipment_id


def _refuse_cancelled(session: Session, order_id: int) -> None:
    """Nobody can cancel the order from here to the commit: a canceller waits for the row."""
    order = session.execute(
        sa.select(SalesOrder.number, SalesOrder.state).where(SalesOrder.id == order_id).with_for_update(read=True)
    ).one_or_none()
    if order is None:
        raise OrderUnknown(f"there is no sales order {order_id}")
    if order.state is OrderState.CANCELLED:
        bins = ", ".join(_back_to(session, order_id))
        where = f"put its goods back to {bins}" if bins else "nothing of it was picked"
        raise Intercepted(f"{order.number} was cancelled: do not pack it, {where}")


def _back_to(session: Session, order_id: int) -> list[str]:
    """The bins that the cancellation returned picked goods to: reversals of picks end where the pick began."""
    rows = session.scalars(
        sa.select(StockMove.destination_id)
        .where(
            StockMove.document_kind == SALES_ORDER,
            StockMove.document_id == order_id,
            StockMove.state == MoveState.POSTED,
            StockMove.reverses_id.is_not(None),
        )
        .distinct()
    )
    return sorted(counts.codes(session, rows).values())


def _refuse_different(session: Session, found: Mapping[int, int], wanted: Mapping[int, int]) -> None:
    skus = items.skus(session, found.keys() | wanted.keys())
    wrong = [skus[item_id] for item_id in sorted(found.keys() - wanted.keys())]
    if wrong:
        expected = ", ".join(sorted(skus[item_id] for item_id in wanted))
        raise WrongContents(f"{wrong[0]} was scanned, which the order does not ask for: expected {expected}")
    for item_id, quantity in sorted(wanted.items()):
        if found.get(item_id, 0) != quantity:
            raise WrongContents(
                f"{found.get(item_id, 0)} of {skus[item_id]} were scanned, {quantity} stand in staging for the order: "
                "scan what is missing, or put aside what is too many"
            )
