"""The check scan at the packing bench, and counts that are counted anew."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from scm.core.users import RoleMissing
from scm.master.items import ItemPack
from scm.sales.documents import OrderUnknown
from tests.selling import Shop
from tests.world import World
from warehouse import checking, counting, counts, numbers, recounting
from warehouse.checking import BadCheck, Intercepted, PackingCheck, Scanned, WrongContents
from warehouse.counting import CountedStock
from warehouse.counts import CycleCount, Target
from warehouse.numbers import NumberUnknown
from warehouse.packing import Carton, NothingToPack, Shipment
from warehouse.recounting import AlreadyRecounted, NotRejected
from warehouse.sheets.cards import cards
from warehouse.waves import Wave


def pack(world: World, order_id: int, *scanned: tuple[int, int], cartons: int = 1, by: str = "warehouse") -> int:
    return checking.pack(
        world.begin(),
        order_id,
        [Scanned(item_id=item, quantity=quantity) for item, quantity in scanned],
        cartons=cartons,
        actor=world.user(by),
        now=world.now,
        today=world.today,
    )


@pytest.fixture
def picked(world: World, shop: Shop) -> tuple[int, int, int]:
    """An order of 3 bolts and 2 nuts that stands in staging: the order, the bolt, the nut."""
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 10)
    world.stock(nut, 10, bin_number=2)
    order = shop.order((bolt, 3), (nut, 2))
    shop.pick(shop.wave())
    return order, bolt, nut


def test_what_was_scanned_right_is_packed_into_cartons(world: World, picked: tuple[int, int, int]) -> None:
    order, bolt, nut = picked
    shipment_id = pack(world, order, (bolt, 2), (nut, 2), (bolt, 1), cartons=2)
    assert world.begin().execute(sa.select(Shipment.sales_order_id)).scalar_one() == order
    assert world.begin().execute(sa.select(sa.func.count()).select_from(Carton)).scalar_one() == 2
    check = world.begin().execute(sa.select(PackingCheck)).scalar_one()
    assert (check.shipment_id, check.checked_by_id) == (shipment_id, world.user("warehouse").user_id)


def test_a_wrong_missing_or_surplus_item_is_refused(world: World, picked: tuple[int, int, int]) -> None:
    order, bolt, nut = picked
    screw = world.item("screw")
    with world.refuses(WrongContents, "screw was scanned, which the order does not ask for: expected bolt, nut"):
        pack(world, order, (bolt, 3), (nut, 2), (screw, 1))
    with world.refuses(WrongContents, "0 of nut were scanned, 2 stand in staging"):
        pack(world, order, (bolt, 3))
    with world.refuses(WrongContents, "4 of bolt were scanned, 3 stand"):
        pack(world, order, (bolt, 4), (nut, 2))
    with world.refuses(BadCheck, "whole number above 0"):
        pack(world, order, (bolt, 0))


def test_a_cancelled_order_is_intercepted_at_the_bench(world: World, shop: Shop, picked: tuple[int, int, int]) -> None:
    order, bolt, nut = picked
    shop.cancel(order)
    with world.refuses(Intercepted, "was cancelled: do not pack it, put its goods back to BIN-0001, BIN-0002"):
        pack(world, order, (bolt, 3), (nut, 2))
    unpicked = shop.order((bolt, 1))
    shop.cancel(unpicked)
    with world.refuses(Intercepted, "nothing of it was picked"):
        pack(world, unpicked, (bolt, 1))


def test_nothing_is_packed_twice_or_by_others(world: World, shop: Shop, picked: tuple[int, int, int]) -> None:
    order, bolt, nut = picked
    with world.refuses(RoleMissing):
        pack(world, order, (bolt, 3), (nut, 2), by="sales")
    pack(world, order, (bolt, 3), (nut, 2))
    with world.refuses(NothingToPack, "not packed already"):
        pack(world, order, (bolt, 3), (nut, 2))
    with world.refuses(OrderUnknown):
        pack(world, 999999, (bolt, 3))


def rejected_count(world: World) -> int:
    bolt = world.item("washer")
    world.stock(bolt, 10)
    bin_id = world.setup.bin_ids[0]
    warehouse, approver = world.user("warehouse"), world.user("approver")
    count_id = counting.plan_count(world.begin(), [Target(bin_id)], actor=warehouse, now=world.now, today=world.today)
    found = [CountedStock(location_id=bin_id, item_id=bolt, quantity=8)]
    counting.record_count(world.begin(), count_id, found, actor=warehouse, now=world.now)
    with world.refuses(NotRejected, "is counted: only a rejected count"):
        recount(world, count_id)
    counting.reject(world.begin(), count_id, actor=approver, now=world.now, comment="count again")
    return count_id


def recount(world: World, count_id: int) -> int:
    return recounting.recount(world.begin(), count_id, actor=world.user("warehouse"), now=world.now, today=world.today)


def test_a_rejected_count_is_counted_anew_once(world: World) -> None:
    count_id = rejected_count(world)
    again = recount(world, count_id)
    assert counts.targets_of(world.begin(), again) == [Target(world.setup.bin_ids[0])]
    of = world.begin().execute(sa.select(CycleCount.recount_of_id).where(CycleCount.id == again)).scalar_one()
    assert of == count_id
    with world.refuses(AlreadyRecounted, "is counted anew by CC-"):
        recount(world, count_id)


def test_a_document_is_found_by_its_number_at_its_own_site_only(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 5)
    shop.order((bolt, 5))
    wave = shop.wave()
    site_id = world.setup.site_id
    assert numbers.find(world.begin(), Wave, wave.number, site_id=site_id) == wave.wave_id
    with world.refuses(NumberUnknown, "this site has no wave WV-2026-"):
        numbers.find(world.begin(), Wave, wave.number, site_id=site_id + 1)
    with world.refuses(NumberUnknown, "has no shipment"):
        numbers.find(world.begin(), Shipment, wave.number, site_id=site_id)


def test_an_item_is_known_by_its_sku_its_gtin_and_its_packs(world: World) -> None:
    bolt = world.item("bolt-m8", lot_tracked=True)
    session = world.begin()
    session.execute(sa.text("UPDATE item SET gtin = '4006381333931'"))
    session.add(ItemPack(item_id=bolt, code="box", base_units=12, gtin="14006381333938"))
    session.flush()
    card = cards(world.begin(), [bolt])[bolt]
    assert card.codes == {"BOLT-M8": 1, "04006381333931": 1, "14006381333938": 12}
    assert (card.sku, card.lot_tracked) == ("bolt-m8", True)
