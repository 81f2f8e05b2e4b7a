"""Customers get back what they paid for what came back: to the penny, and never more."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from aftersales import refunds
from aftersales.documents import ReturnLineUnknown
from aftersales.refunds import BadRefund, MoreThanInspected, MoreThanInvoiced, RefundRequest, ReturnRefund
from scm.core.db import table_of
from scm.core.users import RoleMissing
from scm.finance import receivables
from scm.finance.claims import CreditNote, Refund
from scm.finance.journal import Account
from scm.finance.receivables import CreditRequest, RefundTooMuch
from scm.stock import ledger
from scm.stock.ledger import MoveRequest, Posting
from tests.aftersales.desk import Desk


def notes(desk: Desk) -> list[tuple[str, int, int | None]]:
    """This function will give (number, amount, refunded amount) of every credit note."""
    statement = (
        sa.select(CreditNote.number, CreditNote.amount, Refund.amount)
        .outerjoin(Refund, Refund.credit_note_id == CreditNote.id)
        .order_by(CreditNote.id)
    )
    return [(number, amount, back) for number, amount, back in desk.world.begin().execute(statement)]


def test_three_partial_returns_of_an_odd_price_add_up_to_the_invoice_exactly(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 3, unit_price="0.335")  # 1.005, invoiced at 1.01
    for _ in range(3):
        desk.refund(desk.returned(line, 1), 1)
    assert [amount for _, amount, _ in notes(desk)] == [34, 33, 34]
    [invoice] = desk.invoices(line)
    assert (invoice.amount, invoice.refunded, invoice.open_amount, invoice.refundable) == (101, 101, 0, 0)
    assert desk.findings() == []


def test_never_more_is_refunded_than_was_inspected(desk: Desk) -> None:
    return_id = desk.authorize(desk.delivered(desk.world.item("bolt"), 5), 3)
    [returned] = desk.back(return_id)
    with desk.world.refuses(MoreThanInspected, match="0 of RMA-2026-.*3 arrived, 0 inspected, 0 refunded before"):
        desk.refund(returned, 1)
    desk.inspect(returned, 2)
    with desk.world.refuses(MoreThanInspected, match="3 are more than the 2"):
        desk.refund(returned, 3)
    desk.refund(returned, 1)
    with desk.world.refuses(MoreThanInspected, match="2 are more than the 1"):
        desk.refund(returned, 2)
    requests = [RefundRequest(return_line_id=returned, quantity=1)] * 2
    with desk.world.refuses(MoreThanInspected, match="refund 2"):
        refunds.refund(
            desk.world.begin(),
            requests,
            actor=desk.world.user("returns"),
            now=desk.world.now,
            today=desk.world.today,
        )
    desk.refund(returned, 1)
    assert (desk.status(return_id).refunded, desk.status(return_id).refunded_amount) == (2, 2000)


def test_a_receipt_that_was_put_right_is_refunded_no_more(desk: Desk) -> None:
    return_id = desk.authorize(desk.delivered(desk.world.item("bolt"), 5), 2)
    posted = desk.receive(return_id)
    [returned] = desk.lines(return_id)
    desk.inspect(returned, 2)
    ledger.reverse(
        desk.world.begin(),
        [move.id for move in posted],
        reason="somebody else's parcel",
        actor=desk.world.user("warehouse"),
        now=desk.world.now,
        today=desk.world.today,
    )
    with desk.world.refuses(MoreThanInspected, match="0 arrived, 2 inspected"):
        desk.refund(returned, 1)


def test_what_is_not_paid_yet_is_credited_and_no_money_flows(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5, paid=False)
    desk.refund(desk.returned(line, 2), 2)
    assert notes(desk) == [("CN-2026-000001", 2000, None)]
    [invoice] = desk.invoices(line)
    assert (invoice.open_amount, invoice.refundable) == (3000, 0)
    balances = desk.value()
    assert (balances[Account.RECEIVABLES], balances.get(Account.CASH, 0)) == (3000, 0)
    assert desk.findings() == []


def test_of_a_partly_paid_invoice_the_open_part_is_credited_before_money_is_given_back(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5, paid=False)
    desk.pay(line, 4000)
    assert len(desk.refund(desk.returned(line, 3), 3)) == 2
    assert notes(desk) == [("CN-2026-000001", 1000, None), ("CN-2026-000002", 2000, 2000)]
    [invoice] = desk.invoices(line)
    assert (invoice.paid, invoice.refunded, invoice.open_amount) == (4000, 2000, 0)
    assert desk.findings() == []


def test_a_return_that_was_refunded_before_it_was_paid_leaves_the_rest_to_pay(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5, paid=False)
    desk.refund(desk.returned(line, 2), 2)
    desk.pay(line)
    desk.refund(desk.returned(line, 3), 3)
    [invoice] = desk.invoices(line)
    assert (invoice.paid, invoice.credited, invoice.refunded, invoice.open_amount) == (3000, 5000, 3000, 0)
    assert desk.findings() == []


def test_units_of_a_line_in_two_shipments_are_refunded_out_of_both_invoices_in_order(desk: Desk) -> None:
    bolt = desk.world.item("bolt")
    desk.world.stock(bolt, 2)
    order = desk.shop.order((bolt, 5), unit_price="0.335")
    desk.shop.deliver(desk.shop.send_out(order))
    desk.supply(bolt, 3, unit_cost="4.00")
    desk.shop.deliver(desk.shop.send_out(order))
    line = desk.shop.line(order).line_id
    desk.pay(line)
    first, second = desk.invoices(line)
    assert (first.amount, second.amount) == (67, 101)
    desk.refund(desk.returned(line, 3), 3)
    desk.refund(desk.returned(line, 2), 2)
    assert [one.refunded for one in desk.invoices(line)] == [67, 101]
    assert [amount for _, amount, _ in notes(desk)] == [67, 34, 67]
    assert desk.findings() == []


def test_lines_of_one_return_share_a_credit_note_on_their_invoice(desk: Desk) -> None:
    bolt, nut = desk.world.item("bolt"), desk.world.item("nut")
    desk.world.stock(bolt, 2)
    desk.world.stock(nut, 2)
    order = desk.shop.order((bolt, 2), (nut, 2))
    desk.shop.deliver(desk.shop.send_out(order))
    sold = [line.line_id for line in desk.shop.lines(order)]
    desk.pay(sold[0])
    [return_id] = desk.authorize_all(*(desk.request(line, 1) for line in sold))
    lines = desk.back(return_id)
    for line in lines:
        desk.inspect(line, 1)
    ids = refunds.refund(
        desk.world.begin(),
        [RefundRequest(return_line_id=line, quantity=1) for line in lines],
        actor=desk.world.user("returns"),
        now=desk.world.now,
        today=desk.world.today,
    )
    assert len(ids) == 1
    assert [(amount, back) for _, amount, back in notes(desk)] == [(2000, 2000)]


def test_what_was_given_away_is_refunded_without_a_credit_note(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5, unit_price="0", paid=False)
    returned = desk.returned(line, 2)
    assert desk.refund(returned, 2) == []
    assert notes(desk) == []
    with desk.world.refuses(MoreThanInspected):
        desk.refund(returned, 1)


def test_a_credit_for_another_reason_leaves_less_to_refund(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 2)
    [invoice] = desk.invoices(line)
    receivables.refund(
        desk.world.begin(),
        [
            CreditRequest(
                invoice_id=invoice.invoice_id, amount=500, reason="late", document_kind="complaint", document_id=1
            )
        ],
        company_id=desk.world.setup.company_id,
        actor=desk.world.user("sales"),
        now=desk.world.now,
        today=desk.world.today,
    )
    desk.refund(desk.returned(line, 1), 1)
    with desk.world.refuses(RefundTooMuch):
        desk.refund(desk.returned(line, 1), 1)


def test_what_was_never_invoiced_is_not_refunded(desk: Desk) -> None:
    """Goods that reached the customer without a shipment were never asked for."""
    bolt = desk.world.item("bolt")
    desk.world.stock(bolt, 2)
    order = desk.shop.order((bolt, 2))
    line = desk.shop.line(order).line_id
    setup, session = desk.world.setup, desk.world.begin()
    given = MoveRequest(
        item_id=bolt,
        source_id=setup.adjustment_location_id,
        destination_id=setup.customer_location_id,
        quantity=2,
        due_date=desk.world.today,
        document_kind="sales_order",
        document_id=order,
        line_id=line,
    )
    [planned] = ledger.plan(session, [given], company_id=setup.company_id)
    ledger.post(
        session,
        [Posting(move_id=planned.id)],
        actor=desk.world.user("system"),
        now=desk.world.now,
        today=desk.world.today,
    )
    returned = desk.returned(line, 1)
    with desk.world.refuses(MoreThanInvoiced, match="1 of the 1 units of RMA-2026-.* were never invoiced"):
        desk.refund(returned, 1)


def test_malformed_refunds_and_other_roles_are_refused(desk: Desk) -> None:
    returned = desk.returned(desk.delivered(desk.world.item("bolt"), 5), 2)
    for quantity in (0, -1, 1.5):
        with desk.world.refuses(BadRefund, match="whole number above 0"):
            desk.refund(returned, quantity)  # type: ignore[arg-type]
    with desk.world.refuses(ReturnLineUnknown, match="999999"):
        desk.refund(999999, 1)
    for username in ("planner", "buyer", "approver", "warehouse"):
        with desk.world.refuses(RoleMissing):
            refunds.refund(
                desk.world.begin(),
                [RefundRequest(return_line_id=returned, quantity=1)],
                actor=desk.world.user(username),
                now=desk.world.now,
                today=desk.world.today,
            )


def test_a_refund_never_changes(desk: Desk) -> None:
    desk.refund(desk.returned(desk.delivered(desk.world.item("bolt"), 5), 2), 2)
    session = desk.world.begin()
    point = session.begin_nested()
    with pytest.raises(sa.exc.DBAPIError, match="a refund never changes"):
        session.execute(sa.delete(table_of(ReturnRefund)))
    point.rollback()


def test_the_desk_sees_what_waits_for_it(desk: Desk) -> None:
    bolt = desk.world.item("bolt")
    line = desk.delivered(bolt, 5)
    return_id = desk.authorize(line, 4)
    [expected] = desk.awaiting().to_receive
    assert (expected.return_id, expected.item_id, expected.quantity) == (return_id, bolt, 4)
    assert expected.move_id is not None
    desk.receive(return_id, 3)
    awaiting = desk.awaiting()
    assert [one.quantity for one in awaiting.to_receive] == [1]
    [looked_at] = awaiting.to_inspect
    assert (looked_at.return_line_id, looked_at.quantity) == (desk.lines(return_id)[0], 3)
    [inspection_id] = desk.inspect(looked_at.return_line_id, 2)
    awaiting = desk.awaiting()
    assert [one.quantity for one in awaiting.to_inspect] == [1]
    assert [(one.inspection_id, one.quantity) for one in awaiting.to_dispose] == [(inspection_id, 2)]
    assert [one.quantity for one in awaiting.to_refund] == [2]
    desk.refund(looked_at.return_line_id, 1)
    assert [one.quantity for one in desk.awaiting().to_refund] == [1]
