"""The floor with a scanner in a real browser: every change is a key, a scan or a click."""

from __future__ import annotations

import json
import re
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Site

# The sent order that is due first, of several lines, of which nothing has come yet.
OWED = """
SELECT p.number FROM purchase_order p JOIN stock_move m ON m.document_kind = 'purchase_order' AND m.document_id = p.id
WHERE m.state = 'planned' AND p.state = 'sent' AND NOT EXISTS (SELECT 1 FROM stock_move d
WHERE d.document_kind = 'purchase_order' AND d.document_id = p.id AND d.state = 'posted')
GROUP BY p.id HAVING count(DISTINCT m.line_id) > 1 ORDER BY min(m.due_date), p.id LIMIT 1
"""


def value(site: Site, statement: str) -> Any:
    with site.database.unit_of_work(write=False) as session:
        return session.execute(sa.text(statement)).scalar_one()


def sheet(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.locator("#task").get_attribute("data-sheet") or "{}")
    return found


def scan(page: Page, text: str) -> None:
    """A scanner types into whatever has the focus, and ends with Enter; it is not faster than the page's script."""
    page.wait_for_load_state()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def says(page: Page, text: str, *, kind: str) -> None:
    expect(page.locator("#answer")).to_have_class(re.compile(rf"\b{kind}\b"))
    expect(page.locator("#answer")).to_contain_text(text)


def enter(page: Page, quantity: int) -> None:
    page.locator("#do-enter").click()
    page.locator("#quantity").fill(str(quantity))
    page.locator("#quantity-dialog .btn-primary").click()


def late_order(site: Site) -> str:
    return str(value(site, OWED))


def test_an_order_is_received_short_by_scanning(open_as: Opener, site: Site) -> None:
    page = open_as("warehouse", phone=True)
    page.goto("/warehouse/receive")
    order = late_order(site)
    scan(page, order)
    expect(page).to_have_url(re.compile("/warehouse/receive/PO-"))
    first, second, *_ = sheet(page)["lines"]
    scan(page, first["sku"])
    says(page, "Right", kind="good")
    scan(page, "no-such-code")
    says(page, "Not counted", kind="wrong")
    expect(page.locator("#answer-count")).to_contain_text("1")
    stranger = value(site, "SELECT sku FROM item ORDER BY id DESC LIMIT 1")
    scan(page, stranger)
    says(page, f"Expected {first['sku']}", kind="wrong")
    enter(page, first["most"] + 1)
    says(page, "1 too many", kind="over")
    page.reload()
    expect(page.locator("#answer-count")).to_contain_text("1")
    scan(page, second["sku"])
    says(page, second["name"], kind="good")
    page.locator("#do-undo").click()
    page.locator("#do-finish").click()
    expect(page.locator("#finish-text")).to_contain_text("stay on order")
    page.locator("#delivery-note").fill("DN-42")
    page.locator("#finish-dialog .btn-primary").click()
    expect(page).to_have_url(re.compile("/warehouse/receipts/GR-"))
    expect(page.locator("main")).to_contain_text("DN-42")
    assert value(site, "SELECT count(*) FROM goods_receipt WHERE delivery_note = 'DN-42'") == 1
    page.goto(f"/warehouse/receive/{order}")
    left = {line["sku"]: line["wanted"] for line in sheet(page)["lines"]}
    assert left[first["sku"]] == first["wanted"] - 1


def test_what_is_finished_without_a_network_is_posted_once_when_it_is_back(open_as: Opener, site: Site) -> None:
    page = open_as("warehouse", phone=True)
    page.goto(f"/warehouse/receive/{late_order(site)}")
    scan(page, sheet(page)["lines"][0]["sku"])
    page.context.set_offline(True)
    page.locator("#do-finish").click()
    page.locator("#delivery-note").fill("DN-43")
    page.locator("#finish-dialog .btn-primary").click()
    expect(page.locator("#hand-waiting")).to_contain_text("1 waiting")
    says(page, "Finished here", kind="idle")
    scan(page, sheet(page)["lines"][0]["sku"])
    says(page, "Finished here", kind="wrong")
    assert value(site, "SELECT count(*) FROM goods_receipt WHERE delivery_note = 'DN-43'") == 0
    page.context.set_offline(False)
    expect(page).to_have_url(re.compile("/warehouse/receipts/GR-"))
    assert value(site, "SELECT count(*) FROM goods_receipt WHERE delivery_note = 'DN-43'") == 1


def test_a_wave_is_picked_with_wrong_scans_refused_packed_and_shipped(open_as: Opener, site: Site) -> None:
    page = open_as("warehouse", phone=True)
    page.goto("/warehouse/waves")
    page.locator("a.door", has_text="WV-").first.click()
    expect(page).to_have_url(re.compile("/warehouse/pick/WV-"))
    lines = sheet(page)["lines"]
    scan(page, lines[1]["bin"])
    says(page, f"Expected {lines[0]['bin']}", kind="wrong")
    scan(page, lines[0]["bin"])
    says(page, "Right place", kind="good")
    scan(page, lines[1]["sku"])
    says(page, "Wrong item", kind="wrong")
    for line in lines:
        scan(page, line["bin"])
        enter(page, line["wanted"])
        says(page, line["name"] if line is not lines[-1] else "All picked", kind="good")
    page.locator("#do-finish").click()
    expect(page).to_have_url(re.compile("/warehouse/pack/WV-"))
    page.locator("a.door").first.click()
    expect(page).to_have_url(re.compile("/warehouse/pack/SO-"))
    for line in sheet(page)["lines"]:
        scan(page, line["sku"])
        if line["wanted"] > 1:
            enter(page, line["wanted"])
    says(page, "All checked", kind="good")
    page.locator("#do-finish").click()
    page.locator("#finish-dialog .btn-primary").click()
    expect(page).to_have_url(re.compile("/warehouse/shipments/SH-"))
    page.locator("[data-opens=ship]").click()
    scan(page, "JD-0001-77")
    expect(page.locator("main")).to_contain_text("JD-0001-77")
    assert value(site, "SELECT state FROM shipment WHERE tracking_number = 'JD-0001-77'") == "shipped"


def test_keys_rest_and_a_scan_never_lands_in_a_quantity(open_as: Opener, site: Site) -> None:
    page = open_as("warehouse")
    page.goto(f"/warehouse/receive/{late_order(site)}")
    line = sheet(page)["lines"][0]
    page.keyboard.type("?")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.locator("#scan-text").fill("")
    scan(page, line["sku"])
    says(page, "Right", kind="good")
    page.locator("#do-enter").click()
    scan(page, "4006381333931")
    says(page, "Not counted", kind="wrong")
    expect(page.locator("#answer-count")).to_contain_text("1")
