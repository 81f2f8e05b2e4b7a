"""Sales orders as a browser sees them: the list, the page with chain and timeline, and what whoever sells may do."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from scm.core import listing
from scm.core.db import Database
from scm.core.listing import Condition, ListQuery
from scm.master import companies
from scm.sales import order_list, order_sheet
from scm.sales.order_sheet import OrderSheet, Progress
from tests.selling import Shop
from tests.web.visitor import Visitor, signed_in, text_of
from tests.world import World
from warehouse import lists
from web.app import create_app

MOST_STATEMENTS = 45


class Office:
    """A company of the test's own: a draft, an order that waits for bought goods, and one that was delivered."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.unit_of_work(write=True) as session:
            world = World(session)
            shop = Shop(world)
            bolt, nut = world.item("BOLT"), world.item("NUT")
            agreement = world.agreement(nut, world.supplier("acme"))
            world.stock(bolt, 20)
            [draft] = shop.draft(shop.request((bolt, 2), (bolt, 1)))
            waiting = shop.order((bolt, 3), (nut, 4))
            self.purchase_id = world.approved_order((agreement, 10), due_in=6)
            delivered = shop.order((bolt, 5))
            shop.deliver(shop.send_out(delivered))
            self.draft, self.waiting, self.delivered = (shop.number(one) for one in (draft, waiting, delivered))
            self.site_id = world.setup.site_id
            self.purchase = world.begin().execute(sa.text("SELECT number FROM purchase_order")).scalar_one()
        self.app = create_app(database)

    def visit(self, username: str) -> Visitor:
        return signed_in(self.database, username, app=self.app)

    def sheet(self, number: str) -> OrderSheet:
        with self.database.unit_of_work(write=False) as session:
            return order_sheet.read(session, number=number, site_id=self.site_id)


@pytest.fixture
def office(database: Database) -> Office:
    """The company."""
    return Office(database)


def test_the_list_counts_filters_and_exports(office: Office) -> None:
    visitor = office.visit("planner")
    assert "3 sales orders" in text_of(visitor.get("/sales-orders"))
    page = visitor.get("/sales-orders?progress=waiting")
    assert office.waiting in page
    assert office.delivered not in page
    rows = list(csv.reader(io.StringIO(visitor.get("/sales-orders/export.csv?progress=delivered").lstrip("\ufeff"))))
    assert len(rows) == 2
    assert office.delivered in rows[1]


def test_a_filter_finds_exactly_the_orders_that_show_its_value(office: Office) -> None:
    with office.database.unit_of_work(write=False) as session:
        company = companies.only(session)
        today = company.business_date or date(2026, 1, 1)
        orders = order_list.listing(site_id=office.site_id, currency=company.currency, today=today)
        rows = list(listing.stream(session, orders, ListQuery()))

        def found(**asked: Any) -> set[int]:
            query = ListQuery(conditions=(Condition(**asked),))
            return set(listing.keys(session, orders, query, most=100))

        for word in Progress:
            wanted = {row["key"] for row in rows if row["progress"] is word}
            assert found(field="progress", values=(word,)) == wanted
        assert found(field="progress", values=tuple(Progress)) == {row["key"] for row in rows}
        for flag in (True, False):
            assert found(field="late", values=(flag,)) == {row["key"] for row in rows if bool(row["late"]) is flag}
        for name in {row["customer"] for row in rows}:
            wanted = {row["key"] for row in rows if row["customer"] == name}
            assert found(field="customer", text=name[1:].upper()) == wanted
            assert found(field="customer", values=(name,)) == wanted
        promised = {row["key"]: row["promised_date"] for row in rows if row["promised_date"]}
        assert promised
        for day in promised.values():
            assert found(field="promised_date", least=day) == {key for key, until in promised.items() if until >= day}
            assert found(field="promised_date", most=day) == {key for key, until in promised.items() if until <= day}
            both = {key for key, until in promised.items() if until == day}
            assert found(field="promised_date", least=day, most=day) == both


def test_shipments_are_found_by_all_that_is_shown_of_them(office: Office) -> None:
    with office.database.unit_of_work(write=False) as session:
        shipments = lists.shipments(site_id=office.site_id)
        [row] = listing.stream(session, shipments, ListQuery())
        assert row["sales_order"] == office.delivered
        for text in (row["number"], office.delivered[3:].lower(), row["customer"].upper(), row["tracking_number"]):
            assert listing.keys(session, shipments, ListQuery(search=text), most=9) == [row["key"]]
        for word in ("zzz", row["customer"] + "zzz"):
            assert listing.keys(session, shipments, ListQuery(search=word), most=9) == []
        for condition, found in (
            (Condition(field="customer", text=row["customer"][1:]), [row["key"]]),
            (Condition(field="customer", values=(row["customer"],)), [row["key"]]),
            (Condition(field="customer", text="zzz"), []),
            (Condition(field="country", text="zzz"), []),
        ):
            assert listing.keys(session, shipments, ListQuery(conditions=(condition,)), most=9) == found


def test_an_order_tells_what_it_waits_for_and_where_it_stands(office: Office) -> None:
    page = text_of(office.visit("sales").get(f"/sales-orders/{office.waiting}"))
    for said in (
        "Waits for supply",
        f"4 wait for {office.purchase}",
        "placed and confirmed the order",
        "Bought for it",
    ):
        assert said in page
    page = office.visit("sales").get(f"/sales-orders/{office.delivered}")
    for said in ("Delivered", "INV-2026-", "SH-2026-", "WV-2026-", "shipped goods", "Authorize a return"):
        assert said in page


def test_a_draft_is_confirmed_and_cancelled_line_by_line(office: Office) -> None:
    visitor = office.visit("sales")
    visitor.post(f"/sales-orders/{office.draft}/confirm", status=303)
    assert "everything is in stock" in visitor.get(f"/sales-orders/{office.draft}")
    visitor.post(f"/sales-orders/{office.draft}/lines/2/cancel", reason="typed twice", status=303)
    assert [line.withdrawn for line in office.sheet(office.draft).lines] == [False, True]
    visitor.post(f"/sales-orders/{office.draft}/lines/2/cancel", reason="again", status=409)
    visitor.post(f"/sales-orders/{office.draft}/lines/9/cancel", reason="-", status=404)
    visitor.post(f"/sales-orders/{office.draft}/confirm", status=409)


def test_cancelling_shows_what_was_bought_for_nobody(office: Office) -> None:
    visitor = office.visit("sales")
    assert "4 units were bought for it" in text_of(visitor.get(f"/sales-orders/{office.waiting}"))
    visitor.post(f"/sales-orders/{office.waiting}/cancel", reason="", status=400)
    visitor.post(f"/sales-orders/{office.waiting}/cancel", reason="changed their mind", status=303)
    page = text_of(visitor.get(f"/sales-orders/{office.waiting}"))
    assert "for nobody now" in page
    assert "changed their mind" in page
    visitor.post(f"/sales-orders/{office.delivered}/cancel", reason="too late", status=409)


def test_a_customer_who_walks_away_is_lost_demand(office: Office) -> None:
    visitor = office.visit("sales")
    visitor.post(f"/sales-orders/{office.waiting}/lines/2/give-up", status=303)
    assert "4 units are recorded as lost demand" in visitor.get(f"/sales-orders/{office.waiting}")
    assert office.sheet(office.waiting).lines[1].status.given_up


def test_everybody_reads_and_only_sales_changes(office: Office) -> None:
    for username in ("planner", "warehouse"):
        visitor = office.visit(username)
        assert "/confirm" not in visitor.get(f"/sales-orders/{office.draft}")
        visitor.post(f"/sales-orders/{office.draft}/confirm", status=403)
        visitor.post(f"/sales-orders/{office.waiting}/cancel", reason="-", status=403)


def test_pages_are_read_in_a_bounded_number_of_statements(office: Office) -> None:
    visitor = office.visit("sales")
    seen: list[str] = []
    sa.event.listen(office.database.engine, "before_cursor_execute", lambda *args: seen.append(str(args[2])))
    for address in ("/sales-orders", f"/sales-orders/{office.waiting}", f"/sales-orders/{office.delivered}"):
        seen.clear()
        visitor.get(address)
        assert len(seen) <= MOST_STATEMENTS, f"{address}: {len(seen)}"


def test_an_order_of_elsewhere_is_not_found(office: Office) -> None:
    office.visit("sales").get("/sales-orders/SO-2026-999999", status=404)
