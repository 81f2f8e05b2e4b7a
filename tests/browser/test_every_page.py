"""Every page in a real browser: axe finds nothing serious in it, in either language and either theme; nothing is wider
than the window it is made for, and no script complains.

The pages are found by walking along the links as each person, so a new page is looked at without being listed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser import company
from tests.browser.conftest import Opener

PEOPLE = ("planner", "buyer", "approver", "warehouse", "production", "returns", "sales", "admin")
SERIOUS = {"serious", "critical"}
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


def faults(page: Page, options: dict[str, Any]) -> Iterator[str]:
    for one in Axe().run(page, options=options).response["violations"]:
        if one["impact"] in SERIOUS:
            places = ", ".join(str(node["target"][0]) for node in one["nodes"][:3])
            yield f"{page.url}: {one['id']}: {one['help']}: {places}"


def too_wide(page: Page) -> Iterator[str]:
    """A page may not scroll sideways; a table scrolls in its own sheet."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    needed = page.evaluate("() => document.documentElement.scrollWidth")
    if needed > width + 1:
        yield f"{page.url}: {needed} px wide in a window of {width}"


@pytest.mark.parametrize("username", PEOPLE)
def test_every_page_can_be_used_by_everybody(open_as: Opener, username: str) -> None:
    addresses = company.pages_once(PEOPLE)[username]
    assert addresses
    found: list[str] = []
    for language, theme, other in (("en", "light", "dark"), ("zh_CN", "dark", "light")):
        page = open_as(username, language=language, theme=theme)
        for address in addresses:
            page.goto(address)
            found += faults(page, RULES)
            found += too_wide(page)
            page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme; }", other)
            found += faults(page, CONTRAST)
    assert found == []


@pytest.mark.parametrize("username", PEOPLE)
def test_no_page_is_wider_than_a_phone(open_as: Opener, username: str) -> None:
    page = open_as(username, phone=True, language="zh_CN")
    found: list[str] = []
    for address in company.pages_once(PEOPLE)[username]:
        page.goto(address)
        found += too_wide(page)
        small = page.evaluate(
            """() => [...document.querySelectorAll(".hand-page button, .hand-page a.btn")]
                .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 43)
                .map((one) => one.textContent.trim())"""
        )
        found += [f"{page.url}: {text!r} is too small for a thumb" for text in small]
    assert found == []
