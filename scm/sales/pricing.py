"""What items cost in a channel, from a day on and until the next price begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, types
from scm.core.db import Base, table_of
from scm.core.errors import InvalidInput
from scm.core.types import UNIT_PRICE_PLACES
from scm.core.users import Actor
from scm.master import items
from scm.sales import channels


class ChannelPrice(Base):
    """What one base unit of an item costs in a channel from a day on, and until a day if it ends."""

    __tablename__ = "channel_price"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channel.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    unit_price: Mapped[Decimal] = mapped_column(types.UnitPrice)
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]

    __table_args__ = (
        sa.UniqueConstraint("channel_id", "item_id", "valid_from"),
        sa.CheckConstraint("unit_price >= 0", name="price_not_negative"),
        sa.CheckConstraint("valid_until IS NULL OR valid_until >= valid_from", name="ends_after_it_begins"),
    )


@dataclass(frozen=True, kw_only=True)
class PriceRequest:
    """A price that is to hold from a day on."""

    item_id: int
    unit_price: Decimal
    valid_from: date
    valid_until: date | None = None


class BadPrice(InvalidInput):
    """A price is negative, too fine, or ends before it begins."""


def set_prices(session: Session, *, code: str, requests: Sequence[PriceRequest], company_id: int, actor: Actor) -> None:
    """This function will give items new prices in a channel; a price that held on such a day ends the day before.

    A price that begins on the same day is replaced. Raises `ChannelUnknown`, `BadPrice`, `ItemUnknown`.
    """
    actor.require(*channels.KEEPERS)
    channel = channels.lock(session, code=code, company_id=company_id)
    names = items.skus(session, {request.item_id for request in requests})
    for request in requests:
        _check_price(f"channel {code!r}, item {names[request.item_id]}", request)
        _end_before(session, channel.id, request)
        session.add(ChannelPrice(channel_id=channel.id, **vars(request)))
        session.flush()
    audit.record(
        session,
        actor=actor,
        verb="channel.price",
        document_kind=channels.KIND,
        document_ids=[channel.id],
        items=sorted(names.values()),
    )


def price_on(session: Session, *, channel_id: int, item_ids: Iterable[int], today: date) -> dict[int, Decimal]:
    """This function will give the prices that hold in a channel on a day; items without one are missing."""
    rows = session.execute(
        sa.select(ChannelPrice.item_id, ChannelPrice.unit_price).where(
            ChannelPrice.channel_id == channel_id,
            ChannelPrice.item_id.in_(sorted(set(item_ids))),
            ChannelPrice.valid_from <= today,
            sa.or_(ChannelPrice.valid_until.is_(None), ChannelPrice.valid_until >= today),
        )
    )
    return {row.item_id: row.unit_price for row in rows}


def _check_price(label: str, request: PriceRequest) -> None:
    price = request.unit_price
    if not price.is_finite() or price < 0 or price.scaleb(UNIT_PRICE_PLACES) % 1:
        raise BadPrice(f"{label}: the price is {price}: give at least 0 with at most {UNIT_PRICE_PLACES} places")
    if request.valid_until is not None and request.valid_until < request.valid_from:
        raise BadPrice(f"{label}: the price ends on {request.valid_until}, before it begins on {request.valid_from}")


def _end_before(session: Session, channel_id: int, request: PriceRequest) -> None:
    """Prices that overlap the new one are cut off where it begins; what lies wholly within it is replaced."""
    table = table_of(ChannelPrice)
    mine = (table.c.channel_id == channel_id, table.c.item_id == request.item_id)
    open_ended = table.c.valid_until.is_(None)
    last = sa.literal(True) if request.valid_until is None else table.c.valid_from <= request.valid_until
    session.execute(sa.delete(table).where(*mine, table.c.valid_from >= request.valid_from, last))
    session.execute(
        sa.update(table)
        .where(
            *mine,
            table.c.valid_from < request.valid_from,
            sa.or_(open_ended, table.c.valid_until >= request.valid_from),
        )
        .values(valid_until=request.valid_from - timedelta(days=1))
    )
