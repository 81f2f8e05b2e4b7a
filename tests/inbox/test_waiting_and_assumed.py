"""What stands on the sales desk while customers wait, and on the administrator's while figures are only assumed."""

from __future__ import annotations

import sqlalchemy as sa

from scm.loop.exceptions import evidence, looking, solving
from scm.loop.exceptions.findings import Kind
from scm.loop.exceptions.solving import Solution
from scm.master.agreements import SupplierAgreement, SupplierTerms
from tests.inbox.office import Office
from tests.selling import Shop
from tests.world import World


def test_an_order_waits_for_supply_until_its_goods_are_reserved(world: World, office: Office, shop: Shop) -> None:
    bolt = world.item("bolt")
    agreement = world.agreement(bolt, world.supplier("works"))
    world.stock(bolt, 4)
    order = shop.order((bolt, 10))
    purchase = world.sent_order((agreement, 6), due_in=5)
    row = office.row(Kind.ORDER_WAITS)
    assert (row.quantity, row.amount, row.facts["unpromised"]) == (6, 60_00, 0)
    assert row.due_date == shop.line(order).promised_date
    scope = looking.scope_of(world.begin(), site_id=world.setup.site_id, now=world.now, today=world.today)
    shown = evidence.read(world.begin(), scope, row)
    [wait] = shown.waits
    assert (wait.sku, wait.quantity, [day for _, day in wait.orders]) == ("bolt", 6, [world.day(5)])
    assert [(line.label, line.quantity, line.amount) for line in shown.lines] == [("bolt", 6, 60_00)]
    assert [group.kind for group in office.inbox("sales").groups] == [Kind.ORDER_WAITS]
    world.receive(purchase)
    world.put_away()
    assert office.labels(Kind.ORDER_WAITS) == []


def test_what_nobody_can_promise_stands_first_without_a_date(world: World, office: Office, shop: Shop) -> None:
    bolt, screw = world.item("bolt"), world.item("screw")
    world.agreement(bolt, world.supplier("works"))
    shop.order((bolt, 90))
    lost = shop.order((screw, 1))
    first, second = office.rows(Kind.ORDER_WAITS)
    assert (first.label, first.due_date, first.facts["unpromised"]) == (shop.number(lost), None, 1)
    assert second.due_date is not None and (second.amount or 0) > (first.amount or 0)


def test_an_order_past_its_promise_is_late_and_no_longer_waiting(world: World, office: Office, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.agreement(bolt, world.supplier("works"))
    order = shop.order((bolt, 3))
    promised = shop.line(order).promised_date
    assert promised is not None
    world.pass_days((promised - world.today).days)
    assert (office.labels(Kind.ORDER_WAITS), office.labels(Kind.ORDER_LATE)) == ([shop.number(order)], [])
    world.pass_days(1)
    assert (office.labels(Kind.ORDER_WAITS), office.labels(Kind.ORDER_LATE)) == ([], [shop.number(order)])


def test_a_cancelled_order_waits_no_more(world: World, office: Office, shop: Shop) -> None:
    order = shop.order((world.item("bolt"), 3))
    assert office.labels(Kind.ORDER_WAITS) == [shop.number(order)]
    shop.cancel(order)
    assert office.labels(Kind.ORDER_WAITS) == []


def test_a_customer_who_walks_away_keeps_what_is_reserved(world: World, office: Office, shop: Shop) -> None:
    bolt = world.item("bolt")
    world.stock(bolt, 4)
    order = shop.order((bolt, 10))
    row = office.row(Kind.ORDER_WAITS)
    assert solving.possible(Kind.ORDER_WAITS, world.user("sales").roles) == (Solution.GIVE_UP,)
    solved = solving.solve(
        world.begin(),
        row.id,
        Solution.GIVE_UP,
        site_id=world.setup.site_id,
        reason="bought it elsewhere",
        actor=world.user("sales"),
        now=world.now,
        today=world.today,
    )
    assert solved.closed
    assert (shop.line(order).reserved, shop.line(order).waiting) == (4, 0)


def test_a_supplier_with_assumed_figures_stays_until_all_are_confirmed(world: World, office: Office) -> None:
    bolt, works = world.item("bolt"), world.supplier("works")
    agreement = world.agreement(bolt, works)
    world.agreement(world.item("screw"), world.supplier("others"))
    assert office.labels(Kind.FIGURES_ASSUMED) == []
    world.begin().execute(
        sa.update(SupplierAgreement).values(assumed=["unit_price"]).where(SupplierAgreement.id == agreement)
    )
    world.begin().execute(
        sa.update(SupplierTerms).values(assumed=["currency"]).where(SupplierTerms.partner_id == works)
    )
    world.sent_order((agreement, 10))
    row = office.row(Kind.FIGURES_ASSUMED)
    assert (row.label, row.amount) == ("works", 40_00)
    assert row.facts == {"agreements": 1, "terms": True, "open_orders": 1}
    assert Kind.FIGURES_ASSUMED in [group.kind for group in office.inbox("admin").groups]
    world.begin().execute(sa.update(SupplierAgreement).values(assumed=[]))
    assert office.row(Kind.FIGURES_ASSUMED).facts["agreements"] == 0
    world.begin().execute(sa.update(SupplierTerms).values(assumed=[]))
    assert office.labels(Kind.FIGURES_ASSUMED) == []
