"""The page of one work order, for whoever plans or makes it: what it needs, made and cost. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.users import User
from scm.finance import work_in_progress
from scm.finance.costs import MoveValue
from scm.finance.work_in_progress import ProductionVariance
from scm.master.bom import Bom
from scm.master.items import BaseUnit, Item
from scm.master.locations import Location
from scm.master.partners import Partner
from scm.master.routing import WorkCenter
from scm.production import completeness, completing, documents, issuing, links, progress, subcontracting
from scm.production.completeness import ComponentLine
from scm.production.documents import (
    KIND,
    ON_THE_FLOOR,
    OPEN,
    OperationReport,
    ScrapReason,
    WorkOrder,
    WorkOrderState,
)
from scm.production.progress import Progress
from scm.production.subcontracting import Reconciled
from scm.stock.lots import NO_LOT, Lot
from scm.stock.moves import Move


@dataclass(frozen=True, kw_only=True)
class ReportLine:
    """One report of an operation. `correctable` while nobody took it back."""

    id: int
    good: int
    scrap: int
    scrap_reason: ScrapReason | None
    minutes: int
    note: str
    reported_at: datetime
    reported_by: str
    corrects: bool
    correctable: bool


@dataclass(frozen=True, kw_only=True)
class OperationLine:
    """One operation, with what was reported there and what may still be."""

    id: int
    sequence: int
    name: str
    center: str
    planned_minutes: int
    good: int
    scrap: int
    minutes: int
    reportable: int
    reports: tuple[ReportLine, ...]


@dataclass(frozen=True, kw_only=True)
class OutputLine:
    """One posted output. `value` is None while it is not valued yet."""

    move_id: int
    quantity: int
    place: str
    lot: str
    at: datetime
    value: int | None


@dataclass(frozen=True, kw_only=True)
class OrderSheet:
    """Everything the page of an order shows. Quantities are base units of what they count, values minor units."""

    id: int
    number: str
    state: WorkOrderState
    item_id: int
    sku: str
    name: str
    unit: str
    lot_tracked: bool
    shelf_life_days: int | None
    revision: int
    partner: str
    quantity: int
    start_quantity: int
    completed: int
    scrapped: int
    completable: int
    start_date: date
    due_date: date
    created_date: date
    created_by: str
    released_short: str
    reason: str
    lines: tuple[ComponentLine, ...]
    units: Mapping[int, str]
    returnable: Mapping[int, int]
    operations: tuple[OperationLine, ...]
    outputs: tuple[OutputLine, ...]
    reconciled: Mapping[int, Reconciled]
    issued_value: int
    output_value: int
    held_value: int
    variance: int
    link_until: datetime | None

    @property
    def open(self) -> bool:
        """Whether something may still come of it."""
        return self.state in OPEN

    @property
    def on_the_floor(self) -> bool:
        """Whether the floor may work on it."""
        return self.state in ON_THE_FLOOR

    @property
    def short(self) -> tuple[ComponentLine, ...]:
        """The components that are short."""
        return tuple(line for line in self.lines if line.short)

    def late(self, *, today: date) -> bool:
        """This function will tell whether it should have been complete before today."""
        return self.open and self.due_date < today


def read(session: Session, *, number: str, site_id: int, today: date, wall: datetime) -> OrderSheet:
    """This function will read the page of a site's order, in a bounded number of queries. Raises
    `WorkOrderUnknown`."""
    order = session.get_one(WorkOrder, documents.find(session, number=number, site_id=site_id))
    found = progress.of_order(session, order)
    lines = completeness.of_orders(session, [found], today=today)[order.id]
    item = session.execute(
        sa.select(
            Item.sku, Item.shown_name.label("name"), Item.base_unit_id, Item.lot_tracked, Item.shelf_life_days
        ).where(Item.id == order.item_id)
    ).one()
    units = {row.id: row.code for row in session.execute(sa.select(BaseUnit.id, BaseUnit.code))}
    value = _value(session, order)
    names = {row.id: row.display_name for row in session.execute(sa.select(User.id, User.display_name))}
    partner = session.scalar(sa.select(Partner.name).where(Partner.id == order.partner_id)) if order.partner_id else ""
    return OrderSheet(
        id=order.id,
        number=order.number,
        state=order.state,
        item_id=order.item_id,
        sku=item.sku,
        name=item.name,
        unit=units[item.base_unit_id],
        lot_tracked=item.lot_tracked,
        shelf_life_days=item.shelf_life_days,
        revision=session.execute(sa.select(Bom.revision).where(Bom.id == order.bom_id)).scalar_one(),
        partner=partner or "",
        quantity=order.quantity,
        start_quantity=order.start_quantity,
        completed=found.completed,
        scrapped=found.scrapped,
        completable=completing.completable(found),
        start_date=order.start_date,
        due_date=order.due_date,
        created_date=order.created_date,
        created_by=names[order.created_by_id],
        released_short=order.released_short,
        reason=order.reason,
        lines=tuple(lines),
        units=units,
        returnable={component.id: issuing.returnable(found, component) for component in found.components},
        operations=_operations(session, found, names),
        outputs=_outputs(session, found.outputs),
        reconciled={one.component_id: one for one in subcontracting.reconcile(found)},
        issued_value=value.issued,
        output_value=value.output,
        held_value=value.held,
        variance=value.variance,
        link_until=links.standing(session, order.id, wall=wall),
    )


@dataclass(frozen=True, slots=True)
class _Value:
    issued: int
    output: int
    held: int
    variance: int


def _value(session: Session, order: WorkOrder) -> _Value:
    """What was issued and taken by output, as far as it is valued: outputs enter stock, issues leave it."""
    own = work_in_progress.values(session, [(KIND, order.id)])[KIND, order.id]
    variance = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(ProductionVariance.amount), 0)).where(
            ProductionVariance.document_kind == KIND, ProductionVariance.document_id == order.id
        )
    )
    made, lost = work_in_progress.output_value(session, (KIND, order.id)), int(variance or 0)
    return _Value(issued=own + made + lost, output=made, held=own, variance=lost)


def _operations(session: Session, found: Progress, names: Mapping[int, str]) -> tuple[OperationLine, ...]:
    ids = {work.operation.work_center_id for work in found.work} - {None}
    centers = {
        row.id: row.name
        for row in session.execute(sa.select(WorkCenter.id, WorkCenter.name).where(WorkCenter.id.in_(ids)))
    }
    lines = []
    for index, work in enumerate(found.work):
        corrected = progress.corrected(work)
        step = work.operation
        lines.append(
            OperationLine(
                id=step.id,
                sequence=step.sequence,
                name=step.name,
                center=centers.get(step.work_center_id or 0, ""),
                planned_minutes=-(-step.planned_seconds(found.order.start_quantity) // 60),
                good=work.good,
                scrap=work.scrap,
                minutes=work.minutes,
                reportable=found.reportable(index),
                reports=tuple(_report(report, names, corrected=report.id in corrected) for report in work.reports),
            )
        )
    return tuple(lines)


def _report(report: OperationReport, names: Mapping[int, str], *, corrected: bool) -> ReportLine:
    return ReportLine(
        id=report.id,
        good=report.good,
        scrap=report.scrap,
        scrap_reason=report.scrap_reason,
        minutes=report.minutes,
        note=report.note,
        reported_at=report.reported_at,
        reported_by=names[report.reported_by_id],
        corrects=report.corrects_id is not None,
        correctable=report.corrects_id is None and not corrected,
    )


def _outputs(session: Session, outputs: Sequence[Move]) -> tuple[OutputLine, ...]:
    ids = [move.id for move in outputs]
    places = {
        row.id: row.code
        for row in session.execute(
            sa.select(Location.id, Location.code).where(Location.id.in_({move.destination_id for move in outputs}))
        )
    }
    lots = {
        row.id: row.code
        for row in session.execute(
            sa.select(Lot.id, Lot.code).where(Lot.id.in_({move.lot_id for move in outputs} - {NO_LOT}))
        )
    }
    values = {
        row.move_id: row.value
        for row in session.execute(sa.select(MoveValue.move_id, MoveValue.value).where(MoveValue.move_id.in_(ids)))
    }
    return tuple(
        OutputLine(
            move_id=move.id,
            quantity=move.quantity,
            place=places[move.destination_id],
            lot=lots.get(move.lot_id, ""),
            at=move.posted_at,
            value=values.get(move.id),
        )
        for move in outputs
        if move.posted_at is not None
    )
