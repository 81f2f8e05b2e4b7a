"""What was sold before the books began comes back, too: it is brought forward once, and refunded like any other."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from aftersales.origins import PriorSale, SiteUnknown, TwoSites
from aftersales.returns import BadReturn, MoreThanDelivered, ReturnReason, ReturnRequest
from scm.core.db import table_of
from scm.core.users import RoleMissing
from scm.finance import brought_forward
from scm.finance.brought_forward import BadPriorSale, BroughtForward, PartyUnknown, PriorSaleDiffers, PriorSaleRequest
from scm.finance.claims import CustomerInvoice, Payment
from scm.finance.journal import Account
from scm.master.locations import Site
from tests.aftersales.desk import Desk


def test_a_prior_sale_is_returned_and_refunded(desk: Desk) -> None:
    bolt = desk.world.item("bolt", unit_cost="4.00")
    prior = desk.prior(bolt, 3, unit_price="0.335", sold_date=desk.world.day(-40))
    for _ in range(3):
        desk.refund(desk.returned(prior, 1), 1)
    balances = desk.value()
    assert (balances[Account.CASH], balances[Account.RETURNS]) == (-101, 101)
    assert balances[Account.INVENTORY] == 1200, "they enter at what such goods cost now"
    assert {Account.RECEIVABLES, Account.REVENUE, Account.OPENING_BALANCE} & balances.keys() == set()
    assert desk.findings() == []


def test_more_than_was_sold_is_neither_returned_nor_refunded(desk: Desk) -> None:
    prior = desk.prior(desk.world.item("bolt"), 3)
    desk.authorize(prior, 2)
    with desk.world.refuses(MoreThanDelivered, match=r"2 .* more than the 1 .* of prior sale 489434/1 \(3 delivered"):
        desk.authorize(prior, 2)
    with desk.world.refuses(MoreThanDelivered):
        desk.authorize_all(desk.request(prior, 1), desk.request(prior, 1))
    desk.authorize(prior, 1)


def test_a_prior_sale_is_brought_forward_once_as_a_paid_invoice_without_a_number_of_the_series(desk: Desk) -> None:
    prior = desk.prior(desk.world.item("bolt"), 3)
    desk.authorize(prior, 1)
    desk.authorize(prior, 1)
    session = desk.world.begin()
    [invoice] = session.execute(
        sa.select(CustomerInvoice.number, CustomerInvoice.amount, CustomerInvoice.document_kind)
    )
    assert tuple(invoice)[1:] == (3000, "prior_sale")
    assert invoice.number.startswith("PRI-0000-")
    assert list(session.scalars(sa.select(Payment.amount))) == [3000]
    desk.delivered(desk.world.item("nut"), 1)
    numbers = list(desk.world.begin().scalars(sa.select(CustomerInvoice.number).order_by(CustomerInvoice.id)))
    assert numbers[1:] == ["INV-2026-000001"]
    assert desk.findings() == []


@pytest.mark.parametrize(
    "change",
    [{"quantity": 4}, {"unit_price": Decimal(11)}, {"sold_date": None}],
    ids=["quantity", "price", "date"],
)
def test_the_same_reference_with_other_figures_is_refused(desk: Desk, change: dict[str, object]) -> None:
    prior = desk.prior(desk.world.item("bolt"), 3, sold_date=desk.world.day(-3))
    other = replace(prior, **change)  # type: ignore[arg-type]
    with desk.world.refuses(PriorSaleDiffers, match="named twice"):
        desk.authorize_all(desk.request(prior, 1), desk.request(other, 1))
    desk.authorize(prior, 1)
    with desk.world.refuses(PriorSaleDiffers, match=f"489434/1: {next(iter(change))} is .* was brought forward"):
        desk.authorize(other, 1)


def test_malformed_prior_sales_are_refused(desk: Desk) -> None:
    prior = desk.prior(desk.world.item("bolt"), 3)
    wrong: list[tuple[PriorSale, type[Exception]]] = [
        (replace(prior, reference=" "), BadPriorSale),
        (replace(prior, reference="x" * 81), BadPriorSale),
        (replace(prior, reference="a\x00b"), BadPriorSale),
        (replace(prior, quantity=0), BadPriorSale),
        (replace(prior, unit_price=Decimal(-1)), BadPriorSale),
        (replace(prior, unit_price=Decimal("NaN")), BadPriorSale),
        (replace(prior, unit_price=Decimal("0.0000001")), BadPriorSale),
        (replace(prior, item_id=999999), PartyUnknown),
        (replace(prior, customer_id=999999), PartyUnknown),
        (replace(prior, site_id=999999), SiteUnknown),
    ]
    for one, error in wrong:
        with desk.world.refuses(error):  # type: ignore[arg-type]
            desk.authorize(one, 1)
    with desk.world.refuses(BadReturn, match="lot of a prior sale"):
        desk.authorize_all(ReturnRequest(quantity=1, reason=ReturnReason.LATE, prior_sale=prior, lot_id=1))


def test_a_prior_sale_comes_back_to_one_site(desk: Desk) -> None:
    prior = desk.prior(desk.world.item("bolt"), 3)
    other = Site(company_id=desk.world.setup.company_id, code="EAST", name="East", zone="Europe/London")
    session = desk.world.begin()
    session.add(other)
    session.flush()
    with desk.world.refuses(TwoSites, match="489434/1"):
        desk.authorize_all(desk.request(prior, 1), desk.request(replace(prior, site_id=other.id), 1))


def test_what_was_given_away_is_brought_forward_without_a_payment(desk: Desk) -> None:
    prior = desk.prior(desk.world.item("bolt"), 3, unit_price="0")
    returned = desk.returned(prior, 2)
    assert desk.refund(returned, 2) == []
    assert desk.world.begin().scalars(sa.select(Payment.id)).all() == []
    assert desk.findings() == []


def test_only_who_gives_money_back_brings_sales_forward(desk: Desk) -> None:
    request = PriorSaleRequest(
        reference="1",
        customer_id=desk.shop.customer,
        item_id=desk.world.item("bolt"),
        quantity=1,
        unit_price=Decimal(1),
        sold_date=None,
    )
    for username in ("planner", "buyer", "approver", "warehouse"):
        with desk.world.refuses(RoleMissing):
            brought_forward.bring_forward(
                desk.world.begin(),
                [request],
                company_id=desk.world.setup.company_id,
                actor=desk.world.user(username),
                now=desk.world.now,
                today=desk.world.today,
            )


def test_a_prior_sale_never_changes(desk: Desk) -> None:
    desk.authorize(desk.prior(desk.world.item("bolt"), 3), 1)
    session = desk.world.begin()
    point = session.begin_nested()
    with pytest.raises(sa.exc.DBAPIError, match="a prior sale never changes"):
        session.execute(sa.update(table_of(BroughtForward)).values(quantity=9))
    point.rollback()
