"""Moving average cost of one item, on two integers: the quantity in stock and its value in minor units.

Pure arithmetic; `scm.finance.costing` applies it to moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from scm.core.errors import Conflict
from scm.core.types import UNIT_PRICE_PLACES
from scm.finance import money


class CostBroken(Conflict):
    """The moves that were valued do not fit each other: more left the stock than ever entered it."""


@dataclass(slots=True)
class StockCost:
    """What is in stock of one item, and the quantity and value that last told its average.

    The second pair lets goods that turn up after the shelf was emptied enter at the cost they had before.
    """

    quantity: int = 0
    value: int = 0
    last_quantity: int = 0
    last_value: int = 0

    @classmethod
    def expected(cls, unit_cost: Decimal, *, currency: str) -> StockCost:
        """This function will give the cost of an item of which nothing was in stock yet, from a unit cost.

        >>> StockCost.expected(Decimal("0.125"), currency="GBP").average(4)
        50
        """
        many = 10**UNIT_PRICE_PLACES  # so many units cost a whole number of minor units
        return cls(last_quantity=many, last_value=money.line_amount(unit_cost, many, currency=currency))

    def average(self, quantity: int) -> int:
        """This function will give the cost of so many units at the present average, or at the last one known.

        >>> StockCost(3, 1000).average(2), StockCost(0, 0, 3, 1000).average(1), StockCost().average(5)
        (667, 333, 0)
        """
        if self.quantity > 0:
            return money.share(self.value, quantity, self.quantity)
        return money.share(self.last_value, quantity, self.last_quantity) if self.last_quantity > 0 else 0

    def enter(self, quantity: int, value: int) -> None:
        """This function will add units at a value."""
        self.quantity += quantity
        self.value += value
        self._note()

    def issue(self, quantity: int) -> int:
        """This function will take units out at round(value × units / units in stock); the last unit takes all.

        Gives the value taken. Raises `CostBroken` when fewer are there.

        >>> cost = StockCost(3, 1000)
        >>> cost.issue(1), cost.issue(1), cost.issue(1), cost.value
        (333, 334, 333, 0)
        """
        self._refuse_more_than_there(quantity)
        taken = money.share(self.value, quantity, self.quantity)
        self.quantity -= quantity
        self.value -= taken
        self._note()
        return taken

    def take_back(self, quantity: int, value: int) -> int:
        """This function will undo an entry at the exact value it had, and give what must be revalued after it.

        When units were issued at a mixed average since, what is left can be worth less than nothing, or nothing can
        be left with a value: that difference belongs to the cost of what was issued. Raises `CostBroken`.

        >>> cost = StockCost(2, 300)  # entered as 1 for 100 and 1 for 200
        >>> cost.issue(1), cost.take_back(1, 200), cost.value
        (150, 50, 0)
        """
        self._refuse_more_than_there(quantity)
        self.quantity -= quantity
        self.value -= value
        revaluation = -self.value if self.quantity == 0 or self.value < 0 else 0
        self.value += revaluation
        self._note()
        return revaluation

    def _note(self) -> None:
        if self.quantity > 0:
            self.last_quantity, self.last_value = self.quantity, self.value

    def _refuse_more_than_there(self, quantity: int) -> None:
        if quantity > self.quantity:
            raise CostBroken(f"{quantity} units leave a valued stock of {self.quantity}")


@dataclass(slots=True)
class Issued:
    """A valued issue that customer returns refer to: what it took, and what came back of it so far."""

    quantity: int
    value: int
    returned_quantity: int = 0
    returned_value: int = 0

    def give_back(self, quantity: int, *, average: int) -> int:
        """This function will give the value at which returned units enter: their cumulative share of the issue.

        Returned in parts, all together never enter at more than the issue took. Units beyond the issue (the return
        names one of several deliveries) enter at their share of `average`, the present cost of `quantity` units.

        >>> issue = Issued(3, 1000)
        >>> [issue.give_back(1, average=0) for _ in range(3)]
        [333, 334, 333]
        >>> issue.give_back(2, average=500)
        500
        """
        back = self.returned_quantity + quantity
        reached = money.share(self.value, min(back, self.quantity), self.quantity)
        entered = max(0, reached - self.returned_value)
        beyond = min(quantity, max(0, back - self.quantity))
        if beyond:
            entered += money.share(average, beyond, quantity)
        self.returned_quantity += quantity
        self.returned_value += entered
        return entered

    def return_undone(self, quantity: int, value: int) -> None:
        """This function will note that a return was reversed: its units may come back once more."""
        self.returned_quantity -= quantity
        self.returned_value -= value
