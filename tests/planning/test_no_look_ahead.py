"""The comparison with a real maker plans each day from what was known in its morning, and counts as it says."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from benchmarks import supplygraph
from benchmarks.supplygraph import FIRST, Firm, UnlikeSupplyGraph

DAYS = FIRST + 8


def firm() -> Firm:
    random = np.random.default_rng(3)
    made = random.integers(0, 3, (DAYS, 4)) * 12_000
    delivered = made.copy()
    delivered[0] += 30_000  # the opening stock, then, whatever is made later
    return Firm(
        items=("A", "B", "C", "D"),
        orders=random.integers(0, 20, (DAYS, 4)) * 1_000,
        production=made,
        deliveries=delivered,
    )


@pytest.mark.parametrize("within_volume", [True, False])
def test_later_orders_change_nothing_that_was_planned_before(within_volume: bool) -> None:
    before = firm()
    orders, production = before.orders.copy(), before.production.copy()
    orders[FIRST + 4 :] *= 3
    production[FIRST + 5 :] *= 2
    changed = dataclasses.replace(before, orders=orders, production=production)
    plans = [supplygraph.planned(one, within_volume=within_volume) for one in (before, changed)]
    assert np.array_equal(plans[0][:5], plans[1][:5])
    assert not np.array_equal(plans[0][5:], plans[1][5:])


def test_the_plan_within_the_volume_never_makes_more_in_a_day() -> None:
    found = firm()
    made = supplygraph.planned(found, within_volume=True)
    assert (made.sum(axis=1) <= found.production[FIRST:].sum(axis=1)).all()


def test_a_quantity_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    for name in ("sales_order", "production", "delivery"):
        (tmp_path / f"{name}_2023-01_to_05.csv").write_text("Date,A\n2023-01-01,1.5\n2023-01-02,many\n")
    with pytest.raises(UnlikeSupplyGraph, match=r"sales_order.*, row 3, A: 'many' is not a quantity"):
        supplygraph.read(tmp_path)
