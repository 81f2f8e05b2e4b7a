"""Lead times are measured on what really came, and a supplier who is late shows before the goods come."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procurement import orders, scorecard
from procurement.scorecard import Delivery, LeadTimes
from scm.stock import ledger
from tests.world import World


def measured(world: World) -> dict[int, LeadTimes]:
    return scorecard.lead_times(world.begin(), until=world.today)


def test_lead_time_runs_from_sending_to_counting(world: World) -> None:
    acme = world.supplier("acme")
    agreement = world.agreement(world.item("bolt"), acme, lead_time_days=7)
    for days in (7, 9):
        order = world.sent_order((agreement, 10))
        world.pass_days(days)
        world.receive(order)
    times = measured(world)[acme]
    assert (times.days, times.mean_days, times.agreed_mean_days) == ((7, 9), Decimal(8), Decimal(7))
    assert (times.late_rate, times.p90_days, times.open_count) == (Decimal("0.5"), 9, 0)


def test_many_lines_on_one_lorry_are_one_delivery(world: World) -> None:
    acme = world.supplier("acme")
    lines = [(world.agreement(item, acme, lead_time_days=7), 10) for item in world.items(20)]
    order = world.sent_order(*lines)
    world.pass_days(12)
    world.receive(order)
    assert measured(world)[acme].days == (12,)


def test_each_part_of_an_order_that_comes_in_parts_is_a_delivery(world: World) -> None:
    acme = world.supplier("acme")
    order = world.sent_order((world.agreement(world.item("bolt"), acme, lead_time_days=7), 10))
    world.pass_days(5)
    world.receive(order, 4)
    world.pass_days(5)
    world.receive(order)
    assert measured(world)[acme].days == (5, 10)


def test_an_overdue_order_counts_with_the_days_it_has_taken_so_far(world: World) -> None:
    acme = world.supplier("acme")
    order = world.sent_order((world.agreement(world.item("bolt"), acme, lead_time_days=7), 10))
    world.pass_days(7)
    assert measured(world) == {}, "an order within its time says nothing yet"
    world.pass_days(6)
    times = measured(world)[acme]
    assert (times.days, times.open_count, times.late_rate) == ((13,), 1, Decimal(1))
    world.receive(order)
    assert measured(world)[acme].open_count == 0


def test_an_order_that_was_cancelled_is_awaited_no_more(world: World) -> None:
    acme = world.supplier("acme")
    order = world.sent_order((world.agreement(world.item("bolt"), acme), 10))
    world.pass_days(30)
    orders.cancel(world.begin(), [order], reason="never came", actor=world.user("buyer"), now=world.now)
    assert measured(world) == {}


def test_a_receipt_that_was_reversed_never_happened(world: World) -> None:
    acme = world.supplier("acme")
    order = world.sent_order((world.agreement(world.item("bolt"), acme), 10))
    world.pass_days(3)
    [posted] = world.receive(order).posted
    ledger.reverse(
        world.begin(),
        [posted.id],
        reason="counted the wrong pallet",
        actor=world.user("warehouse"),
        now=world.now,
        today=world.today,
    )
    assert measured(world) == {}


def test_each_supplier_has_a_card_of_their_own(world: World) -> None:
    punctual, late = world.supplier("punctual"), world.supplier("late")
    sent = {
        supplier: world.sent_order((world.agreement(world.item(f"from {supplier}"), supplier), 10))
        for supplier in (punctual, late)
    }
    world.pass_days(7)
    world.receive(sent[punctual])
    world.pass_days(7)
    world.receive(sent[late])
    cards = measured(world)
    assert (cards[punctual].late_rate, cards[late].late_rate) == (Decimal(0), Decimal(1))
    assert scorecard.lead_times(world.begin(), until=world.today, since=world.today) == {}


@given(days=st.lists(st.integers(0, 400), min_size=1, max_size=40), agreed=st.integers(0, 60))
def test_the_figures_agree_with_their_definitions(days: list[int], agreed: int) -> None:
    card = scorecard.summarise([Delivery(1, taken, agreed, False) for taken in days])
    assert min(days) <= card.p90_days <= max(days)
    assert sum(taken <= card.p90_days for taken in days) * 10 >= 9 * len(days)
    assert sum(taken < card.p90_days for taken in days) * 10 < 9 * len(days)
    assert abs(card.mean_days * len(days) - sum(days)) <= Decimal("0.0005") * len(days)
    assert card.late_rate == (Decimal(sum(t > agreed for t in days)) / len(days)).quantize(Decimal("0.001"))


@given(days=st.lists(st.integers(1, 100), max_size=20), agreed=st.integers(1, 60), weight=st.integers(1, 20))
def test_what_was_measured_draws_the_agreement_towards_it(days: list[int], agreed: int, weight: int) -> None:
    mean, deviation = scorecard.blend(days, agreed_days=agreed, weight=weight)
    assert min([agreed, *days]) <= mean <= max([agreed, *days])
    assert deviation >= 0


def test_a_card_needs_a_delivery() -> None:
    with pytest.raises(ValueError, match="at least one delivery"):
        scorecard.summarise([])
