"""An order goes to the site that serves it best: by stock, by the day it arrives, and by what the parcels cost."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from scm.master.lanes import CarrierService
from scm.sales import channels, orders, routing
from scm.sales.documents import SalesOrder
from scm.sales.intake import LineRequest, OrderRequest
from scm.sales.routing import NobodyServes, Offer, Route, RoutingRule
from tests.moving import Lanes
from tests.world import World

TODAY = date(2026, 1, 5)


@st.composite
def choices(draw: st.DrawFn) -> tuple[list[Offer], RoutingRule]:
    """Some sites' offers for an order of some lines."""
    lines = draw(st.integers(1, 3))
    days = st.one_of(st.none(), st.integers(0, 9).map(lambda n: TODAY + timedelta(days=n)))
    offers = [
        Offer(
            site_id=site,
            arrives=draw(st.lists(days, min_size=lines, max_size=lines)),
            parcel_cost=draw(st.integers(0, 900)),
        )
        for site in range(1, draw(st.integers(1, 4)) + 1)
    ]
    return offers, RoutingRule(day_cost=draw(st.integers(0, 300)), may_split=draw(st.booleans()))


def score(offers: list[Offer], sites: tuple[int, ...], rule: RoutingRule) -> int | None:
    """What a choice costs, counted by itself; None when it cannot be."""
    by_site = {offer.site_id: offer for offer in offers}
    days = [by_site[site].arrives[line] for line, site in enumerate(sites)]
    known = [day for day in days if day is not None]
    if len(known) < len(days):
        return None
    return sum(by_site[site].parcel_cost for site in set(sites)) + rule.day_cost * (max(known) - TODAY).days


@given(given_choice=choices())
def test_no_other_choice_is_better(given_choice: tuple[list[Offer], RoutingRule]) -> None:
    offers, rule = given_choice
    found = routing.choose(offers, rule, today=TODAY)
    sites = [offer.site_id for offer in offers]
    every = list(itertools.product(sites, repeat=len(offers[0].arrives)))
    allowed = [one for one in every if rule.may_split or len(set(one)) == 1]
    scores = [known for one in allowed if (known := score(offers, one, rule)) is not None]
    if found is None:
        assert scores == []
        return
    assert rule.may_split or len(set(found.sites)) == 1
    assert score(offers, found.sites, rule) == min(scores)


def test_among_equals_the_preferred_site_serves_and_one_parcel_is_better_than_two() -> None:
    same = [Offer(site_id=site, arrives=[TODAY, TODAY], parcel_cost=0) for site in (7, 3)]
    assert routing.choose(same, RoutingRule(may_split=True), today=TODAY) == Route(sites=(7, 7), arrives=TODAY, cost=0)


class Shop:
    """Two sites, a channel, and a customer."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lanes = Lanes(world)
        self.bolt, self.nut = world.item("bolt"), world.item("nut")
        acme = world.supplier("acme")
        for item in (self.bolt, self.nut):
            world.agreement(item, acme, lead_time_days=20)
        self.customer = world.customer()

    def costs(self, south: int, north: int) -> None:
        """This function will say what a parcel from each site costs."""
        for site_id, cost in ((self.lanes.south, south), (self.lanes.north, north)):
            self.world.begin().execute(
                sa.update(CarrierService).where(CarrierService.site_id == site_id).values(parcel_cost=cost)
            )

    def stock_north(self, item: int, quantity: int) -> None:
        """This function will put stock into a bin of the north."""
        self.world.stock(item, quantity)
        self.lanes.receive(self.lanes.sent((item, quantity)))
        self.lanes.put_away(self.lanes.north)

    def order(self, *lines: tuple[int, int], external_id: str | None = "A-1") -> OrderRequest:
        """This function will ask for goods of (item, quantity) lines."""
        return OrderRequest(
            site_id=self.lanes.south,
            customer_id=self.customer,
            channel=channels.OWN_SHOP,
            external_id=external_id,
            lines=[LineRequest(item_id=item, quantity=number, unit_price=Decimal(10)) for item, number in lines],
        )

    def route(self, *requests: OrderRequest, rule: RoutingRule | None = None) -> list[OrderRequest]:
        """This function will choose the sites of orders."""
        world = self.world
        return routing.route(
            world.begin(),
            requests,
            rule or RoutingRule(),
            company_id=world.setup.company_id,
            actor=world.user("sales"),
            now=world.now,
            today=world.today,
        )


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


def test_who_has_the_goods_serves_the_order_and_has_its_demand(shop: Shop) -> None:
    shop.stock_north(shop.bolt, 10)
    world = shop.world
    [request] = shop.route(shop.order((shop.bolt, 4)))
    assert request.site_id == shop.lanes.north
    orders.place_and_confirm(world.begin(), [request], actor=world.user("sales"), now=world.now, today=world.today)
    assert world.begin().scalars(sa.select(SalesOrder.site_id)).all() == [shop.lanes.north]
    assert shop.lanes.position(shop.bolt, shop.lanes.north).reserved == 4


def test_the_cheaper_parcel_decides_between_two_that_have_it(shop: Shop) -> None:
    shop.stock_north(shop.bolt, 10)
    shop.world.stock(shop.bolt, 10)
    shop.costs(south=500, north=300)
    assert [one.site_id for one in shop.route(shop.order((shop.bolt, 4)))] == [shop.lanes.north]
    shop.costs(south=200, north=300)
    assert [one.site_id for one in shop.route(shop.order((shop.bolt, 4)))] == [shop.lanes.south]


def test_orders_routed_together_do_not_share_the_last_units(shop: Shop) -> None:
    shop.stock_north(shop.bolt, 5)
    shop.world.stock(shop.bolt, 10)
    shop.costs(south=500, north=300)
    found = shop.route(*(shop.order((shop.bolt, 4), external_id=f"A-{number}") for number in range(3)))
    assert [one.site_id for one in found] == [shop.lanes.north, shop.lanes.south, shop.lanes.south]


def test_an_order_is_split_only_where_that_is_allowed(shop: Shop) -> None:
    shop.stock_north(shop.bolt, 10)
    shop.world.stock(shop.nut, 10)
    both = shop.order((shop.bolt, 2), (shop.nut, 3))
    assert len(shop.route(both)) == 1
    first, second = shop.route(both, rule=RoutingRule(may_split=True))
    assert (first.site_id, [line.item_id for line in first.lines]) == (shop.lanes.north, [shop.bolt])
    assert (second.site_id, [line.item_id for line in second.lines]) == (shop.lanes.south, [shop.nut])
    assert (first.external_id, second.external_id) == ("A-1", "A-1/2")


def test_a_rule_may_leave_a_site_out(shop: Shop) -> None:
    shop.stock_north(shop.bolt, 10)
    [request] = shop.route(shop.order((shop.bolt, 4)), rule=RoutingRule(sites=(shop.lanes.south,)))
    assert request.site_id == shop.lanes.south, "it waits for the supplier there"


def test_what_nobody_can_supply_is_refused(shop: Shop) -> None:
    ghost = shop.world.item("ghost")
    with shop.world.refuses(NobodyServes, match="order A-1 of web: no site can serve every line"):
        shop.route(shop.order((ghost, 1)))
