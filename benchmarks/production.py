"""Planning a generated maker: 10,000 items on two levels, 100,000 customer orders, 200 work centers.

5,000 end items, each made of four of 5,000 components; every other component is bought. Orders over 90 days, stock for
some of them, open purchase and work orders; end items are made lot for lot, day by day. First the plan: explosion,
netting and pegging of every order down to the purchase lines; then the finite forward schedule of all planned work
orders, with why each late one is late. No database: only the engine is measured, in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks import measuring, workers
from benchmarks.reporting import Figure
from scm.planning import multilevel, pegging, scheduling
from scm.planning.checks import Integers
from scm.planning.explosion import Structure
from scm.planning.lots import Lots
from scm.planning.multilevel import Plan, Situation
from scm.planning.pegging import Demands, Pegs, Supplies, Traces
from scm.planning.scheduling import Reason, Schedule, Work
from scm.planning.work_centers import DAY_SECONDS, WorkCenters

SEED = 1
ORDER_DAYS = 90
DAYS = 120
CALENDAR_DAYS = 365
SHIFT_MINUTES = 960
CENTERS = 200
LOAD = 0.85  # of the open time of the order days, at every work center
PARTS = 4


@dataclass(frozen=True, kw_only=True)
class Maker:
    """What is generated."""

    structure: Structure
    situation: Situation
    end_items: int
    order_item: Integers
    order_day: Integers
    order_quantity: Integers


def measure(*, quick: bool) -> list[Figure]:
    """This function will plan and schedule the generated maker and give what it cost and how late the plan is."""
    size = {"items": 1_000, "orders": 10_000} if quick else {"items": 10_000, "orders": 100_000}
    spent = workers.run("benchmarks.production", "work", [size])
    values = spent.answers[0]
    late = {reason.name.lower().replace("_", " "): values["reasons"][reason] for reason in Reason}
    on_time = late.pop("on time")
    share = 100 / max(values["planned"], 1)
    return [
        Figure("production: explosion, netting and pegging, CPU s", values["plan_seconds"], target="<= 15"),
        Figure("production: forward schedule of 200 work centers, CPU s", values["schedule_seconds"], target="<= 30"),
        Figure("production: peak memory, MB", spent.peak_bytes / 1e6),
        Figure("production: planned orders", values["orders"]),
        Figure("production: of those work orders", values["planned"]),
        Figure("production: operations scheduled", values["operations"]),
        Figure("production: shares of supplies traced to customer orders", values["traces"]),
        Figure("production: customer orders late, %", values["late_percent"]),
        Figure("production: mean lateness of the late ones, days", values["late_days"]),
        Figure("production: work orders on time, %", on_time * share),
        *(Figure(f"production: work orders late, {why}, %", count * share) for why, count in late.items()),
    ]


def work(start: Callable[[], None], *, items: int, orders: int) -> dict[str, object]:
    """This function will be the worker: it generates, then plans, then schedules."""
    maker = generated(items=items, orders=orders)
    start()
    began = measuring.own_seconds()
    plan = multilevel.plan(situation=maker.situation, structure=maker.structure)
    supplies, demands = _sides(maker, plan)
    pegs = pegging.peg(supplies=supplies, demands=demands)
    traces = pegging.trace(pegs, supplies=supplies, demands=demands, levels=maker.structure.levels)
    planned = measuring.own_seconds()
    made, shop, centers = _shop(maker, plan, pegs, demands)
    before = measuring.own_seconds()
    schedule = scheduling.schedule(work=shop, centers=centers)
    scheduled = measuring.own_seconds()
    late = _customer_lateness(maker, plan, pegs, demands, schedule, made)
    _refuse_inexact(supplies, traces)
    return {
        "plan_seconds": planned - began,
        "schedule_seconds": scheduled - before,
        "orders": len(plan.orders.item),
        "planned": len(made),
        "operations": len(shop.order),
        "traces": len(traces.end),
        "late_percent": 100 * float((late > 0).mean()),
        "late_days": float(late[late > 0].mean()) if (late > 0).any() else 0.0,
        "reasons": np.bincount(schedule.reason, minlength=len(Reason)).tolist(),
    }


def generated(*, items: int, orders: int) -> Maker:
    """This function will generate the maker, the same one for the same size."""
    random = np.random.default_rng(SEED)
    ends = items // 2
    parent = np.repeat(np.arange(ends), PARTS)
    component = (ends + random.permuted(np.tile(np.arange(ends), (PARTS, 1)), axis=1).T).reshape(-1)
    parent, component = np.unique(np.stack([parent, component]), axis=1)
    lines = len(parent)
    structure = Structure(
        items=items,
        parent=parent,
        component=component,
        numerator=random.integers(1, 6, lines),
        denominator=random.choice([1, 1, 1, 2, 3], lines),
    )
    order_item = random.integers(0, ends, orders)
    order_day = random.integers(0, ORDER_DAYS, orders)
    order_quantity = random.integers(1, 41, orders)
    confirmed = np.zeros((items, DAYS), dtype=np.int64)
    np.add.at(confirmed, (order_item, order_day), order_quantity)
    supply = np.zeros((items, DAYS), dtype=np.int64)
    opened = random.integers(0, items, items)
    np.add.at(supply, (opened, random.integers(1, 30, items)), random.integers(10, 200, items))
    weekly = confirmed.sum(axis=1) * 7 // ORDER_DAYS
    nothing = np.zeros((items, DAYS), dtype=np.int64)
    is_end = np.arange(items) < ends
    lots = Lots.plain(
        np.where(is_end, random.integers(2, 6, items), random.integers(3, 15, items)),
        cover=np.where(is_end, 1, 7),
        minimum=random.choice([0, 20, 50], items),
        multiple=random.choice([1, 5, 10], items),
    )
    return Maker(
        structure=structure,
        situation=Situation(
            on_hand=np.where(is_end, weekly, random.integers(200, 2_000, items)),
            backordered=np.zeros(items, dtype=np.int64),
            safety_stock=weekly // 7,
            supply=supply,
            confirmed=confirmed,
            forecast=nothing.astype(np.float64),
            allocated=nothing,
            returns=nothing.astype(np.float64),
            lots=lots,
        ),
        end_items=ends,
        order_item=order_item,
        order_day=order_day,
        order_quantity=order_quantity,
    )


def _sides(maker: Maker, plan: Plan) -> tuple[Supplies, Demands]:
    """Supplies: planned orders first, then stock, then open supply. Demands: customer orders first, then components."""
    orders, situation = plan.orders, maker.situation
    stocked = np.flatnonzero(situation.on_hand)
    open_item, open_day = np.nonzero(situation.supply)
    supplies = Supplies(
        item=np.concatenate([orders.item, stocked, open_item]),
        bucket=np.concatenate([orders.arrival, np.full(len(stocked), -1), open_day]),
        quantity=np.concatenate([orders.output, situation.on_hand[stocked], situation.supply[open_item, open_day]]),
    )
    needed = multilevel.components(maker.structure, orders)
    customers = len(maker.order_item)
    demands = Demands(
        item=np.concatenate([maker.order_item, needed.item]),
        bucket=np.concatenate([maker.order_day, orders.release[needed.order]]),
        quantity=np.concatenate([maker.order_quantity, needed.quantity]),
        parent=np.concatenate([np.full(customers, pegging.NOBODY), needed.order]),
    )
    return supplies, demands


def _shop(maker: Maker, plan: Plan, pegs: Pegs, demands: Demands) -> tuple[Integers, Work, WorkCenters]:
    """The planned work orders (which of the planned orders they are), their operations, and the work centers."""
    orders, random = plan.orders, np.random.default_rng(SEED + 1)
    ends, items = maker.end_items, maker.structure.items
    is_made = (np.arange(items) < ends) | (np.arange(items) % 2 == 0)
    made = np.flatnonzero(is_made[orders.item])
    place = np.full(len(orders.item), -1)
    place[made] = np.arange(len(made))
    # End items pass two work centers, components one.
    first, second = random.integers(0, CENTERS, items), random.integers(0, CENTERS, items)
    setup, run = random.integers(300, 1_801, items), random.integers(10, 121, items)
    item = orders.item[made]
    steps = np.where(item < ends, 2, 1)
    order = np.repeat(np.arange(len(made)), steps)
    is_second = np.diff(order, prepend=-1) == 0
    center = np.where(is_second, second[item[order]], first[item[order]])
    seconds = scheduling.seconds_of(
        quantity=orders.quantity[made][order], setup=setup[item[order]], run=run[item[order]], run_quantity=1
    )
    parent = demands.parent[pegs.demand]
    from_order = pegs.supply < len(orders.item)
    link = (parent != pegging.NOBODY) & from_order
    link[link] = place[parent[link]] >= 0
    supplier, consumer = pegs.supply[link], place[parent[link]]
    is_work = place[supplier] >= 0
    bought_at = np.zeros(len(made), dtype=np.int64)
    np.maximum.at(bought_at, consumer[~is_work], orders.arrival[supplier[~is_work]] * DAY_SECONDS)
    shop = Work(
        release=orders.release[made] * DAY_SECONDS,
        due=(orders.due[made] + 1) * DAY_SECONDS,
        bought_at=bought_at,
        lead=np.zeros(len(made), dtype=np.int64),
        order=order,
        center=center,
        seconds=seconds,
        before=place[supplier[is_work]],
        after=consumer[is_work],
    )
    weekdays = np.arange(CALENDAR_DAYS) % 7 < 5
    minutes = np.where(weekdays, SHIFT_MINUTES, 0)
    open_seconds = int(minutes[:ORDER_DAYS].sum()) * 60
    load = np.zeros(CENTERS, dtype=np.int64)
    np.add.at(load, center, seconds)
    machines = np.maximum(np.ceil(load / (open_seconds * LOAD)), 1).astype(np.int64)
    calendar = np.broadcast_to(minutes, (CENTERS, CALENDAR_DAYS))
    return made, shop, WorkCenters.daily(machines=machines, open_minutes=calendar, opens_at=360)


def _customer_lateness(
    maker: Maker, plan: Plan, pegs: Pegs, demands: Demands, schedule: Schedule, made: Integers
) -> Integers:
    """Days by which each customer order is late: by the last of the supplies it is pegged to."""
    orders = plan.orders
    ready = orders.arrival.copy()
    ready[made] = (schedule.finish - 1) // DAY_SECONDS  # done by the end of a day, it is there on that day
    mine = (demands.parent[pegs.demand] == pegging.NOBODY) & (pegs.supply < len(orders.item))
    there = np.zeros(len(maker.order_item), dtype=np.int64)
    np.maximum.at(there, pegs.demand[mine], ready[pegs.supply[mine]])
    return np.asarray(np.maximum(there - maker.order_day, 0), dtype=np.int64)


def _refuse_inexact(supplies: Supplies, traces: Traces) -> None:
    """The shares of every supply must add up to it."""
    total = np.zeros(len(supplies.item), dtype=np.int64)
    np.add.at(total, traces.supply, traces.quantity)
    if not np.array_equal(total, supplies.quantity):
        raise AssertionError("the shares of a supply do not add up to its quantity")
