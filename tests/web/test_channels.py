"""Channels as a browser sees them: the list, the page with prices and pool, and what whoever sells may do."""

from __future__ import annotations

import html
import io
import json
import re
from pathlib import Path

import pytest

from scm.core.db import Database
from tests.web.house import House
from tests.web.visitor import text_of
from web import cli


@pytest.fixture
def house(database: Database) -> House:
    """The company."""
    return House(database)


def test_sales_adds_a_channel_prices_it_and_sets_stock_aside(house: House) -> None:
    visitor = house.visitor("sales")
    assert "1 channel" in text_of(visitor.get("/channels"))
    new = {
        "code": "live", "name": "Evening show", "kind": "live_stream", "pool": "live", "cut_off": "15:00",
        "ship_by_hours": "24", "prices_with_vat": "true",
    }  # fmt: skip
    visitor.post("/channels/new", status=303, data=new)
    page = text_of(visitor.get("/channels/live"))
    assert "Evening show" in page
    assert "24 hours" in page
    assert "Nothing is set aside" in page
    visitor.post("/channels/live/prices", status=303, sku="nut", unit_price="3.50", valid_from="2026-01-05")
    visitor.post("/channels/live/set-aside", status=303, sku="nut", quantity="7")
    page = text_of(visitor.get("/channels/live"))
    assert "3.50" in page
    assert "Give back 7" in page
    assert visitor.post("/channels/live/give-back", sku="nut", quantity="8").status_code == 409
    visitor.post("/channels/live/give-back", status=303, sku="nut", quantity="7")
    assert house.value("SELECT count(*) FROM pool_transfer") == 2


def test_terms_change_as_believed_or_not_at_all(house: House) -> None:
    visitor = house.visitor("admin")
    page = visitor.get("/channels/web")
    found = re.search(r'name="believed" value="([^"]+)"', page)
    assert found is not None
    believed = html.unescape(found[1])
    wanted = {"name": "Own shop", "kind": "marketplace", "pool": "general", "ship_by_hours": "48", "believed": believed}
    visitor.post("/channels/web/change", status=303, data=wanted)
    assert house.value("SELECT ship_by_hours FROM channel") == 48
    assert visitor.post("/channels/web/change", data=wanted | {"ship_by_hours": "24"}).status_code == 409
    assert visitor.post("/channels/web/change", data=wanted | {"believed": "{}"}).status_code == 400
    assert visitor.post("/channels/web/change", data=wanted | {"believed": "x"}).status_code == 400


def test_others_look_and_change_nothing(house: House) -> None:
    visitor = house.visitor("planner")
    assert "Set the price" not in text_of(visitor.get("/channels/web"))
    answer = visitor.post("/channels/web/prices", sku="nut", unit_price="1", valid_from="2026-01-05")
    assert answer.status_code == 403
    visitor.get("/channels/none", status=404)


def test_orders_come_in_as_a_file_that_is_checked_first(house: House) -> None:
    visitor = house.visitor("sales")
    header = "message,external_id,sequence,customer,sku,quantity,unit_price\n"

    def check(rows: str) -> str:
        visitor.get("/channels/web/orders")
        file = (io.BytesIO((header + rows).encode()), "orders.csv")
        return visitor.post("/channels/web/orders/check", data={"file": file}, status=200).get_data(as_text=True)

    page = check("placed,A,1,customer,nut,0,2\nplaced,B,1,customer,screw,1,2\n")
    assert "Nothing is taken while a row has an error" in text_of(page)
    assert "there is no such item" in text_of(page)
    page = check("placed,A,1,customer,nut,2,2.50\n")
    assert "Take 1 message" in text_of(page)
    assert house.value("SELECT count(*) FROM channel_message") == 0
    content = re.search(r'name="content" value="([^"]+)"', page)
    assert content is not None
    visitor.post("/channels/web/orders", status=303, content=content[1])
    assert house.value("SELECT count(*) FROM sales_order WHERE external_id = 'A' AND state = 'confirmed'") == 1
    assert "nothing to take" in text_of(check("placed,A,1,customer,nut,2,2.50\n"))
    assert house.visitor("planner").client.get("/channels/web/orders").status_code == 403


def test_the_command_takes_a_file_and_names_what_is_wrong(
    house: House, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCM_DATABASE_URL", database_url)
    file = tmp_path / "orders.json"
    line = {"sku": "nut", "quantity": 2, "unit_price": "2.50"}
    sent = {"message": "placed", "external_id": "A", "sequence": 1, "customer": "customer", "lines": [line]}
    command = ["import", "orders", str(file), "--channel", "web"]
    file.write_text(json.dumps([sent | {"customer": "nobody"}]))
    assert cli.main(command) == 1
    assert "row 1, customer 'nobody': there is no such customer" in capsys.readouterr().err
    file.write_text(json.dumps([sent]))
    assert cli.main([*command, "--dry-run"]) == 0
    assert "1 placed" in capsys.readouterr().out
    assert cli.main(command) == cli.main(command) == 0
    assert "1 known already; orders: 0 placed" in capsys.readouterr().out
    assert cli.main([*command[:-1], "none"]) == 1
    assert cli.main(["import", "orders", str(tmp_path), "--channel", "web"]) == 2
