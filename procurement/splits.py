"""Orders that look like one order, split to stay under an approval limit. Reads only; it accuses nobody.

Orders of one requester to one supplier, asked for within a week, each within somebody's approval limit and together
above it, are shown to whoever is to approve one of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import worths
from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderLine
from procurement.rules import ApprovalLimit
from scm.core.approval import Approval, Decision
from scm.finance import money

WITHIN = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One order somebody asked approval for; `amount` is in minor units."""

    order_id: int
    number: str
    asked_at: datetime
    amount: int


@dataclass(frozen=True, kw_only=True)
class Split:
    """Orders that are together above a limit which each of them is within. Amounts are minor units of `currency`."""

    numbers: tuple[str, ...]
    total: int
    limit: int
    currency: str = ""


def split_of(one: Asked, among: Sequence[Asked], *, limits: Iterable[int]) -> Split | None:
    """This function will find the lowest limit that an order and others of less than seven days stay under one by one.

    `among` are all orders of the same requester to the same supplier, the one included.

    >>> from datetime import UTC
    >>> monday, friday = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 9, tzinfo=UTC)
    >>> two = [Asked(order_id=1, number="PO-1", asked_at=monday, amount=900),
    ...        Asked(order_id=2, number="PO-2", asked_at=friday, amount=300)]
    >>> split_of(two[1], two, limits=[1000, 5000])
    Split(numbers=('PO-1', 'PO-2'), total=1200, limit=1000, currency='')
    >>> split_of(two[1], two, limits=[1200]) is None
    True
    """
    for limit in sorted(set(limits)):
        small = sorted((o for o in among if o.amount <= limit), key=lambda o: (o.asked_at, o.order_id))
        if one not in small:
            continue
        best: list[Asked] = []
        for first in small:
            if first.asked_at <= one.asked_at < first.asked_at + WITHIN:
                together = [o for o in small if first.asked_at <= o.asked_at < first.asked_at + WITHIN]
                best = max(best, together, key=lambda some: sum(o.amount for o in some))
        total = sum(o.amount for o in best)
        if total > limit:
            return Split(numbers=tuple(o.number for o in best), total=total, limit=limit)
    return None


def suspected(session: Session, order_ids: Sequence[int]) -> dict[int, Split]:
    """This function will look at orders that were submitted, in three queries, and give the split ones by order."""
    subjects = session.execute(_asked().where(PurchaseOrder.id.in_(list(order_ids)))).all()
    if not subjects:
        return {}
    limits: dict[str, list[int]] = defaultdict(list)
    for currency, largest in session.execute(sa.select(ApprovalLimit.currency, ApprovalLimit.largest_amount)):
        limits[currency].append(largest)
    if not limits:
        return {}
    first, last = min(row.requested_at for row in subjects), max(row.requested_at for row in subjects)
    near = _asked().where(
        PurchaseOrder.supplier_id.in_({row.supplier_id for row in subjects}),
        Approval.requester_id.in_({row.requester_id for row in subjects}),
        Approval.requested_at.between(first - WITHIN, last + WITHIN),
    )
    found: dict[tuple[int, int, str], dict[int, Asked]] = defaultdict(dict)
    drafted: dict[int, date] = {}
    for row in session.execute(near.add_columns(PurchaseOrderLine.unit_price, PurchaseOrderLine.quantity)):
        group = found[row.supplier_id, row.requester_id, row.currency]
        amount = money.line_amount(unit_price=row.unit_price, quantity=row.quantity, currency=row.currency)
        drafted[row.id] = row.drafted_date
        before = group[row.id].amount if row.id in group else 0
        group[row.id] = Asked(order_id=row.id, number=row.number, asked_at=row.requested_at, amount=before + amount)
    answers: dict[int, Split] = {}
    for row in {row.id: row for row in subjects}.values():
        group, currency = found[row.supplier_id, row.requester_id, row.currency], row.currency
        if currency not in limits:  # as approval itself: a limit in the company's currency counts then
            group, currency = _converted(session, group, row, drafted)
        if row.id not in group:
            continue
        split = split_of(group[row.id], list(group.values()), limits=limits.get(currency, ()))
        if split is not None:
            answers[row.id] = replace(split, currency=currency)
    return answers


def _converted(
    session: Session, group: dict[int, Asked], subject: sa.Row[Any], drafted: dict[int, date]
) -> tuple[dict[int, Asked], str]:
    """Orders whose day has no recorded rate are left out: nobody can approve them either."""
    currency = subject.currency
    days = {(currency, drafted[order_id]) for order_id in group}
    worth = worths.of_days(session, days, company_id=subject.company_id)
    same = {
        order_id: replace(one, amount=worth.on(one.amount, currency, drafted[order_id]))
        for order_id, one in group.items()
        if currency == worth.own or (currency, drafted[order_id]) in worth.rates
    }
    return same, worth.own


def _asked() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            PurchaseOrder.id,
            PurchaseOrder.number,
            PurchaseOrder.supplier_id,
            PurchaseOrder.currency,
            PurchaseOrder.company_id,
            PurchaseOrder.drafted_date,
            Approval.requester_id,
            Approval.requested_at,
        )
        .join(Approval, sa.and_(Approval.subject_kind == KIND, Approval.subject_id == PurchaseOrder.id))
        .join(PurchaseOrderLine, PurchaseOrderLine.order_id == PurchaseOrder.id)
        .where(Approval.decision.in_([Decision.PENDING, Decision.APPROVED]))
    )
