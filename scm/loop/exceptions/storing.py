"""What a warehouse must do: receive, put away, pick again, ship, agree on counts, and empty its quarantine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.clock import local_date
from scm.finance.averages import StockCost
from scm.loop.exceptions.findings import Finding, Kind, Scope, amount_of_scaled
from scm.loop.exceptions.planning import Coming
from scm.master.items import Item
from scm.master.lanes import CarrierService
from scm.master.locations import Location, LocationKind
from scm.master.partners import OWN_STOCK, Partner
from scm.sales.documents import KIND as SALES_ORDER
from scm.sales.documents import OrderState, SalesOrder, SalesOrderLine
from scm.stock.balances import StockBalance
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Reservation
from warehouse.counts import CountState, CycleCount, CycleCountLine
from warehouse.waves import Pick

SHIP_BY_WARNING = timedelta(hours=12)  # as long as it takes to release, pick and pack a wave and load the carrier


def inbound_due(coming: Sequence[Coming], names: Mapping[int, tuple[str, str]], *, today: date) -> Iterator[Finding]:
    """This function will find sent orders whose goods are due at the dock by today."""
    due: dict[int, list[Coming]] = defaultdict(list)
    for line in coming:
        if line.sent and line.due_date <= today:
            due[line.order_id].append(line)
    for order_id, lines in due.items():
        first = min(line.due_date for line in lines)
        yield Finding(
            kind=Kind.INBOUND_DUE,
            subject_id=order_id,
            label=lines[0].number,
            name=names[lines[0].supplier_id][1],
            quantity=sum(line.quantity for line in lines),
            due_date=first,
            facts={"lines": len(lines), "days_late": (today - first).days},
        )


def outbound(session: Session, scope: Scope) -> Iterator[Finding]:
    """This function will find promised orders that missed the carrier, and picks that were short."""
    for row in session.execute(_unshipped(scope).where(_past_cut_off(session, scope))):
        yield _of_order(Kind.PAST_CUT_OFF, row, scope)
    short = sa.exists().where(Pick.move_id == StockMove.id, Pick.short_quantity > 0)
    for row in session.execute(_unshipped(scope).where(short, ~StockMove.allocated)):
        yield _of_order(Kind.SHORT_PICK, row, scope)


def late_orders(session: Session, scope: Scope) -> Iterator[Finding]:
    """This function will find orders whose promised day has passed with goods still in the building or not there."""
    statement = _of_orders(scope).where(SalesOrderLine.promised_date < scope.today)
    for row in session.execute(statement):
        yield _of_order(Kind.ORDER_LATE, row, scope)


def ship_by_risks(session: Session, scope: Scope) -> Iterator[Finding]:
    """This function will find orders in the building whose channel's clock to ship by ends soon, or has ended."""
    soon = scope.now + SHIP_BY_WARNING
    statement = _of_orders(scope).add_columns(SalesOrder.ship_by_at).where(SalesOrder.ship_by_at <= soon)
    for row in session.execute(statement.group_by(SalesOrder.ship_by_at)):
        yield Finding(
            kind=Kind.SHIP_BY_RISK,
            subject_id=row.id,
            label=row.number,
            name=row.customer,
            amount=amount_of_scaled(row.scaled, currency=scope.currency),
            quantity=int(row.quantity),
            due_date=local_date(row.ship_by_at, zone=scope.zone),
            facts={"lines": row.lines, "ship_by": row.ship_by_at.isoformat(), "passed": row.ship_by_at < scope.now},
        )


def _of_order(kind: Kind, row: sa.Row[Any], scope: Scope) -> Finding:
    return Finding(
        kind=kind,
        subject_id=row.id,
        label=row.number,
        name=row.customer,
        amount=amount_of_scaled(row.scaled, currency=scope.currency),
        quantity=int(row.quantity),
        due_date=row.promised if kind is Kind.ORDER_LATE else row.due_date,
        facts={"lines": row.lines, "promised": row.promised.isoformat() if row.promised else None},
    )


def _past_cut_off(session: Session, scope: Scope) -> sa.ColumnElement[bool]:
    """Today counts once the last carrier has left; on a simulated day the wall clock says nothing."""
    local = scope.now.astimezone(ZoneInfo(scope.zone))
    latest = session.scalar(
        sa.select(sa.func.max(CarrierService.cut_off)).where(
            CarrierService.site_id == scope.site_id, ~CarrierService.retired
        )
    )
    gone = latest is not None and local.date() == scope.today and local.time() > latest
    return StockMove.due_date <= scope.today if gone else StockMove.due_date < scope.today


def _unshipped(scope: Scope) -> sa.Select[*tuple[Any, ...]]:
    """What is promised or stands in staging: what only waits for goods is the planner's to mend."""
    promised = sa.exists().where(Reservation.move_id == StockMove.id)
    return _of_orders(scope).where(sa.or_(Location.kind == LocationKind.STAGING, promised))


def _of_orders(scope: Scope) -> sa.Select[*tuple[Any, ...]]:
    price = sa.type_coerce(SalesOrderLine.unit_price, sa.BigInteger)
    return (
        sa.select(
            SalesOrder.id,
            SalesOrder.number,
            Partner.name.label("customer"),
            sa.func.count(sa.distinct(StockMove.line_id)).label("lines"),
            sa.func.sum(StockMove.quantity).label("quantity"),
            sa.func.sum(StockMove.quantity * price).label("scaled"),
            sa.func.min(StockMove.due_date).label("due_date"),
            sa.func.min(SalesOrderLine.promised_date).label("promised"),
        )
        .join(Location, Location.id == StockMove.source_id)
        .join(SalesOrderLine, SalesOrderLine.id == StockMove.line_id)
        .join(SalesOrder, SalesOrder.id == StockMove.document_id)
        .join(Partner, Partner.id == SalesOrder.customer_id)
        .where(
            StockMove.state == MoveState.PLANNED,
            StockMove.document_kind == SALES_ORDER,
            Location.site_id == scope.site_id,
            Location.kind.in_([LocationKind.STORAGE, LocationKind.STAGING]),
            SalesOrder.state == OrderState.CONFIRMED,
        )
        .group_by(SalesOrder.id, SalesOrder.number, Partner.name)
        .order_by(SalesOrder.id)
    )


def standing(session: Session, scope: Scope, costs: Mapping[int, StockCost]) -> Iterator[Finding]:
    """This function will find goods that stand at the dock or in quarantine, at cost, by item."""
    kinds = {LocationKind.DOCK: Kind.TO_PUT_AWAY, LocationKind.QUARANTINE: Kind.QUARANTINED}
    rows = session.execute(
        sa.select(Item.id, Item.sku, Item.name, Location.kind, sa.func.sum(StockBalance.on_hand).label("quantity"))
        .join(StockBalance, StockBalance.item_id == Item.id)
        .join(Location, Location.id == StockBalance.location_id)
        .where(
            Location.site_id == scope.site_id,
            Location.kind.in_(list(kinds)),
            StockBalance.on_hand > 0,
            StockBalance.owner_id == OWN_STOCK,
        )
        .group_by(Item.id, Item.sku, Item.name, Location.kind)
        .order_by(Item.id)
    )
    for row in rows:
        quantity = int(row.quantity)
        yield Finding(
            kind=kinds[row.kind],
            subject_id=row.id,
            label=row.sku,
            name=row.name,
            amount=costs.get(row.id, StockCost()).average(quantity),
            quantity=quantity,
        )


def counts(session: Session, scope: Scope, costs: Mapping[int, StockCost]) -> Iterator[Finding]:
    """This function will find counts that differ from the books and wait for somebody else's approval, at cost."""
    lines: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    rows = session.execute(
        sa.select(
            CycleCount.id,
            CycleCount.number,
            CycleCountLine.item_id,
            CycleCountLine.counted_quantity,
            CycleCountLine.expected_quantity,
        )
        .join(CycleCountLine, CycleCountLine.count_id == CycleCount.id)
        .where(CycleCount.site_id == scope.site_id, CycleCount.state == CountState.COUNTED)
        .order_by(CycleCount.id, CycleCountLine.id)
    )
    for row in rows:
        lines[row.id, row.number].append((row.item_id, row.counted_quantity - row.expected_quantity))
    for (count_id, number), found in lines.items():
        changes = [(item_id, change) for item_id, change in found if change]
        worth = [costs.get(item_id, StockCost()).average(abs(change)) for item_id, change in changes]
        yield Finding(
            kind=Kind.COUNT_TO_APPROVE,
            subject_id=count_id,
            label=number,
            amount=sum(worth),
            quantity=sum(abs(change) for _, change in changes),
            facts={"lines": len(changes), "net": sum(change for _, change in changes)},
        )
