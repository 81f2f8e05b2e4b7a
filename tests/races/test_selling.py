"""The same shipment shipped by several at once leaves once, and several packers and waves share the work."""

from __future__ import annotations

from dataclasses import replace

from scm.core.db import Database
from scm.finance import reconcile
from scm.sales import status
from tests.races import crew, selling_work
from tests.races.crew import Refused
from tests.races.selling_work import Shift
from tests.selling import Shop
from tests.stock.books import check_books
from tests.world import World
from warehouse import packing


def open_shop(database: Database, *, orders: int = 1) -> tuple[Shop, Shift, list[int]]:
    """A world in which so many orders of three bolts are confirmed."""
    with database.unit_of_work(write=True) as session:
        world = World(session)
        shop = Shop(world)
        bolt = world.item("bolt")
        world.stock(bolt, 100)
        ids = [shop.order((bolt, 3)) for _ in range(orders)]
        world.begin()
    shift = Shift(
        site_id=world.setup.site_id,
        carrier_service_id=world.setup.carrier_service_id,
        actor=world.user("warehouse"),
        now=world.now,
        today=world.today,
    )
    return shop, shift, ids


def pick_all(database: Database, shop: Shop) -> None:
    with database.unit_of_work(write=True) as session:
        shop.world.on(session)
        shop.pick(shop.wave())


def pack_all(database: Database, shift: Shift, order_ids: list[int]) -> list[int]:
    with database.unit_of_work(write=True) as session:
        return packing.pack(session, order_ids=order_ids, actor=shift.actor, now=shift.now, today=shift.today)


def shipped(database: Database, order_ids: list[int], shift: Shift) -> list[tuple[int, int]]:
    """What each line ordered and shipped, after the books were proved."""
    check_books(database)
    with database.unit_of_work(write=False) as session:
        assert reconcile.verify_books(session, now=shift.now).findings == ()
        return [(line.ordered, line.shipped) for line in status.fulfilment(session, order_ids)]


def test_a_channels_order_sent_by_four_is_placed_once(database: Database, database_url: str) -> None:
    shop, shift, _ = open_shop(database)
    with database.unit_of_work(write=True) as session:
        request = shop.request((shop.world.on(session).item("nut"), 1), external_id="A-1")
    sales = replace(shift, actor=shop.world.user("sales"))
    answers = crew.together(database_url, selling_work.place, count=4, args=(sales, request))
    assert sorted(answer.error for answer in answers if isinstance(answer, Refused)) == ["DuplicateOrder"] * 3


def test_a_shipment_shipped_by_four_leaves_and_is_invoiced_once(database: Database, database_url: str) -> None:
    shop, shift, order_ids = open_shop(database)
    pick_all(database, shop)
    shipment_ids = pack_all(database, shift, order_ids)
    answers = crew.together(database_url, selling_work.ship, count=4, args=(shift, shipment_ids))
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert [answer.error for answer in refused] == ["IllegalTransition"] * 3
    assert all("is shipped: ship is not possible" in answer.text for answer in refused)
    assert shipped(database, order_ids, shift) == [(3, 3)]


def test_a_command_sent_four_times_is_answered_as_once(database: Database, database_url: str) -> None:
    shop, shift, order_ids = open_shop(database)
    pick_all(database, shop)
    shipment_ids = pack_all(database, shift, order_ids)
    answers = crew.together(database_url, selling_work.ship_by_key, count=4, args=(shift, shipment_ids, "key-1"))
    invoices = {answer for answer in answers if not isinstance(answer, Refused)}
    assert len(invoices) == 1
    assert {answer.error for answer in answers if isinstance(answer, Refused)} <= {"StillRunning"}
    again = crew.together(database_url, selling_work.ship_by_key, count=1, args=(shift, shipment_ids, "key-1"))
    assert set(again) == invoices
    assert shipped(database, order_ids, shift) == [(3, 3)]


def test_four_packers_pack_an_order_once(database: Database, database_url: str) -> None:
    shop, shift, order_ids = open_shop(database)
    pick_all(database, shop)
    answers = crew.together(database_url, selling_work.pack, count=4, args=(shift, order_ids))
    assert sorted(answer.error for answer in answers if isinstance(answer, Refused)) == ["NothingToPack"] * 3


def test_waves_released_at_once_share_the_lines(database: Database, database_url: str) -> None:
    _, shift, order_ids = open_shop(database, orders=12)
    answers = crew.together(database_url, selling_work.release, count=3, args=(shift, 4))
    picks = [move_id for answer in answers if not isinstance(answer, Refused) for move_id in answer]
    assert len(picks) == len(set(picks)) <= 12
    assert picks
    check_books(database)
    assert len(order_ids) == 12
