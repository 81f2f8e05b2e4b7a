"""Carriers' services: transit days and the daily cut-off by which a parcel must be ready."""

from __future__ import annotations

from datetime import time

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scm.core.db import Base


class CarrierService(Base):
    """One service of one carrier from one site to one country ('*' is every other country)."""

    __tablename__ = "carrier_service"

    id: Mapped[int] = mapped_column(primary_key=True)
    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partner.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    code: Mapped[str] = mapped_column(sa.String(30))
    country: Mapped[str] = mapped_column(sa.String(60), default="*")
    transit_days: Mapped[int]
    cut_off: Mapped[time]

    __table_args__ = (
        sa.UniqueConstraint("site_id", "code", "country"),
        sa.CheckConstraint("transit_days >= 0", name="transit_not_negative"),
    )
