"""Cards, letters, and where they may go: public addresses only, pinned, without redirects."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.orm import Session

from scm.core import clock, db, deliveries, outbox, users, webhooks
from scm.core.config import Settings
from scm.core.db import Database
from scm.core.deliveries import Envelope
from scm.core.users import Role
from scm.core.webhooks import WebhookShape
from tests.world import World
from web.delivery import DeliveryFailed, addresses, cards, letters, posting, sending
from web.delivery.posting import Reply

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAYLOAD = {"number": "PO-1", "supplier": "[Bolt](x) Ltd", "amount": "12.00 GBP", "lines": 2, "requester": "mira"}


def envelope(topic: str = webhooks.APPROVAL_ASKED, recipient: str = "webhook:1", **payload: object) -> Envelope:
    return Envelope(
        id=1,
        message_key="key-1",
        topic=topic,
        recipient=recipient,
        document_kind="purchase_order",
        document_id=7,
        payload=PAYLOAD | payload,
        created_at=NOW,
        attempt=1,
    )


# ---- addresses


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "2001:0:7f00:1::",
        "::127.0.0.1",
        "ff02::1",
        "no address",
    ],
)
def test_no_address_inside_a_network_is_reached(address: str) -> None:
    with pytest.raises(DeliveryFailed) as refused:
        addresses.public_address("hooks.example", 443, resolver=lambda host, port: ["93.184.216.34", address])
    assert refused.value.for_good


def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    opened: list[tuple[str, int]] = []

    def connect(address: str, port: int) -> socket.socket:
        opened.append((address, port))
        raise ConnectionRefusedError

    def resolver(host: str, port: int) -> list[str]:
        return next(answers)

    with pytest.raises(DeliveryFailed, match="could not be reached"):
        posting.post_json("https://hooks.example/SECRET", {}, message_key="k", resolver=resolver, connect=connect)
    assert opened == [("93.184.216.34", 443)]


def test_a_name_that_turns_to_the_inside_later_is_refused_then() -> None:
    with pytest.raises(DeliveryFailed) as refused:
        posting.post_json("https://hooks.example/SECRET", {}, message_key="k", resolver=lambda h, p: ["10.0.0.1"])
    assert "SECRET" not in str(refused.value)


def served(answer: bytes) -> tuple[Callable[[str, int], socket.socket], list[bytes]]:
    """This function will give a connection to a receiver that answers with these bytes, and what it received."""
    received: list[bytes] = []

    def connect(address: str, port: int) -> socket.socket:
        ours, theirs = socket.socketpair()

        def serve() -> None:
            with theirs:
                sent = b""
                while not sent.endswith(b"}"):
                    sent += theirs.recv(65_536)
                received.append(sent)
                with contextlib.suppress(OSError):  # whoever has read enough hangs up
                    theirs.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return ours

    return connect, received


def post(answer: bytes) -> tuple[Reply, bytes]:
    connect, received = served(answer)
    reply = posting.post_json(
        "https://hooks.example/a?key=b",
        {"text": "审批"},
        message_key="key-1",
        resolver=lambda host, port: ["93.184.216.34"],
        connect=connect,
    )
    return reply, received[0]


def test_a_message_is_posted_with_its_key_and_a_redirect_is_not_followed() -> None:
    reply, sent = post(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert reply == Reply(status=200, text="ok")
    assert sent.startswith(b"POST /a?key=b HTTP/1.1\r\n")
    assert b"Host: hooks.example\r\n" in sent and b"Idempotency-Key: key-1\r\n" in sent
    redirect, _ = post(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(DeliveryFailed, match="a redirect, which is not followed") as refused:
        cards.refuse_unless_taken(WebhookShape.SLACK, redirect)
    assert refused.value.for_good


def test_a_receiver_that_talks_for_ever_is_not_listened_to() -> None:
    reply, _ = post(b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n" + b"x" * 200_000)
    assert len(reply.text) == posting.MOST_BYTES


# ---- cards


@pytest.mark.parametrize("shape", list(WebhookShape))
@pytest.mark.parametrize("public_url", [None, "https://scm.example"])
def test_every_shape_shows_order_amount_and_link(shape: WebhookShape, public_url: str | None) -> None:
    body = json.dumps(cards.body_of(shape, cards.card_of(envelope(), public_url=public_url)), ensure_ascii=False)
    assert "PO-1" in body and "12.00 GBP" in body and "待审批" in body
    assert ("https://scm.example/purchase-orders/PO-1" in body) is (public_url is not None)
    assert "[Bolt](x)" not in body or shape is WebhookShape.SLACK


def test_dingtalk_is_signed_as_its_manual_says() -> None:
    url = cards.signed_url(
        WebhookShape.DINGTALK, "https://oapi.dingtalk.com/robot/send?access_token=t", "SEC1", now=NOW
    )
    query = parse_qs(urlsplit(url).query)
    stamp = str(int(NOW.timestamp() * 1000))
    wanted = hmac.new(b"SEC1", f"{stamp}\nSEC1".encode(), hashlib.sha256).digest()
    assert query["timestamp"] == [stamp]
    assert base64.b64decode(query["sign"][0]) == wanted
    assert cards.signed_url(WebhookShape.SLACK, "https://a.example/", "s", now=NOW) == "https://a.example/"


def test_a_refusal_with_status_200_is_a_failure() -> None:
    cards.refuse_unless_taken(WebhookShape.WECOM, Reply(status=200, text='{"errcode":0,"errmsg":"ok"}'))
    for text in ('{"errcode":93000,"errmsg":"invalid webhook url"}', "[]", "oops"):
        with pytest.raises(DeliveryFailed):
            cards.refuse_unless_taken(WebhookShape.DINGTALK, Reply(status=200, text=text))


# ---- letters


def test_a_letter_written_twice_is_one_file_and_its_table_holds_no_formula(tmp_path: Path) -> None:
    lines = [{"sku": "=HYPERLINK(1)", "quantity": 5, "unit_price": "1.20", "due_date": "2026-04-01"}]
    sent = envelope(topic="purchase_order.sent", recipient="a@b.example\nBcc: x@y", lines=lines, currency="GBP")
    for _ in range(2):
        letters.Folder(tmp_path / "out").send(letters.letter_of(sent, mail_from="scm@us.example"), message_key="key-1")
    [file] = (tmp_path / "out").iterdir()
    letter = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert letter["Message-ID"] == "<key-1@us.example>"
    assert letter["Bcc"] is None
    [table] = letter.iter_attachments()
    assert "'=HYPERLINK(1),5,1.20,2026-04-01" in table.get_content()


def test_a_simulated_company_writes_to_nobody(tmp_path: Path) -> None:
    settings = Settings(smtp_url="smtp://mail.example:587", outbox_directory=str(tmp_path))
    assert isinstance(sending.office_of(settings, simulated=True), letters.Folder)
    assert isinstance(sending.office_of(settings, simulated=False), letters.SmtpServer)


def test_a_partner_without_an_address_is_a_dead_letter() -> None:
    letter = letters.letter_of(envelope(recipient="S07", lines=[]), mail_from="a@b.example")
    with pytest.raises(DeliveryFailed, match="no e-mail address") as refused:
        letters.SmtpServer("smtp://mail.example").send(letter, message_key="k")
    assert refused.value.for_good


# ---- the whole way


def deliver(database: Database, tmp_path: Path, reply: Reply) -> tuple[sending.Outcome, list[tuple[str, str]]]:
    posted: list[tuple[str, str]] = []

    def post_json(url: str, body: dict[str, object], *, message_key: str) -> Reply:
        assert not db.in_transaction(), "nothing is sent while a transaction is open"
        posted.append((url, json.dumps(body, ensure_ascii=False)))
        return reply

    outcome = sending.deliver(
        database,
        settings=Settings(outbox_directory=str(tmp_path)),
        simulated=True,
        clock=clock.wall_now,
        post=post_json,
    )
    return outcome, posted


def with_a_room(session: Session) -> World:
    world = World(session)
    boss = users.add(session, username="boss", display_name="B", roles=frozenset({Role.ADMIN}), now=NOW)
    webhooks.add(
        session,
        name="room",
        shape=WebhookShape.SLACK,
        url="https://hooks.example/SECRET",
        topics=[webhooks.APPROVAL_ASKED],
        actor=boss,
        now=NOW,
    )
    return world


def test_a_submitted_order_puts_a_card_into_the_room(database: Database, tmp_path: Path) -> None:
    with database.unit_of_work(write=True) as session:
        world = with_a_room(session)
        agreement = world.agreement(world.item("bolt"), world.supplier("S1"))
        world.submitted_order((agreement, 10))
    outcome, [(url, body)] = deliver(database, tmp_path, Reply(status=200, text="ok"))
    assert outcome == sending.Outcome(delivered=1)
    assert url == "https://hooks.example/SECRET"
    assert "PO-" in body and "40.00 GBP" in body
    assert deliver(database, tmp_path, Reply(status=200, text="ok")) == (sending.Outcome(), [])


def test_a_room_that_is_gone_leaves_a_dead_letter_that_names_no_secret(database: Database, tmp_path: Path) -> None:
    with database.unit_of_work(write=True) as session:
        world = with_a_room(session)
        agreement = world.agreement(world.item("bolt"), world.supplier("S1"))
        order = world.sent_order((agreement, 10))
        outbox.put(
            session,
            topic=webhooks.APPROVAL_ASKED,
            recipient="webhook:99",
            document_kind="d",
            document_id=order,
            payload=PAYLOAD,
            now=NOW,
        )
    outcome, _ = deliver(database, tmp_path, Reply(status=404, text="no_service"))
    assert outcome == sending.Outcome(delivered=1, dead=2)
    assert len(list(tmp_path.glob("*.eml"))) == 1
    with database.unit_of_work(write=False) as session:
        assert deliveries.backlog(session).dead == 2
