"""The page of proposals as a browser sees it: accounts that add up, pages, a search, and nothing that writes."""

from __future__ import annotations

import html
import re
from decimal import Decimal

import pytest
import sqlalchemy as sa

from procurement.proposals import Proposal
from scm.core import clock, users
from scm.core.db import Database
from scm.core.users import Role
from scm.master.items import Item
from scm.master.partners import Partner
from tests.loop.company import GO_LIVE, Company
from tests.web.visitor import PASSWORD, Visitor, give_passwords, signed_in, text_of
from web import security
from web.app import create_app
from web.pages.proposals import PAGE_SIZE

MOST_STATEMENTS = 11  # three of them say who asks


def accounts_of(page: str) -> list[tuple[list[int], int]]:
    """The terms and the total of each account, as they are printed."""
    found = []
    for table in re.findall(r'<table class="account">.*?</table>', page, re.DOTALL):
        printed = re.findall(r'<td class="num">([^<]*)</td>', table)
        numbers = [int(re.sub(r"[^\d-]", "", cell.replace("−", "-"))) for cell in printed]
        found.append((numbers[:-1], numbers[-1]))
    return found


def skus_of(page: str) -> list[str]:
    return re.findall(r'<span class="code">([^<]*)</span>', page)


def get(browser: Visitor, address: str, *, status: int = 200) -> str:
    return browser.get(address, status=status)


def test_every_account_on_the_page_adds_up(browser: Visitor) -> None:
    for number in (1, 2, 3):
        found = accounts_of(get(browser, f"/proposals?page={number}"))
        assert len(found) == PAGE_SIZE
        assert [one for one in found if sum(one[0]) != one[1]] == []


def test_a_proposal_shows_its_reason_its_supplier_and_what_is_assumed(browser: Visitor) -> None:
    page = text_of(get(browser, "/proposals?sort=sku"))
    assert "150 proposals to decide" in page
    assert "missing over 24 days" in page
    assert "ASSUMED-15 Supplier 15 (assumed)" in page
    assert "Assumed: category id, joint order cost, lead time days" in page
    assert "Figures marked † are assumed" in page
    assert "The company is generated: all its figures are invented." in page
    assert f"Run of {GO_LIVE}: 25 items, HiGHS optimal" in page
    assert "Page 1 of 3" in page


def test_home_leads_to_the_proposals(browser: Visitor) -> None:
    answer = browser.client.get("/")
    assert (answer.status_code, answer.location) == (302, "/proposals")


def test_the_pages_together_show_every_proposal_once(browser: Visitor, shown: Company) -> None:
    pages = [skus_of(get(browser, f"/proposals?sort=sku&page={number}")) for number in (1, 2, 3)]
    together = [sku for page in pages for sku in page]
    assert together == sorted(together)
    with shown.reading() as session:
        known = set(session.scalars(sa.select(Item.sku)))
    assert {together.count(sku) for sku in known} == {6}


def test_the_links_between_pages_keep_the_filter(browser: Visitor) -> None:
    first = get(browser, "/proposals?q=-0&sort=value&page=1")
    [following] = re.findall(r'<a href="([^"]*)">Next</a>', first)
    second = get(browser, html.unescape(following))
    assert 'value="-0"' in second and "Page 2 of 3" in second
    assert '<option value="value" selected>' in second


def test_the_highest_values_come_first(browser: Visitor) -> None:
    page = get(browser, "/proposals?sort=value")
    values = [Decimal(value.replace(",", "")) for value in re.findall(r"GBP\u00a0([\d,.]+)†", page)]
    assert len(values) == PAGE_SIZE
    assert values == sorted(values, reverse=True)


def test_a_search_finds_skus_and_names_in_any_case(browser: Visitor) -> None:
    assert set(skus_of(get(browser, "/proposals?q=kt-00"))) == {f"KT-00{number}" for number in range(1, 6)}
    assert set(skus_of(get(browser, "/proposals?q=STONEWARE"))) == {"KT-001"}
    page = get(browser, "/proposals?supplier=ASSUMED-19")
    assert set(skus_of(page)) == {f"GD-00{number}" for number in range(1, 6)}
    assert '<option value="ASSUMED-19" selected>' in page


@pytest.mark.parametrize(
    "search",
    ["%25", "_", "%27", "%22%3E%3Cscript%3E", "%5C", "%C3%A4", "%ED%A0%80", "%F0%9F%92%A9", "{{7*7}}", "x" * 100],
)
def test_hostile_searches_find_nothing_and_are_shown_as_text(browser: Visitor, search: str) -> None:
    page = get(browser, f"/proposals?q={search}")
    assert skus_of(page) == []
    assert "Nothing open fits the filter." in page
    assert "<script>" not in page and "49" not in text_of(page)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("page=0", "it must be a whole number from 1"),
        ("page=-1", "it must be a whole number"),
        ("page=1.5", "it must be a whole number"),
        ("page=x", "it must be a whole number"),
        ("page=%D9%A3", "it must be a whole number"),
        ("page=" + "9" * 5000, "it must be a whole number"),
        ("sort=worst", "it must be one of risk, value, sku"),
        ("sort=", "it must be one of"),
        ("q=a%00b", "leave the character with the code 0 out"),
        ("supplier=%00", "leave the character with the code 0 out"),
        ("q=" + "x" * 101, "q has 101 characters: it may have 100"),
        ("supplier=" + "x" * 70_000, "supplier has 70,000 characters"),
    ],
)
def test_a_query_that_cannot_be_is_refused_and_says_why(browser: Visitor, query: str, says: str) -> None:
    assert says in text_of(get(browser, f"/proposals?{query}", status=400))


def test_a_page_behind_the_last_is_not_found(browser: Visitor) -> None:
    assert "there is no page 4: 150 proposals fill 3" in text_of(get(browser, "/proposals?page=4", status=404))
    get(browser, "/proposals?page=1000000", status=404)


@pytest.mark.parametrize(
    "host", ["example.com", "127.0.0.1.example.com:8000", "localhost.example", "192.168.0.7", "8000"]
)
def test_a_request_for_another_host_is_turned_away(browser: Visitor, host: str) -> None:
    answer = browser.client.get("/proposals", headers={"Host": host})
    assert answer.status_code == 421
    assert "proposals to decide" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "localhost:8123", "[::1]:8000", "[::1]"])
def test_this_machine_is_answered_under_its_names(browser: Visitor, host: str) -> None:
    answer = browser.client.get("/login", headers={"Host": host})
    assert answer.status_code in (200, 302)  # the cookie is another host's


@pytest.mark.parametrize(
    "address", ["/", "/proposals", "/proposals?page=x", "/nowhere", "/static/tokens.css", "/login"]
)
def test_every_answer_carries_the_security_headers(browser: Visitor, address: str) -> None:
    answer = browser.client.get(address)
    for name, value in security.HEADERS.items():
        if not (name == "Cache-Control" and address.startswith("/static")):
            assert answer.headers[name] == value
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_nothing_on_the_page_breaks_its_own_content_policy(browser: Visitor) -> None:
    page = get(browser, "/proposals")
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|https?://", page)


def test_the_page_reads_in_a_transaction_that_cannot_write(browser: Visitor, shown: Company) -> None:
    statements = statements_of(shown.database, browser, "/proposals")
    assert all(statement.lstrip().startswith(("SELECT", "BEGIN", "PRAGMA", "SHOW")) for statement in statements)


def test_the_number_of_statements_does_not_grow_with_the_proposals(
    browser: Visitor, shown: Company, company: Company
) -> None:
    many = selects(statements_of(shown.database, browser, "/proposals?page=2&q=-0"))
    company.cycle()
    few = selects(statements_of(company.database, signed_in(company.database, "planner"), "/proposals?q=KT-001"))
    assert len(many) == len(few) <= MOST_STATEMENTS


def test_names_from_a_file_cannot_become_markup(company: Company) -> None:
    company.cycle()
    bad = "<script>alert(1)</script>"
    with company.writing() as session:
        session.execute(sa.update(Item).values(name=bad))
        session.execute(sa.update(Partner).where(Partner.is_supplier).values(name='"><img src=x>'))
        session.execute(sa.update(Item).where(Item.sku == "KT-001").values(sku="<b>KT"))
    page = get(signed_in(company.database, "planner"), "/proposals")
    assert "<script>" not in page and "<img" not in page and "<b>" not in page
    assert html.escape(bad) in page


def test_a_company_without_a_run_is_told_how_to_make_one(company: Company) -> None:
    page = text_of(get(signed_in(company.database, "planner"), "/proposals"))
    assert "0 proposals to decide" in page
    assert "Run scm cycle --as-of DATE to make some." in page
    assert "The company is generated" in page


def test_a_database_without_a_company_says_what_to_do(database: Database) -> None:
    with database.unit_of_work(write=True) as session:
        users.add(session, username="ada", display_name="Ada", roles=frozenset({Role.PLANNER}), now=clock.wall_now())
    give_passwords(database, "ada")
    visitor = Visitor(create_app(database))
    visitor.get("/login")
    assert visitor.post("/login", username="ada", password=PASSWORD).status_code == 303
    assert "create one with scm init" in text_of(visitor.get("/proposals", status=404))


def test_a_round_price_is_written_out(company: Company) -> None:
    company.cycle()
    with company.writing() as session:
        session.execute(sa.update(Proposal).values(unit_price=Decimal(10)))
        session.execute(sa.update(Proposal).where(Proposal.quantity > 30).values(unit_price=Decimal("1200.125")))
    page = text_of(get(signed_in(company.database, "planner"), "/proposals"))
    assert ", 10.00 GBP each" in page and ", 1,200.125 GBP each" in page
    assert "E+" not in page


def test_a_database_that_is_gone_is_an_outage_and_not_a_traceback(company: Company) -> None:
    browser = signed_in(company.database, "planner")
    browser.app.extensions["scm"] = Database("postgresql+psycopg://nobody@/none?host=/nonexistent")
    page = text_of(get(browser, "/proposals", status=503))
    assert "cannot be reached" in page and "Traceback" not in page


def statements_of(database: Database, browser: Visitor, address: str) -> list[str]:
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        get(browser, address)
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)
    return found


def selects(statements: list[str]) -> list[str]:
    return [statement for statement in statements if statement.lstrip().startswith("SELECT")]
