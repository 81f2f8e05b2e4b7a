"""The morning after the simulated days leaves work on every desk, once, and the books in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from aftersales import returns
from aftersales import status as aftersales_status
from procurement import orders as purchase_orders
from procurement import proposals
from procurement.proposals import Proposal, ProposalState
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.finance import reconcile, valuation
from scm.loop.world import morning
from scm.master.companies import Company as CompanyRow
from scm.master.companies import NotSimulated
from scm.master.locations import Location, LocationKind
from scm.sales import orders as sales_orders
from scm.sales import status
from scm.sales.documents import SalesOrder
from scm.stock.balances import StockBalance
from scm.stock.moves import MoveState, StockMove
from tests.databases import BACKENDS, Backend
from tests.loop import company as small
from tests.loop.company import GO_LIVE, SEED, Company
from tests.loop.test_world import Interrupted, failing_once, happened
from warehouse import counting, packing, picking, putaway, receiving, waves
from warehouse.counts import CountState, CycleCount
from warehouse.packing import Shipment, ShipmentState
from warehouse.waves import Wave, WaveState

DAYS = 1  # after which the small company has a proposal for every item
MORNING = GO_LIVE + timedelta(days=DAYS)
INTERRUPTED: list[tuple[Any, str]] = [
    (proposals, "accept"),
    (purchase_orders, "draft"),
    (purchase_orders, "write"),
    (purchase_orders, "submit"),
    (purchase_orders, "approve"),
    (purchase_orders, "send"),
    (receiving, "receive"),
    (sales_orders, "place_and_confirm"),
    (waves, "release"),
    (picking, "confirm"),
    (packing, "pack"),
    (counting, "plan_count"),
    (counting, "record_count"),
    (returns, "authorize"),
    (valuation, "run"),
]


@pytest.fixture(scope="session")
def _begun_sqlite(_prepared_sqlite: str) -> Iterator[str]:
    yield from begun_company("sqlite", _prepared_sqlite)


@pytest.fixture(scope="session")
def _begun_postgresql(_prepared_postgresql: str) -> Iterator[str]:
    yield from begun_company("postgresql", _prepared_postgresql)


def begun_company(backend: Backend, prepared_url: str) -> Iterator[str]:
    with small.copied(backend, prepared_url) as company:
        company.simulate(DAYS)
        assert morning.begin(company.database, seed=SEED)
        company.database.dispose()  # or it could not be copied
        yield company.database.url.render_as_string(hide_password=False)


@pytest.fixture
def begun(request: pytest.FixtureRequest, backend: Backend) -> Iterator[Company]:
    """The company in the middle of the day after a simulated one."""
    with small.copied(backend, request.getfixturevalue(f"_begun_{backend}")) as company:
        yield company


def test_there_is_work_on_every_desk_and_the_books_are_proved(begun: Company) -> None:
    site_id = begun.setup.site_id
    with begun.reading() as session:
        # The planner's, the buyer's and the approver's.
        states = Counter(session.scalars(sa.select(Proposal.state).where(Proposal.order_date == MORNING)))
        assert states[ProposalState.OPEN] >= 3 and states[ProposalState.ACCEPTED] >= 3
        ordered = set(session.scalars(sa.select(PurchaseOrderLine.proposal_id)))
        accepted = session.scalars(sa.select(Proposal.id).where(Proposal.state == ProposalState.ACCEPTED))
        assert len(set(accepted) - ordered) >= 2
        orders = Counter(session.scalars(sa.select(PurchaseOrder.state)))
        assert orders[PurchaseOrderState.SUBMITTED] >= 3
        assert orders[PurchaseOrderState.DRAFT] == orders[PurchaseOrderState.APPROVED] == 1
        # The door and the dock.
        owed = [line for line in receiving.expected(session, site_id=site_id) if line.document_kind == "purchase_order"]
        due = {line.document_id: line.due_date for line in owed}
        assert sum(day < MORNING for day in due.values()) >= 2 and MORNING in due.values()
        assert putaway.waiting(session, site_id=site_id)
        assert at_the_dock(session) > len(putaway.waiting(session, site_id=site_id))
        # The floor.
        assert waves.count_due(session, site_id=site_id, today=MORNING) >= 3
        [wave_id] = session.scalars(sa.select(Wave.id).where(Wave.state == WaveState.RELEASED))
        picks = session.scalar(sa.select(sa.func.count()).select_from(waves.Pick).where(waves.Pick.wave_id == wave_id))
        assert 0 < len(waves.pick_list(session, wave_id=wave_id)) < (picks or 0)
        assert list(session.scalars(sa.select(Shipment.state).where(Shipment.state == ShipmentState.PACKED)))
        counts = Counter(session.scalars(sa.select(CycleCount.state)))
        assert counts[CountState.PLANNED] >= 1 and counts[CountState.COUNTED] == 1
        today = session.scalars(sa.select(SalesOrder.id).where(SalesOrder.ordered_date == MORNING)).all()
        assert len(today) >= 3
        assert any(line.waiting for line in status.fulfilment(session, today)), "nothing is backordered"
        # The returns desk.
        waiting = aftersales_status.awaiting(session, site_id=site_id)
        assert len(waiting.to_receive) >= 2 and len(waiting.to_inspect) >= 2
        assert len(waiting.to_dispose) == 1 and len(waiting.to_refund) == 2
        assert quarantined(session) > 0
        report = reconcile.verify_books(session, now=small.evening(MORNING))
    assert report.findings == ()
    assert "every move is valued" in report.summary()


def test_a_morning_that_has_begun_is_left_as_it_is(begun: Company) -> None:
    """Also when somebody has worked since: what was done once is not done again to something else."""
    with begun.writing() as session:
        planner = begun.setup.users["planner"]
        proposals.accept(session, proposals.open_ids(session, site_id=begun.setup.site_id), actor=planner, now=noon())
    before = told(begun)
    assert not morning.begin(begun.database, seed=SEED)
    assert told(begun) == before


def test_a_morning_interrupted_at_every_step_goes_on_to_the_same_end(
    another_company: Callable[[], Company], monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed, disturbed = another_company(), another_company()
    for one in (undisturbed, disturbed):
        one.simulate(DAYS)
    morning.begin(undisturbed.database, seed=SEED)
    failed: list[str] = []
    for verb in INTERRUPTED:
        monkeypatch.setattr(*verb, failing_once(*verb, failed))
    done = False
    while not done:
        try:
            morning.begin(disturbed.database, seed=SEED)
            done = True
        except Interrupted:
            assert len(failed) <= len(INTERRUPTED)
    assert sorted(failed) == sorted(name for _, name in INTERRUPTED)
    assert happened(disturbed) == happened(undisturbed)
    assert told(disturbed) == told(undisturbed)


def test_the_same_seed_begins_the_same_morning_on_both_databases() -> None:
    mornings = []
    for backend in BACKENDS:
        with small.prepared(backend) as url, small.copied(backend, url) as company:
            company.simulate(4)  # after which some orders have been delivered
            morning.begin(company.database, seed=SEED)
            mornings.append(told(company))
    assert mornings[0] == mornings[1]


def test_the_days_can_go_on_after_a_morning(begun: Company) -> None:
    outcome = begun.simulate(1)
    assert outcome.first_day == MORNING
    assert outcome.books.findings == ()


def test_a_real_company_has_no_made_up_morning(company: Company) -> None:
    with company.writing() as session:
        session.execute(sa.update(CompanyRow).values(simulated=False, business_date=None))
    before = told(company)
    with pytest.raises(NotSimulated):
        morning.begin(company.database, seed=SEED)
    assert told(company) == before


def at_the_dock(session: Any) -> int:
    statement = sa.select(sa.func.count()).select_from(StockMove).join(Location, Location.id == StockMove.source_id)
    return int(
        session.scalar(statement.where(StockMove.state == MoveState.PLANNED, Location.kind == LocationKind.DOCK))
    )


def quarantined(session: Any) -> int:
    statement = sa.select(sa.func.coalesce(sa.func.sum(StockBalance.on_hand), 0))
    statement = statement.join(Location, Location.id == StockBalance.location_id)
    return int(session.scalar(statement.where(Location.kind == LocationKind.QUARANTINE)))


def noon() -> Any:
    return small.evening(MORNING)


def told(company: Company) -> list[tuple[str, int]]:
    """How many rows of each kind and state there are."""
    asked = {
        "proposal": "state",
        "purchase_order": "state",
        "purchase_order_line": "due_date",
        "sales_order": "state",
        "wave": "state",
        "shipment": "state",
        "cycle_count": "state",
        "return_authorization": "state",
        "inspection": "grade",
        "disposal": "disposition",
        "stock_move": "state",
        "return_refund": "amount",
    }
    with company.reading() as session:
        return [
            (f"{table} {row.kind}", row.number)
            for table, column in asked.items()
            for row in session.execute(
                sa.text(f"SELECT {column} AS kind, COUNT(*) AS number FROM {table} GROUP BY 1 ORDER BY 1")
            )
        ]
