"""Proves work orders against the moves they must follow from: scrap, output, components, and what partners have.

It writes nothing. Each check is one statement. `books.verify` runs them together with those of the books.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from scm.finance.findings import Check, Finding
from scm.finance.goods_proof import NOTHING, Figures, differing
from scm.master.items import Item
from scm.master.locations import Location, LocationKind
from scm.production.documents import (
    KIND,
    OPEN,
    OperationReport,
    WorkOrder,
    WorkOrderComponent,
    WorkOrderOperation,
)
from scm.production.progress import OUTPUT, part_of
from scm.stock.moves import MoveState, StockMove


def scrap_is_reported(session: Session) -> Iterator[Finding]:
    """This function will prove what left production as scrap against what was reported, order by order."""
    reported: Figures = sa.select(
        WorkOrderOperation.order_id, OperationReport.scrap.label("expected"), NOTHING.label("found")
    ).join(WorkOrderOperation, WorkOrderOperation.id == OperationReport.operation_id)
    left = _moved(LocationKind.PRODUCTION, LocationKind.SCRAP).subquery()
    moved = sa.select(left.c.order_id, NOTHING.label("expected"), left.c.quantity.label("found"))
    yield from _of_orders(session, differing(reported, moved, keys=("order_id",)), "scrap")


def operations_follow(session: Session) -> Iterator[Finding]:
    """This function will prove that no more was reported at an operation than passed the one before, or was started."""
    sums = (
        sa.select(
            OperationReport.operation_id,
            sa.func.sum(OperationReport.good).label("good"),
            sa.func.sum(OperationReport.good + OperationReport.scrap).label("done"),
        )
        .group_by(OperationReport.operation_id)
        .subquery()
    )
    good = sa.func.coalesce(sums.c.good, 0)
    before = sa.func.lag(good).over(partition_by=WorkOrderOperation.order_id, order_by=WorkOrderOperation.sequence)
    chained = (
        sa.select(
            WorkOrder.number,
            WorkOrderOperation.sequence,
            sa.func.coalesce(sums.c.done, 0).label("done"),
            sa.func.coalesce(before, WorkOrder.start_quantity).label("there"),
        )
        .join(WorkOrder, WorkOrder.id == WorkOrderOperation.order_id)
        .outerjoin(sums, sums.c.operation_id == WorkOrderOperation.id)
        .subquery()
    )
    statement = (
        sa.select(chained.c.number, chained.c.sequence, chained.c.there, chained.c.done)
        .where(chained.c.done > chained.c.there)
        .order_by(chained.c.number, chained.c.sequence)
    )
    for row in session.execute(statement):
        yield Finding(f"reports of {row.number} operation {row.sequence}", f"at most {row.there}", int(row.done))


def output_passed(session: Session) -> Iterator[Finding]:
    """This function will prove that no more of an order is completed than passed its last operation."""
    last = (
        sa.select(WorkOrderOperation.order_id, sa.func.max(WorkOrderOperation.sequence).label("sequence"))
        .group_by(WorkOrderOperation.order_id)
        .subquery()
    )
    passed: Figures = (
        sa.select(WorkOrderOperation.order_id, OperationReport.good.label("passed"), NOTHING.label("completed"))
        .join(OperationReport, OperationReport.operation_id == WorkOrderOperation.id)
        .join(
            last,
            sa.and_(last.c.order_id == WorkOrderOperation.order_id, last.c.sequence == WorkOrderOperation.sequence),
        )
    )
    came = _completed().subquery()
    both = sa.union_all(
        passed, sa.select(came.c.order_id, NOTHING.label("passed"), came.c.quantity.label("completed"))
    ).subquery()
    good, out = sa.func.sum(both.c.passed), sa.func.sum(both.c.completed)
    statement = (
        sa.select(WorkOrder.number, good.label("passed"), out.label("completed"))
        .join_from(both, WorkOrder, WorkOrder.id == both.c.order_id)
        .group_by(WorkOrder.number)
        .having(out > good)
        .order_by(WorkOrder.number)
    )
    for row in session.execute(statement):
        yield Finding(f"completed output of {row.number}", f"at most {row.passed}", int(row.completed))


def expected_output_is_planned(session: Session) -> Iterator[Finding]:
    """This function will prove what is planned to come of every order against what it can and should still make."""
    scrap = (
        sa.select(WorkOrderOperation.order_id, sa.func.sum(OperationReport.scrap).label("quantity"))
        .join(OperationReport, OperationReport.operation_id == WorkOrderOperation.id)
        .group_by(WorkOrderOperation.order_id)
        .subquery()
    )
    came = _summed(_completed())
    planned = _summed(
        sa.select(StockMove.document_id.label("order_id"), StockMove.quantity)
        .join(Location, Location.id == StockMove.source_id)
        .where(
            StockMove.document_kind == KIND,
            StockMove.line_id == OUTPUT,
            StockMove.state == MoveState.PLANNED,
            Location.kind == LocationKind.PRODUCTION,
        )
    )
    done = sa.func.coalesce(came.c.quantity, 0)
    wanted = WorkOrder.quantity - done
    possible = WorkOrder.start_quantity - sa.func.coalesce(scrap.c.quantity, 0) - done
    least = sa.case((wanted < possible, wanted), else_=possible)
    open_ = sa.case((sa.and_(WorkOrder.state.in_(OPEN), least > 0), least), else_=0)
    found = sa.func.coalesce(planned.c.quantity, 0)
    statement = (
        sa.select(WorkOrder.number, open_.label("expected"), found.label("found"))
        .outerjoin(came, came.c.order_id == WorkOrder.id)
        .outerjoin(scrap, scrap.c.order_id == WorkOrder.id)
        .outerjoin(planned, planned.c.order_id == WorkOrder.id)
        .where(open_ != found)
        .order_by(WorkOrder.number)
    )
    for number, expected, planned_now in session.execute(statement):
        yield Finding(f"planned output of {number}", int(expected), int(planned_now))


def output_holds_what_was_issued(session: Session) -> Iterator[Finding]:
    """This function will prove that no order completed more than the components that were issued to it make."""
    came = _summed(_completed())
    floor = _side_of_production().subquery()
    used = sa.func.coalesce(floor.c.quantity, 0)
    statement = (
        sa.select(WorkOrderComponent, WorkOrder.number, WorkOrder.quantity, came.c.quantity, used, Item.sku)
        .join(WorkOrder, WorkOrder.id == WorkOrderComponent.order_id)
        .join(came, came.c.order_id == WorkOrder.id)
        .join(Item, Item.id == WorkOrderComponent.item_id)
        .outerjoin(floor, floor.c.line_id == WorkOrderComponent.id)
        .order_by(WorkOrderComponent.id)
    )
    for component, number, ordered, completed, issued, sku in session.execute(statement):
        least = part_of(component, int(completed), ordered)
        if issued < least:
            place = f"component {sku} of {number}, of which {completed} are completed"
            yield Finding(place, f"at least {least}", int(issued))


def partners_have_what_was_sent(session: Session) -> Iterator[Finding]:
    """This function will prove what was sent to partners, used and sent back against what is still to be used."""
    arrived: Figures = (
        sa.select(StockMove.line_id, StockMove.quantity.label("expected"), NOTHING.label("found"))
        .join(Location, Location.id == StockMove.destination_id)
        .where(_posted(), Location.kind == LocationKind.PARTNER)
    )
    went: Figures = (
        sa.select(StockMove.line_id, (-StockMove.quantity).label("expected"), NOTHING.label("found"))
        .join(Location, Location.id == StockMove.source_id)
        .where(_posted(), Location.kind == LocationKind.PARTNER)
    )
    planned: Figures = (
        sa.select(StockMove.line_id, NOTHING.label("expected"), StockMove.quantity.label("found"))
        .join(Location, Location.id == StockMove.source_id)
        .where(
            StockMove.document_kind == KIND,
            StockMove.state == MoveState.PLANNED,
            Location.kind == LocationKind.PARTNER,
        )
    )
    wrong = differing(arrived, went, planned, keys=("line_id",))
    statement = (
        sa.select(WorkOrder.number, Item.sku, wrong.c.expected, wrong.c.found)
        .join_from(wrong, WorkOrderComponent, WorkOrderComponent.id == wrong.c.line_id)
        .join(WorkOrder, WorkOrder.id == WorkOrderComponent.order_id)
        .join(Item, Item.id == WorkOrderComponent.item_id)
        .order_by(WorkOrder.number, Item.sku)
    )
    for number, sku, expected, found in session.execute(statement):
        yield Finding(f"component {sku} of {number} at the partner's", int(expected), int(found))


CHECKS: tuple[Check, ...] = (
    scrap_is_reported,
    operations_follow,
    output_passed,
    expected_output_is_planned,
    output_holds_what_was_issued,
    partners_have_what_was_sent,
)


def _posted() -> sa.ColumnElement[bool]:
    return sa.and_(StockMove.document_kind == KIND, StockMove.state == MoveState.POSTED)


def _moved(here: LocationKind, there: LocationKind) -> Figures:
    """What went from places of one kind to those of another, for orders' output; undone counts below zero."""
    source, destination = aliased(Location), aliased(Location)
    forth = sa.and_(source.kind == here, destination.kind == there)
    back = sa.and_(source.kind == there, destination.kind == here)
    return (
        sa.select(
            StockMove.document_id.label("order_id"),
            sa.case((forth, StockMove.quantity), else_=-StockMove.quantity).label("quantity"),
        )
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(_posted(), StockMove.line_id == OUTPUT, sa.or_(forth, back))
    )


def _completed() -> Figures:
    return sa.union_all(*(_moved(LocationKind.PRODUCTION, kind) for kind in (LocationKind.DOCK, LocationKind.STORAGE)))  # type: ignore[return-value]


def _summed(rows: Any) -> sa.Subquery:
    every = rows.subquery()
    return (
        sa.select(every.c.order_id, sa.func.sum(every.c.quantity).label("quantity"))
        .group_by(every.c.order_id)
        .subquery()
    )


def _side_of_production() -> Figures:
    """What of each component went into production and did not come back."""
    source, destination = aliased(Location), aliased(Location)
    into = destination.kind == LocationKind.PRODUCTION
    return (
        sa.select(
            StockMove.line_id,
            sa.func.sum(sa.case((into, StockMove.quantity), else_=-StockMove.quantity)).label("quantity"),
        )
        .join(source, source.id == StockMove.source_id)
        .join(destination, destination.id == StockMove.destination_id)
        .where(_posted(), StockMove.line_id != OUTPUT, sa.or_(into, source.kind == LocationKind.PRODUCTION))
        .group_by(StockMove.line_id)
    )


def _of_orders(session: Session, wrong: sa.Subquery, what: str) -> Iterator[Finding]:
    statement = (
        sa.select(WorkOrder.number, wrong.c.expected, wrong.c.found)
        .join_from(wrong, WorkOrder, WorkOrder.id == wrong.c.order_id)
        .order_by(WorkOrder.number)
    )
    for number, expected, found in session.execute(statement):
        yield Finding(f"{what} of {number}", int(expected), int(found))
