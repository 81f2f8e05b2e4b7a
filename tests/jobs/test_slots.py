"""Which slots are due: neither the seasons, nor the months' ends, nor a clock set back skip or repeat one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scm.core import job_slots
from scm.core.job_slots import Calendar, CatchUp, Daily, Every, JobRule

LONDON = Calendar(zone="Europe/London")
NEW_YORK = Calendar(zone="America/New_York")


def daily(at: time, catch_up: CatchUp = CatchUp.ALL, days_back: int = 0) -> JobRule:
    return JobRule(name="job", timing=Daily(at=at, days_back=days_back), catch_up=catch_up)


def every(seconds: int, catch_up: CatchUp) -> JobRule:
    return JobRule(name="job", timing=Every(seconds=seconds), catch_up=catch_up)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def names(rule: JobRule, since: str, now: str, calendar: Calendar = LONDON) -> list[str]:
    return [slot.name for slot in job_slots.due(rule, since=utc(since), now=utc(now), calendar=calendar)]


def test_the_hour_that_comes_twice_has_one_slot() -> None:
    rule = daily(time(1, 30))
    slots = job_slots.due(rule, since=utc("2026-10-31T12:00"), now=utc("2026-11-02T12:00"), calendar=NEW_YORK)
    assert [(slot.name, slot.due_at) for slot in slots] == [
        ("2026-11-01", utc("2026-11-01T05:30")),
        ("2026-11-02", utc("2026-11-02T06:30")),
    ]


def test_the_hour_that_does_not_come_has_its_slot_just_after() -> None:
    rule = daily(time(1, 30))
    slots = job_slots.due(rule, since=utc("2026-03-28T12:00"), now=utc("2026-03-30T12:00"), calendar=LONDON)
    assert [slot.name for slot in slots] == ["2026-03-29", "2026-03-30"]
    assert slots[0].due_at == utc("2026-03-29T01:30")


def test_the_end_of_february_has_its_slots() -> None:
    assert names(daily(time(1, 30), days_back=1), "2024-02-28T12:00", "2024-03-02T12:00") == [
        "2024-02-28",
        "2024-02-29",
        "2024-03-01",
    ]


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        (CatchUp.ALL, ["2026-05-02", "2026-05-03", "2026-05-04"]),
        (CatchUp.LATEST, ["2026-05-04"]),
        (CatchUp.NONE, []),
    ],
)
def test_downtime_is_caught_up_by_the_rule(catch_up: CatchUp, expected: list[str]) -> None:
    rule = JobRule(name="job", timing=Daily(at=time(0, 30)), catch_up=catch_up, grace=timedelta(hours=1))
    # Half a day late is within half a period, so whoever catches nothing up must be later than that.
    assert names(rule, "2026-05-01T12:00", "2026-05-04T20:00") == expected


def test_what_has_just_come_runs_even_when_nothing_is_caught_up() -> None:
    assert names(daily(time(1, 0), CatchUp.NONE), "2026-05-01T12:00", "2026-05-04T00:10") == ["2026-05-04"]


def test_of_intervals_the_newest_counts_or_all_do() -> None:
    assert names(every(5, CatchUp.LATEST), "2026-05-01T12:00:00", "2026-05-01T12:00:17") == ["2026-05-01T12:00:15Z"]
    assert len(names(every(5, CatchUp.ALL), "2026-05-01T12:00:00", "2026-05-01T12:00:17")) == 3
    assert names(every(5, CatchUp.LATEST), "2026-05-01T12:00:15", "2026-05-01T12:00:17") == []


def test_a_simulated_company_has_one_slot_for_the_day_it_is_pinned_to() -> None:
    pinned = Calendar(zone="Europe/London", pinned=date(2011, 12, 1))
    slots = job_slots.due(
        daily(time(1, 30), CatchUp.ALL, days_back=1),
        since=utc("2026-05-01T12:00"),
        now=utc("2026-05-05T12:00"),
        calendar=pinned,
    )
    assert [(slot.name, slot.business_date) for slot in slots] == [("2011-12-01", date(2011, 12, 1))]


ZONES = ("Europe/London", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "Pacific/Apia")


@given(
    zone=st.sampled_from(ZONES),
    at=st.times(),
    steps=st.lists(st.integers(min_value=-3 * 86_400, max_value=4 * 86_400), min_size=1, max_size=30),
    seed=st.integers(min_value=0, max_value=366),
)
def test_whatever_the_clock_does_each_day_has_its_slot_once(zone: str, at: time, steps: list[int], seed: int) -> None:
    rule, calendar = daily(at.replace(microsecond=0)), Calendar(zone=zone)
    now = utc("2026-01-01T12:00") + timedelta(days=seed)
    first = opened_until = highest = now
    opened: list[str] = []
    for step in steps:
        now += timedelta(seconds=step)
        slots = job_slots.due(rule, since=opened_until, now=now, calendar=calendar)
        opened += [slot.name for slot in slots if slot.name not in opened]  # the unique key of the table
        if slots:
            opened_until = slots[-1].due_at
        highest = max(highest, now)
    # A last look at the latest instant the clock has shown, a moment after everything.
    for slot in job_slots.due(rule, since=min(opened_until, highest), now=highest, calendar=calendar):
        if slot.name not in opened:
            opened.append(slot.name)
    whole = job_slots.due(rule, since=first, now=highest, calendar=calendar)
    assert set(opened) >= {slot.name for slot in whole}
    assert len(opened) == len(set(opened))


@given(st.lists(st.integers(min_value=0, max_value=200_000), min_size=2, max_size=30))
def test_looking_often_or_seldom_gives_the_same_slots(steps: list[int]) -> None:
    rule = daily(time(1, 30))
    start = utc("2026-10-20T00:00")
    looks = [start]
    for step in steps:
        looks.append(looks[-1] + timedelta(seconds=step))
    piecewise = [
        slot.name
        for since, now in pairwise(looks)
        for slot in job_slots.due(rule, since=since, now=now, calendar=LONDON)
    ]
    assert piecewise == [slot.name for slot in job_slots.due(rule, since=start, now=looks[-1], calendar=LONDON)]
