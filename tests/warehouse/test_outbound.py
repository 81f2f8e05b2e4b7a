"""From a promised order to the customer's door: waves, picks, shipments, deliveries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from scm.core.documents import IllegalTransition
from scm.core.users import RoleMissing
from scm.finance.claims import CustomerInvoice
from scm.master.lanes import CarrierService
from tests.selling import Shop
from tests.world import World
from warehouse import packing, shipping, waves
from warehouse.delivery import BadConfirmation, ProofOfDelivery
from warehouse.packing import BadPacking, Carton, NothingToPack, Shipment, ShipmentState, ShipmentUnknown
from warehouse.picking import BadPick, NotInWave
from warehouse.shipping import BadShipping, ServiceUnknown
from warehouse.waves import BadWave, NothingToRelease, SiteUnknown, WaveUnknown


def test_an_order_travels_from_the_shelf_to_the_door(world: World, shop: Shop) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 40)
    world.stock(nut, 40, bin_number=2)
    order_id = shop.order((bolt, 10), (nut, 3), unit_price="2.50")
    wave = shop.wave()
    assert [(row.bin_id, row.quantity) for row in waves.pick_list(world.begin(), wave_id=wave.wave_id)] == [
        (world.setup.bin_ids[0], 10),
        (world.setup.bin_ids[1], 3),
    ]
    shop.pick(wave)
    assert (world.at(bolt, world.setup.staging_id), world.on_hand(bolt)) == (10, 30)
    assert waves.pick_list(world.begin(), wave_id=wave.wave_id) == []
    [shipment_id] = shop.pack(wave)
    [shipped] = shop.ship([shipment_id], tracking_numbers={shipment_id: "1Z-77"})
    assert (shipped.tracking_number, shipped.sales_order_id) == ("1Z-77", order_id)
    assert world.at(bolt, world.setup.staging_id) == 0
    assert [line.shipped for line in shop.lines(order_id)] == [10, 3]
    shop.deliver([shipped])
    assert [(line.delivered, line.open) for line in shop.lines(order_id)] == [(10, 0), (3, 0)]
    invoice = world.begin().scalars(sa.select(CustomerInvoice).where(CustomerInvoice.id == shipped.invoice_id)).one()
    assert (invoice.sales_order_id, invoice.document_kind, invoice.document_id) == (order_id, "shipment", shipment_id)


def test_a_backorder_ships_later_in_a_shipment_of_its_own(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 6)
    agreement = world.agreement(bolt, world.supplier("acme"))
    purchase = world.sent_order((agreement, 10))
    order_id = shop.order((bolt, 10))
    shop.send_out(order_id)
    with world.refuses(NothingToRelease, "no promised line of these orders"):
        shop.wave(order_id)
    world.receive(purchase)
    world.put_away()
    shop.send_out(order_id)
    line = shop.line(order_id)
    assert (line.shipped, line.waiting) == (10, 0)
    shipments = world.begin().scalars(sa.select(Shipment.id).where(Shipment.sales_order_id == order_id)).all()
    assert len(shipments) == 2


def test_a_wave_takes_what_leaves_first_up_to_its_limit(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 40)
    later = shop.order((bolt, 1), requested_date=world.day(9))
    first, second = shop.order((bolt, 2)), shop.order((bolt, 3))
    assert waves.count_due(world.begin(), site_id=world.setup.site_id, today=world.today) == 2
    shop.pick(shop.wave(limit=1))
    assert [shop.line(order_id).picked for order_id in (first, second, later)] == [2, 0, 0]
    shop.pick(shop.wave())
    with world.refuses(NothingToRelease, f"no promised line due by {world.today}"):
        shop.wave()
    shop.pick(shop.wave(later))
    assert [shop.line(order_id).picked for order_id in (first, second, later)] == [2, 3, 1]


def test_a_line_is_picked_from_as_many_bins_as_it_needs(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 4, bin_number=1)
    world.stock(bolt, 4, bin_number=3)
    order_id = shop.order((bolt, 6))
    wave = shop.wave()
    rows = waves.pick_list(world.begin(), wave_id=wave.wave_id)
    assert [(row.bin_code, row.quantity) for row in rows] == [("BIN-0001", 4), ("BIN-0003", 2)]
    shop.ship(shop.pack(shop.pick(wave)))
    assert shop.line(order_id).shipped == 6


def test_a_short_pick_posts_what_was_found_and_looks_elsewhere_for_the_rest(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10, bin_number=1)
    world.stock(bolt, 10, bin_number=2)
    order_id = shop.order((bolt, 8))
    wave = shop.wave()
    result = shop.pick_some(wave, {wave.pick_ids[0]: 5})
    assert result.finished
    assert [(one.bin_id, one.quantity) for one in result.short] == [(world.setup.bin_ids[0], 3)]
    assert result.count_id is not None
    line = shop.line(order_id)
    assert (line.picked, line.reserved) == (5, 3)
    again = shop.wave()
    [row] = waves.pick_list(world.begin(), wave_id=again.wave_id)
    assert (row.bin_code, row.quantity) == ("BIN-0002", 3)  # not the bin that is to be counted
    shop.pick(again)
    shop.ship(shop.pack(again))
    assert shop.line(order_id).shipped == 8


def test_what_finds_no_bin_stays_promised_and_is_reported(world: World, shop: Shop) -> None:
    bolt, nut = world.item("bolt"), world.item("nut")
    world.stock(bolt, 10)
    world.stock(nut, 10)
    order_id = shop.order((bolt, 8))
    wave = shop.wave()
    assert not shop.pick_some(wave, {wave.pick_ids[0]: 0}).posted_ids
    with world.refuses(NothingToRelease, f"found no bin, the first is 8 of item {bolt} .*: count its bins"):
        shop.wave()
    shop.order((nut, 1))
    reported = shop.wave().short
    assert [(one.order_id, one.item_id, one.quantity) for one in reported] == [(order_id, bolt, 8)]
    assert shop.line(order_id).reserved == 8


@pytest.mark.parametrize("quantity", [9, -1, 1.5])
def test_a_picked_quantity_that_cannot_be_is_refused(world: World, shop: Shop, quantity: int) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    shop.order((bolt, 8))
    wave = shop.wave()
    with world.refuses(BadPick, f"{wave.number}: {quantity} were picked .* asks for 8"):
        shop.pick_some(wave, {wave.pick_ids[0]: quantity})


def test_a_pick_is_confirmed_once(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    shop.order((bolt, 3))
    shop.order((bolt, 4))
    wave = shop.wave()
    first, _ = wave.pick_ids
    assert not shop.pick_some(wave, {first: 3}).finished
    with world.refuses(NotInWave, f"move {first} is no open pick"):
        shop.pick_some(wave, {first: 3})
    assert shop.pick_some(wave, None).finished
    with world.refuses(IllegalTransition, f"{wave.number} is picked: finish is not possible"):
        shop.pick_some(wave, None)


def test_a_withdrawn_pick_cannot_be_confirmed(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    order_id = shop.order((bolt, 3))
    wave = shop.wave()
    shop.cancel(order_id)
    with world.refuses(NotInWave, "was withdrawn since the wave was released: put it back"):
        shop.pick_some(wave, {wave.pick_ids[0]: 3})


def test_a_wave_that_cannot_be_is_refused(world: World) -> None:
    actor = world.user("warehouse")
    with world.refuses(BadWave, "limit is 0"):
        waves.release(
            world.begin(), site_id=world.setup.site_id, limit=0, actor=actor, now=world.now, today=world.today
        )
    with world.refuses(SiteUnknown, "no site 99"):
        waves.release(world.begin(), site_id=99, actor=actor, now=world.now, today=world.today)
    with world.refuses(WaveUnknown, "no wave 99"):
        waves.lock(world.begin(), 99)


def test_an_order_is_packed_once_into_its_cartons(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    order_id = shop.order((bolt, 3))
    pack = {"actor": world.user("warehouse"), "now": world.now, "today": world.today}
    with world.refuses(NothingToPack, f"nothing stands in staging for {shop.number(order_id)}"):
        packing.pack(world.begin(), order_ids=[order_id], **pack)  # type: ignore[arg-type]
    shop.pick(shop.wave())
    with world.refuses(BadPacking, "0 cartons"):
        packing.pack(world.begin(), order_ids=[order_id], cartons=0, **pack)  # type: ignore[arg-type]
    with world.refuses(BadPacking, "either the orders or the wave"):
        packing.pack(world.begin(), **pack)  # type: ignore[arg-type]
    [shipment_id] = packing.pack(world.begin(), order_ids=[order_id], cartons=3, **pack)  # type: ignore[arg-type]
    assert world.begin().scalars(sa.select(Carton.carton_number).where(Carton.shipment_id == shipment_id)).all() == [
        1,
        2,
        3,
    ]
    with world.refuses(NothingToPack, shop.number(order_id)):
        packing.pack(world.begin(), order_ids=[order_id], **pack)  # type: ignore[arg-type]


def test_a_shipment_leaves_once(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    order_id = shop.order((bolt, 3))
    shipment_ids = shop.pack(shop.pick(shop.wave()))
    shop.ship(shipment_ids)
    with world.refuses(IllegalTransition, "SH-2026-.* is shipped: ship is not possible"):
        shop.ship(shipment_ids)
    assert shop.line(order_id).shipped == 3
    assert world.begin().scalar(sa.select(sa.func.count(CustomerInvoice.id))) == 1


@pytest.mark.parametrize("state", ShipmentState)
@pytest.mark.parametrize("action", packing.MACHINE.actions)
def test_every_step_of_a_shipment_is_made_or_refused(
    world: World, shop: Shop, state: ShipmentState, action: str
) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    shop.order((bolt, 3))
    [shipment_id] = shop.pack(shop.pick(shop.wave()))
    shipped = shipping.Shipped(shipment_id, "SH", 0, 0, "")
    if state in (ShipmentState.SHIPPED, ShipmentState.DELIVERED):
        shop.ship([shipment_id])
    if state is ShipmentState.DELIVERED:
        shop.deliver([shipped])
    if state is ShipmentState.UNPACKED:
        packing.unpack(world.begin(), [shipment_id], actor=world.user("warehouse"))
    verbs: dict[str, Callable[[], object]] = {
        "ship": lambda: shop.ship([shipment_id]),
        "deliver": lambda: shop.deliver([shipped]),
        "unpack": lambda: packing.unpack(world.begin(), [shipment_id], actor=world.user("warehouse")),
    }
    following = packing.MACHINE.transitions.get((state, action))
    if following is None:
        with world.refuses(IllegalTransition, f"is {state.value}: {action} is not possible"):
            verbs[action]()
    else:
        verbs[action]()
        assert packing.lock(world.begin(), [shipment_id])[0].state is following


def test_shipping_names_what_it_cannot_use(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    shop.order((bolt, 3))
    [shipment_id] = shop.pack(shop.pick(shop.wave()))
    with world.refuses(BadShipping, "no shipment was named"):
        shop.ship([])
    with world.refuses(ShipmentUnknown, "no shipment 99"):
        shop.ship([99])
    with world.refuses(BadShipping, "tracking number was given for shipment 99"):
        shop.ship([shipment_id], tracking_numbers={99: "1Z"})
    with world.refuses(BadShipping, "must be 1 to 60 characters"):
        shop.ship([shipment_id], tracking_numbers={shipment_id: "\x00"})
    world.begin().execute(sa.delete(CarrierService))
    with world.refuses(ServiceUnknown, "does not serve: choose another"):
        shop.ship([shipment_id])


def test_a_delivery_needs_its_time_and_signature(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    order_id = shop.order((bolt, 3))
    shipped = shop.send_out(order_id)
    world.pass_days(2)
    for impossible in (world.now - timedelta(days=3), world.now + timedelta(seconds=1)):
        with world.refuses(BadConfirmation, "cannot have arrived at"):
            shop.deliver(shipped, delivered_at=impossible)
    with world.refuses(BadConfirmation, "has no zone"):
        shop.deliver(shipped, delivered_at=datetime(2026, 1, 6))  # noqa: DTZ001
    with world.refuses(BadConfirmation, "confirm each once"):
        shop.deliver([*shipped, *shipped])
    shop.deliver(shipped, delivered_at=world.now - timedelta(days=1))
    line = shop.line(order_id)
    assert (line.delivered, line.delivered_date) == (3, world.day(-1))  # when it arrived, not when we heard of it
    assert world.begin().scalars(sa.select(ProofOfDelivery.signed_by)).all() == ["A. Customer"]


def test_nobody_but_the_warehouse_moves_goods(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    shop.order((bolt, 3))
    for username in ("sales", "buyer", "planner"):
        with world.refuses(RoleMissing, username):
            waves.release(
                world.begin(),
                site_id=world.setup.site_id,
                actor=world.user(username),
                now=world.now,
                today=world.today,
            )
