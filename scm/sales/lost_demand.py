"""Demand we could not serve: the customer walked away. A fact that forecasting and the KPIs read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import InvalidInput
from scm.core.users import Actor, Role


class LostDemand(Base):
    """So many units of an item were wanted on a date and given up. Without a line, they were never ordered."""

    __tablename__ = "lost_demand"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    lost_date: Mapped[date]
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sales_order_line.id"), index=True)
    recorded_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="lost_something"),
        sa.Index(None, "site_id", "lost_date"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """One demand that was lost; `line_id` names the order line it stood on, if it was ordered at all."""

    item_id: int
    site_id: int
    lost_date: date
    quantity: int
    line_id: int | None = None


class BadLoss(InvalidInput):
    """A lost quantity is not a whole number above zero."""


def record_lost_demand(session: Session, losses: Sequence[Loss], *, actor: Actor, now: datetime) -> None:
    """This function will record demand that was lost. Raises `BadLoss`."""
    actor.require(Role.SALES, Role.SYSTEM)
    for loss in losses:
        if type(loss.quantity) is not int or loss.quantity <= 0:
            raise BadLoss(f"item {loss.item_id}: lost quantity {loss.quantity!r} must be a whole number above 0")
    if losses:
        session.execute(sa.insert(table_of(LostDemand)), [asdict(loss) | {"recorded_at": now} for loss in losses])
        audit.record(
            session,
            actor=actor,
            verb="lost_demand.record",
            document_kind="item",
            document_ids=[loss.item_id for loss in losses],
        )
