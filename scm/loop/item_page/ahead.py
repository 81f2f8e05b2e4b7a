"""An item's outlook: the stored forecast with its band, and the stock that is projected from it. Reads only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from forecasting.runs import BUCKET_DAYS, ForecastLine, ForecastRun
from procurement import outlook
from procurement.outlook import Coming
from scm.stock.projection import Position

LOW, HIGH = 0.5, 0.95  # the quantiles between which the band lies


@dataclass(frozen=True, kw_only=True)
class ForecastWeek:
    """What is expected of one week, in units, and the quantiles of its band."""

    since: date
    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The newest forecast of an item. `weeks` begin the day after `as_of`."""

    as_of: date
    method: str
    demand_class: str
    weeks: tuple[ForecastWeek, ...]

    @property
    def weekly(self) -> float:
        """The mean of the next four weeks."""
        near = self.weeks[:4]
        return sum(week.mean for week in near) / len(near) if near else 0.0


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Free stock at the end of each day from today: as things stand, and if the open proposals are ordered."""

    today: date
    as_it_stands: tuple[int, ...]
    with_proposals: tuple[int, ...]

    @property
    def runs_out(self) -> date | None:
        """The first day on which customers would wait, as things stand."""
        return next((self.today + timedelta(days=n) for n, level in enumerate(self.as_it_stands) if level < 0), None)

    @property
    def short(self) -> int:
        """How many units are missing at the worst before they arrive, as things stand."""
        return max(0, -min(self.as_it_stands, default=0))


def forecast(session: Session, *, item_id: int, site_id: int) -> Forecast | None:
    """This function will read the newest forecast of an item, in one query.

    Only the distribution over the protection interval is stored; a week's takes it in proportion as the plan does: the
    deviation of a quantile by the square root of its share.
    """
    row = session.execute(
        sa.select(ForecastRun.as_of_date, ForecastRun.settings, ForecastLine)
        .join(ForecastLine, ForecastLine.run_id == ForecastRun.id)
        .where(ForecastRun.site_id == site_id, ForecastLine.item_id == item_id)
        .order_by(ForecastRun.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    line, levels = row.ForecastLine, list(row.settings["quantiles"])
    share = 1 / math.sqrt(max(line.protection_buckets, 1))

    def quantile(mean: float, level: float) -> float:
        if level not in levels:
            return mean
        spread = line.protection_quantiles[levels.index(level)] - line.protection_mean
        return float(max(0.0, mean + spread * share))

    first = row.as_of_date + timedelta(days=1)
    return Forecast(
        as_of=row.as_of_date,
        method=line.method,
        demand_class=line.demand_class,
        weeks=tuple(
            ForecastWeek(
                since=first + timedelta(days=BUCKET_DAYS * number),
                mean=mean,
                low=min(quantile(mean, LOW), mean),
                high=max(quantile(mean, HIGH), mean),
            )
            for number, mean in enumerate(line.means)
        ),
    )


def project(
    position: Position,
    found: Forecast | None,
    *,
    today: date,
    undecided: Sequence[Coming],
    proposed: Sequence[Coming],
    days: int,
) -> Projection:
    """This function will project free stock day by day.

    It counts as the plan does, without expected returns: what is free and at the dock less what customers wait for,
    plus orders when they are due (accepted, drafted and submitted ones too; what is overdue counts as today), less
    the mean forecast.
    """
    means = [week.mean for week in found.weeks] if found else []
    first = found.weeks[0].since if found and found.weeks else today
    demand = outlook.daily(means, first_day=first, today=today, days=days)
    brought = [Coming(one.due_date, -one.quantity) for one in undecided]
    stands = outlook.project(position, demand=demand, taken_out=brought, today=today)
    ordered = outlook.project(
        position,
        demand=demand,
        taken_out=[*brought, *(Coming(one.due_date, -one.quantity) for one in proposed)],
        today=today,
    )
    return Projection(today=today, as_it_stands=stands, with_proposals=ordered)
