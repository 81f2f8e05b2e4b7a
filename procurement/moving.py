"""Accepted proposals to move become transfers: one for each lane, whose lines name the proposals they carry out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import proposals
from procurement.outcomes import Outcome
from procurement.proposals import Proposal, ProposalKind, ProposalState
from scm.core import audit
from scm.core.errors import Conflict
from scm.core.users import Actor
from warehouse import transfer_documents, transfers
from warehouse.transfer_documents import KIND, MACHINE, Transfer, TransferLine, TransferState
from warehouse.transfers import LineRequest


class TransferReleased(Conflict):
    """Goods are promised to the transfer of a proposal, or are on their way."""


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
    """This function will accept the open ones of some proposals of any kind; those to move become transfers at once.

    Of each other it says why it stays as it is. Raises `NoLane`.
    """
    outcome = proposals.accept(session, proposal_ids, actor=actor, now=now, reason=reason, site_id=site_id)
    draft(session, outcome.done, actor=actor, today=today)
    return outcome


def draft(session: Session, proposal_ids: Sequence[int], *, actor: Actor, today: date) -> list[int]:
    """This function will write the transfers of accepted proposals to move, one for each lane and day of leaving."""
    rows = session.execute(
        sa.select(Proposal.id, Proposal.from_site_id, Proposal.site_id, Proposal.item_id, Proposal.quantity)
        .add_columns(Proposal.order_date)
        .where(
            Proposal.id.in_(list(proposal_ids)),
            Proposal.kind == ProposalKind.MOVE,
            Proposal.state == ProposalState.ACCEPTED,
            ~sa.exists().where(TransferLine.proposal_id == Proposal.id),
        )
        .order_by(Proposal.id)
    )
    together: dict[tuple[int, int, date], list[LineRequest]] = defaultdict(list)
    for row in rows:
        line = LineRequest(item_id=row.item_id, quantity=row.quantity, proposal_id=row.id)
        together[row.from_site_id, row.site_id, max(row.order_date, today)].append(line)
    return [
        transfers.draft(
            session,
            lines,
            from_site_id=from_site_id,
            to_site_id=to_site_id,
            actor=actor,
            today=today,
            ship_date=leaves,
        )
        for (from_site_id, to_site_id, leaves), lines in sorted(together.items(), key=lambda item: item[0])
    ]


def of_proposals(session: Session, proposal_ids: Sequence[int]) -> dict[int, Transfer]:
    """This function will lock the transfers on which proposals stand, in the order of their ids, by proposal."""
    rows = session.execute(
        sa.select(TransferLine.transfer_id, TransferLine.proposal_id).where(
            TransferLine.proposal_id.in_(list(proposal_ids))
        )
    ).all()
    locked = {one: transfer_documents.lock(session, one) for one in sorted({row.transfer_id for row in rows})}
    return {row.proposal_id: locked[row.transfer_id] for row in rows}


def refuse_left(proposal_id: int, transfer: Transfer) -> None:
    """This function will raise `TransferReleased` unless a proposal's transfer is still a draft."""
    if transfer.state is not TransferState.DRAFT:
        raise TransferReleased(
            f"proposal {proposal_id} stands on {transfer.number}, which is {transfer.state.value}: it cannot be taken "
            f"back; look at {transfer.number} instead"
        )


def leave(session: Session, leaving: dict[int, Transfer], *, actor: Actor) -> None:
    """This function will take lines of proposals off locked drafts; a draft without any is given up."""
    if not leaving:
        return
    session.execute(sa.delete(TransferLine).where(TransferLine.proposal_id.in_(sorted(leaving))))
    touched = {transfer.id: transfer for transfer in leaving.values()}
    left = {line.transfer_id for line in transfer_documents.lines_of(session, touched)}
    for transfer in touched.values():
        action = "edit" if transfer.id in left else "cancel"
        transfer.state = MACHINE.advance(transfer.state, action, number=transfer.number)
        if transfer.id not in left:
            transfer.reason = "every proposal on it was taken back"
    session.flush()
    audit.record(
        session,
        actor=actor,
        verb="transfer.withdraw",
        document_kind=KIND,
        document_ids=sorted(touched),
        proposal_ids=sorted(leaving),
    )
