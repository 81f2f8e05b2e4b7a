"""Routings: the operations that make an item, and the work centres that do them in shifts."""

from __future__ import annotations

from datetime import time

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from scm.core.db import Base


class WorkCenter(Base):
    """A group of machines (or people) of a site that can stand in for each other."""

    __tablename__ = "work_center"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    code: Mapped[str] = mapped_column(sa.String(30))
    name: Mapped[str] = mapped_column(sa.String(120))
    machines: Mapped[int]
    retired: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        sa.UniqueConstraint("site_id", "code"),
        sa.CheckConstraint("machines >= 1", name="has_a_machine"),
    )


class Shift(Base):
    """When a work centre works on a weekday (0 Monday … 6 Sunday), by the clock of its site.

    A shift that ends at or before the hour it began ends on the next day, and belongs to the day it begins on.
    """

    __tablename__ = "shift"

    id: Mapped[int] = mapped_column(primary_key=True)
    work_center_id: Mapped[int] = mapped_column(sa.ForeignKey("work_center.id"))
    weekday: Mapped[int]
    starts_at: Mapped[time]
    ends_at: Mapped[time]

    __table_args__ = (
        sa.UniqueConstraint("work_center_id", "weekday", "starts_at"),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday_exists"),
        sa.CheckConstraint("starts_at <> ends_at", name="takes_time"),
    )


class Routing(Base):
    """How the parent of one revision of a bill is made."""

    __tablename__ = "routing"

    id: Mapped[int] = mapped_column(primary_key=True)
    bom_id: Mapped[int] = mapped_column(sa.ForeignKey("bom.id"), unique=True)


class Operation(Base):
    """One step of a routing: it is set up once an order, then runs `run_seconds` for every `run_quantity` units."""

    __tablename__ = "operation"

    id: Mapped[int] = mapped_column(primary_key=True)
    routing_id: Mapped[int] = mapped_column(sa.ForeignKey("routing.id"))
    sequence: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(120))
    work_center_id: Mapped[int] = mapped_column(sa.ForeignKey("work_center.id"), index=True)
    setup_seconds: Mapped[int] = mapped_column(sa.BigInteger)
    run_seconds: Mapped[int] = mapped_column(sa.BigInteger)
    run_quantity: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.UniqueConstraint("routing_id", "sequence"),
        sa.CheckConstraint("sequence >= 1", name="steps_count_from_one"),
        sa.CheckConstraint("setup_seconds >= 0 AND run_seconds >= 0", name="time_not_negative"),
        sa.CheckConstraint("setup_seconds + run_seconds > 0", name="takes_time"),
        sa.CheckConstraint("run_quantity >= 1", name="runs_for_something"),
    )
