"""The proof of the books names every planted error, to the unit and to the penny."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.finance import reconcile
from tests.finance.books import Books


def unguarded(session: Session, statement: str) -> None:
    """This function will change a table that a trigger guards, as somebody with the keys to the database could."""
    table = statement.split()[2 if statement.startswith("DELETE") else 1]
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(sa.text(statement))
        session.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        return
    guards = sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
    triggers = session.execute(guards, {"table": table}).all()
    for name, _ in triggers:
        session.execute(sa.text(f"DROP TRIGGER {name}"))
    session.execute(sa.text(statement))
    for _, definition in triggers:
        session.execute(sa.text(definition))


@pytest.fixture
def traded(books: Books) -> Books:
    bolt = books.world.item("bolt")
    books.open(bolt, 10, "1.00")
    books.receive(bolt, 10, "2.00")
    sold = books.ship(bolt, 4)
    books.reverse(books.ship(bolt, 1))
    books.take_back(bolt, 2, shipped=sold)
    books.restock(bolt, 1)
    books.value()
    books.world.demand(bolt, 3, reserve=True)
    assert books.findings() == []
    return books


def test_true_books_are_proved_and_counted(traded: Books) -> None:
    report = reconcile.verify_books(traded.world.begin(), now=traded.world.now)
    assert report.findings == ()
    assert report.unvalued == 0
    assert report.checked["posted moves"] == 7
    assert report.checked["valued moves"] == 6
    assert report.checked["reservations"] == 1
    assert "nothing disagrees; every move is valued" in report.summary()


def test_what_is_not_valued_is_shown_with_its_age(traded: Books) -> None:
    traded.find(traded.world.item("nut"), 1)
    posted_at = traded.world.now
    traded.world.pass_days(2)
    report = reconcile.verify_books(traded.world.begin(), now=traded.world.now)
    assert (report.findings, report.unvalued, report.oldest_unvalued_at) == ((), 1, posted_at)
    assert report.unvalued_age is not None
    assert report.unvalued_age.days == 2


def test_a_unit_too_many_in_one_place_is_named(traded: Books) -> None:
    traded.session.execute(
        sa.text("UPDATE stock_balance SET on_hand = on_hand + 1 WHERE location_id = :bin"), {"bin": traded.bin}
    )
    assert traded.findings() == ["on hand: item bolt, location BIN-0001, lot -, owner own: 17, not 18"]


def test_a_balance_that_is_missing_is_named(traded: Books) -> None:
    traded.session.execute(
        sa.text("DELETE FROM stock_balance WHERE location_id = :place"), {"place": traded.world.setup.returns_id}
    )
    assert traded.findings() == ["on hand: item bolt, location MAIN-RETURNS, lot -, owner own: 1, not 0"]


def test_a_penny_too_many_in_one_posting_is_named(traded: Books) -> None:
    unguarded(
        traded.session,
        "UPDATE posting SET company_amount = company_amount + 1 WHERE id = "
        "(SELECT min(id) FROM posting WHERE account = 'inventory')",
    )
    entry = traded.session.execute(sa.text("SELECT min(id) FROM journal_entry")).scalar_one()
    place = f"journal entry {entry} (valuation 1, goods in against opening_balance)"
    assert traded.findings() == [
        f"sum of {place}: 0, not 1",
        f"inventory in {place}: 1000, not 1001",
        "account inventory of company TEST: 2700, not 2701",
    ]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE stock_pool SET on_hand = on_hand + 1", "promisable: item bolt, site MAIN"),
        ("UPDATE stock_pool SET reserved = reserved + 1", "reserved: item bolt, site MAIN"),
        ("UPDATE stock_balance SET allocated = 1 WHERE on_hand > 2", "set aside: item bolt, location BIN-0001"),
        ("UPDATE reservation SET quantity = quantity + 1", "promise to move"),
        ("UPDATE item_cost SET value = value + 1", "value of the cost of item bolt"),
        ("UPDATE item_cost SET quantity = quantity + 1", "quantity of the cost of item bolt"),
        ("UPDATE move_value SET quantity = quantity + 1 WHERE quantity = 10", "valued quantity of move"),
        ("UPDATE move_value SET value = value + 1 WHERE quantity = 1", "reverses move"),
        ("UPDATE move_value SET value = value + 900 WHERE cost_of_id IS NOT NULL", "value of the returns of move"),
        ("INSERT INTO unvalued_move (move_id) SELECT min(id) FROM stock_move", "notes to value move"),
        ("DELETE FROM posting WHERE account = 'opening_balance'", "sum of journal entry"),
    ],
)
def test_damage_to_any_table_is_found(traded: Books, damage: str, found: str) -> None:
    if damage.startswith("INSERT"):
        traded.session.execute(sa.text(damage))
    else:
        unguarded(traded.session, damage)
    assert any(found in finding for finding in traded.findings())


def test_a_move_that_was_never_noted_for_valuation_is_found(traded: Books) -> None:
    move = traded.find(traded.world.item("nut"), 1)
    traded.session.execute(sa.text("DELETE FROM unvalued_move"))
    assert traded.findings() == [f"notes to value move {move.id}: 1, not 0"]


def test_a_reversal_of_another_quantity_is_found(traded: Books) -> None:
    unguarded(traded.session, "UPDATE stock_move SET quantity = quantity + 1 WHERE reverses_id IS NOT NULL")
    assert any("which reverses move" in finding for finding in traded.findings())


def test_a_leg_planned_after_nothing_is_found(traded: Books) -> None:
    places = traded.world.setup
    first = traded.plan(traded.world.item("nut"), 2, places.supplier_location_id, places.dock_id, "purchase_order")
    leg = traded.plan(traded.world.item("cog"), 3, places.dock_id, places.area_id, "purchase_order")
    traded.session.execute(
        sa.text("UPDATE stock_move SET previous_id = :first WHERE id = :leg"), {"first": first.id, "leg": leg.id}
    )
    assert traded.findings() == [
        f"move {first.id}, after which move {leg.id} is planned: posted, not planned",
        f"the legs after move {first.id}: at most 2, not 3",
    ]
