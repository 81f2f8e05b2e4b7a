"""Returns: what a customer may send back, and the authorization that expects it.

A return refers to a line we delivered, or to an earlier sale that the books do not hold (from before go-live), named
by its reference. Never more is authorized than was delivered less what is on its way back already.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from aftersales import origins as origins_of
from aftersales.origins import Origin, PriorSale
from scm.core import audit, documents, numbering, types
from scm.core.db import Base, BigId, table_of
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.master import locations
from scm.master.locations import LocationKind
from scm.stock import ledger, moves
from scm.stock.moves import Move, MoveState

KIND = "return_authorization"


class ReturnState(enum.Enum):
    """What was decided; what arrived, was inspected or refunded is derived."""

    AUTHORIZED = "authorized"
    CANCELLED = "cancelled"


class ReturnReason(enum.Enum):
    """Why the customer sends it back."""

    UNWANTED = "unwanted"
    DAMAGED = "damaged"
    DEFECTIVE = "defective"
    WRONG_ITEM = "wrong_item"
    LATE = "late"


MACHINE = documents.Machine(
    kind=KIND,
    initial=ReturnState.AUTHORIZED,
    transitions={(ReturnState.AUTHORIZED, "cancel"): ReturnState.CANCELLED},
)


class ReturnAuthorization(Base):
    """One permission to send goods back to one site."""

    __tablename__ = "return_authorization"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    number: Mapped[str] = mapped_column(sa.String(30), unique=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("partner.id"))
    state: Mapped[ReturnState] = mapped_column(types.enum_column(ReturnState))
    authorized_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    authorized_date: Mapped[date]


class ReturnLine(Base):
    """So many units of one sold line, or of one earlier sale."""

    __tablename__ = "return_line"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    return_id: Mapped[int] = mapped_column(sa.ForeignKey("return_authorization.id"), index=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    sales_order_line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sales_order_line.id"), index=True)
    prior_reference: Mapped[str | None] = mapped_column(sa.String(80), index=True)
    sold_quantity: Mapped[int] = mapped_column(sa.BigInteger)
    sold_date: Mapped[date | None]
    unit_price: Mapped[Decimal] = mapped_column(types.UnitPrice)
    quantity: Mapped[int] = mapped_column(sa.BigInteger)
    reason: Mapped[ReturnReason] = mapped_column(types.enum_column(ReturnReason))

    __table_args__ = (
        sa.CheckConstraint("quantity > 0 AND quantity <= sold_quantity", name="at_most_what_was_sold"),
        sa.CheckConstraint("(sales_order_line_id IS NULL) <> (prior_reference IS NULL)", name="refers_to_one_sale"),
    )


@dataclass(frozen=True, kw_only=True)
class ReturnRequest:
    """So many units of one sold line, or of one prior sale, wish to come back."""

    quantity: int
    reason: ReturnReason
    sales_order_line_id: int | None = None
    prior_sale: PriorSale | None = None


class BadReturn(InvalidInput):
    """A return request is malformed: its quantity, or what it refers to."""


class MoreThanDelivered(Conflict):
    """More would come back than was delivered."""


def authorize(
    session: Session, requests: Sequence[ReturnRequest], *, actor: Actor, now: datetime, today: date
) -> list[int]:
    """This function will authorize returns: one authorization per customer and site; returns their ids.

    Locks the sold lines first, so two clerks cannot both authorize the last unit. Raises `BadReturn`,
    `SoldLineUnknown`, and `MoreThanDelivered` naming what was delivered and what is authorized already.
    """
    actor.require(Role.RETURNS, Role.SALES, Role.SYSTEM)
    _refuse_malformed(requests)
    origins = _origins(session, requests)
    _refuse_too_much(session, requests, origins)
    headers = _insert_headers(session, origins, now=now, today=today)
    line_ids = _insert_lines(session, headers, requests, origins)
    _plan(session, headers, line_ids, requests, origins, today=today)
    return_ids = sorted(set(headers))
    audit.record(session, actor=actor, verb="return.authorize", document_kind=KIND, document_ids=return_ids)
    return return_ids


def cancel(session: Session, return_ids: Sequence[int], *, reason: str, actor: Actor) -> None:
    """This function will cancel authorizations whose goods have not arrived. Raises `IllegalTransition`, `NotPlanned`."""
    actor.require(Role.RETURNS, Role.SALES, Role.SYSTEM)
    rows = session.scalars(
        sa.select(ReturnAuthorization)
        .where(ReturnAuthorization.id.in_(sorted(set(return_ids))))
        .order_by(ReturnAuthorization.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        row.state = MACHINE.advance(row.state, "cancel", number=row.number)
    session.flush()
    expected = moves.of_documents(session, kind=KIND, document_ids=return_ids)
    ledger.cancel(session, [move.id for move in expected], reason=reason, actor=actor)
    audit.record(
        session, actor=actor, verb="return.cancel", document_kind=KIND, document_ids=list(return_ids), reason=reason
    )


def arrivals(session: Session, return_ids: Sequence[int]) -> list[Move]:
    """This function will list the planned moves that a receipt of these returns posts."""
    return moves.of_documents(session, kind=KIND, document_ids=return_ids, states=[MoveState.PLANNED])


def _refuse_malformed(requests: Sequence[ReturnRequest]) -> None:
    for row, request in enumerate(requests, start=1):
        if type(request.quantity) is not int or request.quantity <= 0:
            raise BadReturn(f"return {row}: quantity {request.quantity!r} must be a whole number above 0")
        if (request.sales_order_line_id is None) == (request.prior_sale is None):
            raise BadReturn(f"return {row}: name either a sold line or a prior sale, not both")


def _origins(session: Session, requests: Sequence[ReturnRequest]) -> list[Origin]:
    prior = origins_of.of_prior_sales(session, [r.prior_sale for r in requests if r.prior_sale is not None])
    sold = origins_of.of_lines(session, [r.sales_order_line_id for r in requests if r.sales_order_line_id is not None])
    found = []
    for request in requests:
        if request.prior_sale is not None:
            found.append(prior[request.prior_sale.reference])
        else:
            assert request.sales_order_line_id is not None
            found.append(sold[request.sales_order_line_id])
    return found


def _reference(request: ReturnRequest) -> int | str:
    if request.prior_sale is not None:
        return request.prior_sale.reference
    assert request.sales_order_line_id is not None
    return request.sales_order_line_id


def _refuse_too_much(session: Session, requests: Sequence[ReturnRequest], origins: Sequence[Origin]) -> None:
    """What is authorized already and not cancelled counts as returned, whether it has arrived or not."""
    taken = _authorized(session, {_reference(request) for request in requests})
    for row, (request, origin) in enumerate(zip(requests, origins, strict=True), start=1):
        reference = _reference(request)
        free = origin.sold - taken[reference]
        if request.quantity > free:
            raise MoreThanDelivered(
                f"return {row}: {request.quantity} of item {origin.item_id} are more than the {free} that can come "
                f"back of sale {reference} ({origin.sold} delivered, {taken[reference]} authorized already)"
            )
        taken[reference] += request.quantity


def _authorized(session: Session, references: set[int | str]) -> dict[int | str, int]:
    taken: dict[int | str, int] = defaultdict(int)
    rows = session.execute(
        sa.select(ReturnLine.sales_order_line_id, ReturnLine.prior_reference, ReturnLine.quantity)
        .join(ReturnAuthorization, ReturnAuthorization.id == ReturnLine.return_id)
        .where(
            ReturnAuthorization.state == ReturnState.AUTHORIZED,
            sa.or_(
                ReturnLine.sales_order_line_id.in_([r for r in references if isinstance(r, int)]),
                ReturnLine.prior_reference.in_([r for r in references if isinstance(r, str)]),
            ),
        )
    )
    for row in rows:
        taken[row.prior_reference or row.sales_order_line_id] += row.quantity
    return taken


def _insert_headers(session: Session, origins: Sequence[Origin], *, now: datetime, today: date) -> list[int]:
    """One authorization per customer and site; gives for each request the id of its authorization."""
    wanted = list(dict.fromkeys((o.company_id, o.customer_id, o.site_id) for o in origins))
    numbers = numbering.draw(
        session,
        series=numbering.RETURN_AUTHORIZATION,
        company_id=origins[0].company_id,
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
    return [return_of[(o.company_id, o.customer_id, o.site_id)] for o in origins]


def _insert_lines(
    session: Session, headers: Sequence[int], requests: Sequence[ReturnRequest], origins: Sequence[Origin]
) -> list[int]:
    rows = [
        {
            "return_id": return_id,
            "item_id": origin.item_id,
            "sales_order_line_id": request.sales_order_line_id,
            "prior_reference": request.prior_sale.reference if request.prior_sale else None,
            "sold_quantity": origin.sold,
            "sold_date": origin.sold_date,
            "unit_price": origin.unit_price,
            "quantity": request.quantity,
            "reason": request.reason,
        }
        for return_id, request, origin in zip(headers, requests, origins, strict=True)
    ]
    return _insert(session, ReturnLine, rows)


def _insert(session: Session, model: type[Base], rows: list[dict[str, Any]]) -> list[int]:
    table = table_of(model)
    result = session.execute(sa.insert(table).returning(table.c.id, sort_by_parameter_order=True), rows)
    return list(result.scalars())


def _plan(
    session: Session,
    headers: Sequence[int],
    line_ids: Sequence[int],
    requests: Sequence[ReturnRequest],
    origins: Sequence[Origin],
    *,
    today: date,
) -> None:
    customer = locations.of_kind(session, kind=LocationKind.CUSTOMER, site_id=None)
    cages = {
        site_id: locations.of_kind(session, kind=LocationKind.RETURNS, site_id=site_id)
        for site_id in sorted({origin.site_id for origin in origins})
    }
    planned = [
        ledger.MoveRequest(
            item_id=origin.item_id,
            source_id=customer,
            destination_id=cages[origin.site_id],
            quantity=request.quantity,
            due_date=today,
            document_kind=KIND,
            document_id=return_id,
            line_id=line_id,
            cost_of_id=origin.cost_of_id,
            reason=request.reason.value,
        )
        for return_id, line_id, request, origin in zip(headers, line_ids, requests, origins, strict=True)
    ]
    ledger.plan(session, planned, company_id=origins[0].company_id)
