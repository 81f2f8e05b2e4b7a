"""The yield of bills, as their orders measured it: the good share of everything that left production."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.production.documents import OperationReport, WorkOrder, WorkOrderOperation, WorkOrderState

MEASURED = (WorkOrderState.COMPLETED, WorkOrderState.CLOSED)


@dataclass(frozen=True, slots=True)
class Yield:
    """What the finished orders of one bill made and lost, in units of the parent."""

    orders: int
    good: int
    scrap: int

    @property
    def rate(self) -> Fraction | None:
        """The good share, or None while nothing was made.

        >>> Yield(2, 95, 5).rate
        Fraction(19, 20)
        """
        made = self.good + self.scrap
        return Fraction(self.good, made) if made else None


def measured(session: Session, bom_ids: Iterable[int], *, since: date | None = None) -> dict[int, Yield]:
    """This function will measure bills on their orders that are completed or closed, in one query.

    `since` leaves out orders that were written before. Scrap counts at whatever operation it happened; good is what
    passed the last one.
    """
    last = (
        sa.select(sa.func.max(WorkOrderOperation.sequence))
        .where(WorkOrderOperation.order_id == WorkOrder.id)
        .correlate(WorkOrder)
        .scalar_subquery()
    )
    good = sa.case((WorkOrderOperation.sequence == last, OperationReport.good), else_=0)
    statement = (
        sa.select(
            WorkOrder.bom_id,
            sa.func.count(sa.distinct(WorkOrder.id)),
            sa.func.sum(good),
            sa.func.sum(OperationReport.scrap),
        )
        .join(WorkOrderOperation, WorkOrderOperation.order_id == WorkOrder.id)
        .join(OperationReport, OperationReport.operation_id == WorkOrderOperation.id)
        .where(WorkOrder.bom_id.in_(sorted(set(bom_ids))), WorkOrder.state.in_(MEASURED))
        .group_by(WorkOrder.bom_id)
    )
    if since is not None:
        statement = statement.where(WorkOrder.created_date >= since)
    return {row[0]: Yield(int(row[1]), int(row[2]), int(row[3])) for row in session.execute(statement)}
