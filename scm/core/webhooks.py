"""Webhook endpoints: chat rooms and services that are told of certain topics.

An endpoint's address and secret let anybody post in its name, so they are shown to nobody once stored: neither in
pages, audit rows, errors nor logs. What is sent, and how, stands with the delivery of the outbox.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import audit, outbox, types
from scm.core.db import Base
from scm.core.errors import Conflict, InvalidInput, NotFound
from scm.core.users import Actor, Role

KIND = "webhook_endpoint"
PREFIX = "webhook:"
APPROVAL_ASKED = "approval.asked"
RUN_FAILED = "job.failed"
TOPICS = (APPROVAL_ASKED, RUN_FAILED)
LONGEST_URL, LONGEST_NAME, LONGEST_SECRET = 500, 80, 200


class WebhookShape(enum.Enum):
    """Whose message format an endpoint understands."""

    WECOM = "wecom"  # 企业微信
    DINGTALK = "dingtalk"  # 钉钉
    SLACK = "slack"


class WebhookEndpoint(Base):
    """One address that is told of the topics it subscribed to. Never deleted: messages name it."""

    __tablename__ = "webhook_endpoint"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(LONGEST_NAME))
    shape: Mapped[WebhookShape] = mapped_column(types.enum_column(WebhookShape))
    url: Mapped[str] = mapped_column(sa.String(LONGEST_URL))
    secret: Mapped[str | None] = mapped_column(sa.String(LONGEST_SECRET))
    topics: Mapped[list[str]] = mapped_column(types.Json)
    created_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An endpoint as pages show it: of its address only the host."""

    id: int
    name: str
    shape: WebhookShape
    host: str
    signed: bool
    topics: tuple[str, ...]
    created_at: datetime


class BadEndpoint(InvalidInput):
    """An endpoint cannot be added like this."""


class EndpointExists(Conflict):
    """The name is taken by another endpoint."""


class EndpointUnknown(NotFound):
    """There is no such endpoint."""


def add(
    session: Session,
    *,
    name: str,
    shape: WebhookShape,
    url: str,
    topics: Sequence[str],
    secret: str | None = None,
    actor: Actor,
    now: datetime,
) -> int:
    """This function will subscribe an address to topics and return its number. Raises `BadEndpoint`, `EndpointExists`.

    Whether the address may be reached at all is decided at each delivery, because names change what they point to.
    """
    actor.require(Role.ADMIN)
    _refuse(name=name, url=url, topics=topics, secret=secret)
    taken = sa.select(WebhookEndpoint.id).where(WebhookEndpoint.name == name, WebhookEndpoint.removed_at.is_(None))
    if session.scalar(taken) is not None:
        raise EndpointExists(f"there is a webhook named {name}: remove it first, or choose another name")
    row = WebhookEndpoint(
        name=name, shape=shape, url=url, secret=secret or None, topics=sorted(set(topics)), created_at=now
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb="webhook.add",
        document_kind=KIND,
        document_ids=[row.id],
        name=name,
        shape=shape.value,
        topics=row.topics,
    )
    return row.id


def remove(session: Session, *, endpoint_id: int, actor: Actor, now: datetime) -> None:
    """This function will end a subscription; its secret is erased. Raises `EndpointUnknown`."""
    actor.require(Role.ADMIN)
    row = session.get(WebhookEndpoint, endpoint_id, with_for_update=True, populate_existing=True)
    if row is None or row.removed_at is not None:
        raise EndpointUnknown(f"there is no webhook {endpoint_id}")
    row.removed_at, row.secret, row.url = now, None, f"https://{urlsplit(row.url).hostname}/"
    session.flush()
    audit.record(session, actor=actor, verb="webhook.remove", document_kind=KIND, document_ids=[row.id], name=row.name)


def endpoints(session: Session) -> tuple[Endpoint, ...]:
    """This function will read the endpoints that are subscribed, without what must stay secret."""
    rows = session.scalars(
        sa.select(WebhookEndpoint).where(WebhookEndpoint.removed_at.is_(None)).order_by(WebhookEndpoint.name)
    )
    return tuple(
        Endpoint(
            id=row.id,
            name=row.name,
            shape=row.shape,
            host=urlsplit(row.url).hostname or "",
            signed=row.secret is not None,
            topics=tuple(row.topics),
            created_at=row.created_at,
        )
        for row in rows
    )


def announce(
    session: Session,
    *,
    topic: str,
    document_kind: str,
    payloads: Mapping[int, dict[str, Any]],
    now: datetime,
) -> list[str]:
    """This function will write, for each endpoint subscribed to a topic, one message per document; returns their keys.

    `payloads` are by the document's id.
    """
    rows = session.execute(
        sa.select(WebhookEndpoint.id, WebhookEndpoint.topics)
        .where(WebhookEndpoint.removed_at.is_(None))
        .order_by(WebhookEndpoint.id)
    ).all()
    return [
        outbox.put(
            session,
            topic=topic,
            recipient=f"{PREFIX}{row.id}",
            document_kind=document_kind,
            document_id=document_id,
            payload=payload,
            now=now,
        )
        for row in rows
        if topic in row.topics
        for document_id, payload in payloads.items()
    ]


def _refuse(*, name: str, url: str, topics: Sequence[str], secret: str | None) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadEndpoint(f"the name of a webhook must be 1 to {LONGEST_NAME} printable characters")
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and parts.hostname and parts.username is None and (parts.port or 443) > 0
    except ValueError:
        usable = False
    # The text of the address is not repeated: it is a secret.
    if not usable or len(url) > LONGEST_URL or not url.isprintable() or not url.isascii() or " " in url:
        raise BadEndpoint(
            f"the address of webhook {name} cannot be used: it must start with https://, name a host, hold no user "
            f"and no spaces, and be at most {LONGEST_URL} characters"
        )
    if secret is not None and (len(secret) > LONGEST_SECRET or not secret.isprintable()):
        raise BadEndpoint(f"the secret of webhook {name} must be at most {LONGEST_SECRET} printable characters")
    unknown = sorted(set(topics) - set(TOPICS))
    if unknown or not topics:
        raise BadEndpoint(f"webhook {name} must subscribe to at least one of {', '.join(TOPICS)}")
