"""Nobody approves what their own hand is in: every way to put it there, times every way to an approval."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

import procurement
from procurement import amending, edits, orders, proposals, requisitions, rules
from procurement.deciding import CannotTakeOver
from procurement.drafting import OrderLineRequest
from procurement.edits import Change
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.core import users
from scm.core.approval import Approval, ApprovalHandover, Decision, NotPending, SelfApproval
from scm.core.errors import ScmError
from scm.core.users import Actor, Role, UserUnknown
from tests.procurement.proposing import accepted, propose
from tests.world import World

ALL_ROLES = frozenset(set(Role) - {Role.SYSTEM})


class Office(NamedTuple):
    """A world in which somebody has every role, and what acme sells."""

    world: World
    both: Actor
    bolts: int
    nuts: int

    @property
    def by_both(self) -> dict[str, Any]:
        """Who and when."""
        return {"actor": self.both, "now": self.world.now, "today": self.world.today}

    def first_line(self, order_id: int) -> int:
        """The first line of an order."""
        lines = sa.select(PurchaseOrderLine.id).where(PurchaseOrderLine.order_id == order_id)
        return self.world.begin().scalars(lines.order_by(PurchaseOrderLine.id)).all()[0]

    def submitted(self, order_id: int) -> int:
        """The order, changed once more and submitted by the buyer: the last hand in it is not that of `both`."""
        buyer, world = self.world.user("buyer"), self.world
        line_id = self.first_line(order_id)
        amending.edit_line(world.begin(), line_id=line_id, quantity=60, actor=buyer, now=world.now, today=world.today)
        orders.submit(world.begin(), [order_id], actor=buyer, now=world.now)
        return order_id


@pytest.fixture
def office(world: World) -> Office:
    """Somebody with every role, and acme with bolts and nuts."""
    both = users.add(world.begin(), username="both", display_name="Both", roles=ALL_ROLES, now=world.now)
    acme = world.supplier("acme")
    return Office(world, both, world.agreement(world.item("bolt"), acme), world.agreement(world.item("nut"), acme))


def drafted(office: Office) -> int:
    ids = accepted(office.world, (office.bolts, 100))
    [order_id] = orders.draft(office.world.begin(), ids, **office.by_both)
    return office.submitted(order_id)


def wrote(office: Office) -> int:
    world = office.world
    line = OrderLineRequest(agreement_id=office.bolts, quantity=100, due_date=world.day(7))
    [order_id] = orders.write(world.begin(), [line], site_id=world.setup.site_id, **office.by_both)
    return office.submitted(order_id)


def edited(office: Office) -> int:
    order_id = office.world.order((office.bolts, 100))
    amending.edit_line(office.world.begin(), line_id=office.first_line(order_id), quantity=40, **office.by_both)
    return office.submitted(order_id)


def added(office: Office) -> int:
    world = office.world
    order_id = world.order((office.bolts, 100))
    line = OrderLineRequest(agreement_id=office.nuts, quantity=10, due_date=world.day(7))
    amending.add_lines(world.begin(), order_id, [line], **office.by_both)
    return office.submitted(order_id)


def removed(office: Office) -> int:
    order_id = office.world.order((office.bolts, 100), (office.nuts, 10))
    amending.remove_line(office.world.begin(), line_id=office.first_line(order_id), **office.by_both)
    return office.submitted(order_id)


def asked(office: Office) -> int:
    world = office.world
    item_id = world.begin().execute(sa.text("SELECT id FROM item WHERE sku = 'nut'")).scalar_one()
    order_id = world.order((office.bolts, 100))
    requisitions.ask(
        world.begin(),
        item_id=item_id,
        quantity=5,
        due_date=world.day(7),
        reason="a fair",
        site_id=world.setup.site_id,
        **office.by_both,
    )
    return office.submitted(order_id)


def accepted_a_proposal(office: Office) -> int:
    ids = accepted(office.world, (office.bolts, 100), actor=office.both)
    return office.submitted(draft(office, ids))


def changed_a_proposal(office: Office) -> int:
    world = office.world
    ids = propose(world, (office.bolts, 100))
    edits.edit(
        world.begin(),
        proposal_id=ids[0],
        site_id=world.setup.site_id,
        change=Change(quantity=90),
        reason="shelf space",
        **office.by_both,
    )
    proposals.accept(world.begin(), ids, actor=world.user("planner"), now=world.now)
    return office.submitted(draft(office, ids))


def signed_the_rule(office: Office) -> int:
    world = office.world
    propose(world, (office.bolts, 100))
    rules.sign(world.begin(), name="small", currency="GBP", largest_amount=10**9, actor=office.both, now=world.now)
    ids = rules.accept_by_rule(world.begin(), site_id=world.setup.site_id, actor=world.user("system"), now=world.now)
    return office.submitted(draft(office, ids))


def submitted(office: Office) -> int:
    order_id = office.world.order((office.bolts, 100))
    orders.submit(office.world.begin(), [order_id], actor=office.both, now=office.world.now)
    return order_id


def draft(office: Office, ids: list[int]) -> int:
    world = office.world
    [order_id] = orders.draft(world.begin(), ids, actor=world.user("buyer"), now=world.now, today=world.today)
    return order_id


HANDS: list[Callable[[Office], int]] = [
    drafted,
    wrote,
    edited,
    added,
    removed,
    asked,
    accepted_a_proposal,
    changed_a_proposal,
    signed_the_rule,
    submitted,
]


@pytest.mark.parametrize("hand", HANDS, ids=lambda hand: hand.__name__)
def test_whoever_has_a_hand_in_an_order_never_approves_it(office: Office, hand: Callable[[Office], int]) -> None:
    world = office.world
    order_id = hand(office)
    other = world.submitted_order((office.bolts, 10))
    for order_ids in ([order_id], [other, order_id]):
        with world.refuses(SelfApproval, "both .* somebody else must") as session:
            orders.approve(session, order_ids, **office.by_both)
    with world.refuses(SelfApproval, "both") as session:
        orders.hand_over(session, order_id, to="both", actor=world.user("approver"), now=world.now)
    outcomes = orders.approve_each(world.begin(), [other, order_id], **office.by_both)
    assert {o.order_id: type(o.refusal) for o in outcomes} == {other: type(None), order_id: SelfApproval}
    rows = world.begin().execute(sa.select(PurchaseOrder.id, PurchaseOrder.state))
    states = {row.id: row.state for row in rows}
    assert states == {order_id: PurchaseOrderState.SUBMITTED, other: PurchaseOrderState.APPROVED}
    orders.approve(world.begin(), [order_id], actor=world.user("approver"), now=world.now, today=world.today)


def test_there_is_one_way_to_an_approval_of_an_order() -> None:
    folder = Path(procurement.__file__).parent
    deciding = {
        path.stem
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr == "decide"
        and isinstance(node.value, ast.Name)
        and node.value.id == "approval"
    }
    assert deciding == {"deciding"}


def test_an_order_is_handed_to_somebody_who_may_approve_it(office: Office) -> None:
    world = office.world
    order_id = world.submitted_order((office.bolts, 100))
    orders.hand_over(
        world.begin(), order_id, to="both", comment="on leave", actor=world.user("approver"), now=world.now
    )
    handed = world.begin().scalars(sa.select(ApprovalHandover)).one()
    assert (handed.to_id, handed.comment) == (office.both.user_id, "on leave")
    orders.approve(world.begin(), [order_id], **office.by_both)
    assert world.begin().scalars(sa.select(Approval.approver_id)).one() == office.both.user_id


def test_an_order_is_not_handed_to_anybody_else(office: Office) -> None:
    world = office.world
    order_id = world.submitted_order((office.bolts, 100))
    approver = world.user("approver")
    rules.set_limit(world.begin(), username="both", currency="GBP", largest_amount=39999, actor=approver)
    cases: list[tuple[str, type[ScmError], str]] = [
        ("planner", CannotTakeOver, "is no approver"),
        ("both", CannotTakeOver, r"up to 399\.99 GBP"),
        ("approver", SelfApproval, "to themselves"),
        ("nobody", UserUnknown, "nobody"),
    ]
    for to, error, words in cases:
        with world.refuses(error, words) as session:
            orders.hand_over(session, order_id, to=to, actor=approver, now=world.now)


def test_a_decided_order_is_not_handed_over_and_a_handover_dies_with_its_request(office: Office) -> None:
    world = office.world
    order_id = world.submitted_order((office.bolts, 100))
    how: dict[str, Any] = {"actor": world.user("approver"), "now": world.now}
    orders.hand_over(world.begin(), order_id, to="both", **how)
    world.begin().execute(sa.update(Approval).values(decision=Decision.VOID))
    with world.refuses(NotPending, "nothing to hand over") as session:
        orders.hand_over(session, order_id, to="both", **how)


def test_of_many_orders_each_that_may_is_approved_and_the_others_say_why(office: Office) -> None:
    world = office.world
    boss = office.both
    rules.set_limit(world.begin(), username="approver", currency="GBP", largest_amount=40000, actor=boss)
    small, large = world.submitted_order((office.bolts, 100)), world.submitted_order((office.bolts, 101))
    draft_id = world.order((office.bolts, 10))
    outcomes = orders.approve_each(
        world.begin(), [large, draft_id, small], actor=world.user("approver"), now=world.now, today=world.today
    )
    said = {outcome.order_id: str(outcome.refusal or "") for outcome in outcomes}
    assert said[small] == ""
    assert "comes to 404.00 GBP" in said[large]
    assert "is draft: approve is not possible" in said[draft_id]
    assert (
        world.position(world.begin().execute(sa.text("SELECT id FROM item WHERE sku = 'bolt'")).scalar_one()).on_order
        == 100
    )
