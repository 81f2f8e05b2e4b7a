"""Demand as weekly buckets: facts from before go-live, orders and lost demand from after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from forecasting import history
from forecasting.history import DemandFact, NoWeeks, ReturnFact
from scm.sales import lost_demand, orders
from scm.sales.lost_demand import Loss
from scm.sales.orders import LineRequest, OrderRequest
from scm.stock.reservations import Shortage
from tests.world import FIRST_DAY, World

AS_OF = FIRST_DAY  # a Monday, the go-live day of the small company


def record(
    session: Session,
    world: World,
    facts: Sequence[tuple[int, date, int]],
    *,
    source_id: int = 1,
    site: int | None = None,
) -> int:
    return history.record_demand(
        session,
        site_id=world.setup.site_id if site is None else site,
        source_id=source_id,
        item_ids=np.array([item for item, _, _ in facts], dtype=np.int64),
        days=np.array([day.toordinal() for _, day, _ in facts], dtype=np.int64),
        quantities=np.array([quantity for _, _, quantity in facts], dtype=np.int64),
    )


def weekly(session: Session, world: World, *, as_of: date = AS_OF, weeks: int = 3) -> dict[int, list[float]]:
    found = history.weekly_demand(session, site_id=world.setup.site_id, as_of=as_of, weeks=weeks)
    return dict(zip(found.item_ids.tolist(), found.demand.tolist(), strict=True))


def order(session: Session, world: World, item: int, quantity: int, *, confirmed: bool = True) -> int:
    sales = world.user("sales")
    [order_id] = orders.place(
        session,
        [
            OrderRequest(
                site_id=world.setup.site_id,
                customer_id=world.customer(f"customer {item}, {quantity}"),
                channel="web",
                lines=[LineRequest(item_id=item, quantity=quantity, unit_price=Decimal(1))],
            )
        ],
        actor=sales,
        now=world.now,
        today=world.today,
    )
    if confirmed:
        session = world.begin()
        orders.confirm(session, [order_id], shortage=Shortage.SPLIT, actor=sales, now=world.now, today=world.today)
    return order_id


def test_facts_of_one_item_and_day_are_added_up(session: Session) -> None:
    world = World(session)
    bolt, nut = world.items(2)
    day = date(2025, 12, 1)
    assert record(session, world, [(bolt, day, 5), (nut, day, 1), (bolt, day, 7), (bolt, day + timedelta(1), 1)]) == 3
    facts = sa.select(DemandFact.item_id, DemandFact.demand_date, DemandFact.quantity)
    assert session.execute(facts.order_by(DemandFact.item_id, DemandFact.demand_date)).all() == [
        (bolt, day, 12),
        (bolt, day + timedelta(1), 1),
        (nut, day, 1),
    ]


def test_a_source_cannot_record_twice(session: Session) -> None:
    world = World(session)
    bolt = world.item("bolt")
    record(session, world, [(bolt, date(2025, 12, 1), 5)])
    with pytest.raises(IntegrityError), session.begin_nested():
        record(session, world, [(bolt, date(2025, 12, 1), 5)])
    assert record(session, world, [(bolt, date(2025, 12, 1), 5)], source_id=2) == 1


def test_returns_keep_the_day_of_the_sale_where_it_is_known(session: Session) -> None:
    world = World(session)
    bolt = world.item("bolt")
    came, sold = date(2025, 12, 9), date(2025, 12, 1)
    count = history.record_returns(
        session,
        site_id=world.setup.site_id,
        source_id=1,
        item_ids=np.array([bolt] * 3),
        days=np.array([came.toordinal()] * 3),
        sale_days=np.array([sold.toordinal(), history.NO_DATE, sold.toordinal()]),
        quantities=np.array([1, 2, 4]),
    )
    assert count == 2
    facts = sa.select(ReturnFact.sale_date, ReturnFact.quantity).order_by(ReturnFact.quantity)
    assert session.execute(facts).all() == [(None, 2), (sold, 5)]


def test_weeks_end_the_day_before_and_begin_seven_days_earlier(session: Session) -> None:
    world = World(session)
    bolt = world.item("bolt")
    facts = [(AS_OF - timedelta(days=back), back) for back in (1, 7, 8, 14, 15, 21, 22, 400)]
    record(session, world, [(bolt, day, quantity) for day, quantity in facts])
    assert weekly(session, world) == {bolt: [15 + 21, 8 + 14, 1 + 7]}


def test_nothing_dated_on_the_day_or_later_is_seen(session: Session) -> None:
    world = World(session)
    bolt, nut = world.items(2)
    record(session, world, [(bolt, AS_OF - timedelta(1), 1), (bolt, AS_OF, 50), (nut, AS_OF + timedelta(3), 50)])
    assert weekly(session, world) == {bolt: pytest.approx([np.nan, np.nan, 1], nan_ok=True)}


def test_weeks_before_the_first_demand_of_an_item_are_unknown_and_later_ones_zero(session: Session) -> None:
    world = World(session)
    bolt, nut = world.items(2)
    record(session, world, [(bolt, AS_OF - timedelta(16), 3), (nut, AS_OF - timedelta(300), 9)])
    assert weekly(session, world, weeks=4) == {
        bolt: pytest.approx([np.nan, 3, 0, 0], nan_ok=True),
        nut: [0, 0, 0, 0],
    }


def test_orders_after_go_live_count_on_the_day_they_were_placed(session: Session) -> None:
    world = World(session)
    bolt, nut = world.items(2)
    record(session, world, [(bolt, AS_OF - timedelta(3), 2)])
    order(session, world, bolt, 5)
    order(session, world, nut, 4)
    world.pass_days(7)
    session = world.begin()
    order(session, world, bolt, 6)
    world.pass_days(2)
    assert weekly(session, world, as_of=world.today, weeks=2) == {
        bolt: [2 + 5, 6],
        nut: [4, 0],
    }


def test_an_order_cancelled_on_its_day_was_never_demand_and_a_later_cancellation_was(session: Session) -> None:
    world = World(session)
    bolt = world.item("bolt")
    at_once, later = order(session, world, bolt, 5000), order(session, world, bolt, 7)
    session = world.begin()
    sales = world.user("sales")
    orders.cancel(session, [at_once], reason="typing error", actor=sales, now=world.now, today=world.today)
    world.pass_days(3)
    session = world.begin()
    orders.cancel(session, [later], reason="changed my mind", actor=sales, now=world.now, today=world.today)
    world.pass_days(4)
    assert weekly(session, world, as_of=world.today, weeks=1) == {bolt: [7]}


def test_a_draft_is_not_demand_yet(session: Session) -> None:
    world = World(session)
    bolt = world.item("bolt")
    order(session, world, bolt, 5, confirmed=False)
    world.pass_days(7)
    assert weekly(session, world, as_of=world.today, weeks=1) == {}


def test_lost_demand_counts_once_whether_or_not_it_was_ordered(session: Session) -> None:
    world = World(session)
    bolt = world.item("bolt")
    order(session, world, bolt, 5)
    line_id = session.scalar(sa.text("SELECT id FROM sales_order_line"))
    lost = [
        Loss(item_id=bolt, site_id=world.setup.site_id, lost_date=world.today, quantity=5, line_id=line_id),
        Loss(item_id=bolt, site_id=world.setup.site_id, lost_date=world.today, quantity=3),
    ]
    lost_demand.record_lost_demand(session, lost, actor=world.user("sales"), now=world.now)
    world.pass_days(7)
    assert weekly(session, world, as_of=world.today, weeks=1) == {bolt: [5 + 3]}


def test_another_site_has_its_own_demand(session: Session) -> None:
    world = World(session)
    bolt = world.item("bolt")
    record(session, world, [(bolt, AS_OF - timedelta(1), 9)], site=world.setup.site_id + 1)
    assert weekly(session, world) == {}


def test_no_weeks_are_refused(session: Session) -> None:
    world = World(session)
    with pytest.raises(NoWeeks, match="0 weeks of demand: ask for at least 1"):
        weekly(session, world, weeks=0)


@given(
    facts=st.lists(st.tuples(st.integers(0, 2), st.integers(-10, 40), st.integers(1, 99)), min_size=1, max_size=30),
    weeks=st.integers(1, 6),
)
def test_buckets_are_the_sums_that_a_loop_over_the_facts_finds(facts: list[tuple[int, int, int]], weeks: int) -> None:
    keys = np.array([[item, AS_OF.toordinal() - back] for item, back, _ in facts])
    quantities = np.array([quantity for *_, quantity in facts])
    (items, days), totals = history._added_up([keys[:, 0], keys[:, 1]], quantities)
    expected: dict[tuple[int, int], int] = {}
    for item, back, quantity in facts:
        day = AS_OF.toordinal() - back
        expected[(item, day)] = expected.get((item, day), 0) + quantity
    assert list(zip(zip(items.tolist(), days.tolist(), strict=True), totals.tolist(), strict=True)) == sorted(
        expected.items()
    )
