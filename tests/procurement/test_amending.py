"""Orders are changed by people: lines edited, added, removed, asked for, confirmed, and the rest of one given up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from procurement import amending, confirming, drafting, orders, proposals, requisitions, supply
from procurement.amending import NothingOrdered, NothingOwed
from procurement.confirming import BadConfirmation, Confirmed
from procurement.drafting import BadLine, OrderLineRequest
from procurement.orders import ReasonMissing
from procurement.purchase_orders import (
    OrderUnknown,
    PurchaseOrder,
    PurchaseOrderConfirmation,
    PurchaseOrderLine,
    PurchaseOrderState,
)
from procurement.requisitions import NobodySupplies
from scm.core.approval import Approval, Decision
from scm.core.users import RoleMissing
from scm.master.agreements import SupplierAgreement
from scm.stock.moves import MoveState
from tests.procurement.proposing import accepted
from tests.world import World


class Shop(NamedTuple):
    """A world that buys bolts in tens and nuts from acme."""

    world: World
    bolt: int
    bolts: int
    nuts: int

    @property
    def by_buyer(self) -> dict[str, Any]:
        """Who and when."""
        return {"actor": self.world.user("buyer"), "now": self.world.now, "today": self.world.today}

    def line(self, agreement: int, quantity: int, *, in_days: int = 7) -> OrderLineRequest:
        """A line to add."""
        return OrderLineRequest(agreement_id=agreement, quantity=quantity, due_date=self.world.day(in_days))

    def lines(self, order_id: int) -> list[PurchaseOrderLine]:
        """The lines of an order."""
        statement = sa.select(PurchaseOrderLine).where(PurchaseOrderLine.order_id == order_id)
        return list(self.world.begin().scalars(statement.order_by(PurchaseOrderLine.id)))

    def order(self, order_id: int) -> PurchaseOrder:
        """An order as it stands."""
        return self.world.begin().get_one(PurchaseOrder, order_id)


@pytest.fixture
def shop(world: World) -> Shop:
    """Bolts and nuts from acme, bolts in tens."""
    bolt, nut, acme = world.item("bolt"), world.item("nut"), world.supplier("acme", over_receipt_rate="0.1")
    bolts = world.agreement(bolt, acme, unit_price="4.00", minimum_order_quantity=20, order_multiple=10)
    return Shop(world, bolt, bolts, world.agreement(nut, acme, unit_price="0.50"))


def test_a_line_is_added_to_a_submitted_order_which_is_a_draft_again(shop: Shop) -> None:
    world = shop.world
    order_id = world.submitted_order((shop.bolts, 100))
    amending.add_lines(world.begin(), order_id, [shop.line(shop.nuts, 30)], **shop.by_buyer)
    assert [(line.quantity, line.unit_price) for line in shop.lines(order_id)] == [
        (100, Decimal("4.00")),
        (30, Decimal("0.50")),
    ]
    assert shop.order(order_id).state is PurchaseOrderState.DRAFT
    assert world.begin().scalars(sa.select(Approval.decision)).all() == [Decision.VOID]


def test_adding_to_an_approved_order_takes_its_goods_off_order(shop: Shop) -> None:
    world = shop.world
    order_id = world.approved_order((shop.bolts, 100))
    amending.add_lines(world.begin(), order_id, [shop.line(shop.nuts, 30)], **shop.by_buyer)
    assert world.on_order(shop.bolt) == 0


def test_only_what_the_supplier_of_the_order_agreed_on_is_added_and_once(shop: Shop) -> None:
    world = shop.world
    other = world.agreement(world.item("washer"), world.supplier("other"))
    order_id = world.order((shop.bolts, 100))
    for line, words in (
        (shop.line(other, 10), "which goes to supplier"),
        (shop.line(shop.bolts, 20), "change its quantity"),
        (shop.line(shop.bolts, 25, in_days=9), "no multiple of 10"),
    ):
        with world.refuses(BadLine, words) as session:
            amending.add_lines(session, order_id, [line], **shop.by_buyer)
    with world.refuses(NothingOrdered, "at least one line") as session:
        amending.add_lines(session, order_id, [], **shop.by_buyer)
    amending.add_lines(world.begin(), order_id, [shop.line(shop.bolts, 20, in_days=9)], **shop.by_buyer)
    assert len(shop.lines(order_id)) == 2


def test_nothing_is_ordered_by_hand_from_a_retired_agreement(shop: Shop) -> None:
    world = shop.world
    world.begin().execute(sa.update(SupplierAgreement).values(retired=True))
    with world.refuses(BadLine, "is retired"):
        world.order((shop.bolts, 100))


def test_a_removed_line_frees_its_proposal_to_be_ordered_again(shop: Shop) -> None:
    world = shop.world
    ids = accepted(world, (shop.bolts, 100), (shop.nuts, 50))
    [order_id] = orders.draft(world.begin(), **shop.by_buyer)
    bolts, _ = shop.lines(order_id)
    amending.remove_line(world.begin(), line_id=bolts.id, order_id=order_id, **shop.by_buyer)
    assert [line.proposal_id for line in shop.lines(order_id)] == ids[1:]
    [again] = orders.draft(world.begin(), **shop.by_buyer)
    assert [line.proposal_id for line in shop.lines(again)] == ids[:1]


def test_the_last_line_is_not_removed(shop: Shop) -> None:
    world = shop.world
    order_id = world.order((shop.bolts, 100))
    [line] = shop.lines(order_id)
    with world.refuses(NothingOrdered, "cancel the order instead") as session:
        amending.remove_line(session, line_id=line.id, **shop.by_buyer)


def test_a_line_is_changed_only_through_its_own_order(shop: Shop) -> None:
    world = shop.world
    first, second = world.order((shop.bolts, 100)), world.order((shop.bolts, 100), (shop.nuts, 5))
    line = shop.lines(second)[0]
    with world.refuses(OrderUnknown, f"{first} has no line {line.id}") as session:
        amending.edit_line(session, line_id=line.id, order_id=first, quantity=40, **shop.by_buyer)
    with world.refuses(OrderUnknown) as session:
        amending.remove_line(session, line_id=line.id, order_id=first, **shop.by_buyer)


def test_the_rest_of_a_line_is_given_up_and_what_came_stays(shop: Shop) -> None:
    world = shop.world
    order_id = world.sent_order((shop.bolts, 100), (shop.nuts, 50))
    world.receive(order_id, 40)
    bolts, _ = shop.lines(order_id)
    how: dict[str, Any] = {"actor": world.user("buyer"), "now": world.now}
    with world.refuses(ReasonMissing) as session:
        amending.close_short(session, line_id=bolts.id, reason=" ", **how)
    [given_up] = amending.close_short(world.begin(), line_id=bolts.id, reason="sold out", **how)
    assert given_up.quantity == 60
    done = supply.progress(world.begin(), [order_id])[order_id]
    assert (done.received, done.outstanding, done.closed) == (80, 10, False)
    with world.refuses(NothingOwed) as session:
        amending.close_short(session, line_id=bolts.id, reason="sold out", **how)


def test_what_somebody_asks_for_joins_the_draft_to_its_supplier(shop: Shop) -> None:
    world = shop.world
    how: dict[str, Any] = {"site_id": world.setup.site_id, "now": world.now, "today": world.today}
    asked = requisitions.ask(
        world.begin(),
        item_id=shop.bolt,
        quantity=20,
        due_date=world.day(5),
        reason="a fair in May",
        actor=world.user("warehouse"),
        **how,
    )
    more = requisitions.ask(
        world.begin(),
        item_id=shop.bolt,
        quantity=30,
        due_date=world.day(9),
        reason="another fair",
        actor=world.user("planner"),
        **how,
    )
    assert more.order_id == asked.order_id
    assert [(line.quantity, line.reason) for line in shop.lines(asked.order_id)] == [
        (20, "a fair in May"),
        (30, "another fair"),
    ]
    orders.submit(world.begin(), [asked.order_id], actor=world.user("buyer"), now=world.now)
    third = requisitions.ask(
        world.begin(),
        item_id=shop.bolt,
        quantity=20,
        due_date=world.day(5),
        reason="x",
        actor=world.user("buyer"),
        **how,
    )
    assert third.order_id != asked.order_id


def test_what_cannot_be_asked_for_is_refused(shop: Shop) -> None:
    world = shop.world
    lonely = world.item("lonely")
    how: dict[str, Any] = {
        "quantity": 20,
        "due_date": world.day(5),
        "site_id": world.setup.site_id,
        "now": world.now,
        "today": world.today,
    }
    with world.refuses(NobodySupplies, "agree on it with a supplier") as session:
        requisitions.ask(session, item_id=lonely, reason="x", actor=world.user("buyer"), **how)
    with world.refuses(NobodySupplies, "is not about item") as session:
        requisitions.ask(session, item_id=lonely, agreement_id=shop.bolts, reason="x", actor=world.user("buyer"), **how)
    with world.refuses(ReasonMissing) as session:
        requisitions.ask(session, item_id=shop.bolt, reason=" ", actor=world.user("buyer"), **how)
    with world.refuses(RoleMissing) as session:
        requisitions.ask(session, item_id=shop.bolt, reason="x", actor=world.user("returns"), **how)


def test_what_the_supplier_confirms_moves_the_arrival_and_gives_up_what_it_will_not_bring(shop: Shop) -> None:
    world = shop.world
    order_id = world.sent_order((shop.bolts, 100), (shop.nuts, 50))
    bolts, nuts = shop.lines(order_id)
    confirmed = [
        Confirmed(line_id=bolts.id, quantity=80, due_date=world.day(12), note="raw material late"),
        Confirmed(line_id=nuts.id, quantity=50, due_date=world.day(7)),
    ]
    [moved] = confirming.confirm(world.begin(), order_id, confirmed, **shop.by_buyer)
    assert (moved.quantity, moved.due_date, moved.over_quantity) == (80, world.day(12), 10)
    planned = [m for m in world.moves_of("purchase_order", [order_id]) if m.state is MoveState.PLANNED]
    assert sorted((m.line_id, m.quantity) for m in planned) == [(bolts.id, 80), (nuts.id, 50)]
    assert world.on_order(shop.bolt) == 80
    said = world.begin().scalars(sa.select(PurchaseOrderConfirmation).order_by(PurchaseOrderConfirmation.id)).all()
    assert [(row.quantity, row.note) for row in said] == [(80, "raw material late"), (50, "")]
    assert shop.lines(order_id)[0].quantity == 100
    world.receive(order_id)
    assert supply.progress(world.begin(), [order_id])[order_id].closed


@pytest.mark.parametrize(("quantity", "in_days"), [(101, 7), (0, 7), (100, -1)])
def test_no_more_than_is_owed_is_confirmed_and_for_no_day_that_has_passed(
    shop: Shop, quantity: int, in_days: int
) -> None:
    world = shop.world
    order_id = world.sent_order((shop.bolts, 100))
    [line] = shop.lines(order_id)
    with world.refuses(BadConfirmation) as session:
        confirming.confirm(
            session,
            order_id,
            [Confirmed(line_id=line.id, quantity=quantity, due_date=world.day(in_days))],
            **shop.by_buyer,
        )


def test_accepted_proposals_are_still_ordered_from_an_agreement_that_was_retired_since(shop: Shop) -> None:
    world = shop.world
    ids = accepted(world, (shop.bolts, 100))
    world.begin().execute(sa.update(SupplierAgreement).values(retired=True))
    assert len(drafting.from_proposals(world.begin(), ids, actor=world.user("buyer"), today=world.today)) == 1
    assert proposals.open_ids(world.begin(), site_id=world.setup.site_id) == []
