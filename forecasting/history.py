"""Demand and returns that happened: facts from before go-live, and the weekly buckets that forecasts start from.

Facts are recorded once, by whoever learned them, and never changed. What happens after go-live is not copied here:
it is read from the orders, so that a bucket always is what the documents say.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import bulk
from scm.core.bulk import Coded
from scm.core.db import Base, BigId, table_of
from scm.core.errors import InvalidInput
from scm.sales import demand

DAYS_IN_A_BUCKET = 7
NO_DATE = 0  # the ordinal that stands for "not known"

Int64 = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float64]


class DemandFact(Base):
    """What customers asked for of one item on one day, without what was cancelled so soon that it never was demand.

    Half a million rows are written at once; a foreign key would look each of them up (more than the writing costs),
    and items and sites are retired, never deleted.
    """

    __tablename__ = "demand_fact"

    site_id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(primary_key=True)
    demand_date: Mapped[date] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)  # the import that learned it
    quantity: Mapped[int] = mapped_column(sa.BigInteger)

    # In the order of its key on disk: it is only read by item and date.
    __table_args__ = (sa.CheckConstraint("quantity > 0", name="asks_for_something"), {"sqlite_with_rowid": False})


class ReturnFact(Base):
    """What came back of one item on one day, and when it had been sold, where that is known."""

    __tablename__ = "return_fact"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    return_date: Mapped[date]
    sale_date: Mapped[date | None]
    source_id: Mapped[int] = mapped_column(sa.BigInteger)
    quantity: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="returns_something"),
        sa.Index(None, "site_id", "return_date"),
    )


class WeeklyDemand(NamedTuple):
    """Items in ascending order, and their demand: items × weeks, the last week ending the day before `as_of`."""

    item_ids: Int64
    demand: Matrix


class NoWeeks(InvalidInput):
    """A number of weeks is not positive."""


def record_demand(
    session: Session, *, site_id: int, source_id: int, item_ids: Int64, days: Int64, quantities: Int64
) -> int:
    """This function will record demand, added up by item and day, and return the number of facts.

    `days` are ordinals of calendar dates. A source records once: the database refuses its second fact for an item
    and day.
    """
    if not len(item_ids):
        return 0
    (items, dates), totals = _added_up([item_ids, days], quantities)
    return bulk.insert(
        session,
        table_of(DemandFact),
        {
            "site_id": np.full(len(totals), site_id),
            "item_id": items,
            "demand_date": _dates(dates),
            "source_id": np.full(len(totals), source_id),
            "quantity": totals,
        },
    )


def record_returns(
    session: Session,
    *,
    site_id: int,
    source_id: int,
    item_ids: Int64,
    days: Int64,
    sale_days: Int64,
    quantities: Int64,
) -> int:
    """This function will record returns, added up by item, day and day of sale, and return the number of facts.

    A day of sale that is not known is `NO_DATE`.
    """
    if not len(item_ids):
        return 0
    (items, dates, sold), totals = _added_up([item_ids, days, sale_days], quantities)
    return bulk.insert(
        session,
        table_of(ReturnFact),
        {
            "site_id": np.full(len(totals), site_id),
            "item_id": items,
            "return_date": _dates(dates),
            "sale_date": _dates(sold),
            "source_id": np.full(len(totals), source_id),
            "quantity": totals,
        },
    )


def weekly_demand(session: Session, *, site_id: int, as_of: date, weeks: int) -> WeeklyDemand:
    """This function will give what was asked for each week, of every item that was ever asked for before `as_of`.

    Facts from before go-live, and what `scm.sales.demand` tells of the time since. Units are base units; a week before
    the one of an item's first demand is NaN, because the item may not have existed. Nothing dated `as_of` or later is
    seen. Raises `NoWeeks`.
    """
    if weeks < 1:
        raise NoWeeks(f"{weeks} weeks of demand: ask for at least 1")
    start = as_of - timedelta(days=DAYS_IN_A_BUCKET * weeks)
    facts = sa.select(DemandFact.item_id, DemandFact.demand_date, DemandFact.quantity).where(
        DemandFact.site_id == site_id
    )
    sources = (facts.subquery(), demand.wanted(site_id=site_id).subquery())
    first: dict[int, date] = {}
    for source in sources:
        for item_id, day in session.execute(_first_days(source, as_of=as_of)):
            first[item_id] = min(day, first.get(item_id, day))
    item_ids = np.array(sorted(first), dtype=np.int64)
    matrix: Matrix = np.zeros((len(item_ids), weeks))
    for source in sources:
        rows = session.execute(_by_week(session, source, start=start, as_of=as_of)).all()
        if rows:
            items, week, quantity = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
            np.add.at(matrix, (np.searchsorted(item_ids, items), week), quantity)
    days_before = np.array([(first[item_id] - start).days for item_id in item_ids.tolist()], dtype=np.int64)
    unknown = np.arange(weeks)[None, :] < (days_before // DAYS_IN_A_BUCKET)[:, None]
    matrix[unknown] = np.nan
    return WeeklyDemand(item_ids, matrix)


def _first_days(source: sa.Subquery, *, as_of: date) -> sa.Select[Any]:
    first = sa.func.min(source.c.demand_date, type_=sa.Date())
    return sa.select(source.c.item_id, first).where(source.c.demand_date < as_of).group_by(source.c.item_id)


def _by_week(session: Session, source: sa.Subquery, *, start: date, as_of: date) -> sa.Select[Any]:
    """Item, number of the week since `start`, and the sum of the week; the database does the adding up."""
    since = sa.literal(start, sa.Date())
    days: sa.ColumnElement[Any] = source.c.demand_date - since  # on PostgreSQL a whole number
    if session.get_bind().dialect.name == "sqlite":
        days = sa.func.julianday(source.c.demand_date) - sa.func.julianday(since)
    week = sa.cast(days, sa.Integer).op("/")(sa.literal_column(str(DAYS_IN_A_BUCKET)))
    return (
        sa.select(source.c.item_id, week, sa.func.sum(source.c.quantity))
        .where(source.c.demand_date >= start, source.c.demand_date < as_of)
        .group_by(source.c.item_id, week)
    )


def _added_up(keys: Sequence[Int64], quantities: Int64) -> tuple[list[Int64], Int64]:
    """The distinct keys in ascending order, and the sum of the quantities of each."""
    order = np.lexsort(tuple(reversed(keys)))
    ordered = [key[order] for key in keys]
    starts = np.zeros(len(order), dtype=np.bool_)
    starts[0] = True
    for key in ordered:
        starts[1:] |= key[1:] != key[:-1]
    totals: Int64 = np.add.reduceat(quantities[order], np.flatnonzero(starts))
    return [key[starts] for key in ordered], totals


def _dates(days: Int64) -> Coded:
    distinct, codes = np.unique(days, return_inverse=True)
    codes = np.where(days == NO_DATE, bulk.NULL, codes)
    return Coded(codes, [date.fromordinal(max(1, day)) for day in distinct.tolist()])
