"""Writes orders and their lines: the only module that does. What they may look like was checked before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scm.core import numbering
from scm.core.db import table_of
from scm.finance import vat
from scm.sales import confirming, kits
from scm.sales.confirming import Ordered
from scm.sales.documents import OrderState, SalesOrder, SalesOrderLine
from scm.sales.facts import Facts
from scm.sales.intake import DuplicateOrder, LineRequest, OrderRequest

_ORDERS = table_of(SalesOrder)
_LINES = table_of(SalesOrderLine)


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that was written, with the ids of its lines."""

    order_id: int
    number: str
    request: OrderRequest
    line_ids: tuple[int, ...]

    def ordered(self) -> list[Ordered]:
        """This function will give its lines as they are confirmed."""
        return [
            Ordered(
                order_id=self.order_id,
                number=self.number,
                site_id=self.request.site_id,
                customer_id=self.request.customer_id,
                channel=self.request.channel,
                requested_date=self.request.requested_date,
                line_id=line_id,
                item_id=line.item_id,
                quantity=line.quantity,
            )
            for line_id, line in zip(self.line_ids, self.request.lines, strict=True)
        ]


def insert(
    session: Session,
    requests: Sequence[OrderRequest],
    known: Facts,
    *,
    state: OrderState,
    now: datetime,
    today: date,
) -> list[Placed]:
    """This function will write checked orders with their lines, in the order given.

    A confirmed one is dated as if all of it were in stock, which saves a later update. Raises `DuplicateOrder`.
    """
    confirmed = state is OrderState.CONFIRMED
    drawn = numbering.drawn_by_insert(session, series=numbering.SALES_ORDER, year=today.year)
    statement = sa.insert(_ORDERS) if drawn is None else sa.insert(_ORDERS).values(number=drawn)
    numbers = _numbers(session, requests, known, today=today) if drawn is None else []
    rows: list[dict[str, Any]] = [
        {
            "company_id": known.sites[request.site_id].company_id,
            "site_id": request.site_id,
            "customer_id": request.customer_id,
            "channel": request.channel,
            "external_id": request.external_id,
            "currency": known.sites[request.site_id].currency,
            "state": state,
            "requested_date": request.requested_date,
            "ordered_at": now,
            "ordered_date": today,
            "confirmed_at": now if confirmed else None,
            "prices_with_vat": known.channels[request.channel].prices_with_vat,
            "ship_by_at": confirming.ship_clock(known, request, ordered_at=now),
        }
        for request in requests
    ]
    for row, number in zip(rows, numbers, strict=False):
        row["number"] = number
    try:
        inserted = session.execute(
            statement.returning(_ORDERS.c.id, _ORDERS.c.number, sort_by_parameter_order=True), rows
        ).all()
    except IntegrityError as error:
        if "external_id" not in str(error.orig):
            raise
        # Another transaction placed the same external id after our check and committed first.
        raise DuplicateOrder(
            f"one of {len(rows)} orders was placed by somebody else just now: read it again"
        ) from error
    dated = [confirming.stock_date(known, r, now=now, today=today)[1] if confirmed else None for r in requests]
    rates = _rates(session, [line.item_id for request in requests for line in request.lines], known, today=today)
    kit_ids = kits.insert(session, [order.id for order in inserted], [request.lines for request in requests])
    line_rows = [
        _line(order.id, line_number, line, promised_date, rates, kit_ids)
        for order, request, promised_date in zip(inserted, requests, dated, strict=True)
        for line_number, line in enumerate(request.lines, start=1)
    ]
    line_ids = iter(_insert_lines(session, line_rows))
    return [
        Placed(order.id, order.number, request, tuple(next(line_ids) for _ in request.lines))
        for order, request in zip(inserted, requests, strict=True)
    ]


def _numbers(session: Session, requests: Sequence[OrderRequest], known: Facts, *, today: date) -> list[str]:
    company_of = [known.sites[request.site_id].company_id for request in requests]
    drawn = {
        company_id: iter(
            numbering.draw(
                session,
                series=numbering.SALES_ORDER,
                company_id=company_id,
                year=today.year,
                count=company_of.count(company_id),
            )
        )
        for company_id in sorted(set(company_of))
    }
    return [next(drawn[company_id]) for company_id in company_of]


def add_lines(
    session: Session,
    lines: Sequence[tuple[int, int, LineRequest]],
    known: Facts,
    *,
    dated: Sequence[date | None],
    today: date,
) -> list[int]:
    """This function will add lines to orders that are locked: (order id, line number, line), dated as promised."""
    rates = _rates(session, [line.item_id for _, _, line in lines], known, today=today)
    by_order: dict[int, list[LineRequest]] = {}
    for order_id, _, line in lines:
        by_order.setdefault(order_id, []).append(line)
    kit_ids = kits.insert(session, list(by_order), list(by_order.values()))
    rows = [
        _line(order_id, line_number, line, day, rates, kit_ids)
        for (order_id, line_number, line), day in zip(lines, dated, strict=True)
    ]
    return _insert_lines(session, rows) if rows else []


def _insert_lines(session: Session, rows: Sequence[dict[str, Any]]) -> list[int]:
    inserted = sa.insert(_LINES).returning(_LINES.c.id, sort_by_parameter_order=True)
    return list(session.execute(inserted, rows).scalars())


def _rates(session: Session, item_ids: Sequence[int], known: Facts, *, today: date) -> dict[int, Decimal]:
    """An order keeps the rates of its day: those that come later are those of later orders."""
    found = dict.fromkeys(item_ids, Decimal(0))
    for company_id in sorted({site.company_id for site in known.sites.values() if site.has_vat}):
        found |= vat.rates_on(session, item_ids, today, company_id=company_id)
    return found


def _line(
    order_id: int,
    line_number: int,
    line: LineRequest,
    promised_date: date | None,
    rates: Mapping[int, Decimal],
    kit_ids: Mapping[int, int],
) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "line_number": line_number,
        "item_id": line.item_id,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "vat_rate": rates[line.item_id],
        "kit_id": kit_ids.get(id(line.kit)),
        "promised_date": promised_date,
        "cancelled_at": None,
        "never_demand": False,
    }
