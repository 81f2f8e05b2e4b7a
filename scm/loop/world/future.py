"""The real lines that lie after go-live, which the world alone may read, each on its own day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.loop.importing.tables import LineKind, SalesHistoryLine


@dataclass(frozen=True, kw_only=True, slots=True)
class FutureLine:
    """One real line: a sale, a return or a write-off. Quantities are positive, whatever the kind."""

    id: int
    kind: LineKind
    invoice: str
    item_id: int
    customer_id: int
    sold_at: datetime
    sold_date: date
    quantity: int
    unit_price: Decimal
    matched_sale_id: int | None
    never_demand: bool
    written_off: bool  # the file's quantity was negative


def lines_of_day(session: Session, *, day: date) -> list[FutureLine]:
    """This function will read what really happened on a day, in the order it happened. Charges are left out."""
    return _read(session, SalesHistoryLine.sold_date == day, SalesHistoryLine.kind != LineKind.CHARGE)


def returns_until(session: Session, *, since: date, day: date) -> list[FutureLine]:
    """This function will read the real returns from go-live up to a day, without slips undone the same day."""
    return _read(
        session,
        SalesHistoryLine.sold_date >= since,
        SalesHistoryLine.sold_date <= day,
        SalesHistoryLine.kind == LineKind.RETURN,
        ~SalesHistoryLine.never_demand,
    )


def sales(session: Session, *, ids: list[int]) -> dict[int, FutureLine]:
    """This function will read sale lines by their ids."""
    return {line.id: line for line in _read(session, SalesHistoryLine.id.in_(ids))}


def last_day(session: Session) -> date | None:
    """This function will give the last day of which real lines are known."""
    return session.scalar(sa.select(sa.func.max(SalesHistoryLine.sold_date)))


def _read(session: Session, *conditions: sa.ColumnElement[bool]) -> list[FutureLine]:
    rows = session.execute(
        sa.select(
            SalesHistoryLine.id,
            SalesHistoryLine.kind,
            SalesHistoryLine.invoice,
            SalesHistoryLine.item_id,
            SalesHistoryLine.customer_id,
            SalesHistoryLine.sold_at,
            SalesHistoryLine.sold_date,
            SalesHistoryLine.quantity,
            SalesHistoryLine.unit_price,
            SalesHistoryLine.matched_sale_id,
            SalesHistoryLine.never_demand,
        )
        .where(*conditions)
        .order_by(SalesHistoryLine.sold_at, SalesHistoryLine.id)
    )
    return [
        FutureLine(
            **(
                dict(row._mapping)
                | {
                    "quantity": abs(row.quantity),
                    "unit_price": abs(row.unit_price),
                    "written_off": row.quantity < 0,
                }
            )
        )
        for row in rows
    ]
