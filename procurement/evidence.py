"""One purchase order with the evidence an approver decides on. Reads only, in a fixed number of queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from procurement import budgets, deciding, defects, inbox, order_lines, prices, purchase_orders, scorecard, splits
from procurement.budgets import Beside
from procurement.defects import DefectRate
from procurement.inbox import Handed
from procurement.order_lines import Line
from procurement.purchase_orders import KIND, OrderUnknown, PurchaseOrder, PurchaseOrderState
from procurement.scorecard import Delivery
from procurement.splits import Split
from procurement.urgency import Urgency
from scm.core.approval import Approval
from scm.core.errors import ScmError
from scm.core.users import Actor, Role, User
from scm.finance import vat
from scm.master.agreements import SupplierTerms
from scm.master.locations import Site
from scm.master.partners import Partner

MEASURED_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a supplier's deliveries of the last year say, in calendar days; the agreed time is that of most of them."""

    days: Sequence[tuple[int, int, bool]]  # days taken, how many deliveries, whether they were late
    agreed_days: int
    median_days: int
    p90_days: int
    on_time: int
    n: int
    overdue: int


@dataclass(frozen=True, kw_only=True)
class Request:
    """The newest request for approval of an order, and what was decided."""

    requester: str
    requested_at: datetime
    decision: str
    approver: str
    decided_at: datetime | None
    comment: str
    handed: Handed | None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One order as a page shows it. Amounts are minor units; `refusal` says why the reader may not approve it."""

    id: int
    number: str
    state: PurchaseOrderState
    currency: str
    amount: int
    vat_amount: int  # to be added, at the rates of the day it was drafted
    supplier_id: int
    supplier_code: str
    supplier_name: str
    supplier_email: str | None
    site_code: str
    site_name: str
    drafted_date: date
    written_by: str
    sent_at: datetime | None
    reason: str
    minimum_order_value: int
    lines: Sequence[Line]
    request: Request | None
    refusal: ScmError | None
    largest: int | None
    split: Split | None
    budget: Beside | None
    measured: Measured | None
    defects: DefectRate | None

    @property
    def below_minimum(self) -> int:
        """How much is missing to the supplier's minimum order value."""
        return max(0, self.minimum_order_value - self.amount)

    @property
    def price_change(self) -> Decimal | None:
        """The change of prices against the last orders of the items, weighted; none when all are first orders."""
        known = [(line.quantity, line.unit_price, line.paid[-1].unit_price) for line in self.lines if line.paid]
        return prices.weighted_change(known) if known else None

    @property
    def urgency(self) -> Urgency | None:
        """That of the most urgent line."""
        return self.lines[0].urgency if self.lines else None

    @property
    def outstanding(self) -> int:
        """Units the supplier still owes."""
        return sum(line.progress.outstanding for line in self.lines)

    @property
    def received(self) -> int:
        """Units that came."""
        return sum(line.progress.received for line in self.lines)


def read(session: Session, *, number: str, site_id: int, actor: Actor, today: date) -> Evidence:
    """This function will read an order of a site by its number. Raises `OrderUnknown`."""
    row = session.execute(_head(number, site_id)).first()
    if row is None:
        raise OrderUnknown(f"there is no purchase order {number} at this site")
    order: PurchaseOrder = row.PurchaseOrder
    lines = order_lines.read(session, order, today=today)
    amount = sum(line.amount for line in lines)
    since = today - timedelta(days=MEASURED_DAYS)
    delivered = scorecard.deliveries(session, until=today, since=since, supplier_ids=[order.supplier_id])
    rates = defects.defect_rates(session, until=today, since=since, supplier_ids=[order.supplier_id])
    request, requester_id = _request(session, order.id)
    asked = order.state is PurchaseOrderState.SUBMITTED and Role.APPROVER in actor.roles
    judge = deciding.judge(session, [order], actor=actor)
    return Evidence(
        id=order.id,
        number=order.number,
        state=order.state,
        currency=order.currency,
        amount=amount,
        vat_amount=_vat(session, order, lines),
        supplier_id=order.supplier_id,
        supplier_code=row.supplier_code,
        supplier_name=row.supplier_name,
        supplier_email=row.email,
        site_code=row.site_code,
        site_name=row.site_name,
        drafted_date=order.drafted_date,
        written_by=row.display_name,
        sent_at=order.sent_at,
        reason=order.reason,
        minimum_order_value=row.minimum_order_value,
        lines=lines,
        request=request,
        refusal=_refusal(session, judge, order, requester_id) if asked else None,
        largest=judge.limit.largest.get(order.currency),
        split=splits.suspected(session, [order.id]).get(order.id),
        budget=budgets.beside(session, order, amount=amount),
        measured=measure(delivered.get(order.supplier_id, ())),
        defects=rates.get(order.supplier_id),
    )


def _vat(session: Session, order: PurchaseOrder, lines: Sequence[Line]) -> int:
    """Suppliers' prices are without VAT; it is rounded once per line."""
    item_ids = {line.item_id for line in lines}
    known = vat.rates_on(session, item_ids, order.drafted_date, company_id=order.company_id)
    return sum(vat.part_of(line.amount, known[line.item_id], included=False) for line in lines)


def measure(deliveries: Sequence[Delivery]) -> Measured | None:
    """This function will sum deliveries up for a picture; none without any.

    >>> measured = measure([Delivery(1, 7, 7, False), Delivery(1, 7, 7, False), Delivery(1, 9, 7, False)])
    >>> measured.days, measured.median_days, measured.on_time
    ([(7, 2, False), (9, 1, True)], 7, 2)
    """
    if not deliveries:
        return None
    days = [delivery.days for delivery in deliveries]
    late = [delivery.days > delivery.agreed_days for delivery in deliveries]
    counted = Counter(zip(days, late, strict=True))
    return Measured(
        days=[(taken, count, was_late) for (taken, was_late), count in sorted(counted.items())],
        agreed_days=Counter(delivery.agreed_days for delivery in deliveries).most_common(1)[0][0],
        median_days=scorecard.percentile(days, percent=50),
        p90_days=scorecard.percentile(days, percent=90),
        on_time=late.count(False),
        n=len(days),
        overdue=sum(delivery.open for delivery in deliveries),
    )


def _refusal(
    session: Session, judge: deciding.Judge, order: PurchaseOrder, requester_id: int | None
) -> ScmError | None:
    lines = purchase_orders.lines_of(session, [order]).get(order.id, [])
    return inbox.refusal_of(judge, order, lines, requester_id=requester_id or 0)


def _head(number: str, site_id: int) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            PurchaseOrder,
            Partner.code.label("supplier_code"),
            Partner.name.label("supplier_name"),
            Partner.email,
            Site.code.label("site_code"),
            Site.name.label("site_name"),
            SupplierTerms.minimum_order_value,
            User.display_name,
        )
        .join(Partner, Partner.id == PurchaseOrder.supplier_id)
        .join(Site, Site.id == PurchaseOrder.site_id)
        .join(SupplierTerms, SupplierTerms.partner_id == Partner.id)
        .join(User, User.id == PurchaseOrder.written_by_id)
        .where(PurchaseOrder.number == number, PurchaseOrder.site_id == site_id)
    )


def _request(session: Session, order_id: int) -> tuple[Request | None, int | None]:
    requester, approver = aliased(User), aliased(User)
    row = session.execute(
        sa.select(Approval, requester.display_name.label("requester"), approver.display_name.label("approver"))
        .join(requester, requester.id == Approval.requester_id)
        .outerjoin(approver, approver.id == Approval.approver_id)
        .where(Approval.subject_kind == KIND, Approval.subject_id == order_id)
        .order_by(Approval.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None, None
    asked: Approval = row.Approval
    found = Request(
        requester=row.requester,
        requested_at=asked.requested_at,
        decision=asked.decision.value,
        approver=row.approver or "",
        decided_at=asked.decided_at,
        comment=asked.comment,
        handed=inbox.handovers(session, [asked.id]).get(asked.id),
    )
    return found, asked.requester_id
