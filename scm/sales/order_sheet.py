"""One sales order as its page shows it: its lines, how far each is, what was promised and on what. Reads only.

How far a line is comes from `status`. Here stand the names and amounts, and the supply that was bought for what waits:
its moves name a document of a room above, which is shown there by its number.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.finance import money, vat
from scm.master.items import BaseUnit, Item
from scm.master.locations import Location, LocationKind
from scm.master.partners import Partner
from scm.sales import status
from scm.sales.documents import KIND, OrderState, OrderUnknown, SalesOrder, SalesOrderLine
from scm.sales.kits import SalesOrderKit
from scm.sales.status import LineStatus
from scm.stock.moves import MoveState, StockMove
from scm.stock.pegs import Peg, PegState


class Progress(enum.Enum):
    """How far an order or a line is, as one word: that of its least advanced units."""

    DRAFT = "draft"
    WAITING = "waiting"  # for supply: the backorder
    RESERVED = "reserved"
    PICKED = "picked"
    ON_THE_WAY = "on_the_way"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


ORDER = tuple(Progress)


@dataclass(frozen=True, kw_only=True)
class Bought:
    """Supply that is meant for a line: so many units of a document of a room above, due on a day.

    It is orphaned when the line no longer wants it: nobody cancels it silently.
    """

    document_kind: str
    document_id: int
    quantity: int
    due_date: date
    arrived: bool
    orphaned: bool


@dataclass(frozen=True, kw_only=True)
class SheetLine:
    """One line; `amount` in minor units, with its VAT or without it as the order's prices are.

    `leaves_date` is when what is still in storage is to leave.
    """

    status: LineStatus
    sku: str
    name: str
    kit: str | None  # the SKU of the kit it was sold in
    unit: str
    unit_price: Decimal
    amount: int
    vat_amount: int
    leaves_date: date | None
    bought: tuple[Bought, ...]
    withdrawn: bool  # the line itself was cancelled, not only what of it waited
    progress: Progress

    def late(self, *, today: date) -> bool:
        """Whether the customer still expects some of it, and was promised it for a day that has passed."""
        promised = self.status.promised_date
        return self.status.open > 0 and promised is not None and promised < today

    @property
    def can_be_cancelled(self) -> bool:
        """Whether nothing of it has shipped and it still stands."""
        return not self.withdrawn and self.status.shipped == 0

    @property
    def waits(self) -> int:
        """How many units wait for supply."""
        return self.status.waiting


@dataclass(frozen=True, kw_only=True)
class OrderSheet:
    """An order, whole; `value` is the sum of its lines' amounts, with VAT or without as its prices are."""

    id: int
    number: str
    state: OrderState
    customer_code: str
    customer: str
    channel: str
    external_id: str | None
    currency: str
    ordered_date: date
    ordered_at: datetime
    requested_date: date | None
    ship_by_at: datetime | None  # what its channel has promised
    paid_at: datetime | None  # as its channel says
    prices_with_vat: bool
    value: int
    lines: tuple[SheetLine, ...]

    @property
    def vat_amount(self) -> int:
        """The VAT of all its lines, each rounded once."""
        return sum(line.vat_amount for line in self.lines)

    @property
    def net(self) -> int:
        """Its value without VAT."""
        return self.value - self.vat_amount if self.prices_with_vat else self.value

    @property
    def gross(self) -> int:
        """Its value with VAT: what the customer is to pay."""
        return self.net + self.vat_amount

    @property
    def progress(self) -> Progress:
        """How far it is: as far as its least advanced line that still stands."""
        standing = [line.progress for line in self.lines if line.progress is not Progress.CANCELLED]
        return min(standing, key=ORDER.index, default=Progress.CANCELLED)

    @property
    def promised_date(self) -> date | None:
        """When the last line that still stands arrives; None when one could not be promised."""
        dates = [line.status.promised_date for line in self.lines if line.progress is not Progress.CANCELLED]
        known = [day for day in dates if day is not None]
        return max(known, default=None) if len(known) == len(dates) else None

    def late(self, *, today: date) -> bool:
        """Whether any line is late."""
        return any(line.late(today=today) for line in self.lines)

    @property
    def can_be_cancelled(self) -> bool:
        """Whether the whole order may be: nothing of it has shipped."""
        return self.state is not OrderState.CANCELLED and all(line.status.shipped == 0 for line in self.lines)

    @property
    def bought(self) -> tuple[Bought, ...]:
        """What was bought for it and has not arrived: a cancellation leaves it to the buyer."""
        return tuple(supply for line in self.lines for supply in line.bought if not supply.arrived)


def read(session: Session, *, number: str, site_id: int) -> OrderSheet:
    """This function will read one order of a site by its number, in seven queries. Raises `OrderUnknown`."""
    row = session.execute(
        sa.select(SalesOrder, Partner.code, Partner.name)
        .join(Partner, Partner.id == SalesOrder.customer_id)
        .where(SalesOrder.number == number, SalesOrder.site_id == site_id)
    ).one_or_none()
    if row is None:
        raise OrderUnknown(f"there is no sales order {number} here: check the number")
    order: SalesOrder = row.SalesOrder
    lines = _lines(session, order)
    return OrderSheet(
        id=order.id,
        number=order.number,
        state=order.state,
        customer_code=row.code,
        customer=row.name,
        channel=order.channel,
        external_id=order.external_id,
        currency=order.currency,
        ordered_date=order.ordered_date,
        ordered_at=order.ordered_at,
        requested_date=order.requested_date,
        ship_by_at=order.ship_by_at,
        paid_at=order.paid_at,
        prices_with_vat=order.prices_with_vat,
        value=sum(line.amount for line in lines),
        lines=tuple(lines),
    )


def find(session: Session, *, number: str, site_id: int) -> int:
    """This function will give the id of a site's order. Raises `OrderUnknown`."""
    found = session.scalar(sa.select(SalesOrder.id).where(SalesOrder.number == number, SalesOrder.site_id == site_id))
    if found is None:
        raise OrderUnknown(f"there is no sales order {number} here: check the number")
    return found


def line_of(session: Session, *, number: str, site_id: int, line_number: int) -> int:
    """This function will give the id of one line of a site's order. Raises `OrderUnknown`."""
    order_id = find(session, number=number, site_id=site_id)
    found = session.scalar(
        sa.select(SalesOrderLine.id).where(
            SalesOrderLine.order_id == order_id, SalesOrderLine.line_number == line_number
        )
    )
    if found is None:
        raise OrderUnknown(f"{number} has no line {line_number}")
    return found


def progress_of(line: LineStatus, *, state: OrderState) -> Progress:
    """This function will say in one word how far a line is: as far as its least advanced units."""
    if line.ordered == line.cancelled or state is OrderState.CANCELLED:
        return Progress.CANCELLED
    if state is OrderState.DRAFT:
        return Progress.DRAFT
    if line.waiting:
        return Progress.WAITING
    if line.reserved:
        return Progress.RESERVED
    if line.picked > line.shipped:
        return Progress.PICKED
    return Progress.ON_THE_WAY if line.shipped > line.delivered else Progress.DELIVERED


def _lines(session: Session, order: SalesOrder) -> list[SheetLine]:
    sold_as = aliased(Item)
    named = {
        row.id: row
        for row in session.execute(
            sa.select(
                SalesOrderLine.id,
                SalesOrderLine.unit_price,
                SalesOrderLine.vat_rate,
                SalesOrderLine.cancelled_at,
                Item.sku,
                Item.shown_name.label("name"),
                BaseUnit.code.label("unit"),
                sold_as.sku.label("kit"),
            )
            .join(Item, Item.id == SalesOrderLine.item_id)
            .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
            .outerjoin(SalesOrderKit, SalesOrderKit.id == SalesOrderLine.kit_id)
            .outerjoin(sold_as, sold_as.id == SalesOrderKit.item_id)
            .where(SalesOrderLine.order_id == order.id)
        )
    }
    leaves, bought = _leaving(session, order.id), _bought(session, order.id)
    found = []
    for line in status.fulfilment(session, [order.id]):
        row = named[line.line_id]
        amount = money.line_amount(row.unit_price, line.ordered, currency=order.currency)
        found.append(
            SheetLine(
                status=line,
                sku=row.sku,
                name=row.name,
                kit=row.kit,
                unit=row.unit,
                unit_price=row.unit_price,
                amount=amount,
                vat_amount=vat.part_of(amount, row.vat_rate, included=order.prices_with_vat),
                leaves_date=leaves.get(line.line_id),
                bought=tuple(bought[line.line_id]),
                withdrawn=row.cancelled_at is not None,
                progress=progress_of(line, state=order.state),
            )
        )
    return found


def _leaving(session: Session, order_id: int) -> Mapping[int, date]:
    """When what still stands in storage is to leave, by line."""
    rows = session.execute(
        sa.select(StockMove.line_id, sa.func.max(StockMove.due_date).label("due_date"))
        .join(Location, Location.id == StockMove.source_id)
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id == order_id,
            StockMove.state == MoveState.PLANNED,
            Location.kind == LocationKind.STORAGE,
        )
        .group_by(StockMove.line_id)
    )
    return {row.line_id: row.due_date for row in rows}


def _bought(session: Session, order_id: int) -> defaultdict[int, list[Bought]]:
    supply, demand = aliased(StockMove), aliased(StockMove)
    rows: Sequence[sa.Row[*tuple[Any, ...]]] = session.execute(
        sa.select(
            demand.line_id,
            supply.document_kind,
            supply.document_id,
            supply.due_date,
            supply.state,
            Peg.state.label("peg"),
            Peg.quantity,
        )
        .join(supply, supply.id == Peg.supply_move_id)
        .join(demand, demand.id == Peg.demand_move_id)
        .where(demand.document_kind == KIND, demand.document_id == order_id, supply.state != MoveState.CANCELLED)
        .order_by(supply.due_date, Peg.id)
    ).all()
    found: defaultdict[int, list[Bought]] = defaultdict(list)
    for row in rows:
        found[row.line_id].append(
            Bought(
                document_kind=row.document_kind,
                document_id=row.document_id,
                quantity=row.quantity,
                due_date=row.due_date,
                arrived=row.state is MoveState.POSTED,
                orphaned=row.peg is PegState.ORPHANED,
            )
        )
    return found
