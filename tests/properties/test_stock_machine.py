"""The stock verbs in any order, on a real database, against the plain model: after every step both say the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    precondition,
    rule,
    run_state_machine_as_test,
)

from scm.core.db import Database
from scm.master.locations import LocationKind
from scm.stock import allocation, holds, ledger
from scm.stock.lots import NO_LOT, HoldReason
from scm.stock.reservations import Shortage
from tests.conftest import SOAK
from tests.properties.stock_model import Wish
from tests.properties.stock_steps import PHASES, StockSteps, amounts, chance, differences, reasons
from tests.stock import ground as grounds
from tests.stock.ground import NOW, TODAY


class StockMachine(StockSteps):
    """Every verb in any order."""

    # Inbound

    @rule(cream=chance, quantity=amounts, over=st.integers(min_value=0, max_value=3))
    def order_from_the_supplier(self, cream: bool, quantity: int, over: int) -> None:
        self._plan(self.ground.inbound(quantity, item=self._item(cream), over=over, line=self._new_line()))

    @precondition(lambda self: self._open(LocationKind.SUPPLIER))
    @rule(data=st.data(), off=differences, first=st.none() | amounts)
    def receive(self, data: st.DataObject, off: int, first: int | None) -> None:
        """The same line may come in several lots at once; too much is refused."""
        move = data.draw(st.sampled_from(self._open(LocationKind.SUPPLIER)))
        of_item = self.cream_lots if move.item == self.cream else [NO_LOT]
        quantities = [move.quantity + off] if first is None else [first, move.quantity - first + off]
        self._post([Wish(move.id, q, lot=data.draw(st.sampled_from(of_item))) for q in quantities])

    @precondition(lambda self: self._open(LocationKind.DOCK))
    @rule(data=st.data(), off=differences)
    def put_away(self, data: st.DataObject, off: int) -> None:
        """Goods go to a bin (to the area itself is refused), and whoever waits is promised them."""
        move = data.draw(st.sampled_from(self._open(LocationKind.DOCK)))
        destination = data.draw(st.sampled_from([*self.ground.bin_ids, None]))
        self._post([Wish(move.id, move.quantity + off, destination=destination)], fill=[move.item])

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
        move_id = data.draw(st.sampled_from(self._ids("posted") or list(self.model.moves)))
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
        move_id = data.draw(st.sampled_from(self._ids("planned") or list(self.model.moves)))
        with self._same_refusal(lambda: self.model.cancel(move_id)) as (_, session):
            ledger.cancel(session, [move_id], reason="changed their mind", actor=self.ground.clerk)

    @rule(data=st.data(), reason=reasons)
    def hold(self, data: st.DataObject, reason: HoldReason) -> None:
        lot = data.draw(st.sampled_from(self.cream_lots))
        with self._unit() as session:
            holds.place(session, lot_ids=[lot], reason=reason, actor=self.ground.clerk, now=NOW)
        self.model.hold(lot, reason)

    @rule(data=st.data(), reason=reasons)
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


@pytest.mark.parametrize("steps", [40, pytest.param(60, marks=pytest.mark.soak)])
def test_the_verbs_do_what_the_plain_model_does(database: Database, steps: int) -> None:
    with database.unit_of_work(write=True) as session:
        StockMachine.ground = grounds.prepare(session)
    StockMachine.database = database
    run_state_machine_as_test(
        StockMachine,
        settings=settings(
            stateful_step_count=steps,
            max_examples=300 if SOAK else 12,
            suppress_health_check=list(HealthCheck),
            phases=PHASES,
        ),
    )
