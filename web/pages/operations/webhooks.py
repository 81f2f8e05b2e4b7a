"""Webhooks: the chat rooms that are told of approvals and failures. Their addresses are never shown again."""

from __future__ import annotations

from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from marshmallow import fields, validate

from scm.core import clock, webhooks
from scm.core.users import Role
from scm.core.webhooks import WebhookShape
from web.area import Area
from web.desk import Desk, act, done, read
from web.schemas import Form, read_form

area = Area("webhooks", __name__)
ROLES = frozenset({Role.ADMIN})
SHAPES = {
    WebhookShape.WECOM: "企业微信 (WeCom)",
    WebhookShape.DINGTALK: "钉钉 (DingTalk)",
    WebhookShape.SLACK: "Slack",
}
TOPICS = {
    webhooks.APPROVAL_ASKED: _l("A purchase order waits for approval"),
    webhooks.RUN_FAILED: _l("A job has failed"),
}


class NewWebhook(Form):
    """The form for a new webhook."""

    name = fields.String(required=True, validate=validate.Length(max=webhooks.LONGEST_NAME))
    shape = fields.Enum(WebhookShape, by_value=True, required=True)
    url = fields.String(required=True, validate=validate.Length(max=webhooks.LONGEST_URL))
    secret = fields.String(load_default=None, validate=validate.Length(max=webhooks.LONGEST_SECRET))
    topics = fields.List(fields.String(validate=validate.OneOf(webhooks.TOPICS)), load_default=list)


@area.page("/jobs/webhooks", roles=ROLES)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will show the webhooks and the form for another."""
    with read() as session:
        found = webhooks.endpoints(session)
    choices = [(shape.value, text) for shape, text in SHAPES.items()]
    return render_template("operations/webhooks.html", endpoints=found, shapes=SHAPES, topics=TOPICS, choices=choices)


@area.action("/jobs/webhooks/add", roles=ROLES)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will subscribe a chat room."""
    given: dict[str, Any] = read_form(NewWebhook)
    act(
        "webhook.add",
        lambda session: webhooks.add(session, **given, actor=desk.actor, now=clock.wall_now()),
    )
    return done(url_for("webhooks.index"), gettext("%(name)s is told from now on.", name=given["name"]))


@area.action("/jobs/webhooks/<int:endpoint_id>/remove", roles=ROLES)
def remove(desk: Desk, endpoint_id: int) -> ResponseReturnValue:
    """This function will end a subscription."""
    act(
        "webhook.remove",
        lambda session: webhooks.remove(session, endpoint_id=endpoint_id, actor=desk.actor, now=clock.wall_now()),
    )
    return done(url_for("webhooks.index"), gettext("The webhook is removed, and its secret is erased."))
