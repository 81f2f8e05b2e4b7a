"""What a person with a scanner reads before each task, and the board of the whole warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time

import pytest
import sqlalchemy as sa

from scm.finance import valuation
from scm.loop import board
from scm.loop.board import Board
from scm.master.lanes import CarrierService
from scm.master.partners import Partner
from tests.selling import Shop
from tests.world import World
from warehouse import counting, inspection, waves
from warehouse import picking as verbs
from warehouse.counting import CountedStock
from warehouse.counts import CountState, CycleCount, Target
from warehouse.inspection import Finding
from warehouse.numbers import NumberUnknown
from warehouse.picking import NothingShort
from warehouse.sheets import bench, dock, outbound, picking, quarantine, shipping
from warehouse.sheets import counting as count_sheets
from warehouse.sheets.outbound import Stage
from warehouse.waves import NothingToRelease, WaveResult


@pytest.fixture
def bolt(world: World) -> int:
    """Twenty bolts in two bins, worth 4.00 each."""
    item = world.item("bolt")
    world.stock(item, 12, bin_number=2)
    world.stock(item, 8, bin_number=1)
    return item


@contextmanager
def counted_statements(world: World) -> Iterator[list[str]]:
    session = world.begin()
    seen: list[str] = []

    def note(*args: object) -> None:
        seen.append(str(args[2]))

    bind = session.connection()
    sa.event.listen(bind, "before_cursor_execute", note)
    yield seen
    sa.event.remove(bind, "before_cursor_execute", note)


def read_board(world: World) -> Board:
    return board.read(world.begin(), site_id=world.setup.site_id, now=world.now, today=world.today)


def test_a_pick_list_is_walked_in_path_order(world: World, shop: Shop, bolt: int) -> None:
    shop.order((bolt, 15))
    wave = shop.wave()
    sheet = picking.sheet(world.begin(), wave.number, site_id=world.setup.site_id)
    assert [(pick.bin_code, pick.quantity, pick.done) for pick in sheet.picks] == [
        ("BIN-0001", 8, False),
        ("BIN-0002", 7, False),
    ]
    shop.pick_some(wave, {sheet.picks[0].move_id: 5})
    sheet = picking.sheet(world.begin(), wave.number, site_id=world.setup.site_id)
    assert [(pick.short, pick.quantity) for pick in sheet.open_picks] == [(0, 7)]
    with world.refuses(NumberUnknown):
        picking.sheet(world.begin(), wave.number, site_id=world.setup.site_id + 1)


def test_a_withdrawn_pick_is_left_in_its_bin(world: World, shop: Shop, bolt: int) -> None:
    order = shop.order((bolt, 3))
    wave = shop.wave()
    shop.cancel(order)
    [pick] = picking.sheet(world.begin(), wave.number, site_id=world.setup.site_id).picks
    assert pick.withdrawn


def test_the_bench_shows_what_stands_there_and_what_is_still_to_pick(world: World, shop: Shop, bolt: int) -> None:
    order = shop.order((bolt, 15))
    wave = shop.wave()
    first = picking.sheet(world.begin(), wave.number, site_id=world.setup.site_id).picks[0]
    shop.pick_some(wave, {first.move_id: 8})
    [staged] = bench.staged_orders(world.begin(), site_id=world.setup.site_id)
    assert (staged.number, staged.quantity, staged.to_pick) == (shop.number(order), 8, 7)
    sheet = bench.sheet(world.begin(), staged.number, site_id=world.setup.site_id)
    assert [(line.card.sku, line.quantity) for line in sheet.lines] == [("bolt", 8)]
    assert (sheet.to_pick, sheet.cancelled, sheet.shipments) == (7, False, [])
    shop.pack(wave)
    assert bench.staged_orders(world.begin(), site_id=world.setup.site_id) == []
    [shipment] = bench.sheet(world.begin(), staged.number, site_id=world.setup.site_id).shipments
    assert shipment.cartons == 1


def test_a_shipment_names_the_service_to_its_country(world: World, shop: Shop, bolt: int) -> None:
    shop.order((bolt, 2))
    [shipment_id] = shop.pack(shop.pick(shop.wave()))
    [one] = read_board(world).packed
    sheet = shipping.sheet(world.begin(), one.number, site_id=world.setup.site_id)
    assert (sheet.shipment_id, sheet.cartons, sheet.proposed_service_id) == (
        shipment_id,
        1,
        world.setup.carrier_service_id,
    )
    assert [(content.card.sku, content.quantity) for content in sheet.contents] == [("bolt", 2)]


def test_goods_at_the_dock_are_inspected_or_given_a_bin(world: World, bolt: int) -> None:
    agreement = world.agreement(bolt, world.supplier("acme"))
    world.begin().execute(sa.text("UPDATE supplier_agreement SET needs_inspection = true"))
    received = world.receive(world.approved_order((agreement, 10)))
    [line] = dock.standing(world.begin(), site_id=world.setup.site_id)
    assert (line.to_inspect, line.bin_code, line.receipt_number) == (True, None, received.number)
    finding = Finding(move_id=line.move_id, passed=7, failed=3, reason="dented corners")
    inspection.record(world.begin(), [finding], actor=world.user("warehouse"), now=world.now, today=world.today)
    [line] = dock.standing(world.begin(), site_id=world.setup.site_id)
    assert (line.to_inspect, line.bin_code, line.quantity) == (False, "BIN-0002", 7)
    valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
    [bad] = quarantine.lying(world.begin(), site_id=world.setup.site_id)
    assert (bad.quantity, bad.reason, bad.since, bad.value) == (3, "dented corners", world.today, 1200)
    assert bad.home_code == "BIN-0002"


def test_a_count_is_blind_until_it_is_counted(world: World, bolt: int) -> None:
    valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
    bin_id, warehouse = world.setup.bin_ids[0], world.user("warehouse")
    count_id = counting.plan_count(world.begin(), [Target(bin_id)], actor=warehouse, now=world.now, today=world.today)
    number = world.begin().execute(sa.select(CycleCount.number)).scalar_one()
    sheet = count_sheets.sheet(world.begin(), number, site_id=world.setup.site_id)
    assert ([(place.code, place.card) for place in sheet.places], sheet.lines) == ([("BIN-0001", None)], [])
    found = [CountedStock(location_id=bin_id, item_id=bolt, quantity=6)]
    counting.record_count(world.begin(), count_id, found, actor=warehouse, now=world.now)
    sheet = count_sheets.sheet(world.begin(), number, site_id=world.setup.site_id)
    [line] = sheet.differing
    assert (line.expected, line.counted, line.difference, line.value, sheet.value) == (8, 6, -2, -800, -800)
    assert (sheet.state, sheet.counted_by_id) == (CountState.COUNTED, warehouse.user_id)


def abroad(world: World, shop: Shop) -> int:
    """Give the shop's customer to a service of its own to France, with an earlier cut-off."""
    session = world.begin()
    service = CarrierService(
        partner_id=world.setup.carrier_id,
        site_id=world.setup.site_id,
        code="FRANCE",
        country="France",
        transit_days=3,
        cut_off=time(11, 30),
    )
    session.add(service)
    session.flush()
    service_id = service.id
    session.execute(sa.update(Partner).where(Partner.id == shop.customer).values(country="France"))
    return service_id


def release(world: World, service_id: int) -> WaveResult:
    return waves.release(
        world.begin(),
        site_id=world.setup.site_id,
        carrier_service_id=service_id,
        actor=world.user("warehouse"),
        now=world.now,
        today=world.today,
    )


def test_orders_are_grouped_by_the_cut_off_they_must_meet(world: World, shop: Shop, bolt: int) -> None:
    service_id = abroad(world, shop)
    shop.order((bolt, 2))
    home = world.customer("at home")
    shop.customer = home
    shop.order((bolt, 3))
    first, second = outbound.by_cut_off(world.begin(), site_id=world.setup.site_id, now=world.now, today=world.today)
    assert first.service is not None and second.service is not None
    assert [first.service.code, second.service.id] == ["FRANCE", world.setup.carrier_service_id]
    at_ten = datetime.combine(world.today, time(10), UTC)
    assert first.service.minutes_left(now=at_ten, zone="Europe/London") == 90
    assert [one.load(Stage.TO_RELEASE).quantity for one in (first, second)] == [2, 3]
    wave = release(world, service_id)
    with world.refuses(NothingToRelease):
        release(world, service_id)
    first, second = outbound.by_cut_off(world.begin(), site_id=world.setup.site_id, now=world.now, today=world.today)
    assert (first.load(Stage.PICKING).lines, first.open_lines) == (1, 1)
    shop.pick(wave)
    [waiting, _] = outbound.by_cut_off(world.begin(), site_id=world.setup.site_id, now=world.now, today=world.today)
    assert waiting.load(Stage.TO_PACK).quantity == 2
    shop.pack(wave)
    [packed, _] = outbound.by_cut_off(world.begin(), site_id=world.setup.site_id, now=world.now, today=world.today)
    assert (packed.load(Stage.PACKED).quantity, packed.open_lines) == (2, 0)


def test_the_board_tells_the_state_of_the_house_in_a_fixed_number_of_queries(
    world: World, shop: Shop, bolt: int
) -> None:
    def fill() -> None:
        nut = world.item(f"nut {len(world.everything()['item'])}")
        agreement = world.agreement(nut, world.supplier(f"supplier {nut}"))
        world.approved_order((agreement, 5), due_in=0)
        world.receive(world.approved_order((agreement, 5)))
        lost, found, open_one = (world.item(f"{name} of {nut}") for name in ("lost", "found", "open"))
        for item in (lost, found, open_one):
            world.stock(item, 5, bin_number=3)
        wave = shop.wave(shop.order((lost, 2)))
        shop.pick_some(wave, {wave.pick_ids[0]: 1})
        shop.pack(shop.pick(shop.wave(shop.order((found, 1)))))
        shop.wave(shop.order((open_one, 1)))

    def measured() -> tuple[int, Board]:
        with counted_statements(world) as seen:
            found = read_board(world)
        return len(seen), found

    fill()
    few, one = measured()
    fill()
    many, two = measured()
    assert many == few <= 26
    assert (len(one.inbound), len(two.inbound), len(two.to_put_away)) == (1, 2, 2)
    assert two.shorts[0].promised
    assert (len(two.packed), len(two.waves), len(two.to_pack), len(two.shorts)) == (2, 2, 2, 2)
    assert [count.state for count in two.counts] == [CountState.PLANNED] * len(two.counts)
    assert (two.returns.to_receive, two.stalled, two.late(today=world.today)) == (0, 0, [])
    world.pass_days(1)
    assert len(read_board(world).late(today=world.today)) == 2


def test_what_was_short_is_looked_for_in_another_bin(world: World, shop: Shop, bolt: int) -> None:
    order = shop.order((bolt, 5))
    wave = shop.wave()
    [pick] = wave.pick_ids
    with world.refuses(NothingShort, "nothing of WV-.* is short"):
        look_again(world, wave)
    shop.pick_some(wave, {pick: 2})
    again = look_again(world, wave)
    [found] = picking.sheet(world.begin(), again.number, site_id=world.setup.site_id).picks
    assert (found.bin_code, found.quantity, found.order_number) == ("BIN-0002", 3, shop.number(order))
    shop.pick(again)
    assert shop.line(order).picked == 5


def look_again(world: World, wave: WaveResult) -> WaveResult:
    return verbs.look_again(
        world.begin(), wave_id=wave.wave_id, actor=world.user("warehouse"), now=world.now, today=world.today
    )


def test_a_parcel_that_does_not_arrive_is_counted_as_stalled(world: World, shop: Shop, bolt: int) -> None:
    shop.order((bolt, 2))
    shop.ship(shop.pack(shop.pick(shop.wave())))
    assert read_board(world).stalled == 0
    world.pass_days(12)
    assert read_board(world).stalled == 1
