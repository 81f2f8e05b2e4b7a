"""The pages of production: a planner's list and document, and the floor's phone, through their forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from scm.core.db import Database
from scm.master.bom import BomKind
from scm.production.documents import WorkOrder, WorkOrderComponent, WorkOrderOperation, WorkOrderState
from tests.production.shop import Shop
from tests.web.visitor import Visitor, signed_in, text_of
from tests.world import World
from web.app import create_app


@dataclass
class Workshop:
    """A company that was written once, and what there is in it."""

    database: Database
    bin_code: str = "BIN-0002"

    def order(self) -> WorkOrder:
        """This function will read the newest order."""
        with self.database.unit_of_work(write=False) as session:
            found = session.scalars(sa.select(WorkOrder).order_by(WorkOrder.id.desc()).limit(1)).one()
            session.expunge(found)
        return found

    def component(self, sku_order: int = 1) -> int:
        """This function will give the id of a component by its line."""
        with self.database.unit_of_work(write=False) as session:
            return session.scalars(
                sa.select(WorkOrderComponent.id).where(
                    WorkOrderComponent.order_id == self.order().id, WorkOrderComponent.line_number == sku_order
                )
            ).one()

    def operations(self) -> list[int]:
        """This function will give the ids of the newest order's operations."""
        with self.database.unit_of_work(write=False) as session:
            return list(
                session.scalars(
                    sa.select(WorkOrderOperation.id)
                    .where(WorkOrderOperation.order_id == self.order().id)
                    .order_by(WorkOrderOperation.sequence)
                )
            )

    def visitor(self, username: str) -> Visitor:
        """This function will sign somebody in."""
        return signed_in(self.database, username, app=create_app(self.database))


@pytest.fixture
def workshop(database: Database) -> Iterator[Workshop]:
    with database.unit_of_work(write=True) as session:
        world = World(session)
        shop = Shop(world)
        table, leg, top = world.item("table"), world.item("leg"), world.item("top")
        shop.bom(table, (leg, 4), (top, 1), operations=["saw", "join"])
        world.stock(leg, 100)
        world.stock(top, 5)
        world.begin()
    yield Workshop(database)


def test_a_work_order_goes_through_the_pages(workshop: Workshop) -> None:
    planner, floor = workshop.visitor("planner"), workshop.visitor("production")
    planner.get("/production/work-orders")
    planner.post("/production/work-orders/new", sku="table", quantity="10", due_date="2026-01-12", status=303)
    order = workshop.order()
    page = text_of(planner.get(f"/production/work-orders/{order.number}"))
    assert "1 component is short" in page
    refused = planner.post(f"/production/work-orders/{order.number}/release", status=409)
    assert "first top, of which 5 are missing" in text_of(refused.get_data(as_text=True))
    planner.post(f"/production/work-orders/{order.number}/release", reason="start with five", status=303)
    assert order.number in floor.get("/floor")
    here = f"/floor/{order.number}"
    floor.get(here)
    floor.post(f"{here}/issue", component=str(workshop.component()), quantity="40", status=303)
    floor.post(f"{here}/issue", component=str(workshop.component(2)), quantity="5", status=303)
    saw, join = workshop.operations()
    floor.post(
        f"{here}/report",
        operation=str(saw),
        good="6",
        scrap="1",
        scrap_reason="setup",
        minutes="45",
        status=303,
    )
    floor.post(f"{here}/report", operation=str(join), good="5", status=303)
    said = floor.get(f"{here}?step=complete")
    assert "How many are good" in said
    floor.post(f"{here}/complete", quantity="4", bin=workshop.bin_code, status=303)
    floor.post(f"{here}/complete", quantity="1", status=303)
    page = text_of(planner.get(f"/production/work-orders/{order.number}"))
    assert "Setting up" in page and "reported work" in page and workshop.bin_code in page
    planner.post(f"/production/work-orders/{order.number}/close", reason="the rest is not needed", status=303)
    assert workshop.order().state is WorkOrderState.CLOSED


def test_a_form_that_is_sent_twice_acts_once(workshop: Workshop) -> None:
    planner, floor = workshop.visitor("planner"), workshop.visitor("production")
    planner.get("/production/work-orders")
    for _ in range(2):
        planner.post(
            "/production/work-orders/new",
            key="one-order",
            sku="table",
            quantity="5",
            due_date="2026-01-12",
            status=303,
        )
    order = workshop.order()
    with workshop.database.unit_of_work(write=False) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(WorkOrder)) == 1
    planner.post(f"/production/work-orders/{order.number}/release", status=303)
    floor.get("/floor")
    for _ in range(2):
        floor.post(f"/floor/{order.number}/issue", key="all-of-it", status=303)
    saw, join = workshop.operations()
    for step, key in ((saw, "sawn"), (join, "joined")):
        for _ in range(2):
            floor.post(f"/floor/{order.number}/report", key=key, operation=str(step), good="5", status=303)
    for _ in range(2):
        floor.post(f"/floor/{order.number}/complete", key="done", quantity="5", status=303)
    assert workshop.order().state is WorkOrderState.COMPLETED


def test_the_floor_neither_plans_nor_does_the_desk_report(workshop: Workshop) -> None:
    planner, floor, hand = (workshop.visitor(name) for name in ("planner", "production", "warehouse"))
    planner.get("/production/work-orders")
    planner.post("/production/work-orders/new", sku="table", quantity="5", due_date="2026-01-12", status=303)
    number = workshop.order().number
    floor.get("/floor")
    floor.post("/production/work-orders/new", sku="table", quantity="5", due_date="2026-01-12", status=403)
    floor.post(f"/production/work-orders/{number}/release", status=403)
    planner.post(f"/production/work-orders/{number}/release", status=303)
    planner.post(f"/floor/{number}/issue", status=403)
    hand.get("/floor")
    hand.post(f"/floor/{number}/report", operation="1", good="1", status=403)
    hand.post(f"/floor/{number}/issue", status=303)
    page = hand.get(f"/floor/{number}")
    assert not re.search(r"step=report", page)


def test_the_pages_speak_chinese(workshop: Workshop) -> None:
    planner, floor = workshop.visitor("planner"), workshop.visitor("production")
    planner.get("/production/work-orders")
    planner.post("/production/work-orders/new", sku="table", quantity="5", due_date="2026-01-12", status=303)
    number = workshop.order().number
    planner.post(f"/production/work-orders/{number}/release", status=303)
    chinese = {"Accept-Language": "zh-CN"}
    assert "工单" in planner.get("/production/work-orders", headers=chinese)
    assert "齐套" in planner.get(f"/production/work-orders/{number}", headers=chinese)
    assert "发料" in floor.get(f"/floor/{number}", headers=chinese)


def test_a_partner_reports_by_its_link_and_sees_nothing_else(database: Database) -> None:
    with database.unit_of_work(write=True) as session:
        world = World(session)
        shop = Shop(world)
        gear, blank = world.item("gear"), world.item("blank")
        world.stock(blank, 20)
        bill = shop.bom(gear, (blank, 1), kind=BomKind.SUBCONTRACT, partner=shop.partner())
        order = shop.released(bill, 10)
        shop.issue(order)
        component = shop.component(order, blank)
        number = shop.row(order).number
        world.begin()
    app = create_app(database)
    planner, partner = signed_in(database, "planner", app=app), Visitor(app)
    planner.get(f"/production/work-orders/{number}")
    said = planner.post(f"/production/work-orders/{number}/link", days="7", status=200).get_data(as_text=True)
    token = re.search(r"/partner#([\w-]+)", said)
    assert token is not None
    partner.get("/partner")
    assert "not good any more" in partner.post("/partner", token="nonsense", status=404).get_data(as_text=True)
    page = partner.post("/partner", token=token[1], status=200).get_data(as_text=True)
    assert number in page and "10 are with you" in page
    for _ in range(2):
        told = {f"used-{component}": "6", "good": "5", "scrap": "1", "scrap_reason": "machine"}
        partner.post("/partner/report", key="first", data=told, token=token[1], status=200)
    refused = partner.post("/partner/report", data={f"used-{component}": "5"}, token=token[1], status=409)
    assert "the partner has 4" in text_of(refused.get_data(as_text=True))
    page = text_of(planner.get(f"/production/work-orders/{number}"))
    assert "noted what the partner used" in page
    with database.unit_of_work(write=False) as session:
        kept = session.execute(sa.text("SELECT answer, body_hash FROM idempotency_key")).all()
    assert token[1] not in repr(kept)
    assert partner.client.get(f"/production/work-orders/{number}").status_code == 302
    planner.post(f"/production/work-orders/{number}/end-link", status=303)
    partner.post("/partner", token=token[1], status=404)
