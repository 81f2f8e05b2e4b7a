"""The returns desk in the morning: parcels at every station, from those on the road to those that wait for money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales import inspection, parcels, proposing, refunds, returns
from aftersales import status as aftersales_status
from aftersales.disposition import Disposition
from aftersales.documents import ReturnLine
from aftersales.inspection import Finding, Grade, Verdict
from aftersales.origins import PriorSale
from aftersales.refunds import RefundRequest
from aftersales.returns import ReturnRequest
from scm.loop.importing.tables import LineKind
from scm.loop.world import future, labels, returners
from scm.loop.world.future import FutureLine
from scm.loop.world.returners import REASONS, WAY_BACK_DAYS
from scm.loop.world.stage import Stage
from scm.master import companies
from scm.sales import status
from scm.sales.documents import OrderState, SalesOrder
from warehouse import receiving

ARRIVING, ON_THE_ROAD = 5, 2  # at least; what the simulated days do not bring is asked for here
LOOKED_AT = (Grade.A, Grade.C, Grade.C)
NEWEST_ORDERS = 200
LOOK_BACK_DAYS = 30


def take_in(stage: Stage, *, today: date) -> None:
    """This function will receive the parcels of the day and leave some at every station of the desk."""
    _ask(stage, today=today)
    now, desk = stage.at(today, 9, 10), stage.person("returns")
    arrived = stage.look(lambda session: returners.arriving(session, stage, today=today))
    if arrived:
        counted = [(line.move_id or 0, line.quantity) for line in arrived]
        stage.act_once(
            f"{today} parcels",
            lambda session: receiving.receive(
                session,
                labels.sent_back(session, counted),
                delivery_note=f"returns {today}",
                actor=desk,
                now=now,
                today=today,
            ),
        )
    _handle(stage, today=today)
    # Somebody sent something back without a word, and nobody knows what it belongs to.
    stage.act_once(
        f"{today} unknown parcel",
        lambda session: parcels.record(
            session,
            site_id=stage.setup.site_id,
            label="",
            sender="",
            contents="抱枕套，已拆封，没有附信 Cushion cover, opened, no letter inside",
            actor=desk,
            now=now,
            today=today,
        ),
    )


def _ask(stage: Stage, *, today: date) -> None:
    """Customers ask for so many returns as are lacking, early enough for the parcels to be where they are to be."""
    early, late = stage.look_once(f"{today} returns", lambda session: _lacking(session, stage, today=today))
    requests = stage.look(lambda session: _requests(session, stage, early + late, today=today))
    for name, asked, days in (("early", requests[:early], WAY_BACK_DAYS), ("late", requests[early:], 1)):
        if asked:
            _authorize(stage, f"{today} {name} returns", asked, day=today - timedelta(days=days))


def _lacking(session: Session, stage: Stage, *, today: date) -> tuple[int, int]:
    """How many parcels more should arrive today, and how many more should be on the road."""
    arriving = len(returners.arriving(session, stage, today=today))
    waiting = aftersales_status.awaiting(session, site_id=stage.setup.site_id).to_receive
    return max(0, ARRIVING - arriving), max(0, ON_THE_ROAD - (len(waiting) - arriving))


def _authorize(stage: Stage, name: str, asked: Sequence[ReturnRequest], *, day: date) -> None:
    now = stage.at(day, 13)
    stage.act_once(
        name,
        lambda session: returns.authorize(session, asked, actor=stage.person("returns"), now=now, today=day),
    )


def _handle(stage: Stage, *, today: date) -> None:
    desk, now = stage.person("returns"), stage.at(today, 9, 40)
    verdicts = [
        Verdict(
            return_line_id=line.return_line_id,
            quantity=line.quantity,
            grade=grade,
            finding=Finding.NO_FAULT if grade is Grade.A else Finding.CUSTOMER_DAMAGE,
        )
        for line, grade in zip(_awaiting(stage).to_inspect, LOOKED_AT, strict=False)
    ]
    if verdicts:
        stage.act_once(
            f"{today} look", lambda session: inspection.record(session, verdicts, actor=desk, now=now, today=today)
        )
    # The last one that was looked at waits for its disposition.
    waiting = [line.inspection_id or 0 for line in _awaiting(stage).to_dispose[: len(LOOKED_AT) - 1]]
    choices = stage.look(lambda session: returners.choices(session, waiting))
    if choices:
        stage.act_once(
            f"{today} dispose",
            lambda session: proposing.settle(session, choices, actor=desk, now=now, today=today),
        )
    owed = stage.look(lambda session: _owed(session, stage))
    if owed:
        stage.act_once(
            f"{today} refund", lambda session: refunds.refund(session, owed, actor=desk, now=now, today=today)
        )


def _awaiting(stage: Stage) -> aftersales_status.Awaiting:
    return stage.look(lambda session: aftersales_status.awaiting(session, site_id=stage.setup.site_id))


def _owed(session: Session, stage: Stage) -> list[RefundRequest]:
    """Whoever sent back what is mended now gets the money; the others wait."""
    waiting = aftersales_status.awaiting(session, site_id=stage.setup.site_id).to_refund
    lines = aftersales_status.of_returns(session, {line.return_id for line in waiting})
    mended = {line.line_id for line in lines if Disposition.REFURBISH in line.disposed}
    return [
        RefundRequest(return_line_id=line.return_line_id, quantity=line.quantity)
        for line in waiting
        if line.return_line_id in mended
    ]


def _requests(session: Session, stage: Stage, wanted: int, *, today: date) -> list[ReturnRequest]:
    """One unit of so many sold lines: of delivered orders first, then of sales from before the books began."""
    line_ids = _delivered(session, stage, today=today)[:wanted]
    requests = [
        ReturnRequest(quantity=1, reason=REASONS[turn % len(REASONS)], sales_order_line_id=line_id)
        for turn, line_id in enumerate(line_ids)
    ]
    for turn, sale in enumerate(_sold_before(session, wanted - len(requests))):
        prior = PriorSale(
            reference=f"{sale.invoice}/{sale.id}",
            item_id=sale.item_id,
            customer_id=sale.customer_id,
            site_id=stage.setup.site_id,
            quantity=sale.quantity,
            unit_price=sale.unit_price,
            sold_date=sale.sold_date,
        )
        requests.append(ReturnRequest(quantity=1, reason=REASONS[turn % len(REASONS)], prior_sale=prior))
    return requests


def _delivered(session: Session, stage: Stage, *, today: date) -> list[int]:
    """One line of each order that has arrived and of which nothing comes back, the newest first."""
    order_ids = session.scalars(
        sa.select(SalesOrder.id)
        .where(
            SalesOrder.site_id == stage.setup.site_id,
            SalesOrder.external_id.is_not(None),
            SalesOrder.state == OrderState.CONFIRMED,
            SalesOrder.ordered_date < today - timedelta(days=WAY_BACK_DAYS),
        )
        .order_by(SalesOrder.id.desc())
        .limit(NEWEST_ORDERS)
    ).all()
    returned = set(session.scalars(sa.select(ReturnLine.sales_order_line_id)))
    last_day = today - timedelta(days=WAY_BACK_DAYS)
    of_order: dict[int, int] = {}
    for line in status.fulfilment(session, order_ids):
        arrived = line.delivered_date is not None and line.delivered_date < last_day
        if arrived and line.line_id not in returned and not line.returned:
            of_order.setdefault(line.order_id, line.line_id)
    return [line_id for _, line_id in sorted(of_order.items(), reverse=True)]


def _sold_before(session: Session, wanted: int) -> list[FutureLine]:
    """Sales of the last days before go-live that nobody has sent back, one a customer."""
    go_live = companies.only(session).go_live_date
    if wanted <= 0 or go_live is None:
        return []
    earliest = go_live - timedelta(days=LOOK_BACK_DAYS)
    returned = {line.matched_sale_id for line in future.returns_until(session, since=earliest, day=date.max)}
    found: dict[int, FutureLine] = {}
    for days in range(1, LOOK_BACK_DAYS):
        for line in future.lines_of_day(session, day=go_live - timedelta(days=days)):
            if line.kind is LineKind.SALE and not line.never_demand and line.id not in returned:
                found.setdefault(line.customer_id, line)
        if len(found) >= wanted:
            break
    return list(found.values())[:wanted]
