"""One night: the same inputs make the same plan, and a plan that fails leaves the last one where it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from forecasting.runs import ForecastLine
from procurement.proposals import Proposal, ProposalState
from scm.core.db import table_of
from scm.loop import cycle, cycle_runs
from scm.loop.cycle_runs import CycleRun
from scm.loop.importing.tables import LineKind, SalesHistoryLine
from scm.loop.sources import SupplierWithoutTerms
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.items import Item, ItemStatus
from scm.master.partners import Partner
from scm.planning import feasibility, replenishment, solver
from scm.planning.problem import ReplenishmentPlan, ReplenishmentProblem
from scm.sales import orders
from scm.sales.orders import LineRequest, OrderRequest
from tests.loop.company import GO_LIVE, Company


def test_running_the_cycle_again_solves_again_and_changes_nothing(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.empty_shelves()
    solved: list[str] = []
    real_solve, real_run = replenishment.solve, solver.run
    monkeypatch.setattr(replenishment, "solve", noting(solved, "plan", real_solve))
    monkeypatch.setattr(solver, "run", noting(solved, "solver", real_run))

    first = company.cycle()
    proposed, forecast, work = published(company), forecasts(company), list(solved)
    solved.clear()
    second = company.cycle()

    assert work.count("plan") == 1
    assert work.count("solver") >= 1
    assert solved == work, "the second run did not do the work of the first"
    assert second.run_id > first.run_id
    assert second.inputs_hash == first.inputs_hash
    assert proposed and published(company) == proposed
    assert forecast and forecasts(company) == forecast


def test_a_run_keeps_what_it_was_made_from_and_how_it_was_solved(company: Company) -> None:
    result = company.cycle()
    with company.reading() as session:
        run = cycle_runs.latest(session, site_id=company.setup.site_id)
    assert run is not None
    assert (run.id, run.as_of_date, run.inputs_hash) == (result.run_id, GO_LIVE, result.inputs_hash)
    assert (run.solver, run.status) == ("HiGHS", "optimal")
    assert run.bound <= run.objective
    assert 0 <= run.gap <= 0.005
    assert run.duration_milliseconds > 0
    assert run.settings["cycle_service_level"] == 0.95
    assert run.items == 25
    assert run.proposals == len(company.proposals())


def test_lines_of_days_that_have_not_come_are_invisible(company: Company) -> None:
    before = company.cycle()
    with company.writing() as session:
        session.execute(
            sa.update(SalesHistoryLine)
            .where(SalesHistoryLine.sold_date > GO_LIVE, SalesHistoryLine.kind == LineKind.SALE)
            .values(quantity=SalesHistoryLine.quantity * 1_000_000)
        )
    after = company.cycle()
    assert after.inputs_hash == before.inputs_hash
    assert after.value == before.value


def test_a_line_that_has_come_is_seen(company: Company) -> None:
    """The hash of the inputs would notice: the test above can fail."""
    before = company.cycle()
    buy(company, quantity=1)
    assert company.cycle().inputs_hash != before.inputs_hash


def test_a_solver_that_finds_nothing_leaves_the_last_proposals(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.cycle()
    standing = published(company)

    def none(*_: object, **__: object) -> ReplenishmentPlan:
        raise solver.NoSolution("model lanes: HiGHS stopped without a solution (time limit)")

    monkeypatch.setattr(replenishment, "solve", none)
    refuses(company, cycle.PlanFailed, match=r"stopped without a solution .* the last plan stays")
    assert standing and published(company) == standing


def test_a_plan_that_breaks_a_rule_is_not_published(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """The independent check looks at the plan itself: one unit too many of a pack is found."""
    company.empty_shelves()
    company.cycle()
    standing = published(company)
    real_solve = replenishment.solve

    def one_unit_more(problem: ReplenishmentProblem, **options: Any) -> ReplenishmentPlan:
        plan = real_solve(problem, **options)
        row = next(i for i in range(problem.items) if problem.order_multiple[i] > 1 and plan.quantities[i, 0] > 0)
        plan.quantities.flags.writeable = True
        plan.quantities[row, 0] += 1
        assert feasibility.check(problem, plan)
        return plan

    monkeypatch.setattr(replenishment, "solve", one_unit_more)
    refuses(company, cycle.PlanInfeasible, match="is not a multiple of")
    assert published(company) == standing


def set_price(company: Company) -> None:
    with company.writing() as session:
        session.execute(sa.update(SupplierAgreement).values(unit_price=Decimal(99)))


def set_minimum(company: Company) -> None:
    with company.writing() as session:
        session.execute(sa.update(SupplierTerms).values(minimum_order_value=1))


def retire_an_item(company: Company) -> None:
    with company.writing() as session:
        session.execute(sa.update(Item).where(Item.sku == "KT-001").values(status=ItemStatus.RETIRED))


def buy_one(company: Company) -> None:
    buy(company, quantity=1)


@pytest.mark.parametrize("change", [set_price, set_minimum, retire_an_item, buy_one])
def test_a_plan_made_from_figures_that_have_changed_is_not_published(
    company: Company, monkeypatch: pytest.MonkeyPatch, change: Callable[[Company], None]
) -> None:
    company.cycle()
    standing = published(company)
    real_solve = replenishment.solve

    def meanwhile(problem: ReplenishmentProblem, **options: Any) -> ReplenishmentPlan:
        change(company)
        return real_solve(problem, **options)

    monkeypatch.setattr(replenishment, "solve", meanwhile)
    refuses(company, cycle.InputsChanged, match="run the cycle again")
    assert standing and published(company) == standing

    monkeypatch.undo()
    again = company.cycle()
    assert {one.run_id for one in company.proposals().values()} == {again.run_id}


def test_a_lead_time_beyond_the_usual_horizon_is_covered_whole(company: Company) -> None:
    with company.writing() as session:
        session.execute(sa.update(SupplierAgreement).values(lead_time_days=150))
    company.cycle()
    protected = {one.inputs["protection_days"] for one in company.proposals().values()}
    assert protected == {157}


def test_a_supplier_without_terms_is_named(company: Company) -> None:
    with company.writing() as session:
        session.execute(
            sa.delete(SupplierTerms).where(
                SupplierTerms.partner_id.in_(sa.select(Partner.id).where(Partner.code == "ASSUMED-19"))
            )
        )
    refuses(company, SupplierWithoutTerms, match="ASSUMED-19")


def test_a_retired_supplier_is_not_bought_from(company: Company) -> None:
    company.empty_shelves()
    with company.writing() as session:
        session.execute(sa.update(Partner).where(Partner.code == "ASSUMED-19").values(retired=True))
    assert company.cycle().items == 20
    codes = company.suppliers()
    assert "ASSUMED-19" not in {codes[one.supplier_id or 0] for one in company.proposals().values()}


def test_without_any_agreement_there_is_nothing_to_plan(company: Company) -> None:
    with company.writing() as session:
        session.execute(sa.update(SupplierAgreement).values(retired=True))
    refuses(company, cycle.NothingToPlan, match="import agreements")


def test_an_item_that_cannot_be_planned_is_named(company: Company) -> None:
    with company.writing() as session:
        session.execute(
            sa.update(SupplierAgreement)
            .where(SupplierAgreement.item_id == sa.select(Item.id).where(Item.sku == "KT-003").scalar_subquery())
            .values(minimum_order_quantity=10**15)
        )
    refuses(company, cycle.PlanFailed, match="item KT-003: minimum_order_quantity")


def refuses(company: Company, error: type[Exception], *, match: str) -> None:
    """The run is refused, and neither it nor its forecast is recorded."""
    before = counts(company)
    with pytest.raises(error, match=match):
        company.cycle()
    assert counts(company) == before


def counts(company: Company) -> list[int]:
    with company.reading() as session:
        tables = (table_of(CycleRun), table_of(ForecastLine), table_of(Proposal))
        return [session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables]


def published(company: Company) -> list[tuple[object, ...]]:
    with company.reading() as session:
        rows = session.scalars(
            sa.select(Proposal).where(Proposal.state == ProposalState.OPEN).order_by(Proposal.item_id)
        )
        return [
            (row.item_id, row.supplier_id, row.quantity, row.due_date, row.account, row.inputs, row.next_best, row.risk)
            for row in rows
        ]


def forecasts(company: Company) -> list[tuple[object, ...]]:
    """The lines of the newest forecast, without the number of its run."""
    lines = table_of(ForecastLine)
    columns = [column for column in lines.columns if column.name != "run_id"]
    newest = sa.select(sa.func.max(lines.c.run_id)).scalar_subquery()
    with company.reading() as session:
        rows = session.execute(sa.select(*columns).where(lines.c.run_id == newest).order_by(lines.c.item_id))
        return [tuple(row) for row in rows]


def buy(company: Company, *, quantity: int) -> None:
    with company.writing() as session:
        item_id = session.scalars(sa.select(Item.id).where(Item.sku == "KT-001")).one()
        customer_id = session.scalars(sa.select(Partner.id).where(Partner.is_customer).limit(1)).one()
        request = OrderRequest(
            site_id=company.setup.site_id,
            customer_id=customer_id,
            channel="web",
            lines=[LineRequest(item_id=item_id, quantity=quantity, unit_price=Decimal(5))],
        )
        now = datetime(GO_LIVE.year, GO_LIVE.month, GO_LIVE.day, 12, tzinfo=UTC)
        sales = company.setup.users["sales"]
        orders.place_and_confirm(session, [request], actor=sales, now=now, today=GO_LIVE)


def noting(notes: list[str], name: str, function: Callable[..., object]) -> Callable[..., object]:
    def noted(*arguments: object, **options: object) -> object:
        notes.append(name)
        return function(*arguments, **options)

    return noted
