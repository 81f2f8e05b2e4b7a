"""What returns teach: the share of an item's demand that comes back, and the share of that which can be sold again.

Gross demand is forecast as it is; what comes back is expected supply, so a return never makes demand negative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from forecasting.history import DemandFact, ReturnFact
from scm.core.db import Base, BigId, table_of
from scm.sales.documents import SalesOrder, SalesOrderLine

LEARNING_WEEKS = 52
# How many units of demand the company's overall return rate counts for beside an item's own record.
RATE_PRIOR_UNITS = 300.0
# Before anything was inspected here, four of five returned units are taken to be fit for sale; worth so many units.
RESELLABLE_PRIOR = 0.8
RESELLABLE_PRIOR_UNITS = 50.0


class DispositionFact(Base):
    """So many returned units of an item were disposed of on a day, and so many of them went back to the shelf."""

    __tablename__ = "disposition_fact"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    disposed_date: Mapped[date]
    source_id: Mapped[int] = mapped_column(sa.BigInteger, unique=True)  # the inspection it came from
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    resellable_quantity: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="disposes_something"),
        sa.CheckConstraint("resellable_quantity BETWEEN 0 AND quantity", name="resells_at_most_all"),
        sa.Index(None, "site_id", "disposed_date"),
    )


@dataclass(frozen=True, kw_only=True)
class Disposed:
    """What `record_dispositions` learns of one inspection."""

    item_id: int
    source_id: int
    quantity: int
    resellable_quantity: int


@dataclass(frozen=True, kw_only=True)
class ReturnRates:
    """Return rates by item (of units sold), the overall rate, and the share of returns that can be sold again."""

    by_item: Mapping[int, float]
    overall: float
    resellable_share: float

    def resellable_rate(self, item_id: int) -> float:
        """Units back on the shelf for each unit sold."""
        return self.by_item.get(item_id, self.overall) * self.resellable_share


def shrunk_rate(*, returned: float, sold: float, overall: float) -> float:
    """This function will weigh an item's own return rate against the company's, by how much was sold of it.

    Beta-binomial shrinkage: (returned + k·overall) / (sold + k), with k units of prior, at most 1.

    >>> shrunk_rate(returned=30, sold=300, overall=0.02)
    0.06
    """
    return min(1.0, (returned + RATE_PRIOR_UNITS * overall) / (sold + RATE_PRIOR_UNITS))


def record_dispositions(session: Session, disposed: Sequence[Disposed], *, site_id: int, today: date) -> None:
    """This function will record what became of inspected returns; an inspection is recorded once."""
    if disposed:
        rows = [vars(fact) | {"site_id": site_id, "disposed_date": today} for fact in disposed]
        session.execute(sa.insert(table_of(DispositionFact)), rows)


def return_rates(session: Session, *, site_id: int, as_of: date) -> ReturnRates:
    """This function will estimate return rates from the year that ended with `as_of`."""
    since = as_of - timedelta(weeks=LEARNING_WEEKS)
    sold = _by_item(session, _facts_sold(site_id, since, as_of))
    for item_id, quantity in _by_item(session, _orders_sold(site_id, since, as_of)).items():
        sold[item_id] = sold.get(item_id, 0) + quantity
    returned = _by_item(
        session,
        sa.select(ReturnFact.item_id, sa.func.sum(ReturnFact.quantity))
        .where(ReturnFact.site_id == site_id, ReturnFact.return_date > since, ReturnFact.return_date <= as_of)
        .group_by(ReturnFact.item_id),
    )
    total_sold = sum(sold.values())
    overall = min(1.0, sum(returned.values()) / total_sold) if total_sold else 0.0
    return ReturnRates(
        by_item={
            item_id: shrunk_rate(returned=returned.get(item_id, 0), sold=sold.get(item_id, 0), overall=overall)
            for item_id in sorted(sold.keys() | returned.keys())
        },
        overall=overall,
        resellable_share=_resellable_share(session, site_id=site_id, since=since, as_of=as_of),
    )


def _facts_sold(site_id: int, since: date, as_of: date) -> sa.Select[int, int]:
    return (
        sa.select(DemandFact.item_id, sa.func.sum(DemandFact.quantity))
        .where(DemandFact.site_id == site_id, DemandFact.demand_date > since, DemandFact.demand_date <= as_of)
        .group_by(DemandFact.item_id)
    )


def _orders_sold(site_id: int, since: date, as_of: date) -> sa.Select[int, int]:
    return (
        sa.select(SalesOrderLine.item_id, sa.func.sum(SalesOrderLine.quantity))
        .join(SalesOrder, SalesOrder.id == SalesOrderLine.order_id)
        .where(
            SalesOrder.site_id == site_id,
            SalesOrder.ordered_date > since,
            SalesOrder.ordered_date <= as_of,
            ~SalesOrderLine.never_demand,
        )
        .group_by(SalesOrderLine.item_id)
    )


def _by_item(session: Session, statement: sa.Select[int, int]) -> dict[int, int]:
    return {item_id: int(quantity) for item_id, quantity in session.execute(statement)}


def _resellable_share(session: Session, *, site_id: int, since: date, as_of: date) -> float:
    quantity, resellable = session.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(DispositionFact.quantity), 0),
            sa.func.coalesce(sa.func.sum(DispositionFact.resellable_quantity), 0),
        ).where(
            DispositionFact.site_id == site_id,
            DispositionFact.disposed_date > since,
            DispositionFact.disposed_date <= as_of,
        )
    ).one()
    return (int(resellable) + RESELLABLE_PRIOR * RESELLABLE_PRIOR_UNITS) / (int(quantity) + RESELLABLE_PRIOR_UNITS)
