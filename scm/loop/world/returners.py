"""People who send goods back: the retailer's real returns, each on its own day, and the desk that takes them in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales import inspection, proposing, refunds, returns
from aftersales import status as aftersales_status
from aftersales.documents import ReturnAuthorization, ReturnReason
from aftersales.inspection import Finding, Grade, Verdict
from aftersales.origins import PriorSale
from aftersales.proposing import Choice
from aftersales.refunds import RefundRequest
from aftersales.returns import ReturnRequest
from aftersales.status import Awaiting, Waiting
from scm.core import idempotency
from scm.core.idempotency import IdempotencyKey
from scm.loop.world import chance, future, labels
from scm.loop.world.future import FutureLine
from scm.loop.world.stage import Stage
from scm.sales import status
from scm.sales.documents import SalesOrder, SalesOrderLine
from warehouse import receiving

PRINCIPAL, COMMAND = "world", "return"
# The parcel is on its way back so long.
WAY_BACK_DAYS = 3
REASONS = (ReturnReason.UNWANTED, ReturnReason.DAMAGED, ReturnReason.DEFECTIVE, ReturnReason.WRONG_ITEM)


def send_back(stage: Stage, *, today: date, since: date) -> int:
    """This function will ask for the returns that really happened by today, as soon as their goods were delivered.

    Each is asked for once, by its own key. Returns how many were authorized.
    """
    wanted = stage.look(lambda session: _not_yet_asked(session, since=since, today=today))
    sold = stage.look(lambda session: _sold(session, stage, wanted, since=since))
    asked = 0
    for line in wanted:
        request = _request(stage, line, sold.get(line.id), since=since)
        if request is not None and _ask(stage, line, request, today=today):
            asked += 1
    return asked


def handle(stage: Stage, *, today: date) -> int:
    """This function will receive what arrives today, and inspect, dispose of and refund what waits for the desk.

    Returns the lines that arrived.
    """
    now, desk = stage.at(today, 15), stage.person("returns")
    arrived = stage.look(lambda session: arriving(session, stage, today=today))
    if arrived:
        counted = [(line.move_id or 0, line.quantity) for line in arrived]
        note = f"returns {today}"
        stage.act(
            lambda session: receiving.receive(
                session,
                labels.sent_back(session, counted),
                delivery_note=note,
                actor=desk,
                now=now,
                today=today,
            )
        )
    inspect = [_verdict(stage, line) for line in _awaiting(stage).to_inspect]
    if inspect:
        stage.act(lambda session: inspection.record(session, inspect, actor=desk, now=now, today=today))
    agreed = stage.look(lambda session: choices(session, _waiting_ids(stage)))
    if agreed:
        stage.act(lambda session: proposing.settle(session, agreed, actor=desk, now=now, today=today))
    owed = [RefundRequest(return_line_id=o.return_line_id, quantity=o.quantity) for o in _awaiting(stage).to_refund]
    if owed:
        stage.act(lambda session: refunds.refund(session, owed, actor=desk, now=now, today=today))
    return len(arrived)


def _awaiting(stage: Stage) -> Awaiting:
    return stage.look(lambda session: aftersales_status.awaiting(session, site_id=stage.setup.site_id))


def _waiting_ids(stage: Stage) -> list[int]:
    return [line.inspection_id for line in _awaiting(stage).to_dispose if line.inspection_id is not None]


def _not_yet_asked(session: Session, *, since: date, today: date) -> list[FutureLine]:
    asked = set(
        session.scalars(
            sa.select(IdempotencyKey.key).where(
                IdempotencyKey.principal == PRINCIPAL, IdempotencyKey.command == COMMAND
            )
        )
    )
    return [line for line in future.returns_until(session, since=since, day=today) if str(line.id) not in asked]


def _sold(
    session: Session, stage: Stage, wanted: Sequence[FutureLine], *, since: date
) -> dict[int, tuple[FutureLine, int | None]]:
    """By return line: the sale it reverses, and the order line if it was delivered in these books."""
    sales = future.sales(session, ids=sorted({i for line in wanted if (i := line.matched_sale_id) is not None}))
    recent = {sale.invoice for sale in sales.values() if sale.sold_date >= since}
    rows = session.execute(
        sa.select(SalesOrder.external_id, SalesOrder.id, SalesOrderLine.id.label("line_id"), SalesOrderLine.item_id)
        .join(SalesOrder, SalesOrder.id == SalesOrderLine.order_id)
        .where(SalesOrder.external_id.in_(sorted(recent)))
    ).all()
    delivered = {line.line_id: line.delivered for line in status.fulfilment(session, sorted({row.id for row in rows}))}
    line_of = {(row.external_id, row.item_id): row.line_id for row in rows if delivered.get(row.line_id, 0) > 0}
    found = {}
    for line in wanted:
        if line.matched_sale_id in sales:
            sale = sales[line.matched_sale_id]
            found[line.id] = (sale, line_of.get((sale.invoice, sale.item_id)))
    return found


def _request(
    stage: Stage, line: FutureLine, sold: tuple[FutureLine, int | None] | None, *, since: date
) -> ReturnRequest | None:
    """What to ask for; nothing yet when the goods have not been delivered."""
    draw = chance.stream(stage.temper.seed, "reason", line.id)
    reason = REASONS[int(draw.choice(len(REASONS), p=(0.6, 0.2, 0.1, 0.1)))]
    if sold is not None and sold[0].sold_date >= since:
        if sold[1] is None:
            return None
        return ReturnRequest(quantity=line.quantity, reason=reason, sales_order_line_id=sold[1])
    sale = sold[0] if sold is not None else line
    prior = PriorSale(
        reference=f"{sale.invoice}/{sale.id}",
        item_id=line.item_id,
        customer_id=line.customer_id,
        site_id=stage.setup.site_id,
        quantity=sale.quantity,
        unit_price=sale.unit_price,
        sold_date=sale.sold_date if sold is not None else None,
    )
    return ReturnRequest(quantity=line.quantity, reason=reason, prior_sale=prior)


def _ask(stage: Stage, line: FutureLine, request: ReturnRequest, *, today: date) -> bool:
    now = stage.at(today, 13)
    try:
        idempotency.run_once(
            stage.database,
            principal=PRINCIPAL,
            command=COMMAND,
            key=str(line.id),
            body={"line": line.id, "quantity": line.quantity},
            now=now,
            work=lambda session: returns.authorize(
                session, [request], actor=stage.person("returns"), now=now, today=today
            ),
        )
    except returns.MoreThanDelivered:
        # The customer's parcel came short, or the slip was returned twice: the desk refuses, as it should.
        return False
    return True


def arriving(session: Session, stage: Stage, *, today: date) -> list[Waiting]:
    """This function will list the parcels that have been on their way back long enough."""
    expected = aftersales_status.awaiting(session, site_id=stage.setup.site_id).to_receive
    sent = set(
        session.scalars(
            sa.select(ReturnAuthorization.id).where(
                ReturnAuthorization.id.in_({line.return_id for line in expected}),
                ReturnAuthorization.authorized_date <= today - timedelta(days=WAY_BACK_DAYS),
            )
        )
    )
    return [line for line in expected if line.return_id in sent]


def _verdict(stage: Stage, line: Waiting) -> Verdict:
    draw = chance.stream(stage.temper.seed, "grade", line.return_line_id)
    grade = tuple(Grade)[int(draw.choice(len(Grade), p=stage.temper.grade_shares))]
    finding = Finding.NO_FAULT
    if grade in (Grade.C, Grade.D):
        supplier = float(draw.random()) < stage.temper.supplier_defect_rate
        finding = Finding.SUPPLIER_DEFECT if supplier else Finding.CUSTOMER_DAMAGE
    return Verdict(return_line_id=line.return_line_id, quantity=line.quantity, grade=grade, finding=finding)


def choices(session: Session, inspection_ids: Sequence[int]) -> list[Choice]:
    """This function will agree to what is proposed."""
    return [
        Choice(inspection_id=suggestion.inspection_id, disposition=suggestion.proposed.disposition)
        for suggestion in proposing.suggest(session, inspection_ids).values()
    ]
