"""What the desk reads: whose parcel it is, what waits, one return whole, and what returns have taught."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from aftersales import lookup, queues, return_sheet, returnable, returns, taught
from aftersales.disposition import Disposition
from aftersales.documents import ReturnReason, ReturnUnknown
from aftersales.inspection import Finding, Grade
from aftersales.lookup import Matches, NotAScan
from aftersales.return_sheet import ReturnSheet, Step
from procurement import proposals
from procurement.proposals import ProposalRequest
from scm.finance import claims
from scm.sales import orders
from tests.aftersales.desk import Desk
from tests.aftersales.snapshots import png
from tests.aftersales.test_photos import inspect as inspect_with_photo


def scan(desk: Desk, text: str) -> Matches:
    return lookup.find(desk.world.begin(), text, site_id=desk.world.setup.site_id)


def sheet(desk: Desk, number: str) -> ReturnSheet:
    return return_sheet.read(desk.world.begin(), number=number, site_id=desk.world.setup.site_id)


def number_of(desk: Desk, return_id: int) -> str:
    return desk.status(return_id).number


def sold(desk: Desk, quantity: int, *, tracking: str | None = None) -> tuple[int, int, str]:
    """An order that was delivered: its id, its line, its shipment's number."""
    bolt = desk.world.item(f"bolt {quantity}")
    desk.world.stock(bolt, quantity)
    order = desk.shop.order((bolt, quantity))
    shipments = desk.shop.pack(desk.shop.pick(desk.shop.wave(order)))
    shipped = desk.shop.ship(shipments, tracking_numbers={shipments[0]: tracking} if tracking else None)
    desk.shop.deliver(shipped)
    return order, desk.shop.line(order).line_id, shipped[0].number


def test_any_number_on_a_label_finds_the_order(desk: Desk) -> None:
    order, line, shipment = sold(desk, 5, tracking="1Z999AA1")
    [invoice] = claims.standings_of_orders(desk.world.begin(), [order])
    number = desk.shop.number(order)
    for text in (number, number.lower(), f" {number} ", shipment, "1Z999AA1", invoice.number):
        found = scan(desk, text)
        assert [one.order_id for one in found.orders] == [order], text
        assert found.the_order is not None
        assert found.the_return is None
    assert line


def test_one_expected_return_is_opened_and_of_two_the_person_chooses(desk: Desk) -> None:
    order, line, _ = sold(desk, 5)
    first = desk.authorize(line, 1)
    found = scan(desk, desk.shop.number(order))
    assert found.the_return is not None
    assert (found.the_return.return_id, found.the_return.expected) == (first, 1)
    assert found.the_order is None
    second = desk.authorize(line, 2)
    found = scan(desk, desk.shop.number(order))
    assert [one.return_id for one in found.returns] == [second, first]
    assert found.the_return is None
    named = scan(desk, number_of(desk, second))
    assert named.the_return is not None
    assert named.the_return.return_id == second


def test_the_channels_number_and_the_paper_of_a_prior_sale_are_known(desk: Desk) -> None:
    bolt = desk.world.item("bolt")
    desk.world.stock(bolt, 3)
    [confirmed] = orders.place_and_confirm(
        desk.world.begin(),
        [desk.shop.request((bolt, 3), external_id="WEB-77")],
        actor=desk.world.user("sales"),
        now=desk.world.now,
        today=desk.world.today,
    )
    assert [one.order_id for one in scan(desk, "WEB-77").orders] == [confirmed.order_id]
    return_id = desk.authorize(desk.prior(bolt, 5), 2)
    assert [one.return_id for one in scan(desk, "489434").returns] == [return_id]
    assert scan(desk, "48943").returns == ()


def test_what_nobody_knows_is_found_nowhere(desk: Desk) -> None:
    found = scan(desk, "XYZ")
    assert (found.returns, found.orders, found.the_return, found.the_order) == ((), (), None, None)
    order, _, _ = sold(desk, 5)
    elsewhere = lookup.find(desk.world.begin(), desk.shop.number(order), site_id=desk.world.setup.site_id + 1)
    assert elsewhere.orders == ()
    for text in ("", "  ", "x" * 121, "a\0b"):
        with desk.world.refuses(NotAScan):
            scan(desk, text)


def test_what_may_come_back_is_what_was_delivered_less_what_is_coming(desk: Desk) -> None:
    order, line, _ = sold(desk, 5)
    desk.authorize(line, 2)
    cancelled = desk.authorize(line, 1)
    returns.cancel(desk.world.begin(), [cancelled], reason="-", actor=desk.world.user("returns"))
    [found] = returnable.of_orders(desk.world.begin(), [order])
    assert (found.delivered, found.returning, found.free, found.lots) == (5, 2, 3, ())
    assert found.delivered_date == desk.world.today
    desk.authorize(line, 3)
    [found] = returnable.of_orders(desk.world.begin(), [order])
    assert found.free == 0


def test_the_desk_sees_what_waits_and_for_how_long(desk: Desk) -> None:
    _, line, _ = sold(desk, 5)
    waiting, here = desk.authorize(line, 2), desk.authorize(line, 1)
    desk.world.pass_days(9)
    desk.back(here)
    found = queues.of_site(desk.world.begin(), site_id=desk.world.setup.site_id, today=desk.world.today)
    assert [(t.return_id, t.quantity, t.age_days, t.old) for t in found.to_receive.tasks] == [(waiting, 2, 9, True)]
    assert [(t.return_id, t.sku) for t in found.to_inspect.tasks] == [(here, "bolt 5")]
    assert (found.to_inspect.lines, found.to_inspect.units, found.to_inspect.old) == (1, 1, 1)
    assert found.to_dispose.tasks == found.to_refund.tasks == ()


def test_a_return_says_what_it_waits_for_next(desk: Desk) -> None:
    _, line, _ = sold(desk, 5)
    desk.pay(line)
    return_id = desk.authorize(line, 2)
    number = number_of(desk, return_id)
    assert sheet(desk, number).step is Step.RECEIVE
    [returned] = desk.back(return_id)
    assert sheet(desk, number).step is Step.INSPECT
    [first] = desk.inspect(returned, 1, grade=Grade.C, finding=Finding.SUPPLIER_DEFECT)
    assert sheet(desk, number).step is Step.INSPECT, "one unit was not looked at"
    [second] = inspect_with_photo(desk, returned, png())
    found = sheet(desk, number)
    assert found.step is Step.DISPOSE
    assert [verdict.id for verdict in found.waiting] == [first, second]
    assert [len(verdict.photos) for verdict in found.lines[0].verdicts] == [0, 1]
    desk.dispose(first, Disposition.RETURN_TO_SUPPLIER)
    desk.dispose(second, Disposition.RESTOCK)
    assert sheet(desk, number).step is Step.REFUND
    desk.refund(returned, 2)
    assert sheet(desk, number).step is Step.CLOSE
    returns.close(desk.world.begin(), [return_id], reason="done", actor=desk.world.user("returns"))
    found = sheet(desk, number)
    assert found.step is Step.NOTHING
    [shown] = found.lines
    assert (shown.sku, shown.sold_quantity, shown.lot_code) == ("bolt 5", 5, None)
    assert shown.order_number is not None
    assert [v.disposition for v in shown.verdicts] == [Disposition.RETURN_TO_SUPPLIER, Disposition.RESTOCK]
    assert [v.disposed_by for v in shown.verdicts] == ["Returns", "Returns"]
    assert found.reasons == (ReturnReason.UNWANTED,)


def test_another_sites_return_is_as_unknown_as_none(desk: Desk) -> None:
    _, line, _ = sold(desk, 5)
    number = number_of(desk, desk.authorize(line, 2))
    site_id = desk.world.setup.site_id
    assert return_sheet.find(desk.world.begin(), number=number, site_id=site_id)
    for asked, where in ((number, site_id + 1), ("RMA-2026-999999", site_id)):
        for read in (return_sheet.read, return_sheet.find):
            with desk.world.refuses(ReturnUnknown, match=asked):
                read(desk.world.begin(), number=asked, site_id=where)


def test_a_cancelled_return_waits_for_nothing(desk: Desk) -> None:
    return_id = desk.authorize(desk.prior(desk.world.item("bolt"), 5), 2)
    number = number_of(desk, return_id)
    assert [line.paper for line in sheet(desk, number).lines] == ["489434/1"]
    returns.cancel(desk.world.begin(), [return_id], reason="-", actor=desk.world.user("returns"))
    assert sheet(desk, number).step is Step.NOTHING


def propose(desk: Desk, item: int, agreement: int, supplier: int, causes: list[dict[str, object]]) -> int:
    request = ProposalRequest(
        item_id=item,
        supplier_id=supplier,
        agreement_id=agreement,
        quantity=10,
        order_date=desk.world.today,
        due_date=desk.world.day(7),
        unit_price=Decimal("4.00"),
        account=[{"name": "demand", "quantity": 10}],
        inputs={"causes": causes},
    )
    [proposal_id] = proposals.publish(
        desk.world.begin(),
        [request],
        run_id=1,
        company_id=desk.world.setup.company_id,
        site_id=desk.world.setup.site_id,
        actor=desk.world.user("system"),
        now=desk.world.now,
    )
    return proposal_id


def test_what_a_return_taught_is_told_with_the_proposal_that_it_moved(desk: Desk) -> None:
    world = desk.world
    bolt, acme = world.item("bolt"), world.supplier("acme")
    agreement = world.agreement(bolt, acme)
    line = desk.delivered(bolt, 10)
    [returned] = desk.back(desk.authorize(line, 4))
    desk.inspect(returned, 3, grade=Grade.C, finding=Finding.SUPPLIER_DEFECT)
    desk.inspect(returned, 1)
    cause = {"cause": "returns", "return_rate": 0.31, "overall_rate": 0.1}
    proposal_id = propose(desk, bolt, agreement, acme, [{"cause": "lead_time"}, cause])
    session = world.begin()
    [lesson] = taught.of_items(session, [bolt], site_id=world.setup.site_id, today=world.today)
    assert (lesson.sku, lesson.returned) == ("bolt", 4)
    assert lesson.reasons == {ReturnReason.UNWANTED: 4}
    assert lesson.findings == {Finding.SUPPLIER_DEFECT: 3, Finding.NO_FAULT: 1}
    assert lesson.defects == (("acme", 3),)
    assert lesson.overall_rate == Decimal("0.4000")
    assert [(one.proposal_id, one.return_rate) for one in lesson.named_by] == [(proposal_id, Decimal("0.3100"))]
    assert lesson.moves_the_plan


def test_nothing_is_taught_by_what_was_long_ago_or_never_came(desk: Desk) -> None:
    bolt = desk.world.item("bolt")
    desk.authorize(desk.delivered(bolt, 10), 4)
    later = desk.world.today + timedelta(days=taught.LEARNING_DAYS + 1)
    [lesson] = taught.of_items(desk.world.begin(), [bolt], site_id=desk.world.setup.site_id, today=later)
    assert (lesson.returned, lesson.reasons, lesson.moves_the_plan) == (0, {}, False)


@pytest.mark.parametrize("grade", [Grade.A, Grade.D])
def test_the_queues_follow_the_goods(desk: Desk, grade: Grade) -> None:
    line = desk.delivered(desk.world.item("bolt"), 3)
    [returned] = desk.back(desk.authorize(line, 3))
    [inspection] = desk.inspect(returned, 3, grade=grade)
    found = queues.of_site(desk.world.begin(), site_id=desk.world.setup.site_id, today=desk.world.today)
    assert [task.inspection_id for task in found.to_dispose.tasks] == [inspection]
    assert [task.quantity for task in found.to_refund.tasks] == [3]
