"""Seeded replenishment problems of any size for the planning tests; figures are invented, shapes are a retailer's."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from scm.planning.problem import ReplenishmentProblem


def problem_of(**arrays: Any) -> ReplenishmentProblem:
    """Build a problem from what matters to a test; everything else is neutral."""
    need = np.atleast_2d(np.asarray(arrays.pop("need")))
    items, opportunities = need.shape
    suppliers = len(np.atleast_1d(arrays.get("joint_order_cost", [0.0])))
    plain: dict[str, Any] = {
        "supplier": np.zeros(items, dtype=np.int64),
        "safety_stock": np.zeros(items, dtype=np.int64),
        "unit_price": np.full(items, 10.0),
        "order_multiple": np.ones(items, dtype=np.int64),
        "minimum_order_quantity": np.zeros(items, dtype=np.int64),
        "holding_cost": np.full(items, 0.1),
        "shortage_cost": np.full(items, 5.0),
        "safety_shortage_cost": np.full(items, 1.0),
        "mean_demand": np.full(items, 10.0),
        "line_cost": np.zeros(items),
        "joint_order_cost": np.zeros(suppliers),
        "minimum_value": np.zeros(suppliers),
        "order_today": np.ones(suppliers, dtype=np.bool_),
        "budget": np.full(opportunities, np.inf),
    }
    return ReplenishmentProblem(need=need, **(plain | arrays))


def with_changes(problem: ReplenishmentProblem, **changes: Any) -> ReplenishmentProblem:
    """Return the same problem with some fields changed, checked again."""
    return dataclasses.replace(problem, **changes)


def retailer(
    *,
    items: int,
    suppliers: int,
    opportunities: int = 4,
    seed: int = 0,
    minimum_value_orders: float = 1.0,
    budget_rate: float | None = None,
    today_rate: float = 0.8,
) -> ReplenishmentProblem:
    """Return a problem of a general merchandise retailer.

    `minimum_value_orders`: supplier minimum as a multiple of an average order's value; `budget_rate`: budget as a
    share of the money the needs of an opportunity are worth on average.
    """
    random = np.random.default_rng(seed)
    weekly = np.exp(random.normal(1.2, 1.5, items)).clip(0.05, 400)
    price = np.exp(random.normal(1.2, 1.0, items)).clip(0.3, 200)
    supplier = np.sort(random.integers(0, suppliers, items))
    weeks_ahead = random.integers(2, 6, suppliers)[supplier]
    safety = np.ceil((0.4 + 0.8 / np.sqrt(weekly)) * weekly * 1.3 * np.sqrt(weeks_ahead)).astype(np.int64)
    position = (weekly * random.uniform(0.3, 2.6, items) * weeks_ahead).round().astype(np.int64)
    path = weekly[:, None] * random.gamma(20, 1 / 20, (items, opportunities))
    target = np.round(weekly[:, None] * weeks_ahead[:, None] + np.cumsum(path, axis=1) - path[:, :1])
    need = target.astype(np.int64) + safety[:, None] - position[:, None]
    multiple = random.choice([1, 6, 12, 24], items, p=[0.35, 0.25, 0.25, 0.15])
    multiple = np.where(multiple > 4 * weekly.clip(1), 1, multiple)
    minimum = multiple * random.choice([1, 1, 1, 2, 4, 8], items)
    order_worth = np.asarray(np.bincount(supplier, weekly * price, suppliers), dtype=np.float64)
    budget = np.full(opportunities, np.inf)
    if budget_rate is not None:
        worth = float((np.maximum(need, 0)[:, -1] * price).sum()) / opportunities
        budget = np.full(opportunities, budget_rate * worth)
    return ReplenishmentProblem(
        supplier=supplier,
        need=need,
        safety_stock=safety,
        unit_price=price,
        order_multiple=multiple,
        minimum_order_quantity=np.where(minimum > multiple, minimum, 0),
        holding_cost=price * 0.25 / 52,
        shortage_cost=price * random.uniform(0.3, 0.8, items),
        safety_shortage_cost=price * 0.08,
        mean_demand=weekly,
        line_cost=np.where(random.random(items) < 0.3, 0.5, 0.0),
        joint_order_cost=random.uniform(15, 80, suppliers),
        minimum_value=order_worth * minimum_value_orders,
        order_today=random.random(suppliers) < today_rate,
        budget=budget,
    )
