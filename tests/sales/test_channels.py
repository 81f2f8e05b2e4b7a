"""Channels: their prices, the stock set aside for them, and the clock they promise to ship by."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from scm.finance import reconcile
from scm.loop.exceptions.findings import Kind
from scm.sales import channels, orders, pricing
from scm.sales.channels import BadChannel, ChannelChanged, ChannelExists, ChannelUnknown, NoPool, PoolInUse
from scm.sales.documents import SalesOrder
from scm.sales.intake import CannotBeSold
from scm.sales.orders import Confirmation
from scm.sales.pricing import BadPrice, PriceRequest
from scm.stock.pools import NotFree, PoolRequest
from tests.inbox.office import Office
from tests.selling import Shop
from tests.world import World
from warehouse import waves


def place(shop: Shop, channel: str, *lines: tuple[int, int]) -> Confirmation:
    world = shop.world
    [confirmed] = orders.place_and_confirm(
        world.begin(),
        [shop.request(*lines, channel=channel)],
        actor=world.user("sales"),
        now=world.now,
        today=world.today,
    )
    return confirmed


def terms(world: World, code: str) -> channels.Terms:
    return channels.terms_of(channels.find(world.begin(), code=code, company_id=world.setup.company_id))


def change(world: World, code: str, believed: channels.Terms, wanted: channels.Terms) -> None:
    company_id, sales = world.setup.company_id, world.user("sales")
    channels.change(world.begin(), code=code, company_id=company_id, believed=believed, wanted=wanted, actor=sales)


def fill(world: World, code: str, item: int, quantity: int) -> None:
    channels.fill_pool(
        world.begin(),
        code=code,
        requests=[PoolRequest(item_id=item, quantity=quantity)],
        company_id=world.setup.company_id,
        actor=world.user("sales"),
        now=world.now,
    )


def release(world: World, code: str, item: int, quantity: int) -> None:
    channels.release_pool(
        world.begin(),
        code=code,
        requests=[PoolRequest(item_id=item, quantity=quantity)],
        company_id=world.setup.company_id,
        actor=world.user("sales"),
        now=world.now,
    )


def ship_by(world: World, order_id: int) -> datetime | None:
    return world.begin().execute(sa.select(SalesOrder.ship_by_at).where(SalesOrder.id == order_id)).scalar_one()


def prove(world: World) -> None:
    assert reconcile.verify_books(world.begin(), now=world.now).findings == ()


def test_an_order_gets_the_clock_of_its_channel(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    assert ship_by(world, place(shop, "web", (bolt, 1)).order_id) is None
    market = world.channel("market", ship_by_hours=48)
    assert ship_by(world, place(shop, market, (bolt, 1)).order_id) == world.now + timedelta(hours=48)
    early = world.channel("early", cut_off=time(8), ship_by_hours=24)  # it is nine
    midnight = datetime.combine(world.day(1), time(0), UTC)
    assert ship_by(world, place(shop, early, (bolt, 1)).order_id) == midnight + timedelta(hours=24)


def test_an_order_after_the_channels_cut_off_leaves_the_next_day(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    usual = place(shop, "web", (bolt, 1)).promised_date
    later = place(shop, world.channel("early", cut_off=time(8)), (bolt, 1)).promised_date
    assert usual is not None
    assert later == usual + timedelta(days=1)


def test_what_is_set_aside_for_a_channel_nobody_else_can_promise(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    live = world.channel("live", pool="live")
    fill(world, live, bolt, 6)
    assert place(shop, "web", (bolt, 10)).waiting == 6
    show = place(shop, live, (bolt, 5))
    assert show.waiting == 0
    assert world.on_hand(bolt) == 10
    with world.refuses(NotFree, "2 of item bolt are to leave the pool live, where 1 are free"):
        release(world, live, bolt, 2)
    prove(world)
    shop.deliver(shop.send_out(show.order_id))
    assert shop.line(show.order_id).delivered == 5
    prove(world)


def test_what_is_released_goes_to_whoever_waits(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    live = world.channel("live", pool="live")
    fill(world, live, bolt, 10)
    waits = place(shop, "web", (bolt, 4))
    assert waits.waiting == 4
    release(world, live, bolt, 3)
    assert (shop.line(waits.order_id).reserved, shop.line(waits.order_id).waiting) == (3, 1)
    show = place(shop, live, (bolt, 9))
    assert show.waiting == 2
    world.stock(bolt, 5, bin_number=2)  # goods that come are everybody's
    assert shop.line(show.order_id).waiting == 2
    fill(world, live, bolt, 2)
    assert shop.line(show.order_id).waiting == 0
    prove(world)


def test_a_cancelled_order_gives_back_to_the_pool_it_came_from(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    live = world.channel("live", pool="live")
    fill(world, live, bolt, 6)
    show = place(shop, live, (bolt, 6)).order_id
    shop.pick(shop.wave(show))
    shop.cancel(show)
    prove(world)
    assert place(shop, live, (bolt, 6)).waiting == 0


def test_a_channel_keeps_its_pool_while_it_holds_something(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    live = world.channel("live", pool="live")
    fill(world, live, bolt, 6)
    believed = terms(world, live)
    with world.refuses(PoolInUse, "the pool live holds 6 units, and 0 moves"):
        change(world, live, believed, replace(believed, pool="general"))
    with world.refuses(PoolInUse):
        change(world, live, believed, replace(believed, retired=True))
    release(world, live, bolt, 6)
    change(world, live, believed, replace(believed, pool="general"))
    with world.refuses(NoPool, "sells from the general pool"):
        fill(world, live, bolt, 1)


def test_a_retired_channel_takes_no_orders(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 1)
    believed = terms(world, "web")
    change(world, "web", believed, replace(believed, retired=True, ship_by_hours=24))
    with world.refuses(CannotBeSold, "the channel web is retired"):
        place(shop, "web", (bolt, 1))
    with world.refuses(ChannelChanged, "has changed meanwhile"):
        change(world, "web", believed, replace(believed, name="x"))


@pytest.mark.parametrize(
    ("code", "change_of", "error", "words"),
    [
        (" x", {}, BadChannel, "code"),
        ("new", {"name": ""}, BadChannel, "name"),
        ("new", {"pool": ""}, BadChannel, "pool"),
        ("new", {"ship_by_hours": 0}, BadChannel, "ship_by_hours is 0"),
        ("web", {}, ChannelExists, "exists already"),
    ],
)
def test_a_channel_that_cannot_be_is_refused(
    world: World, code: str, change_of: dict[str, object], error: type[BadChannel], words: str
) -> None:
    wanted = replace(terms(world, "web"), **change_of)  # type: ignore[arg-type]
    setup = world.setup
    with world.refuses(error, words) as session:
        channels.add(
            session,
            code=code,
            terms=wanted,
            site_id=setup.site_id,
            company_id=setup.company_id,
            actor=world.user("sales"),
        )


def test_a_price_holds_until_the_next_one_begins(world: World) -> None:
    bolt = world.item("bolt")
    company_id, sales = world.setup.company_id, world.user("sales")

    def price(amount: str, *, in_days: int, until: int | None = None) -> None:
        request = PriceRequest(
            item_id=bolt,
            unit_price=Decimal(amount),
            valid_from=world.day(in_days),
            valid_until=None if until is None else world.day(until),
        )
        pricing.set_prices(world.begin(), code="web", requests=[request], company_id=company_id, actor=sales)

    def on(day: int) -> Decimal | None:
        channel = channels.find(world.begin(), code="web", company_id=company_id)
        found = pricing.price_on(world.begin(), channel_id=channel.id, item_ids=[bolt], today=world.day(day))
        return found.get(bolt)

    price("10", in_days=0)
    price("12", in_days=30)
    price("8", in_days=10, until=12)  # an offer: before and after it the other prices hold
    assert [on(day) for day in (-1, 0, 9, 10, 12, 30)] == [None, 10, 10, 8, 8, 12]
    price("9", in_days=0)
    assert [on(day) for day in (0, 11, 31)] == [9, 9, 9]
    with world.refuses(BadPrice, "before it begins"):
        price("1", in_days=5, until=4)
    with world.refuses(ChannelUnknown, "no channel 'none'") as session:
        pricing.set_prices(session, code="none", requests=[], company_id=company_id, actor=sales)


def test_a_clock_that_runs_out_is_seen_and_served_first(world: World, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    office = Office(world)
    calm = place(shop, world.channel("calm", ship_by_hours=72), (bolt, 1))
    hurried = place(shop, world.channel("hurried", ship_by_hours=4), (bolt, 2))
    row = office.row(Kind.SHIP_BY_RISK)
    assert (row.label, row.quantity, row.amount) == (hurried.number, 2, 20_00)
    assert row.facts["passed"] is False
    wave = waves.release(
        world.begin(),
        site_id=world.setup.site_id,
        limit=1,
        actor=world.user("warehouse"),
        now=world.now,
        today=world.today,
    )
    assert [pick.order_id for pick in waves.pick_list(world.begin(), wave_id=wave.wave_id)] == [hurried.order_id]
    world.pass_days(1)
    assert office.row(Kind.SHIP_BY_RISK).facts["passed"] is True
    shop.ship(shop.pack(shop.pick(wave)))
    assert office.labels(Kind.SHIP_BY_RISK) == []
    assert calm.waiting == 0
