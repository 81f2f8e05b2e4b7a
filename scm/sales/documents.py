"""The sales order: its tables, its states, and how its rows are locked.

An order stores decisions only. What was reserved, picked, shipped and delivered is derived from stock moves, in
`scm.sales.status`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, BigId
from scm.core.documents import Machine
from scm.core.errors import NotFound

KIND = "sales_order"


class OrderState(enum.Enum):
    """What was decided about an order; how far it is, its moves say."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


MACHINE = Machine(
    kind=KIND,
    initial=OrderState.DRAFT,
    transitions={
        (OrderState.DRAFT, "confirm"): OrderState.CONFIRMED,
        (OrderState.DRAFT, "cancel"): OrderState.CANCELLED,
        (OrderState.CONFIRMED, "cancel"): OrderState.CANCELLED,
    },
)


class SalesOrder(Base):
    """What one customer ordered at once, through one channel."""

    __tablename__ = "sales_order"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("partner.id"), index=True)
    number: Mapped[str] = mapped_column(sa.String(30), unique=True)
    channel: Mapped[str] = mapped_column(sa.String(40))  # its code
    external_id: Mapped[str | None] = mapped_column(sa.String(80))  # the channel's own number
    currency: Mapped[str] = mapped_column(sa.String(3))
    state: Mapped[OrderState] = mapped_column(types.enum_column(OrderState))
    requested_date: Mapped[date | None]  # when the customer wants to have it; none: as soon as possible
    ordered_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    ordered_date: Mapped[date]  # in the site's zone
    confirmed_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    prices_with_vat: Mapped[bool] = mapped_column(server_default=sa.false())  # as its channel sells
    paid_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)  # as its channel says
    ship_by_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)  # what the channel has promised

    __table_args__ = (
        sa.ForeignKeyConstraint(["company_id", "channel"], ["channel.company_id", "channel.code"]),
        sa.UniqueConstraint("channel", "external_id"),
        sa.Index(None, "site_id", "ordered_date"),
        sa.Index(None, "site_id", "state", "ordered_date"),
        sa.Index(None, "site_id", "channel", "id"),
        sa.Index("ix_sales_order_searched", "site_id", "number", "external_id", "customer_id"),  # all that is searched
        sa.CheckConstraint("state <> 'confirmed' OR confirmed_at IS NOT NULL", name="confirmed_has_its_time"),
    )


class SalesOrderLine(Base):
    """One item of an order. `never_demand` marks what was ordered and cancelled within a day."""

    __tablename__ = "sales_order_line"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("sales_order.id"))
    line_number: Mapped[int]
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"), index=True)
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    unit_price: Mapped[Decimal] = mapped_column(types.UnitPrice)
    kit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sales_order_kit.id"))  # sold as a component of it
    vat_rate: Mapped[Decimal] = mapped_column(types.Rate, server_default="0")  # of the day it was ordered
    promised_date: Mapped[date | None]  # when we said it arrives; none: nothing could be promised
    cancelled_at: Mapped[datetime | None] = mapped_column(types.UtcDateTime)
    never_demand: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        sa.UniqueConstraint("order_id", "line_number"),
        sa.Index(None, "promised_date", "order_id"),
        sa.Index(  # partial, because hardly any line is cancelled
            "ix_sales_order_line_cancelled",
            "cancelled_at",
            "order_id",
            sqlite_where=sa.text("cancelled_at IS NOT NULL"),
            postgresql_where=sa.text("cancelled_at IS NOT NULL"),
        ),
        sa.CheckConstraint("quantity > 0", name="orders_something"),
        sa.CheckConstraint("unit_price >= 0", name="price_not_negative"),
        sa.CheckConstraint("NOT never_demand OR cancelled_at IS NOT NULL", name="only_cancelled_was_never_demand"),
    )


class OrderUnknown(NotFound):
    """There is no sales order, or no line of one, of that id."""


def lock_orders(session: Session, order_ids: Iterable[int]) -> list[SalesOrder]:
    """This function will lock orders in the order of their ids and read them as they now are, in the order asked.

    Raises `OrderUnknown`.
    """
    wanted = list(dict.fromkeys(order_ids))
    rows = session.scalars(
        sa.select(SalesOrder)
        .where(SalesOrder.id.in_(wanted))
        .order_by(SalesOrder.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = {order.id: order for order in rows}
    for order_id in wanted:
        if order_id not in found:
            raise OrderUnknown(f"there is no sales order {order_id}")
    return [found[order_id] for order_id in wanted]


def lines_of(session: Session, order_ids: Sequence[int]) -> list[SalesOrderLine]:
    """This function will read the lines of orders that are locked, by order and line number."""
    rows = session.scalars(
        sa.select(SalesOrderLine)
        .where(SalesOrderLine.order_id.in_(order_ids))
        .order_by(SalesOrderLine.order_id, SalesOrderLine.line_number)
        .execution_options(populate_existing=True)
    )
    return list(rows)


def order_ids_of_lines(session: Session, line_ids: Sequence[int]) -> list[int]:
    """This function will name the orders that lines belong to. Raises `OrderUnknown`."""
    rows = session.execute(sa.select(SalesOrderLine.id, SalesOrderLine.order_id).where(SalesOrderLine.id.in_(line_ids)))
    order_of = {row.id: row.order_id for row in rows}
    for line_id in line_ids:
        if line_id not in order_of:
            raise OrderUnknown(f"there is no sales order line {line_id}")
    return sorted(set(order_of.values()))
