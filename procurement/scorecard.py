"""Scorecards: how long suppliers really take, from the day an order was sent to the day its goods were counted.

An order that is overdue counts with the days it has taken so far, which it will take at least: a supplier who has
turned late shows before the goods come. The next plan reads these figures; nothing here writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.master import locations
from scm.master.locations import LocationKind
from scm.stock.moves import MoveState, StockMove

THOUSANDTH = Decimal("0.001")


class Delivery(NamedTuple):
    """One delivery of one order: how long it took (or has taken so far), and how long was agreed."""

    supplier_id: int
    days: int
    agreed_days: int
    open: bool


@dataclass(frozen=True, kw_only=True)
class LeadTimes:
    """What deliveries say about one supplier. Days are calendar days; rates and means have three places."""

    supplier_id: int
    days: tuple[int, ...]  # every delivery, shortest first; overdue ones with what they have taken so far
    mean_days: Decimal
    sd_days: Decimal
    p90_days: int
    late_rate: Decimal
    agreed_mean_days: Decimal
    open_count: int  # of `days`, how many are lower bounds

    @property
    def n(self) -> int:
        """How many deliveries were seen."""
        return len(self.days)


def lead_times(
    session: Session, *, until: date, since: date | None = None, supplier_ids: Sequence[int] | None = None
) -> dict[int, LeadTimes]:
    """This function will measure suppliers' deliveries of orders sent from `since` to `until`, by supplier.

    All suppliers, when none are named. Goods received or put right after `until` are not seen. A supplier without
    deliveries is missing from the answer.
    """
    found = deliveries(session, until=until, since=since, supplier_ids=supplier_ids)
    return {supplier_id: summarise(found[supplier_id]) for supplier_id in sorted(found)}


def deliveries(
    session: Session, *, until: date, since: date | None = None, supplier_ids: Sequence[int] | None = None
) -> dict[int, list[Delivery]]:
    """This function will list the deliveries that `lead_times` measures, by supplier."""
    moves = _moves(session, since=since, until=until)
    if supplier_ids is not None:
        # By their orders, so that the moves of other suppliers are not read.
        theirs = sa.select(PurchaseOrder.id).where(PurchaseOrder.supplier_id.in_(list(supplier_ids)))
        if since is not None:
            theirs = theirs.where(PurchaseOrder.sent_date >= since)
        moves = moves.where(StockMove.document_id.in_(theirs))
    found: dict[int, list[Delivery]] = defaultdict(list)
    for delivery in [*_received(session, moves, until=until), *_overdue(session, moves, until=until)]:
        found[delivery.supplier_id].append(delivery)
    return found


def summarise(deliveries: Sequence[Delivery]) -> LeadTimes:
    """This function will sum one supplier's deliveries up. Raises ValueError without any.

    >>> late = summarise([Delivery(1, 7, 7, False), Delivery(1, 9, 7, False), Delivery(1, 14, 7, True)])
    >>> late.mean_days, late.sd_days, late.p90_days, late.late_rate, late.open_count
    (Decimal('10.000'), Decimal('3.606'), 14, Decimal('0.667'), 1)
    """
    if not deliveries:
        raise ValueError("a scorecard needs at least one delivery")
    days = sorted(delivery.days for delivery in deliveries)
    late = sum(delivery.days > delivery.agreed_days for delivery in deliveries)
    return LeadTimes(
        supplier_id=deliveries[0].supplier_id,
        days=tuple(days),
        mean_days=mean(days).quantize(THOUSANDTH),
        sd_days=deviation(days).quantize(THOUSANDTH),
        p90_days=percentile(days, percent=90),
        late_rate=(Decimal(late) / len(days)).quantize(THOUSANDTH),
        agreed_mean_days=mean([delivery.agreed_days for delivery in deliveries]).quantize(THOUSANDTH),
        open_count=sum(delivery.open for delivery in deliveries),
    )


def mean(values: Sequence[int]) -> Decimal:
    """This function will give the arithmetic mean of whole numbers."""
    return Decimal(sum(values)) / len(values)


def deviation(values: Sequence[int]) -> Decimal:
    """This function will give the sample standard deviation (n − 1); of a single value it is 0.

    >>> deviation([2, 4, 4, 4, 5, 5, 7, 9]).quantize(Decimal("0.001"))
    Decimal('2.138')
    """
    if len(values) < 2:
        return Decimal(0)
    centre = mean(values)
    return (sum(((value - centre) ** 2 for value in values), Decimal(0)) / (len(values) - 1)).sqrt()


def percentile(values: Sequence[int], *, percent: int) -> int:
    """This function will give the smallest value that at least `percent` of all values do not exceed (nearest rank).

    >>> percentile([5, 6, 7, 8, 9, 10, 11, 12, 13, 30], percent=90)
    13
    """
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(rank, 1) - 1]


Moves = sa.Select[int, date | None, int]


def _received(session: Session, moves: Moves, *, until: date) -> list[Delivery]:
    """One delivery for each order, day and agreed lead time, however many lines came that day.

    Many lines on one lorry are one observation: counted line by line, one late lorry would look like many.
    """
    mirror = aliased(StockMove)
    put_right = sa.exists().where(mirror.reverses_id == StockMove.id, mirror.posted_date <= until)
    statement = moves.where(StockMove.state == MoveState.POSTED, StockMove.posted_date <= until, ~put_right)
    rows = session.execute(statement.add_columns(PurchaseOrder.id, StockMove.posted_date).distinct())
    return [
        Delivery(row.supplier_id, (row.posted_date - row.sent_date).days, row.lead_time_days, False) for row in rows
    ]


def _overdue(session: Session, moves: Moves, *, until: date) -> list[Delivery]:
    """What orders still owe past the agreed time, once for each order and agreed lead time."""
    statement = moves.where(StockMove.state == MoveState.PLANNED, PurchaseOrder.state == PurchaseOrderState.SENT)
    rows = session.execute(statement.add_columns(PurchaseOrder.id).distinct())
    return [
        Delivery(row.supplier_id, (until - row.sent_date).days, row.lead_time_days, True)
        for row in rows
        if until > row.sent_date + timedelta(days=row.lead_time_days)
    ]


def _moves(session: Session, *, since: date | None, until: date) -> Moves:
    supplier = locations.of_kind(session, kind=LocationKind.SUPPLIER, site_id=None)
    statement = (
        sa.select(PurchaseOrder.supplier_id, PurchaseOrder.sent_date, PurchaseOrderLine.lead_time_days)
        # Orders to moves, and moves to lines by their key: an order's lines times its moves would be many rows.
        .join(StockMove, sa.and_(StockMove.document_kind == KIND, StockMove.document_id == PurchaseOrder.id))
        .join(PurchaseOrderLine, PurchaseOrderLine.id == StockMove.line_id)
        .where(StockMove.source_id == supplier, PurchaseOrder.sent_date <= until)
        .order_by(PurchaseOrder.supplier_id, PurchaseOrder.id)
    )
    return statement if since is None else statement.where(PurchaseOrder.sent_date >= since)


def blend(values: Iterable[int], *, agreed_days: int, weight: int) -> tuple[Decimal, Decimal]:
    """This function will give mean and standard deviation of lead time, the agreement counting as `weight` deliveries.

    Without deliveries it is the agreement; with many it is what was measured. The deviation is that of the deliveries
    and the agreed ones around their common mean (n − 1).

    >>> blend([14, 14, 14, 14], agreed_days=7, weight=4)
    (Decimal('10.500'), Decimal('3.742'))
    """
    together = [agreed_days] * weight + list(values)
    return mean(together).quantize(THOUSANDTH), deviation(together).quantize(THOUSANDTH)
