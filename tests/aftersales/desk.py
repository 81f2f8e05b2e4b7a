"""The returns desk of the test company: goods are sold, come back, are looked at, disposed of and refunded.

    desk = Desk(world)
    line = desk.delivered(bolt, 5)
    [returned] = desk.back(desk.authorize(line, 2))
    [inspection] = desk.inspect(returned, 2)
    desk.dispose(inspection, Disposition.RESTOCK)
    desk.refund(returned, 2)

Every call is a transaction of its own, made by the person whose work it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from aftersales import disposition, inspection, refunds, returns, status
from aftersales.disposition import Decision, Disposition
from aftersales.documents import ReturnLine
from aftersales.inspection import Finding, Grade, Verdict
from aftersales.origins import PriorSale
from aftersales.refunds import RefundRequest
from aftersales.returns import ReturnReason, ReturnRequest
from aftersales.status import Awaiting, LineStatus
from scm.finance import claims, journal, receivables, reconcile, valuation
from scm.finance.claims import InvoiceStanding
from scm.finance.journal import Account
from scm.finance.receivables import PaymentRequest
from scm.stock import ledger, reservations
from scm.stock.ledger import MoveRequest
from scm.stock.moves import Move
from tests.selling import Shop
from tests.world import World
from warehouse import receiving
from warehouse.receiving import Arrival


class Desk:
    """A shop of the world, and the people who take its goods back."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.shop = Shop(world)

    # What was sold

    def delivered(self, item: int, quantity: int, *, unit_price: str = "10.00", paid: bool = True) -> int:
        """This function will stock, sell and deliver so many units, and give the id of the sold line."""
        self.world.stock(item, quantity)
        order = self.shop.order((item, quantity), unit_price=unit_price)
        self.shop.deliver(self.shop.send_out(order))
        if paid:
            self.pay(self.shop.line(order).line_id)
        return self.shop.line(order).line_id

    def invoices(self, line_id: int) -> list[InvoiceStanding]:
        """This function will read how the invoices of a sold line stand, the oldest first."""
        session = self.world.begin()
        invoice_ids = {line.invoice_id for line in claims.invoiced_lines(session, [line_id])}
        return sorted(claims.standings(session, invoice_ids).values(), key=lambda one: one.invoice_id)

    def pay(self, line_id: int, amount: int | None = None) -> None:
        """This function will record that the customer pays what is open for a sold line, or a part of it."""
        requests = [
            PaymentRequest(invoice_id=one.invoice_id, amount=one.open_amount if amount is None else amount)
            for one in self.invoices(line_id)
            if one.open_amount
        ]
        receivables.record_payment(
            self.world.begin(),
            requests,
            company_id=self.world.setup.company_id,
            actor=self.world.user("sales"),
            now=self.world.now,
            today=self.world.today,
        )

    def prior(
        self,
        item: int,
        quantity: int,
        *,
        reference: str = "489434/1",
        unit_price: str = "10.00",
        sold_date: date | None = None,
    ) -> PriorSale:
        """This function will describe a sale from before the books."""
        return PriorSale(
            reference=reference,
            item_id=item,
            customer_id=self.shop.customer,
            site_id=self.world.setup.site_id,
            quantity=quantity,
            unit_price=Decimal(unit_price),
            sold_date=sold_date,
        )

    # What comes back

    def request(self, sale: int | PriorSale, quantity: int, *, lot_id: int | None = None) -> ReturnRequest:
        """This function will write a return request."""
        return ReturnRequest(
            sales_order_line_id=sale if isinstance(sale, int) else None,
            prior_sale=None if isinstance(sale, int) else sale,
            quantity=quantity,
            reason=ReturnReason.UNWANTED,
            lot_id=lot_id,
        )

    def authorize(self, sale: int | PriorSale, quantity: int, *, lot_id: int | None = None) -> int:
        """This function will authorize one return and give its id."""
        [return_id] = self.authorize_all(self.request(sale, quantity, lot_id=lot_id))
        return return_id

    def authorize_all(self, *requests: ReturnRequest) -> list[int]:
        """This function will authorize returns in one call."""
        return returns.authorize(
            self.world.begin(),
            requests,
            actor=self.world.user("returns"),
            now=self.world.now,
            today=self.world.today,
        )

    def receive(self, return_id: int, quantity: int | None = None, *, lot_code: str | None = None) -> tuple[Move, ...]:
        """This function will receive what is expected of a return, or so many units of its first move."""
        expected = returns.arrivals(self.world.begin(), [return_id])
        counted = [
            Arrival(move_id=move.id, quantity=move.quantity if quantity is None else quantity, lot_code=lot_code)
            for move in (expected if quantity is None else expected[:1])
        ]
        return receiving.receive(
            self.world.begin(),
            counted,
            delivery_note=f"return {return_id}",
            actor=self.world.user("returns"),
            now=self.world.now,
            today=self.world.today,
        ).posted

    def lines(self, return_id: int) -> list[int]:
        """This function will give the ids of a return's lines."""
        statement = sa.select(ReturnLine.id).where(ReturnLine.return_id == return_id).order_by(ReturnLine.id)
        return list(self.world.begin().scalars(statement))

    def back(self, return_id: int) -> list[int]:
        """This function will receive a whole return and give the ids of its lines."""
        self.receive(return_id)
        return self.lines(return_id)

    def inspect(
        self,
        return_line_id: int,
        quantity: int,
        *,
        grade: Grade = Grade.A,
        finding: Finding = Finding.NO_FAULT,
        lot_id: int | None = None,
    ) -> list[int]:
        """This function will record one verdict and give the id of its inspection."""
        verdict = Verdict(return_line_id=return_line_id, quantity=quantity, grade=grade, finding=finding, lot_id=lot_id)
        return inspection.record(
            self.world.begin(),
            [verdict],
            actor=self.world.user("returns"),
            now=self.world.now,
            today=self.world.today,
        )

    def dispose(self, inspection_id: int, what: Disposition, *, bin_number: int | None = 1) -> ledger.PostResult:
        """This function will dispose of the units of one inspection."""
        return self.dispose_all({inspection_id: what}, bin_number=bin_number)

    def dispose_all(self, wanted: Mapping[int, Disposition], *, bin_number: int | None = 1) -> ledger.PostResult:
        """This function will dispose of several inspections in one call."""
        bin_id = None if bin_number is None else self.world.setup.bin_ids[bin_number - 1]
        decisions = [
            Decision(
                inspection_id=inspection_id,
                disposition=what,
                why="looked at it",
                bin_id=bin_id if what is Disposition.RESTOCK else None,
            )
            for inspection_id, what in wanted.items()
        ]
        return disposition.dispose(
            self.world.begin(),
            decisions,
            actor=self.world.user("returns"),
            now=self.world.now,
            today=self.world.today,
        )

    def refund(self, return_line_id: int, quantity: int) -> list[int]:
        """This function will refund inspected units and give the ids of the credit notes."""
        return refunds.refund(
            self.world.begin(),
            [RefundRequest(return_line_id=return_line_id, quantity=quantity)],
            actor=self.world.user("returns"),
            now=self.world.now,
            today=self.world.today,
        )

    def returned(self, sale: int | PriorSale, quantity: int) -> int:
        """This function will take units back as far as their inspection, and give the id of the return line."""
        [line_id] = self.back(self.authorize(sale, quantity))
        self.inspect(line_id, quantity)
        return line_id

    # What the books say

    def status(self, return_id: int) -> LineStatus:
        """This function will tell how far a return of one line is."""
        [line] = status.of_returns(self.world.begin(), [return_id])
        return line

    def awaiting(self) -> Awaiting:
        """This function will list what waits for the desk."""
        return status.awaiting(self.world.begin(), site_id=self.world.setup.site_id)

    def value(self) -> dict[Account, int]:
        """This function will value what was posted and give the balances of the accounts that are not zero."""
        company_id = self.world.setup.company_id
        valuation.run(self.world.begin(), company_id=company_id, now=self.world.now)
        balances = journal.balances(self.world.begin(), company_id=company_id)
        return {account: amount for account, amount in balances.items() if amount}

    def findings(self) -> list[reconcile.Finding]:
        """This function will prove the books and give where they disagree."""
        self.value()
        return list(reconcile.verify_books(self.world.begin(), now=self.world.now).findings)

    def supply(self, item: int, quantity: int, *, unit_cost: str) -> None:
        """This function will receive goods at a cost straight into a bin, and promise them to whoever waits."""
        request = MoveRequest(
            item_id=item,
            source_id=self.world.setup.supplier_location_id,
            destination_id=self.world.setup.bin_ids[0],
            quantity=quantity,
            due_date=self.world.today,
            document_kind="purchase_order",
            document_id=0,
            line_id=0,
            expected_unit_cost=Decimal(unit_cost),
            currency=self.world.setup.currency,
        )
        session = self.world.begin()
        ledger.move_now(
            session,
            [request],
            company_id=self.world.setup.company_id,
            actor=self.world.user("system"),
            now=self.world.now,
            today=self.world.today,
        )
        reservations.fill_backorders(session, item_ids=[item], site_id=self.world.setup.site_id)
