"""Purchase orders: from accepted proposals to goods on order, and who may take which step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from procurement import amending, confirming, orders, proposals, purchase_orders, rules, supply
from procurement.amending import AlreadyReceived, NothingOrdered
from procurement.confirming import Confirmed
from procurement.drafting import AlreadyDrafted, BadLine, NotAccepted
from procurement.orders import ReasonMissing
from procurement.proposals import ProposalRequest
from procurement.purchase_orders import OrderUnknown, PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from procurement.rules import OverLimit
from scm.core import users
from scm.core.approval import Approval, ContentChanged, Decision, SelfApproval
from scm.core.documents import IllegalTransition
from scm.core.outbox import OutboxMessage
from scm.core.users import Actor, Role, RoleMissing
from scm.master.agreements import SupplierAgreement
from scm.stock.pegs import Peg, PegState
from tests.databases import Backend
from tests.world import World

State = PurchaseOrderState


class Shop(NamedTuple):
    """A world that buys bolts and nuts, from acme."""

    world: World
    bolt: int
    nut: int
    bolts: int  # the agreements
    nuts: int


@pytest.fixture
def shop(world: World) -> Shop:
    """Bolts and nuts from acme, bolts in tens."""
    bolt, nut, acme = world.item("bolt"), world.item("nut"), world.supplier("acme", over_receipt_rate="0.1")
    bolts = world.agreement(bolt, acme, unit_price="4.00", minimum_order_quantity=20, order_multiple=10)
    return Shop(world, bolt, nut, bolts, world.agreement(nut, acme, unit_price="0.333333"))


def state_of(world: World, order_id: int) -> PurchaseOrderState:
    return world.begin().execute(sa.select(PurchaseOrder.state).where(PurchaseOrder.id == order_id)).scalar_one()


def line_ids(world: World, order_id: int) -> list[int]:
    lines = sa.select(PurchaseOrderLine.id).where(PurchaseOrderLine.order_id == order_id).order_by(PurchaseOrderLine.id)
    return list(world.begin().scalars(lines))


def act(world: World, order_id: int, action: str, actor: Actor, session: Session | None = None) -> None:
    session = session or world.begin()
    now, today = world.now, world.today
    verbs: dict[str, Callable[[], object]] = {
        "edit": lambda: amending.edit_line(
            session, line_id=line_ids(world, order_id)[0], quantity=40, actor=actor, now=now, today=today
        ),
        "submit": lambda: orders.submit(session, [order_id], actor=actor, now=now),
        "approve": lambda: orders.approve(session, [order_id], actor=actor, now=now, today=today),
        "reject": lambda: orders.reject(session, [order_id], reason="too dear", actor=actor, now=now),
        "send": lambda: orders.send(session, [order_id], actor=actor, now=now, today=today),
        "hand_over": lambda: orders.hand_over(session, order_id, to="second", actor=actor, now=now),
        "confirm": lambda: confirming.confirm(
            session,
            order_id,
            [Confirmed(line_id=line_ids(world, order_id)[0], quantity=90, due_date=world.day(9))],
            actor=actor,
            now=now,
            today=today,
        ),
        "close_short": lambda: amending.close_short(
            session, line_id=line_ids(world, order_id)[0], reason="sold out", actor=actor, now=now
        ),
        "cancel": lambda: orders.cancel(session, [order_id], reason="not needed", actor=actor, now=now),
    }
    verbs[action]()


def order_in(shop: Shop, state: PurchaseOrderState) -> int:
    world = shop.world
    if state is State.CANCELLED:
        order_id = world.order((shop.bolts, 100))
        act(world, order_id, "cancel", world.user("buyer"))
        return order_id
    build = {
        State.DRAFT: world.order,
        State.SUBMITTED: world.submitted_order,
        State.APPROVED: world.approved_order,
        State.SENT: world.sent_order,
    }
    return build[state]((shop.bolts, 100))


WHO_MAY = {
    "edit": {"buyer"},
    "submit": {"buyer", "system"},
    "approve": {"approver"},
    "reject": {"approver"},
    "hand_over": {"approver"},
    "send": {"buyer", "system"},
    "confirm": {"buyer"},
    "close_short": {"buyer", "planner"},
    "cancel": {"buyer"},
}


@pytest.mark.parametrize("action", purchase_orders.MACHINE.actions)
@pytest.mark.parametrize("state", list(State))
def test_each_state_and_role_allows_just_what_the_machine_says(
    shop: Shop, state: PurchaseOrderState, action: str
) -> None:
    world = shop.world
    order_id = order_in(shop, state)
    following = purchase_orders.MACHINE.transitions.get((state, action))
    users.add(world.begin(), username="second", display_name="Second", roles=frozenset({Role.APPROVER}), now=world.now)
    for username, actor in world.setup.users.items():
        if username not in WHO_MAY[action]:
            with world.refuses(RoleMissing) as session:
                act(world, order_id, action, actor, session)
        elif following is None:
            with world.refuses(IllegalTransition, f"is {state.value}: {action} is not possible") as session:
                act(world, order_id, action, actor, session)
        else:
            point = world.begin().begin_nested()
            act(world, order_id, action, actor)
            assert state_of(world, order_id) is following
            point.rollback()


def test_accepted_proposals_become_one_order_a_supplier(shop: Shop) -> None:
    world = shop.world
    other = world.supplier("other")
    third = world.agreement(world.item("washer"), other, unit_price="1.00")
    ids = propose(world, (shop.bolts, 100), (shop.nuts, 50), (third, 10))
    proposals.accept(world.begin(), ids, actor=world.user("planner"), now=world.now)
    drafted = orders.draft(world.begin(), actor=world.user("buyer"), now=world.now, today=world.today)
    assert [len(line_ids(world, order)) for order in drafted] == [2, 1]
    assert orders.draft(world.begin(), actor=world.user("buyer"), now=world.now, today=world.today) == []
    with world.refuses(AlreadyDrafted, f"proposal {ids[0]}") as session:
        orders.draft(session, ids[:1], actor=world.user("buyer"), now=world.now, today=world.today)


def test_what_was_not_accepted_is_not_ordered(shop: Shop) -> None:
    world = shop.world
    ids = propose(world, (shop.bolts, 100))
    with world.refuses(NotAccepted, "is open: accept it") as session:
        orders.draft(session, ids, actor=world.user("buyer"), now=world.now, today=world.today)


def test_approving_puts_the_goods_on_order_with_price_and_tolerance(shop: Shop) -> None:
    world = shop.world
    order_id = world.submitted_order((shop.bolts, 100), (shop.nuts, 15))
    assert world.on_order(shop.bolt) == 0
    act(world, order_id, "approve", world.user("approver"))
    bolts, nuts = world.moves_of("purchase_order", [order_id])
    assert (bolts.quantity, bolts.over_quantity, bolts.expected_unit_cost) == (100, 10, Decimal("4.00"))
    assert (nuts.over_quantity, nuts.onward) == (1, [world.setup.area_id])
    assert world.on_order(shop.bolt) == 100


def test_supply_is_pegged_to_the_demand_that_waits_longest(shop: Shop) -> None:
    world = shop.world
    late, early = world.demand(shop.bolt, 30, in_days=4), world.demand(shop.bolt, 25, in_days=2)
    world.approved_order((shop.bolts, 40))
    pegged = sa.select(Peg.demand_move_id, Peg.quantity).order_by(Peg.id)
    assert [tuple(row) for row in world.begin().execute(pegged)] == [(early, 25), (late, 15)]
    world.approved_order((shop.bolts, 40))
    assert [row.quantity for row in world.begin().execute(pegged)] == [25, 15, 15]


def test_sending_leaves_a_message_for_the_supplier(shop: Shop) -> None:
    world = shop.world
    order_id = world.sent_order((shop.bolts, 100))
    message = world.begin().execute(sa.select(OutboxMessage)).scalar_one()
    assert (message.recipient, message.document_id) == ("acme@test", order_id)
    assert message.payload["lines"][0]["sku"] == "bolt"
    assert message.payload["lines"][0]["unit_price"] == "4.000000"


@pytest.mark.parametrize("state", [State.SUBMITTED, State.APPROVED])
def test_editing_voids_the_approval_and_takes_the_goods_off_order(shop: Shop, state: PurchaseOrderState) -> None:
    world = shop.world
    order_id = order_in(shop, state)
    act(world, order_id, "edit", world.user("buyer"))
    assert world.on_order(shop.bolt) == 0
    assert state_of(world, order_id) is State.DRAFT
    assert world.begin().scalars(sa.select(Approval.decision)).all() == [Decision.VOID]
    act(world, order_id, "submit", world.user("buyer"))
    act(world, order_id, "approve", world.user("approver"))
    assert world.on_order(shop.bolt) == 40


def test_a_change_behind_the_verbs_back_is_not_approved(shop: Shop) -> None:
    world = shop.world
    order_id = order_in(shop, State.SUBMITTED)
    world.begin().execute(sa.update(PurchaseOrderLine).values(quantity=1000))
    with world.refuses(ContentChanged, "submit it again") as session:
        act(world, order_id, "approve", world.user("approver"), session)


def test_a_change_after_approval_is_not_sent(shop: Shop) -> None:
    world = shop.world
    order_id = order_in(shop, State.APPROVED)
    world.begin().execute(sa.update(PurchaseOrderLine).values(unit_price=Decimal("4.01")))
    with world.refuses(ContentChanged, "changed after it was approved") as session:
        act(world, order_id, "send", world.user("buyer"), session)


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_the_requester_never_decides_whatever_roles_they_have(shop: Shop, decision: str) -> None:
    world = shop.world
    both = users.add(
        world.begin(), username="both", display_name="Both", roles=frozenset({Role.BUYER, Role.APPROVER}), now=world.now
    )
    order_id = world.order((shop.bolts, 100))
    act(world, order_id, "submit", both)
    with world.refuses(SelfApproval, "both submitted") as session:
        act(world, order_id, decision, both, session)


def test_only_approving_leads_to_approved_and_only_from_submitted() -> None:
    ways = [step for step, following in purchase_orders.MACHINE.transitions.items() if following is State.APPROVED]
    assert ways == [(State.SUBMITTED, "approve")]
    ways = [step for step, following in purchase_orders.MACHINE.transitions.items() if following is State.SENT]
    assert [step for step in ways if step[0] is not State.SENT] == [(State.APPROVED, "send")]


def test_the_database_itself_refuses_an_approval_by_its_requester(shop: Shop) -> None:
    world = shop.world
    world.submitted_order((shop.bolts, 100))
    point = world.begin().begin_nested()
    with pytest.raises(IntegrityError, match="requester_is_not_approver"):
        world.begin().execute(sa.update(Approval).values(approver_id=Approval.requester_id, decision=Decision.APPROVED))
    point.rollback()


def test_a_rule_drafts_and_submits_and_a_person_approves(shop: Shop) -> None:
    world = shop.world
    system, site_id = world.user("system"), world.setup.site_id
    propose(world, (shop.bolts, 100))
    rules.sign(
        world.begin(), name="small", currency="GBP", largest_amount=50000, actor=world.user("planner"), now=world.now
    )
    accepted = rules.accept_by_rule(world.begin(), site_id=site_id, actor=system, now=world.now)
    [order_id] = orders.draft(world.begin(), accepted, actor=system, now=world.now, today=world.today)
    act(world, order_id, "submit", system)
    with world.refuses(RoleMissing, "system may not") as session:
        act(world, order_id, "approve", system, session)
    act(world, order_id, "approve", world.user("approver"))
    assert world.on_order(shop.bolt) == 100


def test_whoever_edited_an_order_cannot_approve_it_through_a_colleague(shop: Shop) -> None:
    world = shop.world
    both = users.add(
        world.begin(), username="both", display_name="Both", roles=frozenset({Role.BUYER, Role.APPROVER}), now=world.now
    )
    order_id = world.order((shop.bolts, 100))
    act(world, order_id, "edit", both)
    act(world, order_id, "submit", world.user("buyer"))
    with world.refuses(SelfApproval, "both wrote") as session:
        act(world, order_id, "approve", both, session)


def test_in_a_list_one_order_of_ones_own_refuses_them_all(shop: Shop) -> None:
    world = shop.world
    both = users.add(
        world.begin(), username="both", display_name="Both", roles=frozenset({Role.BUYER, Role.APPROVER}), now=world.now
    )
    theirs, own = world.submitted_order((shop.bolts, 100)), world.order((shop.bolts, 100))
    act(world, own, "submit", both)
    with world.refuses(SelfApproval) as session:
        orders.approve(session, [theirs, own], actor=both, now=world.now, today=world.today)


def test_a_limit_stops_an_approver_at_its_last_penny(shop: Shop) -> None:
    world = shop.world
    boss = users.add(
        world.begin(), username="boss", display_name="Boss", roles=frozenset({Role.APPROVER}), now=world.now
    )
    rules.set_limit(world.begin(), username="approver", currency="GBP", largest_amount=40000, actor=boss)
    within, above = world.submitted_order((shop.bolts, 100)), world.submitted_order((shop.bolts, 110))
    act(world, within, "approve", world.user("approver"))
    with world.refuses(OverLimit, r"up to 400\.00 GBP, PO-.* comes to 440\.00 GBP") as session:
        act(world, above, "approve", world.user("approver"), session)
    act(world, above, "approve", boss)


def test_a_rejected_order_can_be_mended_and_submitted_again(shop: Shop) -> None:
    world = shop.world
    order_id = world.submitted_order((shop.bolts, 100))
    act(world, order_id, "reject", world.user("approver"))
    assert state_of(world, order_id) is State.DRAFT
    act(world, order_id, "edit", world.user("buyer"))
    act(world, order_id, "submit", world.user("buyer"))
    act(world, order_id, "approve", world.user("approver"))
    assert world.on_order(shop.bolt) == 40


def test_cancelling_gives_up_what_is_outstanding_and_keeps_what_came(shop: Shop) -> None:
    world = shop.world
    waiting = world.demand(shop.bolt, 100)
    order_id = world.sent_order((shop.bolts, 100))
    world.receive(order_id, 60)
    act(world, order_id, "cancel", world.user("buyer"))
    world.put_away()
    assert (world.on_hand(shop.bolt), world.on_order(shop.bolt)) == (60, 0)
    done = supply.progress(world.begin(), [order_id])[order_id]
    assert (done.ordered, done.received, done.outstanding, done.closed) == (100, 60, 0, True)
    orphaned = sa.select(Peg.demand_move_id).where(Peg.state == PegState.ORPHANED)
    assert world.begin().scalars(orphaned).all() == [waiting]


def test_an_order_is_closed_when_all_of_it_came(shop: Shop) -> None:
    world = shop.world
    order_id = world.sent_order((shop.bolts, 100))
    world.receive(order_id, 60)
    assert not supply.progress(world.begin(), [order_id])[order_id].closed
    world.receive(order_id)
    assert supply.progress(world.begin(), [order_id])[order_id].closed


def test_an_order_whose_goods_came_is_edited_no_more(shop: Shop) -> None:
    world = shop.world
    order_id = world.approved_order((shop.bolts, 100))
    world.receive(order_id, 60)
    with world.refuses(AlreadyReceived) as session:
        act(world, order_id, "edit", world.user("buyer"), session)


@pytest.mark.parametrize(
    ("quantity", "words"),
    [(10, "below the agreed minimum of 20"), (25, "order 20 or 30"), (0, "above 0"), (-5, "above 0"), (2.5, "whole")],
)
def test_a_line_outside_the_agreement_is_refused(shop: Shop, quantity: int, words: str) -> None:
    world = shop.world
    with world.refuses(BadLine, words):
        world.order((shop.bolts, quantity))
    order_id = world.order((shop.bolts, 100))
    [line_id] = line_ids(world, order_id)
    with world.refuses(BadLine, words) as session:
        amending.edit_line(
            session,
            line_id=line_id,
            quantity=quantity,
            actor=world.user("buyer"),
            now=world.now,
            today=world.today,
        )


def test_a_due_date_that_has_passed_is_refused(shop: Shop) -> None:
    with shop.world.refuses(BadLine, "has passed"):
        shop.world.order((shop.bolts, 100), due_in=-1)


def test_words_without_a_deed_are_refused(shop: Shop) -> None:
    world = shop.world
    order_id = world.submitted_order((shop.bolts, 100))
    with world.refuses(ReasonMissing) as session:
        orders.reject(session, [order_id], reason="", actor=world.user("approver"), now=world.now)
    with world.refuses(ReasonMissing) as session:
        orders.cancel(session, [order_id], reason="", actor=world.user("buyer"), now=world.now)
    with world.refuses(NothingOrdered) as session:
        amending.edit_line(session, line_id=1, actor=world.user("buyer"), now=world.now, today=world.today)
    with world.refuses(OrderUnknown, "999999") as session:
        orders.submit(session, [order_id, 999999], actor=world.user("buyer"), now=world.now)


def test_hundreds_of_lines_are_approved_in_few_statements(world: World, backend: Backend) -> None:
    acme = world.supplier("acme")
    agreements = [world.agreement(item, acme) for item in world.items(300)]
    order_id = world.submitted_order(*[(agreement, 5) for agreement in agreements])
    session = world.begin()
    statements: list[str] = []
    connection = session.connection()

    def note(*args: object) -> None:
        statements.append(str(args[2])[:60])

    sa.event.listen(connection, "before_cursor_execute", note)
    orders.approve(session, [order_id], actor=world.user("approver"), now=world.now, today=world.today)
    sa.event.remove(connection, "before_cursor_execute", note)
    # SQLite inserts rows one by one where their ids are wanted in order; that is no round trip there.
    assert len(statements if backend == "postgresql" else set(statements)) < 25


def propose(world: World, *wanted: tuple[int, int]) -> list[int]:
    session = world.begin()
    found = {row.id: row for row in session.scalars(sa.select(SupplierAgreement))}
    lines = [
        ProposalRequest(
            item_id=found[agreement].item_id,
            supplier_id=found[agreement].partner_id,
            agreement_id=agreement,
            quantity=quantity,
            order_date=world.today,
            due_date=world.today + timedelta(days=7),
            unit_price=found[agreement].unit_price,
            account=[{"name": "demand", "quantity": quantity}],
            inputs={},
        )
        for agreement, quantity in wanted
    ]
    return proposals.publish(
        session,
        lines,
        run_id=1,
        company_id=world.setup.company_id,
        site_id=world.setup.site_id,
        actor=world.user("system"),
        now=world.now,
    )
