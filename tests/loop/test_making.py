"""What is made is netted through all levels: proposals to make with their exact accounts, and what components need."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa

from procurement import accepting, undoing
from procurement.outcomes import Outcome
from procurement.proposals import Proposal, ProposalKind
from scm.loop import cycle
from scm.master import bom_approving, bom_writing
from scm.master.bom import BomKind
from scm.master.bom_content import BomContent, LineContent
from scm.master.items import Item
from scm.planning import replenishment
from scm.production import orders
from scm.production.documents import WorkOrder, WorkOrderState
from tests.loop.company import GO_LIVE, Company, evening
from tests.loop.test_accounts import stored, wrong_terms

MORNING = GO_LIVE + timedelta(days=1)
SOLD, MIDDLE, BOUGHT = "KT-001", "KT-002", "XM-005"


def item_ids(company: Company) -> dict[str, int]:
    with company.reading() as session:
        rows = session.execute(sa.select(Item.sku, Item.id))
        return {row.sku: row.id for row in rows}


def approved(company: Company, parent: str, components: Mapping[str, int], **terms: Any) -> int:
    """Let a planner write what one unit is made of and the administrator approve it, from the next morning on."""
    ids = item_ids(company)
    lines = tuple(
        LineContent(line_number=place, item_id=ids[sku], quantity=quantity)
        for place, (sku, quantity) in enumerate(components.items(), start=1)
    )
    usual: dict[str, Any] = {"kind": BomKind.MAKE, "valid_from": MORNING, "lines": lines, "lead_time_days": 3}
    said = BomContent(**(usual | terms))
    who: dict[str, Any] = {"company_id": company.setup.company_id}
    planner, admin = company.setup.users["planner"], company.setup.users["admin"]
    with company.writing() as session:
        bom_id = bom_writing.create(
            session, said, site_id=company.setup.site_id, item_id=ids[parent], **who, actor=planner
        )
        bom_approving.submit(session, bom_id=bom_id, **who, actor=planner, now=evening(GO_LIVE))
        bom_approving.approve(session, bom_id=bom_id, **who, actor=admin, now=evening(GO_LIVE))
    return bom_id


def counted_again(proposal: Proposal) -> dict[str, int]:
    """The terms of an account to make, worked out from the stored inputs only, without the engine."""
    given = proposal.inputs
    demand = math.floor(math.fsum(given["forecast"]) + 0.5 + 1e-9)
    terms = {
        "demand": demand,
        "confirmed_orders": max(sum(given["confirmed"]) - demand, 0),
        "dependent": sum(given["dependent"]),
        "allocated": sum(given["allocated"]),
        "backorders": given["backordered"],
        **dict(zip(("safety_demand", "safety_lead_time"), safety_of(given), strict=True)),
        "on_hand": -given["on_hand"],
        "on_order": -sum(given["supply"]),
        "expected_returns": -math.floor(math.fsum(given["returns"]) + 1e-9),
    }
    need = sum(terms.values())
    raised = max(need, given["minimum_order_quantity"])
    rounded = -(-raised // given["order_multiple"]) * given["order_multiple"]
    terms |= {"minimum": raised - need, "multiple": rounded - raised, "cover_limit": proposal.quantity - rounded}
    return {name: quantity for name, quantity in terms.items() if quantity}


def safety_of(given: Mapping[str, Any]) -> tuple[int, int]:
    mean, days = given["safety_mean"], given["safety_days"]
    spread = max(given["safety_quantile"] - mean, 0.0)
    late = given["z"] * mean / days * given["lead_time_sd_days"]
    rounded = math.floor(mean + 0.5 + 1e-9)
    punctual = max(math.ceil(mean + spread - 1e-9), rounded) if spread > 1e-9 else rounded
    both = math.hypot(spread, late)
    level = max(math.ceil(mean + both - 1e-9), punctual) if both > 1e-9 else punctual
    return punctual - rounded, level - punctual


def test_a_made_item_is_proposed_to_be_made_and_never_to_be_bought(company: Company) -> None:
    bom_id = approved(company, SOLD, {BOUGHT: 3}, order_multiple=10)
    company.empty_shelves()
    company.cycle()
    made = company.proposals()[SOLD]
    assert made.kind is ProposalKind.MAKE
    assert (made.bom_id, made.supplier_id, made.unit_price) == (bom_id, None, None)
    assert (made.order_date, made.due_date) == (MORNING, MORNING + timedelta(days=3))
    assert made.quantity % 10 == 0
    assert made.risk is not None and made.risk["stock_out_without"] > 0.5


def test_every_term_of_what_is_made_is_counted_again(company: Company) -> None:
    approved(company, MIDDLE, {BOUGHT: 2}, minimum_order_quantity=40)
    approved(company, SOLD, {MIDDLE: 1, BOUGHT: 3}, order_multiple=10)
    company.empty_shelves()
    company.simulate(1)
    for sku in (SOLD, MIDDLE):
        made = company.proposals()[sku]
        told = {term["name"]: term["quantity"] for term in made.account}
        assert sum(told.values()) == made.quantity
        assert told == counted_again(made)
    assert "dependent" in {term["name"] for term in company.proposals()[MIDDLE].account}


def test_a_component_is_bought_for_what_will_be_made_through_all_levels(company: Company) -> None:
    company.empty_shelves()
    company.cycle()
    before = company.proposals()[BOUGHT]
    approved(company, MIDDLE, {BOUGHT: 2})
    approved(company, SOLD, {MIDDLE: 1})
    company.cycle()
    after = company.proposals()
    bought = after[BOUGHT]
    told = {term["name"]: term["quantity"] for term in bought.account}
    assert told["dependent"] == sum(bought.inputs["dependent"]) > 0
    assert wrong_terms(bought) == {}
    # The demand of customers is what it was; pools of the forecast learn from other intervals now.
    assert sum(stored(bought).forecast) == pytest.approx(sum(stored(before).forecast), rel=0.1)
    assert bought.quantity > before.quantity
    # What is released today needs its components today.
    assert bought.inputs["dependent"][0] == 2 * after[MIDDLE].quantity
    assert after[MIDDLE].inputs["dependent"][0] == after[SOLD].quantity


def test_losses_make_components_needed_in_whole_units_once_an_order(company: Company) -> None:
    approved(company, SOLD, {BOUGHT: 1}, output_quantity=7, yield_rate=Decimal("0.9"))
    company.empty_shelves()
    company.cycle()
    made, bought = (company.proposals()[sku] for sku in (SOLD, BOUGHT))
    assert bought.inputs["dependent"][0] == math.ceil(Fraction(made.quantity, 7) / Fraction(9, 10))


def test_a_phantom_passes_its_needs_through(company: Company) -> None:
    approved(company, MIDDLE, {BOUGHT: 2}, kind=BomKind.PHANTOM, lead_time_days=0)
    approved(company, SOLD, {MIDDLE: 2})
    company.empty_shelves()
    company.cycle()
    found = company.proposals()
    assert found[BOUGHT].inputs["dependent"][0] == 4 * found[SOLD].quantity
    assert "dependent" not in {term["name"] for term in found[MIDDLE].account}


def test_a_cover_limit_cuts_the_order_and_says_how_much(company: Company) -> None:
    approved(company, SOLD, {BOUGHT: 1}, cover_limit_days=2)
    company.empty_shelves()
    company.cycle()
    made = company.proposals()[SOLD]
    told = {term["name"]: term["quantity"] for term in made.account}
    assert told["cover_limit"] < 0
    assert made.inputs["binding"] == "cover_limit"
    assert told == counted_again(made)


def test_a_minimum_that_would_last_too_long_is_blocked_and_said(company: Company) -> None:
    approved(company, SOLD, {BOUGHT: 1}, cover_limit_days=2, minimum_order_quantity=1_000_000)
    company.empty_shelves()
    result = company.cycle()
    assert SOLD not in company.proposals()
    assert f"Item {SOLD}: making 1000000, the least that can be made, would last longer than the 2 days" in "".join(
        result.messages
    )


def test_running_twice_proposes_the_same(company: Company) -> None:
    approved(company, MIDDLE, {BOUGHT: 2})
    approved(company, SOLD, {MIDDLE: 1})
    company.empty_shelves()
    company.cycle()
    first = {sku: (one.kind, one.quantity, one.account) for sku, one in company.proposals().items()}
    company.cycle()
    assert {sku: (one.kind, one.quantity, one.account) for sku, one in company.proposals().items()} == first


def test_a_bill_that_is_approved_while_a_plan_is_made_keeps_it_from_being_published(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.empty_shelves()
    real = replenishment.solve

    def solve_late(*arguments: Any, **options: Any) -> Any:
        approved(company, SOLD, {BOUGHT: 1})
        return real(*arguments, **options)

    monkeypatch.setattr(replenishment, "solve", solve_late)
    with pytest.raises(cycle.InputsChanged):
        company.cycle()


def test_what_is_made_has_a_forecast_that_is_measured_later(company: Company) -> None:
    approved(company, SOLD, {BOUGHT: 1})
    result = company.cycle()
    assert result.items == 25


def test_an_accepted_proposal_is_a_planned_work_order_and_is_not_proposed_again(company: Company) -> None:
    approved(company, SOLD, {BOUGHT: 3})
    company.empty_shelves()
    company.cycle()
    made = company.proposals()[SOLD]
    accepted(company, made.id)
    with company.reading() as session:
        [order] = session.scalars(sa.select(WorkOrder))
    assert (order.state, order.quantity, order.bom_id) == (WorkOrderState.PLANNED, made.quantity, made.bom_id)
    assert (order.origin_kind, order.origin_id, order.due_date) == ("proposal", made.id, made.due_date)
    before = company.proposals()[BOUGHT]
    company.cycle()
    assert SOLD not in company.proposals()
    after = company.proposals()[BOUGHT]
    assert after.inputs["dependent"] == before.inputs["dependent"], "its components are counted once, as before"
    assert after.quantity == before.quantity


def test_taking_the_answer_back_cancels_the_work_order_and_lets_it_be_accepted_anew(company: Company) -> None:
    approved(company, SOLD, {BOUGHT: 3})
    company.empty_shelves()
    company.cycle()
    made = company.proposals()[SOLD]
    accepted(company, made.id)
    assert taken_back(company, made.id).done == (made.id,)
    assert company.proposals()[SOLD].id == made.id
    accepted(company, made.id)
    with company.reading() as session:
        states = list(session.scalars(sa.select(WorkOrder.state).order_by(WorkOrder.id)))
    assert states == [WorkOrderState.CANCELLED, WorkOrderState.PLANNED]


def test_a_released_work_order_keeps_its_proposal(company: Company) -> None:
    approved(company, SOLD, {BOUGHT: 3})
    company.empty_shelves()
    company.cycle()
    made = company.proposals()[SOLD]
    accepted(company, made.id)
    planner, now = company.setup.users["planner"], evening(GO_LIVE)
    with company.writing() as session:
        order_id = session.scalars(sa.select(WorkOrder.id)).one()
        orders.release(session, [order_id], actor=planner, now=now, today=GO_LIVE, in_spite_of="the oven is free")
    [refused] = taken_back(company, made.id).refused
    assert "is released: what asked for it cannot be taken back" in str(refused.error)
    company.cycle()
    bought = company.proposals()[BOUGHT]
    told = {term["name"]: term["quantity"] for term in bought.account}
    assert told["dependent"] >= 3 * made.quantity, "what it waits for is not what customers wait for"
    assert wrong_terms(bought) == {}


def test_only_a_planner_accepts_what_is_made(company: Company) -> None:
    approved(company, SOLD, {BOUGHT: 3})
    company.empty_shelves()
    company.cycle()
    found = company.proposals()
    outcome = accepted(company, found[SOLD].id, found[BOUGHT].id, username="buyer")
    assert outcome.done == (found[BOUGHT].id,)
    assert [one.id for one in outcome.refused] == [found[SOLD].id]
    assert company.proposals()[SOLD].id == found[SOLD].id


def accepted(company: Company, *proposal_ids: int, username: str = "planner") -> Outcome:
    actor, now = company.setup.users[username], evening(GO_LIVE)
    with company.writing() as session:
        return accepting.accept(session, proposal_ids, actor=actor, now=now, today=GO_LIVE)


def taken_back(company: Company, proposal_id: int) -> Outcome:
    actor, now, site_id = company.setup.users["planner"], evening(GO_LIVE), company.setup.site_id
    with company.writing() as session:
        return undoing.undo(session, [proposal_id], site_id=site_id, actor=actor, now=now)
