"""The simulated world repeats for a seed, goes on where it stopped, and never touches a real company."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from aftersales import returns
from procurement import orders as purchase_orders
from procurement import proposals
from scm.finance import receivables, reconcile, valuation
from scm.loop.world.simulation import Outcome, SupplierUnknown
from scm.master import companies
from scm.master.companies import Company as CompanyRow
from scm.master.companies import NotSimulated
from scm.master.items import Item
from scm.master.locations import Location
from scm.sales import orders as sales_orders
from scm.stock.balances import StockBalance
from tests.databases import BACKENDS
from tests.loop import company as small
from tests.loop.company import GO_LIVE, Company
from warehouse import counting, packing, picking, putaway, receiving, shipping, waves
from warehouse.counts import Target

DAYS = 4
# Of one room only one verb may have a name, by which it is remembered.
INTERRUPTED: list[tuple[Any, str]] = [
    (proposals, "accept"),
    (purchase_orders, "draft"),
    (purchase_orders, "submit"),
    (purchase_orders, "approve"),
    (purchase_orders, "send"),
    (receiving, "receive"),
    (putaway, "put_away_all"),
    (sales_orders, "place_and_confirm"),
    (waves, "release"),
    (picking, "confirm"),
    (packing, "pack"),
    (shipping, "ship"),
    (counting, "record_count"),
    (returns, "authorize"),
    (receivables, "record_payment"),
    (valuation, "run"),
]


class Interrupted(Exception):
    """The machine went off."""


def test_the_same_seed_makes_the_same_world_on_both_databases() -> None:
    outcomes = []
    for backend in BACKENDS:
        with small.prepared(backend) as url, small.copied(backend, url) as company:
            outcomes.append((figures(company.simulate(DAYS)), plan_of(company)))
    assert outcomes[0] == outcomes[1]


def test_another_seed_makes_another_world(another_company: Callable[[], Company]) -> None:
    one, two = another_company(), another_company()
    one.simulate(2, seed=1)
    two.simulate(2, seed=2)
    assert happened(one) != happened(two)


def test_the_books_are_proved_at_the_end_and_a_planted_error_is_named(company: Company) -> None:
    outcome = company.simulate(1)
    assert outcome.books.findings == ()
    assert outcome.weeks[0].orders > 0
    with company.writing() as session:
        first = session.scalars(sa.select(StockBalance).where(StockBalance.on_hand > 0).limit(1)).one()
        first.on_hand += 1
        place, item = session.get_one(Location, first.location_id).code, session.get_one(Item, first.item_id).sku
    with company.reading() as session:
        report = reconcile.verify_books(session, now=small.evening(GO_LIVE))
    assert [one for one in report.findings if place in one.place and item in one.place]


def test_a_real_company_is_never_simulated(company: Company) -> None:
    with company.writing() as session:
        session.execute(sa.update(CompanyRow).values(simulated=False, business_date=None))
    before = happened(company)
    with pytest.raises(NotSimulated, match="not created as a simulated company"):
        company.simulate(1)
    assert happened(company) == before


def test_a_misspelt_supplier_is_refused_before_anything_happens(company: Company) -> None:
    before = happened(company)
    with pytest.raises(SupplierUnknown, match="there is no supplier S99"):
        company.simulate(1, delay_factors={"S99": 2.0})
    assert happened(company) == before


def test_the_simulated_day_ends_on_the_next_morning(company: Company) -> None:
    assert company.simulate(1).last_day == GO_LIVE
    with company.reading() as session:
        assert companies.only(session).business_date == GO_LIVE + timedelta(days=1)
    assert company.simulate(1).first_day == GO_LIVE + timedelta(days=1)


def test_a_simulation_interrupted_at_every_step_goes_on_to_the_same_end(
    another_company: Callable[[], Company], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each verb fails once, at its first call; the day is begun again, and nothing is done twice or forgotten."""
    undisturbed, disturbed = another_company(), another_company()
    for one in (undisturbed, disturbed):
        ask_for_a_count(one)
    expected = undisturbed.simulate(DAYS)
    failed: list[str] = []
    for verb in INTERRUPTED:
        monkeypatch.setattr(*verb, failing_once(*verb, failed))
    outcome = None
    while outcome is None:
        try:
            outcome = disturbed.simulate(DAYS - days_done(disturbed))
        except Interrupted:
            assert len(failed) <= len(INTERRUPTED)

    assert sorted(failed) == sorted(name for _, name in INTERRUPTED)
    assert outcome.books.findings == ()
    assert happened(disturbed) == happened(undisturbed)
    assert plan_of(disturbed) == plan_of(undisturbed)
    assert outcome.weeks[-1].backordered == expected.weeks[-1].backordered
    assert outcome.weeks[-1].stock_value == expected.weeks[-1].stock_value


def ask_for_a_count(company: Company) -> None:
    with company.writing() as session:
        target = Target(location_id=company.setup.bin_ids[0])
        now = datetime.combine(GO_LIVE, time(8), UTC)
        warehouse = company.setup.users["warehouse"]
        counting.plan_count(session, [target], actor=warehouse, now=now, today=GO_LIVE)


def failing_once(module: Any, name: str, failed: list[str]) -> Callable[..., Any]:
    real = getattr(module, name)

    def verb(*arguments: Any, **options: Any) -> Any:
        if name not in failed:
            failed.append(name)
            raise Interrupted
        return real(*arguments, **options)

    return verb


def days_done(company: Company) -> int:
    with company.reading() as session:
        reached = companies.only(session).business_date
    assert reached is not None
    return (reached - GO_LIVE).days


def figures(outcome: Outcome) -> dict[str, Any]:
    [week] = outcome.weeks
    return asdict(week)


def plan_of(company: Company) -> list[tuple[str, int]]:
    return [(sku, one.quantity) for sku, one in company.proposals().items()]


def happened(company: Company) -> list[tuple[Any, ...]]:
    """What was moved where, in all; the order of the moves within a day says nothing."""
    with company.reading() as session:
        rows = session.execute(
            sa.text(
                "SELECT posted_date, item_id, source_id, destination_id, document_kind, SUM(quantity) FROM stock_move "
                "WHERE state = 'posted' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"
            )
        )
        return [tuple(row) for row in rows]
