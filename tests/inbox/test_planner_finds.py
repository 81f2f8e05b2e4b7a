"""What stands in a planner's inbox: it appears, comes in its order, and closes itself when its cause goes."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from procurement import orders, proposals
from procurement.proposals import ProposalRequest
from scm.finance import valuation
from scm.loop.exceptions.findings import Kind
from scm.master.items import Item, ItemStatus
from tests.inbox.office import Expected, Office
from tests.selling import Shop
from tests.world import World


def buyable(world: World, sku: str, *, sale_price: str = "10.00", lead_time_days: int = 7) -> tuple[int, int]:
    item = world.item(sku, sale_price=sale_price)
    return item, world.agreement(item, world.supplier(f"{sku}-works"), lead_time_days=lead_time_days)


def propose(world: World, item: int, agreement: int, supplier: int, *, quantity: int, in_days: int) -> int:
    request = ProposalRequest(
        item_id=item,
        supplier_id=supplier,
        agreement_id=agreement,
        quantity=quantity,
        order_date=world.day(in_days),
        due_date=world.day(in_days + 7),
        unit_price=Decimal(4),
        account=[{"name": "demand", "quantity": quantity}],
        inputs={},
    )
    [proposal_id] = proposals.publish(
        world.begin(),
        [request],
        run_id=1,
        company_id=world.setup.company_id,
        site_id=world.setup.site_id,
        actor=world.user("system"),
        now=world.now,
    )
    return proposal_id


def test_stock_that_runs_out_before_help_can_come_is_a_risk_at_its_selling_price(world: World, office: Office) -> None:
    bolt, _ = buyable(world, "bolt", sale_price="10.00", lead_time_days=13)
    nut, _ = buyable(world, "nut", sale_price="99.00", lead_time_days=13)
    steady, _ = buyable(world, "steady")
    for item, quantity in ((bolt, 7), (nut, 7), (steady, 500)):
        world.stock(item, quantity)
    office.forecast({bolt: 7, nut: 7, steady: 7})
    rows = office.rows(Kind.STOCK_OUT)
    assert [row.label for row in rows] == ["nut", "bolt"]  # the dearer first
    # One a day: seven last a week, of the fourteen days until an order of today could be here seven go unserved.
    assert (rows[1].quantity, rows[1].amount, rows[1].due_date) == (7, 70_00, world.day(7))
    assert rows[1].facts["next_order"] is None
    world.stock(bolt, 100)
    assert office.labels(Kind.STOCK_OUT) == ["nut"]
    assert [case.closed_date for case in office.stored(Kind.STOCK_OUT) if case.label == "bolt"] == [world.today]


def test_what_is_missing_is_counted_until_the_next_supply(world: World, office: Office) -> None:
    bolt, agreement = buyable(world, "bolt", lead_time_days=20)
    world.stock(bolt, 3)
    order = world.sent_order((agreement, 100), due_in=6)
    office.forecast({bolt: 7})
    row = office.row(Kind.STOCK_OUT)
    assert (row.due_date, row.quantity) == (world.day(3), 3)
    assert row.facts["next_quantity"] == 100 and row.facts["next_order"].startswith("PO-")
    orders.cancel(world.begin(), [order], reason="no longer made", actor=world.user("buyer"), now=world.now)
    row = office.row(Kind.STOCK_OUT)
    assert (row.due_date, row.quantity, row.facts["next_order"]) == (world.day(3), 18, None)


def test_a_stock_out_that_an_order_of_today_still_prevents_is_none(world: World, office: Office) -> None:
    bolt, _ = buyable(world, "bolt", lead_time_days=5)
    world.stock(bolt, 7)
    office.forecast({bolt: 7})
    assert office.labels(Kind.STOCK_OUT) == []


def test_customers_who_wait_already_are_part_of_the_risk(world: World, office: Office) -> None:
    bolt, _ = buyable(world, "bolt")
    world.demand(bolt, 5)
    row = office.row(Kind.STOCK_OUT)
    assert (row.quantity, row.due_date, row.facts["backordered"]) == (5, world.today, 5)


def test_an_item_on_its_way_out_may_run_out(world: World, office: Office) -> None:
    bolt, _ = buyable(world, "bolt")
    office.forecast({bolt: 70})
    assert office.labels(Kind.STOCK_OUT) == ["bolt"]
    world.begin().execute(sa.update(Item).values(status=ItemStatus.PHASE_OUT))
    assert office.labels(Kind.STOCK_OUT) == []


def test_late_supply_is_worth_the_demand_that_waits_for_it(world: World, office: Office) -> None:
    bolt, agreement = buyable(world, "bolt", sale_price="10.00")
    _, idle_agreement = buyable(world, "idle")
    order = world.sent_order((agreement, 100), due_in=2)
    world.sent_order((idle_agreement, 50), due_in=1)
    world.demand(bolt, 8)
    assert office.labels(Kind.LATE_SUPPLY) == []
    world.pass_days(5)
    first, second = office.rows(Kind.LATE_SUPPLY)
    assert (first.name, first.amount, first.quantity, first.facts["days_late"]) == ("bolt-works", 80_00, 100, 3)
    assert (second.name, second.amount, second.facts["days_late"]) == ("idle-works", 0, 4)
    world.receive(order, 40)
    assert office.rows(Kind.LATE_SUPPLY)[0].quantity == 60
    world.receive(order)
    assert [row.name for row in office.rows(Kind.LATE_SUPPLY)] == ["idle-works"]


def test_an_order_nobody_has_sent_is_not_the_suppliers_delay(world: World, office: Office) -> None:
    _, agreement = buyable(world, "bolt")
    world.approved_order((agreement, 10), due_in=1)
    world.pass_days(5)
    assert office.labels(Kind.LATE_SUPPLY) == []


def test_a_supplier_measured_to_take_longer_than_agreed_is_named(world: World, office: Office) -> None:
    _, slow = buyable(world, "slow", lead_time_days=5)
    _, quick = buyable(world, "quick", lead_time_days=5)
    for _ in range(3):
        late, in_time = world.sent_order((slow, 10)), world.sent_order((quick, 10))
        world.pass_days(5)
        world.receive(in_time)
        world.pass_days(3)
        world.receive(late)
    world.sent_order((slow, 20))
    row = office.row(Kind.LATE_SUPPLIER)
    assert (row.label, row.amount, row.quantity) == ("slow-works", 20 * 4_00, 20)
    assert (row.facts["deliveries"], row.facts["late"], row.facts["mean_days"]) == (3, 3, "8.0")


def test_stock_beyond_half_a_year_is_excess_at_cost(world: World, office: Office) -> None:
    bolt, _ = buyable(world, "bolt")
    nut, _ = buyable(world, "nut")
    for item, quantity in ((bolt, 200), (nut, 180)):
        world.stock(item, quantity)
    valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
    office.forecast({bolt: 7, nut: 7})
    row = office.row(Kind.EXCESS)
    assert (row.label, row.quantity, row.amount, row.facts["cover_days"]) == ("bolt", 20, 20 * 4_00, 200)
    office.forecast({bolt: 70, nut: 7})  # somebody discovers bolts
    assert office.labels(Kind.EXCESS) == []


def test_sales_outside_the_forecasts_band_are_a_break(world: World, office: Office, shop: Shop) -> None:
    bolt, _ = buyable(world, "bolt", sale_price="10.00")
    office.forecast({bolt: Expected(7, weeks=2)})  # 14 in two weeks, 24 at most
    world.pass_days(7)
    shop.order((bolt, 30))
    world.pass_days(7)
    office.forecast({bolt: Expected(10, weeks=2)})
    row = office.row(Kind.FORECAST_BREAK)
    assert (row.facts["sold"], row.facts["expected"], row.facts["high"]) == (30, 14.0, 24.0)
    assert (row.quantity, row.amount) == (16, 160_00)
    world.pass_days(14)
    office.forecast({bolt: Expected(0, weeks=2, quantiles=(0, 0, 0, 0, 0))})
    assert [row.facts["sold"] for row in office.rows(Kind.FORECAST_BREAK)] == [0]  # 20 expected, none asked for


def test_demand_inside_the_band_is_no_break(world: World, office: Office, shop: Shop) -> None:
    bolt, _ = buyable(world, "bolt")
    office.forecast({bolt: Expected(7, weeks=2)})
    world.pass_days(7)
    shop.order((bolt, 20))
    world.pass_days(7)
    office.forecast({bolt: Expected(7, weeks=2)})
    assert office.labels(Kind.FORECAST_BREAK) == []


def test_proposals_come_up_on_their_day_by_supplier(world: World, office: Office) -> None:
    bolt = world.item("bolt")
    supplier = world.supplier("works")
    agreement = world.agreement(bolt, supplier)
    proposal_id = propose(world, bolt, agreement, supplier, quantity=10, in_days=2)
    assert office.labels(Kind.PROPOSALS_DUE) == []
    world.pass_days(2)
    row = office.row(Kind.PROPOSALS_DUE)
    assert (row.label, row.amount, row.quantity, row.facts) == ("works", 40_00, 10, {"proposals": 1})
    proposals.accept(world.begin(), [proposal_id], actor=world.user("planner"), now=world.now)
    assert office.labels(Kind.PROPOSALS_DUE) == []
    assert office.labels(Kind.TO_DRAFT) == ["works"]  # now the buyer's
    orders.draft(world.begin(), actor=world.user("buyer"), now=world.now, today=world.today)
    assert office.labels(Kind.TO_DRAFT) == []
