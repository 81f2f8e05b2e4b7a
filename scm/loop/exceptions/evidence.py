"""What an open row shows beside its sentence: the projected stock, and the lines it is about. Reads only.

Everything is read anew, so that somebody who opens a row sees it as it is now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from procurement.proposals import Proposal, ProposalState
from procurement.purchase_orders import PurchaseOrderLine
from scm.finance import money
from scm.loop.exceptions import planning, planning_facts, selling
from scm.loop.exceptions.findings import DESKS, Kind, Scope, Subject
from scm.loop.exceptions.inbox import CaseRow
from scm.loop.exceptions.planning import ShortFall
from scm.master.items import Item
from scm.sales.documents import KIND as SALES_ORDER
from scm.stock.moves import StockMove
from scm.stock.pegs import Peg, PegState

MOST_LINES = 8
SHOWN_DAYS = 28
LONGEST_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class Projection:
    """Free stock at the end of each day from `first_date` on, what is missing, and what is expected to come."""

    first_date: date
    levels: tuple[float, ...]
    short: ShortFall | None
    arrivals: tuple[tuple[date, int, str], ...]  # day, quantity, order


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of what a case is about."""

    label: str
    name: str
    quantity: int
    amount: int
    due_date: date | None


@dataclass(frozen=True, kw_only=True)
class Wait:
    """So many units of an item that an order waits for, and what brings the item: numbers and days, the next first."""

    sku: str
    quantity: int
    orders: tuple[tuple[str, date], ...]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What backs a case. `lines` are the first ones, `count` and `amount` those of all.

    `waits` says what a sales order waits for.
    """

    projection: Projection | None
    lines: tuple[Line, ...]
    count: int
    amount: int
    waits: tuple[Wait, ...] = ()


def read(session: Session, scope: Scope, row: CaseRow) -> Evidence:
    """This function will read what backs a case."""
    projection = None
    if row.kind in (Kind.STOCK_OUT, Kind.EXCESS):
        projection = _projection(session, scope, row.subject_id)
    statement = _LINES.get(row.kind) or (_order_lines if DESKS[row.kind].subject is Subject.PURCHASE_ORDER else None)
    lines: list[Line] = []
    if statement is not None:
        lines = [
            Line(
                label=found.sku,
                name=found.name,
                quantity=found.quantity,
                amount=money.line_amount(found.unit_price, found.quantity, currency=scope.currency),
                due_date=found.due_date,
            )
            for found in session.execute(statement(scope, row))
        ]
    lines.sort(key=lambda line: -line.amount)
    return Evidence(
        projection=projection,
        lines=tuple(lines[:MOST_LINES]),
        count=len(lines),
        amount=sum(line.amount for line in lines),
        waits=_waits(session, scope, row.subject_id) if row.kind is Kind.ORDER_WAITS else (),
    )


def _projection(session: Session, scope: Scope, item_id: int) -> Projection | None:
    item = planning_facts.read(session, scope, item_id=item_id).items.get(item_id)
    if item is None:
        return None
    short = planning.shortfall(item, today=scope.today)
    lead_time = planning.UNKNOWN_LEAD_TIME_DAYS if item.lead_time_days is None else item.lead_time_days
    last = min(max(lead_time + 7, SHOWN_DAYS), LONGEST_DAYS)
    until = scope.today + timedelta(days=last)
    return Projection(
        first_date=scope.today,
        levels=tuple(planning.levels(item, today=scope.today, days=last + 1)),
        short=short,
        arrivals=tuple(
            (line.due_date, line.quantity, line.number) for line in item.coming if scope.today <= line.due_date <= until
        ),
    )


def _proposed(scope: Scope, *about: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    price = sa.func.coalesce(Proposal.unit_price, Decimal(0)).label("unit_price")  # what is not bought costs nothing
    return (
        sa.select(Item.sku, Item.shown_name.label("name"), Proposal.quantity, price, Proposal.due_date)
        .join(Item, Item.id == Proposal.item_id)
        .where(Proposal.site_id == scope.site_id, *about)
        .order_by(Proposal.id)
    )


def _of_item(scope: Scope, row: CaseRow) -> sa.Select[*tuple[Any, ...]]:
    return _proposed(scope, Proposal.state == ProposalState.OPEN, Proposal.item_id == row.subject_id)


def _due_of_supplier(scope: Scope, row: CaseRow) -> sa.Select[*tuple[Any, ...]]:
    return _proposed(
        scope,
        Proposal.state == ProposalState.OPEN,
        Proposal.supplier_id == row.subject_id,
        Proposal.order_date <= scope.today,
    )


def _accepted_of_supplier(scope: Scope, row: CaseRow) -> sa.Select[*tuple[Any, ...]]:
    on_order = sa.exists().where(PurchaseOrderLine.proposal_id == Proposal.id)
    return _proposed(scope, Proposal.state == ProposalState.ACCEPTED, Proposal.supplier_id == row.subject_id, ~on_order)


def _order_lines(scope: Scope, row: CaseRow) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Item.sku,
            Item.shown_name.label("name"),
            PurchaseOrderLine.quantity,
            PurchaseOrderLine.unit_price,
            PurchaseOrderLine.due_date,
        )
        .join(Item, Item.id == PurchaseOrderLine.item_id)
        .where(PurchaseOrderLine.order_id == row.subject_id)
        .order_by(PurchaseOrderLine.id)
    )


def _waiting_of_order(scope: Scope, row: CaseRow) -> sa.Select[*tuple[Any, ...]]:
    return selling.waiting_of_order(row.subject_id, site_id=scope.site_id, today=scope.today)


def _waits(session: Session, scope: Scope, order_id: int) -> tuple[Wait, ...]:
    """What was bought for the order's own moves; where nothing was, whatever is on order of the item."""
    units: dict[tuple[int, str], int] = defaultdict(int)
    for row in session.execute(selling.waiting_of_order(order_id, site_id=scope.site_id, today=scope.today)):
        units[row.item_id, row.sku] += int(row.quantity)
    meant: dict[int, set[int]] = defaultdict(set)
    supply, demand = aliased(StockMove), aliased(StockMove)
    for item_id, purchase_order_id in session.execute(
        sa.select(demand.item_id, supply.document_id)
        .select_from(Peg)
        .join(supply, supply.id == Peg.supply_move_id)
        .join(demand, demand.id == Peg.demand_move_id)
        .where(Peg.state == PegState.OPEN, demand.document_kind == SALES_ORDER, demand.document_id == order_id)
    ):
        meant[item_id].add(purchase_order_id)
    coming = planning_facts.on_order(session, scope)
    found = []
    for (item_id, sku), quantity in units.items():
        of_item = [line for line in coming if line.item_id == item_id]
        own = [line for line in of_item if line.order_id in meant[item_id]]
        brings = dict.fromkeys((line.number, line.due_date) for line in own or of_item)
        found.append(Wait(sku=sku, quantity=quantity, orders=tuple(brings)))
    return tuple(found)


_LINES: Mapping[Kind, Callable[[Scope, CaseRow], sa.Select[*tuple[Any, ...]]]] = {
    Kind.STOCK_OUT: _of_item,
    Kind.PROPOSALS_DUE: _due_of_supplier,
    Kind.TO_DRAFT: _accepted_of_supplier,
    Kind.ORDER_WAITS: _waiting_of_order,
}
