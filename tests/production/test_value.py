"""What components cost becomes what the output costs: to the cent, in whatever parts, and undone exactly."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from scm.finance.journal import Account
from tests.finance.test_books_proof import unguarded
from tests.production.shop import Shop
from tests.world import World


@pytest.fixture
def table_of_legs(world: World, shop: Shop) -> tuple[int, int, int]:
    """A table, its legs at 3.33 each, and a released order for 7 tables of 3 legs."""
    table, leg = world.item("table"), world.item("leg", unit_cost="3.33")
    world.stock(leg, 100)
    return table, leg, shop.released(shop.bom(table, (leg, 3)), 7)


def test_what_was_issued_is_in_progress_until_output_takes_it(
    world: World, shop: Shop, table_of_legs: tuple[int, int, int]
) -> None:
    table, _, order = table_of_legs
    shop.issue(order)
    shop.value()
    assert shop.held(order) == 21 * 333
    assert shop.account(Account.WORK_IN_PROGRESS) == 21 * 333
    shop.report(order, 7)
    shares = []
    for quantity in (3, 3, 1):
        [output] = shop.complete(order, quantity).posted
        shop.value()
        shares.append(shop.worth(output))
    assert shares == [2997, 2997, 999]
    assert shop.account(Account.WORK_IN_PROGRESS) == 0
    assert shop.cost(table) == (7, 6993)
    assert shop.findings() == []


def test_parts_are_rounded_so_that_the_last_takes_all(world: World, shop: Shop) -> None:
    gear, bar = world.item("gear"), world.item("bar", unit_cost="1.00")
    world.stock(bar, 1)
    order = shop.released(shop.bom(gear, (bar, 1), output_quantity=3), 3)
    shop.issue(order)
    shop.report(order, 3)
    values = [shop.complete(order, 1).posted[0] for _ in range(3)]
    shop.value()
    assert [shop.worth(move) for move in values] == [33, 34, 33]
    assert shop.findings() == []


def test_good_output_carries_what_was_scrapped(world: World, shop: Shop, table_of_legs: tuple[int, int, int]) -> None:
    table, _, order = table_of_legs
    shop.issue(order)
    shop.report(order, 5, scrap=2)
    assert shop.complete(order, 5).finished
    shop.value()
    assert shop.cost(table) == (5, 21 * 333)
    assert shop.held(order) == 0


def test_back_flushed_output_takes_what_was_issued_with_it(
    world: World, shop: Shop, table_of_legs: tuple[int, int, int]
) -> None:
    _, _, order = table_of_legs
    shop.report(order, 7)
    for quantity in (2, 4, 1):
        [output] = shop.complete(order, quantity, back_flush=True).posted
        shop.value()
        assert shop.worth(output) == quantity * 999
    assert shop.findings() == []


def test_what_a_closed_order_still_holds_is_a_variance(
    world: World, shop: Shop, table_of_legs: tuple[int, int, int]
) -> None:
    _, leg, order = table_of_legs
    shop.issue(order)
    shop.report(order, 7)
    shop.complete(order, 7)
    shop.issue(order, (leg, 2), reason="bent after the last table")
    shop.close(order)
    shop.value()
    assert shop.held(order) == 0
    assert shop.account(Account.PRODUCTION_VARIANCE) == 666
    assert shop.account(Account.WORK_IN_PROGRESS) == 0
    assert shop.findings() == []
    assert shop.value() == 0
    assert shop.account(Account.PRODUCTION_VARIANCE) == 666  # once


def test_components_come_back_at_what_they_went_out_for(
    world: World, shop: Shop, table_of_legs: tuple[int, int, int]
) -> None:
    _, leg, order = table_of_legs
    shop.issue(order)
    shop.give_back(order, leg, 21)
    shop.value()
    assert shop.held(order) == 0
    assert shop.cost(leg) == (100, 33300)
    shop.issue(order, (leg, 21))
    shop.value()
    assert shop.held(order) == 21 * 333
    assert shop.findings() == []


Plant = Callable[[World, int, int], str]


def _one_cent_of_output(world: World, order: int, output: int) -> str:
    unguarded(world.begin(), f"UPDATE move_value SET value = value + 1 WHERE move_id = {output}")
    return rf"value of move {output}, output table of work_order {order}: 6993, not 6994"


def _one_cent_of_the_account(world: World, order: int, output: int) -> str:
    entry = "SELECT max(id) FROM posting WHERE account = 'work_in_progress'"
    unguarded(world.begin(), f"UPDATE posting SET company_amount = company_amount + 1 WHERE id IN ({entry})")
    return "account work_in_progress of company TEST: 0, not 1"


def _one_cent_of_variance(world: World, order: int, output: int) -> str:
    unguarded(world.begin(), f"UPDATE production_variance SET amount = amount - 1 WHERE document_id = {order}")
    return rf"variance of work_order {order} in journal entry \d+: 665, not 666"


def _one_unit_of_output(world: World, order: int, output: int) -> str:
    unguarded(world.begin(), f"UPDATE stock_move SET quantity = quantity + 1 WHERE id = {output}")
    return r"completed output of WO-2026-\d+: at most 7, not 8"


def _one_unit_reported(world: World, order: int, output: int) -> str:
    unguarded(world.begin(), "UPDATE operation_report SET good = good - 1")
    return r"completed output of WO-2026-\d+: at most 6, not 7"


def _one_unit_scrapped(world: World, order: int, output: int) -> str:
    unguarded(world.begin(), "UPDATE operation_report SET scrap = scrap + 1 WHERE scrap > 0")
    return r"scrap of WO-2026-\d+: 2, not 1"


def _one_unit_not_issued(world: World, order: int, output: int) -> str:
    line = f"SELECT id FROM work_order_component WHERE order_id = {order}"
    unguarded(
        world.begin(), f"UPDATE stock_move SET quantity = quantity - 1 WHERE line_id IN ({line}) AND quantity > 20"
    )
    return r"component leg of WO-2026-\d+, of which 7 are completed: at least 21, not 20"


def _one_unit_planned(world: World, order: int, output: int) -> str:
    found = f"SELECT max(id) FROM stock_move WHERE state = 'posted' AND document_id = {order}"
    columns = (
        "company_id, item_id, lot_id, owner_id, pool, source_id, destination_id, onward, due_date, document_kind, "
        "document_id, line_id, allocated, over_quantity, needs_inspection, reason"
    )
    world.begin().execute(
        sa.text(
            f"INSERT INTO stock_move ({columns}, quantity, state) SELECT {columns}, 1, 'planned' FROM stock_move "
            f"WHERE id = {output} AND {order} IN (SELECT document_id FROM stock_move WHERE id IN ({found}))"
        )
    )
    return r"planned output of WO-2026-\d+: 0, not 1"


PLANTS = (
    _one_cent_of_output,
    _one_cent_of_the_account,
    _one_cent_of_variance,
    _one_unit_of_output,
    _one_unit_reported,
    _one_unit_scrapped,
    _one_unit_not_issued,
    _one_unit_planned,
)


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__.strip("_"))
def test_a_planted_error_is_named(world: World, shop: Shop, plant: Plant) -> None:
    table, leg = world.item("table"), world.item("leg", unit_cost="3.33")
    world.stock(leg, 100)
    order = shop.released(shop.bom(table, (leg, 3), yield_rate="0.875"), 7)  # 8 are started, of 24 legs
    shop.issue(order, (leg, 24))
    shop.give_back(order, leg, 3)
    shop.report(order, 7, scrap=1)
    [output] = shop.complete(order, 7).posted
    if plant is _one_cent_of_variance:
        shop.issue(order, (leg, 2), reason="bent after the last table")
        shop.close(order)
    shop.value()
    assert shop.findings() == []
    expected = plant(world, order, output.id)
    assert [line for line in shop.findings() if re.fullmatch(expected, line)], shop.findings()
