"""Every stock verb at once, by several processes, on the same goods: refusals happen, wrong books do not."""

from __future__ import annotations

from collections import Counter

import pytest

from scm.core.db import Database
from scm.stock import lots
from tests.races import crew, day
from tests.stock import ground as grounds
from tests.stock.books import check_books

LONG_DAYS = [pytest.param(500, seed, marks=pytest.mark.soak) for seed in range(2, 7)]


@pytest.mark.parametrize(("steps", "seed"), [(60, 1), *LONG_DAYS])
def test_the_books_are_right_after_a_busy_day(database: Database, database_url: str, steps: int, seed: int) -> None:
    with database.unit_of_work(write=True) as session:
        ground = grounds.prepare(session, items=1)
        codes = [lots.find_or_create(session, item_id=ground.bolt, code=code) for code in ("A", "B")]
        ground.move_now(session, *[ground.found(20, lot=lot) for lot in codes])
    answers = crew.together(database_url, day.do_anything, count=4, args=(ground, codes, steps, seed))
    done: Counter[str] = sum(answers, Counter())
    check_books(database)
    verbs = {verb.__name__ for verb in day.DAY}
    assert {name for verb in verbs if done[name := f"{verb}: done"]} == {f"{verb}: done" for verb in verbs}
