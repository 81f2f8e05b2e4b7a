"""What a webhook is sent: a card in the shape of 企业微信, 钉钉 or Slack, and how each says that it took it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from scm.core import webhooks
from scm.core.deliveries import Envelope
from scm.core.webhooks import WebhookShape
from web.delivery import DeliveryFailed
from web.delivery.posting import Reply

LONGEST_LINE = 300


@dataclass(frozen=True, kw_only=True)
class Card:
    """What every shape can show: a title, lines of name and value, and a link."""

    title: str
    facts: tuple[tuple[str, str], ...]
    link: str | None
    link_text: str


def card_of(envelope: Envelope, *, public_url: str | None) -> Card:
    """This function will write the card of a message. Rooms read both languages, so it is in both."""
    payload = envelope.payload
    if envelope.topic == webhooks.APPROVAL_ASKED:
        return Card(
            title=f"采购订单待审批 · Purchase order {payload['number']} waits for approval",
            facts=(
                ("供应商 Supplier", str(payload["supplier"])),
                ("金额 Amount", str(payload["amount"])),
                ("行数 Lines", str(payload["lines"])),
                ("提交人 Submitted by", str(payload["requester"])),
            ),
            link=_link(public_url, f"/purchase-orders/{payload['number']}"),
            link_text="去审批 Review",
        )
    return Card(
        title=f"任务失败 · Job {payload.get('job', envelope.topic)} failed",
        facts=(("时间 Slot", str(payload.get("slot", ""))), ("原因 Reason", str(payload.get("error", "")))),
        link=_link(public_url, f"/jobs/{envelope.document_id}"),
        link_text="查看 Open",
    )


def body_of(shape: WebhookShape, card: Card) -> dict[str, Any]:
    """This function will put a card into the shape that the receiver understands."""
    facts = [(name, value[:LONGEST_LINE]) for name, value in card.facts]
    if shape is WebhookShape.SLACK:
        return _slack(card, facts)
    lines = [f"> {name}：{_plain(value)}" for name, value in facts]
    if shape is WebhookShape.WECOM:
        link = [f"[{card.link_text}]({card.link})"] if card.link else []
        return {"msgtype": "markdown", "markdown": {"content": "\n".join([f"**{_plain(card.title)}**", *lines, *link])}}
    text = "\n\n".join([f"### {_plain(card.title)}", *lines])
    if card.link is None:
        return {"msgtype": "markdown", "markdown": {"title": card.title, "text": text}}
    return {
        "msgtype": "actionCard",
        "actionCard": {"title": card.title, "text": text, "singleTitle": card.link_text, "singleURL": card.link},
    }


def signed_url(shape: WebhookShape, url: str, secret: str | None, *, now: datetime) -> str:
    """This function will add the signature that 钉钉 asks for: HMAC-SHA256 over time and secret, in the address."""
    if shape is not WebhookShape.DINGTALK or secret is None:
        return url
    stamp = str(int(now.timestamp() * 1000))
    digest = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}timestamp={stamp}&sign={quote_plus(base64.b64encode(digest))}"


def refuse_unless_taken(shape: WebhookShape, reply: Reply) -> None:
    """This function will raise `DeliveryFailed` unless the receiver says that it took the message.

    企业微信 and 钉钉 answer 200 even when they refuse; the reason stands in `errcode`.
    """
    if 300 <= reply.status < 400:
        raise DeliveryFailed(f"the receiver answered {reply.status}, a redirect, which is not followed", for_good=True)
    if not 200 <= reply.status < 300:
        gone = reply.status in (400, 401, 403, 404, 410)
        raise DeliveryFailed(f"the receiver answered {reply.status}", for_good=gone)
    if shape is WebhookShape.SLACK:
        return
    try:
        answer = json.loads(reply.text)
    except ValueError:
        raise DeliveryFailed("the receiver's answer is no JSON") from None
    code = answer.get("errcode") if isinstance(answer, Mapping) else None
    if code != 0:
        raise DeliveryFailed(f"the receiver refused the message with errcode {code!r}"[:200])


def _slack(card: Card, facts: list[tuple[str, str]]) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": card.title[:150]}},
        {
            "type": "section",
            "fields": [{"type": "mrkdwn", "text": f"*{name}*\n{_escaped(value) or '–'}"} for name, value in facts],
        },
    ]
    if card.link:
        button = {"type": "button", "text": {"type": "plain_text", "text": card.link_text}, "url": card.link}
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": card.title, "blocks": blocks}


def _link(public_url: str | None, path: str) -> str | None:
    return None if public_url is None else public_url + path


def _plain(text: str) -> str:
    """Text from documents must not become a link or a heading of its own."""
    for sign in "[]()<>*#`":
        text = text.replace(sign, " ")
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
