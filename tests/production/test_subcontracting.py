"""What a partner makes: components stay ours in its building, and what was sent always adds up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scm.finance.journal import Account
from scm.master.bom import BomKind
from scm.master.locations import of_partner
from scm.production import links, subcontracting
from scm.production.issuing import Return
from scm.production.links import BadTerm, LinkUnknown, NoPartner
from scm.production.orders import StillAtPartner
from scm.production.subcontracting import NotThere, Used
from tests.production.shop import Shop
from tests.world import World


@pytest.fixture
def plated(world: World, shop: Shop) -> tuple[int, int, int, int]:
    """A gear that a partner plates, its blank, the partner, and a released order for 10."""
    gear, blank = world.item("gear"), world.item("blank", unit_cost="2.00")
    partner = shop.partner()
    world.stock(blank, 30)
    bill = shop.bom(gear, (blank, 1), kind=BomKind.SUBCONTRACT, partner=partner)
    return gear, blank, partner, shop.released(bill, 10)


def consume(world: World, shop: Shop, order: int, blank: int, quantity: int) -> None:
    """This function will note what the partner used."""
    subcontracting.consume(
        world.begin(),
        order,
        [Used(component_id=shop.component(order, blank), quantity=quantity)],
        actor=shop.floor,
        now=world.now,
        today=world.today,
    )
    world.begin()


def send_back(world: World, shop: Shop, order: int, blank: int, quantity: int) -> None:
    """This function will bring unused components back."""
    subcontracting.send_back(
        world.begin(),
        order,
        [Return(component_id=shop.component(order, blank), quantity=quantity, bin_id=world.setup.bin_ids[2])],
        reason="not needed",
        actor=world.user("warehouse"),
        now=world.now,
        today=world.today,
    )
    world.begin()


def test_what_is_sent_is_still_ours_and_still_valued(
    world: World, shop: Shop, plated: tuple[int, int, int, int]
) -> None:
    _, blank, partner, order = plated
    shop.issue(order)
    place = of_partner(world.begin(), partner_id=partner, company_id=world.setup.company_id)
    assert world.at(blank, place) == 10
    assert world.on_hand(blank) == 20
    shop.value()
    assert shop.cost(blank) == (30, 6000)
    assert shop.account(Account.WORK_IN_PROGRESS) == 0
    assert shop.findings() == []


def test_sent_less_used_less_returned_is_there(world: World, shop: Shop, plated: tuple[int, int, int, int]) -> None:
    gear, blank, partner, order = plated
    shop.issue(order)
    consume(world, shop, order, blank, 6)
    send_back(world, shop, order, blank, 3)
    [found] = subcontracting.reconcile(shop.progress(order))
    assert (found.sent, found.used, found.sent_back, found.there, found.difference) == (10, 6, 3, 1, 0)
    place = of_partner(world.begin(), partner_id=partner, company_id=world.setup.company_id)
    assert world.at(blank, place) == 1
    assert world.on_hand(blank) == 23
    with world.refuses(NotThere, "the partner has 1 for this order, not 2"):
        consume(world, shop, order, blank, 2)
    shop.report(order, 6)
    shop.complete(order, 6)
    shop.value()
    assert shop.cost(gear) == (6, 1200)
    assert shop.findings() == []


def test_an_order_is_not_closed_while_the_partner_has_something(
    world: World, shop: Shop, plated: tuple[int, int, int, int]
) -> None:
    _, blank, _, order = plated
    shop.issue(order)
    consume(world, shop, order, blank, 8)
    with world.refuses(StillAtPartner, "still has 2 units"):
        shop.close(order, reason="enough")
    send_back(world, shop, order, blank, 2)
    shop.close(order, reason="enough")
    shop.value()
    assert shop.account(Account.PRODUCTION_VARIANCE) == 1600
    assert shop.findings() == []


def test_what_came_back_can_be_sent_again(world: World, shop: Shop, plated: tuple[int, int, int, int]) -> None:
    _, blank, _, order = plated
    shop.issue(order, (blank, 4))
    send_back(world, shop, order, blank, 4)
    shop.issue(order)
    assert shop.progress(order).consumption[shop.component(order, blank)].there == 10
    assert shop.findings() == []


def test_a_link_opens_one_order_for_a_while_and_only_its_hash_is_kept(
    world: World, shop: Shop, plated: tuple[int, int, int, int]
) -> None:
    order = plated[3]
    wall = world.now
    token, again = links.new_token(), links.new_token()
    links.make(world.begin(), order, token=token, days=7, actor=shop.planner, wall=wall)
    assert links.open_link(world.begin(), token, wall=wall).order_id == order
    kept = world.everything()["partner_link"]
    assert token not in repr(kept)
    with world.refuses(LinkUnknown):
        links.open_link(world.begin(), token, wall=wall + timedelta(days=7))
    with world.refuses(LinkUnknown):
        links.open_link(world.begin(), token + "x", wall=wall)
    links.make(world.begin(), order, token=again, days=7, actor=shop.planner, wall=wall)
    with world.refuses(LinkUnknown):
        links.open_link(world.begin(), token, wall=wall)
    links.revoke(world.begin(), order, actor=shop.planner, wall=wall)
    with world.refuses(LinkUnknown):
        links.open_link(world.begin(), again, wall=wall)


def test_only_an_order_of_a_partner_has_a_link(world: World, shop: Shop, plated: tuple[int, int, int, int]) -> None:
    own = shop.order(shop.bom(world.item("table"), (world.item("leg"), 1)), 1)
    with world.refuses(NoPartner):
        links.make(world.begin(), own, token=links.new_token(), days=7, actor=shop.planner, wall=world.now)
    with world.refuses(BadTerm, "1 to 90 days"):
        links.make(world.begin(), plated[3], token=links.new_token(), days=91, actor=shop.planner, wall=world.now)
