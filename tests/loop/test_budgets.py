"""A budget that binds: it changes which items are bought, at lower cost than cutting them all alike."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from procurement import budgets, orders, proposals
from procurement.budgets import Open
from procurement.proposals import Proposal
from scm.loop import cycle_runs
from scm.master.agreements import SupplierTerms
from scm.planning import feasibility, replenishment
from scm.planning.problem import ReplenishmentPlan, ReplenishmentProblem
from tests.loop.company import GO_LIVE, Company

ORDER_DATE = GO_LIVE + timedelta(days=1)
Solved = tuple[ReplenishmentProblem, ReplenishmentPlan]


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[Solved]:
    """Each problem that is solved, with its plan."""
    found: list[Solved] = []
    real_solve = replenishment.solve

    def noted(problem: ReplenishmentProblem, **options: Any) -> ReplenishmentPlan:
        plan = real_solve(problem, **options)
        found.append((problem, plan))
        return plan

    monkeypatch.setattr(replenishment, "solve", noted)
    return found


def test_a_binding_budget_changes_which_items_are_bought(company: Company, solved: list[Solved]) -> None:
    company.empty_shelves()
    free = company.cycle()
    wanted = company.proposals()
    amount = free.value * 6 // 10
    set_budget(company, amount)
    cut = company.cycle()
    bought = company.proposals()

    assert 0 < cut.value <= amount < free.value
    shares = {sku: bought[sku].quantity / one.quantity if sku in bought else 0.0 for sku, one in wanted.items()}
    assert any(share >= 1 for share in shares.values()), "nothing is bought in full"
    assert any(share <= 0.3 for share in shares.values()), "everything is cut alike"
    assert "budget" in {one.inputs["binding"] for one in bought.values()}
    for one in bought.values():
        if one.inputs["binding"] == "budget":
            assert {term["name"]: term["quantity"] for term in one.account}["cut"] < 0
    problem, plan = solved[-1]
    alike = cut_alike(problem, solved[0][1].quantities)
    assert spent(problem, alike)[0] <= amount
    assert feasibility.objective_of(problem, plan.quantities.tolist()) < 0.98 * feasibility.objective_of(
        problem, alike.tolist()
    )


def test_the_message_names_the_budget_the_day_and_the_items(company: Company) -> None:
    company.empty_shelves()
    free = company.cycle()
    amount = free.value // 2
    set_budget(company, amount)
    cut = company.cycle()
    message = cut.messages[0]
    assert message.startswith(f"The budget for {ORDER_DATE} is GBP {amount / 100:,.2f} and orders worth GBP ")
    assert "ordered less of or later" in message
    with company.reading() as session:
        run = cycle_runs.latest(session, site_id=company.setup.site_id)
        assert run is not None and run.messages == list(cut.messages)
    cut_items = {sku for sku, one in company.proposals().items() if one.inputs["binding"] == "budget"}
    assert cut_items, "no proposal says that the budget cut it"


def test_a_supplier_who_is_not_worth_his_minimum_is_named_by_his_code(company: Company) -> None:
    with company.writing() as session:
        session.execute(sa.update(SupplierTerms).values(minimum_order_value=100_000_000))
    company.empty_shelves()
    result = company.cycle()
    assert result.proposals == 0
    codes = set(company.suppliers().values())
    named = {code for code in codes for message in result.messages if f"Supplier {code}: " in message}
    assert named == codes
    assert all("GBP 1,000,000.00" in message for message in result.messages)


def test_what_was_ordered_this_week_is_gone_from_this_weeks_share(company: Company) -> None:
    company.empty_shelves()
    company.cycle()
    set_budget(company, 40_000_000, weeks=4)
    assert share(company, ORDER_DATE) == 10_000_000
    value = order_everything(company)
    assert 0 < value < 10_000_000
    assert share(company, ORDER_DATE) == 10_000_000 - value
    assert share(company, ORDER_DATE + timedelta(days=6)) == 10_000_000 - value
    next_week = ORDER_DATE + timedelta(days=7)
    assert share(company, next_week) == (40_000_000 - value) // 3
    assert share(company, next_week, today=ORDER_DATE) == 10_000_000
    assert share(company, ORDER_DATE + timedelta(days=28)) is None


def test_two_budgets_may_not_cover_the_same_day(company: Company) -> None:
    set_budget(company, 100)
    with pytest.raises(budgets.BudgetsOverlap, match="end it before"):
        set_budget(company, 200)


@pytest.mark.parametrize("amount", [-1, 1.5])
def test_a_budget_is_a_whole_number_of_minor_units(company: Company, amount: Any) -> None:
    with pytest.raises(budgets.BadBudget, match="whole number of minor units"):
        set_budget(company, amount)


def test_a_week_that_overspent_leaves_nothing_but_not_less() -> None:
    over = Open(
        from_date=date(2026, 9, 1),
        until_date=date(2026, 9, 28),
        amount=100,
        committed_before=0,
        committed_this_week=130,
    )
    assert over.share_of_week(date(2026, 9, 3), today=date(2026, 9, 3)) == 0


def set_budget(company: Company, amount: int, *, weeks: int = 1) -> None:
    with company.writing() as session:
        budgets.set_budget(
            session,
            company_id=company.setup.company_id,
            from_date=ORDER_DATE,
            until_date=ORDER_DATE + timedelta(days=7 * weeks - 1),
            amount=amount,
            actor=company.setup.users["planner"],
        )


def share(company: Company, day: date, *, today: date | None = None) -> int | None:
    with company.reading() as session:
        found = budgets.open_budgets(session, company_id=company.setup.company_id, today=today or day)
    return found[0].share_of_week(day, today=today or day) if found else None


def order_everything(company: Company) -> int:
    """The proposals are accepted and drafted; the value of the orders."""
    users = company.setup.users
    with company.writing() as session:
        open_ids = proposals.open_ids(session, site_id=company.setup.site_id)
        now = session.scalars(sa.select(Proposal.created_at).limit(1)).one()
        proposals.accept(session, open_ids, actor=users["planner"], now=now)
        orders.draft(session, open_ids, actor=users["buyer"], now=now, today=ORDER_DATE)
        [budget] = budgets.open_budgets(session, company_id=company.setup.company_id, today=ORDER_DATE)
    return budget.committed_this_week


def cut_alike(problem: ReplenishmentProblem, wanted: np.ndarray[Any, np.dtype[np.int64]]) -> Any:
    """Every order cut in the same proportion to fit each budget, in whole packs; what was cut waits for the next."""
    cut = np.zeros_like(wanted)
    for opportunity in range(problem.opportunities):
        ask = wanted[:, : opportunity + 1].sum(axis=1) - cut.sum(axis=1)
        money = float((ask * problem.unit_price).sum())
        part = min(1.0, float(problem.budget[opportunity]) / money) if money else 0.0
        packs = np.floor(ask * part / problem.order_multiple).astype(np.int64)
        cut[:, opportunity] = np.where(packs >= problem.minimum_packs, packs, 0) * problem.order_multiple
        value = np.bincount(problem.supplier, cut[:, opportunity] * problem.unit_price, problem.suppliers)
        cut[(value < problem.minimum_value)[problem.supplier], opportunity] = 0
    return cut


def spent(problem: ReplenishmentProblem, quantities: Any) -> Any:
    return (quantities * problem.unit_price[:, None]).sum(axis=0)
