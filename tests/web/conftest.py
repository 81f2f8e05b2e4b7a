"""The small company of the loop's tests, and one copy of it that shows many proposals and is only read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from procurement import proposals
from procurement.proposals import ProposalRequest
from tests.databases import Backend
from tests.loop import company as companies
from tests.loop.company import GO_LIVE, Company
from tests.loop.conftest import _prepared_postgresql, _prepared_sqlite, another_company, company
from tests.web.visitor import Visitor, signed_in

__all__ = ["_prepared_postgresql", "_prepared_sqlite", "another_company", "company"]
COPIES = 6  # of each of the 25 proposals


@pytest.fixture(scope="session")
def _shown_sqlite(_prepared_sqlite: str) -> Iterator[Company]:
    with companies.copied("sqlite", _prepared_sqlite) as shown:
        yield _with_many_proposals(shown)


@pytest.fixture(scope="session")
def _shown_postgresql(_prepared_postgresql: str) -> Iterator[Company]:
    with companies.copied("postgresql", _prepared_postgresql) as shown:
        yield _with_many_proposals(shown)


@pytest.fixture
def shown(request: pytest.FixtureRequest, backend: Backend) -> Company:
    """A company with 150 open proposals; tests only read it."""
    found: Company = request.getfixturevalue(f"_shown_{backend}")
    return found


@pytest.fixture
def browser(shown: Company) -> Visitor:
    """The planner's browser on that company."""
    return signed_in(shown.database, "planner")


def _with_many_proposals(shown: Company) -> Company:
    shown.empty_shelves()
    result = shown.cycle()
    requests = [
        ProposalRequest(
            item_id=one.item_id,
            supplier_id=one.supplier_id,
            agreement_id=one.agreement_id,
            quantity=one.quantity,
            order_date=one.order_date,
            due_date=one.due_date,
            unit_price=one.unit_price,
            account=one.account,
            inputs=one.inputs,
            next_best=one.next_best,
            risk=one.risk,
            assumed=one.assumed,
        )
        for one in shown.proposals().values()
    ]
    assert len(requests) == 25
    with shown.writing() as session:
        proposals.publish(
            session,
            requests * COPIES,
            run_id=result.run_id,
            company_id=shown.setup.company_id,
            site_id=shown.setup.site_id,
            actor=shown.setup.users["system"],
            now=companies.evening(GO_LIVE),
        )
    return shown
