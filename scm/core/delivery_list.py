"""The outbox as a list: every message with how far its delivery is."""

from __future__ import annotations

import enum

import sqlalchemy as sa

from scm.core import types
from scm.core.db import table_of
from scm.core.listing import Field, Kind, Listing
from scm.core.outbox import OutboxMessage
from scm.core.webhooks import PREFIX, WebhookEndpoint


class DeliveryState(enum.Enum):
    """Where a message stands."""

    WAITING = "waiting"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    DEAD = "dead"


def listing() -> Listing:
    """This function will give the messages, newest first; a webhook is named, a partner is an address."""
    row, room = table_of(OutboxMessage).c, table_of(WebhookEndpoint).c
    named = sa.literal(PREFIX) + sa.cast(room.id, sa.String)
    state = sa.case(
        (row.delivered_at.is_not(None), DeliveryState.DELIVERED.value),
        (row.dead_at.is_not(None), DeliveryState.DEAD.value),
        (row.last_error != "", DeliveryState.RETRYING.value),
        else_=DeliveryState.WAITING.value,
    )
    return Listing(
        name="messages",
        rows=sa.select(row.id).outerjoin(table_of(WebhookEndpoint), named == row.recipient),
        key=row.id,
        fields=(
            Field(name="message_key", kind=Kind.CODE, value=row.message_key),
            Field(name="created_at", kind=Kind.INSTANT, value=row.created_at),
            Field(name="topic", kind=Kind.CODE, value=row.topic),
            Field(name="recipient", kind=Kind.TEXT, value=sa.func.coalesce(room.name, row.recipient)),
            Field(
                name="state",
                kind=Kind.CHOICE,
                value=sa.type_coerce(state, types.enum_column(DeliveryState)),
                choices=DeliveryState,
            ),
            Field(name="attempts", kind=Kind.NUMBER, value=row.attempts),
            Field(name="next_attempt_at", kind=Kind.INSTANT, value=row.next_attempt_at),
            Field(name="delivered_at", kind=Kind.INSTANT, value=row.delivered_at),
            Field(name="last_error", kind=Kind.TEXT, value=row.last_error),
        ),
        search=(row.message_key, row.recipient, sa.func.coalesce(room.name, "")),
        order=("", True),
    )
