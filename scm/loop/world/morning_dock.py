"""The dock in the morning: lorries that are late or due today, and one that is unloaded and not yet put away.

What the suppliers of the simulated days owe is there already. Where it is not enough, the buyer had ordered some more,
each at its supplier's agreed lead time before the day it is due, and the approver had agreed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import orders
from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderState
from scm.loop import sources
from scm.loop.sources import Source
from scm.loop.world import labels, morning_office
from scm.loop.world.labels import Counted
from scm.loop.world.stage import Stage
from scm.master import agreements
from scm.master.agreements import AgreementRequest, SupplierAgreement
from scm.master.partners import Partner
from warehouse import receiving

LATE_DAYS = (3, 1)
LINES = 3
WEEKS = 1
STEPS = (
    ("submit", PurchaseOrderState.DRAFT),
    ("approve", PurchaseOrderState.SUBMITTED),
    ("send", PurchaseOrderState.APPROVED),
)


def unload(stage: Stage, *, today: date) -> None:
    """This function will leave late and due deliveries at the door, and one of them on the dock."""
    lorries = stage.look_once(f"{today} lorries", lambda session: _lorries(session, stage, today=today))
    for turn, (due, agreement_ids) in enumerate(lorries):
        unloads = turn == len(lorries) - 1
        if unloads:
            _ask_for_inspection(stage, agreement_ids[0], today=today)
        _order_earlier(stage, f"{today} lorry {turn}", agreement_ids, due_date=date.fromisoformat(due), today=today)
        if unloads:
            _receive(stage, today=today)


def _lorries(session: Session, stage: Stage, *, today: date) -> list[tuple[str, list[int]]]:
    """When the lorries that are lacking are due, and the agreements on what they bring; the last one is unloaded."""
    owed = _due_dates(session, stage, today=today)
    late, due = sum(day < today for day in owed), sum(day == today for day in owed)
    wanted = [today - timedelta(days=days) for days in LATE_DAYS][: max(0, len(LATE_DAYS) - late)]
    wanted += [today] * (1 if due else 2)
    # From the long end of the list: what was ordered long ago is not what is short now.
    loads = [bought[-LINES:] for bought in morning_office.by_cover(session, stage).values()]
    return [
        (day.isoformat(), [source.agreement_id for source in loads[turn % len(loads)]])
        for turn, day in enumerate(wanted)
        if loads
    ]


def _due_dates(session: Session, stage: Stage, *, today: date) -> list[date]:
    """When the orders were due that are at the door: one date an order."""
    owed = receiving.expected(session, site_id=stage.setup.site_id, due_until=today)
    by_order = {line.document_id: line.due_date for line in owed if line.document_kind == KIND}
    return sorted(by_order.values())


def _ask_for_inspection(stage: Stage, agreement_id: int, *, today: date) -> None:
    """What arrives of one item is to be looked at before it is put away."""
    request = stage.look(lambda session: _inspected(session, agreement_id))
    stage.act_once(
        f"{today} inspect",
        lambda session: agreements.set_agreements(session, [request], actor=stage.person("buyer")),
    )


def _inspected(session: Session, agreement_id: int) -> AgreementRequest:
    agreed = session.get_one(SupplierAgreement, agreement_id)
    return AgreementRequest(
        partner_id=agreed.partner_id,
        item_id=agreed.item_id,
        lead_time_days=agreed.lead_time_days,
        unit_price=agreed.unit_price,
        minimum_order_quantity=agreed.minimum_order_quantity,
        order_multiple=agreed.order_multiple,
        priority=agreed.priority,
        needs_inspection=True,
        retired=agreed.retired,
        assumed=tuple(agreed.assumed),
    )


def _order_earlier(stage: Stage, name: str, agreement_ids: Sequence[int], *, due_date: date, today: date) -> None:
    """Write, submit, approve and send an order on the day that its supplier needs."""
    bought = stage.look(lambda session: _agreed(session, stage, agreement_ids))
    day = due_date - timedelta(days=max(source.lead_time_days for source in bought))
    now, buyer = stage.at(day, 9), stage.person("buyer")
    lines = stage.look(
        lambda session: morning_office.lines_of(session, stage, bought, weeks=WEEKS, due_date=due_date, today=day)
    )
    stage.act_once(
        f"{name} write",
        lambda session: orders.write(session, lines, site_id=stage.setup.site_id, actor=buyer, now=now, today=day),
    )
    for action, state in STEPS:
        for order_id, drafted in _earlier(stage, state, today=today):
            _take_step(stage, f"{name} {action}", action, order_id, day=drafted)


def _agreed(session: Session, stage: Stage, agreement_ids: Sequence[int]) -> list[Source]:
    known = sources.of_company(session, company_id=stage.setup.company_id)
    return [source for source in known if source.agreement_id in agreement_ids]


def _take_step(stage: Stage, name: str, action: str, order_id: int, *, day: date) -> None:
    now, buyer, approver = stage.at(day, 9), stage.person("buyer"), stage.person("approver")
    if action == "submit":
        stage.act_once(name, lambda session: orders.submit(session, [order_id], actor=buyer, now=now))
    elif action == "approve":
        stage.act_once(name, lambda session: orders.approve(session, [order_id], actor=approver, now=now, today=day))
    else:
        stage.act_once(name, lambda session: orders.send(session, [order_id], actor=buyer, now=now, today=day))


def _earlier(stage: Stage, state: PurchaseOrderState, *, today: date) -> list[tuple[int, date]]:
    """The order of an earlier day that is still in this state, and its day."""
    statement = sa.select(PurchaseOrder.id, PurchaseOrder.drafted_date).where(
        PurchaseOrder.site_id == stage.setup.site_id, PurchaseOrder.state == state, PurchaseOrder.drafted_date < today
    )
    return stage.look(lambda session: [(row.id, row.drafted_date) for row in session.execute(statement)])


def _receive(stage: Stage, *, today: date) -> None:
    """The lorry that was ordered last is unloaded."""
    newest = stage.look(lambda session: _newest_lorry(session, stage, today=today))
    if newest is not None:
        number, maker, counted = newest
        now = stage.at(today, 8, 20)
        stage.act_once(
            f"{today} receive",
            lambda session: receiving.receive(
                session,
                labels.delivered(session, counted, maker=maker, day=today),
                delivery_note=f"{number} {today}",
                actor=stage.person("warehouse"),
                now=now,
                today=today,
            ),
        )


def _newest_lorry(session: Session, stage: Stage, *, today: date) -> tuple[str, str, list[Counted]] | None:
    owed = receiving.expected(session, site_id=stage.setup.site_id, due_until=today)
    order_ids = [line.document_id for line in owed if line.document_kind == KIND and line.due_date == today]
    if not order_ids:
        return None
    newest = session.get_one(PurchaseOrder, max(order_ids))
    counted = [
        (line.move_id, line.quantity) for line in owed if line.document_kind == KIND and line.document_id == newest.id
    ]
    maker = session.get_one(Partner, newest.supplier_id).code
    return newest.number, maker, counted
