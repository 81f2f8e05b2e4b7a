"""Many orders at once: each is done or says why not, and what is offered by hand is what was agreed."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from procurement import in_bulk, offers, purchase_orders
from procurement.offers import NotOffered
from procurement.purchase_orders import OrderUnknown, PurchaseOrder, PurchaseOrderState
from scm.core.audit import AuditRow
from scm.master.agreements import SupplierAgreement
from tests.world import World


@pytest.fixture
def bolts(world: World) -> int:
    """Bolts from acme."""
    return world.agreement(world.item("bolt"), world.supplier("acme"))


def states(world: World) -> dict[int, PurchaseOrderState]:
    rows = world.begin().execute(sa.select(PurchaseOrder.id, PurchaseOrder.state))
    return {row.id: row.state for row in rows}


def test_each_order_is_submitted_or_says_why_not(world: World, bolts: int) -> None:
    draft, submitted = world.order((bolts, 10)), world.submitted_order((bolts, 10))
    outcomes = in_bulk.submit_each(world.begin(), [submitted, draft], actor=world.user("buyer"), now=world.now)
    said = {outcome.order_id: str(outcome.refusal or "") for outcome in outcomes}
    assert said[draft] == ""
    assert "submit is not possible" in said[submitted]
    assert set(states(world).values()) == {PurchaseOrderState.SUBMITTED}
    verbs = (
        world.begin()
        .scalars(
            sa.select(AuditRow.verb).where(AuditRow.document_kind == "purchase_order", AuditRow.document_id == draft)
        )
        .all()
    )
    assert verbs == ["purchase_order.draft", "purchase_order.submit"]


def test_each_order_is_sent_back_or_sent(world: World, bolts: int) -> None:
    first, second = world.submitted_order((bolts, 10)), world.approved_order((bolts, 20))
    back = in_bulk.reject_each(
        world.begin(), [first, second], reason="too dear", actor=world.user("approver"), now=world.now
    )
    assert [outcome.refusal is None for outcome in back] == [True, False]
    sent = in_bulk.send_each(
        world.begin(), [first, second], actor=world.user("buyer"), now=world.now, today=world.today
    )
    assert [outcome.refusal is None for outcome in sent] == [False, True]
    assert states(world) == {first: PurchaseOrderState.DRAFT, second: PurchaseOrderState.SENT}


def test_orders_of_another_site_are_unknown(world: World, bolts: int) -> None:
    order_id = world.order((bolts, 10))
    purchase_orders.refuse_elsewhere(world.begin(), [order_id], site_id=world.setup.site_id)
    with world.refuses(OrderUnknown, str(order_id)) as session:
        purchase_orders.refuse_elsewhere(session, [order_id], site_id=world.setup.site_id + 1)
    with world.refuses(OrderUnknown, "PO-") as session:
        number = session.get_one(PurchaseOrder, order_id).number
        purchase_orders.find(session, number=number, site_id=world.setup.site_id + 1)


def test_what_a_supplier_offers_is_found_by_sku_and_name(world: World, bolts: int) -> None:
    agreement = world.begin().get_one(SupplierAgreement, bolts)
    supplier_id, item_id = agreement.partner_id, agreement.item_id
    world.agreement(world.item("50%_nut"), supplier_id)
    world.stock(item_id, 12)
    how: dict[str, Any] = {"supplier_id": supplier_id, "site_id": world.setup.site_id}
    found, matching = offers.of_supplier(world.begin(), **how)
    assert ([offer.sku for offer in found], matching) == (["50%_nut", "bolt"], 2)
    assert found[1].position.on_hand == 12
    assert [offer.sku for offer in offers.of_supplier(world.begin(), search="%_", **how)[0]] == ["50%_nut"]
    assert offers.agreement_of(world.begin(), sku="bolt", supplier_id=supplier_id) == bolts
    world.begin().execute(sa.update(SupplierAgreement).values(retired=True))
    with world.refuses(NotOffered, "no item bolt") as session:
        offers.agreement_of(session, sku="bolt", supplier_id=supplier_id)
    with world.refuses(NotOffered, "there is no item screw") as session:
        offers.item_of(session, sku="screw", company_id=world.setup.company_id)
