"""Messages that leave the system: what waits, what arrived, what was given up and may be sent again."""

from __future__ import annotations

from collections.abc import Mapping

from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from procurement import orders
from scm.core import deliveries, delivery_list
from scm.core.delivery_list import DeliveryState
from scm.core.listing import Found
from scm.core.users import Role
from web.area import Area
from web.desk import Desk, act
from web.formats import count
from web.i18n import Text
from web.listing import Bulk, Column, ListPage, bulk
from web.listing.routes import picked, register
from web.pages.operations import webhooks

area = Area("messages", __name__)
ROLES = frozenset({Role.ADMIN})
TOPICS: Mapping[str, Text] = {**webhooks.TOPICS, orders.TOPIC: _l("Purchase order to its supplier")}


def topic_of(topic: str) -> Text:
    """This function will say what a message is about."""
    return TOPICS.get(topic, topic)


def _heading(found: Found, desk: Desk) -> Text:
    return ngettext("%(count)s message", "%(count)s messages", found.matching, count=count(found.matching))


OUTBOX = ListPage(
    name="messages",
    rule="/jobs/messages",
    roles=ROLES,
    listing=lambda desk: delivery_list.listing(),
    columns=(
        Column(field="created_at", label=_l("Written"), filtered=True),
        Column(field="topic", label=_l("Topic"), filtered=True, template="operations/message_topic.html"),
        Column(field="recipient", label=_l("Recipient"), filtered=True),
        Column(
            field="state",
            label=_l("State"),
            filtered=True,
            names={
                DeliveryState.WAITING: _l("waiting"),
                DeliveryState.RETRYING: _l("is tried again"),
                DeliveryState.DELIVERED: _l("delivered"),
                DeliveryState.DEAD: _l("given up"),
            },
            meanings={
                DeliveryState.WAITING: "idle",
                DeliveryState.RETRYING: "watch",
                DeliveryState.DELIVERED: "good",
                DeliveryState.DEAD: "risk",
            },
        ),
        Column(field="attempts", label=_l("Attempts")),
        Column(field="next_attempt_at", label=_l("Next attempt"), shown=False),
        Column(field="delivered_at", label=_l("Delivered")),
        Column(field="last_error", label=_l("What went wrong"), sortable=False, template="operations/run_error.html"),
        Column(field="message_key", label=_l("Key"), shown=False, sortable=False),
    ),
    identity="message_key",
    heading=_heading,
    why_empty=_l("Orders to suppliers and cards for chat rooms appear here as soon as one is written."),
    presets=((_l("Given up"), "state=dead"), (_l("Tried again"), "state=retrying")),
    bulk=(Bulk(endpoint="messages.send_again", text=_l("Send again"), primary=True),),
)
register(area, OUTBOX)
area.add_app_template_global(topic_of, "message_topic")


@area.action("/jobs/messages/send-again", roles=ROLES)
def send_again(desk: Desk) -> ResponseReturnValue:
    """This function will let the picked dead messages be tried again; all of them, or none."""
    ids = picked(OUTBOX, desk)
    act("outbox.send_again", lambda session: deliveries.send_again(session, ids, actor=desk.actor))
    said = ngettext(
        "%(count)s message is sent again.", "%(count)s messages are sent again.", len(ids), count=count(len(ids))
    )
    return bulk.answer("messages", said=said, refused=())
