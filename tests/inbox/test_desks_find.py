"""What stands in the inboxes of buyers, approvers, the warehouse and the returns desk, and how it closes itself."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal

import sqlalchemy as sa

from aftersales.disposition import Disposition
from procurement import orders
from scm.core.jobs import JobRun, RunState
from scm.core.outbox import OutboxMessage
from scm.finance import valuation
from scm.loop.exceptions.findings import Kind
from scm.master.agreements import SupplierAgreement
from tests.aftersales.desk import Desk
from tests.inbox.office import Office
from tests.selling import Shop
from tests.world import World
from warehouse import counting
from warehouse.counting import CountedStock
from warehouse.counts import Target


def agreed(world: World, sku: str = "bolt", *, unit_price: str = "4.00") -> tuple[int, int]:
    item = world.item(sku)
    return item, world.agreement(item, world.supplier(f"{sku}-works"), unit_price=unit_price)


def test_an_order_goes_from_desk_to_desk(world: World, office: Office) -> None:
    _, agreement = agreed(world)
    steps = [Kind.TO_SUBMIT, Kind.TO_APPROVE, Kind.TO_SEND]

    def where() -> list[Kind]:
        office.look()
        return [group.kind for group in office.inbox().groups if group.kind in steps]

    order = world.order((agreement, 10), due_in=9)
    assert where() == [Kind.TO_SUBMIT]
    orders.submit(world.begin(), [order], actor=world.user("buyer"), now=world.now)
    row = office.row(Kind.TO_APPROVE)
    assert (row.name, row.amount, row.quantity, row.due_date) == ("bolt-works", 40_00, 10, world.day(9))
    assert row.facts["requested_by"] == row.facts["written_by"]
    assert [group.kind for group in office.inbox("approver").groups] == [Kind.TO_APPROVE]
    assert office.inbox("buyer").count == 0  # who submitted it waits
    orders.approve(world.begin(), [order], actor=world.user("approver"), now=world.now, today=world.today)
    assert where() == [Kind.TO_SEND]
    orders.send(world.begin(), [order], actor=world.user("buyer"), now=world.now, today=world.today)
    assert where() == []


def test_the_largest_order_is_approved_first(world: World, office: Office) -> None:
    _, agreement = agreed(world)
    for quantity in (10, 30, 20):
        world.submitted_order((agreement, quantity))
    assert [row.amount for row in office.rows(Kind.TO_APPROVE)] == [120_00, 80_00, 40_00]


def test_a_price_that_moved_since_the_order_was_written_shows_the_difference(world: World, office: Office) -> None:
    _, agreement = agreed(world)
    order = world.order((agreement, 10))
    assert office.labels(Kind.PRICE_MOVED) == []
    change = sa.update(SupplierAgreement).where(SupplierAgreement.id == agreement)
    world.begin().execute(change.values(unit_price=Decimal("4.50")))
    row = office.row(Kind.PRICE_MOVED)
    assert (row.amount, row.facts["difference"]) == (5_00, 5_00)
    orders.cancel(world.begin(), [order], reason="too dear", actor=world.user("buyer"), now=world.now)
    assert office.labels(Kind.PRICE_MOVED) == []


def test_goods_due_today_are_expected_at_the_dock_then_wait_to_be_put_away(world: World, office: Office) -> None:
    bolt, agreement = agreed(world)
    order = world.sent_order((agreement, 10), due_in=1)
    assert office.labels(Kind.INBOUND_DUE) == []
    world.pass_days(1)
    row = office.row(Kind.INBOUND_DUE)
    assert (row.name, row.quantity, row.facts["days_late"]) == ("bolt-works", 10, 0)
    world.receive(order)
    valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
    assert office.labels(Kind.INBOUND_DUE) == []
    row = office.row(Kind.TO_PUT_AWAY)
    assert (row.label, row.quantity, row.amount) == ("bolt", 10, 40_00)
    world.put_away()
    assert office.labels(Kind.TO_PUT_AWAY) == []
    assert world.on_hand(bolt) == 10


def test_a_promised_order_that_missed_the_carrier_is_worth_its_goods(world: World, office: Office, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    order = shop.order((bolt, 4), unit_price="12.50")
    shop.order((bolt, 500))  # ten of them promised, the rest is not the warehouse's to ship
    assert office.labels(Kind.PAST_CUT_OFF) == []
    world.pass_days(1)
    first, second = sorted(office.rows(Kind.PAST_CUT_OFF), key=lambda row: row.label)
    assert (first.amount, first.quantity) == (50_00, 4)
    assert second.quantity == 6
    shop.send_out(order)
    assert office.labels(Kind.PAST_CUT_OFF) == [second.label]


def test_today_counts_once_the_last_carrier_has_left(world: World, office: Office, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    shop.order((bolt, 4))

    class Late(World):
        @property
        def now(self) -> datetime:
            return datetime.combine(self.today, time(16, 30), super().now.tzinfo)

    world.__class__ = Late
    assert len(office.labels(Kind.PAST_CUT_OFF)) == 1


def test_a_short_pick_stays_until_it_is_picked_again(world: World, office: Office, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 5, bin_number=1)
    world.stock(bolt, 5, bin_number=2)
    shop.order((bolt, 4))
    wave = shop.wave()
    result = shop.pick_some(wave, {wave.pick_ids[0]: 1})
    row = office.row(Kind.SHORT_PICK)
    assert (row.quantity, row.amount) == (3, 30_00)
    assert result.count_id is not None
    shop.pick(shop.wave())
    assert office.labels(Kind.SHORT_PICK) == []


def test_a_count_that_differs_waits_for_somebody_else(world: World, office: Office) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
    place = world.setup.bin_ids[0]
    count_id = counting.plan_count(
        world.begin(),
        [Target(place, bolt)],
        actor=world.user("warehouse"),
        now=world.now,
        today=world.today,
    )
    counting.record_count(
        world.begin(),
        count_id,
        [CountedStock(location_id=place, item_id=bolt, quantity=7)],
        actor=world.user("warehouse"),
        now=world.now,
    )
    row = office.row(Kind.COUNT_TO_APPROVE)
    assert (row.quantity, row.amount, row.facts) == (3, 12_00, {"lines": 1, "net": -3})
    counting.reject(world.begin(), count_id, actor=world.user("approver"), now=world.now, comment="count again")
    assert office.labels(Kind.COUNT_TO_APPROVE) == []


def test_a_parcel_goes_through_the_returns_desk(world: World, office: Office) -> None:
    desk = Desk(world)
    line = desk.delivered(world.item("bolt"), 5)
    returned = desk.authorize(line, 2)
    assert office.inbox("returns").count == 0
    world.pass_days(15)
    row = office.row(Kind.RETURN_OVERDUE)
    assert (row.quantity, row.facts["age_days"]) == (2, 15)
    [return_line] = desk.back(returned)
    assert office.row(Kind.TO_INSPECT).quantity == 2
    [inspection] = desk.inspect(return_line, 2)
    assert office.labels(Kind.RETURN_OVERDUE) == office.labels(Kind.TO_INSPECT) == []
    assert (office.row(Kind.TO_DISPOSE).quantity, office.row(Kind.TO_REFUND).quantity) == (2, 2)
    desk.dispose(inspection, Disposition.RESTOCK)
    desk.refund(return_line, 2)
    office.look()
    assert office.inbox("returns").count == 0


def test_an_order_whose_promised_day_has_passed_is_the_sales_desks(world: World, office: Office, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 10)
    order = shop.order((bolt, 4))
    promised = shop.line(order).promised_date
    assert promised is not None
    while world.today <= promised:
        assert office.labels(Kind.ORDER_LATE) == []
        world.pass_days(1)
    assert office.row(Kind.ORDER_LATE).due_date == promised
    shop.cancel(order)
    assert office.labels(Kind.ORDER_LATE) == []


def test_a_job_that_failed_stands_there_until_it_succeeds(world: World, office: Office) -> None:
    def record(state: RunState, name: str, error: str = "") -> None:
        session = world.begin()
        session.add(
            JobRun(job="nightly_cycle", scheduled_for=name, due_at=world.now, state=state, result=None, error=error)
        )
        session.flush()

    record(RunState.SUCCEEDED, "monday")
    assert office.labels(Kind.JOB_FAILED) == []
    record(RunState.FAILED, "tuesday", "no item has an agreement\nTraceback")
    row = office.row(Kind.JOB_FAILED)
    assert (row.label, row.facts["error"]) == ("nightly_cycle", "no item has an agreement\nTraceback")
    record(RunState.SUCCEEDED, "wednesday")
    assert office.labels(Kind.JOB_FAILED) == []


def test_a_message_nobody_could_deliver_is_the_administrators(world: World, office: Office) -> None:
    item = world.item("bolt")
    world.sent_order((world.agreement(item, world.supplier("works")), 10))
    assert office.labels(Kind.MESSAGE_DEAD) == []
    world.begin().execute(sa.update(OutboxMessage).values(dead_at=world.now, last_error="no such mailbox"))
    row = office.row(Kind.MESSAGE_DEAD)
    assert (row.name, row.facts["error"]) == ("works@test", "no such mailbox")
    world.begin().execute(sa.update(OutboxMessage).values(dead_at=None))
    assert office.labels(Kind.MESSAGE_DEAD) == []
