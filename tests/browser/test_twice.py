"""A double click and a step back are harmless (promise 21): what was sent twice happened once."""

from __future__ import annotations

import re

import sqlalchemy as sa
from playwright.sync_api import expect

from tests.browser.conftest import Opener, Site


def count(site: Site, statement: str) -> int:
    with site.database.unit_of_work(write=False) as session:
        return int(session.execute(sa.text(statement)).scalar_one())


def test_a_double_click_asks_for_an_item_once(open_as: Opener, site: Site) -> None:
    page = open_as("buyer")
    page.goto("/purchase-orders/new")
    before = count(site, "SELECT count(*) FROM purchase_order_line")
    form = page.locator("form[action$='/ask']")
    form.locator("[name=sku]").fill("BT-004")
    form.locator("[name=quantity]").fill("48")
    form.locator("[name=due_date], [type=date]").first.fill("2026-10-20")
    form.locator("[name=reason]").fill("a fair")
    form.locator("button.btn-primary, button").last.dblclick()
    expect(page).to_have_url(re.compile("/purchase-orders/"))
    page.wait_for_load_state("networkidle")
    assert count(site, "SELECT count(*) FROM purchase_order_line") == before + 1


def test_back_and_again_answers_what_was_answered(open_as: Opener, site: Site) -> None:
    page = open_as("approver")
    page.goto("/approvals")
    page.locator("[data-row] a.code").first.click()
    number = page.locator("h1").inner_text().split(",")[0]
    page.locator(".head-actions form[action$='/approve'] button").click()
    expect(page.locator("#messages .notice-good")).to_be_visible()
    moves = count(site, "SELECT count(*) FROM stock_move")
    page.go_back()
    again = page.locator(".head-actions form[action$='/approve'] button")
    if again.count():  # the browser kept the page as it was, with the same key
        again.click()
        expect(page.locator("#messages")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert count(site, "SELECT count(*) FROM stock_move") == moves
    approved = (
        "SELECT count(*) FROM approval WHERE decision = 'approved' AND subject_kind = 'purchase_order' "
        f"AND subject_id = (SELECT id FROM purchase_order WHERE number = '{number}')"
    )
    assert count(site, approved) == 1
