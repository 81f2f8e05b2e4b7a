"""Pools: whatever happens to goods of which a part is set aside, every pool follows from its moves and transfers."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from scm.core.errors import ScmError
from scm.finance import reconcile
from scm.master.partners import OWN_STOCK
from scm.stock import allocation, holds, ledger, lots, pools, reservations
from scm.stock.balances import StockPool
from scm.stock.ledger import MoveRequest
from scm.stock.lots import HoldReason
from scm.stock.moves import GENERAL_POOL
from scm.stock.pools import BadTransfer, NotFree, PoolRequest
from scm.stock.reservations import Shortage
from tests.world import World

LIVE = "live"
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("fill", "empty", "sell", "show", "lose", "find", "hold", "free", "undo")), st.integers(1, 9)
    ),
    max_size=14,
)


class Store:
    """One item in one lot and one bin, and what can happen to it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.item = world.item("bolt", lot_tracked=True)
        self.lot = lots.find_or_create(world.begin(), item_id=self.item, code="L1")
        self.bin = self.world.setup.bin_ids[0]
        self.picks: list[int] = []

    def do(self, step: str, quantity: int) -> None:
        """This function will take one step, or be refused without a trace."""
        session = self.world.begin()
        point = session.begin_nested()
        try:
            getattr(self, step)(session, quantity)
        except ScmError:
            point.rollback()
            self.world.begin().info.pop("audit_rows", None)
            return
        self.world.begin()
        point.commit()

    def fill(self, session: Session, quantity: int) -> None:
        self._pass(session, quantity, GENERAL_POOL, LIVE)

    def empty(self, session: Session, quantity: int) -> None:
        self._pass(session, quantity, LIVE, GENERAL_POOL)

    def sell(self, session: Session, quantity: int) -> None:
        self._order(session, quantity, GENERAL_POOL)

    def show(self, session: Session, quantity: int) -> None:
        self._order(session, quantity, LIVE)

    def lose(self, session: Session, quantity: int) -> None:
        self._now(session, quantity, self.bin, self.world.setup.adjustment_location_id)

    def find(self, session: Session, quantity: int) -> None:
        self._now(session, quantity, self.world.setup.adjustment_location_id, self.bin)

    def hold(self, session: Session, quantity: int) -> None:
        holds.place(
            session,
            lot_ids=[self.lot],
            reason=HoldReason.RECALL,
            actor=self.world.user("warehouse"),
            now=self.world.now,
        )

    def free(self, session: Session, quantity: int) -> None:
        holds.release(
            session,
            lot_ids=[self.lot],
            reason=HoldReason.RECALL,
            actor=self.world.user("warehouse"),
            now=self.world.now,
        )

    def undo(self, session: Session, quantity: int) -> None:
        if self.picks:
            ledger.reverse(
                session,
                [self.picks.pop()],
                reason="undone",
                actor=self.world.user("warehouse"),
                now=self.world.now,
                today=self.world.today,
            )

    def _pass(self, session: Session, quantity: int, source: str, destination: str) -> None:
        pools.transfer(
            session,
            [PoolRequest(item_id=self.item, quantity=quantity)],
            site_id=self.world.setup.site_id,
            source_pool=source,
            destination_pool=destination,
            reason="asked for",
            actor=self.world.user("sales"),
            now=self.world.now,
        )

    def _order(self, session: Session, quantity: int, pool: str) -> None:
        """Promise, and take out of the bin what was promised."""
        setup = self.world.setup
        request = self._request(quantity, setup.area_id, setup.staging_id, pool=pool)
        [move] = ledger.plan(session, [request], company_id=setup.company_id)
        reservations.reserve(session, [move.id], shortage=Shortage.REFUSE)
        session = self.world.begin()
        [allocated] = allocation.allocate(session, [move.id], today=self.world.today)
        session = self.world.begin()
        done = ledger.post(
            session,
            [ledger.Posting(move_id=pick_id) for pick_id in allocated.pick_ids],
            actor=self.world.user("warehouse"),
            now=self.world.now,
            today=self.world.today,
        )
        self.picks += [fact.id for fact in done.posted]

    def _now(self, session: Session, quantity: int, source: int, destination: int) -> None:
        ledger.move_now(
            session,
            [self._request(quantity, source, destination, lot_id=self.lot)],
            company_id=self.world.setup.company_id,
            actor=self.world.user("warehouse"),
            now=self.world.now,
            today=self.world.today,
        )

    def _request(
        self, quantity: int, source: int, destination: int, *, pool: str = GENERAL_POOL, lot_id: int = lots.NO_LOT
    ) -> MoveRequest:
        return MoveRequest(
            item_id=self.item,
            source_id=source,
            destination_id=destination,
            quantity=quantity,
            due_date=self.world.today,
            document_kind="opening",
            document_id=1,
            line_id=1,
            lot_id=lot_id,
            pool=pool,
        )

    def pool(self, name: str) -> tuple[int, int]:
        """This function will read what a pool holds and how much of it is promised."""
        found = self.world.begin().get(StockPool, (self.item, self.world.setup.site_id, OWN_STOCK, name))
        return (found.on_hand, found.reserved) if found else (0, 0)

    def prove(self) -> None:
        """This function will hold every pool against the moves and transfers it must follow from."""
        found = reconcile.verify_books(self.world.begin(), now=self.world.now).findings
        assert [finding for finding in found if "cost" not in finding.place] == []


@settings(
    max_examples=settings().max_examples,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_every_pool_follows_from_its_moves_and_transfers(world: World, steps: list[tuple[str, int]]) -> None:
    point = world.begin().begin_nested()
    try:
        store = Store(world)
        store.do("find", 9)
        for step, quantity in steps:
            store.do(step, quantity)
        store.prove()
    finally:
        point.rollback()
        world.begin().info.pop("audit_rows", None)


def test_lost_goods_are_borne_by_what_is_set_aside_when_nothing_else_is_left(world: World) -> None:
    store = Store(world)
    store.do("find", 9)
    store.do("fill", 7)
    store.do("lose", 5)
    assert (store.pool(GENERAL_POOL), store.pool(LIVE)) == ((0, 0), (4, 0))
    store.prove()


def test_a_held_lot_takes_what_is_set_aside_along_and_comes_back_as_everybodys(world: World) -> None:
    store = Store(world)
    store.do("find", 9)
    store.do("fill", 6)
    store.do("show", 2)
    store.do("hold", 1)
    assert (store.pool(GENERAL_POOL), store.pool(LIVE)) == ((0, 0), (0, 0))
    store.do("undo", 1)  # what was picked comes back to a lot that is held
    store.prove()
    store.do("free", 1)
    assert (store.pool(GENERAL_POOL), store.pool(LIVE)) == ((9, 0), (0, 0))
    store.prove()


@pytest.mark.parametrize(("quantity", "words"), [(0, "0 units cannot pass"), (True, "True units cannot pass")])
def test_a_transfer_of_nothing_is_refused(world: World, quantity: int, words: str) -> None:
    store = Store(world)
    store.do("find", 9)
    with world.refuses(BadTransfer, words) as session:
        store.fill(session, quantity)


def test_more_than_is_free_does_not_pass(world: World) -> None:
    store = Store(world)
    store.do("find", 9)
    with world.refuses(NotFree, "10 of item bolt are to leave the pool general, where 9 are free") as session:
        store.fill(session, 10)
