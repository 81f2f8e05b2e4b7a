"""How the state machine makes a step: the model goes first, then the real verb, and both must agree."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
)
from sqlalchemy.orm import Session

from scm.core.db import Database
from scm.core.errors import ScmError
from scm.master.items import Item
from scm.master.locations import PHYSICAL, LocationKind
from scm.stock import allocation, ledger, lots, moves, reservations
from scm.stock.balances import StockBalance, StockPool
from scm.stock.ledger import MoveRequest, Posting, PostResult
from scm.stock.lots import NO_LOT, HoldReason
from scm.stock.moves import Move, StockMove
from scm.stock.reservations import Outcome, Reservation, Shortage
from tests.conftest import SOAK
from tests.properties.stock_model import Model, Planned, Wish
from tests.stock.books import check_items
from tests.stock.ground import NOW, TODAY, Ground

amounts = st.integers(min_value=1, max_value=12)
chance = st.booleans()
differences = st.sampled_from([0, 0, 0, -1, 1, -3, 3])  # between what was planned and what is said to have happened
# A failing story is as short as hypothesis can tell it only in the long runs: shortening takes minutes.
PHASES = tuple(phase for phase in Phase if SOAK or phase is not Phase.shrink)
reasons = st.sampled_from([HoldReason.INSPECTION, HoldReason.RECALL])


class StockSteps(RuleBasedStateMachine):
    """One company; every example counts two items of its own: loose bolts, and a cream in three lots."""

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
        self._open_the_shop()

    def _open_the_shop(self) -> None:
        """Every example begins with goods in two bins and promises on them, or most of its steps would find nothing."""
        first, second = self.ground.bin_ids[:2]
        self._move_now([self.ground.found(9, item=self.bolt, bin_id=first)])
        self._move_now([self.ground.found(6, item=self.bolt, bin_id=second)])
        for lot, place in zip(self.cream_lots, (second, first, first), strict=True):
            self._move_now([self.ground.found(4, item=self.cream, bin_id=place, lot=lot)])
        for item, quantities in ((self.bolt, (5, 6, 3)), (self.cream, (5, 4))):
            for quantity in quantities:
                self._reserve([self._plan(self.ground.outbound(quantity, item=item))], Shortage.SPLIT)

    # After every step

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "model"):
            return
        items = (self.bolt, self.cream)
        with self.database.unit_of_work(write=False) as session:
            found = rows_of(session, items)
            check_items(session, items)
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

    def _ids(self, state: str) -> list[int]:
        """Mostly the moves for which a verb is meant; now and then any move, so that it is refused."""
        return [m.id for m in self.model.moves.values() if m.state == state] if len(self.model.moves) % 4 else []

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
