"""Who may decide on an order, and the decision itself: the one way to an approval, whichever verb leads to it.

`procurement.orders` holds the verbs, the locks and the states.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import authors, purchase_orders, rules, worths
from procurement.authors import Hand
from procurement.purchase_orders import KIND, PurchaseOrder, PurchaseOrderLine
from procurement.rules import Limit
from procurement.worths import Worth
from scm.core import approval, users
from scm.core.approval import Decision, SelfApproval
from scm.core.errors import InvalidInput
from scm.core.users import Actor, Role, User, UserRole


class CannotTakeOver(InvalidInput):
    """The person named may not approve the order either."""


@dataclass(frozen=True, kw_only=True)
class Judge:
    """One person before the orders they are to decide on: what they may approve, and whose hands are in them."""

    actor: Actor
    limit: Limit
    hands: authors.Hands
    worth: Worth

    def refuse(self, order: PurchaseOrder, lines: Sequence[PurchaseOrderLine]) -> None:
        """This function will raise unless the person may approve an order.

        Raises `SelfApproval`, `OverLimit`, `RateMissing`.
        """
        username, number = self.actor.username, order.number
        hand = self.hands.get(order.id, {}).get(self.actor.user_id)
        if hand is Hand.WROTE:
            raise SelfApproval(f"{username} wrote {number}: somebody else must approve it")
        if hand is Hand.CHANGED_PROPOSAL:
            raise SelfApproval(f"{username} changed a proposal of {number}: somebody else must approve it")
        if hand is Hand.ACCEPTED_PROPOSAL:
            raise SelfApproval(f"{username} accepted a proposal of {number}: somebody else must approve it")
        if hand is Hand.SIGNED_RULE:
            raise SelfApproval(
                f"{username} signed the rule that accepted a proposal of {number}: somebody else must approve it"
            )
        amount, currency = purchase_orders.amount_of(order, lines), order.currency
        if self.limit.largest and currency not in self.limit.largest:
            # A limit in the order's own currency counts first; otherwise the one in the company's does.
            amount, currency = self.worth.of(order, amount)
        rules.refuse_over_limit(self.limit, amount=amount, currency=currency, number=order.number)

    def approve(
        self, session: Session, order: PurchaseOrder, lines: Sequence[PurchaseOrderLine], *, now: datetime, comment: str
    ) -> None:
        """This function will approve a locked order as it stands.

        Nothing is written before everything is checked. Raises `SelfApproval`, `OverLimit`, `NotPending`,
        `ContentChanged`.
        """
        self.refuse(order, lines)
        self._decide(session, order, lines, Decision.APPROVED, now=now, comment=comment)

    def reject(
        self, session: Session, order: PurchaseOrder, lines: Sequence[PurchaseOrderLine], *, now: datetime, reason: str
    ) -> None:
        """This function will send a locked order back. Raises `SelfApproval`, `NotPending`, `ContentChanged`."""
        self._decide(session, order, lines, Decision.REJECTED, now=now, comment=reason)

    def _decide(
        self,
        session: Session,
        order: PurchaseOrder,
        lines: Sequence[PurchaseOrderLine],
        decision: Decision,
        *,
        now: datetime,
        comment: str,
    ) -> None:
        approval.decide(
            session,
            subject_kind=KIND,
            subject_id=order.id,
            number=order.number,
            content=purchase_orders.content_of(order, lines),
            decision=decision,
            approver=self.actor,
            now=now,
            comment=comment,
        )


def approvers(session: Session, *, besides: Actor) -> list[tuple[str, str]]:
    """This function will list the other active approvers: user name and name."""
    rows = session.execute(
        sa.select(User.username, User.display_name)
        .join(UserRole, UserRole.user_id == User.id)
        .where(UserRole.role == Role.APPROVER, User.active, User.id != besides.user_id)
        .order_by(User.display_name)
    )
    return [(row.username, row.display_name) for row in rows]


def judge(session: Session, orders: Sequence[PurchaseOrder], *, actor: Actor) -> Judge:
    """This function will read what a person may approve of locked orders, in a fixed number of queries."""
    return Judge(
        actor=actor,
        limit=rules.limit_of(session, actor=actor),
        hands=authors.hands_in(session, [order.id for order in orders]),
        worth=worths.of_orders(session, orders),
    )


def hand_over(
    session: Session,
    order: PurchaseOrder,
    lines: Sequence[PurchaseOrderLine],
    *,
    to: str,
    actor: Actor,
    now: datetime,
    comment: str,
) -> None:
    """This function will ask another person to decide on a locked order. Raises `CannotTakeOver`, `SelfApproval`."""
    other = users.actor(session, username=to)
    if Role.APPROVER not in other.roles:
        raise CannotTakeOver(f"{to} is no approver: name somebody who may approve {order.number}")
    try:
        judge(session, [order], actor=other).refuse(order, lines)
    except rules.OverLimit as refusal:
        raise CannotTakeOver(f"{order.number} cannot be handed over: {refusal}") from refusal
    approval.hand_over(
        session,
        subject_kind=KIND,
        subject_id=order.id,
        number=order.number,
        approver=actor,
        to=other,
        now=now,
        comment=comment,
    )
