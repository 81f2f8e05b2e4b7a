"""A planted change travels: what the world did differently is in the next proposals, and their accounts name it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from forecasting.history import ReturnFact
from procurement.proposals import Proposal
from scm.loop import cycle_runs
from scm.master.agreements import SupplierAgreement
from scm.master.items import Item
from scm.master.partners import Partner
from tests.loop.company import GO_LIVE, Company

DAYS = 9
LATE = "ASSUMED-19"
AGREED_DAYS = 6  # of that supplier


def test_a_supplier_who_turned_late_is_ordered_from_earlier_and_named(
    another_company: Callable[[], Company],
) -> None:
    """The same world twice, but for one supplier's delays; then a flood, so that items must be ordered again."""
    punctual, late = another_company(), another_company()
    punctual.simulate(DAYS)
    late.simulate(DAYS, delay_factors={LATE: 2.0})
    before, after = (proposals_after_a_flood(one) for one in (punctual, late))

    # Of some items so much is late that what is on order is enough.
    assert before.keys() == items_of(punctual, LATE) and len(after) >= 3
    for sku in after:
        assert after[sku].quantity != before[sku].quantity, sku
        assert terms(after[sku])["demand"] > terms(before[sku])["demand"], sku
        assert covered(after[sku]) > covered(before[sku]), sku
        assert after[sku].inputs["protection_days"] > before[sku].inputs["protection_days"]
        assert after[sku].inputs["counted_lead_time_days"] > AGREED_DAYS * 1.1
        assert named(before[sku], "lead_time") == []
        [cause] = named(after[sku], "lead_time")
        assert cause["supplier"] == LATE
        assert Decimal(cause["mean_days"]) >= Decimal("1.4") * AGREED_DAYS
        assert cause["agreed_days"] == f"{AGREED_DAYS}.000"
        assert cause["deliveries"] >= 2
    assert sum(safety(one) for one in after.values()) > sum(safety(before[sku]) for sku in after)
    assert blamed_by_others(late) == set()
    [listed] = [one for one in measures(late)["late_suppliers"] if one["supplier"] == LATE]
    assert listed["mean_days"] == named(after[sku], "lead_time")[0]["mean_days"]


def test_more_returns_of_an_item_are_counted_as_supply_and_named(company: Company) -> None:
    sku = "KT-001"
    company.empty_shelves()
    company.cycle()
    before = company.proposals()
    double_the_returns(company, sku)
    company.cycle()
    after = company.proposals()

    assert terms(after[sku])["expected_returns"] < terms(before[sku]).get("expected_returns", 0)
    assert after[sku].inputs["need"] < before[sku].inputs["need"]
    [cause] = named(after[sku], "returns")
    assert cause["return_rate"] > 1.25 * cause["overall_rate"]
    assert named(before[sku], "returns") == []
    others = {other for other, one in after.items() if named(one, "returns")} - {sku}
    assert others == {other for other, one in before.items() if named(one, "returns")}


def proposals_after_a_flood(company: Company) -> dict[str, Proposal]:
    """What is free is lost, so that every item must be ordered; then the cycle runs."""
    today = GO_LIVE + timedelta(days=DAYS)
    company.empty_shelves(today)
    company.cycle(today)
    codes = company.suppliers()
    return {sku: one for sku, one in company.proposals().items() if codes[one.supplier_id or 0] == LATE}


def blamed_by_others(company: Company) -> set[str]:
    """Suppliers that a proposal of another supplier's item names."""
    codes = company.suppliers()
    with company.reading() as session:
        proposals = session.scalars(sa.select(Proposal)).all()
    causes = [
        (codes[one.supplier_id or 0], cause["supplier"]) for one in proposals for cause in named(one, "lead_time")
    ]
    assert causes, "nothing was learnt, so nothing was tested"
    return {blamed for supplier, blamed in causes if blamed != supplier}


def measures(company: Company) -> dict[str, Any]:
    with company.reading() as session:
        run = cycle_runs.latest(session, site_id=company.setup.site_id)
    assert run is not None
    return run.measures


def double_the_returns(company: Company, sku: str) -> None:
    """As many units of the item come back again as of an average item, on top of those that did."""
    with company.writing() as session:
        item_id = session.scalars(sa.select(Item.id).where(Item.sku == sku)).one()
        rows = session.scalars(sa.select(ReturnFact).where(ReturnFact.item_id == item_id)).all()
        assert rows, f"nothing of {sku} ever came back"
        for row in rows:
            row.quantity *= 2


def items_of(company: Company, supplier: str) -> set[str]:
    with company.reading() as session:
        return set(
            session.scalars(
                sa.select(Item.sku)
                .join(SupplierAgreement, SupplierAgreement.item_id == Item.id)
                .join(Partner, Partner.id == SupplierAgreement.partner_id)
                .where(Partner.code == supplier)
            )
        )


def terms(proposal: Proposal) -> dict[str, int]:
    return {term["name"]: term["quantity"] for term in proposal.account}


def covered(proposal: Proposal) -> int:
    """The order-up-to level: what the proposal makes sure to have."""
    names = ("demand", "safety_demand", "safety_lead_time")
    return sum(terms(proposal).get(name, 0) for name in names)


def safety(proposal: Proposal) -> int:
    """The safety stock, against demand and against lead time."""
    return terms(proposal).get("safety_demand", 0) + terms(proposal).get("safety_lead_time", 0)


def named(proposal: Proposal, kind: str) -> list[dict[str, Any]]:
    return [cause for cause in proposal.inputs["causes"] if cause["cause"] == kind]
