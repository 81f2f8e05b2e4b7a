"""Orders split to stay under an approval limit are shown to whoever is to approve one of them."""

from __future__ import annotations

import pytest

from procurement import orders, rules, splits
from scm.core import users
from scm.core.users import Role
from tests.world import World


@pytest.fixture
def bolts(world: World) -> int:
    """Bolts at 4.00 from acme, and an approver who may approve up to 400.00."""
    boss = users.add(world.begin(), username="boss", display_name="Boss", roles=frozenset({Role.ADMIN}), now=world.now)
    rules.set_limit(world.begin(), username="approver", currency="GBP", largest_amount=40000, actor=boss)
    return world.agreement(world.item("bolt"), world.supplier("acme"))


def test_two_orders_within_a_week_that_are_one_too_large_are_flagged(world: World, bolts: int) -> None:
    first = world.submitted_order((bolts, 60))
    world.pass_days(3)
    second = world.submitted_order((bolts, 50))
    found = splits.suspected(world.begin(), [first, second])
    assert set(found) == {first, second}
    assert (found[second].total, found[second].limit, len(found[second].numbers)) == (44000, 40000, 2)


def test_an_approved_part_is_remembered(world: World, bolts: int) -> None:
    world.approved_order((bolts, 60))
    second = world.submitted_order((bolts, 50))
    assert set(splits.suspected(world.begin(), [second])) == {second}


def test_orders_a_week_apart_are_the_usual_rhythm(world: World, bolts: int) -> None:
    first = world.submitted_order((bolts, 60))
    world.pass_days(7)
    second = world.submitted_order((bolts, 50))
    assert splits.suspected(world.begin(), [first, second]) == {}


def test_orders_that_are_together_within_the_limit_or_alone_above_it_are_not_split(world: World, bolts: int) -> None:
    exactly = [world.submitted_order((bolts, 50)), world.submitted_order((bolts, 50))]
    above = world.submitted_order((bolts, 101))
    assert splits.suspected(world.begin(), [*exactly, above]) == {}


def test_other_suppliers_other_requesters_and_cancelled_orders_do_not_count(world: World, bolts: int) -> None:
    other = world.agreement(world.item("nut"), world.supplier("other"))
    colleague = users.add(
        world.begin(), username="colleague", display_name="C", roles=frozenset({Role.BUYER}), now=world.now
    )
    first = world.submitted_order((bolts, 60))
    world.submitted_order((other, 60))
    theirs = world.order((bolts, 60))
    orders.submit(world.begin(), [theirs], actor=colleague, now=world.now)
    gone = world.submitted_order((bolts, 60))
    orders.cancel(world.begin(), [gone], reason="not needed", actor=world.user("buyer"), now=world.now)
    assert splits.suspected(world.begin(), [first]) == {}


def test_without_limits_nothing_is_split(world: World) -> None:
    bolts = world.agreement(world.item("bolt"), world.supplier("acme"))
    order_ids = [world.submitted_order((bolts, 60)) for _ in range(3)]
    assert splits.suspected(world.begin(), order_ids) == {}
    assert splits.suspected(world.begin(), []) == {}
