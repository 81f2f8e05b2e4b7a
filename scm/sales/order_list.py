"""The list of sales orders: what can be seen, filtered and sorted of each. Reads only.

How far an order is follows from its planned moves. They are few beside all there ever were, so they are asked for as
sets, once for a page, and not order by order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from scm.core.listing import Condition, Contains, Field, Kind, Listing
from scm.core.types import UNIT_PRICE_PLACES
from scm.finance import money
from scm.master.locations import Location, LocationKind
from scm.master.partners import Partner
from scm.sales.documents import KIND, OrderState, SalesOrder, SalesOrderLine
from scm.sales.order_sheet import Progress
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Reservation

PROGRESS = sa.Enum(
    Progress, values_callable=lambda kind: [member.value for member in kind], native_enum=False, length=24
)


def listing(*, site_id: int, currency: str, today: date) -> Listing:
    """This function will describe the orders of a site; values are minor units of the company's currency."""
    return Listing(
        name="sales_orders",
        rows=sa.select(SalesOrder.id).where(SalesOrder.site_id == site_id),
        key=SalesOrder.__table__.c.id,
        fields=(
            Field(name="number", kind=Kind.CODE, value=SalesOrder.__table__.c.number),
            Field(name="customer", kind=Kind.TEXT, value=_customer(), holds=_is_customer),
            Field(name="progress", kind=Kind.CHOICE, value=_progress(), choices=Progress, holds=_has_come),
            Field(name="late", kind=Kind.FLAG, value=_late(today)),
            Field(name="ordered_date", kind=Kind.DATE, value=SalesOrder.__table__.c.ordered_date),
            Field(name="requested_date", kind=Kind.DATE, value=SalesOrder.__table__.c.requested_date),
            Field(
                name="promised_date",
                kind=Kind.DATE,
                value=_of_lines(sa.func.max(SalesOrderLine.promised_date)),
                holds=_is_promised,
            ),
            Field(name="lines", kind=Kind.NUMBER, value=_of_lines(sa.func.count())),
            Field(name="units", kind=Kind.QUANTITY, value=_of_lines(_whole(sa.func.sum(SalesOrderLine.quantity)))),
            Field(name="waiting", kind=Kind.QUANTITY, value=_waiting()),
            Field(name="value", kind=Kind.MONEY, value=_of_lines(_whole(sa.func.sum(_amount(currency))))),
            Field(name="channel", kind=Kind.CODE, value=SalesOrder.__table__.c.channel),
            Field(name="external_id", kind=Kind.CODE, value=SalesOrder.__table__.c.external_id),
        ),
        search=(SalesOrder.__table__.c.number, SalesOrder.__table__.c.external_id, _named),
        order=("ordered_date", True),
    )


def _customer() -> Any:
    """Not a join: whoever only counts orders, or walks along their dates, needs no customers."""
    return sa.select(Partner.name).where(Partner.id == SalesOrder.customer_id).correlate(SalesOrder).scalar_subquery()


def _named(contains: Contains) -> sa.ColumnElement[bool]:
    return SalesOrder.customer_id.in_(sa.select(Partner.id).where(contains(Partner.name)))


def _is_customer(condition: Condition, contains: Contains) -> sa.ColumnElement[bool]:
    named = [contains(Partner.name)] if condition.text else []
    named += [Partner.name.in_(condition.values)] if condition.values else []
    return SalesOrder.customer_id.in_(sa.select(Partner.id).where(*named))


def _is_promised(condition: Condition, _: Contains) -> sa.ColumnElement[bool]:
    """The last promise of the lines: some line has until `least` or later, and none has longer than `most`."""
    until = SalesOrderLine.promised_date
    order_ids = sa.select(SalesOrderLine.order_id)
    parts = [SalesOrder.id.in_(order_ids.where(until >= condition.least))] if condition.least is not None else []
    if condition.most is not None:
        parts.append(SalesOrder.id.in_(order_ids.where(until <= condition.most)))
        parts.append(SalesOrder.id.not_in(order_ids.where(until > condition.most)))
    return sa.and_(sa.true(), *parts)


def _whole(total: Any) -> Any:
    """Sums of whole numbers are numerics on PostgreSQL: they are whole, and are read so."""
    return sa.cast(sa.func.coalesce(total, 0), sa.BigInteger)


def _of_lines(what: Any) -> Any:
    return (
        sa.select(what)
        .select_from(SalesOrderLine)
        .where(SalesOrderLine.order_id == SalesOrder.id)
        .correlate(SalesOrder)
        .scalar_subquery()
    )


def _amount(currency: str) -> Any:
    """A line's amount in minor units, rounded half up once, as `money.line_amount` rounds it."""
    scale = 10 ** (UNIT_PRICE_PLACES - money.places(currency))
    exact = sa.type_coerce(SalesOrderLine.unit_price, sa.BigInteger) * SalesOrderLine.quantity
    return (exact + scale // 2) // sa.literal(scale, sa.BigInteger) if scale > 1 else exact


def _planned_from(*kinds: LocationKind, where: Sequence[sa.ColumnElement[bool]] = ()) -> Any:
    """Orders of which goods are planned to leave a kind of place: in storage they wait, in staging they are picked.

    The places are named by their ids, so that the index of planned moves by place is used.
    """
    places = sa.select(Location.id).where(Location.kind.in_(kinds))
    planned = sa.select(StockMove.document_id).where(
        StockMove.source_id.in_(places), StockMove.state == MoveState.PLANNED, StockMove.document_kind == KIND, *where
    )
    return SalesOrder.id.in_(planned)


def _unpromised() -> sa.ColumnElement[bool]:
    return ~sa.exists().where(Reservation.move_id == StockMove.id)


def _progress() -> Any:
    words: list[tuple[Any, Progress]] = [
        (SalesOrder.state == OrderState.CANCELLED, Progress.CANCELLED),
        (SalesOrder.state == OrderState.DRAFT, Progress.DRAFT),
        (_planned_from(LocationKind.STORAGE, where=[_unpromised()]), Progress.WAITING),
        (_planned_from(LocationKind.STORAGE), Progress.RESERVED),
        (_planned_from(LocationKind.STAGING), Progress.PICKED),
        (_planned_from(LocationKind.DELIVERY), Progress.ON_THE_WAY),
    ]
    whens = [(condition, sa.literal(word.value)) for condition, word in words]
    return sa.type_coerce(sa.case(*whens, else_=sa.literal(Progress.DELIVERED.value)), PROGRESS)


def _has_come(condition: Condition, _: Contains) -> sa.ColumnElement[bool]:
    """Orders that have come so far: found among the planned moves, or in state and date, but never one by one."""
    return sa.or_(*(_is_at(word) for word in condition.values))


def _is_at(progress: Progress) -> sa.ColumnElement[bool]:
    if progress in (Progress.CANCELLED, Progress.DRAFT):
        return SalesOrder.state == OrderState(progress.value)
    stages = (LocationKind.STORAGE, LocationKind.STAGING, LocationKind.DELIVERY)
    at = {
        Progress.WAITING: [_planned_from(stages[0], where=[_unpromised()])],
        Progress.RESERVED: [_planned_from(stages[0]), sa.not_(_planned_from(stages[0], where=[_unpromised()]))],
        Progress.PICKED: [_planned_from(stages[1]), sa.not_(_planned_from(stages[0]))],
        Progress.ON_THE_WAY: [_planned_from(stages[2]), sa.not_(_planned_from(*stages[:2]))],
        Progress.DELIVERED: [sa.not_(_planned_from(*stages))],
    }
    return sa.and_(SalesOrder.state == OrderState.CONFIRMED, *at[progress])


def _late(today: date) -> Any:
    """Something of a line whose promised day has passed has not arrived."""
    line = aliased(SalesOrderLine)
    passed = sa.exists().where(line.id == StockMove.line_id, line.promised_date < today)
    return _planned_from(LocationKind.STORAGE, LocationKind.STAGING, LocationKind.DELIVERY, where=[passed])


def _waiting() -> Any:
    """Units for which no stock is promised; nothing in other places counts."""
    source = aliased(Location)
    return (
        sa.select(_whole(sa.func.sum(StockMove.quantity)))
        .join(source, source.id == StockMove.source_id)
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id == SalesOrder.id,
            StockMove.state == MoveState.PLANNED,
            source.kind == LocationKind.STORAGE,
            _unpromised(),
        )
        .correlate(SalesOrder)
        .scalar_subquery()
    )
