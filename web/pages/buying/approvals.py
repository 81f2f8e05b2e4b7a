"""The approver's inbox: what waits, the most urgent first; decided on the spot, one by one or many at once."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from sqlalchemy.orm import Session

from procurement import in_bulk, inbox, orders, purchase_orders
from procurement.orders import Outcome
from scm.core.errors import InvalidInput
from scm.core.users import Role
from scm.finance import money
from web import i18n
from web.area import Area
from web.desk import Desk, act, read
from web.listing import bulk
from web.listing.bulk import Refused
from web.pages.buying import wording

area = Area("approvals", __name__)
APPROVERS = frozenset({Role.APPROVER})
MOST_PICKED = 500


class NothingPicked(InvalidInput):
    """No order was picked, or what was sent names none."""


@area.page("/approvals", roles=APPROVERS)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will show what waits for approval."""
    with read() as session:
        found = inbox.read(session, site_id=desk.site_id, actor=desk.actor, today=desk.today)
    refused = {one.order_id: i18n.refusal(one.refusal) for one in found.waiting if one.refusal is not None}
    return render_template(
        "buying/approvals.html", found=found, refused=refused, wording=wording, places=money.places(desk.currency)
    )


@area.action("/approvals/approve", roles=APPROVERS)
def approve(desk: Desk) -> ResponseReturnValue:
    """This function will approve the picked orders, each for itself."""
    ids = picked()

    def work(session: Session) -> list[list[str]]:
        purchase_orders.refuse_elsewhere(session, ids, site_id=desk.site_id)
        return told(orders.approve_each(session, ids, actor=desk.actor, now=desk.now, today=desk.today))

    outcomes = act("purchase_order.approve_each", work)
    done = sum(not why for _, why in outcomes)
    return answer("approvals", ngettext("%(num)s order approved.", "%(num)s orders approved.", done), outcomes)


@area.action("/approvals/send-back", roles=APPROVERS)
def send_back(desk: Desk) -> ResponseReturnValue:
    """This function will send the picked orders back with one reason."""
    ids, reason = picked(), request.form.get("reason", "")

    def work(session: Session) -> list[list[str]]:
        purchase_orders.refuse_elsewhere(session, ids, site_id=desk.site_id)
        return told(in_bulk.reject_each(session, ids, reason=reason, actor=desk.actor, now=desk.now))

    outcomes = act("purchase_order.reject_each", work)
    done = sum(not why for _, why in outcomes)
    return answer("approvals", ngettext("%(num)s order sent back.", "%(num)s orders sent back.", done), outcomes)


def picked() -> list[int]:
    """This function will give the ids of the picked orders. Raises `NothingPicked`."""
    texts = request.form.getlist("row")
    ids = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]
    if not ids or len(ids) != len(texts) or len(ids) > MOST_PICKED:
        raise NothingPicked(f"{len(texts)} orders are picked: pick 1 to {MOST_PICKED}")
    return list(dict.fromkeys(ids))


def told(outcomes: Sequence[Outcome]) -> list[list[str]]:
    """This function will say what came of each order: its number, and why not, in the reader's language."""
    return [[o.number, i18n.refusal(o.refusal) if o.refusal is not None else ""] for o in outcomes]


def answer(name: str, said: str, outcomes: Sequence[Sequence[str]]) -> ResponseReturnValue:
    """This function will lead back, or show the orders that were refused."""
    return bulk.answer(name, said=said, refused=[Refused(name=number, why=why) for number, why in outcomes if why])
