"""Finite forward schedule: every operation gets a machine and a time, in order, as soon as one is free.

Whenever a machine of an open work center is free, the waiting operation whose order is due first takes it; work stands
still while the center is closed. An order waits for its components. Same input, same schedule: of orders due together
the one given first goes first. Each late order gets the one thing that makes it late, see `Reason`.
"""

from __future__ import annotations

import enum
import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scm.planning import checks, explosion
from scm.planning.checks import Integers
from scm.planning.work_centers import NEVER, Clock, WorkCenters

NONE = -1
BOUGHT = -1
_OPERATION, _FINISH, _ORDER, _OPENING = range(4)
"""Kinds of events, in the order in which those of one instant are taken in."""


class Reason(enum.IntEnum):
    """Why an order is late: the first of these that is enough by itself, looked at in this order.

    LEAD_TIME: begun at once, with everything there and every machine free, it would still be late. STARTED_LATE: so it
    would if begun on its release. COMPONENT: so it would once its components are there. CAPACITY: it waits for a
    machine. NO_TIME_LEFT: the calendar ends before it is done.
    """

    ON_TIME = 0
    LEAD_TIME = 1
    STARTED_LATE = 2
    COMPONENT = 3
    CAPACITY = 4
    NO_TIME_LEFT = 5


@dataclass(frozen=True, kw_only=True)
class Work:
    """O orders with P operations, in seconds from the start. Raises InvalidPlanningInput."""

    release: Integers
    """(O) not begun before"""
    due: Integers
    """(O)"""
    bought_at: Integers
    """(O) when the last bought component is there; 0 where nothing is missing"""
    lead: Integers
    """(O) seconds by the clock after the last operation: cooling, transport, a subcontractor's time"""
    order: Integers
    """(P) of each operation, rising; operations of an order are in sequence"""
    center: Integers
    """(P)"""
    seconds: Integers
    """(P) set-up and run together"""
    before: Integers
    """(K) orders that make components"""
    after: Integers
    """(K) of these orders"""

    def __post_init__(self) -> None:
        orders, operations, links = len(self.release), len(self.order), len(self.before)
        sizes = dict.fromkeys(("release", "due", "bought_at", "lead"), orders)
        sizes |= dict.fromkeys(("order", "center", "seconds"), operations) | {"before": links, "after": links}
        for name, size in sizes.items():
            lowest = None if name == "due" else 0
            values = checks.integers(name, getattr(self, name), shape=(size,), minimum=lowest)
            object.__setattr__(self, name, values)
        for name in ("order", "before", "after"):
            values = getattr(self, name)
            checks.refuse_where(name, values, values >= orders, f"there are only {orders} orders")
        falls = np.zeros(operations, dtype=np.bool_)
        falls[1:] = self.order[1:] < self.order[:-1]
        checks.refuse_where("order", self.order, falls, "operations must come in the order of their orders")
        try:
            explosion.levels_of(orders, parent=self.after, component=self.before)
        except explosion.CyclicStructure as circle:
            shown = " → ".join(str(order) for order in circle.path)
            mend = f"orders {shown} wait for each other: take one of these links out"
            raise checks.InvalidPlanningInput("after", (), circle.path[0], mend) from circle


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When everything happens; NEVER where the calendar ends before."""

    start: Integers
    """(P)"""
    end: Integers
    """(P)"""
    machine: Integers
    """(P) number of the center's machine, from 0"""
    finish: Integers
    """(O)"""
    lateness: Integers
    """(O) seconds after the due date, 0 if on time"""
    reason: Integers
    """(O) a `Reason`"""
    cause: Integers
    """(O) the work center of CAPACITY and NO_TIME_LEFT; for COMPONENT the order that makes it, or -1 if it is bought"""


def seconds_of(
    *, quantity: npt.ArrayLike, setup: npt.ArrayLike, run: npt.ArrayLike, run_quantity: npt.ArrayLike
) -> Integers:
    """Return set-up seconds and run seconds for a quantity, where each `run_quantity` units take `run` seconds.

    >>> seconds_of(quantity=[25], setup=[600], run=[90], run_quantity=[10]).tolist()
    [825]
    """
    product = np.asarray(quantity, dtype=np.int64) * np.asarray(run, dtype=np.int64)
    return np.asarray(setup, dtype=np.int64) - (-product // np.asarray(run_quantity, dtype=np.int64))


def schedule(*, work: Work, centers: WorkCenters) -> Schedule:
    """Return the finite forward schedule. Raises InvalidPlanningInput where orders wait for each other in a circle.

    Worked example: two orders of one hour each on one machine that is open from 8 to 9 o'clock, both due on day 0 at
    10: the second is done a day later, because of the work center.

    >>> one = WorkCenters.daily(machines=[1], open_minutes=[[60, 60]], opens_at=480)
    >>> two = Work(release=[0, 0], due=[36000, 36000], bought_at=[0, 0], lead=[0, 0], order=[0, 1], center=[0, 0],
    ...            seconds=[3600, 3600], before=[], after=[])
    >>> found = schedule(work=two, centers=one)
    >>> found.finish.tolist(), Reason(found.reason[1]).name, int(found.cause[1])
    ([32400, 118800], 'CAPACITY', 0)
    """
    beyond = work.center >= len(centers.machines)
    checks.refuse_where("center", work.center, beyond, f"there are only {len(centers.machines)} work centers")
    return _Shop(work, centers).run()


class _Shop:
    """The shop floor at an instant, moved from event to event."""

    def __init__(self, work: Work, centers: WorkCenters) -> None:
        orders, operations = len(work.release), len(work.order)
        self.clocks: tuple[Clock, ...] = centers.clocks
        self.release: list[int] = work.release.tolist()
        self.due: list[int] = work.due.tolist()
        self.lead: list[int] = work.lead.tolist()
        self.order: list[int] = work.order.tolist()
        self.center: list[int] = work.center.tolist()
        self.seconds: list[int] = work.seconds.tolist()
        self.first: list[int] = np.searchsorted(work.order, np.arange(orders + 1)).tolist()
        self.begins: list[int] = np.maximum(work.release, work.bought_at).tolist()  # with components, as far as known
        self.last_component = [BOUGHT] * orders
        self.followers: list[list[int]] = [[] for _ in range(orders)]
        self.components: list[list[int]] = [[] for _ in range(orders)]
        self.missing = [0] * orders
        for before, after in sorted(set(zip(work.before.tolist(), work.after.tolist(), strict=True))):
            self.followers[before].append(after)
            self.components[after].append(before)
            self.missing[after] += 1
        self.start, self.end, self.machine = [NEVER] * operations, [NEVER] * operations, [NONE] * operations
        self.ready = [NEVER] * operations
        self.finish = [NEVER] * orders
        self.idle = [list(range(count)) for count in centers.machines.tolist()]
        self.waiting: list[list[tuple[int, int, int]]] = [[] for _ in self.idle]
        self.opening = [NONE] * len(self.idle)  # the opening that already is an event
        self.events: list[tuple[int, int, int]] = []  # instant, kind, operation or order or center

    def run(self) -> Schedule:
        for order in range(len(self.finish)):
            if not self.missing[order]:
                heapq.heappush(self.events, (self.begins[order], _ORDER, order))
        while self.events:
            now, touched = self.events[0][0], set()
            while self.events and self.events[0][0] == now:
                _, kind, which = heapq.heappop(self.events)
                touched.add(self._happen(now, kind, which))
            for center in sorted(touched - {NONE}):
                self._dispatch(now, center)
        return self._answer()

    def _happen(self, now: int, kind: int, which: int) -> int:
        """Take in an event and return the work center it concerns."""
        if kind == _OPENING:
            return which
        if kind == _ORDER:
            return self._queue(now, which, self.first[which])
        if kind == _FINISH:
            self._finish(now, which)
            return NONE
        heapq.heappush(self.idle[self.center[which]], self.machine[which])
        following = self._queue(now, self.order[which], which + 1)
        if following not in (NONE, self.center[which]):
            heapq.heappush(self.events, (now, _OPENING, following))
        return self.center[which]

    def _queue(self, now: int, order: int, operation: int) -> int:
        """Let an order's next operation wait at its work center; without one, the order is done after its lead."""
        if operation == self.first[order + 1]:
            heapq.heappush(self.events, (now + self.lead[order], _FINISH, order))
            return NONE
        self.ready[operation] = now
        center = self.center[operation]
        heapq.heappush(self.waiting[center], (self.due[order], order, operation))
        return center

    def _finish(self, now: int, order: int) -> None:
        self.finish[order] = now
        for after in self.followers[order]:
            self.missing[after] -= 1
            if now > self.begins[after]:
                self.begins[after], self.last_component[after] = now, order
            if not self.missing[after]:
                heapq.heappush(self.events, (self.begins[after], _ORDER, after))

    def _dispatch(self, now: int, center: int) -> None:
        waiting, idle, clock = self.waiting[center], self.idle[center], self.clocks[center]
        if not waiting or not idle:
            return
        opens = clock.next_open(now)
        if opens > now:
            if opens < NEVER and self.opening[center] != opens:
                self.opening[center] = opens
                heapq.heappush(self.events, (opens, _OPENING, center))
            return
        while waiting and idle:
            operation = heapq.heappop(waiting)[2]
            self.machine[operation] = heapq.heappop(idle)
            self.start[operation] = now
            end = self.end[operation] = clock.after(now, self.seconds[operation])
            if end < NEVER:
                heapq.heappush(self.events, (end, _OPERATION, operation))

    def _answer(self) -> Schedule:
        due, finish = np.array(self.due, dtype=np.int64), np.array(self.finish, dtype=np.int64)
        found = [self._why(order) for order in range(len(finish))]
        columns = np.array(found, dtype=np.int64).reshape(-1, 2)
        lateness = np.where(finish == NEVER, NEVER, np.maximum(finish - due, 0))
        times = (np.array(values, dtype=np.int64) for values in (self.start, self.end, self.machine))
        start, end, machine = times
        return Schedule(
            start=start,
            end=end,
            machine=machine,
            finish=finish,
            lateness=lateness,
            reason=columns[:, 0],
            cause=columns[:, 1],
        )

    def _why(self, order: int) -> tuple[int, int]:
        """The reason of an order, and its cause."""
        due, finish = self.due[order], self.finish[order]
        if finish == NEVER:
            return self._why_never(order)
        if finish <= due:
            return Reason.ON_TIME, NONE
        if self._alone(order, 0) > due:
            return Reason.LEAD_TIME, NONE
        if self._alone(order, self.release[order]) > due:
            return Reason.STARTED_LATE, NONE
        if self._alone(order, self.begins[order]) > due:
            return Reason.COMPONENT, self.last_component[order]
        operations = range(self.first[order], self.first[order + 1])
        return Reason.CAPACITY, self.center[max(operations, key=self._waited)]

    def _why_never(self, order: int) -> tuple[int, int]:
        for operation in range(self.first[order], self.first[order + 1]):
            if self.ready[operation] < NEVER and self.end[operation] == NEVER:
                return Reason.NO_TIME_LEFT, self.center[operation]
        return Reason.COMPONENT, next(before for before in self.components[order] if self.finish[before] == NEVER)

    def _alone(self, order: int, start: int) -> int:
        """When the order would be done if it began then and every machine were free."""
        now = start
        for operation in range(self.first[order], self.first[order + 1]):
            clock = self.clocks[self.center[operation]]
            now = clock.next_open(now)
            if now < NEVER:
                now = clock.after(now, self.seconds[operation])
            if now == NEVER:
                return NEVER
        return now + self.lead[order]

    def _waited(self, operation: int) -> int:
        """Open seconds for which an operation waited for a machine."""
        return self.clocks[self.center[operation]].between(self.ready[operation], self.start[operation])
