"""What a run learns: lead times weighed against what was agreed, and how wrong the last forecast was."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting import signals
from forecasting.runs import PastForecast
from procurement import scorecard
from procurement.scorecard import Delivery, LeadTimes
from scm.loop import measures, targets
from scm.loop.inputs import CycleInputs, Standing
from scm.loop.making import Making
from scm.loop.sources import Source, Supplier
from scm.loop.targets import PlanSettings
from scm.stock.projection import Position

SETTINGS = PlanSettings()
days_taken = st.lists(st.integers(1, 90), min_size=1, max_size=40)


def measured(taken: list[int], *, agreed: int) -> LeadTimes:
    return scorecard.summarise([Delivery(1, days, agreed, False) for days in taken])


def counted(taken: list[int], *, agreed: int = 10, of: int = 10) -> targets.LeadTime:
    """The lead time that is counted on for an item agreed at `agreed` days, after deliveries agreed at `of`."""
    return targets.lead_time(agreed_days=agreed, measured=measured(taken, agreed=of), settings=SETTINGS)


def test_without_deliveries_the_agreement_is_counted_on() -> None:
    found = targets.lead_time(agreed_days=20, measured=None, settings=SETTINGS)
    assert (found.mean_days, found.deliveries) == (20, 0)
    assert found.sd_days == pytest.approx(20 * SETTINGS.lead_time_spread)


@given(taken=days_taken, agreed=st.integers(1, 60))
def test_the_mean_lies_between_what_was_agreed_and_what_was_measured(taken: list[int], agreed: int) -> None:
    found, mean = counted(taken, agreed=agreed, of=agreed), sum(taken) / len(taken)
    assert min(agreed, mean) - 0.01 <= found.mean_days <= max(agreed, mean) + 0.01
    assert found.deliveries == len(taken)


@given(taken=days_taken)
def test_more_deliveries_of_the_same_kind_weigh_more(taken: list[int]) -> None:
    mean = sum(taken) / len(taken)
    few, many = counted(taken), counted(taken * 10)
    assert abs(many.mean_days - mean) <= abs(few.mean_days - mean) + 0.01


@given(taken=days_taken)
def test_twice_the_delay_is_a_longer_and_less_certain_lead_time(taken: list[int]) -> None:
    once, twice = counted(taken), counted([2 * days for days in taken])
    assert twice.mean_days > once.mean_days
    assert twice.sd_days >= once.sd_days


def test_long_and_short_lead_times_of_a_supplier_learn_from_each_other() -> None:
    """Twice as slow as agreed over ten days means twice as slow over thirty, as far as it is believed."""
    short, long = counted([20, 20, 20]), counted([20, 20, 20], agreed=30)
    assert short.mean_days == 15  # three deliveries against a prior of three
    assert long.mean_days == 3 * short.mean_days
    assert long.sd_days == pytest.approx(3 * short.sd_days)


def test_a_supplier_agreed_at_no_days_at_all_teaches_nothing() -> None:
    assert counted([5, 5], agreed=4, of=0).mean_days == 4


def inputs(demand: list[list[float]], past: PastForecast | None, seen: LeadTimes | None = None) -> CycleInputs:
    """Items 11, 12, … of one supplier with the code S1."""
    count = len(demand)
    return CycleInputs(
        company_id=1,
        currency="GBP",
        site_id=1,
        as_of=date(2026, 9, 13),
        sources=tuple(source(11 + row) for row in range(count)),
        suppliers={7: supplier(seen)},
        demand=np.array(demand),
        standing=Standing(
            positions=tuple(Position() for _ in demand),
            undecided=tuple(() for _ in demand),
            started=tuple(() for _ in demand),
            to_start=tuple(() for _ in demand),
        ),
        making=Making(),
        made_demand=np.zeros((0, 0)),
        made_standing=Standing(positions=(), undecided=(), started=(), to_start=()),
        returns=signals.ReturnRates(by_item={}, overall=0.0, resellable_share=0.8),
        budget=(),
        past=past,
        defects={},
    )


def source(item_id: int) -> Source:
    return Source(
        item_id=item_id,
        sku=f"sku-{item_id}",
        category_id=0,
        sale_price=None,
        agreement_id=item_id,
        supplier_id=7,
        lead_time_days=10,
        minimum_order_quantity=1,
        order_multiple=1,
        unit_price=Decimal(1),
        assumed=(),
    )


def supplier(seen: LeadTimes | None) -> Supplier:
    return Supplier(
        supplier_id=7,
        code="S1",
        review_period_days=7,
        review_weekday=None,
        joint_order_cost=0,
        minimum_order_value=0,
        assumed=(),
        measured=seen,
    )


def past(item_ids: list[int], mean: list[float]) -> PastForecast:
    return PastForecast(run_id=1, as_of_date=date(2026, 9, 6), item_ids=np.array(item_ids), mean=np.array(mean))


def test_the_error_of_the_last_forecast_is_measured_on_the_week_since() -> None:
    """Demand 10 and 30 against a forecast of 12 and 20: wrong by 12 of 40, short by 8 of 40; item 99 has gone."""
    found = measures.measure(inputs([[5.0, 10.0], [math.nan, 30.0]], past([99, 12, 11], [7.0, 20.0, 12.0])))
    assert found["forecast"] == {
        "as_of": "2026-09-06",
        "items": 2,
        "demand": 40.0,
        "wape": 0.3,
        "bias": -0.2,
        "naive_wape": 0.875,  # 5 and nothing, as in the week before
        "by_class": [],
    }


@pytest.mark.parametrize("forecast", [None, past([], []), past([99], [3.0])])
def test_without_a_forecast_of_these_items_nothing_is_measured(forecast: PastForecast | None) -> None:
    assert measures.measure(inputs([[5.0, 10.0]], forecast))["forecast"] is None


def test_a_week_without_demand_has_no_relative_error() -> None:
    found: dict[str, Any] = measures.measure(inputs([[5.0, 0.0]], past([11], [3.0])))["forecast"]
    assert (found["wape"], found["bias"], found["demand"]) == (None, None, 0.0)


def test_suppliers_a_fifth_slower_than_agreed_are_named() -> None:
    late = measures.measure(inputs([[1.0]], None, measured([12, 12], agreed=10)))["late_suppliers"]
    assert [(one["supplier"], one["deliveries"], one["mean_days"]) for one in late] == [("S1", 2, "12.000")]
    assert measures.measure(inputs([[1.0]], None, measured([11, 11], agreed=10)))["late_suppliers"] == []


def test_two_sets_of_inputs_have_one_hash_only_if_they_are_equal() -> None:
    one = inputs([[5.0, 10.0]], None)
    assert one.digest() == inputs([[5.0, 10.0]], past([11], [3.0])).digest(), "the last forecast decides nothing"
    assert one.digest() != inputs([[5.0, 11.0]], None).digest()
    assert one.digest() != inputs([[5.0, 10.0]], None, measured([11], agreed=10)).digest()
