"""VAT: the rate of an item on a day, rounded once per line, in invoices, credits and suppliers' invoices."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from procurement import settling
from scm.core.db import table_of
from scm.finance import claims, journal, receivables, reconcile, valuation, vat
from scm.finance.claims import CustomerInvoice, CustomerInvoiceLine
from scm.finance.journal import Account
from scm.finance.receivables import CreditRequest, PaymentRequest
from scm.finance.vat import BadVat, ScopeUnknown, VatRequest
from scm.master.items import Item, ItemCategory
from scm.sales import order_sheet, orders
from scm.sales.documents import SalesOrderLine
from tests.finance.test_currencies import Desk
from tests.selling import Shop
from tests.world import World


@pytest.fixture
def shop(world: World) -> Shop:
    """A shop in a world of the test's own."""
    return Shop(world)


def set_rate(world: World, rate: str, *, in_days: int = 0, sku: str = "", category: str = "") -> None:
    wanted = VatRequest(rate=Decimal(rate), valid_from=world.day(in_days), sku=sku, category=category)
    vat.set_rate(world.begin(), wanted, company_id=world.setup.company_id, actor=world.user("admin"))


def on(world: World, item: int, in_days: int = 0) -> Decimal:
    return vat.rates_on(world.begin(), [item], world.day(in_days), company_id=world.setup.company_id)[item]


def account(world: World, which: Account) -> int:
    return journal.balances(world.begin(), company_id=world.setup.company_id)[which]


def sell(shop: Shop, quantity: int, price: str, *, channel: str) -> int:
    world = shop.world
    bolt = world.item("bolt")
    world.stock(bolt, quantity)
    [confirmed] = orders.place_and_confirm(
        world.begin(),
        [shop.request((bolt, quantity), channel=channel, unit_price=price)],
        actor=world.user("sales"),
        now=world.now,
        today=world.today,
    )
    shop.send_out(confirmed.order_id)
    return confirmed.order_id


def prove(world: World) -> None:
    valuation.run(world.begin(), company_id=world.setup.company_id, now=world.now)
    assert reconcile.verify_books(world.begin(), now=world.now).findings == ()


def test_the_most_particular_rate_counts_from_its_day_on(world: World) -> None:
    bolt = world.item("bolt")
    category = ItemCategory(company_id=world.setup.company_id, code="books", name="Books")
    session = world.begin()
    session.add(category)
    session.flush()
    session.execute(sa.update(Item).where(Item.id == bolt).values(category_id=category.id))
    assert on(world, bolt) == 0
    set_rate(world, "0.19")
    set_rate(world, "0.07", category="books", in_days=10)
    set_rate(world, "0", sku="bolt", in_days=20)
    found = [on(world, bolt, day) for day in (-1, 0, 9, 10, 19, 20)]
    assert found == [Decimal(rate) for rate in ("0", "0.19", "0.19", "0.07", "0.07", "0")]
    set_rate(world, "0.2", in_days=5)
    assert [on(world, bolt, day) for day in (4, 5)] == [Decimal("0.19"), Decimal("0.2")]


@pytest.mark.parametrize("rate", ["1", "-0.1", "0.0000000001"])
def test_a_rate_that_is_no_share_is_refused(world: World, rate: str) -> None:
    with world.refuses(BadVat, "give a share"):
        set_rate(world, rate)


def test_an_unknown_scope_is_refused(world: World) -> None:
    with world.refuses(ScopeUnknown, "no item 'screw'"):
        set_rate(world, "0.1", sku="screw")
    with world.refuses(ScopeUnknown, "no category 'x'"):
        set_rate(world, "0.1", category="x")
    with world.refuses(BadVat, "name only one"):
        set_rate(world, "0.1", category="x", sku="y")


def test_prices_without_vat_get_it_added_and_posted(world: World, shop: Shop) -> None:
    set_rate(world, "0.19")
    order = sell(shop, 3, "9.99", channel="web")
    [standing] = claims.standings_of_orders(world.begin(), [order])
    assert (standing.amount, standing.vat_amount) == (29_97 + 5_69, 5_69)
    assert (account(world, Account.REVENUE), account(world, Account.VAT_OUT)) == (-29_97, -5_69)
    prove(world)


def test_prices_with_vat_are_what_the_customer_pays(world: World, shop: Shop) -> None:
    set_rate(world, "0.13")
    order = sell(shop, 3, "9.99", channel=world.channel("shop", prices_with_vat=True))
    [standing] = claims.standings_of_orders(world.begin(), [order])
    assert (standing.amount, standing.vat_amount) == (29_97, 3_45)  # 29.97 / 1.13 is 26.522
    assert (account(world, Account.REVENUE), account(world, Account.VAT_OUT)) == (-26_52, -3_45)
    number = shop.number(order)
    sheet = order_sheet.read(world.begin(), number=number, site_id=world.setup.site_id)
    assert (sheet.net, sheet.vat_amount, sheet.gross) == (26_52, 3_45, 29_97)
    prove(world)


def test_an_order_keeps_the_rate_of_its_day(world: World, shop: Shop) -> None:
    set_rate(world, "0.19")
    bolt = world.item("bolt")
    [order] = shop.draft(shop.request((bolt, 1)))
    set_rate(world, "0.07")
    rates = sa.select(SalesOrderLine.vat_rate).where(SalesOrderLine.order_id == order)
    assert world.begin().scalar(rates) == Decimal("0.19")


def test_credits_give_the_vat_back_to_the_last_penny(world: World, shop: Shop) -> None:
    set_rate(world, "0.19")
    order = sell(shop, 3, "9.99", channel="web")
    [standing] = claims.standings_of_orders(world.begin(), [order])
    company_id, sales = world.setup.company_id, world.user("sales")
    stamp: dict[str, Any] = {"company_id": company_id, "now": world.now, "today": world.today, "actor": sales}
    paid = PaymentRequest(invoice_id=standing.invoice_id, amount=20_00)
    receivables.record_payment(world.begin(), [paid], **stamp)

    def request(amount: int) -> CreditRequest:
        return CreditRequest(
            invoice_id=standing.invoice_id, amount=amount, reason="x", document_kind="return", document_id=1
        )

    receivables.refund(world.begin(), [request(7_77), request(1)], **stamp)
    receivables.credit(world.begin(), [request(5_00), request(10_66)], **stamp)
    receivables.refund(world.begin(), [request(12_22)], **stamp)
    assert account(world, Account.VAT_OUT) == 0
    assert account(world, Account.RETURNS) == 29_97
    prove(world)


def test_a_suppliers_vat_is_reclaimed_at_the_invoices_rate(world: World) -> None:
    desk = Desk(world)
    world.rate("USD", "0.80")
    order = desk.came(10)  # 40.00 USD
    world.pass_days(1)
    world.rate("USD", "0.90")

    settling.record_invoice(
        world.begin(),
        number=desk.number(order),
        site_id=world.setup.site_id,
        invoice_number="R-1",
        amount=47_60,
        vat_amount=7_60,
        invoice_date=world.today,
        actor=world.user("buyer"),
        now=world.now,
    )
    assert account(world, Account.VAT_IN) == 6_84
    assert account(world, Account.PAYABLES) == -42_84
    assert account(world, Account.EXCHANGE_DIFFERENCE) == 36_00 - 32_00
    prove(world)


def test_without_a_rate_nothing_is_different(world: World, shop: Shop) -> None:
    order = sell(shop, 3, "9.99", channel="web")
    [standing] = claims.standings_of_orders(world.begin(), [order])
    assert (standing.amount, standing.vat_amount) == (29_97, 0)
    assert account(world, Account.VAT_OUT) == 0
    prove(world)


def test_a_planted_penny_of_vat_is_found(world: World, shop: Shop) -> None:
    set_rate(world, "0.19")
    sell(shop, 3, "9.99", channel="web")
    session = world.begin()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SET session_replication_role = replica"))
    else:
        session.execute(sa.text("DROP TRIGGER keep_customer_invoice_line_update"))
    lines = table_of(CustomerInvoiceLine)
    session.execute(sa.update(lines).values(vat_amount=lines.c.vat_amount + 1))
    places = [finding.place for finding in reconcile.verify_books(session, now=world.now).findings]
    assert any(place.startswith("VAT of invoice") for place in places)
    assert any(place.startswith("VAT of line") for place in places)
    assert session.scalar(sa.select(sa.func.count()).select_from(CustomerInvoice)) == 1


@given(amount=st.integers(0, 10**12), rate=st.integers(0, 999_999_999), included=st.booleans())
def test_the_part_is_rounded_once(amount: int, rate: int, included: bool) -> None:
    share = Fraction(rate, 10**9)
    part = vat.part_of(amount, Decimal(rate).scaleb(-9), included=included)
    exact = amount - amount / (1 + share) if included else amount * share
    assert abs(part - exact) <= Fraction(1, 2)
    assert 0 <= part <= amount
