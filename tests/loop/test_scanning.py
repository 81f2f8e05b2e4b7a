"""Whatever a label says, one function knows what it is; what is another site's is unknown."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from scm.loop import scanning
from scm.loop.scanning import NotAScan, NothingScanned, ScanKind, Scanned
from scm.master.items import Item, ItemPack
from tests.selling import Shop
from tests.world import World


def scan(world: World, text: str) -> Scanned:
    return scanning.resolve(world.begin(), text, site_id=world.setup.site_id)


@pytest.fixture
def bolt(world: World) -> int:
    """An item with a GTIN of 13 digits and a box of twelve."""
    item = world.item("Bolt-M8")
    session = world.begin()
    session.execute(sa.update(Item).where(Item.id == item).values(gtin="4006381333931", name="Bolt, M8"))
    session.add(ItemPack(item_id=item, code="box", base_units=12, gtin="14006381333938"))
    session.flush()
    return item


@pytest.mark.parametrize("text", ["Bolt-M8", "bolt-m8", "4006381333931", "04006381333931", " 4006381333931\n"])
def test_an_item_is_known_by_its_sku_and_by_its_gtin_with_or_without_zeros(world: World, bolt: int, text: str) -> None:
    assert scan(world, text) == Scanned(kind=ScanKind.ITEM, id=bolt, code="Bolt-M8", name="Bolt, M8", units=1)


def test_a_pack_is_its_item_in_so_many_base_units(world: World, bolt: int) -> None:
    found = scan(world, "14006381333938")
    assert (found.kind, found.id, found.units) == (ScanKind.ITEM, bolt, 12)


def test_a_short_gtin_is_found_with_the_zeros_a_scanner_adds(world: World) -> None:
    item = world.item("screw")
    world.begin().execute(sa.update(Item).where(Item.id == item).values(gtin="96385074"))
    for text in ("96385074", "0000096385074", "00000096385074"):
        assert scan(world, text).id == item


def test_an_sku_that_looks_like_a_gtin_is_the_sku(world: World, bolt: int) -> None:
    other = world.item("04006381333931")
    assert scan(world, "04006381333931").id == other
    assert scan(world, "4006381333931").id == bolt


def test_two_skus_that_differ_only_in_case_are_not_guessed(world: World, bolt: int) -> None:
    world.item("BOLT-M8")
    assert scan(world, "Bolt-M8").id == bolt
    with world.refuses(NothingScanned):
        scan(world, "bolt-m8")


def test_a_place_is_known_by_its_code(world: World) -> None:
    assert scan(world, "bin-0001") == Scanned(kind=ScanKind.LOCATION, id=world.setup.bin_ids[0], code="BIN-0001")


def test_every_document_is_known_by_its_number(world: World, bolt: int) -> None:
    shop = Shop(world)
    world.stock(bolt, 20)
    order = world.approved_order((world.agreement(bolt, world.supplier("acme")), 5))
    receipt = world.receive(order)
    sold = shop.order((bolt, 3))
    wave = shop.wave()
    shipments = shop.pack(shop.pick(wave))
    [shipped] = shop.ship(shipments, tracking_numbers={shipments[0]: "JD0002233"})
    number = world.begin().execute(sa.text("SELECT number FROM purchase_order")).scalar_one()
    assert scan(world, number.lower()) == Scanned(kind=ScanKind.PURCHASE_ORDER, id=order, code=number)
    assert scan(world, receipt.number).kind is ScanKind.GOODS_RECEIPT
    assert scan(world, wave.number) == Scanned(kind=ScanKind.WAVE, id=wave.wave_id, code=wave.number)
    assert scan(world, shop.number(sold)).id == sold
    for text in (shipped.number, "JD0002233"):
        assert scan(world, text) == Scanned(kind=ScanKind.SHIPMENT, id=shipped.shipment_id, code=shipped.number)


def test_what_is_nowhere_or_elsewhere_is_unknown(world: World, bolt: int) -> None:
    for text in ("nothing", "PO-2026-99999", "4006381333932"):
        with world.refuses(NothingScanned, "nothing here is called"):
            scan(world, text)
    with world.refuses(NothingScanned):
        scanning.resolve(world.begin(), "BIN-0001", site_id=world.setup.site_id + 1)
    with world.refuses(NothingScanned):
        scanning.resolve(world.begin(), "Bolt-M8", site_id=world.setup.site_id + 1)
    for text in ("", "  ", "x" * 121, "a\x07b"):
        with world.refuses(NotAScan):
            scan(world, text)
