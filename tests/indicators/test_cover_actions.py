"""What a planner does about slow movers, and that the next plan really honours it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from scm.core.audit import AuditRow
from scm.core.documents import IllegalTransition
from scm.core.users import RoleMissing
from scm.loop import cover, indicators
from scm.loop.cover import NothingOnOrder
from scm.loop.exceptions import inbox
from scm.loop.exceptions.findings import Kind
from scm.master import assortment
from scm.master.assortment import BadMarkdown, ReasonMissing
from scm.master.items import Item, ItemUnknown
from tests.loop.company import GO_LIVE, Company, evening
from tests.loop.conftest import _prepared_postgresql, _prepared_sqlite, another_company, company
from tests.world import World

__all__ = ["_prepared_postgresql", "_prepared_sqlite", "another_company", "company"]


def test_the_next_plan_proposes_nothing_of_what_is_bought_no_more(company: Company) -> None:
    company.empty_shelves()
    company.cycle()
    before = company.proposals()
    sku = sorted(before)[0]
    item_id = before[sku].item_id
    planner = company.setup.users["planner"]
    with company.writing() as session:
        rejected = cover.stop_buying(
            session,
            [item_id],
            site_id=company.setup.site_id,
            reason="out of fashion",
            actor=planner,
            now=evening(GO_LIVE),
        )
    assert rejected == 1
    assert sku not in company.proposals()
    company.cycle()
    after = company.proposals()
    assert sku not in after
    assert set(before) - set(after) == {sku}
    with company.writing() as session:
        assortment.buy_again(
            session, [item_id], company_id=company.setup.company_id, reason="back in fashion", actor=planner
        )
    company.cycle(GO_LIVE + timedelta(days=1))  # a no stands for its day
    assert sku in company.proposals()


def test_the_cycle_leaves_the_morning_its_exceptions_and_its_indicators(company: Company) -> None:
    company.empty_shelves()
    company.cycle()
    morning = GO_LIVE + timedelta(days=1)
    with company.reading() as session:
        found = inbox.read(session, site_id=company.setup.site_id, kinds=frozenset(Kind), today=morning)
        readings = indicators.read(session, site_id=company.setup.site_id, today=morning)
    kinds = {group.kind for group in found.groups}
    assert {Kind.STOCK_OUT, Kind.PROPOSALS_DUE} <= kinds
    assert found.new == found.count > 0
    assert readings is not None and readings.measured_date == morning


def test_what_is_on_order_of_one_item_is_taken_back_and_the_rest_of_the_order_stays(world: World) -> None:
    bolt, nut, supplier = world.item("bolt"), world.item("nut"), world.supplier("works")
    bolts, nuts = world.agreement(bolt, supplier), world.agreement(nut, supplier)
    first = world.sent_order((bolts, 10), (nuts, 20))
    world.sent_order((bolts, 5))
    world.receive(first, 4)
    taken = cover.take_back(
        world.begin(),
        bolt,
        site_id=world.setup.site_id,
        reason="nobody wants them",
        actor=world.user("planner"),
        now=world.now,
    )
    assert (taken.lines, taken.quantity) == (2, 6 + 5)
    assert (world.on_order(bolt), world.on_order(nut)) == (0, 16)
    with world.refuses(NothingOnOrder, match="bolt") as session:
        cover.take_back(
            session,
            bolt,
            site_id=world.setup.site_id,
            reason="again",
            actor=world.user("planner"),
            now=world.now,
        )


def test_a_markdown_lowers_the_price_and_says_why(world: World) -> None:
    bolt = world.item("bolt", sale_price="10.00")
    company_id, planner = world.setup.company_id, world.user("planner")
    before = assortment.mark_down(
        world.begin(), {bolt: Decimal("7.50")}, company_id=company_id, reason="summer is over", actor=planner
    )
    assert before == {bolt: Decimal("10.00")}
    assert world.begin().get_one(Item, bolt).sale_price == Decimal("7.50")
    row = world.begin().scalars(sa.select(AuditRow).where(AuditRow.verb == "item.mark_down")).one()
    assert (row.document_id, row.detail["after"], row.detail["reason"]) == (bolt, "7.50", "summer is over")


@pytest.mark.parametrize("price", ["10.00", "12", "-1", "1.0000001", "NaN"])
def test_a_markdown_must_be_a_lower_price(world: World, price: str) -> None:
    bolt = world.item("bolt", sale_price="10.00")
    with world.refuses(BadMarkdown, match="bolt") as session:
        assortment.mark_down(
            session,
            {bolt: Decimal(price)},
            company_id=world.setup.company_id,
            reason="sale",
            actor=world.user("planner"),
        )


def test_decisions_about_items_need_a_reason_a_role_and_the_right_state(world: World) -> None:
    bolt, company_id, planner = world.item("bolt"), world.setup.company_id, world.user("planner")
    with world.refuses(ReasonMissing) as session:
        assortment.stop_buying(session, [bolt], company_id=company_id, reason=" ", actor=planner)
    with world.refuses(RoleMissing) as session:
        assortment.stop_buying(session, [bolt], company_id=company_id, reason="x", actor=world.user("warehouse"))
    with world.refuses(ItemUnknown) as session:
        assortment.stop_buying(session, [bolt], company_id=company_id + 1, reason="x", actor=planner)
    with world.refuses(IllegalTransition, match="bolt is active") as session:
        assortment.buy_again(session, [bolt], company_id=company_id, reason="x", actor=planner)
