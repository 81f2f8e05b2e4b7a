"""The dock in the browser: receiving by batches of scans, taking back, inspecting, putting away, quarantine."""

from __future__ import annotations

from typing import Any

import pytest

from scm.core.db import Database
from tests.web.house import House, data_of, led_to, rows
from tests.web.visitor import text_of


@pytest.fixture
def house(database: Database) -> House:
    """A house of the test's own."""
    return House(database)


def test_an_order_is_received_short_once_however_often_it_is_sent(house: House) -> None:
    visitor = house.visitor("warehouse")
    order = house.number_of("purchase_order")
    assert order in text_of(visitor.get("/warehouse/receive"))
    page = visitor.get(f"/warehouse/receive/{order}")
    sheet = data_of(page)
    [line] = sheet["lines"]
    assert (line["sku"], line["wanted"], line["most"], line["codes"]) == ("bolt", 12, 15, {"BOLT": 1})
    batch: dict[str, Any] = {
        "counted": rows({"line": line["id"], "quantity": 7}),
        "delivery_note": "DN-1",
        "key": "one",
    }
    first = led_to(visitor.post(f"/warehouse/receive/{order}/post", **batch))
    assert led_to(visitor.post(f"/warehouse/receive/{order}/post", **batch)) == first
    assert house.value("SELECT count(*) FROM goods_receipt") == 1
    receipt = text_of(visitor.get(first))
    assert "DN-1" in receipt and "where it was received" in receipt
    again = data_of(visitor.get(f"/warehouse/receive/{order}"))["lines"][0]
    assert (again["wanted"], again["most"]) == (5, 8)
    other: dict[str, Any] = batch | {"counted": rows({"line": line["id"], "quantity": 6})}
    visitor.post(f"/warehouse/receive/{order}/post", status=409, **other)


@pytest.mark.parametrize(
    "counted", ["", "{}", "nonsense", '[{"line": 1}]', '[{"line": 1, "quantity": 1.5}]', '[{"line": 1, "x": 1}]']
)
def test_a_batch_that_cannot_be_read_is_refused(house: House, counted: str) -> None:
    visitor = house.visitor("warehouse")
    order = house.number_of("purchase_order")
    visitor.post(f"/warehouse/receive/{order}/post", counted=counted, status=400)
    assert house.value("SELECT count(*) FROM goods_receipt") == 0


def test_too_many_are_refused_and_nothing_is_posted(house: House) -> None:
    visitor = house.visitor("warehouse")
    order = house.number_of("purchase_order")
    line = data_of(visitor.get(f"/warehouse/receive/{order}"))["lines"][0]["id"]
    answer = visitor.post(
        f"/warehouse/receive/{order}/post", counted=rows({"line": line, "quantity": 16}), partial=True, status=409
    )
    assert "16 of item" in text_of(answer.get_data(as_text=True))
    assert house.value("SELECT count(*) FROM goods_receipt") == 0


def received(house: House, quantity: int = 12) -> tuple[str, int]:
    """Receive bolts through the page; gives the receipt's number and the id of what waits at the dock."""
    visitor = house.visitor("warehouse")
    order = house.number_of("purchase_order")
    line = data_of(visitor.get(f"/warehouse/receive/{order}"))["lines"][0]["id"]
    visitor.post(f"/warehouse/receive/{order}/post", counted=rows({"line": line, "quantity": quantity}), status=303)
    leg = house.value("SELECT max(id) FROM stock_move WHERE state = 'planned' AND document_kind = 'purchase_order'")
    return house.number_of("goods_receipt"), leg


def test_a_wrong_receipt_is_taken_back_with_a_reason(house: House) -> None:
    receipt, _ = received(house)
    visitor = house.visitor("warehouse")
    move = house.value("SELECT move_id FROM goods_receipt_line")
    visitor.post(f"/warehouse/receipts/{receipt}/take-back", move=move, reason="", status=400)
    visitor.post(f"/warehouse/receipts/{receipt}/take-back", move=move + 1000, reason="wrong", status=404)
    visitor.post(f"/warehouse/receipts/{receipt}/take-back", move=move, reason="the wrong pallet", status=303)
    assert "taken back" in text_of(visitor.get(f"/warehouse/receipts/{receipt}"))
    order = house.number_of("purchase_order")
    assert data_of(visitor.get(f"/warehouse/receive/{order}"))["lines"][0]["wanted"] == 12


def test_goods_are_put_away_into_scanned_bins(house: House) -> None:
    _, leg = received(house)
    visitor = house.visitor("warehouse")
    [line] = data_of(visitor.get("/warehouse/put-away"))["lines"]
    assert (line["id"], line["wanted"]) == (leg, 12)
    put = rows({"line": leg, "bin": line["bin"], "quantity": 5}, {"line": leg, "bin": "bin-0004", "quantity": 7})
    visitor.post("/warehouse/put-away/post", put=rows({"line": leg, "bin": "NOWHERE", "quantity": 5}), status=404)
    visitor.post("/warehouse/put-away/post", put=put, status=303)
    assert "The dock is clear" in text_of(visitor.get("/warehouse/put-away"))
    assert house.do(lambda world: world.on_hand(house.bolt)) == 12


def test_what_fails_inspection_goes_to_quarantine_and_out_again(house: House) -> None:
    house.needs_inspection()
    house.do(lambda world: world.approved_order((house.agreement, 9), due_in=0))
    _, leg = received(house, 9)
    visitor = house.visitor("warehouse")
    assert "1 line waits for inspection" in text_of(visitor.get("/warehouse/inspection"))
    visitor.post(f"/warehouse/inspection/{leg}", passed=6, failed=2, reason="dented", status=400)
    visitor.post(f"/warehouse/inspection/{leg}", passed=6, failed=3, reason="dented", status=303)
    page = visitor.get("/warehouse/quarantine")
    assert "dented" in text_of(page)
    setup = house.world.setup
    goods: dict[str, Any] = {
        "location_id": setup.quarantine_id,
        "item_id": house.bolt,
        "lot_id": 1,
        "reason": "cleaned",
    }
    visitor.post("/warehouse/quarantine/let-out", **goods, quantity=2, way_out="release", status=400)
    visitor.post("/warehouse/quarantine/let-out", **goods, quantity=2, way_out="release", bin="BIN-0001", status=303)
    visitor.post("/warehouse/quarantine/let-out", **goods, quantity=1, way_out="scrap", bin="BIN-0001", status=303)
    visitor.post("/warehouse/quarantine/let-out", **goods, quantity=1, way_out="scrap", status=409)
    assert "Nothing lies in quarantine" in text_of(visitor.get("/warehouse/quarantine"))


def test_a_scan_is_answered_with_what_it_is_and_where_it_leads(house: House) -> None:
    visitor = house.visitor("warehouse")
    order = house.number_of("purchase_order")
    found = visitor.client.get(f"/warehouse/scan?text={order}").get_json()
    assert (found["kind"], found["address"]) == ("purchase_order", f"/warehouse/receive/{order}")
    item = visitor.client.get("/warehouse/scan?text=bolt").get_json()
    assert (item["kind"], item["units"], item["lot"]) == ("item", 1, False)
    unknown = visitor.client.get("/warehouse/scan?text=nothing-at-all")
    assert unknown.status_code == 404 and "nothing-at-all" in unknown.get_json()["text"]
    assert visitor.client.get("/warehouse/scan?text=").status_code == 400
