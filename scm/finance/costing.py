"""What each posted move is worth, and what stands against inventory for it.

A decision: the moves, what their items have cost and what they refer to go in, their values come out. It reads no
database; `scm.finance.valuation` loads, asks and writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from scm.finance import money, rates
from scm.finance.averages import CostBroken, Issued, StockCost
from scm.finance.journal import Account
from scm.master.locations import LocationKind

OPENING = "opening"  # the document kind of opening stock

# What stands against inventory, by the kind of the place outside the books.
COUNTER_ACCOUNTS: Mapping[LocationKind, Account] = {
    LocationKind.SUPPLIER: Account.GOODS_RECEIVED,
    LocationKind.PRODUCTION: Account.WORK_IN_PROGRESS,
    LocationKind.DELIVERY: Account.COST_OF_SALES,
    LocationKind.CUSTOMER: Account.COST_OF_SALES,
    LocationKind.SCRAP: Account.SCRAP,
    LocationKind.ADJUSTMENT: Account.ADJUSTMENT,
}


class PostedMove(NamedTuple):
    """A posted move that crosses a valued boundary, as far as its value depends on it."""

    sequence: int  # ascending in the order of posting
    move_id: int
    item_id: int
    quantity: int
    posted_at: datetime
    document_kind: str
    document_id: int
    expected_unit_cost: Decimal | None
    currency: str | None
    reverses_id: int | None
    cost_of_id: int | None
    enters: bool
    outside: LocationKind  # the kind of the place that is not in the books

    @property
    def document(self) -> tuple[str, int]:
        """The kind and id of the document it belongs to."""
        return self.document_kind, self.document_id

    @property
    def label(self) -> str:
        """What an error calls this move."""
        return f"move {self.move_id} ({self.document_kind} {self.document_id}) of item {self.item_id}"


class Worth(NamedTuple):
    """The value of one move, in minor units; quantity and value are above zero when goods enter the books."""

    quantity: int
    value: int
    revaluation: int = 0
    cost_of_id: int | None = None


@dataclass
class Costing:
    """The figures that valuing a batch of moves starts from, and changes as it goes.

    `costs` by item; `worths` of moves that others reverse, and `issues` that returns refer to, by move. `in_progress`
    is what work orders hold, by document, and `remaining` how much was still to be made at each output, by move.
    `rates` of the day they were received, by move, for those whose cost is in another currency.
    """

    currency: str
    costs: Mapping[int, StockCost]
    worths: dict[int, Worth]
    issues: dict[int, Issued]
    in_progress: dict[tuple[str, int], int] = field(default_factory=dict)
    remaining: Mapping[int, int] = field(default_factory=dict)
    rates: Mapping[int, Decimal] = field(default_factory=dict)

    def value(self, move: PostedMove) -> Worth:
        """This function will value the next move. Raises `CostBroken`."""
        try:
            worth = self._mirrored(move) if move.reverses_id is not None else self._fresh(move)
        except CostBroken as error:
            raise CostBroken(f"{move.label} cannot be valued: {error}; prove the books to find the place") from error
        self.worths[move.move_id] = worth
        if move.outside is LocationKind.PRODUCTION:
            held = self.in_progress.get(move.document, 0)
            self.in_progress[move.document] = held - worth.value
        return worth

    def _fresh(self, move: PostedMove) -> Worth:
        cost = self.costs[move.item_id]
        if move.enters:
            value, cost_of_id = self._entering(move, cost)
            cost.enter(move.quantity, value)
            return Worth(move.quantity, value, 0, cost_of_id)
        taken = cost.issue(move.quantity)
        self.issues[move.move_id] = Issued(move.quantity, taken)
        return Worth(-move.quantity, -taken)

    def _entering(self, move: PostedMove, cost: StockCost) -> tuple[int, int | None]:
        """A return enters at the cost of what it returns, an output at its share of the order's work in progress, a
        receipt at its expected cost, the rest at the average."""
        average = cost.average(move.quantity)
        if move.cost_of_id is not None and move.cost_of_id in self.issues:
            return self.issues[move.cost_of_id].give_back(move.quantity, average=average), move.cost_of_id
        if move.outside is LocationKind.PRODUCTION and move.move_id in self.remaining:
            # Of what is left of the order's work in progress, so that the last unit takes all.
            held = max(0, self.in_progress.get(move.document, 0))
            return money.share(held, move.quantity, self.remaining[move.move_id]), None
        if move.expected_unit_cost is None:
            return average, None
        currency = move.currency or self.currency
        amount = money.line_amount(move.expected_unit_cost, move.quantity, currency=currency)
        if currency != self.currency:
            # Rounded in the supplier's currency first, as its invoice will be, and then once more by the rate.
            amount = rates.convert(amount, self.rates[move.move_id], currency=currency, own=self.currency)
        return amount, None

    def _mirrored(self, move: PostedMove) -> Worth:
        """A reversal has exactly the value of what it reverses."""
        assert move.reverses_id is not None, "only reversals are mirrored"
        original = self.worths.get(move.reverses_id)
        if original is None:
            raise CostBroken(f"move {move.reverses_id}, which it reverses, has no value")
        cost = self.costs[move.item_id]
        if move.enters:
            cost.enter(move.quantity, -original.value)
            return Worth(move.quantity, -original.value)
        revaluation = cost.take_back(move.quantity, original.value)
        if original.cost_of_id is not None and original.cost_of_id in self.issues:
            self.issues[original.cost_of_id].return_undone(original.quantity, original.value)
        return Worth(-move.quantity, -original.value, revaluation, original.cost_of_id)


def counter_account(move: PostedMove) -> Account:
    """This function will name the account that stands against inventory for a move, or for what it reverses."""
    if move.document_kind == OPENING:
        return Account.OPENING_BALANCE
    entered = move.enters != (move.reverses_id is not None)
    if move.outside is LocationKind.SUPPLIER and not entered:
        return Account.SUPPLIER_RETURNS
    return COUNTER_ACCOUNTS[move.outside]
