"""Workers that run at once, are killed, or come back too late: the effect of each slot happens once."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from scm.core import clock, deliveries, jobs, outbox
from scm.core.db import Database
from scm.core.jobs import JobRun, RunState
from scm.core.outbox import OutboxMessage
from tests.races import crew, working
from tests.races.working import TICK, UTC_CALENDAR
from tests.world import World


def with_one_waiting(database: Database) -> None:
    with database.unit_of_work(write=True) as session:
        World(session)
        start = clock.wall_now()
        jobs.open_due(session, TICK, now=start, calendar=UTC_CALENDAR)
        jobs.open_due(session, TICK, now=start + timedelta(seconds=1), calendar=UTC_CALENDAR)


def effects(database: Database) -> Counter[str]:
    with database.unit_of_work(write=False) as session:
        return Counter(session.scalars(sa.select(OutboxMessage.topic)))


def states(database: Database) -> dict[str, RunState]:
    with database.unit_of_work(write=False) as session:
        rows = session.execute(sa.select(JobRun.scheduled_for, JobRun.state))
        return {row.scheduled_for: row.state for row in rows}


@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.soak)])
def test_two_workers_killed_in_turn_do_each_slot_once(database: Database, database_url: str, kills: int) -> None:
    with database.unit_of_work(write=True) as session:
        World(session)
        jobs.open_due(session, TICK, now=clock.wall_now(), calendar=UTC_CALENDAR)
    chance = random.Random(24)
    first = int(clock.wall_now().timestamp()) + 1
    with crew.alone(database_url, working.work_until_killed) as (keeper, _):
        for _ in range(kills):
            with crew.alone(database_url, working.work_until_killed) as (process, ear):
                next(crew.told(ear))
                time.sleep(chance.uniform(0.2, 1.2))
                crew.kill(process)
        crew.kill(keeper)
    last = int(clock.wall_now().timestamp())
    with crew.alone(database_url, working.work_until_killed):
        deadline = time.monotonic() + 60
        while len([state for state in states(database).values() if state is RunState.SUCCEEDED]) < last - first:
            assert time.monotonic() < deadline, states(database)
            time.sleep(0.1)
    done = effects(database)
    assert set(done.values()) == {1}
    # No slot of those seconds was skipped, though nobody led while the workers changed.
    assert len(done) >= last - first


def test_killed_after_the_effect_the_slot_is_not_done_again(database: Database, database_url: str) -> None:
    with_one_waiting(database)
    with crew.alone(database_url, working.die_between_effect_and_end) as (process, _):
        process.join(crew.LONGEST_SECONDS)
    [state] = states(database).values()
    assert state is RunState.SUCCEEDED
    assert list(effects(database).values()) == [1]


def test_killed_before_the_effect_the_slot_is_done_by_another(database: Database, database_url: str) -> None:
    with_one_waiting(database)
    with crew.alone(database_url, working.die_before_the_effect) as (process, _):
        process.join(crew.LONGEST_SECONDS)
    assert effects(database) == Counter()
    time.sleep(working.LEASE.total_seconds())
    with crew.alone(database_url, working.work_until_killed):
        deadline = time.monotonic() + 60
        while not effects(database):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_worker_that_was_thought_dead_comes_too_late(database: Database, database_url: str) -> None:
    with_one_waiting(database)
    answers = crew.together(database_url, working.come_back_late, count=2)
    assert answers == ["too late", "acted"]
    assert list(effects(database).values()) == [1]


def test_without_the_fence_it_has_its_effect_twice(database: Database, database_url: str) -> None:
    with_one_waiting(database)
    answers = crew.together(database_url, working.without_fence_come_back_late, count=2)
    assert answers == ["acted", "acted"]
    assert list(effects(database).values()) == [2]


def test_of_six_workers_one_takes_a_waiting_run(database: Database, database_url: str) -> None:
    with_one_waiting(database)
    taken = crew.together(database_url, working.take_at_once, count=6)
    assert len([run for run in taken if run is not None]) == 1


def test_six_that_look_at_once_open_each_slot_once(database: Database, database_url: str) -> None:
    with_one_waiting(database)
    later = clock.wall_now() + timedelta(seconds=20)
    opened = Counter(
        name for names in crew.together(database_url, working.open_at_once, count=6, args=(later,)) for name in names
    )
    assert len(opened) >= 18
    assert set(opened.values()) == {1}


def test_messages_arrive_though_their_senders_are_killed(database: Database, database_url: str, tmp_path: Path) -> None:
    keys = []
    for number in range(60):
        with database.unit_of_work(write=True) as session:
            keys.append(
                outbox.put(
                    session,
                    topic="t",
                    recipient="a@b.example",
                    document_kind="d",
                    document_id=number,
                    payload={"number": f"PO-{number}", "lines": []},
                    now=clock.wall_now(),
                )
            )
    chance, arrived = random.Random(23), list[str]()
    for _ in range(8):
        with crew.alone(database_url, working.deliver_until_killed, tmp_path / "out") as (process, ear):
            for told in crew.told(ear):
                arrived.append(told)
                if told == "all" or chance.random() < 0.15:
                    break
            crew.kill(process)
            arrived += crew.told(ear)
        # The claim of whoever was killed runs out.
        with database.unit_of_work(write=True) as session:
            session.execute(sa.update(OutboxMessage).values(claimed_until_at=None))
    working.deliver_all(database, tmp_path / "out", tell=arrived.append)
    assert set(arrived) - {"all"} == set(keys)
    assert {path.stem for path in (tmp_path / "out").glob("*.eml")} == set(keys)
    with database.unit_of_work(write=False) as session:
        assert deliveries.backlog(session).waiting == 0
