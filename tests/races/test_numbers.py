"""Document numbers are unique, and those of invoices have no gaps: after rollbacks, and after kills."""

from __future__ import annotations

import random
import time

import pytest
import sqlalchemy as sa

from scm.core.db import Database
from scm.core.outbox import OutboxMessage
from tests.races import crew, office


def running(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-2026-{n:06d}" for n in range(1, count + 1)]


def test_numbers_are_unique_and_those_of_invoices_gapless_after_rollbacks(
    database: Database, database_url: str
) -> None:
    drawn = [n for numbers in crew.together(database_url, office.draw_numbers, count=6, args=(1, 9)) for n in numbers]
    invoices = sorted(number for number in drawn if number.startswith("INV-"))
    orders = [number for number in drawn if number.startswith("SO-")]
    assert invoices == running("INV", len(invoices))
    assert len(set(orders)) == len(orders) == 36
    [following] = crew.together(database_url, office.draw_numbers, count=1, args=(1, 2))
    assert following[-2:] == running("INV", len(invoices) + 2)[-2:]


@pytest.mark.parametrize("kills", [4, pytest.param(40, marks=pytest.mark.soak)])
def test_numbers_of_killed_processes_leave_no_gap(database: Database, database_url: str, kills: int) -> None:
    chance = random.Random(14)
    told: list[str] = []
    for _ in range(kills):
        with crew.alone(database_url, office.draw_and_tell, 1) as (process, ear):
            told.append(next(crew.told(ear)))
            time.sleep(chance.uniform(0, 0.05))
            crew.kill(process)
            told += crew.told(ear)
    with database.unit_of_work(write=False) as session:
        committed = session.scalars(sa.select(OutboxMessage.topic).order_by(OutboxMessage.id)).all()
    assert list(committed) == running("INV", len(committed))
    assert set(told) <= set(committed)
