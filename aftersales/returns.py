"""Returns: what a customer may send back, and the authorization that expects it.

A return refers to a line we delivered, or to a sale from before the books began, named by its reference. Never more is
authorized than was delivered less what is on its way back already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales import documents, origins
from aftersales.documents import KIND, MACHINE, ReturnAuthorization, ReturnLine, ReturnReason, ReturnUnknown
from aftersales.origins import Delivered, Origin, PriorSale, SoldLineUnknown
from scm.core import audit, numbering
from scm.core.db import Base, table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.locations import LocationKind
from scm.stock import ledger, moves
from scm.stock.moves import Move, MoveState

# What the verbs take, give and raise, wherever it is decided.
__all__ = [
    "KIND",
    "AlreadyArrived",
    "BadReturn",
    "LotNeeded",
    "MoreThanDelivered",
    "PriorSale",
    "ReturnReason",
    "ReturnRequest",
    "ReturnUnknown",
    "SoldLineUnknown",
    "arrivals",
    "authorize",
    "cancel",
    "close",
]

AUTHORIZES = (Role.RETURNS, Role.SALES, Role.SYSTEM)


@dataclass(frozen=True, kw_only=True)
class ReturnRequest:
    """So many units of one sold line, or of one prior sale, wish to come back.

    The lot is only needed when the line was delivered out of several.
    """

    quantity: int
    reason: ReturnReason
    sales_order_line_id: int | None = None
    prior_sale: PriorSale | None = None
    lot_id: int | None = None


class BadReturn(InvalidInput):
    """A return request is malformed: its quantity, or what it refers to."""


class LotNeeded(InvalidInput):
    """A line was delivered out of several lots, and the request does not say which of them comes back."""


class MoreThanDelivered(Conflict):
    """More would come back than was delivered."""


class AlreadyArrived(Conflict):
    """A return of which something has arrived cannot be cancelled."""


@dataclass(frozen=True)
class _Accepted:
    """A request with the sale it refers to and the deliveries its units came from."""

    request: ReturnRequest
    origin: Origin
    parts: tuple[tuple[Delivered, int], ...]


def authorize(
    session: Session, requests: Sequence[ReturnRequest], *, actor: Actor, now: datetime, today: date
) -> list[int]:
    """This function will authorize returns: one authorization per customer and site; returns their ids.

    Locks the sales first, so two clerks cannot both authorize the last unit. Raises `BadReturn`, `SoldLineUnknown`,
    `LotNeeded`, `MoreThanDelivered` naming what was delivered and what is authorized already; for prior sales also
    `SiteUnknown` and what `scm.finance.brought_forward.bring_forward` raises.
    """
    actor.require(*AUTHORIZES)
    _refuse_malformed(requests)
    accepted = _accept(requests, _origins(session, requests, actor=actor, now=now, today=today))
    headers = _insert_headers(session, [one.origin for one in accepted], now=now, today=today)
    line_ids = _insert_lines(session, headers, accepted)
    _plan(session, headers, line_ids, accepted, today=today)
    return_ids = sorted(set(headers))
    audit.record(session, actor=actor, verb="return.authorize", document_kind=KIND, document_ids=return_ids)
    return return_ids


def cancel(session: Session, return_ids: Sequence[int], *, reason: str, actor: Actor) -> None:
    """This function will cancel authorizations of which nothing has arrived: their units may be authorized again.

    Raises `ReturnUnknown`, `IllegalTransition`, `AlreadyArrived`.
    """
    actor.require(*AUTHORIZES)
    _end(session, return_ids, action="cancel", reason=reason, actor=actor)


def close(session: Session, return_ids: Sequence[int], *, reason: str, actor: Actor) -> None:
    """This function will expect no more of authorizations than has arrived; the rest may be authorized again.

    What has arrived is inspected, disposed of and refunded as before. Raises `ReturnUnknown`, `IllegalTransition`.
    """
    actor.require(*AUTHORIZES)
    _end(session, return_ids, action="close", reason=reason, actor=actor)


def arrivals(session: Session, return_ids: Sequence[int]) -> list[Move]:
    """This function will list the planned moves that a receipt of these returns posts."""
    return moves.of_documents(session, kind=KIND, document_ids=return_ids, states=[MoveState.PLANNED])


def _end(session: Session, return_ids: Sequence[int], *, action: str, reason: str, actor: Actor) -> None:
    returns = documents.lock_returns(session, return_ids)
    for row in returns:
        row.state = MACHINE.advance(row.state, action, number=row.number)
    session.flush()
    number_of = {row.id: row.number for row in returns}
    expected = moves.lock(session, [move.id for move in arrivals(session, list(number_of))])
    # Only now that nobody else can receive them is it known what has arrived.
    for move in documents.arrived(session, number_of) if action == "cancel" else ():
        raise AlreadyArrived(
            f"{number_of[move.document_id]}: {move.quantity} of item {move.item_id} have arrived: close it instead, "
            "so that no more is expected"
        )
    waiting = [move.id for move in expected if move.state is MoveState.PLANNED]
    ledger.cancel(session, waiting, reason=reason, actor=actor)
    audit.record(
        session,
        actor=actor,
        verb=f"return.{action}",
        document_kind=KIND,
        document_ids=list(number_of),
        reason=reason,
    )


def _refuse_malformed(requests: Sequence[ReturnRequest]) -> None:
    if not requests:
        raise BadReturn("no return was asked for: name at least one sold line or prior sale")
    for row, request in enumerate(requests, start=1):
        if type(request.quantity) is not int or request.quantity <= 0:
            raise BadReturn(f"return {row}: quantity {request.quantity!r} must be a whole number above 0")
        if (request.sales_order_line_id is None) == (request.prior_sale is None):
            raise BadReturn(f"return {row}: name either a sold line or a prior sale, not both")
        if request.prior_sale is not None and request.lot_id is not None:
            raise BadReturn(f"return {row}: the lot of a prior sale is not known: leave it out")


def _origins(
    session: Session, requests: Sequence[ReturnRequest], *, actor: Actor, now: datetime, today: date
) -> list[Origin]:
    sold = origins.of_lines(session, [r.sales_order_line_id for r in requests if r.sales_order_line_id is not None])
    prior = origins.of_prior_sales(
        session, [r.prior_sale for r in requests if r.prior_sale is not None], actor=actor, now=now, today=today
    )
    found = []
    for request in requests:
        if request.prior_sale is not None:
            found.append(prior[request.prior_sale.reference])
        else:
            assert request.sales_order_line_id is not None, "a request names one of the two"
            found.append(sold[request.sales_order_line_id])
    return found


def _accept(requests: Sequence[ReturnRequest], found: Sequence[Origin]) -> list[_Accepted]:
    """Units come back out of the oldest delivery first; what each takes is no longer free for the next."""
    accepted = []
    for row, (request, origin) in enumerate(zip(requests, found, strict=True), start=1):
        deliveries = _deliveries(row, request, origin)
        free = sum(delivered.free for delivered in deliveries)
        if request.quantity > free:
            sold = sum(delivered.quantity for delivered in deliveries)
            name = f"prior sale {request.prior_sale.reference}" if request.prior_sale else "this line"
            raise MoreThanDelivered(
                f"return {row}: {request.quantity} of item {origin.item_id} are more than the {free} that can come "
                f"back of {name} ({sold} delivered, {sold - free} authorized already)"
            )
        parts, wanted = [], request.quantity
        for delivered in deliveries:
            quantity = min(wanted, delivered.free)
            if quantity > 0:
                delivered.free -= quantity
                wanted -= quantity
                parts.append((delivered, quantity))
        accepted.append(_Accepted(request, origin, tuple(parts)))
    return accepted


def _deliveries(row: int, request: ReturnRequest, origin: Origin) -> list[Delivered]:
    if request.lot_id is not None:
        return [delivered for delivered in origin.deliveries if delivered.lot_id == request.lot_id]
    lots = {delivered.lot_id for delivered in origin.deliveries}
    if len(lots) > 1:
        raise LotNeeded(f"return {row}: the line was delivered out of {len(lots)} lots: say which one comes back")
    return list(origin.deliveries)


def _insert_headers(session: Session, found: Sequence[Origin], *, now: datetime, today: date) -> list[int]:
    """One authorization per customer and site; gives for each request the id of its authorization."""
    wanted = list(dict.fromkeys((o.company_id, o.customer_id, o.site_id) for o in found))
    numbers = numbering.draw(
        session,
        series=numbering.RETURN_AUTHORIZATION,
        company_id=found[0].company_id,
        year=today.year,
        count=len(wanted),
    )
    rows = [
        {
            "company_id": company_id,
            "number": number,
            "site_id": site_id,
            "customer_id": customer_id,
            "state": MACHINE.initial,
            "authorized_at": now,
            "authorized_date": today,
        }
        for (company_id, customer_id, site_id), number in zip(wanted, numbers, strict=True)
    ]
    ids = _insert(session, ReturnAuthorization, rows)
    return_of = dict(zip(wanted, ids, strict=True))
    return [return_of[(o.company_id, o.customer_id, o.site_id)] for o in found]


def _insert_lines(session: Session, headers: Sequence[int], accepted: Sequence[_Accepted]) -> list[int]:
    rows = []
    for return_id, one in zip(headers, accepted, strict=True):
        first, _ = one.parts[0]
        rows.append(
            {
                "return_id": return_id,
                "item_id": one.origin.item_id,
                "sales_order_line_id": one.origin.sales_order_line_id,
                "prior_sale_id": one.origin.prior_sale_id,
                "lot_id": first.lot_id,
                "sold_quantity": sum(delivered.quantity for delivered in one.origin.deliveries),
                "sold_date": first.sold_date,
                "quantity": one.request.quantity,
                "reason": one.request.reason,
            }
        )
    return _insert(session, ReturnLine, rows)


def _insert(session: Session, model: type[Base], rows: list[dict[str, Any]]) -> list[int]:
    table = table_of(model)
    result = session.execute(sa.insert(table).returning(table.c.id, sort_by_parameter_order=True), rows)
    return list(result.scalars())


def _plan(
    session: Session, headers: Sequence[int], line_ids: Sequence[int], accepted: Sequence[_Accepted], *, today: date
) -> None:
    """One move for each delivery that units come from: they enter the books at what they cost when they left."""
    customer = locations.of_kind(session, kind=LocationKind.CUSTOMER, site_id=None)
    cages = {
        site_id: locations.of_kind(session, kind=LocationKind.RETURNS, site_id=site_id)
        for site_id in sorted({one.origin.site_id for one in accepted})
    }
    planned = [
        ledger.MoveRequest(
            item_id=one.origin.item_id,
            source_id=customer,
            destination_id=cages[one.origin.site_id],
            quantity=quantity,
            due_date=today,
            document_kind=KIND,
            document_id=return_id,
            line_id=line_id,
            lot_id=delivered.lot_id,
            cost_of_id=delivered.cost_of_id,
            reason=one.request.reason.value,
        )
        for return_id, line_id, one in zip(headers, line_ids, accepted, strict=True)
        for delivered, quantity in one.parts
    ]
    ledger.plan(session, planned, company_id=accepted[0].origin.company_id)
