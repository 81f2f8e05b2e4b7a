"""Which workers run, and which of them opens the slots: each says regularly that it is alive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from scm.core import types
from scm.core.db import Base, dialect_insert, table_of

FORGOTTEN_AFTER = timedelta(days=7)


class WorkerBeat(Base):
    """One worker process, by a name that no other has."""

    __tablename__ = "worker_beat"

    worker: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(types.UtcDateTime)
    leads: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True, kw_only=True)
class WorkerState:
    """A worker as the health page shows it."""

    worker: str
    started_at: datetime
    seen_at: datetime
    leads: bool


def beat(session: Session, *, worker: str, started_at: datetime, leads: bool, now: datetime) -> None:
    """This function will say that a worker is alive, and forget those that have long been silent."""
    insert = dialect_insert(session, table_of(WorkerBeat)).values(
        worker=worker, started_at=started_at, seen_at=now, leads=leads
    )
    session.execute(
        insert.on_conflict_do_update(index_elements=[WorkerBeat.worker], set_={"seen_at": now, "leads": leads})
    )
    session.execute(sa.delete(WorkerBeat).where(WorkerBeat.seen_at < now - FORGOTTEN_AFTER))


def leave(session: Session, *, worker: str) -> None:
    """This function will strike a worker off that ends as it should."""
    session.execute(sa.delete(WorkerBeat).where(WorkerBeat.worker == worker))


def alive(session: Session) -> tuple[WorkerState, ...]:
    """This function will read the workers, the one last heard of first."""
    rows = session.scalars(sa.select(WorkerBeat).order_by(WorkerBeat.seen_at.desc()))
    return tuple(
        WorkerState(worker=row.worker, started_at=row.started_at, seen_at=row.seen_at, leads=row.leads) for row in rows
    )
