"""What is moved between sites: never more than is spared or missing, and nobody sends what they need themselves."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scm.planning import moving, requirements
from scm.planning.checks import Integers
from scm.planning.moving import Moved, Way
from scm.planning.requirements import Positions

DAYS, PROTECTED = 21, 10


@st.composite
def positions(draw: st.DrawFn, items: int) -> Positions:
    """One site's stock, supply and demand."""

    def whole(most: int) -> Integers:
        return np.array(draw(st.lists(st.integers(0, most), min_size=items, max_size=items)), dtype=np.int64)

    supply = np.zeros((items, DAYS), dtype=np.int64)
    supply[np.arange(items), whole(DAYS - 1)] = whole(40)
    dependent = np.zeros((items, DAYS), dtype=np.int64)
    dependent[np.arange(items), whole(DAYS - 1)] = whole(15)
    return Positions(
        on_hand=whole(120),
        backordered=whole(20),
        supply=supply,
        forecast=np.repeat(whole(8)[:, None] / 3, DAYS, axis=1),
        confirmed=np.zeros((items, DAYS), dtype=np.int64),
        dependent=dependent,
        returns=np.zeros((items, DAYS)),
        safety_demand=whole(10),
        safety_lead_time=whole(4),
        protection_end=np.full((items, 1), PROTECTED, dtype=np.int64),
    )


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[Positions], Integers, list[Way]]:
    """Some sites with the same items, their review periods, and some ways between them."""
    items, sites = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    found = [draw(positions(items)) for _ in range(sites)]
    review = np.array(draw(st.lists(st.integers(0, 9), min_size=items, max_size=items)), dtype=np.int64)
    ends = [(a, b) for a in range(sites) for b in range(sites) if a != b]
    chosen = draw(st.lists(st.sampled_from(ends), unique=True, max_size=len(ends)))
    ways = [
        Way(
            lane_id=number,
            from_site=a,
            to_site=b,
            transit_days=draw(st.integers(0, 12)),
            joint_cost=draw(st.sampled_from([0.0, 500.0])),
            priority=draw(st.integers(1, 3)),
        )
        for number, (a, b) in enumerate(chosen)
    ]
    return found, review, ways


def moved_in(found: list[Positions], review: Integers, ways: list[Way]) -> list[Moved]:
    required = [requirements.net(positions=one) for one in found]
    items = len(review)
    return moving.decide(
        need=[one.need[:, 0] for one in required],
        spare=[moving.spare(site, net, review_days=review) for site, net in zip(found, required, strict=True)],
        runs_out=[moving.first_short_day(one) for one in required],
        bought_after=[np.full(items, 7.0)] * len(found),
        protected=[one.protection_end[:, 0] for one in found],
        price=np.full(items, 100.0),
        ways=ways,
    )


@given(network=networks())
def test_no_move_takes_a_sender_below_its_own_need_and_the_total_stays(
    network: tuple[list[Positions], Integers, list[Way]],
) -> None:
    found, review, ways = network
    moved = moved_in(found, review, ways)
    for place, site in enumerate(found):
        sent = sum((one.quantity for one in moved if one.way.from_site == place), np.zeros(len(review), dtype=np.int64))
        got = sum((one.quantity for one in moved if one.way.to_site == place), np.zeros(len(review), dtype=np.int64))
        assert not (sent.astype(bool) & got.astype(bool)).any(), "no site sends and receives the same item"
        assert (sent <= np.maximum(site.on_hand - site.backordered, 0)).all(), "nobody sends what is not there"
        safety = site.safety_demand + site.safety_lead_time
        for item in np.flatnonzero(sent):
            # Counted anew, day by day and without the planning code: what is left after sending.
            stock, end = int(site.on_hand[item] - site.backordered[item] - sent[item]), PROTECTED + int(review[item])
            demand = 0.0
            for day in range(min(end, DAYS)):
                stock += int(site.supply[item, day])
                stock -= int(site.dependent[item, day])
                demand += float(site.forecast[item, day])
                assert stock - int(np.floor(demand + 0.5)) >= int(safety[item]), f"day {day}"
        need = np.maximum(requirements.net(positions=site).need[:, 0], 0)
        assert (got <= need).all(), "nobody is sent more than is missing"
    sent_by = [sum(int(one.quantity.sum()) for one in moved if one.way.from_site == p) for p in range(len(found))]
    got_by = [sum(int(one.quantity.sum()) for one in moved if one.way.to_site == p) for p in range(len(found))]
    assert sum(sent_by) == sum(got_by)


@given(network=networks())
def test_what_each_move_says_it_started_from_adds_up(network: tuple[list[Positions], Integers, list[Way]]) -> None:
    moved = moved_in(*network)
    assert all((one.quantity <= one.short_before).all() and (one.quantity <= one.spare_before).all() for one in moved)
    for one in moved:
        before = [other for other in moved[: moved.index(one)] if other.way.to_site == one.way.to_site]
        if before:
            assert (one.short_before == before[-1].short_before - before[-1].quantity).all()


def decided(*ways: Way, runs_out: int = 4) -> list[Moved]:
    return moving.decide(
        need=[np.array([30]), np.array([-50]), np.array([-9])],
        spare=[np.array([0]), np.array([20]), np.array([9])],
        runs_out=[np.array([runs_out]), np.array([99]), np.array([99])],
        bought_after=[np.array([7.0])] * 3,
        protected=[np.array([14])] * 3,
        price=np.array([400.0]),
        ways=ways,
    )


def way(from_site: int, *, days: int = 2, cost: float = 0.0, priority: int = 1) -> Way:
    return Way(lane_id=1, from_site=from_site, to_site=0, transit_days=days, joint_cost=cost, priority=priority)


def test_the_lane_of_the_lowest_priority_is_asked_first() -> None:
    found = decided(way(1, priority=2), way(2, priority=1))
    assert [(one.way.from_site, int(one.quantity[0])) for one in found] == [(2, 9), (1, 20)]


def test_what_comes_too_late_is_not_moved() -> None:
    assert decided(way(1, days=7)), "no later than bought goods"
    assert decided(way(1, days=9)) == []
    assert decided(way(1, days=9), runs_out=12), "the stock lasts longer than the way"
    assert decided(way(1, days=14), runs_out=99) == [], "after the protected days it fills no need of theirs"


def test_a_transfer_that_costs_more_than_it_carries_is_not_made() -> None:
    assert decided(way(1, cost=8_000.0))
    assert decided(way(1, cost=8_001.0)) == []
