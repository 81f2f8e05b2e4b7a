"""Netting through all levels: the orders against a plain plan, their exact accounts, and what must never rise."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scm.planning import multilevel
from scm.planning.checks import InvalidPlanningInput
from scm.planning.lots import NO_LIMIT
from scm.planning.multilevel import Plan, Situation
from tests.planning import making

GOLDEN = sorted((Path(__file__).parent.parent / "golden" / "making").glob("*.json"))
BUCKETS = 10

many = making.situations(items=4, buckets=BUCKETS, minimums=True, limits=True)
without_minimums = making.situations(items=1, buckets=BUCKETS, minimums=False, limits=True)
with_minimums = making.situations(items=1, buckets=BUCKETS, minimums=True, limits=False)
extra = st.tuples(st.integers(0, BUCKETS - 1), st.integers(1, 9))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_plan_is_the_expected_one(path: Path) -> None:
    golden: dict[str, Any] = json.loads(path.read_text())
    given_ = golden["situation"]
    fields: dict[str, Any] = {
        name: np.array(value) if isinstance(value, list) else value for name, value in given_.items()
    }
    situation = making.situation_of(**fields)
    plan = multilevel.plan(situation=situation, structure=making.structure_of(given_["items"], golden["lines"]))
    expected = golden["expected"]
    orders = [orders_of(plan)[number] | {"late": int(late)} for number, late in enumerate(plan.orders.late)]
    assert orders == expected["orders"], golden["why"]
    cuts = zip(*(getattr(plan.cuts, name).tolist() for name in ("item", "release", "wanted", "kept")), strict=True)
    assert [list(cut) for cut in cuts] == expected["cuts"], golden["why"]


@given(many, making.lines(items=4))
def test_the_plan_is_the_one_worked_out_bucket_by_bucket(
    situation: Situation, lines: list[tuple[int, int, int, int]]
) -> None:
    plan = multilevel.plan(situation=situation, structure=making.structure_of(4, lines))
    rows = zip(plan.orders.item.tolist(), plan.orders.release.tolist(), plan.orders.quantity.tolist(), strict=True)
    assert list(rows) == making.planned_plainly(situation, lines)


@given(many, making.lines(items=4))
def test_every_quantity_is_the_exact_sum_of_its_account(
    situation: Situation, lines: list[tuple[int, int, int, int]]
) -> None:
    orders = multilevel.plan(situation=situation, structure=making.structure_of(4, lines)).orders
    assert sum(orders.terms.values(), np.zeros(len(orders.item), dtype=np.int64)).tolist() == orders.quantity.tolist()
    for name in ("yield_loss", "minimum", "multiple"):
        assert (orders.terms[name] >= 0).all()
    assert (orders.terms["cover_limit"] <= 0).all()


@given(many, making.lines(items=4))
def test_every_order_keeps_its_minimum_and_multiple(
    situation: Situation, lines: list[tuple[int, int, int, int]]
) -> None:
    orders = multilevel.plan(situation=situation, structure=making.structure_of(4, lines)).orders
    assert (orders.quantity % situation.lots.multiple[orders.item] == 0).all()
    assert (orders.quantity >= situation.lots.minimum[orders.item]).all()
    assert (orders.quantity > 0).all()


@given(many, making.lines(items=4))
def test_stock_stays_above_its_safety_but_where_lead_time_or_cover_limit_forbid(
    situation: Situation, lines: list[tuple[int, int, int, int]]
) -> None:
    plan = multilevel.plan(situation=situation, structure=making.structure_of(4, lines))
    for item in range(4):
        if situation.lots.cover_limit[item] == NO_LIMIT:
            reached = plan.projected_available[item, situation.lots.lead_time[item] :]
            assert (reached >= situation.safety_stock[item]).all()


@given(st.one_of(without_minimums, with_minimums), extra)
def test_more_stock_or_supply_never_raises_what_is_released_today(situation: Situation, more: tuple[int, int]) -> None:
    before = released_today(situation)
    assert released_today(with_stock(situation, more[1])) <= before
    assert released_today(with_supply(situation, *more)) <= before


@given(without_minimums, extra)
def test_more_stock_or_supply_never_raises_the_planned_quantity(situation: Situation, more: tuple[int, int]) -> None:
    before = planned(situation)
    assert planned(with_stock(situation, more[1])) <= before
    assert planned(with_supply(situation, *more)) <= before


@given(with_minimums, extra)
def test_with_a_minimum_the_planned_quantity_rises_by_less_than_one_minimum(
    situation: Situation, more: tuple[int, int]
) -> None:
    lot = max(int(situation.lots.minimum[0]), 1) + int(situation.lots.multiple[0])
    before = planned(situation)
    assert planned(with_stock(situation, more[1])) < before + lot
    assert planned(with_supply(situation, *more)) < before + lot


@given(many, st.integers(1, 6))
def test_a_cover_limit_keeps_stock_within_so_many_days_of_demand(situation: Situation, limit: int) -> None:
    limited = with_lots(situation, cover_limit=np.full(4, limit))
    plan = multilevel.plan(situation=limited, structure=making.structure_of(4, []))
    gross = np.maximum(
        np.floor(np.cumsum(limited.forecast, axis=1) + 0.5), np.cumsum(limited.confirmed, axis=1)
    ) + np.cumsum(limited.allocated, axis=1)
    for item, arrival in zip(plan.orders.item.tolist(), plan.orders.arrival.tolist(), strict=True):
        last = arrival + limit - 1
        if last >= BUCKETS:
            continue
        ahead = gross[item, last] - gross[item, arrival]
        supplied = limited.supply[item, : last + 1].sum() + limited.returns[item, : last + 1].sum()
        needed_first = supplied > 0  # dated supply may come after the need it would have met
        stock = plan.projected_available[item, arrival]
        assert stock <= limited.safety_stock[item] + ahead or needed_first


def test_a_horizon_shorter_than_a_lead_time_is_refused() -> None:
    with pytest.raises(InvalidPlanningInput, match=r"lead_time\[1\] is 5: the horizon has only 5 buckets"):
        making.situation_of(items=2, buckets=5, lots={"lead_time": np.array([4, 5])})


def orders_of(plan: Plan) -> list[dict[str, int]]:
    names = ("item", "release", "arrival", "due", "quantity", "output")
    columns = [getattr(plan.orders, name).tolist() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def alone(situation: Situation) -> Plan:
    return multilevel.plan(situation=situation, structure=making.structure_of(len(situation.on_hand), []))


def planned(situation: Situation) -> int:
    return int(alone(situation).orders.quantity.sum())


def released_today(situation: Situation) -> int:
    orders = alone(situation).orders
    return int(orders.quantity[orders.release == 0].sum())


def with_stock(situation: Situation, more: int) -> Situation:
    return dataclasses.replace(situation, on_hand=situation.on_hand + more)


def with_supply(situation: Situation, bucket: int, more: int) -> Situation:
    supply = situation.supply.copy()
    supply[:, bucket] += more
    return dataclasses.replace(situation, supply=supply)


def with_lots(situation: Situation, **changes: Any) -> Situation:
    return dataclasses.replace(situation, lots=dataclasses.replace(situation.lots, **changes))


def test_what_is_short_before_an_order_can_arrive_is_not_ordered_twice() -> None:
    """10 were due yesterday and 20 arrive in three days, when a new order could arrive, too: nothing is ordered."""
    supply = np.array([[0, 0, 0, 20, 0, 0]])
    situation = making.situation_of(
        items=1, buckets=6, backordered=np.array([10]), supply=supply, lots={"lead_time": np.array([3])}
    )
    assert planned(situation) == 0
