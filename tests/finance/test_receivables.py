"""What customers are asked for, pay and get back; never more back than they paid."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core import audit
from scm.core.users import RoleMissing
from scm.finance import claims, journal, receivables, reconcile
from scm.finance.claims import CustomerInvoice, CustomerInvoiceLine, InvoiceStanding
from scm.finance.currencies import ForeignCurrency
from scm.finance.journal import Account
from scm.finance.receivables import (
    AlreadyInvoiced,
    BadPayment,
    CreditRequest,
    CreditTooMuch,
    InvoiceLine,
    InvoiceRequest,
    InvoiceUnknown,
    NothingToInvoice,
    PaidTooMuch,
    PaymentRequest,
    RefundTooMuch,
)
from tests.world import World


class Desk:
    """One customer, one item, and the verbs of receivables in short words."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.customer = world.customer()
        self.item = world.item("bolt")

    def request(self, shipment: int, *lines: tuple[int, str], currency: str = "GBP") -> InvoiceRequest:
        """This function will ask for an invoice of lines given as (quantity, unit price)."""
        return InvoiceRequest(
            document_kind="shipment",
            document_id=shipment,
            sales_order_id=shipment,
            customer_id=self.customer,
            currency=currency,
            lines=[
                InvoiceLine(line_id=number, item_id=self.item, quantity=quantity, unit_price=Decimal(price))
                for number, (quantity, price) in enumerate(lines, start=1)
            ],
        )

    def invoice(self, *requests: InvoiceRequest) -> list[int]:
        """This function will issue invoices."""
        return receivables.invoice(
            self.world.begin(),
            requests,
            company_id=self.world.setup.company_id,
            now=self.world.now,
            today=self.world.today,
            actor=self.world.user("warehouse"),
        )

    def invoiced(self, amount: str) -> int:
        """This function will issue one invoice over an amount."""
        count = self.world.begin().execute(sa.select(sa.func.count(CustomerInvoice.id))).scalar_one()
        [invoice_id] = self.invoice(self.request(count + 1, (1, amount)))
        return invoice_id

    def pay(self, *payments: tuple[int, int]) -> list[int]:
        """This function will record payments given as (invoice, pence)."""
        return receivables.record_payment(
            self.world.begin(),
            [PaymentRequest(invoice_id=invoice_id, amount=amount) for invoice_id, amount in payments],
            company_id=self.world.setup.company_id,
            now=self.world.now,
            today=self.world.today,
            actor=self.world.user("system"),
        )

    def refund(self, *refunds: tuple[int, int], by: str = "returns") -> list[int]:
        """This function will refund (invoice, pence)."""
        return receivables.refund(
            self.world.begin(),
            self.credits(refunds),
            company_id=self.world.setup.company_id,
            now=self.world.now,
            today=self.world.today,
            actor=self.world.user(by),
        )

    def credit(self, *credits: tuple[int, int]) -> list[int]:
        """This function will credit (invoice, pence)."""
        return receivables.credit(
            self.world.begin(),
            self.credits(credits),
            company_id=self.world.setup.company_id,
            now=self.world.now,
            today=self.world.today,
            actor=self.world.user("returns"),
        )

    def credits(self, wanted: Sequence[tuple[int, int]]) -> list[CreditRequest]:
        """This function will ask for credits on a return."""
        return [
            CreditRequest(
                invoice_id=invoice_id,
                amount=amount,
                reason="faulty",
                document_kind="return_authorization",
                document_id=1,
            )
            for invoice_id, amount in wanted
        ]

    def standing(self, invoice_id: int) -> InvoiceStanding:
        """This function will read how an invoice stands."""
        return claims.standings(self.world.begin(), [invoice_id])[invoice_id]

    def account(self, account: Account) -> int:
        """This function will give what stands on an account."""
        return journal.balances(self.world.begin(), company_id=self.world.setup.company_id)[account]

    def findings(self) -> list[str]:
        """This function will give what disagrees in the books."""
        report = reconcile.verify_books(self.world.begin(), now=self.world.now)
        return [f"{finding.place}: {finding.expected}, not {finding.found}" for finding in report.findings]


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_an_invoice_rounds_each_line_once_and_is_owed(desk: Desk) -> None:
    [first, second] = desk.invoice(desk.request(1, (5, "0.125"), (2, "1.10")), desk.request(2, (1, "3.00")))
    standing = desk.standing(first)
    assert (standing.number, standing.amount, standing.open_amount) == ("INV-2026-000001", 283, 283)
    assert desk.standing(second).number == "INV-2026-000002"
    assert desk.account(Account.RECEIVABLES) == 583
    assert desk.account(Account.REVENUE) == -583
    lines = claims.invoiced_lines(desk.world.begin(), [1, 2])
    assert [(line.invoice_id, line.line_id, line.quantity, line.amount) for line in lines] == [
        (first, 1, 5, 63),
        (first, 2, 2, 220),
        (second, 1, 1, 300),
    ]
    assert desk.findings() == []


def test_a_day_of_invoices_takes_no_more_statements_than_one(desk: Desk) -> None:
    one = [desk.request(1, *[(1, "1.00")] * 20)]
    many = [desk.request(number, *[(1, "1.00")] * 20) for number in range(2, 152)]
    session = desk.world.begin()
    counts = []
    for requests in (one, many):
        desk.world.begin()
        with counting(session) as statements:
            desk.invoice(*requests)
        counts.append(len(statements))
    # The currency of the books (until a commit it is read again), the numbers, the invoices with their lines and the
    # entries with their postings: on SQLite each of those two is three statements.
    assert counts == ([4, 4] if session.get_bind().dialect.name == "postgresql" else [8, 8])
    lines = session.execute(sa.select(sa.func.count(CustomerInvoiceLine.id))).scalar_one()
    assert lines == 151 * 20
    assert desk.findings() == []


def test_a_shipment_is_invoiced_once(desk: Desk) -> None:
    desk.invoice(desk.request(1, (1, "1.00")))
    with desk.world.refuses(AlreadyInvoiced, match="shipment 1: it cannot be invoiced twice"):
        desk.invoice(desk.request(1, (1, "1.00")))


@pytest.mark.parametrize("line", [(0, "1.00"), (-1, "1.00"), (1, "-1.00")])
def test_a_line_without_quantity_or_price_is_refused(desk: Desk, line: tuple[int, str]) -> None:
    with desk.world.refuses(NothingToInvoice, match="the invoice for shipment 1, line 1"):
        desk.invoice(desk.request(1, line))


def test_an_invoice_of_nothing_is_refused(desk: Desk) -> None:
    with desk.world.refuses(NothingToInvoice, match="has no lines"):
        desk.invoice(desk.request(1))


def test_an_invoice_in_another_currency_is_refused(desk: Desk) -> None:
    with desk.world.refuses(ForeignCurrency, match="in USD, the books are in GBP"):
        desk.invoice(desk.request(1, (1, "1.00"), currency="USD"))


def test_paid_invoices_are_no_longer_owed(desk: Desk) -> None:
    first, second = desk.invoiced("10.00"), desk.invoiced("5.00")
    desk.pay((first, 400), (second, 500), (first, 600))
    assert desk.standing(first).open_amount == 0
    assert desk.account(Account.CASH) == 1500
    assert desk.account(Account.RECEIVABLES) == 0
    assert desk.findings() == []


def test_more_than_is_owed_is_not_taken_even_in_one_list(desk: Desk) -> None:
    invoice = desk.invoiced("10.00")
    with desk.world.refuses(PaidTooMuch, match=r"6.00 GBP is paid for INV-2026-000001, of which 5.00 GBP is open"):
        desk.pay((invoice, 500), (invoice, 600))


def test_refunds_in_parts_stop_at_what_was_paid_and_name_the_figures(desk: Desk) -> None:
    invoice = desk.invoiced("10.00")
    desk.pay((invoice, 800))
    desk.refund((invoice, 500))
    figures = r"4.00 GBP is asked for INV-2026-000001, of which 8.00 GBP was paid and 5.00 GBP given back before"
    with desk.world.refuses(RefundTooMuch, match=figures):
        desk.refund((invoice, 400))
    desk.refund((invoice, 300))
    standing = desk.standing(invoice)
    assert (standing.paid, standing.refunded, standing.credited, standing.open_amount) == (800, 800, 800, 200)
    assert desk.account(Account.CASH) == 0
    assert desk.account(Account.RETURNS) == 800
    assert desk.account(Account.RECEIVABLES) == 200
    assert desk.findings() == []


def test_two_refunds_in_one_list_count_together(desk: Desk) -> None:
    invoice = desk.invoiced("10.00")
    desk.pay((invoice, 1000))
    with desk.world.refuses(RefundTooMuch, match="refund at most 4.00 GBP"):
        desk.refund((invoice, 600), (invoice, 600))


def test_what_is_not_paid_is_credited_instead(desk: Desk) -> None:
    invoice = desk.invoiced("10.00")
    desk.credit((invoice, 300))
    with desk.world.refuses(CreditTooMuch, match=r"8.00 GBP is to be credited .* of which 7.00 GBP is open"):
        desk.credit((invoice, 800))
    with desk.world.refuses(PaidTooMuch):
        desk.pay((invoice, 800))
    desk.pay((invoice, 700))
    assert desk.standing(invoice).open_amount == 0
    assert desk.findings() == []


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_of_nothing_is_refused(desk: Desk, amount: int) -> None:
    invoice = desk.invoiced("10.00")
    with desk.world.refuses(BadPayment, match="must be a whole number of minor units above 0"):
        desk.pay((invoice, amount))


def test_an_unknown_invoice_is_refused(desk: Desk) -> None:
    with desk.world.refuses(InvoiceUnknown, match="no customer invoice 4711"):
        desk.refund((4711, 100))


def test_only_some_roles_may_give_money_back(desk: Desk) -> None:
    invoice = desk.invoiced("10.00")
    desk.pay((invoice, 1000))
    with desk.world.refuses(RoleMissing):
        desk.refund((invoice, 100), by="warehouse")


def test_credit_notes_are_numbered_without_gaps_after_a_refusal(desk: Desk) -> None:
    invoice = desk.invoiced("10.00")
    desk.pay((invoice, 1000))
    desk.refund((invoice, 100))
    with desk.world.refuses(RefundTooMuch):
        desk.refund((invoice, 5000))
    desk.refund((invoice, 100), (invoice, 200))
    numbers = desk.world.begin().scalars(sa.select(claims.CreditNote.number).order_by(claims.CreditNote.id)).all()
    assert numbers == ["CN-2026-000001", "CN-2026-000002", "CN-2026-000003"]


def test_a_gap_in_the_numbers_is_found(desk: Desk) -> None:
    desk.invoiced("1.00")
    session = desk.world.begin()
    session.execute(sa.text("UPDATE number_series SET last_value = 5 WHERE code = 'customer_invoice'"))
    desk.invoiced("1.00")
    found = "numbers of series INV in 2026, around INV-2026-000002: 6, not 2"
    assert desk.findings() == [found]


def test_every_document_is_audited(desk: Desk) -> None:
    invoice = desk.invoiced("1.00")
    desk.pay((invoice, 100))
    desk.refund((invoice, 100))
    verbs = desk.world.begin().scalars(sa.select(audit.AuditRow.verb).order_by(audit.AuditRow.id)).all()
    assert {"invoice.issue", "payment.record", "refund.pay"} <= set(verbs)


class counting:
    """A block whose statements are counted, one for each round trip to the database."""

    def __init__(self, session: Session) -> None:
        self._engine = session.get_bind().engine
        self._statements: list[str] = []

    def __enter__(self) -> list[str]:
        sa.event.listen(self._engine, "after_cursor_execute", self._note)
        return self._statements

    def __exit__(self, *_: object) -> None:
        sa.event.remove(self._engine, "after_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self._statements.append(statement)
