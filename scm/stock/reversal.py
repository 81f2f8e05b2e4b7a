"""The mirror of a posted move: which moves may be reversed, and what the mirror looks like.

It decides and writes nothing; `scm.stock.ledger.reverse` posts the mirrors.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import Conflict
from scm.stock import moves
from scm.stock.moves import Move, MoveState, StockMove


class CannotReverse(Conflict):
    """A move is not posted, is reversed already, or something was posted on top of it."""


def legs_after(session: Session, facts: Sequence[Move]) -> list[Move]:
    """This function will lock the legs that were planned when these moves were posted, and read them."""
    ids = session.scalars(sa.select(StockMove.id).where(StockMove.previous_id.in_([fact.id for fact in facts])))
    return moves.lock(session, ids)


def refuse_unless_reversible(session: Session, facts: Sequence[Move], following: Sequence[Move]) -> None:
    """This function will refuse moves that cannot be undone (yet). The caller has locked them. Raises
    `CannotReverse`."""
    reversed_before = _reversed(session, [*facts, *following])
    for fact in facts:
        if fact.state is not MoveState.POSTED:
            raise CannotReverse(
                f"{fact.label} is {fact.state.value}: only posted moves are reversed, cancel it instead"
            )
        if fact.reverses_id is not None:
            raise CannotReverse(f"{fact.label} is itself a reversal: post the move again instead")
        if fact.id in reversed_before:
            raise CannotReverse(f"{fact.label} was reversed before: nothing of it is left to undo")
    for leg in following:
        if leg.state is MoveState.POSTED and leg.id not in reversed_before:
            raise CannotReverse(f"move {leg.previous_id} was followed by {leg.label}: reverse that one first")


def mirror(fact: Move, *, reason: str, now: datetime, today: date) -> Move:
    """This function will make the move that takes the goods back to where they came from."""
    back = copy.copy(fact)
    back.id = 0
    back.source_id, back.destination_id = fact.destination_id, fact.source_id
    back.onward, back.reverses_id, back.origin_id, back.previous_id = [], fact.id, None, None
    back.cost_of_id, back.allocated, back.reason = None, False, reason
    back.posted_at, back.posted_date = now, today
    return back


def _reversed(session: Session, facts: Iterable[Move]) -> set[int]:
    """Read after the moves are locked, so that two who reverse the same move cannot both find it whole."""
    ids = [fact.id for fact in facts]
    return {
        int(i) for i in session.scalars(sa.select(StockMove.reverses_id).where(StockMove.reverses_id.in_(ids))) if i
    }
