"""The returns desk's verbs by the number on the label: each names one return of one site and what of it is meant.

They find the return, refuse lines and inspections that are not its own, and hand on to the verbs of this room and of
receiving. Whoever types an id of another return or site is told that it does not exist here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales import documents, inspection, parcels, proposing, refunds, return_sheet, returns, showing
from aftersales.disposition import InspectionUnknown
from aftersales.documents import ReturnLine, ReturnLineUnknown
from aftersales.inspection import Inspection, Verdict
from aftersales.proposing import Choice
from aftersales.refunds import RefundRequest
from aftersales.returns import ReturnRequest, SoldLineUnknown
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor
from scm.sales import order_sheet
from scm.sales.documents import SalesOrderLine
from scm.stock.ledger import PostResult
from scm.stock.lots import NO_LOT, Lot
from scm.stock.moves import Move
from warehouse import receiving
from warehouse.receiving import Arrival, Received


@dataclass(frozen=True, kw_only=True)
class Counted:
    """So many units of one return line were counted in the parcel; a lot-tracked item names its lot."""

    return_line_id: int
    quantity: int
    lot_code: str | None = None
    expiry_date: date | None = None


class NothingCounted(InvalidInput):
    """No line of the return was counted above zero."""


class MoreThanExpected(Conflict):
    """More was counted in the parcel than the return expects."""


def receive(
    session: Session,
    counted: Sequence[Counted],
    *,
    number: str,
    site_id: int,
    actor: Actor,
    now: datetime,
    today: date,
) -> Received:
    """This function will receive what was counted of a return; what did not come stays expected.

    Raises `ReturnUnknown`, `ReturnLineUnknown`, `NothingCounted`, `MoreThanExpected` and what `receiving.receive`
    raises.
    """
    return_id = return_sheet.find(session, number=number, site_id=site_id)
    found = [one for one in counted if one.quantity]
    if not found:
        raise NothingCounted(f"{number}: nothing was counted: say how many units of each line are in the parcel")
    _refuse_strange_lines(session, return_id, number, [one.return_line_id for one in found])
    expected = returns.arrivals(session, [return_id])
    labels = _known_labels(session, expected)
    arrivals = [arrival for one in found for arrival in _spread(one, expected, labels, number)]
    return receiving.receive(session, arrivals, delivery_note=number, actor=actor, now=now, today=today)


def inspect(
    session: Session,
    verdict: Verdict,
    *,
    number: str,
    site_id: int,
    actor: Actor,
    now: datetime,
    today: date,
) -> int:
    """This function will record what was found in units of a return, with its photos, and give the inspection's id.

    Raises `ReturnUnknown`, `ReturnLineUnknown` and what `inspection.record` raises.
    """
    return_id = return_sheet.find(session, number=number, site_id=site_id)
    _refuse_strange_lines(session, return_id, number, [verdict.return_line_id])
    [inspection_id] = inspection.record(session, [verdict], actor=actor, now=now, today=today)
    return inspection_id


def settle(
    session: Session,
    choice: Choice,
    *,
    number: str,
    site_id: int,
    actor: Actor,
    now: datetime,
    today: date,
) -> PostResult:
    """This function will dispose of the units of one inspection of a return as a person decided.

    Raises `ReturnUnknown`, `InspectionUnknown` and what `proposing.settle` raises.
    """
    return_id = return_sheet.find(session, number=number, site_id=site_id)
    own = session.scalar(
        sa.select(Inspection.id)
        .join(ReturnLine, ReturnLine.id == Inspection.return_line_id)
        .where(Inspection.id == choice.inspection_id, ReturnLine.return_id == return_id)
    )
    if own is None:
        raise InspectionUnknown(f"{number} has no inspection {choice.inspection_id}")
    return proposing.settle(session, [choice], actor=actor, now=now, today=today)


def refund(
    session: Session,
    request: RefundRequest,
    *,
    number: str,
    site_id: int,
    actor: Actor,
    now: datetime,
    today: date,
) -> list[int]:
    """This function will refund inspected units of one line of a return and give the ids of the credit notes.

    Raises `ReturnUnknown`, `ReturnLineUnknown` and what `refunds.refund` raises.
    """
    return_id = return_sheet.find(session, number=number, site_id=site_id)
    _refuse_strange_lines(session, return_id, number, [request.return_line_id])
    return refunds.refund(session, [request], actor=actor, now=now, today=today)


def authorize(
    session: Session,
    request: ReturnRequest,
    *,
    order_number: str,
    site_id: int,
    actor: Actor,
    now: datetime,
    today: date,
    parcel_number: str | None = None,
) -> str:
    """This function will authorize the return of units of one line of a site's order and give the return's number.

    With a parcel, the goods lie in it already, and it is matched. Raises `OrderUnknown`, `SoldLineUnknown`,
    `ParcelUnknown` and what `returns.authorize` and `parcels.match_sale` raise.
    """
    order_id = order_sheet.find(session, number=order_number, site_id=site_id)
    own = session.scalar(
        sa.select(SalesOrderLine.id).where(
            SalesOrderLine.id == request.sales_order_line_id, SalesOrderLine.order_id == order_id
        )
    )
    if own is None:
        raise SoldLineUnknown(f"{order_number} has no line {request.sales_order_line_id}")
    if parcel_number is None:
        [return_id] = returns.authorize(session, [request], actor=actor, now=now, today=today)
    else:
        parcel_id = showing.parcel(session, number=parcel_number, site_id=site_id).id
        return_id = parcels.match_sale(session, [request], parcel_id=parcel_id, actor=actor, now=now, today=today)
    return return_sheet.number_of(session, return_id)


def match_parcel(
    session: Session, *, number: str, return_number: str, site_id: int, actor: Actor, now: datetime
) -> None:
    """This function will say to which return of a site an unknown parcel of it belongs.

    Raises `ParcelUnknown`, `ReturnUnknown` and what `parcels.match` raises.
    """
    parcel = showing.parcel(session, number=number, site_id=site_id)
    return_id = return_sheet.find(session, number=return_number, site_id=site_id)
    parcels.match(session, parcel_id=parcel.id, return_id=return_id, actor=actor, now=now)


def dispose_parcel(session: Session, *, number: str, reason: str, site_id: int, actor: Actor, now: datetime) -> None:
    """This function will take an unknown parcel of a site off the queue. Raises what `parcels.dispose` raises."""
    parcel = showing.parcel(session, number=number, site_id=site_id)
    parcels.dispose(session, parcel_id=parcel.id, reason=reason, actor=actor, now=now)


def _refuse_strange_lines(session: Session, return_id: int, number: str, line_ids: Sequence[int]) -> None:
    own = documents.read_lines(session, line_ids)
    for line_id in line_ids:
        if own[line_id].return_id != return_id:
            raise ReturnLineUnknown(f"{number} has no line {line_id}")


def _known_labels(session: Session, expected: Sequence[Move]) -> dict[int, Any]:
    """What stands on the lots that were sold: nobody has to read a label to say what is expected anyway."""
    lot_ids = sorted({move.lot_id for move in expected} - {NO_LOT})
    rows = session.execute(sa.select(Lot.id, Lot.code, Lot.expiry_date).where(Lot.id.in_(lot_ids)))
    return {row.id: row for row in rows}


def _spread(one: Counted, expected: Sequence[Move], labels: Mapping[int, Any], number: str) -> list[Arrival]:
    """What is expected of a line may be several moves, one for each delivery its units come from."""
    left, arrivals = one.quantity, []
    for move in expected:
        if move.line_id == one.return_line_id and left > 0:
            quantity = min(left, move.quantity)
            left -= quantity
            label = labels.get(move.lot_id)
            arrivals.append(
                Arrival(
                    move_id=move.id,
                    quantity=quantity,
                    lot_code=one.lot_code or (label.code if label else None),
                    expiry_date=one.expiry_date or (label.expiry_date if label else None),
                )
            )
    if left or one.quantity < 0:
        raise MoreThanExpected(
            f"{number}: {one.quantity} units were counted of a line of which {one.quantity - left} are expected: "
            "authorize the rest first, or write it down as an unknown parcel"
        )
    return arrivals
