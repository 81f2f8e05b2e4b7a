"""Messages are tried again after ever longer pauses, die in the end, and come back to life by a person's hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import deliveries, outbox, users, webhooks
from scm.core.deliveries import Envelope, MessageUnknown, NotDead
from scm.core.outbox import OutboxMessage
from scm.core.users import Actor, Role, RoleMissing
from scm.core.webhooks import BadEndpoint, EndpointExists, EndpointUnknown, WebhookEndpoint, WebhookShape

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
URL = "https://hooks.example/services/SECRET"


@pytest.fixture
def boss(session: Session) -> Actor:
    return users.add(session, username="boss", display_name="Boss", roles=frozenset({Role.ADMIN}), now=NOW)


def put(session: Session) -> str:
    return outbox.put(session, topic="t", recipient="a@b", document_kind="d", document_id=1, payload={"a": 1}, now=NOW)


def claim(session: Session, now: datetime = NOW) -> Envelope:
    [envelope] = deliveries.claim(session, now=now)
    return envelope


def test_a_claimed_message_is_nobody_elses_until_its_claim_runs_out(session: Session) -> None:
    key = put(session)
    first = claim(session)
    assert first.message_key == key
    assert deliveries.claim(session, now=NOW + timedelta(minutes=1)) == []
    again = claim(session, NOW + timedelta(minutes=6))
    assert (again.message_key, again.attempt) == (key, 2)


def test_pauses_double_up_to_six_hours_and_the_tenth_failure_is_the_last(session: Session) -> None:
    put(session)
    now, pauses = NOW, []
    for attempt in range(1, deliveries.MOST_ATTEMPTS + 1):
        envelope = claim(session, now)
        dead = deliveries.failed(session, envelope, error="no", for_good=False, now=now)
        assert dead is (attempt == deliveries.MOST_ATTEMPTS)
        if not dead:
            session.expire_all()
            following = session.scalars(sa.select(OutboxMessage.next_attempt_at)).one()
            assert following is not None
            pauses.append((following - now).total_seconds())
            now = following
    assert pauses[:4] == [30, 60, 120, 240]
    assert max(pauses) <= 6 * 3600
    assert not deliveries.due(session, now=now + timedelta(days=9))
    assert deliveries.backlog(session) == deliveries.Backlog(waiting=0, oldest_at=None, dead=1)


def test_what_can_never_succeed_is_dead_at_once_and_sent_again_by_hand(session: Session, boss: Actor) -> None:
    put(session)
    envelope = claim(session)
    assert deliveries.failed(session, envelope, error="x" * 900, for_good=True, now=NOW)
    deliveries.send_again(session, [envelope.id], actor=boss)
    again = claim(session)
    assert (again.message_key, again.attempt) == (envelope.message_key, 1)
    deliveries.delivered(session, again, now=NOW)
    session.expire_all()
    with pytest.raises(NotDead, match="was delivered"):
        deliveries.send_again(session, [again.id], actor=boss)
    with pytest.raises(MessageUnknown):
        deliveries.send_again(session, [10**6], actor=boss)


def test_a_late_failure_does_not_undo_a_delivery(session: Session) -> None:
    put(session)
    slow = claim(session)
    quick = claim(session, NOW + timedelta(minutes=6))
    deliveries.delivered(session, quick, now=NOW)
    deliveries.failed(session, slow, error="timeout", for_good=True, now=NOW)
    session.expire_all()
    row = session.scalars(sa.select(OutboxMessage)).one()
    assert row.delivered_at == NOW and row.dead_at is None


def test_a_message_that_kills_its_senders_dies(session: Session) -> None:
    put(session)
    now = NOW
    for _ in range(deliveries.MOST_ATTEMPTS):
        claim(session, now)
        now += timedelta(minutes=6)
    assert deliveries.claim(session, now=now) == []
    assert deliveries.backlog(session).dead == 1


# ---- webhooks


def add(session: Session, boss: Actor, name: str = "room", **changes: Any) -> int:
    values: dict[str, Any] = {
        "name": name,
        "shape": WebhookShape.SLACK,
        "url": URL,
        "topics": [webhooks.APPROVAL_ASKED],
    } | changes
    return webhooks.add(session, actor=boss, now=NOW, **values)


def announce(session: Session, topic: str) -> list[str]:
    return webhooks.announce(session, topic=topic, document_kind="d", payloads={1: {"n": 1}, 2: {"n": 2}}, now=NOW)


def test_who_subscribed_is_told_and_who_left_is_not(session: Session, boss: Actor) -> None:
    room = add(session, boss)
    add(session, boss, "other", topics=[webhooks.RUN_FAILED])
    assert len(announce(session, webhooks.APPROVAL_ASKED)) == 2
    assert set(session.scalars(sa.select(OutboxMessage.recipient))) == {f"webhook:{room}"}
    webhooks.remove(session, endpoint_id=room, actor=boss, now=NOW)
    assert announce(session, webhooks.APPROVAL_ASKED) == []
    row = session.get_one(WebhookEndpoint, room)
    assert (row.url, row.secret) == ("https://hooks.example/", None)
    with pytest.raises(EndpointUnknown):
        webhooks.remove(session, endpoint_id=room, actor=boss, now=NOW)


def test_what_is_shown_of_an_endpoint_holds_neither_address_nor_secret(session: Session, boss: Actor) -> None:
    add(session, boss, secret="hush")
    [shown] = webhooks.endpoints(session)
    assert (shown.host, shown.signed) == ("hooks.example", True)
    assert "SECRET" not in repr(shown) and "hush" not in repr(shown)
    noted = repr(session.info["audit_rows"])
    assert "SECRET" not in noted and "hush" not in noted


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://hooks.example/SECRET"},
        {"url": "https://user:SECRET@hooks.example/"},
        {"url": "https:///SECRET"},
        {"url": "https://hooks.example:99999/SECRET"},
        {"url": "https://hooks.example/SECRET\nx"},
        {"topics": ["nothing"]},
        {"topics": []},
        {"name": " "},
        {"secret": "SECRET" * 100},
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused_without_repeating_it(
    session: Session, boss: Actor, changes: dict[str, Any]
) -> None:
    with pytest.raises(BadEndpoint) as refused:
        add(session, boss, **changes)
    assert "SECRET" not in str(refused.value)


def test_only_an_administrator_subscribes_and_a_name_is_given_once(session: Session, boss: Actor) -> None:
    add(session, boss)
    with pytest.raises(EndpointExists):
        add(session, boss)
    buyer = users.add(session, username="b", display_name="B", roles=frozenset({Role.BUYER}), now=NOW)
    with pytest.raises(RoleMissing):
        add(session, buyer, "another")
