"""Purchase budgets: how much may be committed to suppliers in a period, and how much of it is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from procurement import purchase_orders, worths
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.core import audit
from scm.core.db import Base
from scm.core.errors import Conflict, InvalidInput
from scm.core.users import Actor, Role
from scm.finance import currencies, money
from scm.finance.rates import RateMissing

WEEK_DAYS = 7


class PurchaseBudget(Base):
    """The most that may be committed between two dates, both included, in minor units of the company's currency."""

    __tablename__ = "purchase_budget"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"), index=True)
    from_date: Mapped[date]
    until_date: Mapped[date]
    amount: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.CheckConstraint("until_date >= from_date", name="lasts"),
        sa.CheckConstraint("amount >= 0", name="amount_not_negative"),
    )


class BadBudget(InvalidInput):
    """A budget's dates or amount cannot be used."""


class BudgetsOverlap(Conflict):
    """Two budgets would cover the same day."""


@dataclass(frozen=True, kw_only=True)
class Open:
    """A budget that has not ended, and what orders of its period have taken of it, in minor units.

    Weeks are counted from its first day.
    """

    from_date: date
    until_date: date
    amount: int
    committed_before: int
    """By orders of its earlier weeks."""
    committed_this_week: int
    """By orders of the week in which `today` lies."""

    def share_of_week(self, day: date, *, today: date) -> int | None:
        """What may still be ordered in the week of `day`, or None outside the period.

        Each week that is left has an even share of what the earlier weeks left over, and this week's orders count
        against this week's share, however many days of it have passed.

        >>> august = Open(from_date=date(2011, 8, 1), until_date=date(2011, 8, 28), amount=900,
        ...               committed_before=300, committed_this_week=120)
        >>> august.share_of_week(date(2011, 8, 18), today=date(2011, 8, 17))
        180
        >>> august.share_of_week(date(2011, 8, 24), today=date(2011, 8, 17))
        300
        >>> august.share_of_week(date(2011, 9, 1), today=date(2011, 8, 17)) is None
        True
        """
        if not self.from_date <= day <= self.until_date:
            return None
        start = week_of(self.from_date, max(today, self.from_date))
        weeks = (self.until_date - start).days // WEEK_DAYS + 1
        share = max(0, self.amount - self.committed_before) // weeks
        return max(0, share - self.committed_this_week) if week_of(self.from_date, day) == start else share


def week_of(from_date: date, day: date) -> date:
    """This function will give the first day of the week of a period in which a day lies.

    >>> week_of(date(2011, 8, 1), date(2011, 8, 17))
    datetime.date(2011, 8, 15)
    """
    return day - timedelta(days=(day - from_date).days % WEEK_DAYS)


def set_budget(
    session: Session, *, company_id: int, from_date: date, until_date: date, amount: int, actor: Actor
) -> int:
    """This function will set the budget of a period and return its id. Raises `BadBudget`, `BudgetsOverlap`."""
    actor.require(Role.PLANNER, Role.APPROVER, Role.ADMIN)
    if until_date < from_date or type(amount) is not int or amount < 0:
        raise BadBudget(
            f"a budget of {amount!r} from {from_date} until {until_date}: the end must not lie before the start, and "
            "the amount must be a whole number of minor units, 0 or more"
        )
    other = session.scalars(
        sa.select(PurchaseBudget).where(
            PurchaseBudget.company_id == company_id,
            PurchaseBudget.from_date <= until_date,
            PurchaseBudget.until_date >= from_date,
        )
    ).first()
    if other is not None:
        raise BudgetsOverlap(
            f"{from_date} to {until_date} overlaps the one from {other.from_date} to {other.until_date}: end it before"
        )
    budget = PurchaseBudget(company_id=company_id, from_date=from_date, until_date=until_date, amount=amount)
    session.add(budget)
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb="budget.set",
        document_kind="purchase_budget",
        document_ids=[budget.id],
        amount=amount,
        from_date=from_date.isoformat(),
        until_date=until_date.isoformat(),
    )
    return budget.id


def open_budgets(session: Session, *, company_id: int, today: date) -> Sequence[Open]:
    """This function will list the budgets that have not ended by `today`, with what their orders committed."""
    rows = session.scalars(
        sa.select(PurchaseBudget)
        .where(PurchaseBudget.company_id == company_id, PurchaseBudget.until_date >= today)
        .order_by(PurchaseBudget.from_date)
    ).all()
    return [_open(session, row, today=today) for row in rows]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """The budget of one order's period, in minor units of the company's currency: what other orders committed of it,
    and this order."""

    currency: str
    from_date: date
    until_date: date
    amount: int
    committed: int
    orders: int
    this_order: int

    @property
    def left(self) -> int:
        """What is left with this order; negative when it goes beyond the budget."""
        return self.amount - self.committed - self.this_order


def beside(session: Session, order: PurchaseOrder, *, amount: int) -> Beside | None:
    """This function will read the budget of the day an order was drafted on, in two queries; none without a budget.

    Orders in other currencies count at the rates of the days they were drafted on; without one of them nothing can be
    said.
    """
    budget = session.scalars(
        sa.select(PurchaseBudget).where(
            PurchaseBudget.company_id == order.company_id,
            PurchaseBudget.from_date <= order.drafted_date,
            PurchaseBudget.until_date >= order.drafted_date,
        )
    ).first()
    if budget is None:
        return None
    others = session.execute(
        sa.select(
            PurchaseOrder.id,
            PurchaseOrder.currency,
            PurchaseOrder.drafted_date,
            purchase_orders.value_of_lines(currencies.of_company(session, order.company_id)).label("amount"),
        )
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .where(
            PurchaseOrder.company_id == order.company_id,
            PurchaseOrder.id != order.id,
            PurchaseOrder.drafted_date.between(budget.from_date, budget.until_date),
            PurchaseOrder.state != PurchaseOrderState.CANCELLED,
        )
        .group_by(PurchaseOrder.id, PurchaseOrder.currency, PurchaseOrder.drafted_date)
    ).all()
    days = {(order.currency, order.drafted_date)} | {(one.currency, one.drafted_date) for one in others}
    worth = worths.of_days(session, days, company_id=order.company_id)
    try:
        committed = sum(worth.on(int(one.amount), one.currency, one.drafted_date) for one in others)
        this_order = worth.on(amount, order.currency, order.drafted_date)
    except RateMissing:
        return None
    return Beside(
        currency=worth.own,
        from_date=budget.from_date,
        until_date=budget.until_date,
        amount=budget.amount,
        committed=committed,
        orders=len(others),
        this_order=0 if order.state is PurchaseOrderState.CANCELLED else this_order,
    )


def _open(session: Session, row: PurchaseBudget, *, today: date) -> Open:
    start = week_of(row.from_date, max(today, row.from_date))
    return Open(
        from_date=row.from_date,
        until_date=row.until_date,
        amount=row.amount,
        committed_before=_committed(session, company_id=row.company_id, since=row.from_date, before=start),
        committed_this_week=_committed(
            session, company_id=row.company_id, since=start, before=row.until_date + timedelta(days=1)
        ),
    )


def _committed(session: Session, *, company_id: int, since: date, before: date) -> int:
    """The value of what was ordered between two days, the second excluded, cancelled orders aside."""
    lines = session.execute(
        sa.select(
            PurchaseOrderLine.unit_price,
            PurchaseOrderLine.quantity,
            PurchaseOrder.currency,
            PurchaseOrder.drafted_date,
        )
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .where(
            PurchaseOrder.company_id == company_id,
            PurchaseOrder.drafted_date >= since,
            PurchaseOrder.drafted_date < before,
            PurchaseOrder.state != PurchaseOrderState.CANCELLED,
        )
    ).all()
    worth = worths.of_days(session, {(line.currency, line.drafted_date) for line in lines}, company_id=company_id)
    return sum(
        worth.on(
            money.line_amount(unit_price=line.unit_price, quantity=line.quantity, currency=line.currency),
            line.currency,
            line.drafted_date,
        )
        for line in lines
    )
