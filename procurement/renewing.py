"""What a new run does to the decisions of people: it never overwrites one silently.

A proposal somebody changed stays as they made it until its order date has passed; a no stands for the day, unless the
run now wants more than was refused. What a run would have said stands as a note on what was kept, and whatever it
proposes anew carries the note of the last decision on the item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import edits, proposals
from procurement.edits import ProposalEdit
from procurement.proposals import Proposal, ProposalKind, ProposalRequest, ProposalState
from scm.core.users import Actor, User

REMEMBERED_DAYS = 30  # a decision older than this says little about a new proposal


def publish(
    session: Session,
    requests: Sequence[ProposalRequest],
    *,
    order_date: date,
    run_id: int,
    company_id: int,
    site_id: int,
    actor: Actor,
    now: datetime,
) -> list[int]:
    """This function will publish a run's proposals around what people decided, and return the ids of the new ones.

    `order_date` is the day the run plans for. Raises `BadProposal`.
    """
    wanted = {_about(request): request.quantity for request in requests}
    standing = _standing(session, site_id=site_id, order_date=order_date)
    kept = {_about(row) for row in standing if row.state is ProposalState.OPEN}
    refused = {
        _about(row)
        for row in standing
        if row.state is ProposalState.REJECTED and wanted.get(_about(row), 0) <= row.quantity
    }
    for row in standing:
        if _about(row) in kept | refused:
            again = wanted.get(_about(row), 0)
            _note(session, row.id, {"kind": "planned_again", "run_id": run_id, "quantity": again})
    fresh = [request for request in requests if _about(request) not in kept | refused]
    earlier = _decisions(session, [request.item_id for request in fresh], site_id=site_id, now=now)
    return proposals.publish(
        session,
        [replace(request, note=earlier.get(request.item_id)) for request in fresh],
        run_id=run_id,
        company_id=company_id,
        site_id=site_id,
        actor=actor,
        now=now,
        kept=[row.id for row in standing if row.state is ProposalState.OPEN],
    )


def _about(line: ProposalRequest | sa.Row[Any]) -> tuple[int, ProposalKind, int | None]:
    """What a decision is about: to buy an item, to make it, or to move it from one site."""
    return line.item_id, line.kind, line.from_site_id


def _standing(session: Session, *, site_id: int, order_date: date) -> list[sa.Row[Any]]:
    """What people changed or refused and whose day has not passed. Locked: a person may answer at this moment."""
    decided = sa.or_(
        sa.and_(Proposal.state == ProposalState.OPEN, edits.is_edited()), Proposal.state == ProposalState.REJECTED
    )
    statement = (
        sa.select(
            Proposal.id, Proposal.item_id, Proposal.kind, Proposal.from_site_id, Proposal.state, Proposal.quantity
        )
        .where(Proposal.site_id == site_id, Proposal.order_date >= order_date, decided)
        .order_by(Proposal.id)
        .with_for_update(of=Proposal)
    )
    return list(session.execute(statement))


def _note(session: Session, proposal_id: int, note: dict[str, Any]) -> None:
    session.execute(
        sa.update(Proposal)
        .where(Proposal.id == proposal_id)
        .values(note=note)
        .execution_options(synchronize_session=False)
    )


def _decisions(session: Session, item_ids: Sequence[int], *, site_id: int, now: datetime) -> dict[int, dict[str, Any]]:
    """The last change or refusal of each item's proposals, in two queries."""
    since = now - timedelta(days=REMEMBERED_DAYS)
    found: dict[int, tuple[datetime, dict[str, Any]]] = {}
    wanted = set(item_ids)
    for row in session.execute(_refusals(site_id, since)):
        if row.item_id in wanted:
            found[row.item_id] = (row.at, _decision("rejected_before", row))
    for row in session.execute(_changes(site_id, since)):
        if row.item_id in wanted and (row.item_id not in found or found[row.item_id][0] < row.at):
            found[row.item_id] = (row.at, _decision("edited_before", row))
    return {item_id: decision for item_id, (_, decision) in found.items()}


def _refusals(site_id: int, since: datetime) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Proposal.id,
            Proposal.item_id,
            Proposal.reason,
            Proposal.decided_at.label("at"),
            Proposal.quantity.label("planned"),
            sa.literal(0).label("quantity"),
            User.display_name,
        )
        .join(User, User.id == Proposal.decided_by_id)
        .where(Proposal.site_id == site_id, Proposal.state == ProposalState.REJECTED, Proposal.decided_at >= since)
        .order_by(Proposal.decided_at, Proposal.id)
    )


def _changes(site_id: int, since: datetime) -> sa.Select[*tuple[Any, ...]]:
    return (
        edits.standing_edits()
        .with_only_columns(
            Proposal.id,
            Proposal.item_id,
            ProposalEdit.reason,
            ProposalEdit.edited_at.label("at"),
            ProposalEdit.quantity_before.label("planned"),
            ProposalEdit.quantity_after.label("quantity"),
            User.display_name,
        )
        .join(Proposal, Proposal.id == ProposalEdit.proposal_id)
        .join(User, User.id == ProposalEdit.edited_by_id)
        .where(Proposal.site_id == site_id, ProposalEdit.edited_at >= since)
        .order_by(None)
        .order_by(ProposalEdit.id)
    )


def _decision(kind: str, row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "kind": kind,
        "proposal_id": row.id,
        "by": row.display_name,
        "at": row.at.isoformat(),
        "reason": row.reason,
        "planned": row.planned,
        "quantity": row.quantity,
    }
