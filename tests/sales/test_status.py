"""How far an order is, derived from its moves, and whether it arrived as promised."""

from __future__ import annotations

import sqlalchemy as sa

from scm.sales import orders, status
from scm.stock import ledger
from scm.stock.ledger import MoveRequest
from tests.selling import Shop
from tests.world import World


def test_the_parts_of_a_line_add_up_at_every_step(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 7)
    order_id = shop.order((bolt, 10))
    seen = []

    def note() -> None:
        line = shop.line(order_id)
        assert line.ordered == line.reserved + line.waiting + line.picked + line.cancelled
        assert line.picked >= line.shipped >= line.delivered >= line.returned
        seen.append((line.reserved, line.waiting, line.picked, line.shipped, line.delivered))

    note()
    wave = shop.wave()
    note()
    shop.pick(wave)
    note()
    shipped = shop.ship(shop.pack(wave))
    note()
    shop.deliver(shipped)
    note()
    assert seen == [(7, 3, 0, 0, 0), (7, 3, 0, 0, 0), (0, 3, 7, 0, 0), (0, 3, 7, 7, 0), (0, 3, 7, 7, 7)]


def test_what_came_back_is_counted_for_the_line_it_was_shipped_for(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    order_id = shop.order((bolt, 10))
    shop.deliver(shop.send_out(order_id))
    delivery_leg = next(
        move
        for move in world.moves_of("sales_order", [order_id])
        if move.destination_id == world.setup.delivery_location_id
    )
    back = MoveRequest(
        item_id=bolt,
        source_id=world.setup.customer_location_id,
        destination_id=world.setup.returns_id,
        quantity=4,
        due_date=world.today,
        document_kind="return_authorization",
        document_id=1,
        line_id=1,
        cost_of_id=delivery_leg.id,
    )
    for request in (back, back):
        result = ledger.move_now(
            world.begin(),
            [request],
            company_id=world.setup.company_id,
            actor=world.user("returns"),
            now=world.now,
            today=world.today,
        )
    assert shop.line(order_id).returned == 8
    ledger.reverse(
        world.begin(),
        [move.id for move in result.posted],
        reason="counted wrong",
        actor=world.user("returns"),
        now=world.now,
        today=world.today,
    )
    assert shop.line(order_id).returned == 4


def test_an_order_is_on_time_in_full_only_when_all_of_it_arrives_by_its_day(world: World, shop: Shop) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 10)
    world.stock(nut, 10)
    good, late, nothing = shop.order((bolt, 1), (nut, 1)), shop.order((bolt, 1)), shop.order((bolt, 1))
    [on_its_way] = shop.send_out(late)
    shipped = shop.send_out(good)
    assert [shop.on_time_in_full(o) for o in (good, late, nothing)] == [None, None, None]
    world.pass_days(3)
    shop.deliver(shipped)
    assert shop.on_time_in_full(good) is True
    world.pass_days(1)
    assert [shop.on_time_in_full(o) for o in (late, nothing)] == [False, False]
    shop.deliver([on_its_way])
    assert [shop.on_time_in_full(o) for o in (good, late)] == [True, False]


def test_what_a_customer_gave_up_was_not_delivered_in_full(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 3)
    world.agreement(bolt, world.supplier("acme"))
    order_id = shop.order((bolt, 5))
    shop.deliver(shop.send_out(order_id))
    assert shop.on_time_in_full(order_id) is None
    orders.give_up(
        world.begin(),
        [shop.line(order_id).line_id],
        actor=world.user("sales"),
        now=world.now,
        today=world.today,
    )
    assert shop.on_time_in_full(order_id) is False


def test_a_cancelled_order_is_not_judged(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 3)
    order_id = shop.order((bolt, 3))
    shop.cancel(order_id)
    world.pass_days(30)
    assert shop.on_time_in_full(order_id) is None


def test_many_orders_are_read_in_three_queries(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 100)
    ids = [shop.order((bolt, 1), (bolt, 2)) for _ in range(4)]
    queries: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        queries.append(statement)

    session = world.begin()
    sa.event.listen(session.connection(), "before_cursor_execute", note)
    lines = status.fulfilment(session, ids)
    sa.event.remove(session.connection(), "before_cursor_execute", note)
    assert [(line.order_id, line.line_number) for line in lines] == [(o, n) for o in ids for n in (1, 2)]
    assert len(queries) == 3
