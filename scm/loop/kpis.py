"""Key figures of a period, all derived from documents, moves and the journal; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from forecasting.history import ReturnFact
from scm.finance import costs
from scm.loop.cycle_runs import CycleRun
from scm.master import locations
from scm.master.locations import LocationKind
from scm.sales import status
from scm.sales.documents import OrderState, SalesOrder, SalesOrderLine
from scm.sales.status import LineStatus
from scm.stock import projection
from scm.stock.moves import MoveState, StockMove


@dataclass(frozen=True, kw_only=True)
class Kpis:
    """One period at one site. Rates are 0 to 1, or None where nothing happened to measure."""

    from_date: date
    until_date: date
    orders: int
    lines: int
    units_ordered: int
    fill_rate: float | None
    """Units of the period's orders that had left, or were promised from stock, at its end, of all units ordered."""
    otif_rate: float | None
    """Orders due for delivery in the period that arrived in full by the promised date, of all orders due in it."""
    backordered: int
    """Units that customers waited for at the end of the period."""
    stock_value: int
    """Value of stock at the end of the period, in minor units."""
    return_rate: float | None
    """Units returned in the period, of the units delivered in it."""
    wape: float | None
    """Error of the weekly forecast, as the last run of the period measured it."""


def of_period(session: Session, *, site_id: int, company_id: int, from_date: date, until_date: date) -> Kpis:
    """This function will compute the figures of a period, both dates included, as of its end."""
    asked = asked_for(session, site_id=site_id, from_date=from_date, until_date=until_date)
    lines, units = asked.lines, asked.units
    in_full, due = on_time(session, site_id=site_id, from_date=from_date, until_date=until_date)
    returned, delivered = came_back(session, site_id=site_id, from_date=from_date, until_date=until_date)
    return Kpis(
        from_date=from_date,
        until_date=until_date,
        orders=asked.orders,
        lines=lines,
        units_ordered=units,
        fill_rate=asked.filled / units if units else None,
        otif_rate=in_full / due if due else None,
        backordered=backordered(session, site_id=site_id),
        stock_value=costs.stock_value(session, company_id=company_id),
        return_rate=returned / delivered if delivered else None,
        wape=_wape(session, site_id=site_id, from_date=from_date, until_date=until_date),
    )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What customers asked for in a period, and how much of it had left or was promised from stock at its end."""

    orders: int
    lines: int
    units: int
    filled: int


def asked_for(session: Session, *, site_id: int, from_date: date, until_date: date) -> Asked:
    """This function will count what the orders of a period asked for, and how much of it was there."""
    ordered = _orders(session, site_id, SalesOrder.ordered_date >= from_date, SalesOrder.ordered_date <= until_date)
    lines = [line for line in status.fulfilment(session, ordered) if not _never_was(line)]
    return Asked(
        orders=len({line.order_id for line in lines}),
        lines=len(lines),
        units=sum(line.ordered for line in lines),
        filled=sum(line.reserved + line.picked for line in lines),
    )


def on_time(session: Session, *, site_id: int, from_date: date, until_date: date) -> tuple[int, int]:
    """This function will count the orders due in a period that arrived in full by the promised date, and all due in it.

    Judged on the day after the period, so that an order due on its last day has been delivered or has not.
    """
    promised = sa.select(SalesOrderLine.order_id).where(SalesOrderLine.promised_date.between(from_date, until_date))
    known = _orders(session, site_id, SalesOrder.ordered_date <= until_date, SalesOrder.id.in_(promised))
    due: dict[int, date] = {}
    for line in status.fulfilment(session, known):
        if line.promised_date is not None and (line.ordered > line.cancelled or line.given_up):
            due[line.order_id] = max(line.promised_date, due.get(line.order_id, date.min))
    wanted = [order_id for order_id, day in due.items() if from_date <= day <= until_date]
    judged = status.on_time_in_full(session, wanted, today=date.fromordinal(until_date.toordinal() + 1))
    verdicts = [verdict for verdict in judged.values() if verdict is not None]
    return sum(verdicts), len(verdicts)


def _never_was(line: LineStatus) -> bool:
    """A line that was cancelled, and not because the customer tired of waiting, asked for nothing."""
    return line.cancelled == line.ordered and not line.given_up


def _orders(session: Session, site_id: int, *conditions: sa.ColumnElement[bool]) -> list[int]:
    statement = sa.select(SalesOrder.id).where(SalesOrder.site_id == site_id, SalesOrder.state != OrderState.DRAFT)
    return list(session.scalars(statement.where(*conditions)))


def backordered(session: Session, *, site_id: int) -> int:
    """This function will count the units that customers wait for now."""
    return sum(position.backordered for position in projection.positions(session, site_id=site_id).values())


def came_back(session: Session, *, site_id: int, from_date: date, until_date: date) -> tuple[int, int]:
    """This function will count the units that came back in a period, and those that were delivered in it."""
    customer = locations.of_kind(session, kind=LocationKind.CUSTOMER, site_id=None)
    delivered = session.scalar(
        sa.select(sa.func.sum(StockMove.quantity)).where(
            StockMove.state == MoveState.POSTED,
            StockMove.destination_id == customer,
            StockMove.posted_date >= from_date,
            StockMove.posted_date <= until_date,
        )
    )
    returned = session.scalar(
        sa.select(sa.func.sum(ReturnFact.quantity)).where(
            ReturnFact.site_id == site_id, ReturnFact.return_date >= from_date, ReturnFact.return_date <= until_date
        )
    )
    return int(returned or 0), int(delivered or 0)


def _wape(session: Session, *, site_id: int, from_date: date, until_date: date) -> float | None:
    runs = session.scalars(
        sa.select(CycleRun)
        .where(CycleRun.site_id == site_id, CycleRun.as_of_date >= from_date, CycleRun.as_of_date <= until_date)
        .order_by(CycleRun.id.desc())
    )
    for run in runs:
        measured = run.measures.get("forecast")
        if measured and measured["wape"] is not None:
            return float(measured["wape"])
    return None
