"""What every player of the world is given: the database, the company's places and people, the world's habits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from scm.core import clock, idempotency
from scm.core.db import Database
from scm.core.users import Actor
from scm.loop.world.temper import Temper
from scm.master.setup import Setup

T = TypeVar("T")
PRINCIPAL = "world"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One company on which the world acts."""

    database: Database
    setup: Setup
    temper: Temper

    def act(self, work: Callable[[Session], T]) -> T:
        """This function will run one command in a transaction of its own, as a request would."""
        return self.database.run(work)

    def act_once(self, name: str, work: Callable[[Session], object]) -> None:
        """This function will run one command, unless it was run under this name before."""

        def worked(session: Session) -> None:
            work(session)

        self._once(name, worked)

    def look_once(self, name: str, work: Callable[[Session], Any]) -> Any:
        """This function will read a JSON value, and give the same again whenever it is asked by this name."""
        return self._once(name, work)

    def _once(self, name: str, worked: Callable[[Session], Any]) -> Any:
        return idempotency.run_once(
            self.database,
            principal=PRINCIPAL,
            command="morning",
            key=name,
            body={"name": name},
            now=clock.wall_now(),  # keys are forgotten by the wall clock
            work=worked,
        ).value

    def look(self, work: Callable[[Session], T]) -> T:
        """This function will read."""
        with self.database.unit_of_work(write=False) as session:
            return work(session)

    def person(self, name: str) -> Actor:
        """This function will give one of the company's default users."""
        return self.setup.users[name]

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        """This function will give the instant of a time of day at the company's place."""
        return datetime.combine(day, time(hour, minute), tzinfo=ZoneInfo(self.setup.zone)).astimezone(UTC)
