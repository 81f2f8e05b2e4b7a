"""Who may approve how much, and which proposals to buy a signed rule may accept without asking.

A rule accepts proposals and may draft and submit orders through the system user; no rule approves an order. So the
requester of an order and its approver are never the same, whoever or whatever wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from procurement import edits, proposals
from procurement.proposals import Proposal, ProposalKind, ProposalState
from scm.core import audit
from scm.core.db import Base, dialect_insert
from scm.core.errors import InvalidInput, NotAllowed, NotFound
from scm.core.types import UtcDateTime
from scm.core.users import Actor, Role, User
from scm.finance import money
from scm.master.agreements import SupplierTerms


class ApprovalLimit(Base):
    """The largest order a person may approve, in minor units. Without a row there is no limit but the role."""

    __tablename__ = "approval_limit"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(sa.String(3), primary_key=True)
    largest_amount: Mapped[int] = mapped_column(sa.BigInteger)

    __table_args__ = (sa.CheckConstraint("largest_amount >= 0", name="amount_not_negative"),)


class AcceptanceRule(Base):
    """A rule that accepts small proposals by itself, and the person whose signature stands under it."""

    __tablename__ = "acceptance_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    supplier_id: Mapped[int | None] = mapped_column(sa.ForeignKey("partner.id"))  # none: every supplier
    currency: Mapped[str] = mapped_column(sa.String(3))
    largest_amount: Mapped[int] = mapped_column(sa.BigInteger)  # of one proposal, in minor units
    signed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("app_user.id"))
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (sa.CheckConstraint("largest_amount >= 0", name="amount_not_negative"),)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The largest amounts somebody may approve, by currency. `None` for a currency without a limit."""

    username: str
    largest: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What a rule looks at in a proposal."""

    proposal_id: int
    supplier_id: int
    currency: str
    amount: int


class OverLimit(NotAllowed):
    """The order is larger than this person may approve."""


class BadRule(InvalidInput):
    """A rule or a limit cannot be set like this."""


class RuleUnknown(NotFound):
    """There is no live rule of that id."""


def refuse_over_limit(limit: Limit, *, amount: int, currency: str, number: str) -> None:
    """This function will raise `OverLimit` when somebody may not approve an amount of minor units."""
    largest = limit.largest.get(currency)
    if largest is not None and amount > largest:
        raise OverLimit(
            f"{limit.username} may approve up to {money.show(largest, currency)}, {number} comes to "
            f"{money.show(amount, currency)}: ask somebody with a higher limit"
        )


def covers(rule: AcceptanceRule, candidate: Candidate) -> bool:
    """This function will tell whether a rule may accept a proposal."""
    return (
        rule.revoked_at is None
        and rule.currency == candidate.currency
        and rule.supplier_id in (None, candidate.supplier_id)
        and candidate.amount <= rule.largest_amount
    )


def limit_of(session: Session, *, actor: Actor) -> Limit:
    """This function will read what somebody may approve."""
    rows = session.execute(
        sa.select(ApprovalLimit.currency, ApprovalLimit.largest_amount).where(ApprovalLimit.user_id == actor.user_id)
    )
    return Limit(username=actor.username, largest={row.currency: row.largest_amount for row in rows})


def set_limit(session: Session, *, username: str, currency: str, largest_amount: int, actor: Actor) -> None:
    """This function will limit what somebody may approve. Nobody sets their own limit. Raises `BadRule`."""
    actor.require(Role.ADMIN, Role.APPROVER)
    if largest_amount < 0:
        raise BadRule(f"largest_amount is {largest_amount}: it cannot be below 0")
    user_id = session.scalar(sa.select(User.id).where(User.username == username, User.active))
    if user_id is None or user_id == actor.user_id:
        raise BadRule(f"{actor.username} cannot set a limit for {username}: name an active user other than yourself")
    insert = dialect_insert(session, ApprovalLimit).values(
        user_id=user_id, currency=currency, largest_amount=largest_amount
    )
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["user_id", "currency"], set_={"largest_amount": insert.excluded.largest_amount}
        )
    )
    audit.record(
        session,
        actor=actor,
        verb="approval_limit.set",
        document_kind="user",
        document_ids=[user_id],
        currency=currency,
        largest_amount=largest_amount,
    )


def sign(
    session: Session,
    *,
    name: str,
    currency: str,
    largest_amount: int,
    actor: Actor,
    now: datetime,
    supplier_id: int | None = None,
) -> int:
    """This function will put a rule in force under the actor's signature and return its id. Raises `BadRule`."""
    actor.require(Role.PLANNER, Role.BUYER)
    if largest_amount < 0 or not name.strip():
        raise BadRule(f"rule {name!r} up to {largest_amount}: give it a name and an amount of 0 or more")
    rule = AcceptanceRule(
        name=name,
        supplier_id=supplier_id,
        currency=currency,
        largest_amount=largest_amount,
        signed_by_id=actor.user_id,
        signed_at=now,
    )
    session.add(rule)
    session.flush()
    audit.record(session, actor=actor, verb="rule.sign", document_kind="acceptance_rule", document_ids=[rule.id])
    return rule.id


def revoke(session: Session, *, rule_id: int, actor: Actor, now: datetime) -> None:
    """This function will take a rule out of force. Raises `RuleUnknown`."""
    actor.require(Role.PLANNER, Role.BUYER, Role.APPROVER)
    rule = session.get(AcceptanceRule, rule_id, with_for_update=True, populate_existing=True)
    if rule is None or rule.revoked_at is not None:
        raise RuleUnknown(f"there is no rule {rule_id} in force")
    rule.revoked_at = now
    session.flush()
    audit.record(session, actor=actor, verb="rule.revoke", document_kind="acceptance_rule", document_ids=[rule_id])


def accept_by_rule(session: Session, *, site_id: int, actor: Actor, now: datetime) -> list[int]:
    """This function will accept the open proposals to buy that a rule in force covers, and list them.

    What a person has changed, or lately refused, is left to people. The first rule that covers a proposal accepts it;
    the proposal names the rule, and the rule who signed it.
    """
    actor.require(Role.SYSTEM)
    rules = session.scalars(
        sa.select(AcceptanceRule).where(AcceptanceRule.revoked_at.is_(None)).order_by(AcceptanceRule.id)
    ).all()
    candidates = _candidates(session, site_id=site_id) if rules else []
    accepted: list[int] = []
    for rule in rules:
        covered = [c.proposal_id for c in candidates if covers(rule, c)]
        candidates = [c for c in candidates if not covers(rule, c)]
        if covered:
            reason = f"accepted by the rule {rule.name}"
            proposals.decide(session, covered, action="accept", actor=actor, now=now, reason=reason, rule_id=rule.id)
            accepted += covered
    return accepted


def _candidates(session: Session, *, site_id: int) -> list[Candidate]:
    rows = session.execute(
        sa.select(
            Proposal.id,
            Proposal.supplier_id,
            Proposal.unit_price,
            Proposal.quantity,
            Proposal.note,
            SupplierTerms.currency,
        )
        .join(SupplierTerms, SupplierTerms.partner_id == Proposal.supplier_id)
        .where(
            Proposal.site_id == site_id,
            Proposal.kind == ProposalKind.BUY,
            Proposal.state == ProposalState.OPEN,
            ~edits.is_edited(),
        )
        .order_by(Proposal.id)
    )
    return [
        Candidate(
            proposal_id=row.id,
            supplier_id=row.supplier_id,
            currency=row.currency,
            amount=money.line_amount(unit_price=row.unit_price, quantity=row.quantity, currency=row.currency),
        )
        for row in rows
        if (row.note or {}).get("kind") != "rejected_before"
    ]
