"""A proposal answered, taken back, drafted and sent at the same moment: one of two wins, and the other is told."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import sqlalchemy as sa

from procurement import orders, proposals
from procurement.proposals import Proposal, ProposalRequest, ProposalState
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.core.db import Database
from scm.core.outbox import OutboxMessage
from scm.master.agreements import SupplierAgreement
from tests.races import crew, proposing_work
from tests.races.crew import Refused
from tests.races.proposing_work import Desk
from tests.world import World


class Standing(NamedTuple):
    """Where the proposal stands, the state of the order on which its line stands, and whether the supplier is told."""

    proposal: ProposalState
    order: PurchaseOrderState | None = None
    told: bool = False


def prepare(database: Database, *, until: str) -> Desk:
    """This function will bring one proposal as far as `accepted` or to an `approved` order."""
    with database.unit_of_work(write=True) as session:
        world = World(session, today=proposing_work.TODAY)
        agreed = session.get_one(SupplierAgreement, world.agreement(world.item("bolt"), world.supplier("acme")))
        request = ProposalRequest(
            item_id=agreed.item_id,
            supplier_id=agreed.partner_id,
            agreement_id=agreed.id,
            quantity=60,
            order_date=world.today,
            due_date=world.day(7),
            unit_price=agreed.unit_price,
            account=[{"name": "demand", "quantity": 60}],
            inputs={},
        )
        planner, buyer, approver = (world.user(name) for name in ("planner", "buyer", "approver"))
        [proposal] = proposals.publish(
            session,
            [request],
            run_id=1,
            company_id=world.setup.company_id,
            site_id=world.setup.site_id,
            actor=world.user("system"),
            now=world.now,
        )
        order = None
        proposals.accept(session, [proposal], actor=planner, now=world.now)
        if until == "approved":
            [order] = orders.draft(world.begin(), [proposal], actor=buyer, now=world.now, today=world.today)
            orders.submit(world.begin(), [order], actor=buyer, now=world.now)
            orders.approve(world.begin(), [order], actor=approver, now=world.now, today=world.today)
        return Desk(proposal, order, world.setup.site_id, planner, buyer)


def standing(database: Database, desk: Desk) -> Standing:
    with database.unit_of_work(write=False) as session:
        state = session.get_one(Proposal, desk.proposal).state
        order = session.scalars(
            sa.select(PurchaseOrder.state)
            .join(PurchaseOrderLine, PurchaseOrderLine.order_id == PurchaseOrder.id)
            .where(PurchaseOrderLine.proposal_id == desk.proposal)
        ).one_or_none()
        told = session.scalar(sa.select(sa.func.count()).select_from(OutboxMessage))
        return Standing(state, order, told=bool(told))


def won(answers: list[bool | Refused]) -> list[bool]:
    return [answer is True for answer in answers]


POSSIBLE = {
    "send": {
        (True, False): Standing(ProposalState.OPEN),
        (False, True): Standing(ProposalState.ACCEPTED, PurchaseOrderState.SENT, told=True),
    },
    "draft": {
        (True, False): Standing(ProposalState.OPEN),
        # Drafting first does not stop the undoing: the line then leaves the draft again.
        (True, True): Standing(ProposalState.OPEN),
    },
}


@pytest.mark.parametrize("verb", ["send", "draft"])
def test_what_is_taken_back_while_somebody_goes_on_with_it_ends_one_way(
    database: Database, database_url: str, verb: str
) -> None:
    desk = prepare(database, until="approved" if verb == "send" else "accepted")
    answers = crew.together(database_url, proposing_work.each_its_own, count=2, args=(desk, ["undo", verb]))
    undone, other = won(answers)
    assert standing(database, desk) == POSSIBLE[verb][undone, other]


@pytest.mark.parametrize("verb", ["send", "draft"])
def test_without_the_locks_something_goes_out_that_nobody_wants(
    database: Database, database_url: str, verb: str
) -> None:
    desk = prepare(database, until="approved" if verb == "send" else "accepted")
    crew.together(database_url, proposing_work.without_locks, count=2, args=(desk, ["undo", verb]))
    assert standing(database, desk) not in POSSIBLE[verb].values()


def test_accepting_and_undoing_at_once_leave_one_answer(database: Database, database_url: str) -> None:
    desk = prepare(database, until="accepted")
    verbs = ["undo", "accept", "undo", "accept"]
    answers = won(crew.together(database_url, proposing_work.each_its_own, count=4, args=(desk, verbs)))
    undone, accepted = answers[0] + answers[2], answers[1] + answers[3]
    state = standing(database, desk).proposal
    assert undone - accepted == (1 if state is ProposalState.OPEN else 0)
