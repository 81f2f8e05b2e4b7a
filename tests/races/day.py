"""A busy day: what a process does when it takes any stock verb that comes to hand."""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import Conflict, ScmError
from scm.master.locations import LocationKind
from scm.stock import allocation, holds, ledger, reservations
from scm.stock.ledger import Posting
from scm.stock.lots import HoldReason
from scm.stock.moves import MoveState, StockMove
from scm.stock.reservations import Shortage
from tests.races.crew import Mate
from tests.stock.ground import NOW, TODAY, Ground


def do_anything(mate: Mate, ground: Ground, lot_ids: Sequence[int], steps: int, seed: int) -> Counter[str]:
    """This function will do one stock verb after the other to whatever moves there are, as a busy day does.

    Refusals of the domain are part of the day; anything else fails.
    """
    chance = random.Random(seed * 100 + mate.number)
    answers: Counter[str] = Counter()
    mate.meet()
    for _ in range(steps):
        verb = chance.choice(DAY)
        try:
            mate.database.run(functools.partial(verb, ground=ground, chance=chance, lot_ids=lot_ids))
            answers[f"{verb.__name__}: done"] += 1
        except ScmError as refusal:
            answers[f"{verb.__name__}: {type(refusal).__name__}"] += 1
    return answers


def _planned_from(session: Session, chance: random.Random, *sources: int, **columns: Any) -> int:
    """Any planned move from these places; raises when there is none, as a screen with an empty list would."""
    condition = [StockMove.state == MoveState.PLANNED, StockMove.source_id.in_(sources)]
    condition += [getattr(StockMove, name) == value for name, value in columns.items()]
    found = session.scalars(sa.select(StockMove.id).where(*condition)).all()
    if not found:
        raise Conflict("nothing to do")
    return chance.choice(found)


def sell(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    planned = ground.plan(s, *[ground.outbound(chance.randint(1, 3), line=n) for n in (1, 2)])
    reservations.reserve(s, [move.id for move in planned], shortage=Shortage.SPLIT)


def receive(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    [move] = ground.plan(s, ground.inbound(4))
    ledger.post(s, [Posting(move_id=move.id, lot_id=chance.choice(lot_ids))], **ground.how)


def put_away(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    move_id = _planned_from(s, chance, ground.at(LocationKind.DOCK))
    ledger.post(s, [Posting(move_id=move_id, destination_id=chance.choice(ground.bin_ids))], **ground.how)
    reservations.fill_backorders(s, item_ids=[ground.bolt], site_id=ground.site_id)


def release(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    wanted = {_planned_from(s, chance, ground.area_id) for _ in range(2)}
    allocation.allocate(s, sorted(reservations.quantities(s, wanted)), today=TODAY)


def pick(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    move_id = _planned_from(s, chance, *ground.bin_ids, allocated=True)
    ledger.post(s, [Posting(move_id=move_id, quantity=1)], **ground.how)


def cancel(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    found = _planned_from(s, chance, ground.area_id, *ground.bin_ids, document_kind="sales_order")
    ledger.cancel(s, [found], reason="changed their mind", actor=ground.clerk)


def lose(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    ground.move_now(s, ground.lost(2, bin_id=chance.choice(ground.bin_ids), lot=chance.choice(lot_ids)))


def find(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    ground.move_now(s, ground.found(3, bin_id=chance.choice(ground.bin_ids), lot=chance.choice(lot_ids)))


def hold(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    lot = chance.choice(lot_ids)
    holds.place(s, lot_ids=[lot], reason=HoldReason.RECALL, actor=ground.clerk, now=NOW)


def unhold(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    lot = chance.choice(lot_ids)
    holds.release(s, lot_ids=[lot], reason=HoldReason.RECALL, actor=ground.clerk, now=NOW)


def undo(s: Session, ground: Ground, chance: random.Random, lot_ids: Sequence[int]) -> None:
    posted = s.scalars(sa.select(StockMove.id).where(StockMove.state == MoveState.POSTED)).all()
    if not posted:
        raise Conflict("nothing to do")
    ledger.reverse(s, [chance.choice(posted)], reason="wrong", **ground.how)


DAY = (sell, sell, receive, put_away, put_away, release, release, pick, pick, cancel, lose, find, hold, unhold, undo)
