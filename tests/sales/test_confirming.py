"""What an order is promised: stock, a backorder, and a date."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from scm.master.calendars import ClosedDay
from scm.master.items import Item, ItemStatus
from scm.master.lanes import CarrierService
from scm.master.partners import Partner
from scm.sales import orders
from scm.sales.confirming import CannotConfirm
from scm.sales.documents import SalesOrderLine
from scm.sales.facts import NoWayOut
from scm.sales.orders import Shortage
from tests.selling import Shop
from tests.world import World


def promised(world: World, order_id: int) -> list[date | None]:
    rows = world.begin().scalars(
        sa.select(SalesOrderLine.promised_date)
        .where(SalesOrderLine.order_id == order_id)
        .order_by(SalesOrderLine.line_number)
    )
    return list(rows)


def test_what_is_in_stock_is_reserved_and_leaves_today(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 40)
    order_id = shop.order((bolt, 10))
    line = shop.line(order_id)
    assert (line.reserved, line.waiting) == (10, 0)
    assert world.position(bolt).available == 30
    assert promised(world, order_id) == [world.day(3)]  # the carrier takes three days


def test_a_shortage_splits_into_a_promise_and_a_backorder(world: World, shop: Shop) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 6)
    world.stock(nut, 5)
    order_id = shop.order((bolt, 10), (nut, 5))
    first, second = shop.lines(order_id)
    assert (first.reserved, first.waiting, second.reserved, second.waiting) == (6, 4, 5, 0)
    assert shop.last is not None
    assert shop.last.waiting == 4
    assert world.position(bolt).backordered == 4


def test_all_or_nothing_confirms_nothing(world: World, shop: Shop) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 6)
    world.stock(nut, 5)
    [order_id] = shop.draft(shop.request((nut, 5), (bolt, 10)))
    with world.refuses(CannotConfirm, f"{shop.number(order_id)}: .* needs 10 of item {bolt}, 6 are free"):
        shop.confirm(order_id, shortage=Shortage.REFUSE)
    world.stock(bolt, 4)
    [confirmation] = shop.confirm(order_id, shortage=Shortage.REFUSE)
    assert confirmation.waiting == 0


def test_the_last_piece_goes_to_the_order_named_first(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 1)
    first, second = shop.draft(shop.request((bolt, 1)), shop.request((bolt, 1)))
    confirmations = shop.confirm(second, first)
    assert [(one.order_id, one.waiting) for one in confirmations] == [(second, 0), (first, 1)]


def test_placing_and_confirming_at_once_ends_where_the_two_steps_end(world: World, shop: Shop) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 14)
    [drafted] = shop.draft(shop.request((bolt, 7), (nut, 2)))
    shop.confirm(drafted)
    at_once = shop.order((bolt, 7), (nut, 2))

    def told(order_id: int) -> list[tuple[object, ...]]:
        lines = shop.lines(order_id)
        return [(s.item_id, s.ordered, s.reserved, s.waiting, s.cancelled, s.promised_date) for s in lines]

    assert told(drafted) == told(at_once)
    assert shop.state(drafted) is shop.state(at_once)


def test_after_the_cut_off_and_over_the_weekend_goods_leave_later(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 40)
    world.pass_days(4)  # a Friday
    evening = datetime.combine(world.today, datetime.min.time(), UTC) + timedelta(hours=16, minutes=1)
    [confirmation] = orders.place_and_confirm(
        world.begin(), [shop.request((bolt, 1))], actor=world.user("sales"), now=evening, today=world.today
    )
    assert confirmation.promised_date == world.day(3 + 3)  # leaves on Monday


def test_a_closed_day_is_no_day_to_ship(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 40)
    world.begin().add(ClosedDay(site_id=world.setup.site_id, closed_date=world.today, reason="stocktaking"))
    order_id = shop.order((bolt, 1))
    assert promised(world, order_id) == [world.day(1 + 3)]


def test_nobody_gets_goods_before_the_day_they_asked_for(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 40)
    order_id = shop.order((bolt, 1), requested_date=world.day(15))
    assert promised(world, order_id) == [world.day(15)]
    [move] = world.moves_of("sales_order", [order_id])
    assert move.due_date == world.day(11)  # the 12th day is a Saturday


def test_a_backorder_is_promised_from_the_supply_that_covers_it(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    agreement = world.agreement(bolt, world.supplier("acme"), lead_time_days=30)
    world.approved_order((agreement, 10), due_in=4)  # Friday
    first = shop.order((bolt, 8))
    second = shop.order((bolt, 8))
    assert promised(world, first) == [world.day(7 + 3)]  # leaves on Monday
    assert promised(world, second) == [world.day(31 + 3)]  # nothing on order covers it: the agreed lead time


def test_nothing_is_promised_where_nobody_supplies(world: World, shop: Shop) -> None:
    orphan, leaving = world.item("orphan"), world.item("leaving")
    world.agreement(leaving, world.supplier("acme"))
    world.begin().execute(sa.update(Item).where(Item.id == leaving).values(status=ItemStatus.PHASE_OUT))
    order_id = shop.order((orphan, 1), (leaving, 1))
    assert promised(world, order_id) == [None, None]
    assert shop.last is not None
    assert shop.last.promised_date is None


def test_a_country_with_a_service_of_its_own_is_promised_by_it(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 5)
    session = world.begin()
    standard = session.scalars(sa.select(CarrierService)).one()
    session.add(
        CarrierService(
            partner_id=standard.partner_id,
            site_id=standard.site_id,
            code="OVERSEAS",
            country="Iceland",
            transit_days=9,
            cut_off=standard.cut_off,
        )
    )
    session.execute(sa.update(Partner).where(Partner.id == shop.customer).values(country="Iceland"))
    session.flush()
    assert promised(world, shop.order((bolt, 1))) == [world.day(9)]


def test_without_a_carrier_nothing_is_confirmed(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    [order_id] = shop.draft(shop.request((bolt, 1)))
    world.begin().execute(sa.update(CarrierService).values(country="Iceland"))
    with world.refuses(NoWayOut, "customer customer: add one"):
        shop.confirm(order_id)


def test_one_order_costs_few_round_trips(world: World, shop: Shop) -> None:
    items = world.items(3)
    for item in items:
        world.stock(item, 100)
    session = world.begin()
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        statements.append(statement)

    request = shop.request(*((item, 1) for item in items), external_id="A-1")
    connection = session.connection()
    sa.event.listen(connection, "before_cursor_execute", note)
    orders.place_and_confirm(session, [request], actor=world.user("sales"), now=world.now, today=world.today)
    world.begin()
    sa.event.remove(connection, "before_cursor_execute", note)
    if connection.dialect.name == "postgresql":
        # Facts, order, lines, moves, lock, promises, pool, audit: begin and commit make ten. The first order of a
        # process also reads its places.
        assert len(statements) <= 9, statements
