"""The list of proposals as both databases compute it: worth, risk and urgency agree with the code that decides."""

from __future__ import annotations

from decimal import Decimal

import pytest

from procurement import effects, proposal_list, proposals
from procurement.proposal_list import Urgency
from procurement.proposals import ProposalRequest
from scm.core import listing
from scm.core.listing import Condition, ListQuery, Row
from scm.finance import money
from tests.world import World

CASES = [("4.00", 60, 0.8), ("0.125", 5, 0.1), ("0.333333", 7, 0.0), ("1200.5", 3, 0.499), ("0.005", 1, None)]


@pytest.fixture
def rows(world: World) -> list[Row]:
    """A proposal of each case, and one that a later run replaced."""
    acme = world.supplier("acme")
    agreements = [(item, world.agreement(item, acme)) for item in world.items(len(CASES))]
    requests = [
        ProposalRequest(
            item_id=item,
            supplier_id=acme,
            agreement_id=agreement,
            quantity=quantity,
            order_date=world.today,
            due_date=world.day(7),
            unit_price=Decimal(price),
            account=[{"name": "demand", "quantity": quantity}],
            inputs={"need": quantity, "binding": "need"},
            risk=None if chance is None else {"stock_out_without": chance, "cover_days": 4},
        )
        for (item, agreement), (price, quantity, chance) in zip(agreements, CASES, strict=True)
    ]
    for run_id in (1, 2):
        proposals.publish(
            world.begin(),
            requests,
            run_id=run_id,
            company_id=world.setup.company_id,
            site_id=world.setup.site_id,
            actor=world.user("system"),
            now=world.now,
        )
    return found(world, ListQuery())


def found(world: World, query: ListQuery) -> list[Row]:
    wanted = proposal_list.listing(site_id=world.setup.site_id, currency="GBP")
    return list(listing.fetch(world.begin(), wanted, query, sums=("value",)).rows)


def test_the_worth_of_a_line_is_rounded_as_everywhere(rows: list[Row]) -> None:
    by_sku = {row["sku"]: row for row in rows}
    worth = [money.line_amount(Decimal(price), quantity, currency="GBP") for price, quantity, _ in CASES]
    assert [by_sku[sku]["value"] for sku in sorted(by_sku)] == worth
    assert len(rows) == len(CASES), "what was replaced is left out"


def test_what_is_most_at_risk_comes_first(rows: list[Row]) -> None:
    at_risk = [row["at_risk"] for row in rows]
    assert at_risk == sorted(at_risk, reverse=True)
    assert at_risk[:2] == [179714, 19200]
    assert {row["sku"]: row["urgency"] for row in rows} == {
        "item-0001": Urgency.RUNS_OUT,
        "item-0002": Urgency.AT_RISK,
        "item-0003": Urgency.SAFE,
        "item-0004": Urgency.AT_RISK,
        "item-0005": Urgency.SAFE,
    }


def test_it_is_filtered_by_what_happens_without_it(world: World, rows: list[Row]) -> None:
    query = ListQuery(conditions=(Condition(field="urgency", values=(Urgency.RUNS_OUT,)),))
    assert [row["sku"] for row in found(world, query)] == ["item-0001"]
    assert found(world, ListQuery(conditions=(Condition(field="edited", values=(True,)),))) == []
    assert len(rows) == 5


def test_without_a_forecast_nothing_is_said_about_cover() -> None:
    assert effects.cover_with({}, 10) is None
    assert effects.cover_with({"demand_mean": 0.0, "protection_days": 14}, 10) is None
