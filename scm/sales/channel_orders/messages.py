"""What a channel says about its orders, and what follows from all it has said so far.

Messages may come in any order and more than once. They are kept, and what an order is to be is computed from the set of
them, never from the order of their arrival: whoever has got the same messages has got the same order.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scm.core import types
from scm.core.db import Base, BigId


class MessageKind(enum.Enum):
    """What happened to an order in its channel; the order decides between two of the same sequence."""

    PLACED = "placed"
    CHANGED = "changed"  # its lines are these from now on
    CANCELLED = "cancelled"  # for good
    PAID = "paid"


CONTENT = (MessageKind.PLACED, MessageKind.CHANGED)


class ChannelMessage(Base):
    """One message of a channel about one of its orders. Append-only; a trigger refuses every change."""

    __tablename__ = "channel_message"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channel.id"))
    external_id: Mapped[str] = mapped_column(sa.String(80))
    sequence: Mapped[int] = mapped_column(sa.BigInteger)
    kind: Mapped[MessageKind] = mapped_column(types.enum_column(MessageKind))
    body: Mapped[dict[str, Any]] = mapped_column(types.Json)
    received_at: Mapped[datetime] = mapped_column(types.UtcDateTime)

    __table_args__ = (sa.UniqueConstraint("channel_id", "external_id", "sequence", "kind"),)


@dataclass(frozen=True, order=True, slots=True)
class WantedLine:
    """So many base units of an item at a price: the one that was sent, or else the channel's own of that day."""

    item_id: int
    quantity: int
    unit_price: Decimal
    price_given: bool = field(default=True, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message. Content messages have lines and a customer, by the code the channel calls it."""

    kind: MessageKind
    external_id: str
    sequence: int
    sent_at: datetime | None = None
    customer: str = ""
    requested_date: date | None = None
    lines: tuple[WantedLine, ...] = ()

    @property
    def key(self) -> tuple[str, int, MessageKind]:
        """By what a repetition is recognised."""
        return (self.external_id, self.sequence, self.kind)

    def body(self) -> dict[str, Any]:
        """This function will give what is kept of the message, as JSON."""
        return {
            "sent_at": self.sent_at.isoformat() if self.sent_at else None,
            "customer": self.customer,
            "requested_date": self.requested_date.isoformat() if self.requested_date else None,
            "lines": [
                [line.item_id, line.quantity, str(line.unit_price.normalize()), line.price_given] for line in self.lines
            ],
        }

    def said(self) -> dict[str, Any]:
        """This function will give what the channel itself has said: without the prices that were ours."""
        lines = [[item, quantity, price if given else None] for item, quantity, price, given in self.body()["lines"]]
        return self.body() | {"lines": lines}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What an order is to be. Without content nothing is known yet but that it was cancelled or paid."""

    content: Message | None
    cancelled: bool
    paid: bool
    paid_at: datetime | None


def fold(messages: Iterable[Message]) -> Wanted:
    """This function will say what an order is to be after all its messages, in whatever order they came.

    The newest content counts. A cancellation is for good, and so is a payment.

        >>> placed = Message(kind=MessageKind.PLACED, external_id="A", sequence=1, customer="C")
        >>> changed = Message(kind=MessageKind.CHANGED, external_id="A", sequence=3, customer="C")
        >>> cancelled = Message(kind=MessageKind.CANCELLED, external_id="A", sequence=2)
        >>> fold([placed, cancelled, changed]) == fold([changed, cancelled, changed, placed])
        True
    """
    said = list(messages)
    ranks = {kind: place for place, kind in enumerate(MessageKind)}
    content = [message for message in said if message.kind in CONTENT]
    paid = [message.sent_at for message in said if message.kind is MessageKind.PAID]
    return Wanted(
        content=max(content, key=lambda message: (message.sequence, ranks[message.kind]), default=None),
        cancelled=any(message.kind is MessageKind.CANCELLED for message in said),
        paid=bool(paid),
        paid_at=min((instant for instant in paid if instant is not None), default=None),
    )


def restored(row: Any) -> Message:
    """This function will give the message that a row keeps."""
    body = row.body
    return Message(
        kind=row.kind,
        external_id=row.external_id,
        sequence=row.sequence,
        sent_at=datetime.fromisoformat(body["sent_at"]) if body["sent_at"] else None,
        customer=body["customer"],
        requested_date=date.fromisoformat(body["requested_date"]) if body["requested_date"] else None,
        lines=tuple(
            WantedLine(item, quantity, Decimal(price), given) for item, quantity, price, given in body["lines"]
        ),
    )
