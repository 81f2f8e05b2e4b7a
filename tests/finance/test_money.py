"""Amounts are exact until their one rounding, and parts add up."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scm.finance import money
from scm.finance.averages import CostBroken, Issued, StockCost
from scm.finance.money import BadAmount

amounts = st.integers(min_value=-(10**12), max_value=10**12)
prices = st.decimals(min_value=0, max_value=10**6, places=6)
quantities = st.integers(min_value=1, max_value=10**6)


@given(prices, quantities, st.sampled_from(["GBP", "JPY", "KWD", "CLF"]))
def test_a_line_is_quantity_times_price_rounded_half_up_once(price: Decimal, quantity: int, currency: str) -> None:
    unit = Decimal(1).scaleb(-money.places(currency))
    rounded = (price * quantity).quantize(unit, rounding=ROUND_HALF_UP)
    assert money.line_amount(price, quantity, currency=currency) == int(rounded.scaleb(money.places(currency)))


@given(amounts, st.lists(st.integers(min_value=0, max_value=10**6), min_size=1).filter(any))
def test_parts_add_up_and_none_is_a_unit_from_its_exact_share(total: int, weights: list[int]) -> None:
    parts = money.allocate(total, weights)
    assert sum(parts) == total
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    assert all(abs(part - share) <= 1 for part, share in zip(parts, exact, strict=True))


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [2, -1]])
def test_nothing_can_be_shared_out_by_no_weights(weights: list[int]) -> None:
    with pytest.raises(BadAmount, match="weights are 0 or more"):
        money.allocate(100, weights)


def test_a_price_with_too_many_places_is_refused() -> None:
    with pytest.raises(BadAmount, match="more than 6 decimal places"):
        money.line_amount(Decimal("0.0000001"), 1, currency="GBP")


@given(quantities, amounts.map(abs), st.lists(quantities, min_size=1, max_size=20))
def test_issues_never_take_more_than_is_there_and_the_last_takes_all(
    quantity: int, value: int, wishes: list[int]
) -> None:
    cost = StockCost(quantity, value)
    taken = 0
    for wish in [*wishes, quantity]:
        taken += cost.issue(min(wish, cost.quantity)) if cost.quantity else 0
        assert 0 <= cost.value <= value
    assert (cost.quantity, taken) == (0, value)


@given(quantities, amounts.map(abs), st.data())
def test_returns_in_parts_together_enter_at_exactly_what_the_issue_took(
    quantity: int, value: int, data: st.DataObject
) -> None:
    issue, back, entered = Issued(quantity, value), 0, 0
    while back < quantity:
        part = data.draw(st.integers(min_value=max(1, quantity // 20), max_value=quantity)) if quantity > 1 else 1
        part = min(part, quantity - back)
        entered += issue.give_back(part, average=0)
        back += part
        assert entered <= value
    assert entered == value


def test_more_cannot_leave_than_is_there() -> None:
    with pytest.raises(CostBroken, match="3 units leave a valued stock of 2"):
        StockCost(2, 100).issue(3)
