"""Which sale a return reverses, and which sales never were demand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.importing.files import Looked, look, retail, write


def matched(looked: Looked) -> list[int]:
    """For each line, the place of the sale it reverses, or -1."""
    sales: list[int] = looked.decided.matches.sale.tolist()
    return sales


def never(looked: Looked) -> list[bool]:
    flags: list[bool] = looked.decided.matches.never_demand.tolist()
    return flags


def back(quantity: int, at: str, **other: str) -> str:
    return retail(invoice="C5", quantity=-quantity, at=at, **other)


def test_a_return_reverses_the_latest_earlier_sale_with_enough_left(tmp_path: Path) -> None:
    looked = look(
        write(
            tmp_path,
            retail(quantity=10, at="2010-12-01 08:00:00"),
            retail(quantity=10, at="2010-12-02 08:00:00"),
            retail(quantity=2, at="2010-12-03 08:00:00"),
            back(8, "2010-12-05 08:00:00"),
            back(5, "2010-12-06 08:00:00"),
            retail(quantity=10, at="2010-12-07 08:00:00"),
        )
    )
    assert matched(looked) == [-1, -1, -1, 1, 0, -1]


def test_a_sale_at_the_price_of_the_return_goes_before_a_later_one(tmp_path: Path) -> None:
    looked = look(
        write(
            tmp_path,
            retail(at="2010-12-01 08:00:00", price="1.25"),
            retail(at="2010-12-02 08:00:00", price="2.50"),
            back(3, "2010-12-05 08:00:00", price="1.25"),
            back(3, "2010-12-06 08:00:00", price="9.99"),
        )
    )
    assert matched(looked) == [-1, -1, 0, 1]


def test_another_customer_another_item_or_nobody_is_no_match(tmp_path: Path) -> None:
    looked = look(
        write(
            tmp_path,
            retail(at="2010-12-01 08:00:00"),
            retail(at="2010-12-01 08:00:00", customer=""),
            back(3, "2010-12-05 08:00:00", customer="12347.0"),
            back(3, "2010-12-05 08:00:00", sku="22423"),
            back(3, "2010-12-05 08:00:00", customer=""),
            back(13, "2010-12-05 08:00:00"),
        )
    )
    assert matched(looked) == [-1] * 6


def test_a_bulk_order_cancelled_within_minutes_was_never_demand(tmp_path: Path) -> None:
    looked = look(
        write(
            tmp_path,
            retail("541431", "23166", quantity=74215, at="2011-01-18 10:01:00"),
            retail("C541433", "23166", quantity=-74215, at="2011-01-18 10:17:00"),
        )
    )
    assert never(looked) == [True, True]


def test_a_return_after_a_day_or_of_a_part_only_leaves_the_sale_as_demand(tmp_path: Path) -> None:
    looked = look(
        write(
            tmp_path,
            retail(quantity=10, at="2010-12-01 08:00:00"),
            back(10, "2010-12-02 08:00:01"),
            retail(quantity=20, at="2010-12-05 08:00:00"),
            back(5, "2010-12-05 09:00:00"),
        )
    )
    assert matched(looked) == [-1, 0, -1, 2]
    assert never(looked) == [False] * 4


def test_a_cancellation_that_comes_after_a_day_was_not_known_on_it(tmp_path: Path) -> None:
    looked = look(
        write(
            tmp_path,
            retail(quantity=10, at="2010-12-01 20:00:00"),
            back(10, "2010-12-02 08:00:00"),
        )
    )
    assert looked.decided.never_demand_by(date(2010, 12, 2).toordinal()).tolist() == [False, False]
    assert looked.decided.never_demand_by(date(2010, 12, 3).toordinal()).tolist() == [True, True]
