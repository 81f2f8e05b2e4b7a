"""Every document knows what it came from and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from aftersales.disposition import Disposition
from scm.finance.claims import CreditNote, CustomerInvoice
from scm.loop import chain
from tests.aftersales.desk import Desk
from tests.world import World
from warehouse.receiving import GoodsReceipt

MOST_QUERIES = 16


@pytest.fixture
def desk(world: World) -> Desk:
    """A shop and its returns desk in the test's own session."""
    return Desk(world)


def stages(world: World, kind: str, document_id: int) -> dict[str, list[int]]:
    found = chain.of_document(world.begin(), kind=kind, document_id=document_id)
    assert [stage.name for stage in found] == [name for name in chain.STAGES if name in {one.name for one in found}]
    assert [stage.kind for stage in found if stage.current] == [kind]
    return {stage.name: [link.id for link in stage.links] for stage in found}


class Story:
    """Bolts are bought for a waiting order, sold, and come back in part."""

    def __init__(self, desk: Desk) -> None:
        world = desk.world
        self.bolt = world.item("bolt")
        agreement = world.agreement(self.bolt, world.supplier("acme"))
        self.sale = desk.shop.order((self.bolt, 10))
        self.other = desk.shop.order((self.bolt, 4))
        self.purchase = world.sent_order((agreement, 14))
        self.receipt = world.receive(self.purchase).goods_receipt_id
        world.put_away()
        self.wave = desk.shop.pick(desk.shop.wave())
        shipped = desk.shop.ship(desk.shop.pack(self.wave))
        desk.shop.deliver(shipped)
        self.shipment = next(one.shipment_id for one in shipped if one.sales_order_id == self.sale)
        self.invoice = next(one.invoice_id for one in shipped if one.sales_order_id == self.sale)
        line = desk.shop.line(self.sale).line_id
        desk.pay(line)
        self.rma = desk.authorize(line, 3)
        [returned] = desk.back(self.rma)
        [self.inspection] = desk.inspect(returned, 3)
        desk.dispose(self.inspection, Disposition.RESTOCK)
        [self.credit] = desk.refund(returned, 3)


@pytest.fixture
def story(desk: Desk) -> Story:
    """One order's life, whole."""
    return Story(desk)


@pytest.fixture
def statements(world: World) -> Iterator[list[str]]:
    """What is asked of the database."""
    seen: list[str] = []
    connection = world.begin().connection()

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    sa.event.listen(connection, "before_cursor_execute", note)
    yield seen
    sa.event.remove(connection, "before_cursor_execute", note)


def test_a_sales_order_leads_up_to_what_was_bought_for_it_and_down_to_the_refund(desk: Desk, story: Story) -> None:
    world = desk.world
    brought_back = world.begin().scalars(sa.select(GoodsReceipt.id).order_by(GoodsReceipt.id.desc())).first()
    assert stages(world, "sales_order", story.sale) == {
        "item": [story.bolt],
        "purchase_order": [story.purchase],
        "goods_receipt": [story.receipt],
        "sales_order": [story.sale],
        "wave": [story.wave.wave_id],
        "shipment": [story.shipment],
        "customer_invoice": [story.invoice],
        "return_authorization": [story.rma],
        "return_receipt": [brought_back],
        "inspection": [story.inspection],
        "credit_note": [story.credit],
    }


def test_a_return_leads_back_to_the_supplier(desk: Desk, story: Story) -> None:
    found = stages(desk.world, "return_authorization", story.rma)
    assert found["purchase_order"] == [story.purchase]
    assert found["sales_order"] == [story.sale]
    assert found["shipment"] == [story.shipment]
    assert found["credit_note"] == [story.credit]


def test_a_purchase_order_leads_to_everybody_it_was_bought_for(desk: Desk, story: Story) -> None:
    found = stages(desk.world, "purchase_order", story.purchase)
    assert found["sales_order"] == [story.sale, story.other]
    assert found["return_authorization"] == [story.rma]
    assert found["item"] == [story.bolt]


def test_a_shipment_does_not_lead_to_strangers_of_its_wave(desk: Desk, story: Story) -> None:
    found = stages(desk.world, "shipment", story.shipment)
    assert found["sales_order"] == [story.sale]
    assert found["wave"] == [story.wave.wave_id]
    assert stages(desk.world, "wave", story.wave.wave_id)["sales_order"] == [story.sale, story.other]


@pytest.mark.parametrize("kind", ["goods_receipt", "customer_invoice", "inspection", "credit_note"])
def test_every_other_document_stands_in_the_chain_too(desk: Desk, story: Story, kind: str) -> None:
    own = {
        "goods_receipt": story.receipt,
        "customer_invoice": story.invoice,
        "inspection": story.inspection,
        "credit_note": story.credit,
    }[kind]
    found = stages(desk.world, kind, own)
    assert found["purchase_order"] == [story.purchase]
    assert found[kind] == [own]


def test_the_receipt_of_a_return_leads_to_the_return(desk: Desk, story: Story) -> None:
    receipt = desk.world.begin().scalars(sa.select(GoodsReceipt.id).order_by(GoodsReceipt.id.desc())).first()
    assert receipt is not None
    found = stages(desk.world, "goods_receipt", receipt)
    assert found["return_receipt"] == [receipt]
    assert found["return_authorization"] == [story.rma]


def test_a_return_of_a_prior_sale_names_its_paper(desk: Desk) -> None:
    return_id = desk.authorize(desk.prior(desk.world.item("bolt"), 5), 2)
    found = chain.of_document(desk.world.begin(), kind="return_authorization", document_id=return_id)
    assert (found[0].name, found[0].links[0].number) == ("prior_sale", "489434/1")


def test_links_carry_number_state_and_day(desk: Desk, story: Story) -> None:
    world = desk.world
    found = {
        stage.name: stage.links[0]
        for stage in chain.of_document(world.begin(), kind="sales_order", document_id=story.sale)
    }
    assert found["sales_order"].number == desk.shop.number(story.sale)
    assert (found["sales_order"].state, found["sales_order"].day) == ("confirmed", world.today)
    assert (found["shipment"].state, found["shipment"].at) == ("delivered", world.now)
    assert found["inspection"].state == "restock"
    assert found["credit_note"].state == "refunded"
    assert found["item"].number == "bolt"
    assert found["return_authorization"].state == "authorized"


def test_an_unknown_document_has_no_chain(world: World) -> None:
    assert chain.of_document(world.begin(), kind="sales_order", document_id=999_999) == ()
    assert chain.of_document(world.begin(), kind="cycle_count", document_id=1) == ()


def test_the_number_of_queries_is_bounded_and_does_not_grow(desk: Desk, story: Story, statements: list[str]) -> None:
    for _ in range(3):
        line = desk.shop.line(story.sale).line_id
        desk.authorize(line, 1)
    asked = {}
    for kind, own in (("return_authorization", story.rma), ("sales_order", story.sale), ("credit_note", story.credit)):
        session = desk.world.begin()
        statements.clear()
        chain.of_document(session, kind=kind, document_id=own)
        asked[kind] = len(statements)
    assert max(asked.values()) <= MOST_QUERIES, asked


def test_a_stage_with_too_many_documents_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    line = desk.delivered(desk.world.item("bolt"), 5)
    returns = [desk.authorize(line, 1) for _ in range(3)]
    monkeypatch.setattr("scm.loop.chain_steps.MOST", 2)
    monkeypatch.setattr("scm.loop.chain.MOST", 2)
    session = desk.world.begin()
    [order_id] = session.scalars(sa.select(CustomerInvoice.sales_order_id))
    found = {stage.name: stage for stage in chain.of_document(session, kind="sales_order", document_id=order_id)}
    assert [link.id for link in found["return_authorization"].links] == returns[1:]
    assert found["return_authorization"].more
    assert not found["shipment"].more
    assert session.scalar(sa.select(sa.func.count(CreditNote.id))) == 0
