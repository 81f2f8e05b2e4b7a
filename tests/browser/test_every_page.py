"""Every page in a real browser: axe finds nothing serious in it, in either language and either theme; nothing is wider
than the window it is made for, and no script complains.

The pages are found by walking along the links as each person, so a new page is looked at without being listed here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from scm.core.db import Database
from tests.browser.conftest import Opener, Site
from tests.web.walking import walked
from web.app import create_app

PEOPLE = ("planner", "buyer", "approver", "warehouse", "returns", "sales", "admin")
SERIOUS = {"serious", "critical"}
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
NO_PAGES = ("/health", "/metrics", "/find")
HANDHELD = ".hand-page"


@cache
def pages_of(file: Path, username: str) -> tuple[str, ...]:
    """One address of each kind of page that somebody may open."""
    database = Database(f"sqlite:///{file}")
    found: dict[str, str] = {}
    for endpoint, address, html in walked(create_app(database), username):
        if html and "<html" in html and not address.startswith(NO_PAGES):
            found.setdefault(endpoint, address)
    database.dispose()
    return tuple(found.values())


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
def test_every_page_can_be_used_by_everybody(
    open_as: Opener, site: Site, _demo: Path, _chromium: Browser, tmp_path: Path, username: str
) -> None:
    copied = tmp_path / "walked.db"
    shutil.copyfile(_demo, copied)
    addresses = pages_of(copied, username)
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
def test_no_page_is_wider_than_a_phone(open_as: Opener, _demo: Path, tmp_path: Path, username: str) -> None:
    copied = tmp_path / "walked.db"
    shutil.copyfile(_demo, copied)
    page = open_as(username, phone=True, language="zh_CN")
    found: list[str] = []
    for address in pages_of(copied, username):
        page.goto(address)
        found += too_wide(page)
        small = page.evaluate(
            """() => [...document.querySelectorAll(".hand-page button, .hand-page a.btn")]
                .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 43)
                .map((one) => one.textContent.trim())"""
        )
        found += [f"{page.url}: {text!r} is too small for a thumb" for text in small]
    assert found == []
