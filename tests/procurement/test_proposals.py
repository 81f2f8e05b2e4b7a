"""A plan's proposals: published with accounts that add up, answered once, replaced by the next run."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa

from procurement import proposals, rules, supply
from procurement.outcomes import Outcome
from procurement.proposals import BadProposal, Proposal, ProposalRequest, ProposalState, ProposalUnknown, ReasonMissing
from procurement.rules import BadRule, RuleUnknown
from scm.core.documents import IllegalTransition
from scm.core.users import RoleMissing
from tests.world import World


@pytest.fixture
def line(world: World) -> Callable[..., ProposalRequest]:
    """A call that proposes so many pieces of a bolt at 4 pounds each."""
    bolt, acme = world.item("bolt"), world.supplier("acme")
    agreement = world.agreement(bolt, acme)

    def propose(quantity: int = 60, *, demand: int = 50) -> ProposalRequest:
        return ProposalRequest(
            item_id=bolt,
            supplier_id=acme,
            agreement_id=agreement,
            quantity=quantity,
            order_date=world.today,
            due_date=world.day(7),
            unit_price=Decimal("4.00"),
            account=[{"name": "demand", "quantity": demand}, {"name": "safety", "quantity": 10}],
            inputs={"on_hand": 0},
            assumed=["lead_time_days"],
        )

    return propose


def publish(world: World, *lines: ProposalRequest, run_id: int = 1) -> list[int]:
    return proposals.publish(
        world.begin(),
        lines,
        run_id=run_id,
        company_id=world.setup.company_id,
        site_id=world.setup.site_id,
        actor=world.user("system"),
        now=world.now,
    )


def state(world: World, proposal_id: int) -> ProposalState:
    return world.begin().execute(sa.select(Proposal.state).where(Proposal.id == proposal_id)).scalar_one()


def test_the_next_run_replaces_what_nobody_answered(world: World, line: Callable[..., ProposalRequest]) -> None:
    taken, open_one = publish(world, line(), line())
    proposals.accept(world.begin(), [taken], actor=world.user("planner"), now=world.now)
    [newer] = publish(world, line(), run_id=2)
    assert [state(world, i) for i in (taken, open_one, newer)] == [
        ProposalState.ACCEPTED,
        ProposalState.SUPERSEDED,
        ProposalState.OPEN,
    ]
    assert proposals.open_ids(world.begin(), site_id=world.setup.site_id) == [newer]


def test_an_account_that_does_not_add_up_publishes_nothing(world: World, line: Callable[..., ProposalRequest]) -> None:
    publish(world, line())
    with world.refuses(BadProposal, "add up to 59, its quantity is 60"):
        publish(world, line(), line(demand=49), run_id=2)


@pytest.mark.parametrize("quantity", [0, -1, 1.5])
def test_a_proposal_is_a_whole_number_of_units(
    world: World, line: Callable[..., ProposalRequest], quantity: float
) -> None:
    with world.refuses(BadProposal, "must be a whole number above 0"):
        publish(world, line(quantity))


@pytest.mark.parametrize("answer", ["accept", "reject"])
@pytest.mark.parametrize("before", ["accept", "reject", "supersede"])
def test_a_proposal_is_answered_once(
    world: World, line: Callable[..., ProposalRequest], before: str, answer: str
) -> None:
    [proposal] = publish(world, line())
    if before == "supersede":
        publish(world, run_id=2)
    else:
        respond(world, before, proposal)
    outcome = respond(world, answer, proposal)
    assert outcome.done == ()
    [refused] = outcome.refused
    assert isinstance(refused.error, IllegalTransition) and f"proposal {proposal} is" in str(refused.error)


def test_no_is_said_with_a_reason(world: World, line: Callable[..., ProposalRequest]) -> None:
    [proposal] = publish(world, line())
    with world.refuses(ReasonMissing) as session:
        proposals.reject(session, [proposal], reason=" ", actor=world.user("planner"), now=world.now)


def test_what_can_be_done_of_many_is_done_and_the_rest_says_why(
    world: World, line: Callable[..., ProposalRequest]
) -> None:
    first, refused, last = publish(world, line(), line(), line())
    respond(world, "reject", refused)
    chosen = [last, refused, 999999, first, last]
    outcome = proposals.accept(world.begin(), chosen, actor=world.user("planner"), now=world.now)
    assert outcome.done == (last, first)
    assert [(row.id, type(row.error)) for row in outcome.refused] == [
        (refused, IllegalTransition),
        (999999, ProposalUnknown),
    ]
    assert [state(world, i).value for i in (first, refused, last)] == ["accepted", "rejected", "accepted"]


def test_proposals_of_another_site_are_unknown(world: World, line: Callable[..., ProposalRequest]) -> None:
    [proposal] = publish(world, line())
    elsewhere = world.setup.site_id + 1
    outcome = proposals.accept(world.begin(), [proposal], actor=world.user("planner"), now=world.now, site_id=elsewhere)
    assert (outcome.done, type(outcome.refused[0].error)) == ((), ProposalUnknown)


def test_only_planners_and_buyers_answer(world: World, line: Callable[..., ProposalRequest]) -> None:
    [proposal] = publish(world, line())
    for username in ("approver", "warehouse", "returns", "sales", "system"):
        with world.refuses(RoleMissing) as session:
            proposals.accept(session, [proposal], actor=world.user(username), now=world.now)


def test_a_signed_rule_accepts_small_proposals_and_names_its_signer(
    world: World, line: Callable[..., ProposalRequest]
) -> None:
    small, large = publish(world, line(60), line(600, demand=590))
    rule_id = rules.sign(
        world.begin(), name="up to 250", currency="GBP", largest_amount=25000, actor=world.user("buyer"), now=world.now
    )
    accepted = rules.accept_by_rule(
        world.begin(), site_id=world.setup.site_id, actor=world.user("system"), now=world.now
    )
    assert accepted == [small]
    assert state(world, large) is ProposalState.OPEN
    signer = sa.select(rules.AcceptanceRule.signed_by_id).join(Proposal, Proposal.rule_id == rules.AcceptanceRule.id)
    assert world.begin().execute(signer).scalar_one() == world.user("buyer").user_id
    rules.revoke(world.begin(), rule_id=rule_id, actor=world.user("planner"), now=world.now)
    publish(world, line(60), run_id=2)
    assert (
        rules.accept_by_rule(world.begin(), site_id=world.setup.site_id, actor=world.user("system"), now=world.now)
        == []
    )
    with world.refuses(RuleUnknown) as session:
        rules.revoke(session, rule_id=rule_id, actor=world.user("planner"), now=world.now)


def test_nobody_sets_their_own_limit(world: World) -> None:
    with world.refuses(BadRule, "other than yourself") as session:
        rules.set_limit(
            session, username="approver", currency="GBP", largest_amount=10**9, actor=world.user("approver")
        )


def test_what_is_accepted_counts_as_supply_that_somebody_thinks_about(
    world: World, line: Callable[..., ProposalRequest]
) -> None:
    proposal, _ = publish(world, line(60), line(60))
    respond(world, "accept", proposal)
    [pending] = supply.undecided(world.begin(), site_id=world.setup.site_id)
    assert (pending.quantity, pending.due_date) == (60, world.day(7))


def respond(world: World, answer: str, proposal: int) -> Outcome:
    planner = world.user("planner")
    if answer == "accept":
        return proposals.accept(world.begin(), [proposal], actor=planner, now=world.now)
    return proposals.reject(world.begin(), [proposal], reason="no room", actor=planner, now=world.now)
