"""The finite schedule against a shop floor that is watched second by second, and why orders are late."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scm.planning import scheduling
from scm.planning.checks import InvalidPlanningInput
from scm.planning.scheduling import Reason, Work
from scm.planning.work_centers import NEVER, WorkCenters

END = 60
HOUR = 3600


def work_of(**arrays: Any) -> Work:
    """Orders without components and lead, unless they are named."""
    orders = len(arrays["due"])
    nothing = np.zeros(orders, dtype=np.int64)
    plain: dict[str, Any] = {"release": nothing, "bought_at": nothing, "lead": nothing}
    plain |= {"before": np.zeros(0, dtype=np.int64), "after": np.zeros(0, dtype=np.int64)}
    return Work(**(plain | {name: np.array(value, dtype=np.int64) for name, value in arrays.items()}))


@st.composite
def shops(draw: st.DrawFn) -> tuple[Work, WorkCenters]:
    count = draw(st.integers(1, 3))
    stretches = []
    for center in range(count):
        edges = sorted(draw(st.lists(st.integers(0, END), min_size=2, max_size=6, unique=True)))
        stretches += [(center, low, high) for low, high in zip(edges[::2], edges[1::2], strict=False)]
    machines = draw(st.lists(st.integers(1, 2), min_size=count, max_size=count))
    columns = np.array(stretches, dtype=np.int64).reshape(-1, 3).T
    centers = WorkCenters(machines=np.array(machines), center=columns[0], opens=columns[1], closes=columns[2])
    orders = draw(st.integers(1, 5))

    def each(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=orders, max_size=orders))

    routes = [draw(st.lists(st.integers(0, count - 1), max_size=3)) for _ in range(orders)]
    operations = [(order, center) for order, route in enumerate(routes) for center in route]
    pairs = [(up, down) for up in range(orders) for down in range(orders) if up > down]
    links = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=4)) if pairs else []
    work = work_of(
        release=each(0, 8),
        due=each(0, 40),
        bought_at=each(0, 6),
        lead=each(0, 3),
        order=[order for order, _ in operations],
        center=[center for _, center in operations],
        seconds=draw(st.lists(st.integers(1, 9), min_size=len(operations), max_size=len(operations))),
        before=[before for before, _ in links],
        after=[after for _, after in links],
    )
    return work, centers


def watched(work: Work, centers: WorkCenters) -> tuple[list[int], list[int], list[int]]:
    """Starts, ends and finishes, second by second; each second, machines at work count down if they are open."""
    operations, orders = len(work.order), len(work.due)
    left = work.seconds.tolist()
    start, end, finish = [NEVER] * operations, [NEVER] * operations, [NEVER] * orders
    route: list[list[int]] = [np.flatnonzero(work.order == order).tolist() for order in range(orders)]
    for now in range(END + 20):
        for _ in range(orders + 1):  # what is finished now may let another finish now that has nothing to do
            for order in range(orders):
                last = max((end[op] for op in route[order]), default=_begin(work, finish, order))
                if last != NEVER and last + work.lead[order] == now:
                    finish[order] = now
        for center in range(len(centers.machines)):
            if not _is_open(centers, center, now):
                continue
            running = sum(start[op] <= now < end[op] for op in range(operations) if work.center[op] == center)
            free = int(centers.machines[center]) - running
            wanting = [
                op
                for op in range(operations)
                if work.center[op] == center and start[op] == NEVER and _is_ready(work, route, end, finish, op, now)
            ]
            wanting.sort(key=lambda op: (work.due[work.order[op]], work.order[op], op))
            for op in wanting[:free]:
                start[op] = now
            for op in range(operations):
                if work.center[op] == center and start[op] <= now and left[op]:
                    left[op] -= 1
                    if not left[op]:
                        end[op] = now + 1
    return start, end, finish


def _begin(work: Work, finish: list[int], order: int) -> int:
    components = [finish[before] for before, after in zip(work.before, work.after, strict=True) if after == order]
    return int(max([work.release[order], work.bought_at[order], *components]))


def _is_ready(work: Work, route: list[list[int]], end: list[int], finish: list[int], op: int, now: int) -> bool:
    mine = route[work.order[op]]
    place = mine.index(op)
    before = end[mine[place - 1]] if place else _begin(work, finish, int(work.order[op]))
    return before <= now


def _is_open(centers: WorkCenters, center: int, now: int) -> bool:
    return any(
        low <= now < high
        for at, low, high in zip(centers.center, centers.opens, centers.closes, strict=True)
        if at == center
    )


@given(shops())
def test_the_schedule_is_that_of_a_shop_watched_second_by_second(shop: tuple[Work, WorkCenters]) -> None:
    work, centers = shop
    found = scheduling.schedule(work=work, centers=centers)
    start, end, finish = watched(work, centers)
    assert found.start.tolist() == start
    assert found.end.tolist() == end
    assert found.finish.tolist() == finish


@given(shops())
def test_no_machine_does_two_things_at_once(shop: tuple[Work, WorkCenters]) -> None:
    work, centers = shop
    found = scheduling.schedule(work=work, centers=centers)
    taken: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for op in np.flatnonzero(found.start < NEVER).tolist():
        place = (int(work.center[op]), int(found.machine[op]))
        assert 0 <= place[1] < centers.machines[place[0]]
        taken.setdefault(place, []).append((int(found.start[op]), int(found.end[op])))
    for times in taken.values():
        times.sort()
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(times))


@given(shops())
def test_each_late_order_has_the_first_reason_that_is_enough(shop: tuple[Work, WorkCenters]) -> None:
    work, centers = shop
    found = scheduling.schedule(work=work, centers=centers)
    for order in range(len(work.due)):
        late = found.finish[order] > work.due[order]
        assert (found.reason[order] == Reason.ON_TIME) == (not late)
        if not late or found.finish[order] == NEVER:
            continue
        begun = _begin(work, found.finish.tolist(), order)
        starts = {Reason.LEAD_TIME: 0, Reason.STARTED_LATE: int(work.release[order]), Reason.COMPONENT: begun}
        enough = [reason for reason, start in starts.items() if _alone(work, centers, order, start) > work.due[order]]
        assert found.reason[order] == (enough[0] if enough else Reason.CAPACITY)
        if found.reason[order] == Reason.COMPONENT and found.cause[order] >= 0:
            assert found.finish[found.cause[order]] == begun


def _alone(work: Work, centers: WorkCenters, order: int, start: int) -> int:
    """When an order alone in the shop would be done."""
    mine = work.order == order
    alone = work_of(
        release=[start],
        due=[0],
        lead=[work.lead[order]],
        order=np.zeros(int(mine.sum()), dtype=np.int64),
        center=work.center[mine],
        seconds=work.seconds[mine],
    )
    return watched(alone, centers)[2][0]


def test_why_late_names_the_work_center_and_the_component() -> None:
    """Three parts of an hour each for one lathe; the assembly of the last one waits for it, and is begun too late."""
    centers = WorkCenters.daily(machines=[1, 1], open_minutes=[[480], [480]], opens_at=480)
    work = work_of(
        due=[9 * HOUR, 9 * HOUR, 9 * HOUR, 11 * HOUR, 9 * HOUR, 8 * HOUR],
        release=[0, 0, 0, 0, 10 * HOUR, 0],
        order=[0, 1, 2, 3, 4, 5],
        center=[0, 0, 0, 1, 1, 1],
        seconds=[HOUR, HOUR, HOUR, HOUR, HOUR // 2, HOUR // 2],
        before=[2],
        after=[3],
    )
    found = scheduling.schedule(work=work, centers=centers)
    assert [Reason(value).name for value in found.reason] == [
        "ON_TIME",
        "CAPACITY",
        "CAPACITY",
        "COMPONENT",
        "STARTED_LATE",
        "LEAD_TIME",
    ]
    assert found.cause[[1, 2, 3]].tolist() == [0, 0, 2]
    assert (found.lateness // 60).tolist() == [0, 60, 120, 60, 90, 30]


def test_what_finds_no_open_time_is_said_to_have_none() -> None:
    centers = WorkCenters.daily(machines=[1], open_minutes=[[60]])
    found = scheduling.schedule(
        work=work_of(due=[9, 9], order=[0], center=[0], seconds=[3601], before=[0], after=[1]), centers=centers
    )
    assert found.lateness.tolist() == [NEVER, NEVER]
    assert [(Reason(found.reason[order]).name, int(found.cause[order])) for order in range(2)] == [
        ("NO_TIME_LEFT", 0),
        ("COMPONENT", 0),
    ]


def test_operations_without_time_pass_at_once() -> None:
    centers = WorkCenters.daily(machines=[1], open_minutes=[[60]])
    work = work_of(due=[9, 9], order=[0, 0, 1], center=[0, 0, 0], seconds=[0, 5, 0])
    found = scheduling.schedule(work=work, centers=centers)
    assert found.finish.tolist() == [5, 5]


def test_orders_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(InvalidPlanningInput, match=r"orders (1 → 0 → 1|0 → 1 → 0) wait for each other"):
        work_of(due=[0, 0], order=[], center=[], seconds=[], before=[0, 1], after=[1, 0])


def test_overlapping_shifts_are_refused() -> None:
    with pytest.raises(InvalidPlanningInput, match="must not open again before it has closed"):
        WorkCenters(machines=np.array([1]), center=np.array([0, 0]), opens=np.array([0, 5]), closes=np.array([6, 9]))
