"""What comes back of an item, why, what becomes of it, and what the last runs made of that. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales.documents import ReturnAuthorization, ReturnLine, ReturnReason
from forecasting.history import DemandFact, ReturnFact
from forecasting.signals import LEARNING_WEEKS, DispositionFact
from procurement.defects import DefectFact
from scm.sales import demand


@dataclass(frozen=True, kw_only=True)
class Returns:
    """A year of returns of one item, in base units."""

    since: date
    sold: int
    returned: int
    disposed: int
    resold: int  # of `disposed`, what went back to the shelf
    defective: int  # by the supplier's fault
    reasons: Sequence[tuple[ReturnReason, int]]  # of authorized returns, the most units first
    last_return_date: date | None

    @property
    def rate(self) -> float | None:
        """Units returned, of the units sold in the same year."""
        return self.returned / self.sold if self.sold else None

    @property
    def resold_share(self) -> float | None:
        """Of what was disposed of, the share that could be sold again."""
        return self.resold / self.disposed if self.disposed else None


def returns(session: Session, *, item_id: int, site_id: int, today: date) -> Returns:
    """This function will sum a year of an item's returns up, in six queries."""
    since = today - timedelta(weeks=LEARNING_WEEKS)
    wanted = demand.wanted(site_id=site_id).subquery()
    before = session.scalar(
        sa.select(sa.func.sum(DemandFact.quantity)).where(
            DemandFact.site_id == site_id, DemandFact.item_id == item_id, DemandFact.demand_date > since
        )
    )
    ordered = session.scalar(
        sa.select(sa.func.sum(wanted.c.quantity)).where(wanted.c.item_id == item_id, wanted.c.demand_date > since)
    )
    came_back = session.execute(
        sa.select(sa.func.sum(ReturnFact.quantity), sa.func.max(ReturnFact.return_date)).where(
            ReturnFact.site_id == site_id, ReturnFact.item_id == item_id, ReturnFact.return_date > since
        )
    ).one()
    disposed = session.execute(
        sa.select(sa.func.sum(DispositionFact.quantity), sa.func.sum(DispositionFact.resellable_quantity)).where(
            DispositionFact.site_id == site_id,
            DispositionFact.item_id == item_id,
            DispositionFact.disposed_date > since,
        )
    ).one()
    defective = session.scalar(
        sa.select(sa.func.sum(DefectFact.quantity)).where(DefectFact.item_id == item_id, DefectFact.found_date > since)
    )
    units = sa.func.sum(ReturnLine.quantity)
    reasons = session.execute(
        sa.select(ReturnLine.reason, units)
        .join(ReturnAuthorization, ReturnAuthorization.id == ReturnLine.return_id)
        .where(
            ReturnLine.item_id == item_id,
            ReturnAuthorization.site_id == site_id,
            ReturnAuthorization.authorized_date > since,
        )
        .group_by(ReturnLine.reason)
        .order_by(units.desc())
    )
    return Returns(
        since=since,
        sold=int(before or 0) + int(ordered or 0),
        returned=int(came_back[0] or 0),
        disposed=int(disposed[0] or 0),
        resold=int(disposed[1] or 0),
        defective=int(defective or 0),
        reasons=tuple((reason, int(quantity)) for reason, quantity in reasons),
        last_return_date=came_back[1],
    )
