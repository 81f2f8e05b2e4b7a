"""A new run does not overwrite what people decided, and says what it would have done."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from procurement import edits, proposals, renewing, rules
from procurement.edits import Change
from procurement.proposals import Proposal, ProposalRequest, ProposalState
from scm.master.agreements import SupplierAgreement
from tests.world import World


class Desk(NamedTuple):
    """A world whose runs propose bolts."""

    world: World
    bolts: int  # the agreement

    def run(self, quantity: int, *, run_id: int) -> Proposal | None:
        """This function will publish a run of this day that proposes so many bolts, and give the new proposal."""
        world = self.world
        agreed = world.begin().get_one(SupplierAgreement, self.bolts)
        request = ProposalRequest(
            item_id=agreed.item_id,
            supplier_id=agreed.partner_id,
            agreement_id=agreed.id,
            quantity=quantity,
            order_date=world.today,
            due_date=world.day(7),
            unit_price=agreed.unit_price,
            account=[{"name": "demand", "quantity": quantity}],
            inputs={},
        )
        ids = renewing.publish(
            world.begin(),
            [request] if quantity else [],
            order_date=world.today,
            run_id=run_id,
            company_id=world.setup.company_id,
            site_id=world.setup.site_id,
            actor=world.user("system"),
            now=world.now,
        )
        return self.read(ids[0]) if ids else None

    def read(self, proposal_id: int) -> Proposal:
        """This function will read a proposal."""
        return self.world.begin().get_one(Proposal, proposal_id)

    def edit(self, proposal_id: int, change: Change) -> None:
        """This function will change a proposal as the planner."""
        edits.edit(
            self.world.begin(),
            proposal_id=proposal_id,
            site_id=self.world.setup.site_id,
            change=change,
            reason="a fair in March",
            actor=self.world.user("planner"),
            now=self.world.now,
            today=self.world.today,
        )

    def reject(self, proposal_id: int) -> None:
        """This function will refuse a proposal as the planner."""
        planner = self.world.user("planner")
        proposals.reject(self.world.begin(), [proposal_id], reason="no room", actor=planner, now=self.world.now)

    def open(self) -> list[int]:
        """This function will list the open proposals."""
        return proposals.open_ids(self.world.begin(), site_id=self.world.setup.site_id)


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world, world.agreement(world.item("bolt"), world.supplier("acme")))


def first(desk: Desk, quantity: int = 60) -> int:
    found = desk.run(quantity, run_id=1)
    assert found is not None and found.note is None
    return found.id


@pytest.mark.parametrize("again", [75, 0])
def test_a_change_stands_when_the_day_is_planned_again(desk: Desk, again: int) -> None:
    proposal = first(desk)
    desk.edit(proposal, Change(quantity=100))
    assert desk.run(again, run_id=2) is None
    assert desk.open() == [proposal]
    kept = desk.read(proposal)
    assert (kept.quantity, kept.note) == (100, {"kind": "planned_again", "run_id": 2, "quantity": again})


def test_a_change_of_the_order_date_stands_until_that_day_has_passed(desk: Desk) -> None:
    proposal = first(desk)
    desk.edit(proposal, Change(order_date=desk.world.day(2)))
    for _ in range(2):
        desk.world.pass_days(1)
        assert desk.run(70, run_id=2) is None
    desk.world.pass_days(1)
    newer = desk.run(80, run_id=3)
    assert newer is not None and desk.read(proposal).state is ProposalState.SUPERSEDED


def test_the_next_days_proposal_carries_the_reason_of_the_change(desk: Desk) -> None:
    proposal = first(desk)
    desk.edit(proposal, Change(quantity=100))
    changed_at = desk.world.now
    desk.world.pass_days(1)
    newer = desk.run(65, run_id=2)
    assert newer is not None
    assert (newer.quantity, desk.open()) == (65, [newer.id])
    assert newer.note == {
        "kind": "edited_before",
        "proposal_id": proposal,
        "by": "Planner",
        "at": changed_at.isoformat(),
        "reason": "a fair in March",
        "planned": 60,
        "quantity": 100,
    }


def test_a_no_stands_for_the_day_unless_more_is_wanted(desk: Desk) -> None:
    proposal = first(desk)
    desk.reject(proposal)
    assert desk.run(60, run_id=2) is None
    assert (desk.open(), desk.read(proposal).note["quantity"]) == ([], 60)
    more = desk.run(61, run_id=3)
    assert more is not None
    assert (more.note["kind"], more.note["by"], more.note["reason"]) == ("rejected_before", "Planner", "no room")


def test_after_a_month_a_decision_is_no_news(desk: Desk) -> None:
    desk.reject(first(desk))
    desk.world.pass_days(renewing.REMEMBERED_DAYS + 1)
    newer = desk.run(60, run_id=2)
    assert newer is not None and newer.note is None


def test_the_later_of_two_decisions_is_told(desk: Desk) -> None:
    desk.reject(first(desk))
    desk.world.pass_days(1)
    second = desk.run(60, run_id=2)
    assert second is not None
    desk.edit(second.id, Change(quantity=70))
    desk.world.pass_days(1)
    third = desk.run(60, run_id=3)
    assert third is not None and third.note["kind"] == "edited_before"


def test_a_change_that_was_undone_is_no_decision(desk: Desk) -> None:
    proposal, world = first(desk), desk.world
    desk.edit(proposal, Change(quantity=100))
    edits.undo_edit(
        world.begin(),
        proposal_id=proposal,
        site_id=world.setup.site_id,
        actor=world.user("planner"),
        now=world.now,
    )
    newer = desk.run(60, run_id=2)
    assert newer is not None and newer.note is None
    assert desk.read(proposal).state is ProposalState.SUPERSEDED


def test_a_rule_leaves_to_people_what_they_changed_or_refused(desk: Desk) -> None:
    world = desk.world
    rules.sign(
        world.begin(), name="all", currency="GBP", largest_amount=10**9, actor=world.user("buyer"), now=world.now
    )

    def accepted() -> list[int]:
        return rules.accept_by_rule(
            world.begin(), site_id=world.setup.site_id, actor=world.user("system"), now=world.now
        )

    proposal = first(desk)
    desk.edit(proposal, Change(quantity=70))
    assert accepted() == []
    desk.reject(proposal)
    world.pass_days(1)
    again = desk.run(60, run_id=2)
    assert again is not None and accepted() == []
    world.pass_days(renewing.REMEMBERED_DAYS)
    later = desk.run(60, run_id=3)
    assert later is not None and accepted() == [later.id]
