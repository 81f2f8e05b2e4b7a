"""Accepting proposals of any kind: what is bought waits to be drafted, what is moved or made is ordered at once.

It alone writes work orders for proposals; `procurement.moving` writes the transfers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import moving, proposals
from procurement.outcomes import Outcome, Refused
from procurement.proposals import KIND, Proposal, ProposalKind
from scm.core.errors import ScmError
from scm.core.users import Actor
from scm.production import orders
from scm.production.orders import WorkOrderRequest


def accept(
    session: Session,
    proposal_ids: Sequence[int],
    *,
    actor: Actor,
    now: datetime,
    today: date,
    reason: str = "",
    site_id: int | None = None,
) -> Outcome:
    """This function will accept the open ones of some proposals, and say of each other why it stays as it is.

    A proposal to make is accepted together with its work order, or not at all: only a planner may, and only as long as
    its bill is in force. Raises `NoLane`.
    """
    making = set(
        session.scalars(sa.select(Proposal.id).where(Proposal.id.in_(proposal_ids), Proposal.kind == ProposalKind.MAKE))
    )
    others = [proposal_id for proposal_id in proposal_ids if proposal_id not in making]
    found = moving.accept(session, others, actor=actor, now=now, today=today, reason=reason, site_id=site_id)
    done, refused = set(found.done), list(found.refused)
    for proposal_id in sorted(making):
        try:
            with session.begin_nested():
                one = proposals.accept(session, [proposal_id], actor=actor, now=now, reason=reason, site_id=site_id)
                if one.done:
                    _order(session, proposal_id, actor=actor, now=now, today=today)
        except ScmError as error:
            refused.append(Refused(id=proposal_id, error=error))
        else:
            done.update(one.done)
            refused += one.refused
    asked = list(dict.fromkeys(proposal_ids))
    return Outcome(
        done=tuple(proposal_id for proposal_id in asked if proposal_id in done),
        refused=tuple(sorted(refused, key=lambda one: asked.index(one.id))),
    )


def _order(session: Session, proposal_id: int, *, actor: Actor, now: datetime, today: date) -> None:
    proposal = session.get_one(Proposal, proposal_id)
    assert proposal.bom_id is not None, "the table keeps a proposal to make from being without its bill"
    request = WorkOrderRequest(
        bom_id=proposal.bom_id,
        quantity=proposal.quantity,
        due_date=max(proposal.due_date, today),
        origin_kind=KIND,
        origin_id=proposal_id,
    )
    orders.create(session, [request], actor=actor, now=now, today=today)
