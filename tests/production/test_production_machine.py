"""Whatever the floor does, in whatever order: issues, scrap and output balance in goods and in money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from scm.core.errors import ScmError
from scm.finance.journal import Account
from scm.production.documents import WorkOrderState
from tests.production.shop import Shop
from tests.world import World

COSTS = ("0.333333", "1.00", "7.77")
steps = st.tuples(
    st.sampled_from(
        [
            "issue",
            "issue_more",
            "substitute",
            "give_back",
            "report",
            "report_last",
            "scrap",
            "correct",
            "complete",
            "complete",
            "back_flush",
            "undo",
            "close",
            "value",
        ]
    ),
    st.integers(min_value=0, max_value=1),  # which component
    st.integers(min_value=1, max_value=9),  # how many
    st.integers(min_value=0, max_value=20),  # which of several
)


@dataclass
class Story:
    """The steps taken in one example, and what later steps refer to."""

    shop: Shop
    order: int
    components: list[int]
    reports: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def take(self, name: str, component: int, quantity: int, choice: int) -> None:
        """This function will take a step; one that is refused changes nothing."""
        item = self.components[component]
        acts: dict[str, Callable[[], object]] = {
            "issue": lambda: self.shop.issue(self.order, (item, quantity), substitute=False),
            "issue_more": lambda: self.shop.issue(self.order, (item, quantity), reason="more was needed"),
            "substitute": lambda: self.shop.issue(self.order, (item, quantity * 4)),
            "give_back": lambda: self.shop.give_back(self.order, item, quantity),
            "report": lambda: self.reports.append(self.shop.report(self.order, quantity, minutes=quantity)),
            "report_last": lambda: self.reports.append(self.shop.report(self.order, quantity, step=1)),
            "scrap": lambda: self.reports.append(self.shop.report(self.order, 0, scrap=quantity, step=choice % 2)),
            "correct": lambda: self.reports and self.shop.correct(self.order, self.reports[choice % len(self.reports)]),
            "complete": lambda: self._complete(quantity, back_flush=False),
            "back_flush": lambda: self._complete(quantity, back_flush=True),
            "undo": lambda: self._undo(choice),
            "close": lambda: self._close(choice),
            "value": self.shop.value,
        }
        point = self.shop.session.begin_nested()
        try:
            acts[name]()
        except ScmError:
            point.rollback()
            self.shop.session.info.pop("audit_rows", None)
            return
        point.commit()

    def _undo(self, choice: int) -> None:
        if self.outputs:
            self.shop.undo(self.order, self.outputs[choice % len(self.outputs)])

    def _close(self, choice: int) -> None:
        if choice < 3:  # or no story would be long
            self.shop.close(self.order, reason="that is all")

    def _complete(self, quantity: int, *, back_flush: bool) -> None:
        done = self.shop.complete(self.order, quantity, back_flush=back_flush)
        self.outputs += [move.id for move in done.posted]


@settings(
    max_examples=max(10, settings().max_examples // 2),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    taken=st.lists(steps, min_size=6, max_size=22),
    cost=st.sampled_from(COSTS),
    ordered=st.integers(min_value=3, max_value=12),
    ratio=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3)),
)
def test_any_day_on_the_floor_balances(
    session: Session,
    taken: list[tuple[str, int, int, int]],
    cost: str,
    ordered: int,
    ratio: tuple[int, int, int],
) -> None:
    point = session.begin_nested()
    world = World(session)
    shop = Shop(world)
    table, leg, top, spare = (
        world.item("table"),
        world.item("leg", unit_cost=cost),
        world.item("top", unit_cost="2.50"),
        world.item("spare", unit_cost="0.99"),
    )
    for item, quantity in ((leg, 40), (top, 25), (spare, 60)):
        world.stock(item, quantity, bin_number=1)
        world.stock(item, 7, bin_number=2)
    bill = shop.bom(
        table,
        (leg, ratio[0]),
        (top, ratio[1]),
        output_quantity=ratio[2],
        yield_rate="0.9",
        operations=["cut", "join"],
    )
    shop.substitute(bill, leg, spare, quantity=ratio[1])
    order = shop.order(bill, ordered)
    shop.release(order, in_spite_of="see what happens")
    story = Story(shop, order, [leg, top])
    for step in taken:
        story.take(*step)
        found = shop.progress(order)
        for component in found.components:
            used = found.consumption[component.id]
            assert used.used >= found.covering(component, found.completed), "output holds what was never issued"
        for before, after in zip(found.work, found.work[1:], strict=False):
            assert after.good + after.scrap <= before.good
        assert found.completed <= found.passed <= found.order.start_quantity - found.scrapped
    shop.value()
    assert shop.findings() == []
    balances(shop, story, table=table)
    point.rollback()
    world.begin().info.pop("audit_rows", None)


def balances(shop: Shop, story: Story, *, table: int) -> None:
    """This function will count goods and money once more, without any of the program's sums."""
    found = shop.progress(story.order)
    world = shop.world
    for component in found.components:
        stock = sum(world.at(component.item_id, bin_id) for bin_id in world.setup.bin_ids)
        began = {story.components[0]: 47, story.components[1]: 32}.get(component.item_id, 67)
        assert began - stock == found.consumption[component.id].used
    assert world.at(table, world.setup.dock_id) == found.completed
    held = shop.held(story.order)
    assert shop.account(Account.WORK_IN_PROGRESS) == held
    if found.order.state is WorkOrderState.CLOSED:
        assert held == 0
    spent = -shop.account(Account.ADJUSTMENT) - shop.account(Account.OPENING_BALANCE)
    kept = shop.account(Account.INVENTORY) + held + shop.account(Account.PRODUCTION_VARIANCE)
    assert kept + shop.account(Account.COST_OF_SALES) == spent
