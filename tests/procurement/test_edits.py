"""People change proposals: the account still adds up, what was proposed stays visible, and an edit can be undone."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from procurement import edits, proposals
from procurement.edits import BadEdit, Change, EditedMeanwhile, NothingEdited, ProposalEdit
from procurement.proposals import Proposal, ProposalRequest, ProposalUnknown, ReasonMissing
from scm.core.documents import IllegalTransition
from scm.core.users import RoleMissing
from scm.master.agreements import SupplierAgreement
from tests.world import World


class Desk(NamedTuple):
    """A world in which 60 bolts are proposed: in tens from acme within a week, in dozens from bolt & co in two."""

    world: World
    acme: int
    dozens: int
    proposal: int

    def edit(self, reason: str = "a fair in March", username: str = "planner", **change: Any) -> int:
        """This function will change the proposal as the planner, or somebody else."""
        believed = change.pop("believed_quantity", None)
        return edits.edit(
            self.world.begin(),
            proposal_id=self.proposal,
            site_id=self.world.setup.site_id,
            change=Change(**change),
            reason=reason,
            actor=self.world.user(username),
            now=self.world.now,
            today=self.world.today,
            believed_quantity=believed,
        )

    def undo(self) -> int:
        """This function will take the last edit back."""
        return edits.undo_edit(
            self.world.begin(),
            proposal_id=self.proposal,
            site_id=self.world.setup.site_id,
            actor=self.world.user("planner"),
            now=self.world.now,
        )

    def read(self) -> Proposal:
        """This function will read the proposal as it stands."""
        return self.world.begin().get_one(Proposal, self.proposal)


@pytest.fixture
def desk(world: World) -> Desk:
    bolt, acme, other = world.item("bolt"), world.supplier("acme"), world.supplier("bolt & co")
    tens = world.agreement(bolt, acme, minimum_order_quantity=20, order_multiple=10)
    dozens = world.agreement(
        bolt, other, unit_price="3.50", lead_time_days=14, minimum_order_quantity=24, order_multiple=12, priority=2
    )
    request = ProposalRequest(
        item_id=bolt,
        supplier_id=acme,
        agreement_id=tens,
        quantity=60,
        order_date=world.today,
        due_date=world.day(7),
        unit_price=world.begin().scalars(sa.select(SupplierAgreement.unit_price).filter_by(id=tens)).one(),
        account=[{"name": "demand", "quantity": 75}, {"name": "on_hand", "quantity": -15}],
        inputs={},
    )
    [proposal] = proposals.publish(
        world.begin(),
        [request],
        run_id=1,
        company_id=world.setup.company_id,
        site_id=world.setup.site_id,
        actor=world.user("system"),
        now=world.now,
    )
    return Desk(world, acme, dozens, proposal)


def test_the_account_names_who_changed_the_quantity_and_still_adds_up(desk: Desk) -> None:
    edit_id = desk.edit(quantity=100)
    proposal = desk.read()
    assert proposal.quantity == 100
    assert proposal.account == [
        {"name": "demand", "quantity": 75},
        {"name": "on_hand", "quantity": -15},
        {"name": "changed", "quantity": 40, "edit_id": edit_id, "by": "Planner", "reason": "a fair in March"},
    ]
    assert edits.planned_quantity(proposal.account) == 60
    [(kept, author)] = edits.standing(desk.world.begin(), [desk.proposal])[desk.proposal]
    assert (kept.quantity_before, kept.quantity_after, kept.reason, author) == (60, 100, "a fair in March", "Planner")
    assert kept.edited_at == desk.world.now


def test_another_supplier_brings_its_price_and_its_lead_time(desk: Desk) -> None:
    desk.edit(agreement_id=desk.dozens)
    proposal = desk.read()
    assert (str(proposal.unit_price), proposal.due_date, proposal.quantity) == ("3.500000", desk.world.day(14), 60)
    assert len(proposal.account) == 2, "the quantity is the plan's"
    desk.undo()
    proposal = desk.read()
    assert (str(proposal.unit_price), proposal.due_date, proposal.supplier_id) == (
        "4.000000",
        desk.world.day(7),
        desk.acme,
    )


def test_a_later_order_arrives_later_unless_a_due_date_is_given(desk: Desk) -> None:
    desk.edit(order_date=desk.world.day(3))
    assert desk.read().due_date == desk.world.day(10)
    desk.edit(order_date=desk.world.day(4), due_date=desk.world.day(30))
    assert (desk.read().order_date, desk.read().due_date) == (desk.world.day(4), desk.world.day(30))


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({}, "nothing would change"),
        ({"quantity": 60}, "nothing would change"),
        ({"quantity": 0}, "reject it to order none"),
        ({"quantity": 10}, "order 20 or more"),
        ({"quantity": 65}, "order 60 or 70"),
        ({"agreement_id": 999_999}, "choose one of the item's"),
    ],
)
def test_what_was_not_agreed_is_refused_with_the_mend(desk: Desk, change: dict[str, Any], mend: str) -> None:
    with desk.world.refuses(BadEdit, mend):
        desk.edit(**change)


def test_a_quantity_that_fits_one_supplier_may_not_fit_another(desk: Desk) -> None:
    desk.edit(quantity=100)
    with desk.world.refuses(BadEdit, "order 96 or 108"):
        desk.edit(agreement_id=desk.dozens)


def test_dates_that_have_passed_are_refused(desk: Desk) -> None:
    with desk.world.refuses(BadEdit, "has passed"):
        desk.edit(order_date=desk.world.day(-1))
    with desk.world.refuses(BadEdit, "the day of the order, or later"):
        desk.edit(due_date=desk.world.day(-1))


def test_a_change_needs_a_reason_a_role_and_a_proposal_of_this_site(desk: Desk) -> None:
    with desk.world.refuses(ReasonMissing):
        desk.edit(" ", quantity=100)
    with desk.world.refuses(RoleMissing):
        desk.edit(username="warehouse", quantity=100)
    with desk.world.refuses(ProposalUnknown):
        edits.undo_edit(
            desk.world.begin(),
            proposal_id=desk.proposal,
            site_id=77,
            actor=desk.world.user("buyer"),
            now=desk.world.now,
        )


def test_whoever_saw_another_quantity_is_told_the_present_one(desk: Desk) -> None:
    desk.edit(quantity=100)
    with desk.world.refuses(EditedMeanwhile, "its quantity is 100, not 60"):
        desk.edit(quantity=80, believed_quantity=60)


def test_an_answered_proposal_is_not_changed(desk: Desk) -> None:
    proposals.accept(desk.world.begin(), [desk.proposal], actor=desk.world.user("planner"), now=desk.world.now)
    with desk.world.refuses(IllegalTransition, "is accepted"):
        desk.edit(quantity=100)
    with desk.world.refuses(IllegalTransition, "is accepted"):
        desk.undo()


def test_where_nothing_was_changed_nothing_is_undone(desk: Desk) -> None:
    with desk.world.refuses(NothingEdited):
        desk.undo()
    desk.edit(quantity=100)
    desk.undo()
    with desk.world.refuses(NothingEdited):
        desk.undo()


@pytest.mark.parametrize("statement", ["UPDATE proposal_edit SET reason = 'x'", "DELETE FROM proposal_edit"])
def test_an_edit_is_never_rewritten(desk: Desk, statement: str) -> None:
    desk.edit(quantity=100)
    session = desk.world.begin()
    with pytest.raises(IntegrityError, match="never changes"), session.begin_nested():
        session.execute(sa.text(statement))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=15)
@given(steps=st.lists(st.one_of(st.none(), st.integers(2, 60)), max_size=8))
def test_however_often_it_is_changed_and_undone_the_account_adds_up(desk: Desk, steps: list[int | None]) -> None:
    point = desk.world.begin().begin_nested()
    quantities = [60]
    for step in steps:
        if step is None:
            if len(quantities) > 1:
                desk.undo()
                quantities.pop()
        elif step * 10 != quantities[-1]:
            desk.edit(quantity=step * 10)
            quantities.append(step * 10)
        proposal = desk.read()
        assert proposal.quantity == quantities[-1] == sum(term["quantity"] for term in proposal.account)
        assert edits.planned_quantity(proposal.account) == 60
    rows = desk.world.begin().scalars(sa.select(ProposalEdit).order_by(ProposalEdit.id)).all()
    assert [row.quantity_before for row in rows[1:]] == [row.quantity_after for row in rows[:-1]]
    point.rollback()
    desk.world.begin()
