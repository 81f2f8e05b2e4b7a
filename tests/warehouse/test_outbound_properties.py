"""Whatever sales and the warehouse do in whatever order: nothing ships that was not ordered, and the books agree."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scm.core.errors import Conflict
from scm.finance import reconcile, valuation
from scm.sales import orders, status
from scm.stock import reservations
from tests.selling import Shop
from tests.stock.books import check_items
from tests.world import World
from warehouse import counting, counts, packing, waves
from warehouse.counting import CountedStock
from warehouse.counts import CountState, CycleCount
from warehouse.packing import Shipment, ShipmentState
from warehouse.shipping import Shipped
from warehouse.waves import Wave, WaveState

ACTIONS = ("order", "restock", "wave", "pick", "pack", "ship", "deliver", "unpack", "cancel", "give_up", "count")


class NothingThere(Exception):
    """There is nothing yet that the action could be done to."""


class Day:
    """A shop with two items, and what may happen in it; `choice` decides between what is possible."""

    def __init__(self, world: World, shop: Shop) -> None:
        self.world = world
        self.shop = shop
        self.items = [world.item("p-bolt"), world.item("p-nut")]
        self.orders: list[int] = []
        self.done: set[str] = set()

    def do(self, action: str, choice: int) -> None:
        """Try something; a conflict with the present state is an answer, anything else is a fault."""
        acts: dict[str, Callable[[int], object]] = {name: getattr(self, name) for name in ACTIONS}
        session = self.world.begin()
        point = session.begin_nested()
        try:
            acts[action](choice)
            self.world.begin()
            point.commit()
            self.done.add(action)
        except (Conflict, NothingThere):
            point.rollback()
            self.world.begin().info.pop("audit_rows", None)

    def order(self, choice: int) -> None:
        lines = [(self.items[choice % 2], 1 + choice % 7), (self.items[(choice // 2) % 2], 1 + choice % 3)]
        self.orders.append(self.shop.order(*lines))

    def restock(self, choice: int) -> None:
        item = self.items[choice % 2]
        self.world.stock(item, 1 + choice % 9, bin_number=1 + choice % 3)
        reservations.fill_backorders(self.world.begin(), item_ids=[item], site_id=self.world.setup.site_id)

    def wave(self, choice: int) -> None:
        self.shop.wave(limit=1 + choice % 5)

    def pick(self, choice: int) -> None:
        wave_id = self.one_of(sa.select(Wave.id).where(Wave.state == WaveState.RELEASED), choice)
        rows = waves.pick_list(self.world.begin(), wave_id=wave_id)
        found = {row.move_id: choice % (row.quantity + 1) if choice % 3 == 0 else row.quantity for row in rows}
        self.shop.pick_some(waves.WaveResult(wave_id, "", (), ()), found if choice % 2 else None)

    def pack(self, choice: int) -> None:
        packing.pack(
            self.world.begin(),
            order_ids=[self.an_order(choice)],
            actor=self.world.user("warehouse"),
            now=self.world.now,
            today=self.world.today,
        )

    def ship(self, choice: int) -> None:
        self.shop.ship([self.one_of(sa.select(Shipment.id), choice)])

    def deliver(self, choice: int) -> None:
        shipment_id = self.one_of(sa.select(Shipment.id).where(Shipment.state != ShipmentState.PACKED), choice)
        self.shop.deliver([Shipped(shipment_id, "", 0, 0, "")])

    def unpack(self, choice: int) -> None:
        packing.unpack(
            self.world.begin(), [self.one_of(sa.select(Shipment.id), choice)], actor=self.world.user("warehouse")
        )

    def cancel(self, choice: int) -> None:
        self.shop.cancel(self.an_order(choice))

    def give_up(self, choice: int) -> None:
        line = self.shop.lines(self.an_order(choice))[choice % 2]
        orders.give_up(
            self.world.begin(),
            [line.line_id],
            actor=self.world.user("sales"),
            now=self.world.now,
            today=self.world.today,
        )

    def count(self, choice: int) -> None:
        planned = sa.select(CycleCount.id).where(CycleCount.state == CountState.PLANNED)
        count_id = self.one_of(planned, choice)
        found = [
            CountedStock(location_id=target.location_id, item_id=target.item_id, quantity=choice % 4)
            for target in counts.targets_of(self.world.begin(), count_id)
            if target.item_id is not None
        ]
        if counting.record_count(
            self.world.begin(), count_id, found, actor=self.world.user("warehouse"), now=self.world.now
        ):
            counting.approve(
                self.world.begin(),
                count_id,
                actor=self.world.user("approver"),
                now=self.world.now,
                today=self.world.today,
            )

    def one_of(self, ids: sa.Select[int], choice: int) -> int:
        found = sorted(int(found) for found in self.world.begin().scalars(ids))
        if not found:
            raise NothingThere
        return found[choice % len(found)]

    def an_order(self, choice: int) -> int:
        if not self.orders:
            raise NothingThere
        return self.orders[choice % len(self.orders)]

    def check(self) -> None:
        session = self.world.begin()
        check_items(session, self.items)
        for line in status.fulfilment(session, self.orders):
            assert 0 <= line.delivered <= line.shipped <= line.picked <= line.ordered
            assert line.ordered == line.reserved + line.waiting + line.picked + line.cancelled
            assert min(line.reserved, line.waiting, line.cancelled) >= 0


happenings = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(min_value=0, max_value=11)), min_size=10, max_size=30
)


@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(happenings=happenings)
def test_nothing_ships_that_was_not_ordered(world: World, shop: Shop, happenings: list[tuple[str, int]]) -> None:
    point = world.begin().begin_nested()
    try:
        day = Day(world, shop)
        day.do("order", 5)
        day.do("restock", 8)
        for action, choice in happenings:
            day.do(action, choice)
        day.check()
        valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
        assert reconcile.verify_books(world.begin(), now=world.now).findings == ()
    finally:
        point.rollback()
        world.begin().info.pop("audit_rows", None)


def test_every_action_of_such_a_day_can_happen(world: World, shop: Shop) -> None:
    day = Day(world, shop)
    for action, choice in [
        *[("order", 5), ("order", 6), ("restock", 8), ("restock", 7), ("wave", 4), ("pick", 3), ("count", 1)],
        *[("restock", 8), ("restock", 7), ("wave", 4), ("pick", 2), ("pack", 0), ("unpack", 0), ("pack", 0)],
        *[("ship", 1), ("deliver", 1), ("pack", 1), *[("order", 6)] * 4, ("give_up", 10), ("cancel", 2)],
    ]:
        day.do(action, choice)
        day.check()
    assert day.done == set(ACTIONS)
