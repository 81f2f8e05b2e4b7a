"""Customers send back what they bought, and never more than that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aftersales import returns
from aftersales.documents import MACHINE, ReturnState
from aftersales.returns import (
    AlreadyArrived,
    BadReturn,
    LotNeeded,
    MoreThanDelivered,
    ReturnReason,
    ReturnRequest,
    ReturnUnknown,
    SoldLineUnknown,
)
from scm.core.documents import IllegalTransition
from scm.core.users import RoleMissing
from scm.finance.journal import Account
from scm.stock import ledger
from scm.stock.facts import CannotPost
from scm.stock.lots import find_or_create
from scm.stock.moves import MoveState
from tests.aftersales.desk import Desk
from warehouse.receiving import OverTolerance


def test_a_return_is_expected_in_the_returns_cage_at_the_cost_of_what_was_shipped(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5)
    [shipped] = [
        move
        for move in desk.world.moves_of("sales_order", [desk.shop.last.order_id if desk.shop.last else 0])
        if move.destination_id == desk.world.setup.delivery_location_id
    ]
    return_id = desk.authorize(line, 2)
    [expected] = returns.arrivals(desk.world.begin(), [return_id])
    assert (expected.source_id, expected.destination_id) == (
        desk.world.setup.customer_location_id,
        desk.world.setup.returns_id,
    )
    assert (expected.quantity, expected.cost_of_id) == (2, shipped.id)
    assert desk.status(return_id).expected == 2


def test_more_than_was_delivered_is_refused(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5)
    with desk.world.refuses(MoreThanDelivered, match=r"6 of item \d+ are more than the 5 that can come back"):
        desk.authorize(line, 6)
    desk.authorize(line, 3)
    with desk.world.refuses(MoreThanDelivered, match=r"more than the 2 .*5 delivered, 3 authorized already"):
        desk.authorize(line, 3)
    with desk.world.refuses(MoreThanDelivered):
        desk.authorize_all(desk.request(line, 1), desk.request(line, 2))
    desk.authorize(line, 2)


def test_what_is_still_on_the_road_cannot_come_back(desk: Desk) -> None:
    bolt = desk.world.item("bolt")
    desk.world.stock(bolt, 5)
    order = desk.shop.order((bolt, 5))
    shipped = desk.shop.send_out(order)
    line = desk.shop.line(order).line_id
    with desk.world.refuses(MoreThanDelivered, match="0 delivered"):
        desk.authorize(line, 1)
    desk.shop.deliver(shipped)
    desk.authorize(line, 1)


def test_a_delivery_that_was_undone_cannot_come_back(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5)
    assert desk.shop.last is not None
    arrived = [
        move.id
        for move in desk.world.moves_of("sales_order", [desk.shop.last.order_id])
        if move.destination_id == desk.world.setup.customer_location_id
    ]
    ledger.reverse(
        desk.world.begin(),
        arrived,
        reason="the parcel went to the neighbour",
        actor=desk.world.user("warehouse"),
        now=desk.world.now,
        today=desk.world.today,
    )
    with desk.world.refuses(MoreThanDelivered):
        desk.authorize(line, 1)


def test_units_of_two_shipments_come_back_each_at_its_own_cost(desk: Desk) -> None:
    bolt = desk.world.item("bolt")
    desk.world.stock(bolt, 3)
    order = desk.shop.order((bolt, 5))
    desk.shop.deliver(desk.shop.send_out(order))
    desk.world.pass_days(2)
    desk.supply(bolt, 2, unit_cost="9.00")
    desk.shop.deliver(desk.shop.send_out(order))
    line = desk.shop.line(order).line_id
    first = desk.authorize(line, 2)
    second = desk.authorize(line, 3)
    moves = returns.arrivals(desk.world.begin(), [first, second])
    assert [move.quantity for move in moves] == [2, 1, 2]
    assert moves[0].cost_of_id == moves[1].cost_of_id != moves[2].cost_of_id
    before = desk.value()
    desk.receive(first)
    desk.receive(second)
    after = desk.value()
    assert Account.INVENTORY not in before, "everything was sold"
    assert after[Account.INVENTORY] == 3 * 400 + 2 * 900
    assert desk.findings() == []


def test_a_line_out_of_several_lots_needs_the_lot_that_comes_back(desk: Desk) -> None:
    yoghurt = desk.world.item("yoghurt", lot_tracked=True)
    session = desk.world.begin()
    lots = [find_or_create(session, item_id=yoghurt, code=code) for code in ("L1", "L2")]
    for number, lot_id in enumerate(lots, start=1):
        desk.world.stock(yoghurt, 2, lot_id=lot_id, bin_number=number)
    order = desk.shop.order((yoghurt, 4))
    desk.shop.deliver(desk.shop.send_out(order))
    line = desk.shop.line(order).line_id
    with desk.world.refuses(LotNeeded, match="2 lots"):
        desk.authorize(line, 1)
    with desk.world.refuses(MoreThanDelivered, match="more than the 2"):
        desk.authorize(line, 3, lot_id=lots[1])
    return_id = desk.authorize(line, 2, lot_id=lots[1])
    with desk.world.refuses(CannotPost, match="expects lot"):
        desk.receive(return_id, lot_code="L1")
    desk.receive(return_id, lot_code="L2")
    assert desk.world.at(yoghurt, desk.world.setup.returns_id) == 2


def test_a_part_arrives_and_the_rest_stays_expected(desk: Desk) -> None:
    bolt = desk.world.item("bolt")
    return_id = desk.authorize(desk.delivered(bolt, 5), 5)
    desk.receive(return_id, 2)
    status = desk.status(return_id)
    assert (status.received, status.expected, status.to_inspect) == (2, 3, 2)
    assert desk.world.at(bolt, desk.world.setup.returns_id) == 2
    with desk.world.refuses(OverTolerance):
        desk.receive(return_id, 4)
    desk.receive(return_id)
    assert desk.status(return_id).expected == 0


def test_each_customer_and_site_gets_an_authorization_of_its_own(desk: Desk) -> None:
    bolt, nut = desk.world.item("bolt"), desk.world.item("nut")
    first, second = desk.delivered(bolt, 5), desk.delivered(nut, 5)
    assert len(desk.authorize_all(desk.request(first, 1), desk.request(second, 1))) == 1
    desk.shop.customer = desk.world.customer("somebody else")
    third = desk.delivered(bolt, 5)
    assert len(desk.authorize_all(desk.request(first, 1), desk.request(third, 1))) == 2


def test_a_cancelled_return_is_expected_no_more_and_may_be_authorized_again(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5)
    return_id = desk.authorize(line, 5)
    returns.cancel(desk.world.begin(), [return_id], reason="kept it", actor=desk.world.user("sales"))
    assert [move.state for move in desk.world.moves_of("return_authorization", [return_id])] == [MoveState.CANCELLED]
    assert desk.awaiting().to_receive == ()
    desk.authorize(line, 5)
    with desk.world.refuses(IllegalTransition, match="cancelled: cancel is not possible"):
        returns.cancel(desk.world.begin(), [return_id], reason="again", actor=desk.world.user("sales"))


def test_a_return_that_has_arrived_in_part_is_closed_and_not_cancelled(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5)
    return_id = desk.authorize(line, 5)
    desk.receive(return_id, 2)
    with desk.world.refuses(AlreadyArrived, match=r"RMA-2026-\d+: 2 of item .*: close it instead"):
        returns.cancel(desk.world.begin(), [return_id], reason="kept it", actor=desk.world.user("returns"))
    returns.close(desk.world.begin(), [return_id], reason="kept the rest", actor=desk.world.user("returns"))
    status = desk.status(return_id)
    assert (status.state, status.expected, status.received) == (ReturnState.CLOSED, 0, 2)
    with desk.world.refuses(MoreThanDelivered, match="more than the 3"):
        desk.authorize(line, 4)
    desk.authorize(line, 3)
    [line_id] = desk.lines(return_id)
    desk.inspect(line_id, 2)
    assert desk.refund(line_id, 2), "what has arrived goes its way as before"


def test_malformed_returns_are_refused(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5)
    for request in (
        desk.request(line, 0),
        desk.request(line, -1),
        desk.request(line, 1.5),  # type: ignore[arg-type]
        ReturnRequest(quantity=1, reason=ReturnReason.LATE),
        ReturnRequest(
            quantity=1,
            reason=ReturnReason.LATE,
            sales_order_line_id=line,
            prior_sale=desk.prior(desk.world.item("x"), 1),
        ),
    ):
        with desk.world.refuses(BadReturn):
            desk.authorize_all(request)
    with desk.world.refuses(BadReturn, match="no return was asked for"):
        desk.authorize_all()
    with desk.world.refuses(SoldLineUnknown, match="999999"):
        desk.authorize(999999, 1)
    with desk.world.refuses(ReturnUnknown, match="999999"):
        returns.cancel(desk.world.begin(), [999999], reason="-", actor=desk.world.user("returns"))


@pytest.mark.parametrize("username", ["planner", "buyer", "approver", "warehouse"])
def test_only_the_desk_and_sales_authorize_and_end_returns(desk: Desk, username: str) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5)
    return_id = desk.authorize(line, 1)
    actor = desk.world.user(username)
    with desk.world.refuses(RoleMissing):
        returns.authorize(
            desk.world.begin(), [desk.request(line, 1)], actor=actor, now=desk.world.now, today=desk.world.today
        )
    with desk.world.refuses(RoleMissing):
        returns.cancel(desk.world.begin(), [return_id], reason="-", actor=actor)
    with desk.world.refuses(RoleMissing):
        returns.close(desk.world.begin(), [return_id], reason="-", actor=actor)


@pytest.mark.parametrize("state", ReturnState)
@pytest.mark.parametrize("action", MACHINE.actions)
def test_every_state_allows_exactly_its_actions(desk: Desk, state: ReturnState, action: str) -> None:
    verbs = {"cancel": returns.cancel, "close": returns.close}
    assert set(verbs) == set(MACHINE.actions)
    return_id = desk.authorize(desk.delivered(desk.world.item("bolt"), 5), 1)
    for before in ("close", "cancel"):
        if MACHINE.transitions[ReturnState.AUTHORIZED, before] is state:
            verbs[before](desk.world.begin(), [return_id], reason="-", actor=desk.world.user("returns"))
    assert desk.status(return_id).state is state
    if (state, action) in MACHINE.transitions:
        verbs[action](desk.world.begin(), [return_id], reason="-", actor=desk.world.user("returns"))
        assert desk.status(return_id).state is MACHINE.transitions[state, action]
    else:
        with desk.world.refuses(IllegalTransition, match=r"RMA-2026-\d+ is "):
            verbs[action](desk.world.begin(), [return_id], reason="-", actor=desk.world.user("returns"))


def test_a_receipt_that_was_put_right_leaves_the_units_to_be_authorized_again(desk: Desk) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5)
    return_id = desk.authorize(line, 5)
    posted = desk.receive(return_id)
    ledger.reverse(
        desk.world.begin(),
        [move.id for move in posted],
        reason="somebody else's parcel",
        actor=desk.world.user("warehouse"),
        now=desk.world.now + timedelta(hours=1),
        today=desk.world.today,
    )
    assert desk.status(return_id).received == 0
    desk.authorize(line, 5)
