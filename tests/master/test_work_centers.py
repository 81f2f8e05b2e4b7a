"""Work centres are kept by planners: machines, and shifts that never overlap, also over midnight and over Sunday."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

import pytest

from scm.core.users import RoleMissing
from scm.master import work_centers
from scm.master.work_centers import BadCenter, CenterChanged, CenterExists, CenterRow, CenterUnknown, ShiftRow
from tests.master.making import center
from tests.world import World


def shift(weekday: int, starts: int, ends: int) -> ShiftRow:
    return ShiftRow(weekday=weekday, starts_at=time(starts), ends_at=time(ends))


def set_shifts(world: World, center_id: int, wanted: Sequence[ShiftRow], believed: Sequence[ShiftRow] = ()) -> None:
    work_centers.set_shifts(
        world.begin(),
        work_center_id=center_id,
        site_id=world.setup.site_id,
        believed=believed,
        wanted=wanted,
        actor=world.user("planner"),
    )


def test_a_work_centre_gets_its_week(world: World) -> None:
    saw = center(world, "SAW", machines=2)
    week = [shift(0, 6, 14), shift(0, 14, 22), shift(6, 22, 6)]
    set_shifts(world, saw, week)
    assert work_centers.shifts(world.begin(), [saw]) == {saw: tuple(week)}
    with world.refuses(CenterChanged, "changed its shifts meanwhile"):
        set_shifts(world, saw, [shift(0, 6, 14)])
    set_shifts(world, saw, [shift(1, 6, 14)], believed=week)
    assert work_centers.shifts(world.begin(), [saw]) == {saw: (shift(1, 6, 14),)}


@pytest.mark.parametrize(
    "wanted",
    [
        [shift(0, 6, 14), shift(0, 13, 22)],
        [shift(0, 22, 6), shift(1, 5, 14)],
        [shift(6, 22, 6), shift(0, 5, 14)],
        [shift(0, 6, 14), shift(0, 6, 14)],
    ],
    ids=["the same day", "over midnight", "over Sunday", "the same twice"],
)
def test_shifts_do_not_overlap(world: World, wanted: list[ShiftRow]) -> None:
    saw = center(world, "SAW")
    with world.refuses(BadCenter, "overlaps the one of weekday"):
        set_shifts(world, saw, wanted)


def test_a_shift_takes_time_on_a_day_that_exists(world: World) -> None:
    saw = center(world, "SAW")
    with world.refuses(BadCenter, "takes no time"):
        set_shifts(world, saw, [shift(0, 6, 6)])
    with world.refuses(BadCenter, "weekday 7"):
        set_shifts(world, saw, [shift(7, 6, 14)])


def test_a_work_centre_changes_for_who_knows_it(world: World) -> None:
    saw = center(world, "SAW")
    old, new = CenterRow(name="Saw", machines=1), CenterRow(name="Big saw", machines=3, retired=True)
    ids = {"work_center_id": saw, "site_id": world.setup.site_id}
    planner = world.user("planner")
    work_centers.change(world.begin(), **ids, believed=old, wanted=new, actor=planner)
    with world.refuses(CenterChanged, "called Big saw and has 3 machines, and it is retired") as session:
        work_centers.change(session, **ids, believed=old, wanted=new, actor=planner)
    with world.refuses(BadCenter, "machines is 0") as session:
        work_centers.change(session, **ids, believed=new, wanted=CenterRow(name="x", machines=0), actor=planner)
    with world.refuses(RoleMissing) as session:
        work_centers.change(session, **ids, believed=new, wanted=old, actor=world.user("sales"))
    with world.refuses(CenterUnknown) as session:
        strange = {"work_center_id": 999, "site_id": world.setup.site_id}
        work_centers.change(session, **strange, believed=new, wanted=old, actor=planner)
    with world.refuses(CenterExists, "'SAW' exists already"):
        center(world, "SAW")
