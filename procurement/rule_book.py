"""The rules in force as people read them: approval limits, acceptance rules, purchase budgets. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import purchase_orders
from procurement.budgets import PurchaseBudget
from procurement.proposals import Proposal
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from procurement.rules import AcceptanceRule, ApprovalLimit
from scm.core.users import Role, User, UserRole
from scm.master.partners import Partner

MOST = 200


@dataclass(frozen=True, kw_only=True)
class Approver:
    """One active approver and the largest order they may approve; None without a limit."""

    username: str
    name: str
    largest: int | None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One acceptance rule, in force or revoked, and how many proposals it accepted."""

    id: int
    name: str
    supplier: str
    currency: str
    largest_amount: int
    signed_by: str
    signed_at: datetime
    revoked_at: datetime | None
    accepted: int


@dataclass(frozen=True, kw_only=True)
class Budget:
    """One budget and what the orders of its period committed, cancelled ones aside, in minor units."""

    from_date: date
    until_date: date
    amount: int
    committed: int


@dataclass(frozen=True, kw_only=True)
class RuleBook:
    """All of them."""

    approvers: Sequence[Approver]
    rules: Sequence[Rule]
    budgets: Sequence[Budget]


def read(session: Session, *, company_id: int, currency: str) -> RuleBook:
    """This function will read the rules in three queries. The newest budgets and rules come first."""
    return RuleBook(
        approvers=_approvers(session, currency),
        rules=_rules(session, company_id),
        budgets=_budgets(session, company_id, currency),
    )


def _approvers(session: Session, currency: str) -> list[Approver]:
    rows = session.execute(
        sa.select(User.username, User.display_name, ApprovalLimit.largest_amount)
        .join(UserRole, UserRole.user_id == User.id)
        .outerjoin(ApprovalLimit, sa.and_(ApprovalLimit.user_id == User.id, ApprovalLimit.currency == currency))
        .where(UserRole.role == Role.APPROVER, User.active)
        .order_by(User.display_name, User.id)
        .limit(MOST)
    )
    return [Approver(username=row.username, name=row.display_name, largest=row.largest_amount) for row in rows]


def _rules(session: Session, company_id: int) -> list[Rule]:
    accepted = sa.select(sa.func.count(Proposal.id)).where(Proposal.rule_id == AcceptanceRule.id).scalar_subquery()
    rows = session.execute(
        sa.select(AcceptanceRule, Partner.name, User.display_name, accepted)
        .outerjoin(Partner, Partner.id == AcceptanceRule.supplier_id)
        .join(User, User.id == AcceptanceRule.signed_by_id)
        .where(sa.or_(Partner.id.is_(None), Partner.company_id == company_id))
        .order_by(AcceptanceRule.revoked_at.is_not(None), AcceptanceRule.id.desc())
        .limit(MOST)
    )
    return [
        Rule(
            id=rule.id,
            name=rule.name,
            supplier=supplier or "",
            currency=rule.currency,
            largest_amount=rule.largest_amount,
            signed_by=signer,
            signed_at=rule.signed_at,
            revoked_at=rule.revoked_at,
            accepted=count,
        )
        for rule, supplier, signer, count in rows
    ]


def _budgets(session: Session, company_id: int, currency: str) -> list[Budget]:
    committed = (
        sa.select(purchase_orders.value_of_lines(currency))
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
        .where(
            PurchaseOrder.company_id == PurchaseBudget.company_id,
            PurchaseOrder.currency == currency,
            PurchaseOrder.drafted_date.between(PurchaseBudget.from_date, PurchaseBudget.until_date),
            PurchaseOrder.state != PurchaseOrderState.CANCELLED,
        )
        .correlate(PurchaseBudget)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(PurchaseBudget, committed)
        .where(PurchaseBudget.company_id == company_id)
        .order_by(PurchaseBudget.from_date.desc())
        .limit(MOST)
    )
    return [
        Budget(
            from_date=budget.from_date, until_date=budget.until_date, amount=budget.amount, committed=int(spent or 0)
        )
        for budget, spent in rows
    ]
