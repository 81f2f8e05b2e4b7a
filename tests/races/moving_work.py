"""What the processes of a crew do to transfers at the same moment. Each function is given its `Mate` first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from unittest import mock

from sqlalchemy.orm import Session

from scm.core import db
from scm.core.users import Actor
from scm.stock import balances
from tests.races.crew import Mate
from tests.races.work import no_begin, read_without_lock
from warehouse import transfers


@dataclass(frozen=True, kw_only=True)
class Lorry:
    """Who works on which transfers, and when."""

    transfer_ids: tuple[int, ...]
    actor: Actor
    now: datetime
    today: date


def release_its_own(mate: Mate, lorry: Lorry) -> bool:
    """This function will release the mate's own transfer when all have come."""
    mate.meet()
    return mate.database.run(lambda session: _release(session, lorry, lorry.transfer_ids[mate.number]))


def without_locks_release_its_own(mate: Mate, lorry: Lorry) -> bool:
    """This function will do the same with the lock on stock taken out: all have read before anybody writes."""
    with (
        mock.patch.object(balances, "_select_for_update", read_without_lock(mate)),
        mock.patch.object(db, "_begin_sqlite", no_begin),
    ):
        database = db.Database(mate.database.url.render_as_string(hide_password=False))
        with database.unit_of_work(write=True) as session:
            done = _release(session, lorry, lorry.transfer_ids[mate.number])
        database.dispose()
    return done


def receive(mate: Mate, lorry: Lorry) -> int:
    """This function will receive all of the same transfer as the others, and give the units."""
    mate.meet()
    return mate.database.run(lambda session: _receive(session, lorry))


def _release(session: Session, lorry: Lorry, transfer_id: int) -> bool:
    return bool(transfers.release(session, transfer_id, actor=lorry.actor))


def _receive(session: Session, lorry: Lorry) -> int:
    moved = transfers.receive(session, lorry.transfer_ids[0], actor=lorry.actor, now=lorry.now, today=lorry.today)
    return sum(move.quantity for move in moved)
