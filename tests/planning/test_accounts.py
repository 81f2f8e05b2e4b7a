"""From stored inputs to an account: netting, exact sums, and the same terms counted again by other code."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scm.planning import alternatives, explain, feasibility, policy, recount, replenishment, requirements
from scm.planning.checks import InvalidPlanningInput
from scm.planning.problem import Settings
from tests.planning.instances import problem_of

DAYS, ITEMS, OPPORTUNITIES = 30, 6, 3


def situation(seed: int):  # type: ignore[no-untyped-def]
    """Random stored inputs of six items of one supplier, and everything computed from them."""
    random = np.random.default_rng(seed)
    forecast = random.gamma(2.0, 1.0, (ITEMS, 1)) * np.ones((1, DAYS))
    ends = np.tile([14, 21, 28], (ITEMS, 1))
    mean = forecast[:, :14].sum(axis=1)
    inputs = {
        "demand_mean": mean,
        "demand_quantile": mean + random.uniform(-2, 20, ITEMS).clip(-mean),
        "mean_demand_per_day": forecast[:, 0],
        "lead_time_sd_days": random.uniform(0, 4, ITEMS),
        "z": np.full(ITEMS, 1.645),
    }
    targets = policy.stock_targets(**inputs)
    positions = requirements.Positions(
        on_hand=random.integers(0, 60, ITEMS),
        backordered=random.integers(0, 5, ITEMS) * (random.random(ITEMS) < 0.3),
        supply=random.integers(0, 30, (ITEMS, DAYS)) * (random.random((ITEMS, DAYS)) < 0.03),
        forecast=forecast,
        confirmed=random.integers(0, 20, (ITEMS, DAYS)) * (random.random((ITEMS, DAYS)) < 0.1),
        dependent=random.integers(0, 15, (ITEMS, DAYS)) * (random.random((ITEMS, DAYS)) < 0.1),
        safety_demand=targets.safety_demand,
        safety_lead_time=targets.safety_lead_time,
        returns=random.uniform(0, 0.2, (ITEMS, DAYS)) * (random.random((ITEMS, 1)) < 0.5),
        protection_end=ends,
    )
    needs = requirements.net(positions=positions)
    price = random.uniform(1, 9, ITEMS)
    problem = problem_of(
        need=needs.need,
        safety_stock=needs.safety_stock,
        unit_price=price,
        order_multiple=random.integers(1, 13, ITEMS),
        minimum_order_quantity=random.integers(0, 40, ITEMS),
        holding_cost=price * 0.01,
        shortage_cost=price * 0.5,
        safety_shortage_cost=price * 0.1,
        mean_demand=forecast[:, 0] * 7,
        joint_order_cost=np.array([20.0]),
        minimum_value=np.array([float(random.choice([0, 200, 900]))]),
        budget=np.array([math.inf if random.random() < 0.5 else 300.0, math.inf, math.inf]),
    )
    plan = replenishment.solve(problem, settings=Settings())
    quantiles = mean[:, None] * np.array([[0.8, 1.0, 1.6]])
    accounts = explain.account_for(
        problem, plan, needs, quantile_probabilities=np.array([0.3, 0.5, 0.95]), demand_quantiles=quantiles
    )
    return inputs, positions, problem, plan, accounts


@given(st.integers(0, 10_000))
def test_every_account_adds_up_and_is_the_same_counted_again(seed: int) -> None:
    inputs, positions, problem, plan, accounts = situation(seed)
    assert feasibility.check(problem, plan) == []
    explained = {account.item for account in accounts}
    assert explained >= set(np.flatnonzero(plan.quantities[:, 0]).tolist())
    for account in accounts:
        item = account.item
        stored = recount.StoredInputs(
            on_hand=int(positions.on_hand[item]),
            backordered=int(positions.backordered[item]),
            supply=positions.supply[item].tolist(),
            forecast=positions.forecast[item].tolist(),
            confirmed=positions.confirmed[item].tolist(),
            dependent=positions.dependent[item].tolist(),
            returns=positions.returns[item].tolist(),
            protection_buckets=14,
            order_multiple=int(problem.order_multiple[item]),
            minimum_order_quantity=int(problem.minimum_order_quantity[item]),
            quantity=account.quantity,
            demand_mean=float(inputs["demand_mean"][item]),
            demand_quantile=float(inputs["demand_quantile"][item]),
            mean_demand_per_day=float(inputs["mean_demand_per_day"][item]),
            lead_time_sd_days=float(inputs["lead_time_sd_days"][item]),
            z=float(inputs["z"][item]),
        )
        assert sum(account.terms.values()) == account.quantity == plan.quantities[item, 0]
        assert recount.terms(stored) == account.terms
        assert tuple(account.terms) == explain.TERMS
        assert account.need == problem.need[item, 0]
        assert account.binding in explain.BINDING
        assert 0.0 <= account.stock_out_risk <= 1.0
        assert (account.alternative is None) == (account.quantity == 0)


def account_of(item: int = 0, **fields):  # type: ignore[no-untyped-def]
    """Account of one item whose need is all demand."""
    problem = problem_of(**fields)
    nothing = np.zeros(problem.items, dtype=np.int64)
    needs = requirements.Requirements(
        demand=np.maximum(problem.need, 0),
        confirmed_orders=np.zeros_like(problem.need),
        dependent=np.zeros_like(problem.need),
        backordered=nothing,
        safety_demand=nothing,
        safety_lead_time=nothing,
        on_hand=np.maximum(-problem.need[:, 0], 0),
        on_order=np.zeros_like(problem.need),
        expected_returns=np.zeros_like(problem.need),
        need=problem.need,
        projected_available=problem.need,
    )
    plan = replenishment.solve(problem, settings=Settings())
    found = explain.account_for(
        problem,
        plan,
        needs,
        quantile_probabilities=np.array([0.5, 0.9]),
        demand_quantiles=np.tile([5.0, 10.0], (problem.items, 1)),
    )
    return next(account for account in found if account.item == item)


def test_what_reaches_the_supplier_minimum_is_called_fill_and_named() -> None:
    account = account_of(need=[[20]], minimum_value=np.array([300.0]))
    assert (account.terms["fill"], account.binding) == (10, "supplier_minimum_value")


def test_what_the_budget_leaves_out_is_called_cut_and_named() -> None:
    account = account_of(need=[[20]], order_multiple=np.array([5]), budget=np.array([120.0]))
    assert (account.quantity, account.terms["cut"], account.binding) == (10, -10, "budget")


def test_a_fill_of_an_item_with_more_than_enough_shows_the_surplus() -> None:
    account = account_of(
        item=1, need=[[20, 20], [-3, 4]], minimum_value=np.array([260.0]), joint_order_cost=np.array([50.0])
    )
    assert account.terms["surplus"] == 3
    assert account.terms["fill"] == account.quantity > 0


def test_the_next_best_option_costs_what_the_independent_check_says() -> None:
    problem = problem_of(need=[[20, 25], [10, 30]], order_multiple=np.array([5, 1]), joint_order_cost=np.array([3.0]))
    plan = replenishment.solve(problem, settings=Settings())
    ordered = np.flatnonzero(plan.quantities[:, 0])
    for item, other in zip(ordered.tolist(), alternatives.next_best(problem, plan, ordered), strict=True):
        changed = plan.quantities.copy()
        if other.later == "moved":
            changed[item, 1] += changed[item, 0] - other.quantity
        changed[item, 0] = other.quantity
        extra = feasibility.objective_of(problem, changed.tolist()) - plan.objective
        assert other.extra_cost == pytest.approx(extra)
        assert other.extra_cost >= 0


def test_where_no_item_can_change_alone_the_alternative_is_to_leave_out_the_whole_order() -> None:
    problem = problem_of(need=[[30]], minimum_value=np.array([300.0]), budget=np.array([300.0]), joint_order_cost=[7.0])
    plan = replenishment.solve(problem, settings=Settings())
    (other,) = alternatives.next_best(problem, plan, np.array([0]))
    assert (other.kind, other.quantity) in {("skip", 0), ("skip_supplier_order", 0)}
    assert other.extra_cost == pytest.approx(30 * 5.0 - 7.0)


def test_requirements_of_another_problem_are_refused() -> None:
    _, positions, problem, plan, _ = situation(1)
    other = requirements.net(positions=positions)
    wrong = problem_of(need=problem.need + 1)
    with pytest.raises(InvalidPlanningInput, match=r"requirements.need\[0, 0\]"):
        explain.account_for(
            wrong, plan, other, quantile_probabilities=np.array([0.5]), demand_quantiles=np.ones((ITEMS, 1))
        )


@given(st.integers(0, 1000), st.integers(0, 29), st.integers(0, 40))
def test_confirmed_supply_and_stock_never_raise_a_need(seed: int, day: int, more: int) -> None:
    _, positions, _, _, _ = situation(seed % 20)
    before = requirements.net(positions=positions)
    supply = positions.supply.copy()
    supply[:, day] += more
    fields = {name: getattr(positions, name) for name in requirements.Positions.__dataclass_fields__}
    supplied = requirements.net(positions=requirements.Positions(**(fields | {"supply": supply})))
    stocked = requirements.net(positions=requirements.Positions(**(fields | {"on_hand": positions.on_hand + more})))
    assert (supplied.need <= before.need).all()
    assert (stocked.need == before.need - more).all()
    assert (stocked.net_requirement.sum(axis=1) <= before.net_requirement.sum(axis=1)).all()


def test_a_forecast_that_ends_too_early_is_refused() -> None:
    _, positions, _, _, _ = situation(0)
    fields = {name: getattr(positions, name) for name in requirements.Positions.__dataclass_fields__}
    with pytest.raises(InvalidPlanningInput, match="the forecast covers only 30 buckets"):
        requirements.Positions(**(fields | {"protection_end": positions.protection_end + 20}))
