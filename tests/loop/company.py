"""A small generated company that the loop turns on: made once for each kind of database, copied for each story.

It is made by the product's own commands from a made-up file of sales: 25 items of five suppliers, a year of sales,
and two weeks of sales after go-live that only the simulated world may read.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from procurement.proposals import Proposal, ProposalState
from scm.core.db import Database
from scm.core.progress import SILENT
from scm.loop import cycle
from scm.loop.cycle import CycleResult
from scm.loop.generated import catalogue, history, sales_file
from scm.loop.importing import sales
from scm.loop.targets import PlanSettings
from scm.loop.world import simulation
from scm.loop.world.simulation import Outcome
from scm.master import setup
from scm.master.agreements import SupplierTerms
from scm.master.items import Item
from scm.master.partners import Partner
from scm.master.setup import Setup
from scm.sales import channels
from scm.stock import ledger, projection
from scm.stock.balances import StockBalance
from scm.stock.ledger import MoveRequest
from tests import databases
from tests.databases import Backend

GO_LIVE = date(2026, 9, 14)  # a Monday
DAYS_AFTER = 14
HISTORY_DAYS = 420
FILE_SEED = 44  # a popular KT-001, and no slow item of the supplier whose lateness is learnt
VOLUME = 4.0
SEED = 1


@dataclass(frozen=True)
class Company:
    """One copy of the company."""

    database: Database
    setup: Setup

    def cycle(self, as_of: date = GO_LIVE, *, settings: PlanSettings = cycle.DEFAULTS) -> CycleResult:
        """This function will run the cycle as of the end of a day."""
        actor = self.setup.users["system"]
        return cycle.run(self.database, as_of=as_of, actor=actor, now=evening(as_of), settings=settings)

    def simulate(self, days: int, *, seed: int = SEED, delay_factors: Mapping[str, float] | None = None) -> Outcome:
        """This function will let the world act for so many days."""
        return simulation.run(self.database, days=days, seed=seed, delay_factors=delay_factors)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """This function will open a transaction that reads."""
        with self.database.unit_of_work(write=False) as session:
            yield session

    @contextlib.contextmanager
    def writing(self) -> Iterator[Session]:
        """This function will open a transaction that writes."""
        with self.database.unit_of_work(write=True) as session:
            yield session

    def proposals(self) -> dict[str, Proposal]:
        """This function will read the open proposals by SKU."""
        with self.reading() as session:
            rows = session.execute(
                sa.select(Item.sku, Proposal)
                .join(Item, Item.id == Proposal.item_id)
                .where(Proposal.state == ProposalState.OPEN)
                .order_by(Item.sku)
            )
            return {row.sku: row.Proposal for row in rows}

    def empty_shelves(self, today: date = GO_LIVE) -> None:
        """This function will lose all free stock, so that every item must be ordered."""
        with self.writing() as session:
            positions = projection.positions(session, site_id=self.setup.site_id)
            free = {item_id: position.available for item_id, position in positions.items()}
            rows = session.execute(
                sa.select(StockBalance.item_id, StockBalance.location_id, StockBalance.on_hand)
                .where(StockBalance.location_id.in_(self.setup.bin_ids), StockBalance.on_hand > 0)
                .order_by(StockBalance.item_id, StockBalance.location_id)
            ).all()
            lost = []
            for row in rows:
                quantity = min(free[row.item_id], row.on_hand)
                free[row.item_id] -= quantity
                if quantity:
                    lost.append(self._loss(row.item_id, row.location_id, quantity, today))
            now = evening(today)
            warehouse = self.setup.users["warehouse"]
            ledger.move_now(session, lost, company_id=self.setup.company_id, actor=warehouse, now=now, today=today)

    def _loss(self, item_id: int, bin_id: int, quantity: int, today: date) -> MoveRequest:
        return MoveRequest(
            item_id=item_id,
            source_id=bin_id,
            destination_id=self.setup.adjustment_location_id,
            quantity=quantity,
            due_date=today,
            document_kind="cycle_count",
            document_id=0,
            line_id=0,
            reason="a flood",
        )

    def suppliers(self) -> dict[int, str]:
        """This function will read the codes of the suppliers by their ids."""
        with self.reading() as session:
            rows = session.execute(sa.select(Partner.id, Partner.code).where(Partner.is_supplier))
            return {row.id: row.code for row in rows}


def evening(day: date) -> datetime:
    """This function will give the instant at which a story's day ends."""
    return datetime.combine(day, time(21), UTC)


@contextlib.contextmanager
def prepared(backend: Backend) -> Iterator[str]:
    """This function will make the company in a database that nobody has open afterwards, and give its address."""
    with databases.fresh_database(backend) as url:
        database = Database(url)
        try:
            _make(database)
        finally:
            database.dispose()
        yield url


@contextlib.contextmanager
def copied(backend: Backend, prepared_url: str) -> Iterator[Company]:
    """This function will give a copy of the prepared company, removed at the end."""
    with databases.copy_of(backend, prepared_url) as url:
        database = Database(url)
        with database.unit_of_work(write=False) as session:
            places = setup.load(session)
        try:
            yield Company(database, places)
        finally:
            database.dispose()


def write_sales(path: Path) -> int:
    """This function will write the company's file of sales."""
    last_day = GO_LIVE + timedelta(days=DAYS_AFTER - 1)
    made_up = history.make(
        last_day=last_day,
        seed=FILE_SEED,
        range_=catalogue.LEAST,
        history_days=HISTORY_DAYS,
        future_days=DAYS_AFTER,
        volume=VOLUME,
        with_stories=False,
    )
    return sales_file.write(path, made_up)


def _make(database: Database) -> None:
    now = datetime.combine(GO_LIVE, time(6), UTC)
    with database.unit_of_work(write=True) as session:
        places = setup.create_company(
            session,
            code="small",
            name="Small company",
            currency="GBP",
            zone="Europe/London",
            simulated=True,
            generated=True,
            bin_count=30,
            working_weekdays=range(7),
            actor_now=now,
        )
        channels.open_own_shop(
            session, company_id=places.company_id, site_id=places.site_id, actor=places.users["system"]
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sales.csv"
        write_sales(path)
        sales.run(
            database,
            path,
            format="standard",
            dry_run=False,
            go_live_date=None,
            seed=SEED,
            actor=places.users["system"],
            now=now,
            progress=SILENT,
            last_days=DAYS_AFTER,
        )
    with database.unit_of_work(write=True) as session:
        # So that every day of a story is a day on which every supplier can be ordered from.
        session.execute(sa.update(SupplierTerms).values(review_weekday=None))
