"""How far a work order is: derived from its moves and reports, for many orders at once. Nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.master import locations
from scm.master.locations import LocationKind, Place
from scm.production import documents
from scm.production.documents import KIND, OperationReport, WorkOrder, WorkOrderComponent, WorkOrderOperation
from scm.stock import moves, reservations
from scm.stock.moves import Move, MoveState

OUTPUT = 0  # the line of an order's moves of what it makes; its components' lines are their ids


@dataclass(slots=True)
class Consumption:
    """What happened with one component of one order."""

    waiting: list[Move] = field(default_factory=list)  # planned out of storage
    promised: int = 0  # of what waits
    sent: int = 0  # to the partner who makes the order
    used: int = 0  # issued, or consumed by the partner, less what came back
    sent_back: int = 0  # from the partner
    at_partner: list[Move] = field(default_factory=list)  # planned from the partner into production
    issues: list[Move] = field(default_factory=list)  # posted into production, undone ones left out
    came_back: dict[int, int] = field(default_factory=dict)  # of those issues, by move

    @property
    def there(self) -> int:
        """What the partner has of it."""
        return self.sent - self.used - self.sent_back


@dataclass(slots=True)
class Work:
    """What was reported at one operation."""

    operation: WorkOrderOperation
    good: int = 0
    scrap: int = 0
    minutes: int = 0
    reports: list[OperationReport] = field(default_factory=list)


@dataclass(slots=True)
class Progress:
    """One order with everything that happened to it so far."""

    order: WorkOrder
    components: list[WorkOrderComponent]
    work: list[Work]
    consumption: dict[int, Consumption]  # by component
    outputs: list[Move] = field(default_factory=list)  # posted into the building, undone ones left out
    expected: list[Move] = field(default_factory=list)  # planned output
    completed: int = 0

    @property
    def outstanding(self) -> int:
        """How much output is still planned."""
        return sum(move.quantity for move in self.expected)

    @property
    def scrapped(self) -> int:
        """How much was started and is lost."""
        return sum(work.scrap for work in self.work)

    @property
    def passed(self) -> int:
        """How much passed the last operation well."""
        return self.work[-1].good

    @property
    def possible(self) -> int:
        """How much may still come out of what was, or is to be, started."""
        return self.order.start_quantity - self.scrapped - self.completed

    def reportable(self, index: int) -> int:
        """This function will give how much may still be reported at an operation, good and scrapped together."""
        there = self.order.start_quantity if index == 0 else self.work[index - 1].good
        return there - self.work[index].good - self.work[index].scrap

    def covering(self, component: WorkOrderComponent, quantity: int) -> int:
        """This function will give how much of a component has gone into `quantity` of output, at the least.

        It is cumulative and rounded down, without the loss that is planned.
        """
        return part_of(component, quantity, self.order.quantity)

    def due(self, component: WorkOrderComponent, started: int) -> int:
        """This function will give how much of a component is planned for so much that was started, rounded
        cumulatively up."""
        most = component.needed
        return min(most, -(-most * started // self.order.start_quantity))

    @property
    def covered(self) -> int:
        """For how much that is not out of production yet, good or scrapped, components were issued: of that component
        which reaches furthest."""
        reach = [
            self.consumption[component.id].used * self.order.start_quantity // component.needed
            for component in self.components
            if component.needed
        ]
        return max(reach, default=0) - self.completed - self.scrapped


def part_of(component: WorkOrderComponent, quantity: int, ordered: int) -> int:
    """This function will give the least that so much output holds of a component.

    >>> part_of(WorkOrderComponent(quantity=25, net_quantity=20, replaced=0), 3, 10)
    6
    """
    own = component.net_quantity * component.needed // component.quantity
    return own * min(quantity, ordered) // ordered


def of_orders(session: Session, orders: Sequence[WorkOrder]) -> dict[int, Progress]:
    """This function will read how far orders are, in six queries whatever their number."""
    ids = [order.id for order in orders]
    components = documents.components_of(session, ids)
    operations = documents.operations_of(session, ids)
    found = {
        order.id: Progress(
            order=order,
            components=components[order.id],
            work=[Work(operation) for operation in operations[order.id]],
            consumption={component.id: Consumption() for component in components[order.id]},
        )
        for order in orders
    }
    _read_moves(session, found)
    _read_reports(session, found)
    return found


def of_order(session: Session, order: WorkOrder) -> Progress:
    """This function will read how far one order is."""
    return of_orders(session, [order])[order.id]


def _read_moves(session: Session, found: Mapping[int, Progress]) -> None:
    every = moves.of_documents(session, kind=KIND, document_ids=found, states=[MoveState.PLANNED, MoveState.POSTED])
    places = locations.places(session, {end for move in every for end in (move.source_id, move.destination_id)})
    undone = {move.reverses_id for move in every if move.reverses_id is not None}
    promises = reservations.quantities(
        session, [m.id for m in every if m.state is MoveState.PLANNED and places[m.source_id].promisable]
    )
    for move in every:
        progress = found[move.document_id]
        source, destination = places[move.source_id], places[move.destination_id]
        live = move.id not in undone and move.reverses_id is None
        if move.line_id == OUTPUT:
            _count_output(progress, move, source, destination, live=live)
        else:
            consumption = progress.consumption[move.line_id]
            consumption.promised += promises.get(move.id, 0)
            _count_component(consumption, move, source, destination, live=live)


def _count_output(progress: Progress, move: Move, source: Place, destination: Place, *, live: bool) -> None:
    if LocationKind.SCRAP in (source.kind, destination.kind):
        return  # reports say what was scrapped, and `scm.production.proof` compares
    if source.kind is LocationKind.PRODUCTION:
        if move.state is MoveState.PLANNED:
            progress.expected.append(move)
            return
        progress.completed += move.quantity
        if live:
            progress.outputs.append(move)
    elif destination.kind is LocationKind.PRODUCTION:
        progress.completed -= move.quantity


def _count_component(consumption: Consumption, move: Move, source: Place, destination: Place, *, live: bool) -> None:
    if move.state is MoveState.PLANNED:
        if source.promisable:
            consumption.waiting.append(move)
        elif source.kind is LocationKind.PARTNER and destination.kind is LocationKind.PRODUCTION:
            consumption.at_partner.append(move)
        return
    if destination.kind is LocationKind.PRODUCTION:
        consumption.used += move.quantity
        if live:
            consumption.issues.append(move)
    elif source.kind is LocationKind.PRODUCTION:
        consumption.used -= move.quantity
        if move.cost_of_id is not None:
            consumption.came_back[move.cost_of_id] = consumption.came_back.get(move.cost_of_id, 0) + move.quantity
    elif destination.kind is LocationKind.PARTNER:
        consumption.sent += move.quantity
    elif source.kind is LocationKind.PARTNER:
        consumption.sent_back += move.quantity


def _read_reports(session: Session, found: Mapping[int, Progress]) -> None:
    work_of = {work.operation.id: work for progress in found.values() for work in progress.work}
    rows = session.scalars(
        sa.select(OperationReport)
        .join(WorkOrderOperation, WorkOrderOperation.id == OperationReport.operation_id)
        .where(WorkOrderOperation.order_id.in_(list(found)))
        .order_by(OperationReport.id)
    )
    for report in rows:
        work = work_of[report.operation_id]
        work.good += report.good
        work.scrap += report.scrap
        work.minutes += report.minutes
        work.reports.append(report)


@dataclass(frozen=True, slots=True)
class Needed:
    """What one open order still needs of one item, and when."""

    order_id: int
    component_id: int
    item_id: int
    quantity: int
    need_date: date


def needs_of_planned(session: Session, *, site_id: int) -> list[Needed]:
    """This function will list what orders that are not released yet will need: it is planned as moves on release."""
    rows = session.execute(
        sa.select(
            WorkOrder.id,
            WorkOrderComponent.id,
            WorkOrderComponent.item_id,
            WorkOrderComponent.quantity - WorkOrderComponent.replaced,
            WorkOrder.start_date,
        )
        .join(WorkOrder, WorkOrder.id == WorkOrderComponent.order_id)
        .where(WorkOrder.site_id == site_id, WorkOrder.state == documents.WorkOrderState.PLANNED)
        .order_by(WorkOrder.start_date, WorkOrder.id, WorkOrderComponent.line_number)
    )
    return [Needed(*row) for row in rows if row[3] > 0]


def corrected(work: Work) -> dict[int, OperationReport]:
    """This function will give the corrections of an operation's reports, by what they correct."""
    return {report.corrects_id: report for report in work.reports if report.corrects_id is not None}
