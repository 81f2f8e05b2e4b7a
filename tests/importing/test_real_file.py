"""The real export, 851,290 lines: what becomes of them, as counted beforehand by hand-written SQL over the raw file."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import sqlalchemy as sa

from forecasting import history
from forecasting.history import DemandFact, ReturnFact
from scm.core.db import Database
from scm.loop.importing.report import ImportReport
from scm.loop.importing.tables import LineKind, SalesHistoryLine
from scm.master.items import Item
from tests import databases
from tests.importing.files import GO_LIVE, bring_in, found

pytestmark = pytest.mark.data

FILE = Path("online_retail") / "online_retail_2009-12_to_2011-09-04.csv.gz"
LINES = 851_290
# Counted with the sqlite3 shell: kinds by LIKE patterns and signs, repetitions by comparing every column of the rows
# behind the one place where time goes back with the rows before it.
ACCEPTED = {"sale": 803_907, "return": 14_763, "adjustment": 5_237, "charge": 4_860}
REPEATED = 22_523
ITEMS, SOLD_ITEMS, CUSTOMERS, ANONYMOUS_LINES, LINES_FROM_GO_LIVE = 4_870, 4_486, 5_330, 190_117, 18_811
UNITS = {LineKind.SALE: 9_025_926, LineKind.RETURN: -343_239, LineKind.ADJUSTMENT: -280_637, LineKind.CHARGE: 2_320}
# Counted with a loop over the rows that looks for the sale of each return in turn.
MATCHED, NEVER_DEMAND_PAIRS = 12_778, 1_081
DEMAND_FACTS, DEMAND_UNITS, RETURN_FACTS, RETURN_UNITS = 423_132, 8_718_568, 13_046, 216_397

MOST_MEGABYTES = 430  # added to what the test process needs itself, so that an import alone stays below 500


class Imported(NamedTuple):
    """A database after the import, the report, and by how much the import raised the peak memory of this process."""

    database: Database
    report: ImportReport
    grown_megabytes: float


@pytest.fixture(scope="module", params=databases.BACKENDS)
def imported(request: pytest.FixtureRequest, data_directory: Path) -> Iterator[Imported]:
    """The real file in a database of its own, imported once for the tests of this file."""
    path = data_directory / FILE
    if not path.is_file():
        databases.missing(f"no real data: {path} is missing")
    with databases.fresh_database(request.param) as url:
        database = Database(url)
        company = found(database)
        before, started = _peak_megabytes(), time.process_time()
        report = bring_in(database, company, path)
        grown = _peak_megabytes() - before
        print(f"{request.param}: {time.process_time() - started:.1f} CPU s in this process, peak {grown:+.0f} MB")
        yield Imported(database, report, grown)
        database.dispose()


def test_every_line_is_accounted_for(imported: Imported) -> None:
    report = imported.report
    assert report.lines == LINES
    assert report.accepted == ACCEPTED
    assert report.rejected == {"repeated_line": REPEATED}
    assert (report.items, report.customers) == (ITEMS, CUSTOMERS)
    assert (report.anonymous_lines, report.lines_from_go_live) == (ANONYMOUS_LINES, LINES_FROM_GO_LIVE)
    assert (report.returns_matched, report.never_demand_lines) == (MATCHED, 2 * NEVER_DEMAND_PAIRS)
    assert (report.first_date, report.last_date) == (date(2009, 12, 1), date(2011, 9, 4))


def test_the_kept_lines_hold_every_unit(imported: Imported) -> None:
    database = imported.database
    with database.unit_of_work(write=False) as session:
        rows = session.execute(
            sa.select(SalesHistoryLine.kind, sa.func.sum(SalesHistoryLine.quantity)).group_by(SalesHistoryLine.kind)
        )
        assert {kind: int(units) for kind, units in rows} == UNITS
        unknown = sa.select(SalesHistoryLine.id).where(
            SalesHistoryLine.item_id.is_not(None), SalesHistoryLine.item_id.not_in(sa.select(Item.id))
        )
        assert session.scalars(unknown.limit(1)).all() == []


def test_a_bulk_order_that_was_cancelled_at_once_is_no_demand(imported: Imported) -> None:
    database = imported.database
    with database.unit_of_work(write=False) as session:
        lines = session.execute(
            sa.select(SalesHistoryLine.invoice, SalesHistoryLine.never_demand)
            .where(sa.func.abs(SalesHistoryLine.quantity) == 74_215)
            .order_by(SalesHistoryLine.id)
        ).all()
    assert [tuple(line) for line in lines] == [("541431", True), ("C541433", True)]


def test_the_facts_before_go_live_are_as_counted(imported: Imported) -> None:
    database, report = imported.database, imported.report
    assert (report.demand_facts, report.return_facts) == (DEMAND_FACTS, RETURN_FACTS)
    with database.unit_of_work(write=False) as session:
        units = session.execute(sa.select(sa.func.sum(DemandFact.quantity), sa.func.max(DemandFact.demand_date))).one()
        assert (int(units[0]), units[1] < GO_LIVE) == (DEMAND_UNITS, True)
        assert session.scalar(sa.select(sa.func.sum(ReturnFact.quantity))) == RETURN_UNITS
        site_id = session.scalars(sa.select(DemandFact.site_id).limit(1)).one()
        item_ids, demand = history.weekly_demand(session, site_id=site_id, as_of=GO_LIVE, weeks=90)
    assert np.nansum(demand) == DEMAND_UNITS
    assert len(item_ids) == demand.shape[0] <= SOLD_ITEMS
    assert not np.isnan(demand[:, -1]).any()


def test_every_sold_item_can_be_bought(imported: Imported) -> None:
    report = imported.report
    assert report.agreements_assumed == SOLD_ITEMS
    assert 35 <= report.suppliers_assumed <= 40
    assert report.opening_items > 0.9 * SOLD_ITEMS


def test_the_import_needs_little_memory(imported: Imported) -> None:
    assert imported.grown_megabytes < MOST_MEGABYTES


def _peak_megabytes() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
