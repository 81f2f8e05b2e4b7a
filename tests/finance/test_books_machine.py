"""Whatever happens to the goods, in whatever order, and whenever valuation runs: the books prove."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from scm.core.errors import Conflict
from scm.finance.journal import Account
from scm.stock.moves import Move
from tests.finance.books import Books

ITEMS = 2
COSTS = ("0.333333", "1.00", "7.777777", "0")
steps = st.tuples(
    st.sampled_from(["open", "receive", "ship", "return", "restock", "reverse", "find", "lose", "value"]),
    st.integers(min_value=0, max_value=ITEMS - 1),
    st.integers(min_value=1, max_value=7),
    st.integers(min_value=0, max_value=20),
)


@dataclass
class Story:
    """The steps taken in one example, and what later steps refer to."""

    books: Books
    items: list[int]
    shipped: list[Move] = field(default_factory=list)
    posted: list[Move] = field(default_factory=list)

    def take(self, name: str, item: int, quantity: int, choice: int) -> None:
        """This function will take a step; one that the goods ledger refuses changes nothing."""
        acts: dict[str, Callable[[int, int, int], Move | None]] = {
            "open": lambda i, q, c: self.books.open(i, q, COSTS[c % len(COSTS)]),
            "receive": lambda i, q, c: self.books.receive(i, q, COSTS[c % len(COSTS)]),
            "ship": lambda i, q, c: self.books.ship(i, q),
            "return": self._return,
            "restock": lambda i, q, c: self.books.restock(i, q),
            "reverse": self._reverse,
            "find": lambda i, q, c: self.books.find(i, q),
            "lose": lambda i, q, c: self.books.lose(i, q),
            "value": self._value,
        }
        point = self.books.world.begin().begin_nested()
        try:
            move = acts[name](self.items[item], quantity, choice)
        except Conflict:
            point.rollback()
            self.books.world.begin().info.pop("audit_rows", None)
            return
        point.commit()
        if move is not None:
            self.posted.append(move)
            if name == "ship":
                self.shipped.append(move)

    def _return(self, item: int, quantity: int, choice: int) -> Move | None:
        of_item = [move for move in self.shipped if move.item_id == item]
        if not of_item:
            return None
        return self.books.take_back(item, quantity, shipped=of_item[choice % len(of_item)])

    def _reverse(self, item: int, quantity: int, choice: int) -> Move | None:
        return self.books.reverse(self.posted[choice % len(self.posted)]) if self.posted else None

    def _value(self, item: int, quantity: int, choice: int) -> None:
        self.books.value()


@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(taken=st.lists(steps, min_size=5, max_size=18))
def test_any_story_leaves_books_that_prove(session: Session, taken: list[tuple[str, int, int, int]]) -> None:
    point = session.begin_nested()
    books = Books(session)
    story = Story(books, [books.world.item(f"item-{number}") for number in range(ITEMS)])
    for step in taken:
        story.take(*step)
    books.value()
    assert books.findings() == []
    emptied(story)
    assert books.findings() == []
    point.rollback()
    books.world.begin().info.pop("audit_rows", None)


def emptied(story: Story) -> None:
    """This function will sell what is left of every item and check that the last unit took all."""
    books = story.books
    for item in story.items:
        for place in (books.bin, books.world.setup.returns_id):
            left = books.world.at(item, place)
            if left:
                books.post(books.plan(item, left, place, books.world.setup.customer_location_id, "sales_order"))
    books.value()
    assert [books.cost(item) for item in story.items] == [(0, 0)] * ITEMS
    assert books.account(Account.INVENTORY) == 0
