"""A warehouse in short words, for tests of what its goods cost: receipts, sales, returns, losses, and their value."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.finance import costs, journal, reconcile, valuation
from scm.finance.averages import StockCost
from scm.finance.costs import MoveValue
from scm.finance.journal import Account
from scm.stock import ledger
from scm.stock.ledger import MoveRequest, Posting
from scm.stock.moves import Move
from tests.world import World


class Books:
    """One world, one bin, and the ledger's verbs on it; every call is a transaction of its own."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.world = World(session)
        self.bin = self.world.setup.bin_ids[0]
        self._documents = 0

    def on(self, session: Session) -> Books:
        """This function will go on in another session."""
        self.session = session
        self.world.on(session)
        return self

    def open(self, item: int, quantity: int, unit_cost: str | None) -> Move:
        """This function will enter opening stock."""
        return self._now(item, quantity, self.world.setup.adjustment_location_id, self.bin, "opening", cost=unit_cost)

    def receive(self, item: int, quantity: int, unit_cost: str) -> Move:
        """This function will receive goods from a supplier, straight into the bin."""
        source = self.world.setup.supplier_location_id
        return self._now(item, quantity, source, self.bin, "purchase_order", cost=unit_cost)

    def ship(self, item: int, quantity: int) -> Move:
        """This function will send goods to a customer."""
        return self._now(item, quantity, self.bin, self.world.setup.delivery_location_id, "sales_order")

    def take_back(self, item: int, quantity: int, *, shipped: Move | None) -> Move:
        """This function will receive a return of what was shipped."""
        source, destination = self.world.setup.customer_location_id, self.world.setup.returns_id
        cost_of_id = None if shipped is None else shipped.id
        return self._now(item, quantity, source, destination, "return_authorization", cost_of_id=cost_of_id)

    def restock(self, item: int, quantity: int) -> Move:
        """This function will put returned goods back into the bin."""
        return self._now(item, quantity, self.world.setup.returns_id, self.bin, "return_authorization")

    def find(self, item: int, quantity: int) -> Move:
        """This function will find goods in a count."""
        return self._now(item, quantity, self.world.setup.adjustment_location_id, self.bin, "cycle_count")

    def lose(self, item: int, quantity: int, *, to: int | None = None) -> Move:
        """This function will take goods out of the bin: lost in a count, or to another place."""
        destination = to or self.world.setup.adjustment_location_id
        return self._now(item, quantity, self.bin, destination, "cycle_count")

    def reverse(self, move: Move) -> Move:
        """This function will undo a posted move."""
        result = ledger.reverse(
            self.world.begin(),
            [move.id],
            reason="mistake",
            actor=self.world.user("system"),
            now=self.world.now,
            today=self.world.today,
        )
        self.world.begin()
        return result.posted[0]

    def plan(
        self,
        item: int,
        quantity: int,
        source: int,
        destination: int,
        kind: str,
        *,
        cost: str | None = None,
        cost_of_id: int | None = None,
    ) -> Move:
        """This function will plan a move."""
        self._documents += 1
        request = MoveRequest(
            item_id=item,
            source_id=source,
            destination_id=destination,
            quantity=quantity,
            due_date=self.world.today,
            document_kind=kind,
            document_id=self._documents,
            line_id=self._documents,
            expected_unit_cost=None if cost is None else Decimal(cost),
            currency=None if cost is None else "GBP",
            cost_of_id=cost_of_id,
        )
        [planned] = ledger.plan(self.world.begin(), [request], company_id=self.world.setup.company_id)
        return planned

    def post(self, move: Move) -> Move:
        """This function will post a planned move."""
        result = ledger.post(
            self.world.begin(),
            [Posting(move_id=move.id)],
            actor=self.world.user("system"),
            now=self.world.now,
            today=self.world.today,
        )
        self.world.begin()
        return result.posted[0]

    def value(self) -> int:
        """This function will value what was posted, and give how many moves that were."""
        return valuation.run(self.world.begin(), company_id=self.world.setup.company_id, now=self.world.now)

    def cost(self, item: int) -> tuple[int, int]:
        """This function will give quantity and value in stock of an item."""
        company_id = self.world.setup.company_id
        found = costs.item_costs(self.world.begin(), company_id=company_id, item_ids=[item]).get(item, StockCost())
        return found.quantity, found.value

    def worth(self, move: Move) -> int:
        """This function will give the value of one move."""
        return self.session.execute(sa.select(MoveValue.value).where(MoveValue.move_id == move.id)).scalar_one()

    def account(self, account: Account) -> int:
        """This function will give what stands on an account, in pence."""
        return journal.balances(self.world.begin(), company_id=self.world.setup.company_id)[account]

    def findings(self) -> list[str]:
        """This function will give what disagrees in the books."""
        report = reconcile.verify_books(self.world.begin(), now=self.world.now)
        return [f"{finding.place}: {finding.expected}, not {finding.found}" for finding in report.findings]

    def _now(
        self,
        item: int,
        quantity: int,
        source: int,
        destination: int,
        kind: str,
        *,
        cost: str | None = None,
        cost_of_id: int | None = None,
    ) -> Move:
        return self.post(self.plan(item, quantity, source, destination, kind, cost=cost, cost_of_id=cost_of_id))
