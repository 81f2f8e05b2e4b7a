"""What is measured once a day and kept: the site's indicators, and for each item the newest figures of the cover list.

This file holds the tables; `scm.loop.indicators` and `scm.loop.item_measures` write them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scm.core import types
from scm.core.db import Base


class IndicatorDay(Base):
    """The indicators of one site as of one day. A figure is [part, whole], in whole numbers, or absent."""

    __tablename__ = "indicator_day"

    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), primary_key=True)
    measured_date: Mapped[date] = mapped_column(primary_key=True)
    measured_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    figures: Mapped[dict[str, Any]] = mapped_column(types.Json)


class ItemMeasure(Base):
    """What was measured of one item last. Quantities are base units; opening + received is what there was to sell."""

    __tablename__ = "item_measure"

    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), primary_key=True)
    measured_date: Mapped[date]
    since_date: Mapped[date]  # of opening, received and sold
    opening: Mapped[int] = mapped_column(sa.BigInteger)
    received: Mapped[int] = mapped_column(sa.BigInteger)
    sold: Mapped[int] = mapped_column(sa.BigInteger)  # left the building, less what came straight back
    last_sale_date: Mapped[date | None]
    asked_8_weeks: Mapped[int] = mapped_column(sa.BigInteger)  # by customers, delivered or not
    asked_8_weeks_before: Mapped[int] = mapped_column(sa.BigInteger)
    daily_thousandths: Mapped[int | None] = mapped_column(sa.BigInteger)  # forecast a day, in thousandths of a unit

    __table_args__ = (sa.CheckConstraint("received >= 0", name="received_not_negative"),)
