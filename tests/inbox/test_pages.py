"""The home of every role, the cockpit and the cover list, as somebody who is signed in sees and uses them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from procurement.proposals import Proposal, ProposalState
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderState
from scm.loop.exceptions.cases import ExceptionCase
from scm.loop.exceptions.findings import Kind
from scm.loop.indicators import Indicator
from scm.master import companies
from scm.master.items import Item, ItemStatus
from tests.loop.company import GO_LIVE, Company
from tests.loop.conftest import _prepared_postgresql, _prepared_sqlite, another_company, company
from tests.web.visitor import Visitor, give_passwords, signed_in, text_of
from web.app import create_app
from web.pages import exception_kinds, exception_words, indicator_words

__all__ = ["_prepared_postgresql", "_prepared_sqlite", "another_company", "company"]


@pytest.fixture
def planned(company: Company) -> Company:
    """The company on the morning after its first plan, with empty shelves and much to buy."""
    company.empty_shelves()
    company.cycle()
    with company.writing() as session:
        companies.set_business_date(session, companies.only(session), today=GO_LIVE + timedelta(days=1))
    return company


def case_of(company: Company, kind: Kind) -> int:
    with company.reading() as session:
        wanted = sa.select(ExceptionCase.id).where(ExceptionCase.kind == kind, ExceptionCase.closed_at.is_(None))
        return session.scalars(wanted.order_by(ExceptionCase.id)).first() or 0


def test_every_role_has_a_home_in_both_languages(planned: Company) -> None:
    names = [name for name in planned.setup.users if name != "system"]
    app = create_app(planned.database)
    give_passwords(planned.database, *names)
    for name in names:
        somebody = Visitor(app).sign_in(name)
        assert "<h1>" in somebody.get("/")
        chinese = somebody.get("/", headers={"Accept-Language": "zh-CN"})
        assert "今天" in chinese, name


def test_the_heading_counts_and_the_rows_stand_by_reason(planned: Company) -> None:
    page = text_of(signed_in(planned.database, "planner").get("/"))
    found = re.search(r"(\d+) today, (\d+) new", page)
    assert found and found[1] == found[2] and int(found[1]) > 5
    assert page.index("Stock-out risk") < page.index("Proposals to order today")


def test_a_row_opens_to_its_reason_its_drawing_and_what_can_be_done(planned: Company) -> None:
    planner = signed_in(planned.database, "planner")
    opened = planner.get(f"/exceptions/{case_of(planned, Kind.STOCK_OUT)}")
    assert "<polyline" in opened and "Closes itself when projected stock stays above 0" in opened
    assert "Accept 1 proposal, GBP" in text_of(opened)
    assert "style=" not in opened and "onclick" not in opened
    planner.get("/exceptions/999999", status=404)
    signed_in(planned.database, "warehouse").get(f"/exceptions/{case_of(planned, Kind.STOCK_OUT)}", status=404)


def test_proposals_become_a_sent_order_from_home_to_home(planned: Company) -> None:
    app = create_app(planned.database)
    give_passwords(planned.database, "planner", "buyer", "approver")
    people = {name: Visitor(app).sign_in(name) for name in ("planner", "buyer", "approver")}
    steps = [
        ("planner", Kind.PROPOSALS_DUE, "accept_proposals"),
        ("buyer", Kind.TO_DRAFT, "draft"),
        ("buyer", Kind.TO_SUBMIT, "submit"),
        ("approver", Kind.TO_APPROVE, "approve"),
        ("buyer", Kind.TO_SEND, "send"),
    ]
    for name, kind, solution in steps:
        case = case_of(planned, kind)
        assert case, kind
        people[name].get("/")
        answer = people[name].post(f"/exceptions/{case}/solve", solution=solution, partial=True, status=204)
        assert answer.headers["HX-Redirect"] == "/"
        assert "off the list" in people[name].get("/")
        people[name].get(f"/exceptions/{case}", status=404)
    with planned.reading() as session:
        assert PurchaseOrderState.SENT in session.scalars(sa.select(PurchaseOrder.state)).all()


def test_a_solution_sent_twice_is_done_once(planned: Company) -> None:
    planner, case = signed_in(planned.database, "planner"), case_of(planned, Kind.PROPOSALS_DUE)
    for _ in range(2):
        planner.post(f"/exceptions/{case}/solve", key="once", solution="accept_proposals", status=303)
    planner.post(f"/exceptions/{case}/solve", solution="accept_proposals", status=404)


def test_a_case_is_put_off_brought_back_accepted_handed_over_and_commented_on(planned: Company) -> None:
    planner, case = signed_in(planned.database, "planner"), case_of(planned, Kind.STOCK_OUT)
    until = (GO_LIVE + timedelta(days=4)).isoformat()
    planner.post(f"/exceptions/{case}/snooze", until=until, comment="call on Friday", status=303)
    assert f'id="case-{case}"' not in planner.get("/?kind=stock_out")
    assert "call on Friday" in planner.get("/exceptions/put-away")
    planner.post(f"/exceptions/{case}/wake", status=303)
    assert f'id="case-{case}"' in planner.get("/?kind=stock_out")
    planner.post(f"/exceptions/{case}/hand-over", username="planner", text="mine", status=303)
    planner.post(f"/exceptions/{case}/comment", text="their lorry broke down", status=303)
    assert "their lorry broke down" in planner.get(f"/exceptions/{case}")
    assert f'id="case-{case}"' in planner.get("/?mine=yes")
    planner.post(f"/exceptions/{case}/accept", reason="nobody buys it in autumn", status=303)
    assert "nobody buys it in autumn" in planner.get("/exceptions/put-away")


def test_answers_that_cannot_be_are_refused_with_their_mend(planned: Company) -> None:
    planner, case = signed_in(planned.database, "planner"), case_of(planned, Kind.STOCK_OUT)
    for action, fields in (
        ("snooze", {"until": "soon", "comment": "x"}),
        ("snooze", {"until": GO_LIVE.isoformat(), "comment": "x"}),
        ("accept", {"reason": ""}),
        ("hand-over", {"username": "nobody"}),
        ("solve", {"solution": "wish"}),
        ("solve", {"solution": "send"}),
    ):
        assert planner.post(f"/exceptions/{case}/{action}", data=fields).status_code == 400, action
    buyer = signed_in(planned.database, "buyer")
    assert buyer.post(f"/exceptions/{case}/accept", reason="x").status_code == 403
    planner.get("/?kind=nonsense", status=400)


def test_looking_again_says_what_was_found(planned: Company) -> None:
    planner = signed_in(planned.database, "planner")
    planner.post("/exceptions/look", status=303)
    assert re.search(r"\d+ new exceptions?, \d+ closed", text_of(planner.get("/")))


def test_the_home_takes_as_many_queries_for_many_cases_as_for_few(
    planned: Company, another_company: Callable[[], Company]
) -> None:
    def queries(one: Company) -> int:
        visitor, asked = signed_in(one.database, "planner"), []
        visitor.get("/")
        note = lambda *details: asked.append(details[2])  # noqa: E731
        sa.event.listen(one.database.engine, "before_cursor_execute", note)
        try:
            visitor.get("/")
        finally:
            sa.event.remove(one.database.engine, "before_cursor_execute", note)
        return len(asked)

    assert queries(planned) == queries(another_company()) <= 25


def test_the_cockpit_shows_the_run_the_indicators_with_their_definitions_and_what_changed(planned: Company) -> None:
    page = signed_in(planned.database, "planner").get("/cockpit")
    text = text_of(page)
    assert "Planned as of 14 Sep 2026" in text and "Since yesterday" in text
    assert "Of the active items, those of which at least one unit can be promised now." in page
    assert 'href="/cover?out=yes"' in page
    signed_in(planned.database, "warehouse").get("/cockpit", status=403)


def test_without_a_run_the_cockpit_says_what_makes_one(company: Company) -> None:
    assert "The nightly cycle makes the first one" in signed_in(company.database, "planner").get("/cockpit")


def test_the_cover_list_marks_slow_movers_and_acts_on_them(planned: Company) -> None:
    planner = signed_in(planned.database, "planner")
    page = text_of(planner.get("/cover"))
    assert "25 items, sell-through and cover" in page
    with planned.reading() as session:
        first, second = session.scalars(sa.select(Item.id).order_by(Item.id).limit(2)).all()
    planner.get(f"/cover/{first}")
    answer = planner.post("/cover/stop", data={"row": [str(first), str(second)]}, reason="a fad", status=303)
    assert answer.headers["Location"].endswith("/cover")
    assert "2 items are bought no more" in planner.get("/cover?status=phase_out")
    again = planner.post("/cover/stop", data={"row": [str(first)]}, reason="again", status=200)
    assert "is phase_out" in again.get_data(as_text=True)
    planner.post("/cover/stop", data={"row": [str(first)]}, reason="again", partial=True, status=409)
    with planned.reading() as session:
        assert session.get_one(Item, first).status is ItemStatus.PHASE_OUT
        states = session.scalars(sa.select(Proposal.state).where(Proposal.item_id == first)).all()
        assert ProposalState.OPEN not in states
    planner.post("/cover/buy-again", data={"row": [str(first)]}, reason="it sells", status=303)
    # The dialogs of a list stand in one form: the fields of the others come along empty.
    form = {"row": [str(first)], "percent": "20", "reason": ["", "", "autumn"]}
    planner.post("/cover/mark-down", data=form, status=303)
    planner.post(f"/cover/{second}/price", price="0.01", reason="to get rid of it", status=303)
    planner.post(f"/cover/{second}/price", price="cheap", reason="x", status=400)
    planner.post(f"/cover/{second}/take-back", reason="x", status=303)
    planner.post(f"/cover/{second}/take-back", reason="x", status=409)  # nothing is on order any more
    with planned.reading() as session:
        assert session.get_one(Item, second).sale_price is not None
    for query in ("slow=yes", "out=yes", "sort=-cover_days", "sort=sell_through", "sort=-trend", "moving=no", "q=mug"):
        planner.get(f"/cover?{query}")
    csv = planner.get("/cover/export.csv?columns=sku,cover_days,sell_through")
    assert csv.count("\r\n") == 26


def test_every_kind_and_every_indicator_has_its_words() -> None:
    assert set(exception_kinds.KINDS) == set(Kind) == set(exception_words.WHAT)
    assert set(indicator_words.INDICATORS) == set(Indicator)
    assert {one for _, wanted in indicator_words.TREE for one in wanted} == set(Indicator)
