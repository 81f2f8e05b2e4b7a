"""Posting, reversing and cancelling: what is refused, and that a refusal leaves everything as it was."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from scm.core.db import Database
from scm.core.errors import ScmError
from scm.master.locations import LocationKind
from scm.stock import allocation, holds, ledger, lots, reservations
from scm.stock.ledger import Posting
from scm.stock.lots import HoldReason
from scm.stock.moves import Move, MoveState, StockMove
from scm.stock.reservations import Reservation, Shortage
from tests.stock import ground as grounds
from tests.stock.ground import NOW, TODAY, Ground


@pytest.fixture
def ground(database: Database) -> Ground:
    with database.unit_of_work(write=True) as session:
        return grounds.prepare(session)


def stocked(database: Database, ground: Ground, quantity: int, **where: int) -> None:
    with database.unit_of_work(write=True) as session:
        ground.move_now(session, ground.found(quantity, **where))


def sold(database: Database, ground: Ground, quantity: int, *, line: int = 1) -> Move:
    """This function will plan and promise one order line."""
    with database.unit_of_work(write=True) as session:
        [move] = ground.plan(session, ground.outbound(quantity, line=line))
        [outcome] = reservations.reserve(session, [move.id], shortage=Shortage.REFUSE)
        assert outcome.reserved == quantity
    return move


def picked(database: Database, ground: Ground, move: Move) -> ledger.PostResult:
    """This function will allocate and pick a promised line from one bin."""
    with database.unit_of_work(write=True) as session:
        [result] = allocation.allocate(session, [move.id], today=TODAY)
    with database.unit_of_work(write=True) as session:
        return ledger.post(session, [Posting(move_id=pick_id) for pick_id in result.pick_ids], **ground.how)


def test_one_line_can_be_received_in_two_lots_at_once(database: Database, ground: Ground) -> None:
    with database.unit_of_work(write=True) as session:
        [move] = ground.plan(session, ground.inbound(100, over=5))
        lot_ids = [lots.find_or_create(session, item_id=ground.bolt, code=code) for code in ("A", "B")]
    with database.unit_of_work(write=True) as session:
        result = ledger.post(
            session,
            [
                Posting(move_id=move.id, quantity=quantity, lot_id=lot)
                for quantity, lot in zip((30, 60), lot_ids, strict=True)
            ],
            **ground.how,
        )
        assert [(leg.lot_id, leg.quantity) for leg in result.planned_next] == list(zip(lot_ids, (30, 60), strict=True))
    with database.unit_of_work(write=True) as session:
        with pytest.raises(ledger.TooMuch, match="16 is more than the 10 still planned and the 5 tolerated"):
            ledger.post(session, [Posting(move_id=move.id, quantity=16)], **ground.how)
        ledger.post(session, [Posting(move_id=move.id, quantity=15, lot_id=lot_ids[0])], **ground.how)
        assert grounds.on_hand(session, ground.at(LocationKind.DOCK), item=ground.bolt) == 105
    with database.unit_of_work(write=True) as session, pytest.raises(ledger.TooMuch, match="31 is more than the 30"):
        leg = result.planned_next[0].id
        ledger.post(session, [Posting(move_id=leg, quantity=31, destination_id=ground.bin_ids[0])], **ground.how)


def test_a_posted_line_cannot_be_named_again_in_the_same_call(database: Database, ground: Ground) -> None:
    with database.unit_of_work(write=True) as session:
        [move] = ground.plan(session, ground.inbound(10, over=5))
        with pytest.raises(ledger.NotPlanned):
            ledger.post(session, [Posting(move_id=move.id), Posting(move_id=move.id, quantity=1)], **ground.how)
        assert ledger.post(session, [Posting(move_id=move.id)], **ground.how).posted[0].quantity == 10


@pytest.mark.parametrize("quantity", [0, -1, True, 1.0])
def test_only_whole_quantities_above_zero_move(database: Database, ground: Ground, quantity: int) -> None:
    with database.unit_of_work(write=True) as session:
        with pytest.raises(ledger.BadQuantity):
            ground.plan(session, ground.inbound(quantity))
        [move] = ground.plan(session, ground.inbound(2))
        with pytest.raises(ledger.BadQuantity):
            ledger.post(session, [Posting(move_id=move.id, quantity=quantity)], **ground.how)


def test_goods_stay_in_kind_of_place_site_and_lot(database: Database, ground: Ground) -> None:
    with database.unit_of_work(write=True) as session:
        [inward, outward] = ground.plan(session, ground.inbound(5), ground.outbound(5))
        lot = lots.find_or_create(session, item_id=ground.bolt, code="A")
        staging = ground.at(LocationKind.STAGING)
        wrong = {
            "an area": Posting(move_id=outward.id),
            "to itself": Posting(move_id=inward.id, destination_id=ground.at(LocationKind.SUPPLIER)),
            "is none of it": Posting(move_id=outward.id, source_id=ground.at(LocationKind.QUARANTINE)),
            "only a receipt names a lot": Posting(move_id=outward.id, source_id=ground.bin_ids[0], lot_id=lot),
        }
        for words, posting in wrong.items():
            with pytest.raises(ledger.CannotPost, match=words):
                ledger.post(session, [posting], **ground.how)
        with pytest.raises(ledger.NotEnoughStock, match="0 are on hand"):
            ledger.post(session, [Posting(move_id=outward.id, source_id=ground.bin_ids[0])], **ground.how)
        assert grounds.on_hand(session, staging, item=ground.bolt) == 0


def test_a_refused_reservation_counts_nothing_for_the_next(database: Database, ground: Ground) -> None:
    stocked(database, ground, 5)
    with database.unit_of_work(write=True) as session:
        [first, second] = ground.plan(session, ground.outbound(3), ground.outbound(3, line=2))
        with pytest.raises(reservations.NotEnoughToPromise, match=r"needs 3 .*, 2 are free"):
            reservations.reserve(session, [first.id, second.id], shortage=Shortage.REFUSE)
        outcomes = reservations.reserve(session, [first.id, second.id, second.id], shortage=Shortage.SPLIT)
        assert [(o.reserved, o.waiting) for o in outcomes] == [(3, 0), (2, 1)]
        assert reservations.reserve(session, [first.id], shortage=Shortage.REFUSE)[0].reserved == 3
    with database.unit_of_work(write=False) as session:
        assert grounds.pool(session, ground) == (5, 5)
        assert session.scalar(sa.select(sa.func.sum(Reservation.quantity))) == 5


def test_goods_promised_to_others_are_not_picked_without_a_promise(database: Database, ground: Ground) -> None:
    stocked(database, ground, 5)
    sold(database, ground, 4)
    with database.unit_of_work(write=True) as session:
        [waiting] = ground.plan(session, ground.outbound(2, line=2))
        with pytest.raises(ledger.StockSetAside, match="2 of them were not promised"):
            ledger.post(session, [Posting(move_id=waiting.id, source_id=ground.bin_ids[0])], **ground.how)
        ledger.post(session, [Posting(move_id=waiting.id, quantity=1, source_id=ground.bin_ids[0])], **ground.how)
        assert grounds.pool(session, ground) == (4, 4)


def test_lost_goods_take_back_the_newest_promise_and_say_so(database: Database, ground: Ground) -> None:
    stocked(database, ground, 10)
    older, newer = sold(database, ground, 6), sold(database, ground, 4, line=2)
    with database.unit_of_work(write=True) as session:
        allocation.allocate(session, [older.id, newer.id], today=TODAY)
    with database.unit_of_work(write=True) as session:
        result = ground.move_now(session, ground.lost(3))
        assert [(gone.move_id, gone.quantity) for gone in result.unreserved] == [(newer.id, 4)]
        assert grounds.pool(session, ground) == (7, 6)
    with database.unit_of_work(write=False) as session:
        assert reservations.waiting_moves(session, item_ids=[ground.bolt], site_id=ground.site_id) == [newer.id]


def test_first_expired_goes_out_first_and_expired_or_held_goods_never(database: Database, ground: Ground) -> None:
    days = {"none": None, "old": 9, "soon": 2, "gone": -1, "held": 1}
    with database.unit_of_work(write=True) as session:
        lot_of = {
            code: lots.find_or_create(
                session,
                item_id=ground.bolt,
                code=code,
                expiry_date=None if left is None else TODAY + timedelta(days=left),
            )
            for code, left in days.items()
        }
        ground.move_now(session, *[ground.found(2, lot=lot) for lot in lot_of.values()])
    with database.unit_of_work(write=True) as session:
        holds.place(session, lot_ids=[lot_of["held"]], reason=HoldReason.RECALL, actor=ground.clerk, now=NOW)
    move = sold(database, ground, 7)
    with database.unit_of_work(write=True) as session:
        [result] = allocation.allocate(session, [move.id], today=TODAY)
        picks = [session.get_one(StockMove, pick_id) for pick_id in result.pick_ids]
        expected = [(lot_of[code], 2) for code in ("soon", "old", "none")]
        assert [(pick.lot_id, pick.quantity) for pick in picks] == expected
        assert result.short == 1


def test_the_newest_pick_gives_way_when_a_bin_holds_less(database: Database, ground: Ground) -> None:
    stocked(database, ground, 6)
    stocked(database, ground, 3, bin_id=ground.bin_ids[1])
    older, newer = sold(database, ground, 4), sold(database, ground, 2, line=2)
    with database.unit_of_work(write=True) as session:
        allocation.allocate(session, [older.id, newer.id], today=TODAY)
    with database.unit_of_work(write=True) as session:
        assert ground.move_now(session, ground.lost(1)).unreserved == ()
        [kept, returned] = [session.get_one(StockMove, move.id) for move in (older, newer)]
        assert (kept.allocated, kept.source_id) == (True, ground.bin_ids[0])
        assert (returned.allocated, returned.source_id) == (False, ground.area_id)
    with database.unit_of_work(write=True) as session:
        [again] = allocation.allocate(session, [newer.id], today=TODAY)
        assert (len(again.pick_ids), again.short) == (2, 0)  # one unit is left in the first bin


def test_a_short_pick_and_the_loss_behind_it_can_be_one_posting(database: Database, ground: Ground) -> None:
    """The picker finds 2 of 5 and reports the other 3 missing: what is left of the pick waits for another bin."""
    stocked(database, ground, 5)
    move = sold(database, ground, 5)
    with database.unit_of_work(write=True) as session:
        allocation.allocate(session, [move.id], today=TODAY)
        [loss] = ground.plan(session, ground.lost(3))
    with database.unit_of_work(write=True) as session:
        result = ledger.post(session, [Posting(move_id=move.id, quantity=2), Posting(move_id=loss.id)], **ground.how)
        assert [(gone.move_id, gone.quantity) for gone in result.unreserved] == [(move.id, 3)]
        assert grounds.pool(session, ground) == (0, 0)
    with database.unit_of_work(write=False) as session:
        rest = session.get_one(StockMove, move.id)
        assert (rest.state, rest.quantity, rest.source_id, rest.allocated) == (
            MoveState.PLANNED,
            3,
            ground.area_id,
            False,
        )


def test_a_move_is_reversed_once_and_from_the_last_leg_back(database: Database, ground: Ground) -> None:
    stocked(database, ground, 5)
    result = picked(database, ground, sold(database, ground, 5))
    [pick], [ship] = result.posted, result.planned_next
    with database.unit_of_work(write=True) as session:
        ledger.post(session, [Posting(move_id=ship.id, quantity=2)], **ground.how)
    shipped_id = 0
    with database.unit_of_work(write=True) as session:
        with pytest.raises(ledger.CannotReverse, match="reverse that one first"):
            ledger.reverse(session, [pick.id], reason="wrong", **ground.how)
        shipped_id = session.scalars(
            sa.select(StockMove.id).where(StockMove.origin_id == ship.id, StockMove.state == MoveState.POSTED)
        ).one()
        ledger.reverse(session, [shipped_id], reason="the van came back", **ground.how)
    with database.unit_of_work(write=True) as session:
        [mirror] = ledger.reverse(session, [pick.id, pick.id], reason="wrong", **ground.how).posted
        assert (mirror.source_id, mirror.destination_id, mirror.quantity) == (
            pick.destination_id,
            pick.source_id,
            5,
        )
        assert session.get_one(StockMove, ship.id).state is MoveState.CANCELLED
        assert grounds.pool(session, ground) == (5, 0)
    with database.unit_of_work(write=True) as session:
        for move_id, words in (
            (pick.id, "was reversed before"),
            (mirror.id, "itself a reversal"),
            (ship.id, "is cancelled"),
        ):
            with pytest.raises(ledger.CannotReverse, match=words):
                ledger.reverse(session, [move_id], reason="again", **ground.how)


def test_a_reversal_needs_the_goods_where_they_were_put(database: Database, ground: Ground) -> None:
    with database.unit_of_work(write=True) as session:
        result = ground.move_now(session, ground.found(5))
    with database.unit_of_work(write=True) as session:
        ground.move_now(session, ground.lost(1))
    with database.unit_of_work(write=True) as session:
        with pytest.raises(ledger.NotEnoughStock):
            ledger.reverse(session, [result.posted[0].id], reason="miscounted", **ground.how)
        assert grounds.pool(session, ground) == (4, 0)


def test_goods_held_on_the_dock_can_be_put_away_while_others_wait(database: Database, ground: Ground) -> None:
    with database.unit_of_work(write=True) as session:
        [inward, _] = ground.plan(session, ground.inbound(5), ground.outbound(3))
        lot = lots.find_or_create(session, item_id=ground.bolt, code="A")
        [leg] = ledger.post(session, [Posting(move_id=inward.id, lot_id=lot)], **ground.how).planned_next
    with database.unit_of_work(write=True) as session:
        holds.place(session, lot_ids=[lot], reason=HoldReason.INSPECTION, actor=ground.clerk, now=NOW)
    with database.unit_of_work(write=True) as session:
        ledger.post(session, [Posting(move_id=leg.id, destination_id=ground.bin_ids[0])], **ground.how)
        [waits] = reservations.fill_backorders(session, item_ids=[ground.bolt], site_id=ground.site_id)
        assert (waits.reserved, waits.waiting) == (0, 3)
    with database.unit_of_work(write=True) as session:
        holds.release(session, lot_ids=[lot], reason=HoldReason.INSPECTION, actor=ground.clerk, now=NOW)
        [filled] = reservations.fill_backorders(session, item_ids=[ground.bolt], site_id=ground.site_id)
        assert (filled.reserved, filled.waiting) == (3, 0)


@pytest.mark.parametrize("many", [2, 40])
def test_verbs_are_set_based(database: Database, ground: Ground, many: int) -> None:
    """Two moves take as many statements as forty."""
    statements: list[str] = []
    sa.event.listen(database.engine, "after_cursor_execute", lambda *a: statements.append(a[2]))
    with database.unit_of_work(write=True) as session:
        ground.move_now(session, *[ground.found(5, bin_id=ground.bin_ids[n % 3]) for n in range(many)])
    with database.unit_of_work(write=True) as session:
        planned = ground.plan(session, *[ground.outbound(1, line=n + 1) for n in range(many)])
        reservations.reserve(session, [move.id for move in planned], shortage=Shortage.REFUSE)
    with database.unit_of_work(write=True) as session:
        allocated = allocation.allocate(session, [move.id for move in planned], today=TODAY)
    with database.unit_of_work(write=True) as session:
        postings = [Posting(move_id=pick_id) for result in allocated for pick_id in result.pick_ids]
        result = ledger.post(session, postings, **ground.how)
    with database.unit_of_work(write=True) as session:
        ledger.reverse(session, [fact.id for fact in result.posted], reason="again", **ground.how)
    known = STATEMENTS.setdefault(database.engine.dialect.name, len(statements))
    assert len(statements) == known
    with pytest.raises(ScmError), database.unit_of_work(write=True) as session:
        ledger.reverse(session, [result.posted[0].id], reason="again", **ground.how)


STATEMENTS: dict[str, int] = {}
