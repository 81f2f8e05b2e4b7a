"""Whatever the two sites do in whatever order: no unit is lost unseen, no promise is broken, and nothing is gained."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scm.core.errors import Conflict
from scm.finance import reconcile, valuation
from scm.finance.costs import ItemCost
from scm.stock.moves import MoveState
from tests.moving import Lanes
from tests.stock.books import check_items
from tests.world import World
from warehouse import transfer_losses, transfers
from warehouse.transfer_documents import KIND, LossParty, Transfer, TransferLine, TransferLoss, TransferState
from warehouse.transfer_losses import Loss
from warehouse.transfers import Picked

ACTIONS = ("draft", "release", "pick", "ship", "ship_short", "receive", "receive_part", "lose", "cancel", "promise")
OPENING = 60


class NothingThere(Exception):
    """There is nothing yet that the action could be done to."""


class Lorry:
    """Two sites and two items; `choice` decides between what is possible."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.lanes = Lanes(world)
        self.items = [world.item("t-bolt"), world.item("t-nut")]
        for item in self.items:
            world.stock(item, OPENING)
        self.transfers: list[int] = []
        self.done: set[str] = set()

    def do(self, action: str, choice: int) -> None:
        """Try something; a conflict with the present state is an answer, anything else is a fault."""
        acts: dict[str, Callable[[int], object]] = {name: getattr(self, name) for name in ACTIONS}
        point = self.world.begin().begin_nested()
        try:
            acts[action](choice)
            self.world.begin()
            point.commit()
            self.done.add(action)
        except (Conflict, NothingThere):
            point.rollback()
            self.world.begin().info.pop("audit_rows", None)

    def draft(self, choice: int) -> None:
        lines = [(self.items[choice % 2], 1 + choice % 37)]
        if choice % 3 == 0:
            lines.append((self.items[(choice + 1) % 2], 1 + choice % 5))
        self.transfers.append(self.lanes.draft(*lines, back=choice % 4 == 3))

    def promise(self, choice: int) -> None:
        self.world.demand(self.items[choice % 2], 1 + choice % 11, reserve=True)

    def release(self, choice: int) -> None:
        self.lanes.release(self._of(choice, TransferState.DRAFT))

    def pick(self, choice: int) -> None:
        self.lanes.pick(self._of(choice, TransferState.RELEASED))

    def ship(self, choice: int) -> None:
        self.lanes.ship(self._of(choice, TransferState.RELEASED), reason="what was found")

    def ship_short(self, choice: int) -> None:
        transfer_id = self._of(choice, TransferState.RELEASED)
        picks = [m for m in self.world.moves_of(KIND, [transfer_id]) if m.state is MoveState.PLANNED and m.allocated]
        if not picks:
            raise NothingThere
        self.lanes.ship(
            transfer_id, *(Picked(move_id=m.id, quantity=max(1, m.quantity // 2)) for m in picks), reason="no more room"
        )

    def receive(self, choice: int) -> None:
        self.lanes.receive(self._on_the_way(choice))
        for site_id in (self.lanes.south, self.lanes.north):
            self.lanes.put_away(site_id)

    def receive_part(self, choice: int) -> None:
        transfer_id = self._on_the_way(choice)
        move = self.lanes.on_the_way(transfer_id)[0]
        self.lanes.receive(transfer_id, Picked(move_id=move.id, quantity=1 + choice % move.quantity))

    def lose(self, choice: int) -> None:
        transfer_id = self._on_the_way(choice)
        move = self.lanes.on_the_way(transfer_id)[0]
        loss = Loss(
            move_id=move.id,
            quantity=1 + choice % move.quantity,
            party=list(LossParty)[choice % 3],
            reason="gone",
            spoilt=choice % 2 == 0,
        )
        transfer_losses.write_off(
            self.world.begin(),
            transfer_id,
            [loss],
            actor=self.world.user("warehouse"),
            now=self.world.now,
            today=self.world.today,
        )

    def cancel(self, choice: int) -> None:
        if not self.transfers:
            raise NothingThere
        transfer_id = self.transfers[choice % len(self.transfers)]
        transfers.cancel(self.world.begin(), transfer_id, reason="not now", actor=self.world.user("planner"))

    def _of(self, choice: int, *states: TransferState) -> int:
        found = [one for one in self.transfers if self.lanes.state(one) in states]
        if not found:
            raise NothingThere
        return found[choice % len(found)]

    def _on_the_way(self, choice: int) -> int:
        return self._of(choice, TransferState.SHIPPED, TransferState.RECEIVED)


def check(lorry: Lorry) -> None:
    """Prove it from the other side: balances, promises, losses, money, and each transfer's own sum."""
    world, lanes = lorry.world, lorry.lanes
    session = world.begin()
    check_items(session, lorry.items)
    lost = dict.fromkeys(lorry.items, 0)
    for item, quantity in session.execute(
        sa.select(TransferLine.item_id, sa.func.sum(TransferLoss.quantity))
        .join(TransferLine, TransferLine.id == TransferLoss.line_id)
        .group_by(TransferLine.item_id)
    ):
        lost[item] = int(quantity)
    assert lanes.everywhere(lorry.items) == {item: OPENING - lost[item] for item in lorry.items}
    for site_id in (lanes.south, lanes.north):
        for item in lorry.items:
            assert lanes.position(item, site_id).available >= 0, "a site has promised more than it has"
    for transfer in world.begin().scalars(sa.select(Transfer)).all():
        on_the_way = sum(move.quantity for move in lanes.on_the_way(transfer.id))
        posted = [m for m in world.moves_of(KIND, [transfer.id]) if m.state is MoveState.POSTED]
        shipped = sum(m.quantity for m in posted if m.destination_id == lanes.transit)
        gone = sum(m.quantity for m in posted if m.source_id == lanes.transit)
        assert shipped == gone + on_the_way
        ordered = sa.select(sa.func.sum(TransferLine.quantity)).where(TransferLine.transfer_id == transfer.id)
        assert shipped <= int(world.begin().execute(ordered).scalar_one())
        assert (on_the_way > 0) == (transfer.state in (TransferState.SHIPPED, TransferState.RECEIVED))
    session = world.begin()
    valuation.run(session, company_id=world.setup.company_id, now=world.now)
    assert reconcile.verify_books(world.begin(), now=world.now).findings == ()
    for cost in world.begin().scalars(sa.select(ItemCost)).all():
        if cost.item_id in lost:
            units = OPENING - lost[cost.item_id]
            assert (cost.quantity, cost.value) == (units, units * 400), "moving goods changed what they are worth"


@settings(
    max_examples=max(4, settings().max_examples // 3),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.integers(min_value=0, max_value=10_000)), min_size=6, max_size=24
    )
)
def test_no_unit_is_lost_between_two_sites(world: World, steps: list[tuple[str, int]]) -> None:
    point = world.begin().begin_nested()
    lorry = Lorry(world)
    for action, choice in steps:
        lorry.do(action, choice)
    check(lorry)
    point.rollback()
    world.begin().info.pop("audit_rows", None)


def test_the_story_can_do_everything(world: World) -> None:
    lorry = Lorry(world)
    for action in (
        "draft",
        "release",
        "pick",
        "ship_short",
        "receive_part",
        "lose",
        "draft",
        "release",
        "pick",
        "ship",
    ):
        lorry.do(action, 21)
    for choice in range(60):
        lorry.do(ACTIONS[choice * 7 % len(ACTIONS)], choice * 31)
    assert lorry.done == set(ACTIONS), "what the property never does it does not prove"
    check(lorry)
