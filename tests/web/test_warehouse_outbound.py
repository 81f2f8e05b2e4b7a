"""From the promise to the door in the browser: waves, picking, the bench, shipments, counts, and who may."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from scm.core.db import Database
from tests.selling import Shop
from tests.web.house import House, data_of, led_to, rows
from tests.web.visitor import Visitor, text_of
from tests.world import World


@pytest.fixture
def house(database: Database) -> House:
    """A house of the test's own."""
    return House(database)


def wave(visitor: Visitor) -> str:
    """Release what is due; gives the address of the pick list."""
    page = visitor.get("/warehouse/waves")
    assert "Release a wave" in text_of(page)
    return led_to(visitor.post("/warehouse/waves/release"))


def test_an_order_goes_from_the_wave_to_the_customer(house: House) -> None:
    visitor = house.visitor("warehouse")
    pick = wave(visitor)
    [line] = data_of(visitor.get(pick))["lines"]
    assert (line["sku"], line["bin"], line["wanted"]) == ("nut", "BIN-0002", 2)
    onward = led_to(visitor.post(f"{pick}/post", picked=rows({"line": line["id"], "quantity": 2})))
    assert onward.startswith("/warehouse/pack/WV-")
    order = house.number_of("sales_order")
    assert order in text_of(visitor.get(onward))
    [content] = data_of(visitor.get(f"/warehouse/pack/{order}"))["lines"]
    wrong = visitor.post(
        f"/warehouse/pack/{order}/post", scanned=rows({"item": house.bolt, "quantity": 2}), cartons=1, status=409
    )
    assert "expected nut" in text_of(wrong.get_data(as_text=True))
    packed: dict[str, Any] = {"scanned": rows({"item": content["id"], "quantity": 2}), "cartons": 2}
    shipment = led_to(visitor.post(f"/warehouse/pack/{order}/post", **packed))
    printed = text_of(visitor.get(f"{shipment}/print"))
    assert "Carton 2 of 2" in printed and "Packing slip" in printed
    service = house.world.setup.carrier_service_id
    visitor.post(f"{shipment}/ship", carrier_service_id=service, tracking_number="JD1", status=303)
    visitor.post(f"{shipment}/ship", carrier_service_id=service, tracking_number="JD2", status=409)
    visitor.post(f"{shipment}/deliver", signed_by="A. Customer", status=303)
    said = text_of(visitor.get(shipment))
    assert "Delivered" in said and "JD1" in said and "A. Customer" in said
    assert "JD1" in text_of(visitor.get("/warehouse/shipments?q=JD1"))
    assert "JD1" in visitor.get("/warehouse/shipments/export.csv")


def test_a_short_pick_says_so_and_is_looked_for_elsewhere(house: House) -> None:
    house.do(lambda world: world.stock(house.nut, 5, bin_number=4))
    visitor = house.visitor("warehouse")
    pick = wave(visitor)
    [line] = data_of(visitor.get(pick))["lines"]
    assert led_to(visitor.post(f"{pick}/post", picked=rows({"line": line["id"], "quantity": 1}))) == pick
    said = text_of(visitor.get(pick))
    assert "1 pick was short" in said and "1 missing for SO-" in said
    again = led_to(visitor.post(f"{pick}/again"))
    assert [one["bin"] for one in data_of(visitor.get(again))["lines"]] == ["BIN-0004"]
    assert "CC-" in text_of(visitor.get("/warehouse/counts?state=planned"))


def test_a_cancelled_order_is_stopped_at_the_bench(house: House) -> None:
    visitor = house.visitor("warehouse")
    pick = wave(visitor)
    [line] = data_of(visitor.get(pick))["lines"]
    visitor.post(f"{pick}/post", picked=rows({"line": line["id"], "quantity": 2}), status=303)
    house.do(lambda world: Shop.cancel(_shop(world), house.order))
    order = house.number_of("sales_order")
    assert "must not leave" in text_of(visitor.get(f"/warehouse/pack/{order}"))
    batch: dict[str, Any] = {"scanned": rows({"item": house.nut, "quantity": 2}), "cartons": 1}
    answer = visitor.post(f"/warehouse/pack/{order}/post", status=409, **batch)
    assert "put its goods back to BIN-0002" in text_of(answer.get_data(as_text=True))


def _shop(world: World) -> Shop:
    """The shop of a world whose customer is there already."""
    shop = Shop.__new__(Shop)
    shop.world = world
    return shop


def test_a_tracking_number_stands_on_one_parcel_only(house: House) -> None:
    visitor = house.visitor("warehouse")

    def two(world: World) -> list[str]:
        shop = _shop(world)
        shop.customer = house.value("SELECT id FROM partner WHERE code = 'customer'")
        shop.order((house.nut, 1))
        ids = shop.pack(shop.pick(shop.wave()))
        statement = sa.text(f"SELECT number FROM shipment WHERE id IN ({ids[0]}, {ids[1]})")
        return list(shop.world.begin().execute(statement).scalars())

    first, second = house.do(two)
    service = house.world.setup.carrier_service_id
    visitor.get("/warehouse")
    visitor.post(f"/warehouse/shipments/{first}/ship", carrier_service_id=service, tracking_number="JD1", status=303)
    answer = visitor.post(
        f"/warehouse/shipments/{second}/ship", carrier_service_id=service, tracking_number="JD1", status=409
    )
    assert f"JD1 stands on {first}" in text_of(answer.get_data(as_text=True))


def test_a_count_is_blind_and_decided_by_somebody_else(house: House) -> None:
    visitor = house.visitor("warehouse")
    visitor.get("/warehouse/counts")
    count = led_to(visitor.post("/warehouse/counts/plan", places="bin-0002, BIN-0001", sku=""))
    page = visitor.get(count)
    sheet = data_of(page)
    assert [line["place"] for line in sheet["lines"]] == ["BIN-0001", "BIN-0002"]
    assert '"20"' not in page and "20 pc" not in page
    found = rows({"place": "BIN-0002", "sku": "nut", "quantity": 17})
    visitor.post(f"{count}/post", counted=rows({"place": "BIN-0002", "sku": "bolt", "quantity": 1}), status=409)
    visitor.post(f"{count}/post", counted=found, status=303)
    mine = text_of(visitor.get(count))
    assert "somebody else decides" in mine and "Books" not in mine
    visitor.post(f"{count}/approve", status=403)
    approver = house.visitor("approver")
    said = text_of(approver.get(count))
    assert "Books" in said and "−3" in said and "Approve" in said
    approver.post(f"{count}/approve", status=303)
    assert house.do(lambda world: world.on_hand(house.nut)) == 17


def test_a_rejected_count_is_counted_anew_from_its_page(house: House) -> None:
    visitor, approver = house.visitor("warehouse"), house.visitor("approver")
    visitor.get("/warehouse/counts")
    count = led_to(visitor.post("/warehouse/counts/plan", places="", sku="nut"))
    visitor.post(f"{count}/post", counted=rows({"place": "BIN-0002", "sku": "nut", "quantity": 0}), status=303)
    approver.get(count)
    approver.post(f"{count}/reject", reason="look behind the shelf", status=303)
    again = led_to(visitor.post(f"{count}/recount"))
    assert "was rejected" in text_of(visitor.get(again))
    assert again.rpartition("/")[2] in text_of(visitor.get(count))


def test_a_bin_that_is_empty_agrees_when_nothing_is_found(house: House) -> None:
    visitor = house.visitor("warehouse")
    visitor.get("/warehouse/counts")
    count = led_to(visitor.post("/warehouse/counts/plan", places="BIN-0005"))
    visitor.post(f"{count}/post", counted="[]", status=303)
    assert "Closed" in text_of(visitor.get(count))


PAGES = (
    "/warehouse",
    "/warehouse/receive",
    "/warehouse/put-away",
    "/warehouse/waves",
    "/warehouse/inspection",
    "/warehouse/quarantine",
)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_page_opens_for_the_warehouse_in_both_languages(house: House, language: str) -> None:
    visitor = house.visitor("warehouse")
    tag = {"en": "en", "zh_CN": "zh-CN,zh;q=0.9"}[language]
    for address in (*PAGES, "/warehouse/shipments", "/warehouse/receipts", "/warehouse/counts"):
        visitor.get(address, headers={"Accept-Language": tag})


def test_the_floor_is_for_the_warehouse(house: House) -> None:
    buyer = house.visitor("buyer")
    for address in PAGES:
        buyer.get(address, status=403)
    order = house.number_of("purchase_order")
    buyer.get("/warehouse/shipments")
    for address in (f"/warehouse/receive/{order}/post", "/warehouse/put-away/post", "/warehouse/waves/release"):
        buyer.post(address, status=403)


def test_another_sites_documents_are_not_here(house: House) -> None:
    visitor = house.visitor("warehouse")
    pick = wave(visitor)
    [line] = data_of(visitor.get(pick))["lines"]
    visitor.post(f"{pick}/post", picked=rows({"line": line["id"], "quantity": 2}), status=303)
    order, purchase = house.number_of("sales_order"), house.number_of("purchase_order")
    house.another_site()
    for address in (pick, f"/warehouse/pack/{order}", f"/warehouse/receive/{purchase}"):
        visitor.get(address, status=404)
    batch: dict[str, Any] = {"scanned": rows({"item": house.nut, "quantity": 2}), "cartons": 1}
    visitor.post(f"/warehouse/pack/{order}/post", status=404, **batch)
    visitor.post(f"{pick}/post", picked=rows({"line": line["id"], "quantity": 2}), status=404)
    visitor.post(f"/warehouse/receive/{purchase}/post", counted=rows({"line": 1, "quantity": 1}), status=404)
    assert visitor.client.get(f"/warehouse/scan?text={order}").status_code == 404
