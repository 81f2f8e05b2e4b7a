"""Counting anew: a rejected count is followed by another of the same places, once."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import Conflict
from scm.core.users import Actor, Role
from warehouse import counting, counts
from warehouse.counts import CountState, CycleCount


class NotRejected(Conflict):
    """Only a rejected count is counted anew."""


class AlreadyRecounted(Conflict):
    """Another count of these places was planned before."""


def recount(session: Session, count_id: int, *, actor: Actor, now: datetime, today: date) -> int:
    """This function will plan another count of the places of a rejected one, and return its id.

    Raises `CountUnknown`, `NotRejected`, `AlreadyRecounted`.
    """
    actor.require(Role.WAREHOUSE)
    rejected = counts.lock(session, count_id)
    if rejected.state is not CountState.REJECTED:
        raise NotRejected(f"{rejected.number} is {rejected.state.value}: only a rejected count is counted anew")
    again = session.scalar(sa.select(CycleCount.number).where(CycleCount.recount_of_id == count_id))
    if again is not None:
        raise AlreadyRecounted(f"{rejected.number} is counted anew by {again}: count that one")
    new_id = counting.plan_count(session, counts.targets_of(session, count_id), actor=actor, now=now, today=today)
    session.execute(sa.update(CycleCount).where(CycleCount.id == new_id).values(recount_of_id=count_id))
    return new_id
