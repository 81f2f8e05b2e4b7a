"""An answer can be taken back until something has left the house."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import sqlalchemy as sa

from procurement import orders, proposals, undoing
from procurement.outcomes import Outcome
from procurement.proposals import Proposal, ProposalRequest, ProposalState, ProposalUnknown
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from procurement.undoing import LeftTheHouse, Replaced
from scm.core.approval import Approval, Decision
from scm.core.audit import AuditRow
from scm.core.documents import IllegalTransition
from scm.core.users import RoleMissing
from scm.master.agreements import SupplierAgreement
from tests.world import World

State = PurchaseOrderState


class Desk(NamedTuple):
    """A world in which bolts and nuts are proposed, both from acme, and nothing is answered yet."""

    world: World
    bolts: int  # the proposals
    nuts: int
    bolt: int

    def accept(self) -> None:
        """This function will accept both."""
        proposals.accept(
            self.world.begin(), [self.bolts, self.nuts], actor=self.world.user("planner"), now=self.world.now
        )

    def draft(self, *proposal_ids: int) -> int:
        """This function will have them (or both) drafted into one order."""
        world = self.world
        chosen = proposal_ids or (self.bolts, self.nuts)
        [order] = orders.draft(world.begin(), chosen, actor=world.user("buyer"), now=world.now, today=world.today)
        return order

    def submit(self, order: int) -> None:
        """This function will ask for the order's approval."""
        orders.submit(self.world.begin(), [order], actor=self.world.user("buyer"), now=self.world.now)

    def approve(self, order: int) -> None:
        """This function will have the order approved."""
        world = self.world
        orders.approve(world.begin(), [order], actor=world.user("approver"), now=world.now, today=world.today)

    def undo(self, *proposal_ids: int, username: str = "planner", site_id: int | None = None) -> Outcome:
        """This function will take answers back."""
        world = self.world
        return undoing.undo(
            world.begin(),
            proposal_ids,
            site_id=site_id or world.setup.site_id,
            actor=world.user(username),
            now=world.now,
        )

    def state(self, proposal_id: int) -> ProposalState:
        """This function will read where a proposal stands."""
        return self.world.begin().get_one(Proposal, proposal_id).state

    def order(self, order_id: int) -> PurchaseOrder:
        """This function will read an order."""
        return self.world.begin().get_one(PurchaseOrder, order_id)

    def lines(self, order_id: int) -> list[int | None]:
        """This function will name the proposals that stand on an order."""
        lines = sa.select(PurchaseOrderLine.proposal_id).where(PurchaseOrderLine.order_id == order_id)
        return list(self.world.begin().scalars(lines.order_by(PurchaseOrderLine.id)))


def propose(world: World, *agreements: int, days: int = 0, run_id: int = 1) -> list[int]:
    session = world.begin()
    agreed = [session.get_one(SupplierAgreement, agreement) for agreement in agreements]
    requests = [
        ProposalRequest(
            item_id=one.item_id,
            supplier_id=one.partner_id,
            agreement_id=one.id,
            quantity=60,
            order_date=world.day(days),
            due_date=world.day(days + 7),
            unit_price=one.unit_price,
            account=[{"name": "demand", "quantity": 60}],
            inputs={},
        )
        for one in agreed
    ]
    return proposals.publish(
        world.begin(),
        requests,
        run_id=run_id,
        company_id=world.setup.company_id,
        site_id=world.setup.site_id,
        actor=world.user("system"),
        now=world.now,
    )


@pytest.fixture
def desk(world: World) -> Desk:
    acme, bolt = world.supplier("acme"), world.item("bolt")
    bolts, nuts = propose(world, world.agreement(bolt, acme), world.agreement(world.item("nut"), acme))
    return Desk(world, bolts, nuts, bolt)


def test_an_answer_that_nothing_followed_is_taken_back(desk: Desk) -> None:
    desk.accept()
    outcome = desk.undo(desk.bolts)
    assert (outcome.done, outcome.refused) == ((desk.bolts,), ())
    assert (desk.state(desk.bolts), desk.state(desk.nuts)) == (ProposalState.OPEN, ProposalState.ACCEPTED)
    planner = desk.world.user("planner")
    proposals.reject(desk.world.begin(), [desk.bolts], reason="no room", actor=planner, now=desk.world.now)
    desk.undo(desk.bolts)
    row = desk.world.begin().get_one(Proposal, desk.bolts)
    assert (row.state, row.decided_at, row.decided_by_id, row.reason) == (ProposalState.OPEN, None, None, "")


@pytest.mark.parametrize("reached", ["draft", "submitted", "approved"])
def test_its_line_leaves_an_order_that_was_not_sent(desk: Desk, reached: str) -> None:
    desk.accept()
    order = desk.draft()
    if reached != "draft":
        desk.submit(order)
    if reached == "approved":
        desk.approve(order)
        assert desk.world.on_order(desk.bolt) == 60
    assert desk.undo(desk.bolts).done == (desk.bolts,)
    assert desk.lines(order) == [desk.nuts]
    assert desk.order(order).state is State.DRAFT
    assert desk.world.on_order(desk.bolt) == 0
    decisions = desk.world.begin().scalars(sa.select(Approval.decision)).all()
    assert decisions == ([] if reached == "draft" else [Decision.VOID])
    desk.submit(order)
    desk.approve(order)
    assert desk.order(order).state is State.APPROVED, "what is left of it can still be ordered"


def test_whoever_takes_a_line_back_cannot_approve_the_rest(desk: Desk) -> None:
    desk.accept()
    order = desk.draft()
    desk.undo(desk.bolts, username="buyer")
    assert desk.order(order).written_by_id == desk.world.user("buyer").user_id


def test_an_order_without_lines_is_cancelled(desk: Desk) -> None:
    desk.accept()
    order = desk.draft(desk.bolts)
    desk.submit(order)
    desk.undo(desk.bolts)
    assert (desk.order(order).state, desk.lines(order)) == (State.CANCELLED, [])
    proposals.accept(desk.world.begin(), [desk.bolts], actor=desk.world.user("planner"), now=desk.world.now)
    assert desk.lines(desk.draft(desk.bolts)) == [desk.bolts], "it can be ordered again"


def test_what_was_sent_cannot_be_taken_back(desk: Desk) -> None:
    desk.accept()
    order, other = desk.draft(desk.bolts), desk.draft(desk.nuts)
    desk.submit(order)
    desk.approve(order)
    world = desk.world
    orders.send(world.begin(), [order], actor=world.user("buyer"), now=world.now, today=world.today)
    outcome = desk.undo(desk.bolts, desk.nuts)
    assert outcome.done == (desk.nuts,), "the rest is done"
    [refused] = outcome.refused
    assert isinstance(refused.error, LeftTheHouse)
    number = desk.order(order).number
    assert str(refused.error) == (
        f"proposal {desk.bolts} stands on {number}, which was sent to the supplier on {world.today}: it cannot be "
        f"taken back; cancel {number} instead"
    )
    assert (desk.lines(order), desk.lines(other)) == ([desk.bolts], [])
    assert world.on_order(desk.bolt) == 60


def test_a_cancelled_order_keeps_its_lines(desk: Desk) -> None:
    desk.accept()
    order = desk.draft()
    orders.cancel(desk.world.begin(), [order], reason="wrong", actor=desk.world.user("buyer"), now=desk.world.now)
    [refused] = desk.undo(desk.bolts).refused
    assert isinstance(refused.error, LeftTheHouse) and "was cancelled" in str(refused.error)


def test_what_was_never_answered_or_is_not_there_is_refused(desk: Desk) -> None:
    proposals.accept(desk.world.begin(), [desk.nuts], actor=desk.world.user("planner"), now=desk.world.now)
    outcome = desk.undo(desk.bolts, 999_999, desk.nuts)
    assert [(row.id, type(row.error)) for row in outcome.refused] == [
        (desk.bolts, IllegalTransition),
        (999_999, ProposalUnknown),
    ]
    assert outcome.done == (desk.nuts,)
    [refused] = desk.undo(desk.nuts, site_id=desk.world.setup.site_id + 1).refused
    assert isinstance(refused.error, ProposalUnknown)
    with desk.world.refuses(RoleMissing):
        desk.undo(desk.nuts, username="warehouse")


def test_a_no_is_final_once_a_later_day_is_planned(desk: Desk, world: World) -> None:
    planner = world.user("planner")
    proposals.reject(world.begin(), [desk.bolts], reason="no room", actor=planner, now=world.now)
    proposals.accept(world.begin(), [desk.nuts], actor=planner, now=world.now)
    agreement = world.begin().get_one(Proposal, desk.bolts).agreement_id
    assert agreement is not None
    propose(world, agreement, days=1, run_id=2)
    outcome = desk.undo(desk.bolts, desk.nuts)
    assert outcome.done == (desk.nuts,), "a yes was counted on by the later plan; it can be taken back"
    assert isinstance(outcome.refused[0].error, Replaced)


def test_the_trail_tells_what_was_taken_back_from_which_order(desk: Desk) -> None:
    desk.accept()
    order = desk.draft()
    desk.undo(desk.bolts)
    number = desk.order(order).number
    rows = desk.world.begin().scalars(sa.select(AuditRow).order_by(AuditRow.id.desc()).limit(2)).all()
    assert [(row.verb, row.document_id) for row in rows] == [
        ("proposal.undo", desk.bolts),
        ("purchase_order.withdraw", order),
    ]
    assert rows[0].detail == {"answer": "accepted", "order": number}
