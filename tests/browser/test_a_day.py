"""One day of the company in a real browser, every change a click, a key or a scan, in both languages: from a
proposal to what a return taught. The worker runs beside it, as it does for everybody.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from tests import databases
from tests.aftersales import snapshots
from tests.browser.conftest import Opener, Site
from tests.browser.test_warehouse import OWED

DELIVERED = """
SELECT o.number, i.sku FROM sales_order o JOIN sales_order_line s ON s.order_id = o.id JOIN item i ON i.id = s.item_id
JOIN stock_move m ON m.document_kind = 'sales_order' AND m.document_id = o.id AND m.line_id = s.id
JOIN location l ON l.id = m.destination_id AND l.kind = 'customer' WHERE m.state = 'posted'
AND NOT EXISTS (SELECT 1 FROM return_line r JOIN sales_order_line t ON t.id = r.sales_order_line_id
WHERE t.order_id = o.id) GROUP BY o.id HAVING count(*) = 1 ORDER BY o.id LIMIT 1
"""


@pytest.fixture
def worker(site: Site) -> Iterator[None]:
    """`scm worker` on the test's company."""
    environment = os.environ | {
        "SCM_DATABASE_URL": site.database.url.render_as_string(hide_password=False),
        "PYTHONPATH": str(databases.ROOT),
    }
    running = subprocess.Popen(
        [sys.executable, "-m", "web.cli", "worker"],
        cwd=Path(str(site.database.url.database)).parent,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield
    running.terminate()
    running.wait(timeout=30)


def one(site: Site, statement: str) -> Any:
    with site.database.unit_of_work(write=False) as session:
        return session.execute(sa.text(statement)).first()


def scan(page: Page, text: str) -> None:
    page.wait_for_load_state()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def sheet(page: Page) -> dict[str, Any]:
    page.wait_for_load_state()  # a scanner is not faster than the page's script
    found: dict[str, Any] = json.loads(page.locator("#task").get_attribute("data-sheet") or "{}")
    return found


def enter(page: Page, quantity: int) -> None:
    page.locator("#do-enter").click()
    page.locator("#quantity").fill(str(quantity))
    page.locator("#quantity-dialog .btn-primary").click()


def the_planner_changes_one_proposal_and_accepts_two(page: Page) -> None:
    page.goto("/proposals?state=open")
    page.locator("[data-open]").first.click()
    opened = page.locator("tr.detail:not([hidden])")
    quantity = opened.locator("[name=quantity]")
    quantity.fill(str(int(quantity.input_value()) * 3))
    change = opened.locator("form:has([name=believed])")
    change.locator("[name=reason]").fill("a fair / 展会")
    change.locator("button").click()
    expect(page.locator("#messages .notice-good")).to_be_visible()
    expect(page.locator(".st-hand").first).to_be_visible()
    page.wait_for_load_state()  # keys are heard from then on
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("a")
    expect(page.locator("h1")).to_contain_text("2")
    expect(page.locator("main")).to_be_visible()


def the_buyer_drafts_submits_and_may_not_approve(page: Page) -> str:
    page.goto("/purchase-orders")
    page.locator("form[action$='/purchase-orders/draft'] button").click()
    expect(page.locator("#messages .notice-good")).to_be_visible()
    page.goto("/purchase-orders?stage=draft&sort=-number")
    page.locator("[data-row] a.code").first.click()
    number = page.locator("h1").inner_text().split(",")[0]
    page.locator(".head-actions form[action$='/submit'] button").click()
    expect(page.locator("#messages .notice-good")).to_be_visible()
    expect(page.locator("form[action$='/approve']")).to_have_count(0)  # one's own order: somebody else decides
    return number


def another_approves_on_a_phone(page: Page, number: str) -> None:
    page.goto(f"/purchase-orders/{number}")
    page.locator(".docbar form[action$='/approve'] button").tap()
    expect(page.locator("#messages .notice-good")).to_be_visible()


def the_warehouse_receives_short(page: Page, order: str) -> None:
    page.goto("/warehouse/receive")
    scan(page, order)
    expect(page).to_have_url(re.compile("/warehouse/receive/PO-"))
    first = sheet(page)["lines"][0]
    scan(page, first["sku"])
    expect(page.locator("#answer")).to_have_class(re.compile(r"\bgood\b"))
    page.locator("#do-finish").click()
    page.locator("#delivery-note").fill("DN-7")
    page.locator("#finish-dialog .btn-primary").click()
    expect(page).to_have_url(re.compile("/warehouse/receipts/GR-"))


def the_warehouse_picks_packs_and_ships(page: Page) -> None:
    page.goto("/warehouse/waves")
    page.locator("a.door", has_text="WV-").first.click()
    for line in sheet(page)["lines"]:
        scan(page, line["bin"])
        enter(page, line["wanted"])
    page.locator("#do-finish").click()
    expect(page).to_have_url(re.compile("/warehouse/pack/WV-"))
    page.locator("a.door").first.click()
    expect(page).to_have_url(re.compile("/warehouse/pack/SO-"))
    for line in sheet(page)["lines"]:
        scan(page, line["sku"])
        if line["wanted"] > 1:
            enter(page, line["wanted"])
    page.locator("#do-finish").click()
    page.locator("#finish-dialog .btn-primary").click()
    expect(page).to_have_url(re.compile("/warehouse/shipments/SH-"))
    page.locator("[data-opens=ship]").click()
    scan(page, "JD-2026-09-25")
    expect(page.locator("main")).to_contain_text("JD-2026-09-25")


def press(page: Page) -> None:
    page.locator("main .btn-primary:visible").first.click()


def a_parcel_comes_back_with_a_photo(page: Page, order: str, picture: Path) -> None:
    picture.write_bytes(snapshots.png(40, 30))
    page.goto("/returns/scan")
    page.locator("[name=code]").fill(order)
    page.locator("[name=code]").press("Enter")
    expect(page).to_have_url(re.compile(f"/returns/authorize/{order}"))
    first = page.locator("main section").first
    first.locator("[name=quantity]").fill("1")
    first.locator("[name=reason][value=damaged]").check()
    press(page)
    expect(page).to_have_url(re.compile(r"/returns/RMA-\d+-\d+/work"))
    press(page)  # received
    page.locator("[name=grade][value=a]").check()
    page.locator("[name=finding][value=no_fault]").check()
    page.locator("[name=photo]").set_input_files(picture)
    press(page)  # inspected
    expect(page.locator(".photos img")).to_have_count(1)
    press(page)  # agreed to what is proposed
    press(page)  # refunded
    expect(page.locator(".answer.good")).to_be_visible()


def returned_of(page: Page, sku: str) -> int:
    """How many came back, as the item's page says it."""
    page.goto(f"/items/{sku}")
    said = page.locator("section.sheet", has=page.locator("h2", has_text=re.compile("What returns taught|退货带来")))
    figures = [int(one.replace(",", "")) for one in re.findall(r"\d[\d,]*", said.locator("p").first.inner_text())]
    return min(figures[:2], default=0)  # sold and returned, in the order of the language


def the_cycle_runs_by_hand(page: Page, site: Site) -> None:
    page.goto("/jobs")
    page.locator("form[action*='cycle'] button").first.click()
    for _ in range(60):
        page.wait_for_timeout(1000)
        if one(site, "SELECT count(*) FROM cycle_run WHERE as_of_date = '2026-09-25'")[0]:
            return
    raise AssertionError("the worker did not run the cycle that was asked for")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_day_from_the_proposal_to_what_the_return_taught(
    open_as: Opener, site: Site, worker: None, tmp_path: Path, language: str
) -> None:
    order, sku = one(site, DELIVERED)
    planner = open_as("planner", language=language)
    before = returned_of(planner, sku)
    the_planner_changes_one_proposal_and_accepts_two(planner)
    number = the_buyer_drafts_submits_and_may_not_approve(open_as("buyer", language=language))
    another_approves_on_a_phone(open_as("approver", language=language, phone=True), number)
    floor = open_as("warehouse", language=language, phone=True)
    the_warehouse_receives_short(floor, one(site, OWED)[0])
    the_warehouse_picks_packs_and_ships(floor)
    a_parcel_comes_back_with_a_photo(open_as("returns", language=language, phone=True), order, tmp_path / "photo.png")
    the_cycle_runs_by_hand(open_as("admin", language=language), site)
    assert returned_of(planner, sku) == before + 1
