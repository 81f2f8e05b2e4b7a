"""The record of each nightly run: what it read, how it solved, what it measured."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId

KIND = "cycle_run"


class CycleRun(Base):
    """One run of the cycle over one site. `measures` holds what it learnt about earlier runs and suppliers."""

    __tablename__ = "cycle_run"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    as_of_date: Mapped[date] = mapped_column(index=True)
    finished_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    duration_milliseconds: Mapped[int]
    inputs_hash: Mapped[str] = mapped_column(sa.String(64))
    settings: Mapped[dict[str, Any]] = mapped_column(types.Json)
    forecast_run_id: Mapped[int] = mapped_column(sa.ForeignKey("forecast_run.id"))
    items: Mapped[int]
    proposals: Mapped[int]
    solver: Mapped[str] = mapped_column(sa.String(60))
    status: Mapped[str] = mapped_column(sa.String(20))
    objective: Mapped[int] = mapped_column(sa.BigInteger)  # cost of the plan, in minor units
    bound: Mapped[int] = mapped_column(sa.BigInteger)  # no plan costs less
    gap: Mapped[Decimal] = mapped_column(types.Rate)
    measures: Mapped[dict[str, Any]] = mapped_column(types.Json)
    messages: Mapped[list[Any]] = mapped_column(types.Json)


def latest(session: Session, *, site_id: int) -> CycleRun | None:
    """This function will read the newest run of a site, or None."""
    return session.scalars(
        sa.select(CycleRun).where(CycleRun.site_id == site_id).order_by(CycleRun.id.desc()).limit(1)
    ).one_or_none()


def recent(session: Session, *, site_id: int, limit: int) -> list[CycleRun]:
    """This function will read the newest runs of a site, the newest first."""
    return list(
        session.scalars(
            sa.select(CycleRun).where(CycleRun.site_id == site_id).order_by(CycleRun.id.desc()).limit(limit)
        )
    )
