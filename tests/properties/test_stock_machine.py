"""The stock verbs in any order, on a real database, against the plain model: after every step both say the same."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from scm.core.db import Database
from scm.core.errors import ScmError
from scm.master.items import Item
from scm.master.locations import PHYSICAL, Location, LocationKind
from scm.stock import allocation, holds, ledger, lots, moves, reservations
from scm.stock.balances import StockBalance, StockPool
from scm.stock.ledger import MoveRequest, Posting, PostResult
from scm.stock.lots import NO_LOT, HoldReason
from scm.stock.moves import Move, StockMove
from scm.stock.reservations import Outcome, Reservation, Shortage
from tests.conftest import SOAK
from tests.properties.stock_model import Model, Planned, Wish
from tests.stock import ground as grounds
from tests.stock.ground import NOW, TODAY, Ground

amounts = st.integers(min_value=1, max_value=12)
chance = st.booleans()
# A failing story is as short as hypothesis can tell it only in the long runs: shortening takes minutes.
PHASES = tuple(phase for phase in Phase if SOAK or phase is not Phase.shrink)
REASONS = st.sampled_from([HoldReason.INSPECTION, HoldReason.RECALL])


class StockMachine(RuleBasedStateMachine):
    """One company, whose every example counts two items of its own: loose bolts, and a cream in three lots."""

    database: Database
    ground: Ground

    @initialize()
    def begin(self) -> None:
        ground = self.ground
        with self.database.unit_of_work(write=True) as session:
            number = session.scalar(sa.select(sa.func.count()).select_from(Item)) or 0
            unit = session.scalar(sa.select(Item.base_unit_id).limit(1))
            rows = [
                Item(company_id=ground.company_id, sku=f"{n}-{number}", name=n, base_unit_id=unit)
                for n in ("bolt", "cream")
            ]
            session.add_all(rows)
            session.flush()
            self.bolt, self.cream = [row.id for row in rows]
            expiries: list[date | None] = [TODAY + timedelta(days=2), TODAY + timedelta(days=4), None]
            made = [
                lots.find_or_create(session, item_id=self.cream, code=str(n), expiry_date=expiry)
                for n, expiry in enumerate(expiries)
            ]
        self.today = TODAY
        self.line = 0
        self.model = Model(
            area=ground.area_id,
            bins=ground.bin_ids,
            others=frozenset(ground.at(kind) for kind in PHYSICAL - {LocationKind.STORAGE}),
            losing=frozenset(
                ground.at(kind) for kind in (LocationKind.ADJUSTMENT, LocationKind.SCRAP, LocationKind.QUARANTINE)
            ),
            expiry={NO_LOT: None, **dict(zip(made, expiries, strict=True))},
        )
        self.cream_lots = made

    # Inbound

    @rule(cream=chance, quantity=amounts, over=st.integers(min_value=0, max_value=3))
    def order_from_the_supplier(self, cream: bool, quantity: int, over: int) -> None:
        self._plan(self.ground.inbound(quantity, item=self._item(cream), over=over, line=self._new_line()))

    @precondition(lambda self: self._open(LocationKind.SUPPLIER))
    @rule(data=st.data(), quantities=st.lists(amounts, min_size=1, max_size=2))
    def receive(self, data: st.DataObject, quantities: list[int]) -> None:
        """The same line may come in several lots at once; too much is refused."""
        move = data.draw(st.sampled_from(self._open(LocationKind.SUPPLIER)))
        of_item = self.cream_lots if move.item == self.cream else [NO_LOT]
        self._post([Wish(move.id, q, lot=data.draw(st.sampled_from(of_item))) for q in quantities])

    @precondition(lambda self: self._open(LocationKind.DOCK))
    @rule(data=st.data(), quantity=amounts)
    def put_away(self, data: st.DataObject, quantity: int) -> None:
        """Goods go to a bin (to the area itself is refused), and whoever waits is promised them."""
        move = data.draw(st.sampled_from(self._open(LocationKind.DOCK)))
        destination = data.draw(st.sampled_from([*self.ground.bin_ids, None]))
        self._post([Wish(move.id, quantity, destination=destination)], fill=[move.item])

    # Outbound

    @rule(cream=chance, quantity=amounts, in_days=st.integers(min_value=0, max_value=2), refuse=chance)
    def sell(self, cream: bool, quantity: int, in_days: int, refuse: bool) -> None:
        request = self.ground.outbound(quantity, item=self._item(cream), line=self._new_line())
        move_id = self._plan(replace(request, due_date=TODAY + timedelta(days=in_days)))
        self._reserve([move_id], Shortage.REFUSE if refuse else Shortage.SPLIT)

    @precondition(lambda self: self._open(LocationKind.STORAGE))
    @rule(data=st.data(), refuse=chance)
    def reserve_again(self, data: st.DataObject, refuse: bool) -> None:
        chosen = data.draw(st.lists(st.sampled_from(list(self.model.moves)), unique=True, max_size=3))
        self._reserve(chosen, Shortage.REFUSE if refuse else Shortage.SPLIT)

    @precondition(lambda self: self.model.promises)
    @rule(data=st.data())
    def release_a_wave(self, data: st.DataObject) -> None:
        promised = [m for m in self.model.promises if not self.model.moves[m].allocated]
        self._allocate(data.draw(st.lists(st.sampled_from(promised), unique=True, max_size=3)) if promised else [])

    @precondition(lambda self: self._picks())
    @rule(data=st.data(), short=chance)
    def pick(self, data: st.DataObject, short: bool) -> None:
        move = data.draw(st.sampled_from(self._picks()))
        quantity = data.draw(st.integers(min_value=1, max_value=move.quantity + 1)) if short else move.quantity
        self._post([Wish(move.id, quantity)])

    @precondition(lambda self: self._picks())
    @rule(data=st.data())
    def give_a_bin_back(self, data: st.DataObject) -> None:
        move = data.draw(st.sampled_from(self._picks()))
        with self._unit() as session:
            allocation.deallocate(session, [move.id])
        move.source, move.lot, move.allocated = self.ground.area_id, NO_LOT, False

    @precondition(lambda self: self._open(LocationKind.STORAGE))
    @rule(data=st.data(), quantity=amounts)
    def pick_without_a_wave(self, data: st.DataObject, quantity: int) -> None:
        """Straight from a bin: refused when the goods are others', or when a pick has another bin."""
        move = data.draw(st.sampled_from(self._open(LocationKind.STORAGE)))
        self._post([Wish(move.id, quantity, source=data.draw(st.sampled_from(self.ground.bin_ids)))])

    @precondition(lambda self: self._open(LocationKind.STAGING, LocationKind.DELIVERY))
    @rule(data=st.data())
    def ship_or_deliver(self, data: st.DataObject) -> None:
        moves_ = data.draw(
            st.lists(
                st.sampled_from(self._open(LocationKind.STAGING, LocationKind.DELIVERY)),
                unique_by=lambda m: m.id,
                min_size=1,
                max_size=2,
            )
        )
        self._post([Wish(move.id, move.quantity) for move in moves_])

    # Corrections

    @rule(cream=chance, quantity=amounts, lose=chance, data=st.data())
    def count_a_bin(self, cream: bool, quantity: int, lose: bool, data: st.DataObject) -> None:
        lot = data.draw(st.sampled_from(self.cream_lots)) if cream else NO_LOT
        place = data.draw(st.sampled_from(self.ground.bin_ids))
        make = self.ground.lost if lose else self.ground.found
        self._move_now([make(quantity, item=self._item(cream), bin_id=place, lot=lot)])

    @rule(cream=chance, quantity=amounts, data=st.data())
    def move_to_another_bin_or_quarantine(self, cream: bool, quantity: int, data: st.DataObject) -> None:
        lot = data.draw(st.sampled_from(self.cream_lots)) if cream else NO_LOT
        source, destination = data.draw(
            st.permutations([*self.ground.bin_ids, self.ground.at(LocationKind.QUARANTINE)]).map(lambda p: p[:2])
        )
        request = self.ground.lost(quantity, item=self._item(cream), bin_id=source, lot=lot)
        self._move_now([replace(request, destination_id=destination)])

    @precondition(lambda self: self.model.moves)
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        move_id = data.draw(st.sampled_from(list(self.model.moves)))
        with self._same_refusal(lambda: self.model.reverse(move_id)) as (mirror, session):
            if mirror is not None:
                [real] = ledger.reverse(session, [move_id], reason="wrong", **self._how()).posted
                mirror.id = real.id
                self.model.reversed(mirror)
                self.model.give_way([mirror])
            else:
                ledger.reverse(session, [move_id], reason="wrong", **self._how())

    @precondition(lambda self: self.model.moves)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        move_id = data.draw(st.sampled_from(list(self.model.moves)))
        with self._same_refusal(lambda: self.model.cancel(move_id)) as (_, session):
            ledger.cancel(session, [move_id], reason="changed their mind", actor=self.ground.clerk)

    @rule(data=st.data(), reason=REASONS)
    def hold(self, data: st.DataObject, reason: HoldReason) -> None:
        lot = data.draw(st.sampled_from(self.cream_lots))
        with self._unit() as session:
            holds.place(session, lot_ids=[lot], reason=reason, actor=self.ground.clerk, now=NOW)
        self.model.hold(lot, reason)

    @rule(data=st.data(), reason=REASONS)
    def release_a_hold(self, data: st.DataObject, reason: HoldReason) -> None:
        lot = data.draw(st.sampled_from(self.cream_lots))

        def expected() -> None:
            if (lot, reason) not in self.model.holds:
                raise holds.NotHeld
            self.model.holds.discard((lot, reason))

        with self._same_refusal(expected) as (_, session):
            holds.release(session, lot_ids=[lot], reason=reason, actor=self.ground.clerk, now=NOW)

    @rule()
    def a_day_goes_by(self) -> None:
        self.today += timedelta(days=1)

    @rule()
    def hold_what_expired(self) -> None:
        def due(lot: int) -> bool:
            expiry = self.model.expiry[lot]
            stocked = any(quantity for key, quantity in self.model.there.items() if key[2] == lot)
            return expiry is not None and expiry < self.today and stocked

        expected = [lot for lot in self.cream_lots if due(lot) and (lot, HoldReason.EXPIRED) not in self.model.holds]
        with self._unit() as session:
            found = holds.hold_expired(session, today=self.today, actor=self.ground.clerk, now=NOW)
        assert [lot for lot in found if lot in self.cream_lots] == expected
        for lot in expected:
            self.model.hold(lot, HoldReason.EXPIRED)

    # After every step

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "model"):
            return
        items = (self.bolt, self.cream)
        with self.database.unit_of_work(write=False) as session:
            found = rows_of(session, items)
            check_books(session, items)
        keys = {key: quantity for key, quantity in self.model.there.items() if quantity}
        assert found["there"] == keys
        assert found["aside"] == {key: aside for key in keys if (aside := self.model.aside(key))}
        for item in items:
            expected = (self.model.promisable(item), self.model.reserved(item))
            assert found["pools"].get(item, (0, 0)) == expected
        assert found["promises"] == {m: self.model.moves[m].quantity for m in self.model.promises}
        assert found["moves"] == {
            m.id: (m.state, m.quantity, m.source, m.destination, m.lot, m.allocated and m.state == "planned")
            for m in self.model.moves.values()
        }

    # How a step is made

    def _item(self, cream: bool) -> int:
        return self.cream if cream else self.bolt

    def _new_line(self) -> int:
        self.line += 1
        return self.line

    def _how(self) -> dict[str, Any]:
        return {"actor": self.ground.clerk, "now": NOW, "today": self.today}

    def _unit(self) -> contextlib.AbstractContextManager[Session]:
        return self.database.unit_of_work(write=True)

    def _open(self, *kinds: LocationKind) -> list[Planned]:
        sources = {self.ground.area_id, *self.ground.bin_ids} if LocationKind.STORAGE in kinds else set()
        sources |= {self.ground.at(kind) for kind in kinds if kind is not LocationKind.STORAGE}
        return [move for move in self.model.planned() if move.source in sources]

    def _picks(self) -> list[Planned]:
        return [move for move in self.model.planned() if move.allocated]

    @contextlib.contextmanager
    def _same_refusal(self, expect: Callable[[], Any]) -> Iterator[tuple[Any, Session]]:
        """The model goes first; what it refuses, the real verb must refuse with the same error."""
        try:
            expected = expect()
        except ScmError as refusal:
            with pytest.raises(type(refusal)), self._unit() as session:
                yield None, session
        else:
            with self._unit() as session:
                yield expected, session

    def _plan(self, request: MoveRequest) -> int:
        with self._unit() as session:
            [move] = self.ground.plan(session, request)
        self.model.plan(planned(move))
        return move.id

    def _move_now(self, requests: Sequence[MoveRequest]) -> None:
        """Planned in a transaction of its own, so that a refusal leaves the plan behind, which is then cancelled."""
        ids = [self._plan(request) for request in requests]
        self._post([Wish(m, self.model.moves[m].quantity) for m in ids])
        for move_id in ids:
            if self.model.moves[move_id].state == "planned":
                with self._unit() as session:
                    ledger.cancel(session, [move_id], reason="not so", actor=self.ground.clerk)
                self.model.cancel(move_id)

    def _post(self, wishes: list[Wish], *, fill: Sequence[int] = ()) -> None:
        postings = [
            Posting(
                move_id=w.move,
                quantity=w.quantity,
                source_id=w.source,
                destination_id=w.destination,
                lot_id=w.lot,
            )
            for w in wishes
        ]
        with self._same_refusal(lambda: self.model.post(wishes)) as (facts, session):
            result = ledger.post(session, postings, **self._how())
            assert facts is not None
            self._posted(wishes, facts, result)
            if fill:
                expected = self.model.waiting(fill)
                shares = self.model.reserve([m.id for m in expected], all_or_nothing=False)
                real = reservations.fill_backorders(session, item_ids=fill, site_id=self.ground.site_id)
                self._promised([m.id for m in expected], shares, real)

    def _posted(self, wishes: list[Wish], facts: list[tuple[Planned, bool]], result: PostResult) -> None:
        for wish, (fact, whole), real in zip(wishes, facts, result.posted, strict=True):
            fact.id = real.id
            assert (real.id == wish.move) == whole
            self.model.posted(fact, of=wish.move, whole=whole)
        following = {leg.previous_id: leg.id for leg in result.planned_next}
        for fact, _ in facts:
            if fact.onward:
                self.model.next_leg(fact, following.pop(fact.id))
        assert not following
        before = set(self.model.promises)
        self.model.give_way([fact for fact, _ in facts])
        assert {gone.move_id for gone in result.unreserved} == before - set(self.model.promises)

    def _reserve(self, move_ids: list[int], shortage: Shortage) -> None:
        def expect() -> list[tuple[int, int]]:
            return self.model.reserve(move_ids, all_or_nothing=shortage is Shortage.REFUSE)

        with self._same_refusal(expect) as (shares, session):
            real = reservations.reserve(session, move_ids, shortage=shortage)
            self._promised(move_ids, shares, real)

    def _promised(self, move_ids: list[int], shares: list[tuple[int, int]], real: list[Outcome]) -> None:
        assert [(o.move_id, o.reserved, o.waiting) for o in real] == [
            (move_id, *share) for move_id, share in zip(move_ids, shares, strict=True)
        ]
        self.model.promised([(o.move_id, o.reserved, o.waiting, o.reserved_move_id) for o in real])

    def _allocate(self, move_ids: list[int]) -> None:
        with self._unit() as session:
            results = allocation.allocate(session, move_ids, today=self.today)
        for move_id, result in zip(move_ids, results, strict=True):
            picks, short = self.model.bins_for(move_id, today=self.today)
            assert (len(result.pick_ids), result.short) == (len(picks), short)
            parent = self.model.moves[move_id]
            for pick_id, (place, lot, quantity) in zip(result.pick_ids, picks, strict=True):
                child = parent if pick_id == move_id else replace(parent, id=pick_id)
                child.source, child.lot, child.quantity, child.allocated = place, lot, quantity, True
                self.model.moves[pick_id] = child
            if short:
                parent.quantity = short
        for result in results:
            self.model.promises.update(dict.fromkeys(result.pick_ids))


def planned(move: Move) -> Planned:
    """This function will read a move the way the model keeps it."""
    return Planned(
        id=move.id,
        item=move.item_id,
        source=move.source_id,
        destination=move.destination_id,
        quantity=move.quantity,
        due=move.due_date,
        onward=tuple(move.onward),
        lot=move.lot_id,
        over=move.over_quantity,
    )


def rows_of(session: Session, items: tuple[int, int]) -> dict[str, Any]:
    """This function will read what the database says of the items."""
    balance_rows = session.execute(sa.select(StockBalance.__table__).where(StockBalance.item_id.in_(items))).all()
    pool_rows = session.execute(sa.select(StockPool.__table__).where(StockPool.item_id.in_(items))).all()
    promise_rows = session.execute(
        sa.select(Reservation.move_id, Reservation.quantity)
        .where(Reservation.item_id.in_(items))
        .order_by(Reservation.id)
    )
    move_rows = session.execute(sa.select(StockMove.__table__).where(StockMove.item_id.in_(items)))
    return {
        "there": {(r.item_id, r.location_id, r.lot_id): r.on_hand for r in balance_rows if r.on_hand},
        "aside": {(r.item_id, r.location_id, r.lot_id): r.allocated for r in balance_rows if r.allocated},
        "pools": {r.item_id: (r.on_hand, r.reserved) for r in pool_rows},
        "promises": {r.move_id: r.quantity for r in promise_rows},
        "moves": {
            r.id: (
                r.state.value,
                r.quantity,
                r.source_id,
                r.destination_id,
                r.lot_id,
                r.allocated and r.state is moves.MoveState.PLANNED,
            )
            for r in move_rows
        },
    }


def check_books(session: Session, items: tuple[int, int]) -> None:
    """This function will prove, from the database alone, what must hold whatever happened before."""
    posted = sa.and_(StockMove.state == moves.MoveState.POSTED, StockMove.item_id.in_(items))
    key = (StockMove.item_id, StockMove.lot_id, StockMove.owner_id)
    flows = [
        sa.select(*key, StockMove.destination_id.label("place"), StockMove.quantity.label("quantity")).where(posted),
        sa.select(*key, StockMove.source_id.label("place"), (-StockMove.quantity).label("quantity")).where(posted),
    ]
    flow = sa.union_all(*flows).subquery()
    sums = session.execute(
        sa.select(flow.c.item_id, flow.c.place, flow.c.lot_id, flow.c.owner_id, sa.func.sum(flow.c.quantity)).group_by(
            flow.c.item_id, flow.c.place, flow.c.lot_id, flow.c.owner_id
        )
    ).all()
    assert sum(int(row[-1]) for row in sums) == 0
    kinds = {row.id: row.kind for row in session.execute(sa.select(Location.id, Location.kind))}
    from_moves = {tuple(row[:-1]): int(row[-1]) for row in sums if kinds[row[1]] in PHYSICAL and row[-1]}
    balance_rows = session.execute(sa.select(StockBalance.__table__).where(StockBalance.item_id.in_(items)))
    balances = {(r.item_id, r.location_id, r.lot_id, r.owner_id): r.on_hand for r in balance_rows if r.on_hand}
    assert from_moves == balances


@pytest.mark.parametrize("steps", [25, pytest.param(60, marks=pytest.mark.soak)])
def test_the_verbs_do_what_the_plain_model_does(database: Database, steps: int) -> None:
    with database.unit_of_work(write=True) as session:
        StockMachine.ground = grounds.prepare(session)
    StockMachine.database = database
    run_state_machine_as_test(
        StockMachine,
        settings=settings(
            stateful_step_count=steps,
            max_examples=600 if SOAK else 20,
            suppress_health_check=list(HealthCheck),
            phases=PHASES,
        ),
    )
