"""The desks of the buyer and the approver, as people use them: forms sent, answers read."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from flask import Flask

from procurement import budgets, orders, proposals, rules
from procurement.proposals import ProposalRequest
from procurement.purchase_orders import PurchaseOrder, PurchaseOrderLine, PurchaseOrderState
from scm.core import users
from scm.core.approval import Approval
from scm.core.db import Database
from scm.core.users import Role
from scm.master import agreements, partners
from scm.master.agreements import AgreementRequest, SupplierAgreement, TermsRequest
from scm.master.partners import PartnerRequest
from tests.web.visitor import Visitor, give_passwords, signed_in, text_of
from tests.world import FIRST_DAY, World
from web.app import create_app

State = PurchaseOrderState


class House(NamedTuple):
    """A company in a database of its own: acme sells bolts in tens and nuts, and two orders stand."""

    database: Database
    app: Flask
    draft: str
    submitted: str
    bolts: int
    supplier: int

    def visitor(self, username: str) -> Visitor:
        """Somebody signed in."""
        return signed_in(self.database, username, app=self.app)

    def state(self, number: str) -> PurchaseOrderState:
        """Where an order stands."""
        with self.database.unit_of_work(write=False) as session:
            return session.scalars(sa.select(PurchaseOrder.state).where(PurchaseOrder.number == number)).one()

    def lines(self, number: str) -> list[tuple[int, int]]:
        """Ids and quantities of an order's lines."""
        with self.database.unit_of_work(write=False) as session:
            rows = session.execute(
                sa.select(PurchaseOrderLine.id, PurchaseOrderLine.quantity)
                .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.order_id)
                .where(PurchaseOrder.number == number)
                .order_by(PurchaseOrderLine.id)
            )
            return [(row.id, row.quantity) for row in rows]


@pytest.fixture
def house(database: Database) -> House:
    """One draft and one submitted order of bolts, and somebody who is buyer and approver at once."""
    with database.unit_of_work(write=True) as session:
        world = World(session)
        bolt = world.item("bolt")
        acme = world.supplier("acme", minimum_order_value=60000)
        bolts = world.agreement(bolt, acme, unit_price="4.00", minimum_order_quantity=20, order_multiple=10)
        world.agreement(world.item("nut"), acme, unit_price="0.50")
        world.stock(bolt, 20)
        users.add(
            session,
            username="both",
            display_name="Both",
            roles=frozenset({Role.BUYER, Role.APPROVER}),
            now=world.now,
        )
        draft, submitted = world.order((bolts, 100)), world.submitted_order((bolts, 200))
        numbers = {one.id: one.number for one in session.scalars(sa.select(PurchaseOrder))}
    give_passwords(database, "both")
    return House(database, create_app(database), numbers[draft], numbers[submitted], bolts, acme)


def test_the_approver_finds_the_order_reads_it_and_approves_it(house: House) -> None:
    approver = house.visitor("approver")
    said = text_of(approver.get("/approvals"))
    assert "1 order waits for you" in said
    page = approver.get(f"/purchase-orders/{house.submitted}")
    assert "Approve GBP 800.00" in text_of(page)
    assert "Submitted by Buyer" in text_of(page)
    approver.post(f"/purchase-orders/{house.submitted}/approve", status=303)
    assert house.state(house.submitted) is State.APPROVED
    said = text_of(approver.get(f"/purchase-orders/{house.submitted}"))
    assert "its goods are on order" in said
    assert "Approved, to be sent" in said


def test_an_order_approved_twice_by_a_double_click_is_approved_once(house: House) -> None:
    approver = house.visitor("approver")
    address = f"/purchase-orders/{house.submitted}"
    approver.get(address)
    for _ in range(2):
        approver.post(f"{address}/approve", key="the same click", status=303)
    with house.database.unit_of_work(write=False) as session:
        assert session.scalar(sa.select(sa.func.count(Approval.id))) == 1


def test_ones_own_order_says_why_and_is_refused_however_it_is_sent(house: House) -> None:
    both = house.visitor("both")
    address = f"/purchase-orders/{house.draft}"
    both.get(address)
    both.post(f"{address}/submit", status=303)
    page = both.get(address)
    assert "You cannot approve this order." in text_of(page)
    assert f"both submitted {house.draft}: somebody else must decide on it" in text_of(page)
    assert f'action="{address}/approve"' not in page
    both.post(f"{address}/approve", status=403)
    [order_id] = re.findall(r'id="row-(\d+)"', both.get("/approvals").split("Not for you to decide")[1])
    answer = both.post("/approvals/approve", row=order_id, status=200)
    assert "somebody else must decide on it" in text_of(answer.get_data(as_text=True))
    assert house.state(house.draft) is State.SUBMITTED


def test_in_bulk_each_order_is_approved_or_says_why_not(house: House) -> None:
    both = house.visitor("both")
    both.get(f"/purchase-orders/{house.draft}")
    both.post(f"/purchase-orders/{house.draft}/submit", status=303)
    rows = re.findall(r'id="row-(\d+)"', both.get("/approvals"))
    answer = both.post("/approvals/approve", data={"row": rows}, status=200).get_data(as_text=True)
    assert "1 order approved." in text_of(answer)
    assert house.draft in answer
    assert (house.state(house.submitted), house.state(house.draft)) == (State.APPROVED, State.SUBMITTED)


def test_an_order_is_sent_back_with_a_reason_the_buyer_reads(house: House) -> None:
    approver = house.visitor("approver")
    address = f"/purchase-orders/{house.submitted}"
    approver.get(address)
    approver.post(f"{address}/send-back", reason="", status=400)
    approver.post(f"{address}/send-back", reason="too dear", status=303)
    said = text_of(house.visitor("buyer").get(address))
    assert "Sent back. “too dear”" in said
    assert "Submit GBP 800.00 for approval" in said


def test_what_is_above_the_limit_can_only_be_handed_over(house: House) -> None:
    with house.database.unit_of_work(write=True) as session:
        rules.set_limit(
            session,
            username="approver",
            currency="GBP",
            largest_amount=50000,
            actor=users.actor(session, username="both"),
        )
    approver = house.visitor("approver")
    address = f"/purchase-orders/{house.submitted}"
    page = approver.get(address)
    assert "ask somebody with a higher limit" in text_of(page)
    assert "Hand over…" in text_of(page)
    approver.post(f"{address}/hand-over", to="both", comment="above mine", status=303)
    assert "Approver handed it to Both: “above mine”" in text_of(house.visitor("both").get("/approvals"))


def test_the_buyer_changes_a_draft_line_by_line(house: House) -> None:
    buyer = house.visitor("buyer")
    address = f"/purchase-orders/{house.draft}"
    assert "400.00" in text_of(buyer.get(address))
    assert "600.00 an order: GBP 200.00 are missing" in text_of(buyer.get(address))
    [(line_id, _)] = house.lines(house.draft)
    buyer.post(f"{address}/lines/{line_id}/edit", quantity="55", due_date="2026-01-20", status=400)
    buyer.post(f"{address}/lines/{line_id}/edit", quantity="60", due_date="2026-01-20", status=303)
    buyer.post(f"{address}/lines/add", sku="screw", quantity="5", due_date="2026-01-20", status=404)
    buyer.post(f"{address}/lines/add", sku="nut", quantity="5", due_date="2026-01-20", reason="a fair", status=303)
    assert [quantity for _, quantity in house.lines(house.draft)] == [60, 5]
    assert "Asked for by hand: “a fair”" in text_of(buyer.get(address))
    buyer.post(f"{address}/lines/{line_id}/remove", status=303)
    assert [quantity for _, quantity in house.lines(house.draft)] == [5]


def test_an_approved_order_is_sent_confirmed_and_the_rest_given_up(house: House) -> None:
    house_orders = f"/purchase-orders/{house.submitted}"
    approver = house.visitor("approver")
    approver.get(house_orders)
    approver.post(f"{house_orders}/approve", status=303)
    buyer = house.visitor("buyer")
    assert "Send to acme" in text_of(buyer.get(house_orders))
    buyer.post(f"{house_orders}/send", status=303)
    [(line_id, _)] = house.lines(house.submitted)
    buyer.post(
        f"{house_orders}/confirm", line=str(line_id), quantity="150", due_date="2026-02-02", note="late", status=303
    )
    assert "confirmed 2 Feb" in text_of(buyer.get(house_orders))
    buyer.post(f"{house_orders}/lines/{line_id}/close-short", reason="sold out", status=303)
    assert "0 of 200" in text_of(buyer.get(house_orders))


def test_an_order_is_cancelled_with_a_reason(house: House) -> None:
    buyer = house.visitor("buyer")
    buyer.get(f"/purchase-orders/{house.draft}")
    buyer.post(f"/purchase-orders/{house.draft}/cancel", reason="not needed", status=303)
    assert house.state(house.draft) is State.CANCELLED


def test_somebody_asks_for_an_item_and_the_buyer_orders_from_a_list(house: House) -> None:
    warehouse = house.visitor("warehouse")
    page = warehouse.get("/purchase-orders/new")
    assert "Order from one supplier" not in text_of(page)
    answer = warehouse.post(
        "/purchase-orders/ask", sku="nut", quantity="30", due_date="2026-01-20", reason="shelf labels", status=303
    )
    assert answer.location.endswith(house.draft)
    buyer = house.visitor("buyer")
    assert "bolt" in buyer.get("/purchase-orders/new?supplier=acme&q=bo")
    buyer.post("/purchase-orders/new", data={f"quantity-{house.bolts}": "30", "due_date": ""}, status=400)
    answer = buyer.post(
        "/purchase-orders/new", data={f"quantity-{house.bolts}": "30", "due_date": "2026-01-20"}, status=303
    )
    assert [quantity for _, quantity in house.lines(answer.location.rsplit("/", 1)[1])] == [30]


def test_the_list_submits_and_sends_in_bulk(house: House) -> None:
    buyer = house.visitor("buyer")
    page = buyer.get("/purchase-orders")
    assert "2 purchase orders" in text_of(page)
    rows = re.findall(r'name="row" value="(\d+)"', page)
    answer = buyer.post("/purchase-orders/submit", data={"row": rows}, status=200).get_data(as_text=True)
    assert "1 order submitted." in text_of(answer)
    assert "submit is not possible" in text_of(answer)
    assert buyer.client.get("/purchase-orders/export.csv").status_code == 200


def test_accepted_proposals_become_drafts_by_a_click(house: House) -> None:
    with house.database.unit_of_work(write=True) as session:
        site_id = session.scalars(sa.select(PurchaseOrder.site_id)).all()[0]
        ids = proposals.publish(
            session,
            [
                ProposalRequest(
                    item_id=session.get_one(SupplierAgreement, house.bolts).item_id,
                    supplier_id=house.supplier,
                    agreement_id=house.bolts,
                    quantity=50,
                    order_date=FIRST_DAY,
                    due_date=FIRST_DAY,
                    unit_price=Decimal("4.00"),
                    account=[{"name": "demand", "quantity": 70}, {"name": "on_hand", "quantity": -20}],
                    inputs={"need": 50, "binding": "need"},
                )
            ],
            run_id=7,
            company_id=1,
            site_id=site_id,
            actor=users.actor(session, username="system"),
            now=session.scalars(sa.select(Approval.requested_at)).one(),
        )
        proposals.accept(
            session,
            ids,
            actor=users.actor(session, username="planner"),
            now=session.scalars(sa.select(Approval.requested_at)).one(),
        )
    buyer = house.visitor("buyer")
    assert "1 accepted proposal stands on no order yet." in text_of(buyer.get("/purchase-orders"))
    answer = buyer.post("/purchase-orders/draft", status=303)
    assert "1 order drafted." in text_of(buyer.get(answer.location))
    assert "stands on no order" not in text_of(buyer.get("/purchase-orders"))
    with house.database.unit_of_work(write=False) as session:
        number = session.scalars(sa.select(PurchaseOrder.number).order_by(PurchaseOrder.id.desc())).first()
    said = text_of(buyer.get(f"/purchase-orders/{number}"))
    assert "50 missing; as needed" in said
    assert "1 line proposed by run 7" in said


def test_suppliers_rules_and_the_printed_order_are_read(house: House) -> None:
    with house.database.unit_of_work(write=True) as session:
        orders.cancel(
            session,
            [session.scalars(sa.select(PurchaseOrder.id).where(PurchaseOrder.number == house.draft)).one()],
            reason="x",
            actor=users.actor(session, username="buyer"),
            now=session.scalars(sa.select(Approval.requested_at)).one(),
        )
    buyer = house.visitor("buyer")
    assert "acme" in buyer.get("/suppliers")
    said = text_of(buyer.get("/suppliers/acme"))
    assert "2 items agreed" in said
    assert house.submitted in said
    buyer.get("/suppliers/nobody", status=404)
    assert "Purchase order" in text_of(buyer.get(f"/purchase-orders/{house.submitted}/print"))
    buyer.get("/purchase-orders/PO-1900-1", status=404)


def test_rules_limits_and_budgets_are_set_by_those_who_may(house: House) -> None:
    buyer, approver = house.visitor("buyer"), house.visitor("approver")
    buyer.get("/admin/rules")
    buyer.post("/admin/rules/sign", name="small ones", amount="50.00", status=303)
    said = text_of(buyer.get("/admin/rules"))
    assert "small ones" in said
    assert "in force" in said
    buyer.post("/admin/rules/sign", name="odd", amount="50.005", status=400)
    buyer.post("/admin/rules/limits", username="approver", amount="5", status=403)
    approver.get("/admin/rules")
    approver.post("/admin/rules/limits", username="approver", amount="5", status=400)
    approver.post("/admin/rules/limits", username="both", amount="500", status=303)
    approver.post("/admin/rules/budgets", from_date="2026-01-01", until_date="2026-01-31", amount="1000", status=303)
    said = text_of(approver.get(f"/purchase-orders/{house.submitted}"))
    assert "Committed, 1 other order" in said
    assert "beyond the budget" in said
    approver.post("/admin/rules/1/revoke", status=303)
    assert "revoked" in text_of(approver.get("/admin/rules"))
    with house.database.unit_of_work(write=False) as session:
        [budget] = session.scalars(sa.select(budgets.PurchaseBudget))
    assert budget.amount == 100000


@pytest.mark.parametrize("username", ["returns", "warehouse", "planner"])
def test_others_neither_approve_nor_change_orders(house: House, username: str) -> None:
    visitor = house.visitor(username)
    for address in (
        "/approvals/approve",
        f"/purchase-orders/{house.submitted}/approve",
        f"/purchase-orders/{house.draft}/submit",
        f"/purchase-orders/{house.draft}/cancel",
        "/purchase-orders/send",
    ):
        visitor.post(address, reason="x", row="1", status=403)
    assert (house.state(house.draft), house.state(house.submitted)) == (State.DRAFT, State.SUBMITTED)


def test_another_supplier_of_the_item_and_a_split_order_stand_beside_it(house: House) -> None:
    with house.database.unit_of_work(write=True) as session:
        both, buyer = users.actor(session, username="both"), users.actor(session, username="buyer")
        rules.set_limit(session, username="approver", currency="GBP", largest_amount=100000, actor=both)
        asked = session.scalars(sa.select(Approval.requested_at)).one()
        [draft_id] = session.scalars(sa.select(PurchaseOrder.id).where(PurchaseOrder.number == house.draft))
        orders.submit(session, [draft_id], actor=buyer, now=asked)
        bolt = session.get_one(SupplierAgreement, house.bolts).item_id
        [other] = partners.add(
            session,
            [PartnerRequest(code="other", name="Other Ltd", is_supplier=True)],
            company_id=1,
            actor=buyer,
        )
        agreements.set_terms(
            session, [TermsRequest(partner_id=other, currency="GBP", review_period_days=7)], actor=buyer
        )
        dearer = AgreementRequest(partner_id=other, item_id=bolt, lead_time_days=3, unit_price=Decimal("4.50"))
        agreements.set_agreements(session, [dearer], actor=buyer)
    approver = house.visitor("approver")
    said = text_of(approver.get(f"/purchase-orders/{house.submitted}"))
    assert "Alternatives for bolt" in said
    assert "Other Ltd GBP 4.50" in said
    assert "Looks split" in said
    assert "come to GBP 1,200.00 together; each stays within the limit of GBP 1,000.00" in said
    assert "looks split: GBP 1,200.00 with 1 more" in text_of(approver.get("/approvals"))


def test_the_pages_speak_chinese(house: House) -> None:
    approver = house.visitor("approver")
    approver.post("/account/preferences", locale="zh_CN", status=303)
    said = text_of(approver.get(f"/purchase-orders/{house.submitted}"))
    for words in (
        "待您审批",
        "批准 GBP",
        "低于最低订货金额" if False else "时间线",
        "明细",
        "实测提前期" if False else "库存",
    ):
        assert words in said
    assert "张订单待您审批" in text_of(approver.get("/approvals"))
