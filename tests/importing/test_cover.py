"""The assumed stock of go-live day: what should be there, and what is on its way."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scm.loop.importing import cover
from scm.loop.importing.chance import Chance
from scm.loop.importing.cover import Source

GO_LIVE = date(2011, 8, 21)
WEEKS = st.lists(st.integers(0, 500), min_size=13, max_size=13)
SOURCES = st.builds(
    Source,
    lead_time_days=st.integers(0, 40),
    review_period_days=st.sampled_from([1, 7, 14]),
    review_weekday=st.integers(0, 6),
    minimum_order_quantity=st.integers(0, 100),
    order_multiple=st.sampled_from([1, 6, 12, 24, 48]),
)


def weekly_source(lead_time_days: int, order_multiple: int = 1) -> Source:
    return Source(
        lead_time_days=lead_time_days,
        review_period_days=7,
        review_weekday=4,
        minimum_order_quantity=order_multiple,
        order_multiple=order_multiple,
    )


def test_steady_demand_needs_cover_for_lead_time_and_review_and_no_more() -> None:
    assert cover.position([70] * 13, weekly_source(14)) == 210


def test_a_single_bulk_order_at_most_doubles_the_cover() -> None:
    assert cover.position([0] * 12 + [7800], weekly_source(14)) == 2 * 1800


def test_steady_demand_has_one_order_on_its_way_for_each_review_within_the_lead_time() -> None:
    arrivals = cover.on_its_way([70] * 13, weekly_source(21), sku="A", go_live=GO_LIVE, chance=Chance(1))
    # GO_LIVE is a Sunday, reviews are on Fridays.
    assert [arrival.ordered_date for arrival in arrivals] == [date(2011, 8, 5), date(2011, 8, 12), date(2011, 8, 19)]
    assert [arrival.due_date for arrival in arrivals] == [date(2011, 8, 26), date(2011, 9, 2), date(2011, 9, 9)]
    assert [arrival.quantity for arrival in arrivals] == [70, 70, 70]


@given(weekly=WEEKS, source=SOURCES, seed=st.integers(0, 10**6))
def test_what_is_on_its_way_could_have_been_ordered(weekly: list[int], source: Source, seed: int) -> None:
    arrivals = cover.on_its_way(weekly, source, sku="A", go_live=GO_LIVE, chance=Chance(seed))
    for arrival in arrivals:
        assert arrival.ordered_date < GO_LIVE <= arrival.due_date
        assert arrival.ordered_date.weekday() == source.review_weekday or source.review_period_days == 1
        assert arrival.due_date - arrival.ordered_date == timedelta(days=source.lead_time_days)
        assert arrival.quantity % source.order_multiple == 0
        assert arrival.quantity >= source.minimum_order_quantity
    assert not arrivals or sum(weekly) > 0


def test_over_many_items_what_is_on_its_way_is_the_demand_of_the_reviews() -> None:
    source, weekly = weekly_source(14, order_multiple=48), [6] * 13
    coming = [
        sum(a.quantity for a in cover.on_its_way(weekly, source, sku=str(n), go_live=GO_LIVE, chance=Chance(3)))
        for n in range(2000)
    ]
    assert 11 < sum(coming) / len(coming) < 13  # two reviews of six units, although a lot holds forty-eight


def test_a_few_items_are_sold_out_and_one_that_stopped_selling_has_leftovers() -> None:
    chance = Chance(9)
    held = [cover.in_bins([70] * 13, weekly_source(14), sku=str(n), coming=0, chance=chance) for n in range(2000)]
    assert 20 < held.count(0) < 120
    assert all(147 <= quantity <= 273 for quantity in held if quantity)
    left = [cover.in_bins([0] * 13, weekly_source(14), sku=str(n), coming=0, chance=chance) for n in range(2000)]
    assert max(left) == cover.MOST_LEFTOVERS
