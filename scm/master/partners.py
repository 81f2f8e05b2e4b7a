"""Partners: who supplies us, who buys from us, who carries. One row may be all three."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scm.core.db import Base

OWN_STOCK = 1  # the owner row meaning: the goods are the company's own


class Partner(Base):
    """A company or person we deal with."""

    __tablename__ = "partner"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    code: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(160))
    is_supplier: Mapped[bool] = mapped_column(default=False)
    is_customer: Mapped[bool] = mapped_column(default=False)
    is_carrier: Mapped[bool] = mapped_column(default=False)
    email: Mapped[str | None] = mapped_column(sa.String(200))
    country: Mapped[str | None] = mapped_column(sa.String(60))
    retired: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (sa.UniqueConstraint("company_id", "code"),)


class Owner(Base):
    """Whose goods they are. Row 1 is the company's own; others name the partner who consigned them."""

    __tablename__ = "owner"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    partner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("partner.id"))
