"""Sends what waits in the outbox, one message after the other: claim, send outside transactions, note the outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from scm.core import deliveries, webhooks
from scm.core.config import Settings
from scm.core.db import Database
from scm.core.deliveries import Envelope
from scm.core.progress import SILENT, Progress
from scm.core.webhooks import PREFIX, WebhookEndpoint, WebhookShape
from web.delivery import DeliveryFailed, cards, letters, posting
from web.delivery.letters import Folder, PostOffice, SmtpServer
from web.delivery.posting import Reply

MOST_AT_ONCE = 500  # then the run ends, and the next slot goes on
log = structlog.get_logger("scm.delivery")
Post = Callable[..., Reply]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one run delivered."""

    delivered: int = 0
    failed: int = 0
    dead: int = 0


@dataclass(frozen=True, kw_only=True)
class _Target:
    """Where a webhook goes. Neither part is ever shown."""

    shape: WebhookShape
    url: str
    secret: str | None


def deliver(
    database: Database,
    *,
    settings: Settings,
    simulated: bool,
    clock: Callable[[], datetime],
    progress: Progress = SILENT,
    office: PostOffice | None = None,
    post: Post = posting.post_json,
) -> Outcome:
    """This function will send the messages that are due. A simulated company writes no letters to real people."""
    office = office or office_of(settings, simulated=simulated)
    delivered = failed = dead = 0
    progress.stage("Delivering messages")
    for _ in range(MOST_AT_ONCE):
        claimed = database.run(lambda session: deliveries.claim(session, now=clock()))
        if not claimed:
            break
        [envelope] = claimed
        error = _tried(database, envelope, settings=settings, office=office, post=post, now=clock())
        if error is None:
            _note_delivered(database, envelope, now=clock())
            delivered += 1
        else:
            is_dead = _note_failed(database, envelope, error, now=clock())
            failed, dead = failed + (not is_dead), dead + is_dead
        progress.advance()
    return Outcome(delivered=delivered, failed=failed, dead=dead)


def office_of(settings: Settings, *, simulated: bool) -> PostOffice:
    """This function will choose the SMTP server when there is one, else the folder."""
    if settings.smtp_url is None or simulated:
        return Folder(Path(settings.outbox_directory))
    return SmtpServer(settings.smtp_url)


def _note_delivered(database: Database, envelope: Envelope, *, now: datetime) -> None:
    database.run(lambda session: deliveries.delivered(session, envelope, now=now))


def _note_failed(database: Database, envelope: Envelope, error: DeliveryFailed, *, now: datetime) -> bool:
    dead = database.run(
        lambda session: deliveries.failed(session, envelope, error=str(error), for_good=error.for_good, now=now)
    )
    log.warning(
        "message not delivered",
        message=envelope.message_key,
        topic=envelope.topic,
        attempt=envelope.attempt,
        dead=dead,
        error=str(error),
    )
    return dead


def _tried(
    database: Database, envelope: Envelope, *, settings: Settings, office: PostOffice, post: Post, now: datetime
) -> DeliveryFailed | None:
    try:
        if envelope.recipient.startswith(PREFIX):
            _post(_target(database, envelope), envelope, settings=settings, post=post, now=now)
        else:
            letter = letters.letter_of(envelope, mail_from=settings.mail_from)
            office.send(letter, message_key=envelope.message_key)
    except DeliveryFailed as error:
        return error
    except (KeyError, TypeError, ValueError) as error:
        # What was put into the outbox makes no letter or card: it never will.
        return DeliveryFailed(f"the message cannot be written ({type(error).__name__})", for_good=True)
    return None


def _post(target: _Target, envelope: Envelope, *, settings: Settings, post: Post, now: datetime) -> None:
    card = cards.card_of(envelope, public_url=settings.public_url)
    url = cards.signed_url(target.shape, target.url, target.secret, now=now)
    reply = post(url, cards.body_of(target.shape, card), message_key=envelope.message_key)
    cards.refuse_unless_taken(target.shape, reply)


def _target(database: Database, envelope: Envelope) -> _Target:
    endpoint_id = int(envelope.recipient.removeprefix(webhooks.PREFIX))
    with database.unit_of_work(write=False) as session:
        row = session.get(WebhookEndpoint, endpoint_id)
        if row is None or row.removed_at is not None:
            raise DeliveryFailed(f"the webhook {endpoint_id} was removed", for_good=True)
        return _Target(shape=row.shape, url=row.url, secret=row.secret)
