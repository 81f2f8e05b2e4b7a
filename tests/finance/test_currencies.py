"""Purchases in other currencies: valued, invoiced and paid at the rates of their days, the difference posted once."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from procurement import budgets, orders, rules, settling, splits
from procurement.purchase_orders import PurchaseOrder
from procurement.rules import OverLimit
from scm.core import users
from scm.core.db import table_of
from scm.core.users import Role
from scm.finance import costs, journal, payables, reconcile, valuation
from scm.finance.journal import Account, Posting
from scm.finance.payables import MoreThanCame, PaysTooMuch, SupplierInvoice, SupplierInvoiceKnown
from scm.finance.rates import BadRate, RateMissing, RateStands
from tests.world import FIRST_DAY, World


class Desk:
    """A supplier in another currency, and whoever buys from it."""

    def __init__(self, world: World, *, currency: str = "USD", unit_price: str = "4.00") -> None:
        self.world = world
        self.bolt = world.item("bolt")
        self.agreement = world.agreement(self.bolt, world.supplier("acme", currency=currency), unit_price=unit_price)

    def came(self, quantity: int) -> int:
        """This function will order goods, and have them come today."""
        order = self.world.sent_order((self.agreement, quantity), due_in=0)
        self.world.receive(order)
        return order

    def invoice(self, order: int, amount: int, *, number: str = "R-1") -> int:
        """This function will record the supplier's invoice of today."""
        world = self.world
        return settling.record_invoice(
            world.begin(),
            number=self.number(order),
            site_id=world.setup.site_id,
            invoice_number=number,
            amount=amount,
            invoice_date=world.today,
            actor=world.user("buyer"),
            now=world.now,
        )

    def pay(self, order: int, invoice: int, amount: int) -> int:
        """This function will pay some of an invoice today."""
        world = self.world
        return settling.pay(
            world.begin(),
            number=self.number(order),
            site_id=world.setup.site_id,
            invoice_id=invoice,
            amount=amount,
            paid_date=world.today,
            actor=world.user("buyer"),
            now=world.now,
        )

    def number(self, order: int) -> str:
        """This function will read an order's number."""
        return self.world.begin().execute(sa.select(PurchaseOrder.number).where(PurchaseOrder.id == order)).scalar_one()

    def account(self, account: Account) -> int:
        """This function will sum an account."""
        return journal.balances(self.world.begin(), company_id=self.world.setup.company_id)[account]

    def prove(self) -> None:
        """This function will prove the books."""
        world = self.world
        valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
        assert reconcile.verify_books(world.begin(), now=world.now).findings == ()


def test_a_purchase_in_dollars_is_settled_at_the_rate_of_each_day(world: World) -> None:
    desk = Desk(world)
    world.rate("USD", "0.80")
    order = desk.came(100)  # 400.00 USD
    desk.prove()
    assert desk.account(Account.INVENTORY) == 320_00
    world.pass_days(3)
    world.rate("USD", "0.85")
    invoice = desk.invoice(order, 400_00)
    assert (desk.account(Account.GOODS_RECEIVED), desk.account(Account.PAYABLES)) == (0, -340_00)
    assert desk.account(Account.EXCHANGE_DIFFERENCE) == 20_00
    world.pass_days(30)
    world.rate("USD", "0.79")
    desk.pay(order, invoice, 100_00)
    desk.pay(order, invoice, 300_00)
    assert (desk.account(Account.PAYABLES), desk.account(Account.CASH)) == (0, -316_00)
    assert desk.account(Account.EXCHANGE_DIFFERENCE) == 20_00 - 24_00
    [standing], open_ = settling.standing(world.begin(), order_id=order, currency="USD")
    assert (standing.open_amount, standing.difference, open_.amount) == (0, -4_00, 0)
    desk.prove()


def test_a_purchase_in_the_companys_currency_makes_no_difference(world: World) -> None:
    desk = Desk(world, currency="GBP")
    order = desk.came(10)
    invoice = desk.invoice(order, 40_00)
    desk.pay(order, invoice, 40_00)
    assert (desk.account(Account.EXCHANGE_DIFFERENCE), desk.account(Account.CASH)) == (0, -40_00)
    desk.prove()


def test_an_invoice_asks_for_no_more_than_came_and_is_recorded_once(world: World) -> None:
    desk = Desk(world)
    world.rate("USD", "0.80")
    order = desk.came(10)
    with world.refuses(MoreThanCame, "asks for 40.01 USD without VAT, of PO-.* 40.00 USD came"):
        desk.invoice(order, 40_01)
    invoice = desk.invoice(order, 10_00)
    with world.refuses(SupplierInvoiceKnown, "R-1"):
        desk.invoice(order, 10_00)
    with world.refuses(PaysTooMuch, "10.01 USD is paid for invoice R-1, of which 10.00 USD is open"):
        desk.pay(order, invoice, 10_01)
    desk.invoice(order, 30_00, number="R-2")
    assert desk.account(Account.GOODS_RECEIVED) == 0
    desk.prove()


def test_a_missing_rate_names_the_day_and_the_mend(world: World) -> None:
    desk = Desk(world)
    world.rate("USD", "0.80")
    order = desk.came(10)
    world.pass_days(7)
    desk.invoice(order, 10_00)  # a rate is good for a week
    world.pass_days(1)
    with world.refuses(RateMissing, "no rate of USD in GBP is recorded for 2026-01-13, nor in the 7 days before it"):
        desk.invoice(order, 10_00, number="R-2")


def test_a_recorded_rate_never_changes(world: World) -> None:
    world.rate("USD", "0.80")
    world.rate("USD", "0.80")
    with world.refuses(RateStands, "one USD was 0.8 GBP on 2026-01-05"):
        world.rate("USD", "0.81")
    with pytest.raises(Exception, match="never changes"), world.begin().begin_nested():
        world.begin().execute(sa.text("UPDATE exchange_rate SET rate = 1"))


WRONG = [("usd", "1"), ("GBP", "1"), ("US", "1"), ("USD", "0"), ("USD", "-1"), ("USD", "1E-10")]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_rate_that_cannot_be_is_refused(world: World, wrong: tuple[str, str]) -> None:
    currency, rate = wrong
    with world.refuses(BadRate):
        world.rate(currency, rate)


def test_a_limit_in_the_companys_currency_counts_at_the_recorded_rate(world: World) -> None:
    desk = Desk(world)
    boss = users.add(world.begin(), username="boss", display_name="Boss", roles=frozenset({Role.ADMIN}), now=world.now)
    rules.set_limit(world.begin(), username="approver", currency="GBP", largest_amount=320_00, actor=boss)
    order = world.submitted_order((desk.agreement, 100))  # 400.00 USD

    def approve() -> None:
        orders.approve(world.begin(), [order], actor=world.user("approver"), now=world.now, today=world.today)

    with world.refuses(RateMissing, "for 2026-01-05"):
        approve()
    world.rate("USD", "0.80001")  # 320.004 pounds are 320.00
    approve()


def test_an_order_over_the_limit_in_another_currency_is_refused(world: World) -> None:
    desk = Desk(world)
    world.rate("USD", "0.81")
    boss = users.add(world.begin(), username="boss", display_name="Boss", roles=frozenset({Role.ADMIN}), now=world.now)
    rules.set_limit(world.begin(), username="approver", currency="GBP", largest_amount=320_00, actor=boss)
    order = world.submitted_order((desk.agreement, 100))
    with world.refuses(OverLimit, "up to 320.00 GBP, PO-.* comes to 324.00 GBP"):
        orders.approve(world.begin(), [order], actor=world.user("approver"), now=world.now, today=world.today)
    rules.set_limit(world.begin(), username="approver", currency="USD", largest_amount=400_00, actor=boss)
    orders.approve(world.begin(), [order], actor=world.user("approver"), now=world.now, today=world.today)


def test_orders_in_another_currency_look_split_and_count_in_the_budget(world: World) -> None:
    desk = Desk(world)
    world.rate("USD", "0.80")
    boss = users.add(world.begin(), username="boss", display_name="Boss", roles=frozenset({Role.ADMIN}), now=world.now)
    rules.set_limit(world.begin(), username="approver", currency="GBP", largest_amount=320_00, actor=boss)
    planner = world.user("planner")
    budgets.set_budget(
        world.begin(),
        company_id=world.setup.company_id,
        from_date=world.today,
        until_date=world.day(27),
        amount=1000_00,
        actor=planner,
    )
    first, second = (world.submitted_order((desk.agreement, 60)) for _ in range(2))
    found = splits.suspected(world.begin(), [second])[second]
    assert (found.total, found.limit, found.currency, len(found.numbers)) == (384_00, 320_00, "GBP", 2)
    order = world.begin().get_one(PurchaseOrder, first)
    beside = budgets.beside(world.begin(), order, amount=240_00)
    assert beside is not None
    assert (beside.committed, beside.this_order, beside.left, beside.currency) == (192_00, 192_00, 616_00, "GBP")
    [open_] = budgets.open_budgets(world.begin(), company_id=world.setup.company_id, today=world.today)
    assert open_.committed_before + open_.committed_this_week == 384_00


def exactly(amount: int, rate: Decimal) -> int:
    """Half up, by the definition: cents times a rate."""
    exact = Fraction(amount) * Fraction(rate)
    return int(exact + Fraction(1, 2))


some_rates = st.integers(1, 3_000_000_000).map(lambda units: Decimal(units).scaleb(-9))


@settings(
    max_examples=max(10, settings().max_examples // 2),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    on_receipt=some_rates,
    on_invoice=some_rates,
    on_payments=st.lists(some_rates, min_size=1, max_size=3),
    quantity=st.integers(1, 200),
    unit_price=st.integers(1, 9_999_999).map(lambda units: Decimal(units).scaleb(-4)),
    cuts=st.lists(st.integers(1, 99), min_size=2, max_size=2),
)
def test_differences_are_exact_and_the_journal_sums_to_zero(
    world: World,
    on_receipt: Decimal,
    on_invoice: Decimal,
    on_payments: list[Decimal],
    quantity: int,
    unit_price: Decimal,
    cuts: list[int],
) -> None:
    point = world.begin().begin_nested()
    try:
        desk = Desk(world, unit_price=str(unit_price))
        world.rate("USD", str(on_receipt))
        order = desk.came(quantity)
        valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
        total = payables.to_invoice(world.begin(), kind="purchase_order", document_id=order, currency="USD").amount
        received = costs.stock_value(world.begin(), company_id=world.setup.company_id)
        assert received == exactly(total, on_receipt)
        if not total:
            return
        world.pass_days(1)
        world.rate("USD", str(on_invoice))
        parts = [part for part in (total * cuts[0] // 100, total - total * cuts[0] // 100) if part]
        ids = [desk.invoice(order, part, number=f"R-{place}") for place, part in enumerate(parts)]
        asked = sum(exactly(part, on_invoice) for part in parts)
        assert desk.account(Account.EXCHANGE_DIFFERENCE) == asked - received
        assert desk.account(Account.GOODS_RECEIVED) == 0
        paid = 0
        for place, rate in enumerate(on_payments):
            world.pass_days(1)
            world.rate("USD", str(rate))
            for invoice, part in zip(ids, parts, strict=True):
                before = payables.of_documents(world.begin(), kind="purchase_order", document_ids=[order])
                [left] = [one.open_amount for one in before if one.invoice_id == invoice]
                amount = left if place == len(on_payments) - 1 else part * cuts[1] // 100
                if 0 < amount <= left:
                    desk.pay(order, invoice, amount)
                    paid += exactly(amount, rate)
        assert desk.account(Account.PAYABLES) == 0
        assert desk.account(Account.CASH) == -paid
        assert desk.account(Account.EXCHANGE_DIFFERENCE) == paid - received
        assert world.begin().execute(sa.select(sa.func.sum(Posting.company_amount))).scalar_one() == 0
        assert reconcile.verify_books(world.begin(), now=world.now).findings == ()
    finally:
        point.rollback()
        world.begin().info.pop("audit_rows", None)
        world.today = FIRST_DAY


def test_a_planted_cent_is_found(world: World) -> None:
    desk = Desk(world)
    world.rate("USD", "0.80")
    order = desk.came(10)
    desk.invoice(order, 40_00)
    table = table_of(SupplierInvoice)
    session = world.begin()
    values = {
        column.name: getattr(session.scalars(sa.select(SupplierInvoice)).one(), column.name) for column in table.columns
    }
    session.execute(sa.insert(table).values(values | {"id": 99, "number": "R-9", "company_amount": 1, "settled": 1}))
    found = {finding.place for finding in reconcile.verify_books(session, now=world.now).findings}
    assert any("payables" in place for place in found)
