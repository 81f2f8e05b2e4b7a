"""What each run set for each item: how much to hold, when to order, and what it had learnt by then.

Proposals carry accounts, but most items are not proposed; what the plan holds them to is kept here, so that two runs
can be compared item by item.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import bulk, types
from scm.core.bulk import Coded
from scm.core.db import Base, table_of
from scm.loop.accounts import Planned
from scm.loop.cycle_runs import CycleRun
from scm.planning import policy


class ItemTarget(Base):
    """One item's targets in one run, in base units; demand and returns are those of the protection interval."""

    __tablename__ = "item_target"

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("cycle_run.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), primary_key=True)
    demand: Mapped[int] = mapped_column(sa.BigInteger)
    safety_demand: Mapped[int] = mapped_column(sa.BigInteger)
    safety_lead_time: Mapped[int] = mapped_column(sa.BigInteger)
    reorder_point: Mapped[int] = mapped_column(sa.BigInteger)
    expected_returns: Mapped[int] = mapped_column(sa.BigInteger)
    need: Mapped[int] = mapped_column(sa.BigInteger)  # what was missing; below zero: more is there than is needed
    protection_days: Mapped[int]
    lead_time_days: Mapped[Decimal] = mapped_column(types.Rate)  # counted on: agreed and measured, weighed
    return_rate: Mapped[Decimal] = mapped_column(types.Rate)  # of what is sold, how much comes back
    resellable_share: Mapped[Decimal] = mapped_column(types.Rate)  # of that, how much can be sold again

    __table_args__ = (sa.Index(None, "item_id", "run_id"),)

    @property
    def safety_stock(self) -> int:
        """Both parts of the safety stock."""
        return self.safety_demand + self.safety_lead_time

    @property
    def order_up_to_level(self) -> int:
        """Demand over the protection interval, and safety stock."""
        return self.demand + self.safety_stock


def record(session: Session, *, run_id: int, planned: Planned) -> None:
    """This function will keep the targets of a run, a row an item."""
    required, found, rates = planned.wanted.required, planned.inputs, planned.inputs.returns
    lead_days = np.array([lead_time.mean_days for lead_time in planned.guarded.lead_times])
    safety = required.safety_demand + required.safety_lead_time
    over_lead_time = planned.wanted.demand_mean * np.minimum(lead_days / planned.guarded.days, 1.0)
    count = len(found.sources)
    bulk.insert(
        session,
        table_of(ItemTarget),
        {
            "run_id": np.full(count, run_id),
            "item_id": found.item_ids,
            "demand": required.demand[:, 0],
            "safety_demand": required.safety_demand,
            "safety_lead_time": required.safety_lead_time,
            "reorder_point": policy.reorder_point(lead_time_demand_mean=over_lead_time, safety_stock=safety),
            "expected_returns": required.expected_returns[:, 0],
            "need": required.need[:, 0],
            "protection_days": planned.guarded.days,
            "lead_time_days": _decimals([float(days) for days in lead_days]),
            "return_rate": _decimals([rates.by_item.get(source.item_id, rates.overall) for source in found.sources]),
            "resellable_share": _decimals([rates.resellable_share] * count),
        },
    )


def newest(session: Session, *, item_id: int, site_id: int, most: int = 2) -> list[ItemTarget]:
    """This function will read an item's targets of the last runs of a site, the newest first."""
    from_runs = sa.select(CycleRun.id).where(CycleRun.site_id == site_id)
    statement = sa.select(ItemTarget).where(ItemTarget.item_id == item_id, ItemTarget.run_id.in_(from_runs))
    return list(session.scalars(statement.order_by(ItemTarget.run_id.desc()).limit(most)))


def _decimals(values: list[float]) -> Coded:
    return Coded(np.arange(len(values)), [Decimal(str(round(value, 6))) for value in values])
