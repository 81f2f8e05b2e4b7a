"""What an approver reads before deciding: what runs out, what it costs, what was delivered, what is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from forecasting.runs import ForecastLine, ForecastRun
from procurement import budgets, confirming, evidence, inbox, orders, rules, suppliers
from procurement.confirming import Confirmed
from procurement.evidence import Evidence
from procurement.purchase_orders import OrderUnknown, PurchaseOrder, PurchaseOrderLine
from procurement.rules import OverLimit
from procurement.urgency import Level
from scm.core import users
from scm.core.approval import SelfApproval
from scm.core.users import Actor, Role
from scm.master.partners import PartnerUnknown
from tests.procurement.proposing import accepted
from tests.world import World


class Shop(NamedTuple):
    """A world that sells seven bolts a week and buys them from acme, or dearer from other."""

    world: World
    bolt: int
    bolts: int
    nuts: int

    def read(self, order_id: int, *, actor: Actor | None = None) -> Evidence:
        """The order's page as somebody sees it."""
        number = self.world.begin().get_one(PurchaseOrder, order_id).number
        return evidence.read(
            self.world.begin(),
            number=number,
            site_id=self.world.setup.site_id,
            actor=actor or self.world.user("approver"),
            today=self.world.today,
        )

    def inbox(self, actor: Actor | None = None) -> inbox.Inbox:
        """The inbox as somebody sees it."""
        return inbox.read(
            self.world.begin(),
            site_id=self.world.setup.site_id,
            actor=actor or self.world.user("approver"),
            today=self.world.today,
        )


def forecast(world: World, weekly: dict[int, float]) -> None:
    session = world.begin()
    run = ForecastRun(
        site_id=world.setup.site_id,
        as_of_date=world.today - timedelta(days=1),
        created_at=world.now,
        bucket_days=7,
        settings={},
        inputs_hash="x",
    )
    session.add(run)
    session.flush()
    session.add_all(
        ForecastLine(
            run_id=run.id,
            item_id=item_id,
            means=[mean] * 13,
            protection_buckets=2,
            protection_mean=mean,
            protection_quantiles=[],
            demand_class="smooth",
            method="mean",
        )
        for item_id, mean in weekly.items()
    )
    session.flush()


@pytest.fixture
def shop(world: World) -> Shop:
    """Twenty bolts on hand, seven a week expected; nuts nobody buys."""
    bolt, nut = world.item("bolt"), world.item("nut")
    acme, other = world.supplier("acme", minimum_order_value=50000), world.supplier("other")
    bolts = world.agreement(bolt, acme, unit_price="4.20", lead_time_days=7)
    world.agreement(bolt, other, unit_price="4.50", lead_time_days=3, priority=2, minimum_order_quantity=50)
    world.stock(bolt, 20)
    forecast(world, {bolt: 7.0})
    return Shop(world, bolt, bolts, world.agreement(nut, acme, unit_price="0.50"))


def test_stock_is_projected_with_the_order_and_without_it(shop: Shop) -> None:
    world = shop.world
    order_id = world.submitted_order((shop.bolts, 30), due_in=14)
    [line] = shop.read(order_id).lines
    assert line.outlook.without[:3] == (19, 18, 17)
    assert line.outlook.out_without == world.day(20)
    assert line.outlook.with_orders[13:16] == (6, 35, 34)
    assert line.outlook.out_with == world.day(50)
    assert (line.urgency.level, line.urgency.send_by) == (Level.CALM, world.day(13))


@pytest.mark.parametrize("received", [0, 12])
def test_the_picture_is_the_same_after_the_approval_and_a_part_received(shop: Shop, received: int) -> None:
    world = shop.world
    order_id = world.sent_order((shop.bolts, 30), due_in=14)
    if received:
        world.receive(order_id, received)
    [line] = shop.read(order_id).lines
    assert line.outlook.without[0] == 19 + received
    assert line.outlook.with_orders[20] == 20 - 21 + 30
    assert (line.progress.received, line.progress.outstanding) == (received, 30 - received)


def test_the_price_is_held_against_earlier_orders_and_other_suppliers(shop: Shop) -> None:
    world = shop.world
    first = world.sent_order((shop.bolts, 30))
    world.begin().execute(
        sa.update(PurchaseOrderLine).where(PurchaseOrderLine.order_id == first).values(unit_price=Decimal("4.00"))
    )
    world.order((shop.bolts, 10))  # a draft says nothing
    found = shop.read(world.submitted_order((shop.bolts, 30), (shop.nuts, 10)))
    bolts = next(line for line in found.lines if line.sku == "bolt")
    assert [paid.unit_price for paid in bolts.paid] == [Decimal("4.00")]
    assert bolts.price_change == found.price_change == Decimal("0.05")
    [other] = bolts.alternatives
    assert (other.supplier_code, other.unit_price, other.lead_time_days, other.minimum_order_quantity) == (
        "other",
        Decimal("4.50"),
        3,
        50,
    )
    assert (found.amount, found.below_minimum) == (13100, 50000 - 13100)


def test_the_budget_of_the_period_adds_up_to_what_is_left(shop: Shop) -> None:
    world = shop.world
    budgets.set_budget(
        world.begin(),
        company_id=world.setup.company_id,
        from_date=world.today,
        until_date=world.day(27),
        amount=50000,
        actor=world.user("planner"),
    )
    world.approved_order((shop.bolts, 10))
    gone = world.order((shop.bolts, 90))
    orders.cancel(world.begin(), [gone], reason="x", actor=world.user("buyer"), now=world.now)
    budget = shop.read(world.submitted_order((shop.bolts, 100))).budget
    assert budget is not None
    assert (budget.amount, budget.committed, budget.orders, budget.this_order, budget.left) == (
        50000,
        4200,
        1,
        42000,
        3800,
    )
    world.pass_days(28)
    assert shop.read(world.order((shop.bolts, 10))).budget is None


def test_measured_lead_times_show_each_delivery_and_which_were_late(shop: Shop) -> None:
    world = shop.world
    for days in (7, 7, 9):
        order_id = world.sent_order((shop.bolts, 10))
        world.pass_days(days)
        world.receive(order_id)
    measured = shop.read(world.order((shop.bolts, 10))).measured
    assert measured is not None
    assert measured.days == [(7, 2, False), (9, 1, True)]
    assert (measured.agreed_days, measured.median_days, measured.p90_days, measured.on_time, measured.n) == (
        7,
        7,
        9,
        2,
        3,
    )


def test_a_line_tells_its_proposal_who_accepted_it_and_what_people_changed(shop: Shop) -> None:
    world = shop.world
    accepted(world, (shop.bolts, 100))
    [order_id] = orders.draft(world.begin(), actor=world.user("buyer"), now=world.now, today=world.today)
    [line] = shop.read(order_id).lines
    assert line.proposed is not None
    assert (line.proposed.quantity, line.proposed.accepted_by, line.changed_by_hand) == (100, "Planner", False)
    assert sum(term["quantity"] for term in line.proposed.account) == 100


def test_what_the_supplier_confirmed_stands_beside_what_was_ordered(shop: Shop) -> None:
    world = shop.world
    order_id = world.sent_order((shop.bolts, 30))
    [line] = shop.read(order_id).lines
    confirmed = [Confirmed(line_id=line.id, quantity=25, due_date=world.day(10))]
    confirming.confirm(world.begin(), order_id, confirmed, actor=world.user("buyer"), now=world.now, today=world.today)
    [line] = shop.read(order_id).lines
    assert line.confirmed is not None
    assert (line.quantity, line.confirmed.quantity, line.progress.coming_date) == (30, 25, world.day(10))


def test_an_order_of_another_site_is_not_there(shop: Shop) -> None:
    world = shop.world
    number = world.begin().get_one(PurchaseOrder, world.order((shop.bolts, 10))).number
    with pytest.raises(OrderUnknown, match=number):
        evidence.read(world.begin(), number=number, site_id=999, actor=world.user("approver"), today=world.today)


def test_the_inbox_puts_what_waits_for_the_reader_first_and_the_most_urgent_on_top(shop: Shop) -> None:
    world = shop.world
    both = users.add(
        world.begin(),
        username="both",
        display_name="Both",
        roles=frozenset({Role.BUYER, Role.APPROVER}),
        now=world.now,
    )
    calm = world.submitted_order((shop.nuts, 1000))
    rules.set_limit(world.begin(), username="approver", currency="GBP", largest_amount=100000, actor=both)
    large = world.submitted_order((shop.nuts, 3000))
    world.demand(shop.bolt, 40)
    urgent = world.submitted_order((shop.bolts, 30))
    own = world.order((shop.nuts, 10))
    orders.submit(world.begin(), [own], actor=both, now=world.now)

    found = shop.inbox()
    assert [one.order_id for one in found.waiting] == [urgent, calm, own, large]
    assert [one.order_id for one in found.mine] == [urgent, calm, own]
    assert isinstance(found.waiting[-1].refusal, OverLimit)
    first = found.waiting[0]
    assert (first.urgency.level, first.out_sku, first.amount) == (Level.TOO_LATE, "bolt", 12600)
    assert found.waiting[0].requester == "Buyer"

    theirs = shop.inbox(both)
    assert [one.order_id for one in theirs.mine] == [urgent, large, calm]
    assert isinstance(theirs.waiting[-1].refusal, SelfApproval)


def test_what_was_handed_over_waits_for_whom_it_was_handed_to(shop: Shop) -> None:
    world = shop.world
    other = users.add(
        world.begin(), username="other", display_name="Other", roles=frozenset({Role.APPROVER}), now=world.now
    )
    order_id = world.submitted_order((shop.nuts, 1000))
    orders.hand_over(
        world.begin(), order_id, to="other", comment="on leave", actor=world.user("approver"), now=world.now
    )
    assert shop.inbox().mine == []
    [mine] = shop.inbox(other).mine
    assert mine.handed is not None
    assert (mine.handed.from_name, mine.handed.comment) == ("Approver", "on leave")


def test_a_page_of_many_orders_and_lines_is_read_in_a_fixed_number_of_queries(world: World) -> None:
    acme = world.supplier("acme")
    agreements = [world.agreement(item, acme) for item in world.items(40)]
    counts = []
    for lines in (1, 40):
        order_id = world.submitted_order(*[(agreement, 5) for agreement in agreements[:lines]])
        number = world.begin().get_one(PurchaseOrder, order_id).number
        for read in (
            lambda number=number: evidence.read(
                world.begin(),
                number=number,
                site_id=world.setup.site_id,
                actor=world.user("approver"),
                today=world.today,
            ),
            lambda: inbox.read(
                world.begin(), site_id=world.setup.site_id, actor=world.user("approver"), today=world.today
            ),
        ):
            with counted(world) as statements:
                read()
            counts.append(len(statements))
    assert counts[0] == counts[2] <= 35
    assert counts[1] == counts[3] <= 30


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    connection = world.begin().connection()
    statements: list[str] = []

    def note(*args: object) -> None:
        statements.append(str(args[2])[:80])

    sa.event.listen(connection, "before_cursor_execute", note)
    yield statements
    sa.event.remove(connection, "before_cursor_execute", note)


def test_a_supplier_page_tells_terms_deliveries_open_orders_and_agreements(shop: Shop) -> None:
    world = shop.world
    done = world.sent_order((shop.bolts, 10))
    world.pass_days(9)
    world.receive(done)
    late = world.sent_order((shop.bolts, 10))
    world.order((shop.nuts, 10))
    world.pass_days(9)
    found = suppliers.page(
        world.begin(),
        code="acme",
        company_id=world.setup.company_id,
        site_id=world.setup.site_id,
        today=world.today,
    )
    assert found.score.measured is not None
    assert (found.score.measured.n, found.score.measured.on_time, found.score.measured.overdue) == (2, 0, 1)
    assert [(one.outstanding, one.late(world.today)) for one in found.orders] == [(0, False), (10, True)]
    assert found.orders[1].number == world.begin().get_one(PurchaseOrder, late).number
    assert [one.sku for one in found.agreements] == ["bolt", "nut"]
    assert (found.minimum_order_value, found.agreement_count, found.defective) == (50000, 2, [])
    with pytest.raises(PartnerUnknown, match="nobody"):
        suppliers.page(
            world.begin(),
            code="nobody",
            company_id=world.setup.company_id,
            site_id=world.setup.site_id,
            today=world.today,
        )
