"""From ordered lines to planned moves, promises and dates: what confirming an order does, for many lines at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.db import table_of
from scm.core.errors import Conflict
from scm.master.agreements import SupplierAgreement
from scm.master.items import Item, ItemStatus
from scm.sales import promising, ship_by
from scm.sales.documents import KIND, SalesOrderLine
from scm.sales.facts import Facts
from scm.sales.intake import OrderRequest
from scm.sales.promising import Service, Supply, Waiting
from scm.stock import ledger, projection, reservations
from scm.stock.ledger import MoveRequest
from scm.stock.reservations import NotEnoughToPromise, Outcome, Shortage

_LINES = table_of(SalesOrderLine)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ordered:
    """One order line to confirm, with what its order says."""

    order_id: int
    number: str
    site_id: int
    customer_id: int
    channel: str
    requested_date: date | None
    line_id: int
    item_id: int
    quantity: int


@dataclass(frozen=True, slots=True)
class ConfirmedLine:
    """What one line was promised: so much reserved, so much waiting, and when all of it arrives."""

    line_id: int
    item_id: int
    quantity: int
    reserved: int
    waiting: int
    promised_date: date | None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What one order was promised."""

    order_id: int
    number: str
    lines: tuple[ConfirmedLine, ...]

    @property
    def waiting(self) -> int:
        """How many units wait for supply."""
        return sum(line.waiting for line in self.lines)

    @property
    def promised_date(self) -> date | None:
        """When the last line arrives; None when a line could not be promised."""
        dates = [line.promised_date for line in self.lines]
        known = [day for day in dates if day is not None]
        return max(known) if len(known) == len(dates) else None


class CannotConfirm(Conflict):
    """An all-or-nothing order found less stock than it needs."""


def stock_date(known: Facts, order: Ordered | OrderRequest, *, now: datetime, today: date) -> tuple[date, date]:
    """This function will give the days on which goods in stock would leave for, and reach, the customer."""
    site = known.sites[order.site_id]
    service = _service(known, order)
    leaves = promising.ship_date(site.calendar, service, now=now, today=today, requested_date=order.requested_date)
    return leaves, promising.arrival_date(service, shipped=leaves, requested_date=order.requested_date)


def ship_clock(known: Facts, order: OrderRequest, *, ordered_at: datetime) -> datetime | None:
    """This function will give the instant by which the order's channel has promised that it leaves, if it has."""
    channel = known.channels[order.channel]
    return ship_by.ship_by_at(
        known.sites[order.site_id].calendar,
        ordered_at=ordered_at,
        cut_off=channel.cut_off,
        hours=channel.ship_by_hours,
    )


def promise(
    session: Session, lines: Sequence[Ordered], known: Facts, *, shortage: Shortage, now: datetime, today: date
) -> list[Confirmation]:
    """This function will plan the moves of locked lines, reserve stock for them and date them, in the order given.

    The caller has written, or writes, the date that goods in stock arrive; a line that waits is given its own date
    here. Raises `CannotConfirm`.
    """
    dates = {line.order_id: stock_date(known, line, now=now, today=today) for line in _first_lines(lines)}
    planned = _plan(session, lines, known, ship_dates={order_id: leaves for order_id, (leaves, _) in dates.items()})
    try:
        outcomes = reservations.reserve(session, planned, shortage=shortage)
    except NotEnoughToPromise as error:
        numbers = ", ".join(line.number for line in _first_lines(lines)[:5])
        raise CannotConfirm(f"{numbers}: {error}") from error
    short = [(line, outcome.waiting) for line, outcome in zip(lines, outcomes, strict=True) if outcome.waiting]
    later = _date_waiting(session, short, known, today=today)
    return _confirmations(lines, outcomes, {i: arrives for i, (_, arrives) in dates.items()}, later)


def _service(known: Facts, order: Ordered | OrderRequest) -> Service:
    """The carrier's service, by the earlier of its own cut-off and the channel's."""
    service = known.service_to(site_id=order.site_id, customer_id=order.customer_id)
    cut_off = known.channels[order.channel].cut_off
    if cut_off is None or cut_off >= service.cut_off:
        return service
    return Service(service.transit_days, cut_off)


def _first_lines(lines: Sequence[Ordered]) -> list[Ordered]:
    return list({line.order_id: line for line in reversed(lines)}.values())[::-1]


def _plan(session: Session, lines: Sequence[Ordered], known: Facts, *, ship_dates: dict[int, date]) -> list[int]:
    planned: dict[int, int] = {}
    by_company: dict[int, list[Ordered]] = defaultdict(list)
    for line in lines:
        by_company[known.sites[line.site_id].company_id].append(line)
    for company_id, owned in by_company.items():
        requests = [_request(line, known, due_date=ship_dates[line.order_id]) for line in owned]
        moves = ledger.plan(session, requests, company_id=company_id)
        planned.update((line.line_id, move.id) for line, move in zip(owned, moves, strict=True))
    return [planned[line.line_id] for line in lines]


def _request(line: Ordered, known: Facts, *, due_date: date) -> MoveRequest:
    site = known.sites[line.site_id]
    return MoveRequest(
        item_id=line.item_id,
        source_id=site.area_id,
        destination_id=site.staging_id,
        onward=(site.delivery_id, site.customer_location_id),
        quantity=line.quantity,
        due_date=due_date,
        document_kind=KIND,
        document_id=line.order_id,
        line_id=line.line_id,
        pool=known.channels[line.channel].pool,
    )


def _date_waiting(
    session: Session, short: Sequence[tuple[Ordered, int]], known: Facts, *, today: date
) -> dict[int, date | None]:
    """The dates of lines that wait, written to the lines and returned by line."""
    dates: dict[int, date | None] = {}
    for site_id in sorted({line.site_id for line, _ in short}):
        here = [(line, quantity) for line, quantity in short if line.site_id == site_id]
        waiting = [
            Waiting(
                line.item_id,
                quantity,
                known.sites[site_id].calendar,
                known.service_to(site_id=site_id, customer_id=line.customer_id),
                line.requested_date,
            )
            for line, quantity in here
        ]
        supplies = _supplies(session, waiting, site_id=site_id)
        promised = promising.promise_dates(waiting, supplies, today=today)
        dates.update((line.line_id, day) for (line, _), day in zip(here, promised, strict=True))
    write_dates(session, dates)
    return dates


def write_dates(session: Session, dates: dict[int, date | None]) -> None:
    """This function will write the promised dates of locked lines."""
    if dates:
        session.execute(
            sa.update(_LINES).where(_LINES.c.id == sa.bindparam("k_line")).values(promised_date=sa.bindparam("v_date")),
            [{"k_line": line_id, "v_date": day} for line_id, day in sorted(dates.items())],
        )


def _supplies(session: Session, waiting: Sequence[Waiting], *, site_id: int) -> dict[int, Supply]:
    """What is coming of each item, and how much of it others wait for: the lines asked about count already."""
    item_ids = {line.item_id for line in waiting}
    positions = projection.positions(session, site_id=site_id, item_ids=item_ids)
    lead_times = _agreed_lead_times(session, item_ids)
    asked: dict[int, int] = defaultdict(int)
    for line in waiting:
        asked[line.item_id] += line.quantity
    return {
        item_id: Supply(
            ahead=positions[item_id].backordered - asked[item_id],
            inbound=positions[item_id].inbound,
            due=positions[item_id].supply,
            lead_time_days=lead_times.get(item_id),
        )
        for item_id in item_ids
    }


def _agreed_lead_times(session: Session, item_ids: set[int]) -> dict[int, int]:
    """Of each item that is still bought, the lead time agreed with the preferred supplier."""
    rows = session.execute(
        sa.select(SupplierAgreement.item_id, SupplierAgreement.lead_time_days)
        .join(Item, Item.id == SupplierAgreement.item_id)
        .where(
            SupplierAgreement.item_id.in_(sorted(item_ids)),
            ~SupplierAgreement.retired,
            Item.status == ItemStatus.ACTIVE,
        )
        .order_by(SupplierAgreement.priority.desc(), SupplierAgreement.id.desc())
    )
    return {row.item_id: row.lead_time_days for row in rows}


def _confirmations(
    lines: Sequence[Ordered],
    outcomes: Sequence[Outcome],
    from_stock: dict[int, date],
    later: dict[int, date | None],
) -> list[Confirmation]:
    confirmed: dict[int, list[ConfirmedLine]] = defaultdict(list)
    for line, outcome in zip(lines, outcomes, strict=True):
        promised_date = later.get(line.line_id, from_stock[line.order_id])
        confirmed[line.order_id].append(
            ConfirmedLine(line.line_id, line.item_id, line.quantity, outcome.reserved, outcome.waiting, promised_date)
        )
    return [Confirmation(line.order_id, line.number, tuple(confirmed[line.order_id])) for line in _first_lines(lines)]
