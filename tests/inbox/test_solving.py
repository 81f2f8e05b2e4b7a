"""Exceptions solved where they stand: the deed of its own room is done, and the row goes when its cause has gone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from procurement import proposals
from procurement.proposals import Proposal, ProposalRequest, ProposalState
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderState
from scm.core.approval import SelfApproval
from scm.core.errors import ScmError
from scm.core.users import Actor, Role
from scm.finance import valuation
from scm.loop import changes
from scm.loop.exceptions import evidence, inbox, looking, solving
from scm.loop.exceptions.answers import NotYourDesk
from scm.loop.exceptions.findings import Kind
from scm.loop.exceptions.solving import NothingProposed, NotItsSolution, Solution, Solved
from scm.master.items import Item, ItemStatus
from tests.inbox.office import Office
from tests.world import World


def solve(world: World, case_id: int, solution: Solution, *, by: str, reason: str = "") -> Solved:
    return solving.solve(
        world.begin(),
        case_id,
        solution,
        site_id=world.setup.site_id,
        reason=reason,
        actor=world.user(by),
        now=world.now,
        today=world.today,
    )


def proposed(world: World, quantity: int = 10) -> tuple[int, int]:
    """An item, and one open proposal for it."""
    item, supplier = world.item("bolt"), world.supplier("works")
    request = ProposalRequest(
        item_id=item,
        supplier_id=supplier,
        agreement_id=world.agreement(item, supplier),
        quantity=quantity,
        order_date=world.today,
        due_date=world.day(7),
        unit_price=Decimal(4),
        account=[{"name": "demand", "quantity": quantity}],
        inputs={},
    )
    [proposal_id] = proposals.publish(
        world.begin(),
        [request],
        run_id=1,
        company_id=world.setup.company_id,
        site_id=world.setup.site_id,
        actor=world.user("system"),
        now=world.now,
    )
    return item, proposal_id


def test_a_proposal_becomes_an_order_at_the_supplier_without_anybody_leaving_their_inbox(
    world: World, office: Office
) -> None:
    proposed(world)
    steps = [
        (Kind.PROPOSALS_DUE, Solution.ACCEPT_PROPOSALS, "planner"),
        (Kind.TO_DRAFT, Solution.DRAFT, "buyer"),
        (Kind.TO_SUBMIT, Solution.SUBMIT, "buyer"),
        (Kind.TO_APPROVE, Solution.APPROVE, "approver"),
        (Kind.TO_SEND, Solution.SEND, "buyer"),
    ]
    office.look()
    for kind, solution, person in steps:
        [group] = [group for group in office.inbox(person).groups if group.kind is kind]
        assert solution in solving.possible(kind, world.user(person).roles)
        assert solve(world, group.rows[0].id, solution, by=person).closed
    assert office.inbox("planner", "buyer", "approver").count == 0
    assert world.begin().scalars(sa.select(PurchaseOrder.state)).all() == [PurchaseOrderState.SENT]
    seen = changes.since_yesterday(
        world.begin(), site_id=world.setup.site_id, user_id=world.user("buyer").user_id, today=world.today
    )
    assert (seen.solved_by_you, seen.solved_by_others, seen.closed_by_themselves) == (3, 2, 0)


def test_whoever_wrote_an_order_cannot_approve_it_from_the_inbox_either(world: World, office: Office) -> None:
    world.submitted_order((world.agreement(world.item("bolt"), world.supplier("works")), 10))
    row, buyer = office.row(Kind.TO_APPROVE), world.user("buyer")
    expected: tuple[tuple[type[ScmError], frozenset[Role]], ...] = (
        (NotYourDesk, buyer.roles),
        (SelfApproval, buyer.roles | {Role.APPROVER}),
    )
    for error, roles in expected:
        with world.refuses(error) as session:
            solving.solve(
                session,
                row.id,
                Solution.APPROVE,
                site_id=world.setup.site_id,
                actor=Actor(user_id=buyer.user_id, username="buyer", roles=roles),
                now=world.now,
                today=world.today,
            )


def test_an_accepted_proposal_lets_a_stock_out_rest_until_the_goods_are_due(world: World, office: Office) -> None:
    item, _ = proposed(world)
    world.demand(item, 5)
    row = office.row(Kind.STOCK_OUT)
    scope = looking.scope_of(world.begin(), site_id=world.setup.site_id, now=world.now, today=world.today)
    shown = evidence.read(world.begin(), scope, row)
    assert [(line.label, line.quantity, line.amount) for line in shown.lines] == [("bolt", 10, 40_00)]
    assert shown.projection is not None and shown.projection.levels[0] == -5
    assert not solve(world, row.id, Solution.ACCEPT_PROPOSALS, by="planner").closed
    assert office.labels(Kind.STOCK_OUT) == []
    with world.refuses(NothingProposed, match="bolt") as session:
        solving.solve(
            session,
            row.id,
            Solution.ACCEPT_PROPOSALS,
            site_id=world.setup.site_id,
            actor=world.user("planner"),
            now=world.now,
            today=world.today,
        )
    world.pass_days(7)
    assert office.labels(Kind.STOCK_OUT) == ["bolt"]  # they did not come


def test_excess_is_settled_by_buying_no_more(world: World, office: Office) -> None:
    item, proposal_id = proposed(world)
    world.stock(item, 400)
    valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
    office.forecast({item: 7})
    row = office.row(Kind.EXCESS)
    solve(world, row.id, Solution.STOP_BUYING, by="planner", reason="a fad")
    assert office.labels(Kind.EXCESS) == office.labels(Kind.PROPOSALS_DUE) == []
    session = world.begin()
    assert session.get_one(Item, item).status is ItemStatus.PHASE_OUT
    assert session.get_one(Proposal, proposal_id).state is ProposalState.REJECTED
    [away] = inbox.hidden(session, site_id=world.setup.site_id, kinds={Kind.EXCESS}, today=world.today)
    assert away.accepted_reason == "a fad"


def test_a_solution_of_another_kind_is_refused(world: World, office: Office) -> None:
    proposed(world)
    row = office.row(Kind.PROPOSALS_DUE)
    with world.refuses(NotItsSolution, match="open its document") as session:
        solving.solve(
            session,
            row.id,
            Solution.SEND,
            site_id=world.setup.site_id,
            actor=world.user("planner"),
            now=world.now,
            today=world.today,
        )
    assert solving.possible(Kind.PROPOSALS_DUE, {Role.APPROVER}) == ()


@pytest.mark.parametrize("solution", list(Solution))
def test_every_solution_is_offered_somewhere(solution: Solution) -> None:
    assert any(solution in offered for offered in solving.SOLUTIONS.values())
    assert solving.DEEDS[solution].changes


def test_what_waits_unconfirmed_for_days_is_the_buyers(world: World, office: Office) -> None:
    world.sent_order((world.agreement(world.item("bolt"), world.supplier("works")), 10), due_in=9)
    world.pass_days(2)
    assert office.labels(Kind.UNCONFIRMED) == []
    world.pass_days(1)
    row = office.row(Kind.UNCONFIRMED)
    assert (row.name, row.amount, row.facts["sent"]) == ("works", 40_00, (world.today - timedelta(days=3)).isoformat())
    solve(world, row.id, Solution.CANCEL, by="buyer", reason="no answer")
    assert office.labels(Kind.UNCONFIRMED) == []
