"""Each kind of line the retailer's export holds, and what it is taken for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importing.files import look, retail, write


def kinds_of(directory: Path, *lines: str) -> list[str]:
    return look(write(directory, *lines)).kinds


def test_a_line_with_quantity_and_price_is_a_sale(tmp_path: Path) -> None:
    assert kinds_of(tmp_path, retail()) == ["sale"]


def test_a_sale_without_customer_is_a_sale_to_nobody_known(tmp_path: Path) -> None:
    looked = look(write(tmp_path, retail(customer="")))
    assert looked.kinds == ["sale"]
    assert looked.decided.lines.customer_values == [""]


def test_free_goods_to_a_known_customer_are_a_sale(tmp_path: Path) -> None:
    assert kinds_of(tmp_path, retail(price="0.0")) == ["sale"]


def test_a_c_before_the_invoice_makes_a_return(tmp_path: Path) -> None:
    assert kinds_of(tmp_path, retail(invoice="C489449", quantity=-3)) == ["return"]


@pytest.mark.parametrize("comment", ["?", "damages", "thrown away", "ebay sales", ""])
def test_a_write_off_is_an_adjustment_whatever_its_comment(tmp_path: Path, comment: str) -> None:
    line = retail(description=comment, quantity=-96, price="0.0", customer="")
    assert kinds_of(tmp_path, line) == ["adjustment"]


def test_found_stock_is_an_adjustment(tmp_path: Path) -> None:
    assert kinds_of(tmp_path, retail(description="found", quantity=96, price="0.0", customer="")) == ["adjustment"]


@pytest.mark.parametrize(
    "code",
    [
        "POST",
        "DOT",
        "M",
        "m",
        "C2",
        "C3",
        "D",
        "S",
        "B",
        "BANK CHARGES",
        "ADJUST",
        "ADJUST2",
        "AMAZONFEE",
        "CRUK",
        "PADS",
        "gift_0001_20",
        "GIFT",
        "TEST001",
    ],
)
def test_codes_that_are_no_goods_are_charges(tmp_path: Path, code: str) -> None:
    lines = (retail(sku=code), retail(invoice="C489449", sku=code, quantity=-1))
    assert kinds_of(tmp_path, *lines) == ["charge", "charge"]


def test_codes_that_only_look_like_charges_are_goods(tmp_path: Path) -> None:
    codes = ("POSTER", "DCGS0003", "SP1002", "15056BL")
    assert kinds_of(tmp_path, *(retail(sku=code) for code in codes)) == ["sale"] * 4


def test_bad_debt_on_an_a_invoice_is_a_charge(tmp_path: Path) -> None:
    assert kinds_of(tmp_path, retail(invoice="A506401", sku="X", quantity=1, price="-53594.36", customer="")) == [
        "charge"
    ]


def test_a_cancelled_manual_line_with_a_positive_quantity_is_a_charge(tmp_path: Path) -> None:
    assert kinds_of(tmp_path, retail(invoice="C496350", sku="M", quantity=1, price="373.57")) == ["charge"]


def test_a_cancellation_of_goods_with_a_positive_quantity_contradicts_itself(tmp_path: Path) -> None:
    rejection = look(write(tmp_path, retail(invoice="C496350", quantity=1))).only
    assert (rejection.reason, rejection.row, rejection.field, rejection.value) == (
        "sign_contradicts_kind",
        2,
        "quantity",
        "1",
    )


def test_a_negative_quantity_at_a_price_without_a_c_is_refused_with_the_mend(tmp_path: Path) -> None:
    rejection = look(write(tmp_path, retail(), retail(quantity=-5))).only
    assert (rejection.reason, rejection.row, rejection.value) == ("negative_quantity", 3, "-5")
    assert "C before its invoice number" in rejection.mend


def test_a_negative_price_of_goods_is_refused(tmp_path: Path) -> None:
    rejection = look(write(tmp_path, retail(price="-1.5"))).only
    assert (rejection.reason, rejection.field, rejection.value) == ("negative_price", "unit_price", "-1.500000")


def test_letter_case_and_spaces_do_not_make_another_item(tmp_path: Path) -> None:
    assert (
        look(write(tmp_path, retail(sku="85123A"), retail(sku="85123a"), retail(sku="85123A "))).skus == ["85123A"] * 3
    )
