"""Textbook figures, rounding, and which part of safety stock a change of the supplier moves."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scm.planning import policy
from scm.planning.checks import InvalidPlanningInput

AMOUNT = st.floats(0, 1e4, allow_nan=False)


@pytest.fixture(scope="module")
def textbook(data_directory: Path) -> dict[str, dict[str, Any]]:
    instances = json.loads((data_directory / "inventory_textbook" / "instances.json").read_text())
    return {instance["name"]: instance["data"] for instance in instances}


@pytest.mark.data
def test_textbook_lot_sizes_are_reproduced(textbook: dict[str, dict[str, Any]]) -> None:
    assert policy.economic_order_quantity(**textbook["example_3_1"]) == pytest.approx(304.0467800264)
    assert policy.newsvendor(**textbook["example_4_1"]) == pytest.approx(56.6039559274)
    example = textbook["example_3_9"]
    cost, orders = policy.wagner_whitin(
        demand=example["demand"], fixed_cost=example["fixed_cost"], holding_cost=example["holding_cost"]
    )
    assert (cost, orders) == (1380.0, [210.0, 0.0, 150.0, 0.0])


@pytest.mark.data
@pytest.mark.parametrize("name", ["example_3_9", "problem_3_27", "problem_3_29", "scmo_ww_hw_c"])
def test_wagner_whitin_is_the_best_of_every_order_pattern(textbook: dict[str, dict[str, Any]], name: str) -> None:
    data = textbook[name]
    demand, prices = data["demand"], data.get("purchase_cost", [0.0] * data["num_periods"])
    best = math.inf
    for pattern in range(1, 2 ** len(demand), 2):
        cost, last = 0.0, 0
        for t, wanted in enumerate(demand):
            if pattern >> t & 1:
                cost, last = cost + data["fixed_cost"], t
            cost += wanted * (prices[last] + data["holding_cost"] * (t - last))
        best = min(best, cost)
    cost, _ = policy.wagner_whitin(
        demand=demand, fixed_cost=data["fixed_cost"], holding_cost=data["holding_cost"], purchase_cost=prices
    )
    assert cost == pytest.approx(best)


@given(mean=AMOUNT, above=AMOUNT, per_day=st.floats(0, 500), spread=st.floats(0, 30), z=st.floats(0, 3))
def test_the_level_is_demand_plus_both_parts_and_rounded_once(
    mean: float, above: float, per_day: float, spread: float, z: float
) -> None:
    targets = _targets(mean, mean + above, per_day, spread, z)
    level = int(targets.order_up_to_level[0])
    exact = mean + math.hypot(above, z * per_day * spread)
    assert level == int((targets.demand + targets.safety_stock)[0])
    assert min(targets.safety_demand[0], targets.safety_lead_time[0]) >= 0
    assert exact - 0.5 - 1e-6 <= level < exact + 1 + 1e-6


def test_a_less_punctual_supplier_changes_only_the_lead_time_part() -> None:
    before, after = _targets(100, 130, 10, 2, 1.645), _targets(100, 130, 10, 4, 1.645)
    assert before.safety_demand == after.safety_demand
    assert after.safety_lead_time > before.safety_lead_time


def test_a_quantile_below_the_mean_gives_no_safety_stock() -> None:
    assert _targets(0.6, 0.0, 0.02, 0, 1.645).safety_stock[0] == 0


def test_a_missing_forecast_is_refused_by_its_position() -> None:
    with pytest.raises(InvalidPlanningInput, match=r"demand_mean\[1\] is nan"):
        policy.stock_targets(
            demand_mean=[1.0, math.nan],
            demand_quantile=[2.0, 2.0],
            mean_demand_per_day=[0.1, 0.1],
            lead_time_sd_days=[0.0, 0.0],
            z=1.0,
        )


def _targets(mean: float, quantile: float, per_day: float, spread: float, z: float) -> policy.StockTargets:
    return policy.stock_targets(
        demand_mean=np.array([mean]),
        demand_quantile=np.array([quantile]),
        mean_demand_per_day=np.array([per_day]),
        lead_time_sd_days=np.array([spread]),
        z=z,
    )
