"""Work centres work in their shifts on the days their site works, and orders take setting up and running."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from fractions import Fraction

from scm.master import bom_content, calendars, work_centers, work_hours
from scm.master.bom_content import OperationContent
from scm.master.work_centers import CenterRow, ShiftRow
from tests.master.making import approved_bill, center
from tests.world import World


def set_week(world: World, center_id: int, *week: ShiftRow) -> None:
    work_centers.set_shifts(
        world.begin(),
        work_center_id=center_id,
        site_id=world.setup.site_id,
        believed=(),
        wanted=week,
        actor=world.user("planner"),
    )


def early(*weekdays: int) -> list[ShiftRow]:
    return [ShiftRow(weekday=day, starts_at=time(6), ends_at=time(14)) for day in weekdays]


def hours(world: World, center_id: int, first: date, last: date) -> dict[date, int]:
    found = work_hours.of_site(world.begin(), site_id=world.setup.site_id, first=first, last=last)
    return {day: seconds // 3600 for day, seconds in found[center_id].seconds_by_day.items()}


def test_machines_work_their_shifts_on_days_the_site_works(world: World) -> None:
    saw = center(world, "SAW", machines=2)
    set_week(world, saw, *early(0, 1, 5), ShiftRow(weekday=1, starts_at=time(22), ends_at=time(6)))
    monday = world.today
    assert hours(world, saw, monday, world.day(6)) == {monday: 16, world.day(1): 32}  # Saturdays the site is closed
    calendars.close(
        world.begin(),
        site_id=world.setup.site_id,
        closed_dates=[world.day(1)],
        reason="Inventory",
        actor=world.user("planner"),
    )
    assert hours(world, saw, monday, world.day(6)) == {monday: 16}


def test_a_night_shift_belongs_to_the_day_it_begins_on(world: World) -> None:
    saw = center(world, "SAW")
    set_week(world, saw, ShiftRow(weekday=4, starts_at=time(22), ends_at=time(6)))
    friday = world.day(4)
    [window] = work_hours.of_site(world.begin(), site_id=world.setup.site_id, first=friday, last=friday)[saw].windows
    assert window.starts_at == datetime(2026, 1, 9, 22, tzinfo=UTC)
    assert window.ends_at == datetime(2026, 1, 10, 6, tzinfo=UTC)
    assert hours(world, saw, world.day(5), world.day(6)) == {}


def test_in_the_night_the_clocks_change_a_shift_lasts_what_it_lasts(world: World) -> None:
    saw = center(world, "SAW")
    set_week(world, saw, ShiftRow(weekday=4, starts_at=time(22), ends_at=time(6)))
    calendars.set_weekday(
        world.begin(),
        site_id=world.setup.site_id,
        weekday=5,
        believed=False,
        works=True,
        actor=world.user("planner"),
    )
    night = ShiftRow(weekday=5, starts_at=time(22), ends_at=time(6))
    work_centers.set_shifts(
        world.begin(),
        work_center_id=saw,
        site_id=world.setup.site_id,
        believed=[ShiftRow(weekday=4, starts_at=time(22), ends_at=time(6))],
        wanted=[night],
        actor=world.user("planner"),
    )
    spring, autumn = date(2026, 3, 28), date(2026, 10, 24)
    assert hours(world, saw, spring, spring) == {spring: 7}
    assert hours(world, saw, autumn, autumn) == {autumn: 9}


def test_a_retired_work_centre_works_no_more(world: World) -> None:
    saw = center(world, "SAW")
    set_week(world, saw, *early(0))
    work_centers.change(
        world.begin(),
        work_center_id=saw,
        site_id=world.setup.site_id,
        believed=CenterRow(name="Saw", machines=1),
        wanted=CenterRow(name="Saw", machines=1, retired=True),
        actor=world.user("planner"),
    )
    assert work_hours.of_site(world.begin(), site_id=world.setup.site_id, first=world.today, last=world.today) == {}


def test_an_order_needs_setting_up_and_running(world: World) -> None:
    saw, bench = center(world, "SAW"), center(world, "BENCH")
    steps = (
        OperationContent(
            sequence=10, name="Cut", work_center_id=saw, setup_seconds=600, run_seconds=90, run_quantity=4
        ),
        OperationContent(sequence=20, name="Join", work_center_id=bench, run_seconds=300),
        OperationContent(sequence=30, name="Trim", work_center_id=saw, run_seconds=1, run_quantity=7),
    )
    bom_id = approved_bill(world, world.item("table"), {world.item("leg"): 4}, operations=steps)
    operations = bom_content.read(world.begin(), [bom_id])[bom_id].operations
    assert operations == steps
    # Cut 600 + ceil(90 × 10 / 4) = 825, trim ceil(10 / 7) = 2; join 3,000 seconds.
    assert work_hours.minutes_by_center(operations, quantity=10) == {saw: Fraction(827, 60), bench: 50}
