"""A whole import into a database: what stands there afterwards, and what does not after a refusal."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from forecasting.history import DemandFact, ReturnFact
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderState
from scm.core.db import Base, Database, DatabaseFull
from scm.core.users import RoleMissing
from scm.loop.importing import sales
from scm.loop.importing.refusals import AlreadyImported, UnusableFile
from scm.loop.importing.tables import LineKind, SalesHistoryLine
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.companies import Company
from scm.master.items import Item, ItemStatus
from scm.master.partners import Partner
from scm.stock.moves import MoveState, StockMove
from tests import databases
from tests.importing.files import GO_LIVE, bring_in, found, retail, write

SOLD = retail("489434", "85123A", "WHITE HANGING HEART", 12, "2011-08-01 23:30:00", "2.55")
LINES = (
    SOLD,
    retail("489435", "85123a", "heart?", 6, "2011-08-02 00:10:00", "2.95", customer=""),
    retail("489436", "22423", "CAKESTAND", 2, "2011-08-10 10:00:00", "12.75", "12682", "France"),
    retail("C489437", "22423", "CAKESTAND", -1, "2011-08-12 10:00:00", "12.75", "12682", "France"),
    retail("489438", "85123A", "damages", -4, "2011-08-13 10:00:00", "0.0", ""),
    retail("489439", "99999", "found", 4, "2011-08-13 11:00:00", "0.0", ""),
    retail("489440", "POST", "POSTAGE", 1, "2011-08-13 12:00:00", "18.0", "12682", "France"),
    retail("489441", "22423", "CAKESTAND", 700, "2011-08-14 10:00:00", "10.95"),
    retail("C489442", "22423", "CAKESTAND", -700, "2011-08-14 10:20:00", "10.95"),
    retail("489443", "22423", "CAKESTAND", 3, "2011-08-21 09:00:00", "12.75"),
    retail("C489444", "85123A", "WHITE HANGING HEART", -2, "2011-08-22 09:00:00", "2.55"),
    retail("489445", "85123A", "WHITE HANGING HEART", "0", "2011-08-22 10:00:00"),
)


def rows_of(database: Database, statement: sa.Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    with database.unit_of_work(write=False) as session:
        return [tuple(row) for row in session.execute(statement)]


def row_counts(database: Database) -> dict[str, int]:
    with database.unit_of_work(write=False) as session:
        return {
            name: session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def test_every_line_is_accounted_for_and_kept(database: Database, tmp_path: Path) -> None:
    report = bring_in(database, found(database), write(tmp_path, *LINES))
    assert report.lines == 12
    assert report.accepted == {"sale": 5, "return": 3, "adjustment": 2, "charge": 1}
    assert report.rejected == {"zero_quantity": 1}
    assert (report.items, report.customers, report.anonymous_lines) == (3, 2, 3)
    assert (report.returns_matched, report.never_demand_lines, report.lines_from_go_live) == (3, 2, 2)
    assert json.loads(json.dumps(report.as_json()))["rejected_examples"][0]["row"] == 13
    kept = rows_of(
        database,
        sa.select(
            SalesHistoryLine.row_number, SalesHistoryLine.kind, SalesHistoryLine.quantity, SalesHistoryLine.sold_date
        ).order_by(SalesHistoryLine.id),
    )
    assert [row for row, *_ in kept] == list(range(2, 13))
    assert kept[0] == (2, LineKind.SALE, 12, date(2011, 8, 1))
    assert kept[1][3] == date(2011, 8, 2)  # ten past midnight in London, the day before in UTC
    assert kept[6][1] is LineKind.CHARGE


def test_a_return_is_kept_with_the_sale_it_reverses(database: Database, tmp_path: Path) -> None:
    bring_in(database, found(database), write(tmp_path, *LINES))
    sale = sa.orm.aliased(SalesHistoryLine)
    pairs = sa.select(SalesHistoryLine.invoice, sale.invoice, SalesHistoryLine.never_demand)
    joined = pairs.join(sale, sale.id == SalesHistoryLine.matched_sale_id).order_by(SalesHistoryLine.id)
    assert rows_of(database, joined) == [
        ("C489437", "489436", False),
        ("C489442", "489441", True),
        ("C489444", "489434", False),
    ]


def test_only_demand_before_go_live_becomes_a_fact(database: Database, tmp_path: Path) -> None:
    report = bring_in(database, found(database), write(tmp_path, *LINES))
    facts = sa.select(Item.sku, DemandFact.demand_date, DemandFact.quantity).join(Item, Item.id == DemandFact.item_id)
    assert rows_of(database, facts.order_by(DemandFact.demand_date)) == [
        ("85123A", date(2011, 8, 1), 12),
        ("85123A", date(2011, 8, 2), 6),
        ("22423", date(2011, 8, 10), 2),
    ]
    returned = sa.select(ReturnFact.return_date, ReturnFact.sale_date, ReturnFact.quantity)
    assert rows_of(database, returned) == [(date(2011, 8, 12), date(2011, 8, 10), 1)]
    assert (report.demand_facts, report.return_facts) == (3, 1)


def test_items_and_customers_are_created_once_with_their_usual_name(database: Database, tmp_path: Path) -> None:
    bring_in(database, found(database), write(tmp_path, *LINES))
    items = sa.select(Item.sku, Item.name, Item.status, Item.sale_price).order_by(Item.sku)
    assert rows_of(database, items) == [
        ("22423", "CAKESTAND", ItemStatus.ACTIVE, Decimal("10.950000")),
        ("85123A", "WHITE HANGING HEART", ItemStatus.ACTIVE, Decimal("2.550000")),
        ("99999", "99999", ItemStatus.RETIRED, None),
    ]
    buyers = sa.select(Partner.code, Partner.country).where(Partner.is_customer).order_by(Partner.code)
    assert rows_of(database, buyers) == [
        ("12682", "France"),
        ("13085", "United Kingdom"),
        ("ANONYMOUS", "United Kingdom"),
    ]


def test_what_the_file_lacks_is_assumed_and_labelled(database: Database, tmp_path: Path) -> None:
    report = bring_in(database, found(database), write(tmp_path, *LINES))
    assert (report.agreements_assumed, report.opening_items > 0, bool(report.assumed)) == (2, True, True)
    with database.unit_of_work(write=False) as session:
        for agreement in session.scalars(sa.select(SupplierAgreement)):
            assert "lead_time_days" in agreement.assumed
            assert 3 <= agreement.lead_time_days <= 28
            assert agreement.minimum_order_quantity % agreement.order_multiple == 0
        for terms in session.scalars(sa.select(SupplierTerms)):
            assert (terms.review_period_days, terms.over_receipt_rate) == (7, Decimal("0.05"))
            assert "joint_order_cost" in terms.assumed
        cakestand = session.scalars(sa.select(Item).where(Item.sku == "22423")).one()
        assert cakestand.opening_unit_cost is not None and cakestand.sale_price is not None
        assert Decimal("0.39") < cakestand.opening_unit_cost / cakestand.sale_price < Decimal("0.61")
        assert cakestand.assumed == ["category_id", "opening_unit_cost"]
        company = session.scalars(sa.select(Company)).one()
        assert (company.go_live_date, company.business_date) == (GO_LIVE, GO_LIVE)


def test_opening_stock_is_a_dated_move_with_a_cost(database: Database, tmp_path: Path) -> None:
    lines = [retail(str(n), f"{20000 + n % 40}", quantity=30, at=f"2011-0{5 + n % 3}-10 10:00:00") for n in range(240)]
    company = found(database)
    report = bring_in(database, company, write(tmp_path, *lines))
    with database.unit_of_work(write=False) as session:
        opening = session.scalars(sa.select(StockMove).where(StockMove.document_kind == "opening")).all()
        assert report.opening_items == len(opening) >= 35
        assert sum(move.quantity for move in opening) == report.opening_quantity
        for move in opening:
            assert (move.state, move.posted_date) == (MoveState.POSTED, GO_LIVE)
            assert move.source_id == company.adjustment_location_id
            assert move.destination_id in company.bin_ids
            assert move.expected_unit_cost is not None and move.expected_unit_cost > 0
        coming = session.scalars(sa.select(StockMove).where(StockMove.document_kind == "purchase_order")).all()
        assert coming
        assert all(move.state is MoveState.PLANNED and move.due_date >= GO_LIVE for move in coming)
        orders = session.scalars(sa.select(PurchaseOrder)).all()
        assert len(orders) == report.opening_orders
        assert all(order.state is PurchaseOrderState.SENT and str(order.sent_date) < str(GO_LIVE) for order in orders)


def test_a_dry_run_reports_the_same_and_changes_nothing(database: Database, tmp_path: Path) -> None:
    company = found(database)
    path = write(tmp_path, *LINES)
    before = row_counts(database)
    tried = bring_in(database, company, path, dry_run=True)
    assert row_counts(database) == before
    done = bring_in(database, company, path)
    assert tried.as_json() == done.as_json() | {"dry_run": True}


def test_the_same_seed_assumes_the_same(fresh_database: Any, tmp_path: Path) -> None:
    path = write(tmp_path, *LINES)
    what = sa.select(SupplierAgreement.lead_time_days, SupplierAgreement.unit_price, SupplierAgreement.order_multiple)
    assumed = []
    for seed in (5, 5, 6):
        database = fresh_database()
        bring_in(database, found(database), path, seed=seed)
        assumed.append(rows_of(database, what.order_by(SupplierAgreement.item_id)))
    assert assumed[0] == assumed[1] != assumed[2]


def test_the_same_file_is_imported_once_whatever_it_is_called(database: Database, tmp_path: Path) -> None:
    company = found(database)
    bring_in(database, company, write(tmp_path, *LINES))
    before = row_counts(database)
    with pytest.raises(AlreadyImported, match=r"imported on .* as sales\.csv: nothing was changed"):
        bring_in(database, company, write(tmp_path, *LINES, name="again.csv.gz"))
    assert row_counts(database) == before


def test_of_an_overlapping_file_only_new_lines_are_taken(database: Database, tmp_path: Path) -> None:
    company = found(database)
    bring_in(database, company, write(tmp_path, *LINES))
    new = retail("489999", "85123A", "WHITE HANGING HEART", 5, "2011-08-20 10:00:00", "2.55")
    before = row_counts(database)
    report = bring_in(database, company, write(tmp_path, *LINES[:4], new, name="later.csv"), go_live_date=None)
    assert report.accepted == {"sale": 1, "return": 0, "adjustment": 0, "charge": 0}
    assert report.rejected == {"repeated_line": 4}
    assert (report.items_created, report.customers_created, report.opening_items) == (0, 0, 0)
    changed = {name for name, count in row_counts(database).items() if count != before[name]}
    assert changed == {"sales_import", "sales_history_line", "demand_fact", "audit_row"}


def test_a_file_with_nothing_to_take_changes_nothing_and_says_why(database: Database, tmp_path: Path) -> None:
    company = found(database)
    before = row_counts(database)
    report = bring_in(database, company, write(tmp_path, retail(quantity=0)))
    assert (report.lines, report.total_accepted, report.rejected) == (1, 0, {"zero_quantity": 1})
    assert row_counts(database) == before


def test_a_file_that_breaks_off_changes_nothing(database: Database, tmp_path: Path) -> None:
    company = found(database)
    path = write(tmp_path, *(retail(str(number)) for number in range(3000)), name="sales.csv.gz")
    path.write_bytes(path.read_bytes()[:-20])
    before = row_counts(database)
    with pytest.raises(UnusableFile, match="truncated"):
        bring_in(database, company, path)
    assert row_counts(database) == before


def test_an_error_while_writing_undoes_all_of_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = found(database)
    before = row_counts(database)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the last step fails")

    monkeypatch.setattr(sales, "_report", fail)
    with pytest.raises(RuntimeError, match="last step"):
        bring_in(database, company, write(tmp_path, *LINES))
    assert row_counts(database) == before


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    with databases.fresh_database("sqlite") as url:
        database = Database(url)
        _fill_the_disk(database, tmp_path)
        database.dispose()


def _fill_the_disk(database: Database, tmp_path: Path) -> None:
    company = found(database)
    # The whole transaction but the lines fits; they are written past the ORM, whose errors this is about.
    event.listen(database.engine, "begin", lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=250"))
    lines = [retail(str(number), at=f"2011-08-{1 + number // 500:02d} 10:00:00") for number in range(9000)]
    with pytest.raises(DatabaseFull, match="free some space"):
        bring_in(database, company, write(tmp_path, *lines))


def test_somebody_without_the_role_may_not_import(database: Database, tmp_path: Path) -> None:
    company = found(database)
    with pytest.raises(RoleMissing, match="admin or system"):
        bring_in(database, company, write(tmp_path, *LINES), actor=company.users["buyer"])


def test_items_of_our_own_keep_their_name_supplier_and_stock(database: Database, tmp_path: Path) -> None:
    company = found(database)
    bring_in(database, company, write(tmp_path, SOLD), assume=False)
    again = write(tmp_path, retail("489999", "85123A", "ANOTHER NAME", 5, "2011-08-02 10:00:00"), name="b.csv")
    report = bring_in(database, company, again, assume=False)
    assert (report.items_created, report.agreements_assumed, report.opening_items) == (0, 0, 0)
    assert rows_of(database, sa.select(Item.name)) == [("WHITE HANGING HEART",)]
