"""The list of returns: what can be seen, filtered and sorted of each. Reads only."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from aftersales.disposition import Disposal
from aftersales.documents import KIND, ReturnAuthorization, ReturnLine, ReturnReason, ReturnState
from aftersales.inspection import Inspection
from aftersales.refunds import ReturnRefund
from aftersales.return_sheet import Step
from scm.core.listing import Field, Kind, Listing
from scm.master.partners import Partner
from scm.stock.moves import MoveState, StockMove


def _choice(members: type[Any]) -> sa.Enum:
    return sa.Enum(members, values_callable=lambda kind: [one.value for one in kind], native_enum=False, length=24)


STEP, REASON = _choice(Step), _choice(ReturnReason)


def listing(*, site_id: int) -> Listing:
    """This function will describe the returns of a site; amounts are minor units of the company's currency."""
    head = ReturnAuthorization.__table__.c
    return Listing(
        name="returns",
        rows=sa.select(ReturnAuthorization.id)
        .join(Partner, Partner.id == ReturnAuthorization.customer_id)
        .where(ReturnAuthorization.site_id == site_id),
        key=head.id,
        fields=(
            Field(name="number", kind=Kind.CODE, value=head.number),
            Field(name="customer", kind=Kind.TEXT, value=Partner.__table__.c.name),
            Field(name="step", kind=Kind.CHOICE, value=_step(), choices=Step),
            Field(name="state", kind=Kind.CHOICE, value=head.state, choices=ReturnState),
            Field(name="reason", kind=Kind.CHOICE, value=_reason(), choices=ReturnReason),
            Field(name="authorized_date", kind=Kind.DATE, value=head.authorized_date),
            Field(name="units", kind=Kind.QUANTITY, value=_lines(sa.func.sum(ReturnLine.quantity))),
            Field(name="received", kind=Kind.QUANTITY, value=_received()),
            Field(name="refunded", kind=Kind.MONEY, value=_of_lines(ReturnRefund, ReturnRefund.amount)),
        ),
        search=(head.number, Partner.__table__.c.name),
        order=("authorized_date", True),
    )


def _whole(total: Any) -> Any:
    """Sums of whole numbers are numerics on PostgreSQL: they are whole, and are read so."""
    return sa.cast(sa.func.coalesce(total, 0), sa.BigInteger)


def _lines(what: Any) -> Any:
    statement = sa.select(_whole(what)).where(ReturnLine.return_id == ReturnAuthorization.id)
    return statement.correlate(ReturnAuthorization).scalar_subquery()


def _of_lines(model: type[Inspection] | type[ReturnRefund], quantity: Any) -> Any:
    return (
        sa.select(_whole(sa.func.sum(quantity)))
        .select_from(model)
        .join(ReturnLine, ReturnLine.id == model.return_line_id)
        .where(ReturnLine.return_id == ReturnAuthorization.id)
        .correlate(ReturnAuthorization)
        .scalar_subquery()
    )


def _moved(state: MoveState) -> Any:
    mirror = aliased(StockMove)
    return (
        sa.select(_whole(sa.func.sum(StockMove.quantity)))
        .where(
            StockMove.document_kind == KIND,
            StockMove.document_id == ReturnAuthorization.id,
            StockMove.state == state,
            StockMove.reverses_id.is_(None),
            ~sa.exists().where(mirror.reverses_id == StockMove.id),
        )
        .correlate(ReturnAuthorization)
        .scalar_subquery()
    )


def _received() -> Any:
    return _moved(MoveState.POSTED)


def _disposed() -> Any:
    return (
        sa.select(_whole(sa.func.sum(Inspection.quantity)))
        .select_from(Disposal)
        .join(Inspection, Inspection.id == Disposal.inspection_id)
        .join(ReturnLine, ReturnLine.id == Inspection.return_line_id)
        .where(ReturnLine.return_id == ReturnAuthorization.id)
        .correlate(ReturnAuthorization)
        .scalar_subquery()
    )


def _step() -> Any:
    """The same word as `return_sheet.ReturnSheet.step`, from sums over the return's lines."""
    received, inspected = _received(), _of_lines(Inspection, Inspection.quantity)
    refunded = _of_lines(ReturnRefund, ReturnRefund.quantity)
    sound = sa.case((received < inspected, received), else_=inspected)
    words: list[tuple[Any, Step]] = [
        (ReturnAuthorization.state == ReturnState.CANCELLED, Step.NOTHING),
        (received > inspected, Step.INSPECT),
        (inspected > _disposed(), Step.DISPOSE),
        (sound > refunded, Step.REFUND),
        (_moved(MoveState.PLANNED) > 0, Step.RECEIVE),
        (ReturnAuthorization.state == ReturnState.AUTHORIZED, Step.CLOSE),
    ]
    whens = [(condition, sa.literal(word.value)) for condition, word in words]
    return sa.type_coerce(sa.case(*whens, else_=sa.literal(Step.NOTHING.value)), STEP)


def _reason() -> Any:
    """The reason of its first line; a return rarely has two."""
    first = (
        sa.select(sa.cast(ReturnLine.reason, sa.String))
        .where(ReturnLine.return_id == ReturnAuthorization.id)
        .order_by(ReturnLine.id)
        .limit(1)
        .correlate(ReturnAuthorization)
        .scalar_subquery()
    )
    return sa.type_coerce(first, REASON)
