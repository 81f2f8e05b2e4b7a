"""One return as its page shows it: what it is about, how far it is, what was found, decided and paid. Reads only.

How far a line is comes from `status`; here stand the names, the verdicts with their photos, and the next step.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from aftersales import photos, status
from aftersales.disposition import Disposal, Disposition
from aftersales.documents import KIND, ReturnAuthorization, ReturnLine, ReturnReason, ReturnState, ReturnUnknown
from aftersales.inspection import Finding, Grade, Inspection
from aftersales.photos import Photo
from aftersales.status import LineStatus
from scm.core.users import User
from scm.finance.brought_forward import BroughtForward
from scm.master.items import BaseUnit, Item
from scm.master.partners import Partner
from scm.sales.documents import SalesOrder, SalesOrderLine
from scm.stock.lots import NO_LOT, Lot
from scm.stock.moves import MoveState, StockMove


class Step(enum.Enum):
    """What a return waits for next: the least advanced of what has arrived, before what has not."""

    INSPECT = "inspect"
    DISPOSE = "dispose"
    REFUND = "refund"
    RECEIVE = "receive"
    CLOSE = "close"  # everything is done, and nobody has said so
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One inspection with what became of its units."""

    id: int
    return_line_id: int
    quantity: int
    grade: Grade
    finding: Finding
    note: str
    lot_code: str | None
    inspected_by: str
    inspected_at: datetime
    disposition: Disposition | None
    why: str
    overridden: bool
    disposed_by: str | None
    disposed_at: datetime | None
    photos: tuple[Photo, ...]


@dataclass(frozen=True, kw_only=True)
class SheetLine:
    """One line of a return. `sale` names the order or, for a sale from before the books, its paper."""

    status: LineStatus
    sku: str
    name: str
    unit: str
    lot_code: str | None
    sold_quantity: int
    sold_date: date | None
    order_number: str | None
    paper: str | None
    asks_lot: bool  # its item is tracked by lot, and nobody knows which was sold
    asks_expiry: bool
    lots: tuple[tuple[int, str], ...]  # that have arrived
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, kw_only=True)
class ReturnSheet:
    """A return, whole."""

    id: int
    number: str
    state: ReturnState
    customer: str
    authorized_date: date
    authorized_at: datetime
    lines: tuple[SheetLine, ...]

    @property
    def reasons(self) -> tuple[ReturnReason, ...]:
        """Why its goods come back, each reason once."""
        return tuple(dict.fromkeys(line.status.reason for line in self.lines))

    @property
    def step(self) -> Step:
        """What it waits for next."""
        lines = [line.status for line in self.lines]
        if self.state is ReturnState.CANCELLED:
            return Step.NOTHING
        if any(line.to_inspect for line in lines):
            return Step.INSPECT
        if any(line.to_dispose for line in lines):
            return Step.DISPOSE
        if any(line.to_refund for line in lines):
            return Step.REFUND
        if any(line.expected for line in lines):
            return Step.RECEIVE
        return Step.CLOSE if self.state is ReturnState.AUTHORIZED else Step.NOTHING

    @property
    def waiting(self) -> tuple[Verdict, ...]:
        """The verdicts whose units still lie in the cage."""
        return tuple(verdict for line in self.lines for verdict in line.verdicts if verdict.disposition is None)


def read(session: Session, *, number: str, site_id: int) -> ReturnSheet:
    """This function will read one return of a site by its number, in nine queries. Raises `ReturnUnknown`."""
    head = session.execute(
        sa.select(ReturnAuthorization, Partner.name)
        .join(Partner, Partner.id == ReturnAuthorization.customer_id)
        .where(ReturnAuthorization.number == number, ReturnAuthorization.site_id == site_id)
    ).one_or_none()
    if head is None:
        raise ReturnUnknown(f"there is no return {number} here: check the number on the label")
    row: ReturnAuthorization = head.ReturnAuthorization
    lines = status.of_returns(session, [row.id])
    named = {line.id: line for line in session.execute(_named(row.id))}
    verdicts, lots = _verdicts(session, row.id), _arrived_lots(session, row.id)
    return ReturnSheet(
        id=row.id,
        number=row.number,
        state=row.state,
        customer=head.name,
        authorized_date=row.authorized_date,
        authorized_at=row.authorized_at,
        lines=tuple(_line(line, named[line.line_id], lots[line.line_id], verdicts[line.line_id]) for line in lines),
    )


def find(session: Session, *, number: str, site_id: int) -> int:
    """This function will give the id of a site's return. Raises `ReturnUnknown`."""
    found = session.scalar(
        sa.select(ReturnAuthorization.id).where(
            ReturnAuthorization.number == number, ReturnAuthorization.site_id == site_id
        )
    )
    if found is None:
        raise ReturnUnknown(f"there is no return {number} here: check the number on the label")
    return found


def number_of(session: Session, return_id: int) -> str:
    """This function will give the number of a return."""
    return session.execute(
        sa.select(ReturnAuthorization.number).where(ReturnAuthorization.id == return_id)
    ).scalar_one()


def _line(
    line: LineStatus, row: sa.Row[*tuple[Any, ...]], lots: Iterable[tuple[int, str]], verdicts: Iterable[Verdict]
) -> SheetLine:
    return SheetLine(
        status=line,
        sku=row.sku,
        name=row.name,
        unit=row.unit,
        lot_code=None if row.lot_id == NO_LOT else row.lot_code,
        sold_quantity=row.sold_quantity,
        sold_date=row.sold_date,
        order_number=row.order_number,
        paper=row.paper,
        asks_lot=row.lot_tracked and row.lot_id == NO_LOT,
        asks_expiry=row.shelf_life_days is not None,
        lots=tuple(lots),
        verdicts=tuple(verdicts),
    )


def _named(return_id: int) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            ReturnLine.id,
            ReturnLine.lot_id,
            ReturnLine.sold_quantity,
            ReturnLine.sold_date,
            Item.sku,
            Item.shown_name.label("name"),
            Item.lot_tracked,
            Item.shelf_life_days,
            BaseUnit.code.label("unit"),
            Lot.code.label("lot_code"),
            SalesOrder.number.label("order_number"),
            BroughtForward.reference.label("paper"),
        )
        .join(Item, Item.id == ReturnLine.item_id)
        .join(BaseUnit, BaseUnit.id == Item.base_unit_id)
        .join(Lot, Lot.id == ReturnLine.lot_id)
        .outerjoin(SalesOrderLine, SalesOrderLine.id == ReturnLine.sales_order_line_id)
        .outerjoin(SalesOrder, SalesOrder.id == SalesOrderLine.order_id)
        .outerjoin(BroughtForward, BroughtForward.id == ReturnLine.prior_sale_id)
        .where(ReturnLine.return_id == return_id)
    )


def _arrived_lots(session: Session, return_id: int) -> defaultdict[int, list[tuple[int, str]]]:
    rows = session.execute(
        sa.select(StockMove.line_id, StockMove.lot_id, Lot.code)
        .join(Lot, Lot.id == StockMove.lot_id)
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id == return_id,
            StockMove.state == MoveState.POSTED,
            StockMove.reverses_id.is_(None),
        )
        .distinct()
        .order_by(StockMove.line_id, StockMove.lot_id)
    )
    found: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for line_id, lot_id, code in rows:
        found[line_id].append((lot_id, code))
    return found


def _verdicts(session: Session, return_id: int) -> defaultdict[int, list[Verdict]]:
    inspector, disposer = aliased(User), aliased(User)
    rows = session.execute(
        sa.select(
            Inspection.id,
            Inspection.return_line_id,
            Inspection.quantity,
            Inspection.grade,
            Inspection.finding,
            Inspection.note,
            Inspection.lot_id,
            Lot.code.label("lot_code"),
            inspector.display_name.label("inspected_by"),
            Inspection.inspected_at,
            Disposal.disposition,
            sa.func.coalesce(Disposal.why, "").label("why"),
            sa.func.coalesce(Disposal.overridden, sa.false()).label("overridden"),
            disposer.display_name.label("disposed_by"),
            Disposal.disposed_at,
        )
        .join(ReturnLine, ReturnLine.id == Inspection.return_line_id)
        .join(Lot, Lot.id == Inspection.lot_id)
        .join(inspector, inspector.id == Inspection.inspected_by)
        .outerjoin(Disposal, Disposal.inspection_id == Inspection.id)
        .outerjoin(disposer, disposer.id == Disposal.disposed_by)
        .where(ReturnLine.return_id == return_id)
        .order_by(Inspection.id)
    ).all()
    pictures = photos.of_inspections(session, [row.id for row in rows])
    found: defaultdict[int, list[Verdict]] = defaultdict(list)
    for row in rows:
        values: dict[str, Any] = dict(row._mapping)
        lot_id = values.pop("lot_id")
        values["lot_code"] = None if lot_id == NO_LOT else values["lot_code"]
        values["overridden"] = bool(values["overridden"])
        found[row.return_line_id].append(Verdict(**values, photos=tuple(pictures.get(row.id, ()))))
    return found
