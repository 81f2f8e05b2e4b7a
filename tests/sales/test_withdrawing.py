"""Orders that are cancelled, and customers who walk away."""

from __future__ import annotations

import sqlalchemy as sa

from scm.core.documents import IllegalTransition
from scm.sales import demand, orders
from scm.sales.cancelling import AlreadyCancelled, AlreadyShipped, NothingWaits
from scm.sales.documents import OrderState, SalesOrderLine
from scm.sales.lost_demand import BadLoss, Loss, LostDemand
from scm.sales.orders import record_lost_demand
from tests.selling import Shop
from tests.world import World
from warehouse import packing
from warehouse.packing import NothingToPack
from warehouse.shipping import ContentsChanged


def cancel_lines(world: World, *line_ids: int) -> None:
    orders.cancel_lines(
        world.begin(), line_ids, reason="too many", actor=world.user("sales"), now=world.now, today=world.today
    )


def give_up(world: World, *line_ids: int) -> list[Loss]:
    return orders.give_up(world.begin(), line_ids, actor=world.user("sales"), now=world.now, today=world.today)


def demand_of(world: World, item: int) -> int:
    rows = demand.ordered(world.begin(), site_id=world.setup.site_id, since=world.day(-100), until=world.day(100))
    return sum(row.quantity for row in rows if row.item_id == item)


def test_a_cancelled_order_gives_its_promises_back(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 6)
    order_id = shop.order((bolt, 10))
    shop.cancel(order_id)
    position = world.position(bolt)
    assert (position.available, position.backordered, position.demand) == (6, 0, [])
    assert shop.state(order_id) is OrderState.CANCELLED
    assert shop.line(order_id).cancelled == 10


def test_freed_stock_goes_to_whoever_waits(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 6)
    lucky = shop.order((bolt, 6))
    waiting = shop.order((bolt, 4))
    shop.cancel(lucky)
    assert (shop.line(waiting).reserved, shop.line(waiting).waiting) == (4, 0)
    assert world.position(bolt).available == 2


def test_one_line_is_cancelled_and_the_other_stays(world: World, shop: Shop) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 10)
    world.stock(nut, 10)
    order_id = shop.order((bolt, 3), (nut, 4))
    first, second = (line.line_id for line in shop.lines(order_id))
    cancel_lines(world, first)
    assert [(s.reserved, s.cancelled) for s in shop.lines(order_id)] == [(0, 3), (4, 0)]
    assert shop.state(order_id) is OrderState.CONFIRMED
    with world.refuses(AlreadyCancelled, "line 1 was cancelled before"):
        cancel_lines(world, first)
    cancel_lines(world, second)
    assert shop.state(order_id) is OrderState.CANCELLED
    with world.refuses(IllegalTransition):
        cancel_lines(world, second)


def test_picked_goods_go_back_to_their_bin(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10, bin_number=2)
    order_id = shop.order((bolt, 4))
    shop.pick(shop.wave())
    assert world.at(bolt, world.setup.staging_id) == 4
    shop.cancel(order_id)
    assert world.at(bolt, world.setup.staging_id) == 0
    assert world.at(bolt, world.setup.bin_ids[1]) == 10
    assert world.position(bolt).available == 10
    assert (shop.line(order_id).picked, shop.line(order_id).cancelled) == (0, 4)


def test_an_order_half_picked_and_half_waiting_is_cancelled_at_once(world: World, shop: Shop) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 4)
    world.stock(nut, 4)
    order_id = shop.order((bolt, 4), (nut, 4), (bolt, 3))
    wave = shop.wave()
    shop.pick_some(wave, {wave.pick_ids[0]: 4})
    shop.cancel(order_id)
    assert [s.cancelled for s in shop.lines(order_id)] == [4, 4, 3]
    assert world.position(bolt).available == world.position(nut).available == 4
    assert shop.pick_some(wave, None).finished  # nothing is left to pick


def test_what_was_packed_and_then_cancelled_does_not_leave(world: World, shop: Shop) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 4)
    world.stock(nut, 4)
    order_id = shop.order((bolt, 4), (nut, 4))
    [shipment] = shop.pack(wave := shop.pick(shop.wave()))
    cancel_lines(world, shop.lines(order_id)[0].line_id)
    with world.refuses(ContentsChanged, "line 1 was withdrawn after it was packed: unpack"):
        shop.ship([shipment])
    packing.unpack(world.begin(), [shipment], actor=world.user("warehouse"))
    [second] = shop.pack(wave)
    shop.ship([second])
    assert [s.shipped for s in shop.lines(order_id)] == [0, 4]


def test_what_has_shipped_cannot_be_cancelled(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 6)
    order_id = shop.order((bolt, 10))
    shop.send_out(order_id)
    words = f"{shop.number(order_id)} line 1: 6 of 10 have shipped"
    with world.refuses(AlreadyShipped, words):
        shop.cancel(order_id)
    with world.refuses(AlreadyShipped, words):
        cancel_lines(world, shop.line(order_id).line_id)


def test_a_customer_walks_away_from_what_waits(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 6)
    order_id = shop.order((bolt, 10))
    line_id = shop.line(order_id).line_id
    [loss] = give_up(world, line_id)
    assert (loss.item_id, loss.site_id, loss.lost_date, loss.quantity) == (bolt, world.setup.site_id, world.today, 4)
    line = shop.line(order_id)
    assert (line.reserved, line.waiting, line.cancelled) == (6, 0, 4)
    assert world.begin().scalars(sa.select(LostDemand.quantity).where(LostDemand.line_id == line_id)).all() == [4]
    with world.refuses(NothingWaits, f"{shop.number(order_id)} line 1 waits for nothing"):
        give_up(world, line_id)
    shop.send_out(order_id)
    assert shop.line(order_id).shipped == 6


def test_what_was_given_up_was_wanted_all_the_same(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    order_id = shop.order((bolt, 10))
    give_up(world, shop.line(order_id).line_id)
    assert demand_of(world, bolt) == 10


def test_a_cancellation_within_a_day_was_never_demand(world: World, shop: Shop) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    slip, change_of_mind = shop.order((bolt, 80000)), shop.order((nut, 7))
    shop.cancel(slip, hours_later=23)
    shop.cancel(change_of_mind, hours_later=24)
    flags = world.begin().execute(sa.select(SalesOrderLine.item_id, SalesOrderLine.never_demand))
    assert {row.item_id: row.never_demand for row in flags} == {bolt: True, nut: False}
    assert (demand_of(world, bolt), demand_of(world, nut)) == (0, 7)


def test_drafts_are_no_demand_and_lost_demand_without_an_order_is(world: World, shop: Shop) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    shop.draft(shop.request((bolt, 5)))
    loss = Loss(item_id=nut, site_id=world.setup.site_id, lost_date=world.today, quantity=3)
    record_lost_demand(world.begin(), [loss], actor=world.user("sales"), now=world.now)
    assert (demand_of(world, bolt), demand_of(world, nut)) == (0, 3)
    with world.refuses(BadLoss, "lost quantity 0"):
        record_lost_demand(
            world.begin(),
            [Loss(item_id=nut, site_id=world.setup.site_id, lost_date=world.today, quantity=0)],
            actor=world.user("sales"),
            now=world.now,
        )


def test_a_cancelled_order_cannot_be_packed(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 4)
    order_id = shop.order((bolt, 4))
    shop.pick(shop.wave())
    shop.cancel(order_id)
    with world.refuses(NothingToPack, shop.number(order_id)):
        packing.pack(
            world.begin(), order_ids=[order_id], actor=world.user("warehouse"), now=world.now, today=world.today
        )
