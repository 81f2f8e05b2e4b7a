"""What holds for every page, looked at on the planner's: hosts, headers, markup, outages, statements."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa

from scm.core import clock, users
from scm.core.db import Database
from scm.core.users import Role
from scm.master.items import Item
from scm.master.partners import Partner
from tests.loop.company import Company
from tests.web.visitor import PASSWORD, Visitor, give_passwords, signed_in, text_of
from web import security
from web.app import create_app

MOST_STATEMENTS = 12  # of a list's page; three of them say who asks
LIST = "/proposals?state=open"


@pytest.mark.parametrize(
    "host", ["example.com", "127.0.0.1.example.com:8000", "localhost.example", "192.168.0.7", "8000"]
)
def test_a_request_for_another_host_is_turned_away(browser: Visitor, host: str) -> None:
    answer = browser.client.get(LIST, headers={"Host": host})
    assert answer.status_code == 421
    assert "proposals to decide" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "localhost:8123", "[::1]:8000", "[::1]"])
def test_this_machine_is_answered_under_its_names(browser: Visitor, host: str) -> None:
    answer = browser.client.get("/login", headers={"Host": host})
    assert answer.status_code in (200, 302)  # the cookie is another host's


@pytest.mark.parametrize("address", ["/", LIST, "/proposals?page=x", "/nowhere", "/static/tokens.css", "/login"])
def test_every_answer_carries_the_security_headers(browser: Visitor, address: str) -> None:
    answer = browser.client.get(address)
    for name, value in security.HEADERS.items():
        if not (name == "Cache-Control" and address.startswith("/static")):
            assert answer.headers[name] == value
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_only_the_page_with_a_chart_allows_inline_style(browser: Visitor) -> None:
    answer = browser.client.get("/items/KT-001")
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert [part.split()[0] for part in policy if "unsafe-inline" in part] == ["style-src"]


@pytest.mark.parametrize("address", [LIST, "/items", "/items/KT-001", "/proposals/1"])
def test_nothing_on_the_page_breaks_its_own_content_policy(browser: Visitor, address: str) -> None:
    page = browser.get(address)
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|https?://", page)


@pytest.mark.parametrize("address", [LIST, "/items", "/items/KT-001", "/proposals/1"])
def test_the_page_reads_in_a_transaction_that_cannot_write(browser: Visitor, shown: Company, address: str) -> None:
    statements = statements_of(shown.database, browser, address)
    assert all(statement.lstrip().startswith(("SELECT", "BEGIN", "PRAGMA", "SHOW")) for statement in statements)


@pytest.mark.parametrize("address", [LIST, "/items"])
def test_the_number_of_statements_does_not_grow_with_the_rows(
    browser: Visitor, shown: Company, company: Company, address: str
) -> None:
    many = selects(statements_of(shown.database, browser, address))
    company.cycle()
    few = selects(statements_of(company.database, signed_in(company.database, "planner"), f"{LIST}&q=KT-001"))
    assert len(few) <= len(many) <= MOST_STATEMENTS


def test_names_from_a_file_cannot_become_markup(company: Company) -> None:
    company.cycle()
    bad = "<script>alert(1)</script>"
    with company.writing() as session:
        session.execute(sa.update(Item).values(name=bad))
        session.execute(sa.update(Partner).where(Partner.is_supplier).values(name='"><img src=x>'))
        session.execute(sa.update(Item).where(Item.sku == "KT-001").values(sku="<b>KT"))
    visitor = signed_in(company.database, "planner")
    for address in (f"{LIST}&columns=number,sku,item_name,supplier_name", "/items", "/items/KT-002"):
        page = visitor.get(address)
        assert "<script>" not in page and "<img" not in page and "<b>KT" not in page
        assert html.escape(bad) in page


def test_a_database_without_a_company_says_what_to_do(database: Database) -> None:
    with database.unit_of_work(write=True) as session:
        users.add(session, username="ada", display_name="Ada", roles=frozenset({Role.PLANNER}), now=clock.wall_now())
    give_passwords(database, "ada")
    visitor = Visitor(create_app(database))
    visitor.get("/login")
    assert visitor.post("/login", username="ada", password=PASSWORD).status_code == 303
    assert "create one with scm init" in text_of(visitor.get(LIST, status=404))


def test_a_database_that_is_gone_is_an_outage_and_not_a_traceback(company: Company) -> None:
    browser = signed_in(company.database, "planner")
    browser.app.extensions["scm"] = Database("postgresql+psycopg://nobody@/none?host=/nonexistent")
    page = text_of(browser.get(LIST, status=503))
    assert "cannot be reached" in page and "Traceback" not in page


def statements_of(database: Database, browser: Visitor, address: str) -> list[str]:
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        browser.get(address)
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
    return found


def selects(statements: list[str]) -> list[str]:
    return [statement for statement in statements if statement.lstrip().startswith("SELECT")]
