"""What an import leaves behind: the imported file, and every accepted line of it.

Lines on or after go-live are read by nobody but the simulated world, each at its own date; what lies before becomes
facts in `forecasting.history`. Only `scm.loop.importing` writes here.
"""

from __future__ import annotations

import enum
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scm.core import types
from scm.core.db import Base, BigId


class LineKind(enum.Enum):
    """What an accepted line is. Only sales are demand."""

    SALE = "sale"
    RETURN = "return"
    ADJUSTMENT = "adjustment"  # stock written off or found
    CHARGE = "charge"  # money without goods: postage, fees, discounts, bad debt


class SalesImport(Base):
    """One file that was imported, known by the hash of its (unpacked) content."""

    __tablename__ = "sales_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    content_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    file_name: Mapped[str] = mapped_column(sa.String(200))
    imported_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    seed: Mapped[int] = mapped_column(sa.BigInteger)
    report: Mapped[dict[str, Any]] = mapped_column(types.Json)


class SalesHistoryLine(Base):
    """One accepted line. Quantities are signed as in the file: returns and write-offs are negative.

    Written once, in bulk, from ids drawn in the same transaction. There are no foreign keys for the database to
    check a million times: items and partners are retired, never deleted.
    """

    __tablename__ = "sales_history_line"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    import_id: Mapped[int] = mapped_column(sa.BigInteger)
    row_number: Mapped[int] = mapped_column(sa.BigInteger)  # in the file; the header is row 1
    kind: Mapped[LineKind] = mapped_column(
        sa.Enum(LineKind, values_callable=lambda kind: [k.value for k in kind], native_enum=False, length=12)
    )
    invoice: Mapped[str] = mapped_column(sa.String(40))
    item_id: Mapped[int | None] = mapped_column(sa.BigInteger)  # none: a charge
    charge_code: Mapped[str | None] = mapped_column(sa.String(40))
    customer_id: Mapped[int] = mapped_column(sa.BigInteger)
    sold_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    sold_date: Mapped[date]  # in the company's zone
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    unit_price: Mapped[Decimal] = mapped_column(types.UnitPrice)
    matched_sale_id: Mapped[int | None] = mapped_column(sa.BigInteger)  # the sale line that a return reverses
    never_demand: Mapped[bool]  # a sale cancelled whole within a day, and the return that cancelled it
    line_key: Mapped[int] = mapped_column(sa.BigInteger)  # same in every export that repeats the line

    __table_args__ = (
        # Lines come in the order of time, so on PostgreSQL a summary per block of rows finds a day.
        sa.Index(None, "sold_date", postgresql_using="brin"),
        sa.CheckConstraint("quantity <> 0", name="moves_something"),
        # Not IN (…), for which SQLite builds a small index anew for every row: a third of the whole insert.
        sa.CheckConstraint(" OR ".join(f"kind = '{kind.value}'" for kind in LineKind), name="line_kind"),
        sa.CheckConstraint("(item_id IS NULL) = (kind = 'charge')", name="only_charges_have_no_item"),
    )
