"""Two who look for exceptions at the same moment find each of them once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from scm.core.db import Database
from scm.loop.exceptions import looking, refresh
from scm.loop.exceptions.cases import ExceptionCase
from scm.loop.exceptions.findings import Kind
from scm.loop.exceptions.refresh import Refreshed
from tests.world import World

SECONDS = 1.0  # the guarded pair never meets: one waits for the other's commit


@pytest.fixture
def look(database: Database) -> Callable[[], Refreshed]:
    """A look by itself, at a company one of whose items is short."""
    with database.unit_of_work(write=True) as session:
        world = World(session)
        world.demand(world.item("bolt"), 5)
    site_id, system, now, today = world.setup.site_id, world.user("system"), world.now, world.today
    return lambda: database.run(
        lambda session: refresh.refresh(session, site_id=site_id, actor=system, now=now, today=today)
    )


def test_what_two_look_at_is_one_case(
    database: Database, look: Callable[[], Refreshed], monkeypatch: pytest.MonkeyPatch
) -> None:
    meet_after_looking(monkeypatch, seconds=SECONDS)
    assert sorted(found.opened for found in twice(look)) == [0, 1]
    with database.unit_of_work(write=False) as session:
        assert session.scalars(sa.select(ExceptionCase.kind)).all() == [Kind.STOCK_OUT]


# SQLite has one writer at a time, lock or no lock.
@pytest.mark.parametrize("backend", ["postgresql"])
def test_without_the_lock_the_second_trips_over_the_first(
    look: Callable[[], Refreshed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it shows that the two above really look together, and that the database refuses a second case."""
    meet_after_looking(monkeypatch, seconds=60)
    monkeypatch.setattr(refresh, "one_at_a_time", lambda session, *, site_id: None)
    with pytest.raises(sa.exc.IntegrityError, match="uq_exception_case_open"):
        twice(look)


def meet_after_looking(monkeypatch: pytest.MonkeyPatch, *, seconds: float) -> None:
    barrier, real_look = threading.Barrier(2), looking.look

    def seen(*arguments: Any, **options: Any) -> Any:
        found = real_look(*arguments, **options)
        try:
            barrier.wait(timeout=seconds)
        except threading.BrokenBarrierError:
            barrier.reset()
        return found

    monkeypatch.setattr(looking, "look", seen)


def twice(look: Callable[[], Refreshed]) -> list[Refreshed]:
    with ThreadPoolExecutor(2) as pool:
        return [run.result() for run in [pool.submit(look) for _ in range(2)]]
