"""Every proposed quantity is the sum of its account; every term can be counted again from what is stored with it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from procurement.proposals import BadProposal, Proposal
from scm.loop import cycle
from scm.loop.targets import PlanSettings
from scm.planning import explain, recount
from scm.planning.recount import StoredInputs
from tests.databases import Backend
from tests.loop.company import GO_LIVE, Company

_found: dict[Backend, dict[str, Proposal]] = {}


@pytest.fixture
def found(request: pytest.FixtureRequest, backend: Backend) -> dict[str, Proposal]:
    """The proposals of the morning after a flood, when some customers have had to wait; made once, only read."""
    if backend not in _found:
        company: Company = request.getfixturevalue("company")
        company.empty_shelves()
        company.simulate(1)
        _found[backend] = company.proposals()
    return copy.deepcopy(_found[backend])


def test_every_account_adds_up_and_every_term_is_counted_again(found: dict[str, Proposal]) -> None:
    assert len(found) == 25
    assert {sku: wrong_terms(one) for sku, one in found.items() if wrong_terms(one)} == {}
    assert [sku for sku, one in found.items() if sum(stated(one).values()) != one.quantity] == []
    seen = {name for one in found.values() for name in stated(one)}
    told = {"demand", "backorders", "safety_demand", "safety_lead_time", "on_order", "expected_returns", "fill"}
    assert told <= seen, "the company is too simple to try these terms"
    assert seen <= set(explain.TERMS), "there is no line for anything else"


def test_counting_again_finds_a_wrong_term(found: dict[str, Proposal]) -> None:
    """One unit moved from one term to another still adds up; the check must see it all the same."""
    planted = found["KT-001"]
    planted.account = moved(planted.account, source="demand", target="safety_demand")
    assert sum(stated(planted).values()) == planted.quantity
    assert set(wrong_terms(planted)) == {"demand", "safety_demand"}


@pytest.mark.parametrize("figure", ["on_hand", "backordered", "demand_quantile", "lead_time_sd_days", "supply"])
def test_counting_again_finds_a_wrong_input(found: dict[str, Proposal], figure: str) -> None:
    planted = found["XM-005"]
    value = planted.inputs[figure]
    worse = [value[0] + 40, *value[1:]] if isinstance(value, list) else value + 40
    planted.inputs = planted.inputs | {figure: worse}
    assert wrong_terms(planted)


def test_an_account_that_does_not_add_up_is_not_published(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.cycle()
    before = {sku: one.id for sku, one in company.proposals().items()}
    real_account = explain.account_for

    def one_unit_short(*arguments: Any, **options: Any) -> list[explain.Account]:
        accounts = real_account(*arguments, **options)
        next(one for one in accounts if one.quantity).terms["demand"] -= 1
        return accounts

    monkeypatch.setattr(explain, "account_for", one_unit_short)
    with pytest.raises(BadProposal, match="add up to"):
        company.cycle()
    assert {sku: one.id for sku, one in company.proposals().items()} == before


def test_the_account_follows_the_service_level_that_was_asked_for(company: Company) -> None:
    company.empty_shelves()
    company.cycle()
    usual = company.proposals()
    company.cycle(GO_LIVE, settings=PlanSettings(cycle_service_level=0.99))
    safer = company.proposals()
    assert {one.inputs["cycle_service_level"] for one in safer.values()} == {0.99}
    assert {sku: wrong_terms(one) for sku, one in safer.items() if wrong_terms(one)} == {}
    assert sum(safety(one) for one in safer.values()) > sum(safety(one) for one in usual.values())
    assert cycle.DEFAULTS.cycle_service_level == 0.95


def test_a_proposal_says_when_and_at_what_price_it_is_bought(found: dict[str, Proposal]) -> None:
    for one in found.values():
        assert (one.due_date - one.order_date).days == one.inputs["lead_time_days"]
        assert one.unit_price is not None and one.unit_price > 0
        assert one.assumed, "what was made up is labelled"
        assert one.risk is not None and 0 <= one.risk["stock_out_without"] <= 1
        assert one.next_best is not None and one.next_best["quantity"] != one.quantity
        assert one.inputs["binding"] in explain.BINDING


def wrong_terms(proposal: Proposal) -> dict[str, tuple[int, int]]:
    """Terms that are not what `recount` makes of the stored inputs: what is stated, and what was counted."""
    counted = {name: quantity for name, quantity in recount.terms(stored(proposal)).items() if quantity}
    told = stated(proposal)
    return {
        name: (told.get(name, 0), counted.get(name, 0))
        for name in sorted(told.keys() | counted.keys())
        if told.get(name, 0) != counted.get(name, 0)
    }


def stored(proposal: Proposal) -> StoredInputs:
    """Everything `recount` asks for, from the proposal alone; this planner nets orders into what is free."""
    inputs, days = proposal.inputs, proposal.inputs["protection_days"]
    assert len(inputs["forecast"]) == len(inputs["supply"]) == len(inputs["returns"]) == days
    return StoredInputs(
        on_hand=inputs["on_hand"],
        backordered=inputs["backordered"],
        supply=inputs["supply"],
        forecast=inputs["forecast"],
        confirmed=[0] * days,
        dependent=inputs["dependent"],
        returns=inputs["returns"],
        protection_buckets=days,
        demand_mean=inputs["demand_mean"],
        demand_quantile=inputs["demand_quantile"],
        mean_demand_per_day=inputs["demand_mean"] / days,
        lead_time_sd_days=inputs["lead_time_sd_days"],
        z=inputs["z"],
        order_multiple=inputs["order_multiple"],
        minimum_order_quantity=inputs["minimum_order_quantity"],
        quantity=proposal.quantity,
    )


def stated(proposal: Proposal) -> dict[str, int]:
    return {term["name"]: term["quantity"] for term in proposal.account}


def safety(proposal: Proposal) -> int:
    return stated(proposal).get("safety_demand", 0) + stated(proposal).get("safety_lead_time", 0)


def moved(account: list[dict[str, Any]], *, source: str, target: str) -> list[dict[str, Any]]:
    """The account with one unit told under another name."""
    change = {source: -1, target: 1}
    return [term | {"quantity": term["quantity"] + change.get(term["name"], 0)} for term in account]
