"""The approver on a phone-sized screen, and the buyer at a desk, in a real browser: every change a tap or a click."""

from __future__ import annotations

import re

import sqlalchemy as sa
from playwright.sync_api import expect

from procurement.purchase_orders import PurchaseOrder, PurchaseOrderState
from scm.core.db import Database
from tests.browser.conftest import Opener, Site

State = PurchaseOrderState


def submitted(database: Database) -> list[str]:
    with database.unit_of_work(write=False) as session:
        return list(session.scalars(sa.select(PurchaseOrder.number).where(PurchaseOrder.state == State.SUBMITTED)))


def state_of(database: Database, number: str) -> PurchaseOrderState:
    with database.unit_of_work(write=False) as session:
        return session.scalars(sa.select(PurchaseOrder.state).where(PurchaseOrder.number == number)).one()


def test_the_approver_reads_the_evidence_and_approves_on_a_phone(open_as: Opener, site: Site) -> None:
    page = open_as("approver", phone=True)
    page.goto("/approvals")
    page.locator("[data-row] a.code").first.tap()
    number = page.locator("h1").inner_text().split(",")[0]
    assert state_of(site.database, number) is State.SUBMITTED
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    expect(page.locator("#lead-time .in")).to_be_hidden()
    page.get_by_role("link", name="Lead time").tap()
    expect(page.locator("#lead-time .in")).to_be_visible()
    approve = page.locator(".docbar").get_by_role("button", name=re.compile("Approve ¥"))
    box = approve.bounding_box()
    assert box is not None and box["height"] >= 44 and box["y"] + box["height"] <= 844
    approve.tap()
    expect(page.locator("#messages")).to_contain_text("its goods are on order")
    assert state_of(site.database, number) is State.APPROVED


def test_several_are_sent_back_at_once_in_chinese(open_as: Opener, site: Site) -> None:
    waiting = submitted(site.database)
    page = open_as("approver", language="zh_CN", theme="dark")
    page.goto("/approvals")
    page.locator("[data-all]").check()
    page.get_by_role("button", name="退回…").click()
    page.locator("dialog[open] textarea").fill("先核对价格")
    page.locator("dialog[open] .btn-primary").click()
    expect(page.locator("#messages")).to_contain_text("已退回")
    assert {state_of(site.database, number) for number in waiting} == {State.DRAFT}


def test_the_buyer_changes_a_line_and_submits(open_as: Opener, site: Site) -> None:
    page = open_as("buyer")
    page.goto("/purchase-orders?stage=draft")
    page.locator("[data-row] a.code").first.click()
    number = page.locator("h1").inner_text().split(",")[0]
    page.get_by_role("button", name="Change").first.click()
    day = page.locator("tr.detail:not([hidden]) [name=due_date]")
    day.fill(re.sub(r"-\d\d$", "-28", day.input_value()))
    page.get_by_role("button", name="Save the change").locator("visible=true").click()
    expect(page.locator("#messages")).to_contain_text("The line is changed")
    page.get_by_role("button", name=re.compile("Submit ¥")).locator("visible=true").click()
    expect(page.locator("#messages")).to_contain_text("waits for approval")
    assert state_of(site.database, number) is State.SUBMITTED
