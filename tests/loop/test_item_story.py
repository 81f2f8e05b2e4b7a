"""The story of an item: its past recounted from the ledger, its outlook from the run, in a fixed number of queries."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from forecasting.history import DemandFact
from forecasting.runs import ForecastLine
from procurement import proposals
from scm.loop import cycle_runs, item_targets
from scm.loop.item_page import past, story
from scm.loop.item_page.story import Story
from scm.master.items import Item
from scm.sales import lost_demand
from scm.sales.lost_demand import Loss
from scm.stock import ledger
from scm.stock.ledger import MoveRequest
from tests.loop.company import GO_LIVE, Company
from tests.world import World

SKU = "KT-001"


def tell(company: Company, sku: str = SKU, today: date = GO_LIVE + timedelta(days=1)) -> Story:
    with company.reading() as session:
        facts = story.find(session, sku=sku, company_id=company.setup.company_id)
        assert facts is not None
        return story.tell(session, facts, site_id=company.setup.site_id, today=today)


def test_the_story_of_a_proposed_item_agrees_with_its_run(company: Company) -> None:
    company.empty_shelves()
    company.cycle()
    told = tell(company)
    [proposal] = told.open_proposals
    assert told.target is not None and told.forecast is not None
    terms = {term["name"]: term["quantity"] for term in proposal.account}
    assert told.target.demand == terms["demand"]
    assert told.target.safety_demand == terms.get("safety_demand", 0)
    assert told.target.expected_returns == -terms.get("expected_returns", 0)
    assert told.target.need == proposal.inputs["need"]
    assert told.target.protection_days == proposal.inputs["protection_days"]
    assert told.target.safety_stock < told.target.reorder_point <= told.target.order_up_to_level
    with company.reading() as session:
        run = cycle_runs.latest(session, site_id=company.setup.site_id)
        assert run is not None
        line = session.get_one(ForecastLine, (run.forecast_run_id, told.facts.id))
    assert [week.mean for week in told.forecast.weeks] == line.means
    assert told.forecast.weeks[0].since == GO_LIVE + timedelta(days=1)
    assert all(week.low <= week.mean <= week.high for week in told.forecast.weeks)


def test_the_past_is_what_the_facts_and_the_ledger_say(company: Company) -> None:
    company.empty_shelves()
    company.cycle()
    told = tell(company)
    last = told.days[-1]
    assert (last.day, last.on_hand, last.stocked_out) == (GO_LIVE, told.position.on_hand, told.position.on_hand == 0)
    assert told.days[-2].on_hand is None, "nobody knows the stock of the days before the first move"
    with company.reading() as session:
        asked = session.scalar(
            sa.select(sa.func.sum(DemandFact.quantity)).where(
                DemandFact.item_id == told.facts.id, DemandFact.demand_date >= told.days[0].day
            )
        )
    assert sum(day.asked for day in told.days) == asked
    assert len(told.days) == story.HISTORY_DAYS == 7 * len(past.weeks(told.days))


def test_the_projection_starts_from_what_is_free_and_adds_what_was_proposed(company: Company) -> None:
    company.empty_shelves()
    company.cycle()
    told = tell(company)
    [proposal] = told.open_proposals
    assert told.forecast is not None
    daily = told.forecast.weeks[0].mean / 7
    free = told.position.available - told.position.backordered
    assert abs(told.projection.as_it_stands[0] - (free - daily)) <= 0.5
    days = (proposal.due_date - told.today).days
    gap = [
        with_it - without
        for with_it, without in zip(told.projection.with_proposals, told.projection.as_it_stands, strict=True)
    ]
    assert gap[:days] == [0] * days and set(gap[days:]) == {proposal.quantity}
    assert told.projection.runs_out is not None and told.projection.short > 0


def test_two_runs_can_be_held_against_each_other(company: Company) -> None:
    company.empty_shelves()
    company.cycle()
    company.cycle()
    told = tell(company)
    assert told.target is not None and told.target_before is not None
    assert told.target.run_id > told.target_before.run_id
    assert told.target.order_up_to_level == told.target_before.order_up_to_level
    with company.reading() as session:
        count = session.scalar(sa.select(sa.func.count()).select_from(item_targets.ItemTarget))
        active = session.scalar(sa.select(sa.func.count()).select_from(Item))
    assert count == 2 * (active or 0)


def test_an_accepted_proposal_is_coming(company: Company) -> None:
    company.empty_shelves()
    company.cycle()
    [proposal] = tell(company).open_proposals
    with company.writing() as session:
        proposals.accept(session, [proposal.id], actor=company.setup.users["planner"], now=proposal.created_at)
    told = tell(company)
    [coming] = told.coming
    assert (coming.order_number, coming.quantity, coming.due_date) == (None, proposal.quantity, proposal.due_date)
    assert told.projection.as_it_stands == told.projection.with_proposals


def test_every_item_takes_the_same_number_of_queries(company: Company) -> None:
    company.empty_shelves()
    company.cycle()
    with company.reading() as session:
        skus = session.scalars(sa.select(Item.sku).order_by(Item.sku)).all()
    counts = {sku: queries(company, sku) for sku in (skus[0], skus[7], skus[-1])}
    assert len(set(counts.values())) == 1 and max(counts.values()) <= 36, counts


def queries(company: Company, sku: str) -> int:
    with company.reading() as session:
        statements: list[object] = []
        connection = session.connection()

        def note(*args: object) -> None:
            statements.append(args[2])

        sa.event.listen(connection, "before_cursor_execute", note)
        facts = story.find(session, sku=sku, company_id=company.setup.company_id)
        assert facts is not None
        story.tell(session, facts, site_id=company.setup.site_id, today=GO_LIVE + timedelta(days=1))
        sa.event.remove(connection, "before_cursor_execute", note)
    return len(statements)


def leave(world: World, session: Session, item: int, quantity: int) -> None:
    request = MoveRequest(
        item_id=item,
        source_id=world.setup.bin_ids[0],
        destination_id=world.setup.adjustment_location_id,
        quantity=quantity,
        due_date=world.today,
        document_kind="cycle_count",
        document_id=1,
        line_id=1,
        reason="counted",
    )
    ledger.move_now(
        session,
        [request],
        company_id=world.setup.company_id,
        actor=world.user("warehouse"),
        now=world.now,
        today=world.today,
    )


def test_days_without_stock_and_lost_demand_are_told(world: World) -> None:
    bolt, first = world.item("bolt"), world.today
    world.pass_days(1)
    world.stock(bolt, 10)
    world.pass_days(1)
    leave(world, world.begin(), bolt, 10)
    world.pass_days(2)
    loss = Loss(item_id=bolt, site_id=world.setup.site_id, lost_date=world.today, quantity=3)
    lost_demand.record_lost_demand(world.begin(), [loss], actor=world.user("sales"), now=world.now)
    world.pass_days(1)
    world.stock(bolt, 4)
    told = past.days(world.begin(), item_id=bolt, site_id=world.setup.site_id, since=first, until=world.today)
    assert [day.on_hand for day in told] == [None, 10, 0, 0, 0, 4]
    assert [day.lost for day in told] == [0, 0, 0, 0, 3, 0]
    assert [day.asked for day in told] == [0, 0, 0, 0, 3, 0], "what was lost was asked for"
    assert past.outages(told) == [(first + timedelta(days=2), first + timedelta(days=4))]
    earlier = past.days(
        world.begin(), item_id=bolt, site_id=world.setup.site_id, since=first, until=first + timedelta(days=3)
    )
    assert earlier == told[:4], "a past that ends earlier is the same past"


@pytest.mark.parametrize("sku", ["nothing", ""])
def test_what_is_not_there_has_no_story(world: World, sku: str) -> None:
    assert story.find(world.begin(), sku=sku, company_id=world.setup.company_id) is None
