"""Key figures of one hand-made week: what was asked for, what left, what arrived as promised, what came back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from forecasting import history
from forecasting.runs import ForecastRun
from scm.finance import valuation
from scm.loop import kpis
from scm.loop.cycle_runs import CycleRun
from scm.loop.kpis import Kpis
from scm.sales import orders
from tests.selling import Shop
from tests.world import FIRST_DAY, World

LAST_DAY = FIRST_DAY + timedelta(days=6)


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


def of_week(world: World, *, since: date = FIRST_DAY, until: date = LAST_DAY) -> Kpis:
    setup = world.setup
    return kpis.of_period(
        world.begin(), site_id=setup.site_id, company_id=setup.company_id, from_date=since, until_date=until
    )


def test_a_week_in_which_nothing_happened_has_no_rates(world: World) -> None:
    found = of_week(world)
    assert (found.orders, found.lines, found.units_ordered, found.backordered, found.stock_value) == (0, 0, 0, 0, 0)
    assert (found.fill_rate, found.otif_rate, found.return_rate, found.wape) == (None, None, None, None)


def test_the_fill_rate_counts_what_left_or_is_promised_of_all_units_that_were_asked_for(
    world: World, shop: Shop
) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 30)
    shop.send_out(shop.order((bolt, 10)))
    shop.order((bolt, 10))
    shop.order((bolt, 30))  # ten of them are there
    shop.cancel(shop.order((bolt, 7)))  # asked for nothing, in the end
    shop.draft(shop.request((bolt, 500)))  # nor did this one, so far
    found = of_week(world)
    assert (found.orders, found.lines, found.units_ordered) == (3, 3, 50)
    assert found.fill_rate == pytest.approx((10 + 10 + 10) / 50)
    assert found.backordered == 20


def test_what_a_customer_tired_of_waiting_for_was_asked_for(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    order = shop.order((bolt, 10))
    [line] = shop.lines(order)
    sales = world.user("sales")
    orders.give_up(world.begin(), [line.line_id], actor=sales, now=world.now, today=world.today)
    found = of_week(world)
    assert (found.orders, found.units_ordered, found.fill_rate, found.backordered) == (1, 10, 0.0, 0)


def test_otif_judges_only_orders_that_were_promised_a_date(world: World, shop: Shop) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 40)
    kept, broken = shop.order((bolt, 10)), shop.order((bolt, 10))
    promised = shop.line(kept).promised_date
    assert promised is not None and FIRST_DAY < promised <= LAST_DAY
    later = shop.order((bolt, 5), requested_date=LAST_DAY + timedelta(days=30))  # due in another week
    unpromised = shop.order((nut, 5))  # nothing is coming: nobody can say when
    assert shop.line(unpromised).promised_date is None
    shop.draft(shop.request((bolt, 5)))
    on_its_way = shop.send_out(kept, broken)

    assert of_week(world, until=promised - timedelta(days=1)).otif_rate is None
    world.today = promised
    shop.deliver([one for one in on_its_way if one.shipment_id == on_its_way[0].shipment_id])
    world.today = promised + timedelta(days=1)
    shop.deliver(on_its_way[1:])
    assert of_week(world, until=max(LAST_DAY, world.today)).otif_rate == 0.5
    assert shop.on_time_in_full(later) is None


def test_an_order_that_never_arrived_is_late_on_the_day_after_its_promise(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    promised = shop.line(shop.order((bolt, 10))).promised_date
    assert promised is not None
    assert of_week(world, until=promised).otif_rate == 0.0
    assert of_week(world, until=promised - timedelta(days=1)).otif_rate is None


def test_stock_value_and_return_rate_come_from_the_books(world: World, shop: Shop) -> None:
    bolt = world.item("bolt", unit_cost="4.00")
    world.stock(bolt, 30)
    on_its_way = shop.send_out(shop.order((bolt, 20)))
    world.today += timedelta(days=1)
    shop.deliver(on_its_way)
    history.record_returns(
        world.begin(),
        site_id=world.setup.site_id,
        source_id=1,
        item_ids=np.array([bolt, bolt]),
        days=np.array([world.today.toordinal(), (LAST_DAY + timedelta(days=1)).toordinal()]),
        sale_days=np.array([history.NO_DATE, history.NO_DATE]),
        quantities=np.array([2, 9]),  # nine of them after the week
    )
    valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
    found = of_week(world)
    assert found.stock_value == 10 * 400
    assert found.return_rate == pytest.approx(2 / 20)


def test_the_forecast_error_is_the_one_the_last_run_of_the_week_measured(world: World) -> None:
    for day, error in ((0, 0.5), (3, 0.25), (5, None), (8, 0.9)):
        record_run(world, FIRST_DAY + timedelta(days=day), error)
    assert of_week(world).wape == 0.25


def record_run(world: World, day: date, error: float | None) -> None:
    session, site_id = world.begin(), world.setup.site_id
    forecast = ForecastRun(
        site_id=site_id, as_of_date=day, created_at=world.now, bucket_days=7, settings={}, inputs_hash=""
    )
    session.add(forecast)
    session.flush()
    session.add(
        CycleRun(
            site_id=site_id,
            as_of_date=day,
            finished_at=world.now,
            duration_milliseconds=1,
            inputs_hash="",
            settings={},
            forecast_run_id=forecast.id,
            items=0,
            proposals=0,
            solver="HiGHS",
            status="optimal",
            objective=0,
            bound=0,
            gap=Decimal(0),
            measures={"forecast": None if error is None else {"wape": error}, "late_suppliers": []},
            messages=[],
        )
    )
    session.flush()
