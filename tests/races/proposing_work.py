"""What the processes of a crew do to one proposal at the same moment: accept, undo, draft, send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from unittest import mock

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement import orders, proposals, purchase_orders, undoing
from procurement.proposals import Proposal, ProposalState
from procurement.purchase_orders import PurchaseOrder
from scm.core import db
from scm.core.users import Actor
from tests.races.crew import Mate
from tests.races.work import no_begin

TODAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Desk:
    """One proposal, the order it may stand on, and who works on them."""

    proposal: int
    order: int | None
    site_id: int
    planner: Actor
    buyer: Actor


def take_back(session: Session, desk: Desk) -> bool:
    """This function will undo the answer, and tell whether it was undone."""
    outcome = undoing.undo(session, [desk.proposal], site_id=desk.site_id, actor=desk.planner, now=NOW)
    return bool(outcome.done)


def send(session: Session, desk: Desk) -> bool:
    """This function will send the order the proposal stands on."""
    assert desk.order is not None
    orders.send(session, [desk.order], actor=desk.buyer, now=NOW, today=TODAY)
    return True


def draft(session: Session, desk: Desk) -> bool:
    """This function will draft the proposal into an order."""
    orders.draft(session, [desk.proposal], actor=desk.buyer, now=NOW, today=TODAY)
    return True


def accept(session: Session, desk: Desk) -> bool:
    """This function will accept the proposal, and tell whether it was accepted."""
    return bool(proposals.accept(session, [desk.proposal], actor=desk.planner, now=NOW, site_id=desk.site_id).done)


WORK: dict[str, Callable[[Session, Desk], bool]] = {"undo": take_back, "send": send, "draft": draft, "accept": accept}


def each_its_own(mate: Mate, desk: Desk, verbs: Sequence[str]) -> bool:
    """This function will do the mate's verb when all have come."""
    mate.meet()
    return mate.database.run(lambda session: WORK[verbs[mate.number]](session, desk))


def without_locks(mate: Mate, desk: Desk, verbs: Sequence[str]) -> bool:
    """This function will do the mate's verb with locks taken out: all have read before anybody writes."""

    def read_proposals(session: Session, ids: Sequence[int], *, site_id: int | None = None) -> dict[int, ProposalState]:
        rows = session.execute(sa.select(Proposal.id, Proposal.state).where(Proposal.id.in_(ids)))
        found = {row.id: row.state for row in rows}
        if desk.order is None:
            mate.meet()
        return found

    def read_orders(session: Session, ids: Sequence[int]) -> list[PurchaseOrder]:
        found = list(session.scalars(sa.select(PurchaseOrder).where(PurchaseOrder.id.in_(list(ids)))))
        if found:
            mate.meet()
        return found

    with (
        mock.patch.object(proposals, "lock_known", read_proposals),
        mock.patch.object(purchase_orders, "lock", read_orders),
        mock.patch.object(db, "_begin_sqlite", no_begin),
    ):
        database = db.Database(mate.database.url.render_as_string(hide_password=False))
        with database.unit_of_work(write=True) as session:
            done = WORK[verbs[mate.number]](session, desk)
        database.dispose()
    return done
