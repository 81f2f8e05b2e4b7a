"""The shell in a real browser: signing in and out, languages, themes, the palette, the keys."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Opener, Site


def test_somebody_signs_in_looks_around_and_signs_out(open_as: Opener, site: Site) -> None:
    page = open_as("planner")
    page.goto("/account")
    expect(page.locator("h1")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/login"))
    page.goto("/proposals")
    expect(page).to_have_url(re.compile(r"/login\?next="))


def test_the_language_and_the_theme_follow_the_person(open_as: Opener) -> None:
    page = open_as("planner", language="zh_CN")
    page.goto("/account")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.locator("[name=locale]").select_option("en")
    page.locator("[name=theme]").select_option("dark")
    page.locator("main button.btn-primary").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_palette_leads_to_a_page(open_as: Opener) -> None:
    page = open_as("planner")
    page.keyboard.press("Control+k")
    page.locator("#palette-text").fill("propos")
    expect(page.locator("#palette-found a").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/proposals"))


def test_the_keys_are_listed_and_rest_while_typing(open_as: Opener) -> None:
    page = open_as("planner")
    page.goto("/account")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("[name=old]").click()
    page.keyboard.press("?")
    expect(page.locator("dialog#keys")).to_be_hidden()
