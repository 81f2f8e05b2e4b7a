"""The indicators of one hand-made month, and what the cover list says of each of its items."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import sqlalchemy as sa

from forecasting import history
from scm.finance import valuation
from scm.loop import indicators
from scm.loop.daily import ItemMeasure
from scm.loop.indicators import Indicator, Reading
from tests.inbox.office import Office
from tests.selling import Shop
from tests.world import World


def measure(world: World) -> dict[str, tuple[int, int]]:
    setup = world.setup
    valuation.run(world.begin(), company_id=setup.company_id, now=world.now)
    found = indicators.measure(
        world.begin(), site_id=setup.site_id, actor=world.user("system"), now=world.now, today=world.today
    )
    return dict(found)


def reading(world: World, one: Indicator) -> Reading:
    found = indicators.read(world.begin(), site_id=world.setup.site_id, today=world.today)
    assert found is not None
    return next(reading for reading in found.readings if reading.indicator is one)


def of_item(world: World, item: int) -> ItemMeasure:
    return world.begin().scalars(sa.select(ItemMeasure).where(ItemMeasure.item_id == item)).one()


def test_a_company_without_a_past_shows_only_what_it_can_say(world: World) -> None:
    assert indicators.read(world.begin(), site_id=world.setup.site_id, today=world.today) is None
    assert measure(world) == {"backordered": (0, 1), "stock_value": (0, 1)}


def test_a_month_of_selling(world: World, shop: Shop) -> None:
    bolt, nut, gone = world.item("bolt"), world.item("nut"), world.item("gone")
    agreement = world.agreement(bolt, world.supplier("works"))
    world.stock(bolt, 40)
    world.stock(nut, 100)
    world.pass_days(1)
    order = world.sent_order((agreement, 60), due_in=7)
    world.pass_days(7)
    world.receive(order)
    world.put_away()
    shop.send_out(shop.order((bolt, 25)))
    shop.order((bolt, 5))  # promised, still in storage
    shop.order((gone, 10), (bolt, 1))  # one line waits
    world.pass_days(1)
    found = measure(world)
    assert found["in_stock"] == (2, 3)
    assert found["ready_complete"] == (1, 2)
    assert found["backordered"] == (10, 1)
    assert found["fill_rate"] == (31, 41)
    assert found["sell_through"] == (25, 40 + 60 + 100)
    assert found["moving"] == (1, 2)
    assert found["stock_value"] == ((75 + 100) * 400, 1)
    assert found["inventory_days"] == ((75 + 100) * 400 * 30, 25 * 400)
    assert found["supplier_on_time"] == (1, 1)
    measured = of_item(world, bolt)
    assert (measured.opening, measured.received, measured.sold) == (40, 60, 25)
    assert (measured.last_sale_date, measured.asked_8_weeks) == (world.day(-1), 31)
    assert (of_item(world, nut).sold, of_item(world, nut).last_sale_date) == (0, None)


def test_a_receipt_and_a_sale_that_were_put_right_are_none(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    shop.send_out(shop.order((bolt, 4)))
    world.pass_days(1)
    measure(world)
    measured = of_item(world, bolt)
    assert (measured.opening, measured.received, measured.sold) == (10, 0, 4)


def test_sales_of_before_the_books_count_for_trend_and_last_sale(world: World, office: Office) -> None:
    bolt = world.item("bolt")
    days = np.array([world.day(-offset).toordinal() for offset in (10, 50, 60, 300)])
    history.record_demand(
        world.begin(),
        site_id=world.setup.site_id,
        source_id=1,
        item_ids=np.full(4, bolt),
        days=days,
        quantities=np.array([3, 4, 5, 100]),
    )
    office.forecast({bolt: 3.5})
    measure(world)
    measured = of_item(world, bolt)
    assert measured.last_sale_date == world.day(-10)
    assert (measured.asked_8_weeks, measured.asked_8_weeks_before, measured.daily_thousandths) == (7, 5, 500)


def test_an_indicator_tells_its_change_since_yesterday_and_last_week(world: World) -> None:
    world.item("bolt")
    nut = world.item("nut")
    measure(world)
    world.pass_days(6)
    world.stock(nut, 10)
    measure(world)
    world.pass_days(1)
    world.stock(world.item("screw"), 10)
    measure(world)
    seen = reading(world, Indicator.IN_STOCK)
    assert (seen.part, seen.whole) == (2, 3)
    assert seen.since_yesterday == Decimal(2) / 3 - Decimal(1) / 2
    assert seen.since_last_week == Decimal(2) / 3
    world.pass_days(1)
    assert reading(world, Indicator.IN_STOCK).part == 2  # yesterday's, until today is measured
    assert reading(world, Indicator.STOCK_VALUE).value == 2 * 10 * 400


def test_measuring_twice_a_day_keeps_the_newest(world: World) -> None:
    bolt = world.item("bolt")
    measure(world)
    world.stock(bolt, 5)
    measure(world)
    assert reading(world, Indicator.IN_STOCK).part == 1
    assert reading(world, Indicator.IN_STOCK).since_yesterday is None
