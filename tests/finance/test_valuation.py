"""Valuation follows the goods: what each move is worth, once, in the order it was posted."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from scm.finance import costing, valuation
from scm.finance.costs import MoveValue
from scm.finance.journal import Account, JournalEntry
from scm.finance.rates import RateMissing
from scm.master.locations import VALUED, LocationKind
from tests.finance.books import Books


def test_a_receipt_enters_at_its_expected_cost_and_the_last_unit_takes_all(books: Books) -> None:
    bolt = books.world.item("bolt")
    books.receive(bolt, 3, "3.333333")
    books.value()
    assert books.cost(bolt) == (3, 1000)
    taken = [books.ship(bolt, 1) for _ in range(3)]
    books.value()
    assert [books.worth(move) for move in taken] == [-333, -334, -333]
    assert books.cost(bolt) == (0, 0)
    assert books.account(Account.COST_OF_SALES) == 1000
    assert books.account(Account.GOODS_RECEIVED) == -1000
    assert books.account(Account.INVENTORY) == 0
    assert books.findings() == []


def test_goods_have_no_value_before_valuation_runs_and_then_once(books: Books) -> None:
    bolt = books.world.item("bolt")
    books.receive(bolt, 5, "1.00")
    assert books.cost(bolt) == (0, 0)
    assert books.value() == 1
    assert books.value() == 0
    assert books.cost(bolt) == (5, 500)
    assert books.account(Account.INVENTORY) == 500


def test_two_receipts_make_one_average(books: Books) -> None:
    bolt = books.world.item("bolt")
    books.receive(bolt, 10, "1.00")
    books.receive(bolt, 10, "2.00")
    sold = books.ship(bolt, 5)
    books.value()
    assert books.worth(sold) == -750
    assert books.cost(bolt) == (15, 2250)


def test_opening_stock_stands_against_the_opening_balance(books: Books) -> None:
    bolt, nut = books.world.item("bolt"), books.world.item("nut", unit_cost="0.125")
    books.open(bolt, 4, "2.50")
    books.open(nut, 5, None)
    books.value()
    assert books.cost(bolt) == (4, 1000)
    assert books.cost(nut) == (5, 63)
    assert books.account(Account.OPENING_BALANCE) == -1063


def test_moves_inside_the_building_have_no_value(books: Books) -> None:
    bolt = books.world.item("bolt")
    books.receive(bolt, 5, "1.00")
    inside = books.lose(bolt, 2, to=books.world.setup.staging_id)
    assert books.value() == 1
    values = sa.select(MoveValue.id).where(MoveValue.move_id == inside.id)
    assert books.session.scalars(values).all() == []
    assert books.cost(bolt) == (5, 500)


def test_every_way_out_of_the_books_has_its_account(books: Books) -> None:
    bolt, places = books.world.item("bolt"), books.world.setup
    books.receive(bolt, 10, "1.00")
    books.lose(bolt, 1)
    books.lose(bolt, 2, to=places.scrap_location_id)
    sent_back = books.lose(bolt, 3, to=places.supplier_location_id)
    books.value()
    assert books.account(Account.ADJUSTMENT) == 100
    assert books.account(Account.SCRAP) == 200
    assert books.account(Account.SUPPLIER_RETURNS) == 300
    books.reverse(sent_back)
    books.value()
    assert books.account(Account.SUPPLIER_RETURNS) == 0
    assert books.account(Account.GOODS_RECEIVED) == -1000


def test_every_kind_of_place_outside_the_books_has_an_account() -> None:
    assert set(costing.COUNTER_ACCOUNTS) == set(LocationKind) - VALUED


def test_found_goods_enter_at_the_present_average_or_the_last_one_known(books: Books) -> None:
    bolt, new = books.world.item("bolt"), books.world.item("new", unit_cost="4.00")
    books.receive(bolt, 2, "1.50")
    first = books.find(bolt, 1)
    books.ship(bolt, 3)
    books.value()
    later, never_had = books.find(bolt, 2), books.find(new, 2)
    books.value()
    assert books.worth(first) == 150
    assert books.worth(later) == 300
    assert books.worth(never_had) == 800


def test_a_return_enters_at_the_cost_its_sale_took_even_when_the_average_has_changed(books: Books) -> None:
    bolt = books.world.item("bolt")
    books.receive(bolt, 3, "3.333333")
    sold = books.ship(bolt, 3)
    books.receive(bolt, 10, "9.00")
    parts = [books.take_back(bolt, 1, shipped=sold) for _ in range(3)]
    books.value()
    assert [books.worth(part) for part in parts] == [333, 334, 333]
    assert books.account(Account.COST_OF_SALES) == 0
    assert books.findings() == []


def test_a_return_in_parts_is_cumulative_over_several_runs_and_a_reversed_return(books: Books) -> None:
    bolt = books.world.item("bolt")
    books.receive(bolt, 3, "3.333333")
    sold = books.ship(bolt, 3)
    first = books.take_back(bolt, 1, shipped=sold)
    books.value()
    books.reverse(first)
    books.value()
    again = [books.take_back(bolt, 1, shipped=sold) for _ in range(2)]
    books.value()
    last = books.take_back(bolt, 1, shipped=sold)
    books.value()
    assert [books.worth(move) for move in [*again, last]] == [333, 334, 333]
    assert books.cost(bolt) == (3, 1000)
    assert books.findings() == []


def test_what_comes_back_beyond_the_named_delivery_enters_at_the_average(books: Books) -> None:
    bolt = books.world.item("bolt")
    books.receive(bolt, 10, "1.00")
    sold = books.ship(bolt, 2)
    back = books.take_back(bolt, 3, shipped=sold)
    books.value()
    assert books.worth(back) == 300
    assert books.findings() == []


def test_a_return_of_an_unknown_sale_enters_at_the_average(books: Books) -> None:
    bolt = books.world.item("bolt")
    books.receive(bolt, 4, "2.00")
    back = books.take_back(bolt, 1, shipped=None)
    books.value()
    assert books.worth(back) == 200


def test_a_reversal_has_exactly_the_value_of_what_it_reverses(books: Books) -> None:
    bolt = books.world.item("bolt")
    books.receive(bolt, 3, "3.333333")
    sold = books.ship(bolt, 1)
    books.value()
    books.receive(bolt, 7, "8.00")
    mirror = books.reverse(sold)
    books.value()
    assert books.worth(mirror) == 333
    assert books.account(Account.COST_OF_SALES) == 0
    assert books.findings() == []


def test_what_a_reversed_receipt_leaves_over_belongs_to_the_cost_of_sales(books: Books) -> None:
    bolt = books.world.item("bolt")
    books.receive(bolt, 10, "1.00")
    dear = books.receive(bolt, 10, "2.00")
    books.ship(bolt, 10)
    books.reverse(dear)
    books.value()
    assert books.cost(bolt) == (0, 0)
    assert books.account(Account.COST_OF_SALES) == 1000
    assert books.account(Account.GOODS_RECEIVED) == -1000
    assert books.findings() == []


def test_among_moves_of_one_instant_goods_enter_before_they_leave(books: Books) -> None:
    bolt = books.world.item("bolt")
    issue = books.plan(bolt, 5, books.bin, books.world.setup.customer_location_id, "sales_order")
    receipt = books.plan(bolt, 5, books.world.setup.supplier_location_id, books.bin, "purchase_order", cost="2.00")
    assert issue.id < receipt.id
    books.post(receipt)
    issue = books.post(issue)
    assert books.value() == 2
    assert books.worth(issue) == -1000
    assert books.cost(bolt) == (0, 0)


def test_a_move_of_an_earlier_day_that_is_posted_late_is_valued_too(books: Books) -> None:
    bolt = books.world.item("bolt")
    books.world.pass_days(5)
    books.receive(bolt, 1, "1.00")
    books.value()
    books.world.pass_days(-3)
    books.receive(bolt, 1, "3.00")
    assert books.value() == 1
    assert books.cost(bolt) == (2, 400)


def test_moves_valued_a_few_at_a_time_have_the_same_values(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    bolt = books.world.item("bolt")
    books.receive(bolt, 3, "3.333333")
    sold = books.ship(bolt, 3)
    parts = [books.take_back(bolt, 1, shipped=sold) for _ in range(3)]
    books.reverse(parts[2])
    monkeypatch.setattr(valuation, "MOVES_AT_ONCE", 2)
    assert books.value() == 6
    assert [books.worth(part) for part in parts] == [333, 334, 333]
    assert books.cost(bolt) == (2, 667)
    assert books.findings() == []


def test_goods_of_others_are_not_ours_to_value(books: Books) -> None:
    bolt = books.world.item("bolt")
    session = books.world.begin()
    session.execute(sa.text("INSERT INTO owner (id, code, partner_id) VALUES (77, 'consigned', NULL)"))
    move = books.plan(bolt, 5, books.world.setup.supplier_location_id, books.bin, "purchase_order", cost="2.00")
    session.execute(sa.text("UPDATE stock_move SET owner_id = 77 WHERE id = :id"), {"id": move.id})
    books.post(move)
    assert books.value() == 0
    assert books.findings() == []


def test_a_receipt_in_another_currency_needs_the_rate_of_its_day(books: Books) -> None:
    bolt = books.world.item("bolt")
    move = books.plan(bolt, 5, books.world.setup.supplier_location_id, books.bin, "purchase_order", cost="2.00")
    books.session.execute(sa.text("UPDATE stock_move SET currency = 'USD' WHERE id = :id"), {"id": move.id})
    books.post(move)
    with books.world.refuses(RateMissing, match="no rate of USD in GBP is recorded for 2026-01-05"):
        books.value()
    books.world.rate("USD", "0.75", in_days=-1)
    books.value()
    assert books.account(Account.GOODS_RECEIVED) == -750
    assert books.findings() == []


def test_a_day_becomes_few_entries_however_many_moves_it_has(books: Books) -> None:
    items = [books.world.item(f"item-{number}") for number in range(5)]
    for item in items:
        books.receive(item, 2, "1.00")
        books.ship(item, 1)
    assert books.value() == 10
    entries = books.session.scalars(
        sa.select(JournalEntry.text).where(JournalEntry.document_kind == valuation.VALUATION)
    ).all()
    assert sorted(entries) == ["goods in against goods_received", "goods out against cost_of_sales"]


@pytest.mark.parametrize("table", ["journal_entry", "posting", "move_value"])
def test_the_money_ledger_never_changes(books: Books, table: str) -> None:
    books.receive(books.world.item("bolt"), 5, "1.00")
    books.value()
    for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
        point = books.world.begin().begin_nested()
        with pytest.raises(sa.exc.IntegrityError, match=r"append-only|never changes"):
            books.session.execute(sa.text(statement))
        point.rollback()
