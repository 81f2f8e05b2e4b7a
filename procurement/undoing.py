"""Taking answers back: an accepted or rejected proposal is open again, as long as nothing has left the house.

The line of an accepted one leaves its order or transfer; a request for approval, or an approval, of that order becomes
void. What a supplier has been told, or a site has promised, cannot be taken back here. Locks: proposals, then
transfers, then orders, then stock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import authors, edits, moving, proposals, purchase_orders, supply
from procurement.outcomes import Outcome, Refused
from procurement.proposals import KIND, MACHINE, Proposal, ProposalKind, ProposalState
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from procurement.supply import Progress
from scm.core import approval, audit
from scm.core.errors import Conflict, ScmError
from scm.core.users import Actor, Role
from scm.production import origins

Ordered = dict[int, tuple[PurchaseOrder, PurchaseOrderLine]]  # by proposal


class LeftTheHouse(Conflict):
    """The supplier was told, or goods have come: an answer can no longer be taken back."""


class Replaced(Conflict):
    """A later day's plan has taken the place of a rejected proposal."""


def undo(session: Session, proposal_ids: Sequence[int], *, site_id: int, actor: Actor, now: datetime) -> Outcome:
    """This function will open answered proposals again, and say of each other why it stays as it is.

    A work order that is only planned goes with its proposal; one that went to the floor keeps it.
    """
    actor.require(Role.PLANNER, Role.BUYER)
    states = proposals.lock_known(session, proposal_ids, site_id=site_id)
    moved = moving.of_proposals(session, sorted(states))
    ordered, arrived = _orders(session, sorted(states))
    newest = _newest_day(session, site_id=site_id)
    rows = session.execute(
        sa.select(Proposal.id, Proposal.order_date, Proposal.kind).where(Proposal.id.in_(states))
    ).all()
    dates = {row.id: row.order_date for row in rows}
    made = {row.id for row in rows if row.kind is ProposalKind.MAKE}
    done, refused = [], []
    for proposal_id in dict.fromkeys(proposal_ids):
        try:
            _refuse(
                proposal_id, states, ordered.get(proposal_id), arrived, planned=dates.get(proposal_id), newest=newest
            )
            if proposal_id in moved:
                moving.refuse_left(proposal_id, moved[proposal_id])
            if proposal_id in made:
                _withdraw(session, proposal_id, actor=actor, now=now)
        except ScmError as error:
            refused.append(Refused(id=proposal_id, error=error))
        else:
            done.append(proposal_id)
    _leave_orders(session, {i: ordered[i] for i in done if i in ordered}, actor=actor, now=now)
    moving.leave(session, {i: moved[i] for i in done if i in moved}, actor=actor)
    _open(session, done, states, ordered, actor=actor)
    return Outcome(done=tuple(done), refused=tuple(refused))


def _withdraw(session: Session, proposal_id: int, *, actor: Actor, now: datetime) -> None:
    reason = "its proposal was taken back"
    with session.begin_nested():
        origins.withdraw(session, origin_kind=KIND, origin_id=proposal_id, reason=reason, actor=actor, now=now)


def _newest_day(session: Session, *, site_id: int) -> date | None:
    """The last day that was planned for; a date to which somebody moved a proposal is no plan."""
    planned = sa.select(sa.func.max(Proposal.order_date)).where(Proposal.site_id == site_id, ~edits.is_edited())
    return session.scalar(planned)


def _orders(session: Session, proposal_ids: Sequence[int]) -> tuple[Ordered, Mapping[int, Progress]]:
    """The orders on which proposals stand, locked, and what has come of them."""
    standing = sa.select(PurchaseOrderLine.order_id).where(PurchaseOrderLine.proposal_id.in_(proposal_ids)).distinct()
    orders = purchase_orders.lock(session, session.scalars(standing).all())
    if not orders:
        return {}, {}
    wanted = set(proposal_ids)
    found: Ordered = {}
    for order, lines in zip(orders, _lines(session, orders), strict=True):
        for line in lines:
            if line.proposal_id in wanted:
                found[line.proposal_id] = (order, line)
    return found, supply.progress(session, [order.id for order in orders])


def _lines(session: Session, orders: Sequence[PurchaseOrder]) -> list[list[PurchaseOrderLine]]:
    by_order = purchase_orders.lines_of(session, orders)
    return [by_order.get(order.id, []) for order in orders]


def _refuse(
    proposal_id: int,
    states: Mapping[int, ProposalState],
    ordered: tuple[PurchaseOrder, PurchaseOrderLine] | None,
    arrived: Mapping[int, Progress],
    *,
    planned: date | None,
    newest: date | None,
) -> None:
    if proposal_id not in states:
        raise proposals.unknown(proposal_id)
    MACHINE.advance(states[proposal_id], "undo", number=f"proposal {proposal_id}")
    if (
        states[proposal_id] is ProposalState.REJECTED
        and planned is not None
        and newest is not None
        and newest > planned
    ):
        raise Replaced(
            f"proposal {proposal_id} was made to be ordered on {planned}; the plan for {newest} has taken its place: "
            "decide on what that one proposes"
        )
    if ordered is None:
        return
    order = ordered[0]
    if order.sent_at is not None:
        raise LeftTheHouse(
            f"proposal {proposal_id} stands on {order.number}, which was sent to the supplier on {order.sent_date}: it "
            f"cannot be taken back; cancel {order.number} instead"
        )
    if order.state is PurchaseOrderState.CANCELLED:
        raise LeftTheHouse(
            f"proposal {proposal_id} stands on {order.number}, which was cancelled: there is nothing to take back; the "
            "next run proposes again what is still needed"
        )
    if arrived[order.id].received:
        raise LeftTheHouse(
            f"proposal {proposal_id} stands on {order.number}, of which {arrived[order.id].received} have arrived: it "
            f"cannot be taken back; cancel what is outstanding of {order.number} instead"
        )


def _leave_orders(session: Session, leaving: Ordered, *, actor: Actor, now: datetime) -> None:
    orders = {order.id: order for order, _ in leaving.values()}
    approved = [order for order in orders.values() if order.state is PurchaseOrderState.APPROVED]
    if approved:
        supply.give_up(session, approved, reason="a proposal was taken back", actor=actor)
    for order in orders.values():
        approval.void(session, subject_kind=purchase_orders.KIND, subject_id=order.id, now=now)
        order.state = purchase_orders.MACHINE.advance(order.state, "edit", number=order.number)
        order.written_by_id = actor.user_id
    authors.note(session, sorted(orders), actor=actor)
    for proposal_id, (order, line) in leaving.items():
        audit.record(
            session,
            actor=actor,
            verb="purchase_order.withdraw",
            document_kind=purchase_orders.KIND,
            document_ids=[order.id],
            proposal_id=proposal_id,
            line_id=line.id,
            quantity=line.quantity,
        )
        session.delete(line)
    session.flush()
    for order, lines in zip(orders.values(), _lines(session, list(orders.values())), strict=True):
        if not lines:
            order.state = purchase_orders.MACHINE.advance(order.state, "cancel", number=order.number)
            order.reason = "every proposal on it was taken back"
    session.flush()


def _open(
    session: Session,
    proposal_ids: Sequence[int],
    states: Mapping[int, ProposalState],
    ordered: Ordered,
    *,
    actor: Actor,
) -> None:
    unanswered: dict[str, Any] = {"decided_at": None, "decided_by_id": None, "reason": "", "rule_id": None}
    if proposal_ids:
        session.execute(
            sa.update(Proposal)
            .where(Proposal.id.in_(proposal_ids))
            .values(state=ProposalState.OPEN, **unanswered)
            .execution_options(synchronize_session=False)
        )
    for proposal_id in proposal_ids:
        order = ordered[proposal_id][0].number if proposal_id in ordered else None
        audit.record(
            session,
            actor=actor,
            verb="proposal.undo",
            document_kind=KIND,
            document_ids=[proposal_id],
            answer=states[proposal_id].value,
            order=order,
        )
