"""Whose hand is in an order: nobody of them may approve it, by whichever way they came to it.

That is whoever drafted or changed it, asked for a line of it, changed or accepted a proposal that stands on it, or
signed the rule that accepted one. Who submitted it is kept with the request for approval.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement.edits import ProposalEdit
from procurement.proposals import Proposal
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderAuthor, PurchaseOrderLine
from procurement.rules import AcceptanceRule
from scm.core.db import dialect_insert, table_of
from scm.core.users import Actor

CHUNK = 5000


class Hand(enum.Enum):
    """What somebody did that keeps them from approving an order."""

    SIGNED_RULE = "signed_rule"
    ACCEPTED_PROPOSAL = "accepted_proposal"
    CHANGED_PROPOSAL = "changed_proposal"
    WROTE = "wrote"


Hands = dict[int, dict[int, Hand]]


def note(session: Session, order_ids: Sequence[int], *, actor: Actor) -> None:
    """This function will note that somebody wrote or changed orders, once each."""
    if order_ids:
        insert = dialect_insert(session, table_of(PurchaseOrderAuthor)).on_conflict_do_nothing()
        session.execute(insert, [{"order_id": order_id, "user_id": actor.user_id} for order_id in order_ids])


def hands_in(session: Session, order_ids: Sequence[int]) -> Hands:
    """This function will give, by order, everybody whose hand is in it, and what each did, in few queries."""
    found: Hands = defaultdict(dict)
    for start in range(0, len(order_ids), CHUNK):
        chunk = list(order_ids[start : start + CHUNK])
        decided = (
            sa.select(PurchaseOrderLine.order_id, Proposal.decided_by_id, AcceptanceRule.signed_by_id)
            .join(Proposal, Proposal.id == PurchaseOrderLine.proposal_id)
            .outerjoin(AcceptanceRule, AcceptanceRule.id == Proposal.rule_id)
            .where(PurchaseOrderLine.order_id.in_(chunk))
            .distinct()
        )
        for order_id, decided_by_id, signed_by_id in session.execute(decided):
            if signed_by_id is not None:
                found[order_id][signed_by_id] = Hand.SIGNED_RULE
            if decided_by_id is not None:
                found[order_id].setdefault(decided_by_id, Hand.ACCEPTED_PROPOSAL)
        edited = (
            sa.select(PurchaseOrderLine.order_id, ProposalEdit.edited_by_id)
            .join(ProposalEdit, ProposalEdit.proposal_id == PurchaseOrderLine.proposal_id)
            .where(PurchaseOrderLine.order_id.in_(chunk))
            .distinct()
        )
        for order_id, user_id in session.execute(edited):
            found[order_id][user_id] = Hand.CHANGED_PROPOSAL
        written = sa.union_all(
            sa.select(PurchaseOrder.id, PurchaseOrder.written_by_id).where(PurchaseOrder.id.in_(chunk)),
            sa.select(PurchaseOrderAuthor.order_id, PurchaseOrderAuthor.user_id).where(
                PurchaseOrderAuthor.order_id.in_(chunk)
            ),
        )
        for order_id, user_id in session.execute(written):
            found[order_id][user_id] = Hand.WROTE
    return found
