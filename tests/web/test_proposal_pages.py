"""The planner's proposals in a browser: filtered, changed, answered in bulk with a word on each row, taken back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from procurement import orders
from procurement.edits import ProposalEdit
from procurement.proposals import Proposal, ProposalState
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderState
from tests.loop.company import GO_LIVE, Company, evening
from tests.web.visitor import Visitor, signed_in, text_of

LIST = "/proposals?state=open"
MORNING = GO_LIVE + timedelta(days=1)


@pytest.fixture
def desk(company: Company) -> Company:
    """The morning after a run that proposes every item."""
    company.empty_shelves()
    company.cycle()
    return company


@pytest.fixture
def planner(desk: Company) -> Visitor:
    return signed_in(desk.database, "planner")


def ids(desk: Company, state: ProposalState = ProposalState.OPEN) -> list[int]:
    with desk.reading() as session:
        return list(session.scalars(sa.select(Proposal.id).where(Proposal.state == state).order_by(Proposal.id)))


def read(desk: Company, proposal_id: int) -> Proposal:
    with desk.reading() as session:
        return session.get_one(Proposal, proposal_id)


def test_the_list_opens_on_what_is_to_be_decided(desk: Company, planner: Visitor) -> None:
    answer = planner.client.get("/proposals")
    assert (answer.status_code, answer.location) == (302, LIST)
    page = text_of(planner.get(LIST))
    assert f"{len(ids(desk))} proposals to decide" in page
    assert "likely" in page and "missing" in page


def test_every_account_adds_up(desk: Company, planner: Visitor) -> None:
    for proposal_id in ids(desk):
        page = planner.get(f"/proposals/{proposal_id}")
        [table] = re.findall(r'<table class="account">.*?</table>', page, re.DOTALL)
        printed = re.findall(r'<td class="num">([^<]*)', table)
        numbers = [int(re.sub(r"[^\d-]", "", cell.replace("−", "-"))) for cell in printed]
        assert sum(numbers[:-1]) == numbers[-1] == read(desk, proposal_id).quantity


def test_many_are_accepted_and_what_could_not_be_says_why(desk: Company, planner: Visitor) -> None:
    first, second, third = ids(desk)[:3]
    planner.get(LIST)
    planner.post(f"/proposals/{second}/reject", reason="no room", status=303)
    answer = planner.post("/proposals/accept", data={"row": [first, second, third], "back": LIST}, status=200)
    page = text_of(answer.get_data(as_text=True))
    assert "2 proposals accepted" in page and "1 row was left as it was" in page
    assert f"proposal {second} is rejected" in page
    assert ids(desk, ProposalState.ACCEPTED) == [first, third]
    undone = planner.post("/proposals/undo", data={"row": [first, third], "back": LIST}, status=200)
    assert "2 answers taken back" in text_of(undone.get_data(as_text=True))
    assert ids(desk, ProposalState.ACCEPTED) == []


def test_all_that_match_a_filter_are_answered(desk: Company, planner: Visitor) -> None:
    planner.get(LIST)
    form = {"every": "yes", "query": "state=open&q=KT-00", "reason": "the kitchen moves out", "back": LIST}
    answer = planner.post("/proposals/reject", data=form, status=200)
    assert "5 proposals rejected" in text_of(answer.get_data(as_text=True))
    rejected = ids(desk, ProposalState.REJECTED)
    assert len(rejected) == 5 and {read(desk, one).reason for one in rejected} == {"the kitchen moves out"}


def test_a_double_click_answers_once(desk: Company, planner: Visitor) -> None:
    [first, *_] = ids(desk)
    planner.get(LIST)
    said = [
        planner.post("/proposals/accept", key="one click", data={"row": [first], "back": LIST}, status=200)
        for _ in range(2)
    ]
    assert ["1 proposal accepted" in text_of(one.get_data(as_text=True)) for one in said] == [True, True]


def test_nothing_picked_and_no_reason_are_refused(planner: Visitor, desk: Company) -> None:
    planner.get(LIST)
    refused = planner.post("/proposals/accept", data={"back": LIST}, status=400)
    assert "pick 1 to" in text_of(refused.get_data(as_text=True))
    refused = planner.post("/proposals/reject", data={"row": ids(desk)[:1], "reason": " "}, status=400)
    assert "needs a reason" in text_of(refused.get_data(as_text=True))


def test_the_effect_of_a_change_is_shown_before_it_is_saved(desk: Company, planner: Visitor) -> None:
    [first, *_] = ids(desk)
    before = read(desk, first)
    more = before.quantity + 10 * int(before.inputs["order_multiple"])
    page = text_of(planner.get(f"/proposals/{first}/effect?quantity={more}"))
    assert f"{before.quantity} → {more}" in page and "adds GBP" in page and "cover" in page
    assert "reject it to order none" not in page
    assert "must be" in text_of(planner.get(f"/proposals/{first}/effect?quantity=x")) or "is x" not in page
    assert "nothing would change" in text_of(planner.get(f"/proposals/{first}/effect?quantity={before.quantity}"))
    assert read(desk, first).quantity == before.quantity


def test_a_change_is_a_line_of_the_account_and_can_be_undone(desk: Company, planner: Visitor) -> None:
    [first, *_] = ids(desk)
    before = read(desk, first)
    more = before.quantity + 10 * int(before.inputs["order_multiple"])
    planner.get(LIST)
    form = {"quantity": more, "believed": before.quantity, "reason": "a fair in March", "back": LIST}
    assert planner.post(f"/proposals/{first}/change", data=form, status=303).location == LIST
    page = text_of(planner.get(f"/proposals/{first}"))
    assert "Changed by" in page and "a fair in March" in page and f"quantity {before.quantity} → {more}" in page
    stale = planner.post(f"/proposals/{first}/change", data=form | {"quantity": more + 10}, status=409)
    assert "was changed meanwhile" in text_of(stale.get_data(as_text=True))
    assert "1 proposal to decide" in text_of(planner.get(f"{LIST}&edited=yes"))
    planner.post(f"/proposals/{first}/unchange", status=303)
    after = read(desk, first)
    assert (after.quantity, after.account) == (before.quantity, before.account)
    with desk.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ProposalEdit)) == 2


def test_an_answer_stands_once_the_order_has_been_sent(desk: Company, planner: Visitor) -> None:
    [first, *_] = ids(desk)
    planner.get(LIST)
    planner.post(f"/proposals/{first}/accept", status=303)
    users, now = desk.setup.users, evening(MORNING)
    with desk.writing() as session:
        [order] = orders.draft(session, [first], actor=users["buyer"], now=now, today=MORNING)
    page = text_of(planner.get("/proposals?state=accepted&columns=number,sku,order,order_state"))
    assert "PO-" in page and "draft" in page
    for verb in ("submit", "approve", "send"):
        with desk.writing() as session:
            if verb == "submit":
                orders.submit(session, [order], actor=users["buyer"], now=now)
            elif verb == "approve":
                orders.approve(session, [order], actor=users["approver"], now=now, today=MORNING)
            else:
                orders.send(session, [order], actor=users["buyer"], now=now, today=MORNING)
    refused = planner.post(f"/proposals/{first}/undo", status=409)
    assert "was sent to the supplier" in text_of(refused.get_data(as_text=True))
    assert "Undo the answer" not in text_of(planner.get(f"/proposals/{first}"))
    with desk.reading() as session:
        assert session.get_one(PurchaseOrder, order).state is PurchaseOrderState.SENT


def test_whoever_only_reads_gets_no_buttons_and_no_change(desk: Company) -> None:
    approver = signed_in(desk.database, "approver")
    [first, *_] = ids(desk)
    page = approver.get(f"/proposals/{first}")
    assert "Save the change" not in page and "/accept" not in page
    approver.post("/proposals/accept", data={"row": [first]}, status=403)
    approver.post(f"/proposals/{first}/change", data={"quantity": 5, "reason": "x"}, status=403)
    signed_in(desk.database, "warehouse").get(LIST, status=403)
    assert ids(desk, ProposalState.ACCEPTED) == []


def test_a_proposal_that_is_not_there_is_not_found(planner: Visitor) -> None:
    planner.get("/proposals/999999", status=404)
    planner.post("/proposals/999999/accept", status=404)


def test_a_file_of_the_view_changes_nothing_when_it_comes_back_and_what_was_edited_in_it(
    desk: Company, planner: Visitor
) -> None:
    text = planner.get("/proposals/export.csv?state=open&columns=number,sku,quantity").lstrip("\ufeff")
    planner.get(LIST)
    unchanged = planner.post("/proposals/file", content=text, status=303)
    assert unchanged.location.startswith("/proposals")
    head, *rows = text.splitlines()
    [first, *_] = ids(desk)
    before = read(desk, first)
    more = before.quantity + 10 * int(before.inputs["order_multiple"])
    at = head.split(",").index("Quantity")
    row = next(one for one in rows if one.startswith(f"{first},"))
    cells = row.split(",")
    cells[at] = str(more)
    planner.post("/proposals/file", content="\r\n".join([head, ",".join(cells)]), status=303)
    assert read(desk, first).quantity == more
