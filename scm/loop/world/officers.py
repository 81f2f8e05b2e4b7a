"""The planner, the procurement officer and the approver, who answer last night's proposals each morning."""

from __future__ import annotations

from datetime import date

from procurement import orders, proposals
from scm.loop.world.stage import Stage


def answer_proposals(stage: Stage, *, today: date) -> list[int]:
    """This function will accept the open proposals, order them with another person's approval, and send the orders.

    Returns the ids of the purchase orders.
    """
    now = stage.at(today, 8)
    site_id = stage.setup.site_id
    planner, buyer, approver = stage.person("planner"), stage.person("buyer"), stage.person("approver")
    open_ids = stage.look(lambda session: proposals.open_ids(session, site_id=site_id))
    if not open_ids:
        return []
    stage.act(lambda session: proposals.accept(session, open_ids, actor=planner, now=now))
    order_ids = stage.act(lambda session: orders.draft(session, open_ids, actor=buyer, now=now, today=today))
    stage.act(lambda session: orders.submit(session, order_ids, actor=buyer, now=now))
    stage.act(lambda session: orders.approve(session, order_ids, actor=approver, now=now, today=today))
    stage.act(lambda session: orders.send(session, order_ids, actor=buyer, now=now, today=today))
    return order_ids
