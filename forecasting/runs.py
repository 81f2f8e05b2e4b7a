"""Forecast runs: what was forecast on which day, kept so that it can be held against what then happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from forecasting.classes import DemandClass
from forecasting.engine import ForecastResult, ForecastSettings
from scm.core import types
from scm.core.db import Base, BigId, table_of

BUCKET_DAYS = 7
# Forecasts are kept to a thousandth of a unit: finer than any decision, coarse enough to read.
KEPT_PLACES = 3


class ForecastRun(Base):
    """One run over all items of a site, as of the end of a day."""

    __tablename__ = "forecast_run"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    as_of_date: Mapped[date] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    bucket_days: Mapped[int]
    settings: Mapped[dict[str, Any]] = mapped_column(types.Json)
    inputs_hash: Mapped[str] = mapped_column(sa.String(64))


class ForecastLine(Base):
    """The forecast of one item: means by bucket, and the distribution of demand over its protection interval."""

    __tablename__ = "forecast_line"

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("forecast_run.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), primary_key=True)
    means: Mapped[list[Any]] = mapped_column(types.Json)
    protection_buckets: Mapped[int]
    protection_mean: Mapped[float]
    protection_quantiles: Mapped[list[Any]] = mapped_column(types.Json)
    demand_class: Mapped[str] = mapped_column(sa.String(20))
    method: Mapped[str] = mapped_column(sa.String(60))


@dataclass(frozen=True, kw_only=True)
class PastForecast:
    """What an earlier run expected of the bucket that ended since. Arrays are (items,)."""

    run_id: int
    as_of_date: date
    item_ids: npt.NDArray[np.int64]
    mean: npt.NDArray[np.float64]
    demand_class: tuple[str, ...] = ()


def record(
    session: Session,
    *,
    site_id: int,
    as_of: date,
    now: datetime,
    inputs_hash: str,
    item_ids: Sequence[int],
    protection_buckets: npt.NDArray[np.int64],
    settings: ForecastSettings,
    result: ForecastResult,
) -> int:
    """This function will store a run with one line an item, and return the run's id."""
    run = ForecastRun(
        site_id=site_id,
        as_of_date=as_of,
        created_at=now,
        bucket_days=BUCKET_DAYS,
        settings={
            "season_length": settings.season_length,
            "horizon": settings.horizon,
            "quantiles": list(settings.quantiles),
            "origins": settings.origins,
        },
        inputs_hash=inputs_hash,
    )
    session.add(run)
    session.flush()
    means = np.round(result.mean, KEPT_PLACES).tolist()
    quantiles = np.round(result.protection_quantiles, KEPT_PLACES).tolist()
    rows = [
        {
            "run_id": run.id,
            "item_id": int(item_id),
            "means": means[index],
            "protection_buckets": int(protection_buckets[index]),
            "protection_mean": round(float(result.protection_mean[index]), KEPT_PLACES),
            "protection_quantiles": quantiles[index],
            "demand_class": DemandClass(int(result.demand_class[index])).name.lower(),
            "method": str(result.method[index]),
        }
        for index, item_id in enumerate(item_ids)
    ]
    if rows:
        session.execute(sa.insert(table_of(ForecastLine)), rows)
    return run.id


def one_bucket_ago(session: Session, *, site_id: int, as_of: date) -> PastForecast | None:
    """This function will read what a run exactly one bucket earlier expected of the bucket since, if any."""
    before = as_of - timedelta(days=BUCKET_DAYS)
    run_id = session.scalar(
        sa.select(ForecastRun.id)
        .where(ForecastRun.site_id == site_id, ForecastRun.as_of_date == before)
        .order_by(ForecastRun.id.desc())
        .limit(1)
    )
    if run_id is None:
        return None
    rows = session.execute(
        sa.select(ForecastLine.item_id, ForecastLine.means, ForecastLine.demand_class)
        .where(ForecastLine.run_id == run_id)
        .order_by(ForecastLine.item_id)
    ).all()
    return PastForecast(
        run_id=run_id,
        as_of_date=before,
        item_ids=np.array([row.item_id for row in rows], dtype=np.int64),
        mean=np.array([row.means[0] for row in rows], dtype=np.float64),
        demand_class=tuple(row.demand_class for row in rows),
    )


def newest_weekly_means(session: Session, *, site_id: int, item_ids: Sequence[int]) -> dict[int, float]:
    """This function will give the mean demand a week that the newest run expects of items, by item."""
    newest = sa.select(sa.func.max(ForecastRun.id)).where(ForecastRun.site_id == site_id).scalar_subquery()
    rows = session.execute(
        sa.select(ForecastLine.item_id, ForecastLine.means).where(
            ForecastLine.run_id == newest, ForecastLine.item_id.in_(list(item_ids))
        )
    )
    return {row.item_id: sum(row.means) / len(row.means) for row in rows}
