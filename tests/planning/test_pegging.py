"""Pegs and traces against counting every unit one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scm.planning import pegging
from scm.planning.checks import Integers
from scm.planning.pegging import NOBODY, Demands, Supplies

Unit = tuple[int, int]
ITEMS = 4


@dataclass(frozen=True)
class Case:
    """Supplies and demands of items 0 to 3, of which lower ones are made of higher ones; the level is the item."""

    supplies: Supplies
    demands: Demands


@st.composite
def cases(draw: st.DrawFn) -> Case:
    def rows(low: int, high: int, size: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=size, max_size=size))

    count = draw(st.integers(0, 7))
    item = rows(0, ITEMS - 1, count)
    supplies = Supplies(
        item=np.array(item, dtype=np.int64),
        bucket=np.array(rows(-1, 5, count), dtype=np.int64),
        quantity=np.array(rows(0, 9, count), dtype=np.int64),
    )
    asked = draw(st.integers(0, 8))
    parents, items = [], []
    for _ in range(asked):
        parent = draw(st.sampled_from([NOBODY, *[n for n in range(count) if item[n] < ITEMS - 1]]))
        parents.append(parent)
        lowest = 0 if parent == NOBODY else item[parent] + 1
        items.append(draw(st.integers(lowest, ITEMS - 1)))
    demands = Demands(
        item=np.array(items, dtype=np.int64),
        bucket=np.array(rows(0, 5, asked), dtype=np.int64),
        quantity=np.array(rows(0, 9, asked), dtype=np.int64),
        parent=np.array(parents, dtype=np.int64),
    )
    return Case(supplies, demands)


def matched(case: Case) -> dict[Unit, Unit]:
    """The demand's unit that each supply's unit is meant for, by (row, number of the unit)."""
    found: dict[Unit, Unit] = {}
    for item in range(ITEMS):
        offered = _units(case.supplies.item, case.supplies.bucket, case.supplies.quantity, item)
        wanted = _units(case.demands.item, case.demands.bucket, case.demands.quantity, item)
        found.update(zip(offered, wanted, strict=False))
    return found


def _units(items: Integers, buckets: Integers, quantities: Integers, item: int) -> list[Unit]:
    rows = [row for row in range(len(items)) if items[row] == item]
    rows.sort(key=lambda row: (buckets[row], row))
    return [(row, unit) for row in rows for unit in range(int(quantities[row]))]


def owner(case: Case, pairs: dict[Unit, Unit], supply: Unit) -> int:
    """The demand from outside that a unit of a supply is there for."""
    if supply not in pairs:
        return NOBODY
    demand, unit = pairs[supply]
    parent = int(case.demands.parent[demand])
    if parent == NOBODY:
        return demand
    made, needed = int(case.supplies.quantity[parent]), int(case.demands.quantity[demand])
    for above in range(made):
        if above * needed // made <= unit < (above + 1) * needed // made:
            return owner(case, pairs, (parent, above))
    return NOBODY


@given(cases())
def test_pegs_join_the_units_that_counting_one_by_one_joins(case: Case) -> None:
    pegs = pegging.peg(supplies=case.supplies, demands=case.demands)
    units: dict[Unit, Unit] = {}
    for row in range(len(pegs.supply)):
        for step in range(int(pegs.quantity[row])):
            supply = (int(pegs.supply[row]), int(pegs.supply_from[row]) + step)
            assert supply not in units
            units[supply] = (int(pegs.demand[row]), int(pegs.demand_from[row]) + step)
    assert units == matched(case)


@given(cases())
def test_shares_through_all_levels_are_those_of_counting_one_by_one(case: Case) -> None:
    pegs = pegging.peg(supplies=case.supplies, demands=case.demands)
    traces = pegging.trace(pegs, supplies=case.supplies, demands=case.demands, levels=np.arange(ITEMS))
    pairs = matched(case)
    counted = Counter(
        (owner(case, pairs, (row, unit)), row)
        for row in range(len(case.supplies.item))
        for unit in range(int(case.supplies.quantity[row]))
    )
    rows = zip(traces.end.tolist(), traces.supply.tolist(), strict=True)
    assert dict(zip(rows, traces.quantity.tolist(), strict=True)) == counted


@given(cases())
def test_the_shares_of_a_supply_add_up_to_its_quantity(case: Case) -> None:
    pegs = pegging.peg(supplies=case.supplies, demands=case.demands)
    traces = pegging.trace(pegs, supplies=case.supplies, demands=case.demands, levels=np.arange(ITEMS))
    total = np.zeros(len(case.supplies.item), dtype=np.int64)
    np.add.at(total, traces.supply, traces.quantity)
    assert total.tolist() == case.supplies.quantity.tolist()
    pegged = np.zeros(len(case.demands.item), dtype=np.int64)
    np.add.at(pegged, pegs.demand, pegs.quantity)
    assert (pegged <= case.demands.quantity).all()


def test_an_order_is_followed_to_the_purchase_line_and_back() -> None:
    """Orders for 3 and 4 tables; 2 in stock, a work order for 5 that needs 20 legs: 8 in stock, a purchase of 15."""
    supplies = Supplies(item=np.array([0, 0, 1, 1]), bucket=np.array([-1, 4, -1, 2]), quantity=np.array([2, 5, 8, 15]))
    demands = Demands(
        item=np.array([0, 0, 1]),
        bucket=np.array([3, 5, 2]),
        quantity=np.array([3, 4, 20]),
        parent=np.array([NOBODY, NOBODY, 1]),
    )
    pegs = pegging.peg(supplies=supplies, demands=demands)
    traces = pegging.trace(pegs, supplies=supplies, demands=demands, levels=np.array([0, 1]))
    found = list(zip(traces.end.tolist(), traces.supply.tolist(), traces.quantity.tolist(), strict=True))
    assert found == [
        (NOBODY, 3, 3),  # three of the legs bought are for stock
        (0, 0, 2),
        (0, 1, 1),
        (0, 2, 4),  # the one table of the work order takes four legs from stock
        (1, 1, 4),
        (1, 2, 4),
        (1, 3, 12),
    ]
