"""A real browser on a real server: Debian's chromium, driven by Playwright, on a copy of the demo company.

Without a browser these tests are skipped in one loud line; SCM_REQUIRE_BROWSER=1 (set by CI) forbids that.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright
from waitress.server import create_server

from scm.core.db import Database
from tests.browser import company as demo
from tests.web.visitor import PASSWORD
from web.app import create_app

CHROMIUM = os.environ.get("SCM_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
LANGUAGES = {"en": "en-GB", "zh_CN": "zh-CN"}
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 20_000  # milliseconds; the machine may be busy
expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Site:
    """A served company: its address, and its database for looking behind the pages."""

    address: str
    database: Database


@pytest.fixture(scope="session")
def _chromium() -> Iterator[Browser]:
    if not CHROMIUM:
        if os.environ.get("SCM_REQUIRE_BROWSER", "") not in ("", "0"):
            pytest.fail("no chromium was found, and SCM_REQUIRE_BROWSER is set: install it or name it in SCM_CHROMIUM")
        pytest.skip("browser: no chromium was found: install Debian's chromium, or name one in SCM_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo company's database file, made once a run for all workers."""
    return demo.made_once()


@pytest.fixture
def site(_demo: Path, tmp_path: Path) -> Iterator[Site]:
    """A server on a copy of the demo company of the test's own."""
    file = tmp_path / "scm.db"
    shutil.copyfile(_demo, file)
    with served(f"sqlite:///{file}") as found:
        yield found


@contextlib.contextmanager
def served(url: str) -> Iterator[Site]:
    """This function will serve a database on a free port while the block runs."""
    database = Database(url)
    server = create_server(create_app(database), host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield Site(address=f"http://127.0.0.1:{server.effective_port}", database=database)
    finally:
        server.close()
        thread.join(timeout=5)
        database.dispose()


Opener = Callable[..., Page]


@pytest.fixture
def open_as(site: Site, _chromium: Browser) -> Iterator[Opener]:
    """A call that signs somebody in in a browser of their own and gives the page.

    `open_as("buyer", language="zh_CN", phone=True, theme="dark")`. Errors on the console fail the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(username: str, *, language: str = "en", phone: bool = False, theme: str = "light") -> Page:
        context = _chromium.new_context(
            base_url=site.address,
            locale=LANGUAGES[language],
            color_scheme="dark" if theme == "dark" else "light",
            viewport=PHONE if phone else DESK,
            has_touch=phone,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}") if _is_fault(said) else None)
        page.goto("/login")
        page.locator("[name=username]").fill(username)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("button.btn-primary").click()
        page.locator(".rail, .hand-page").first.wait_for()
        page.wait_for_load_state()  # keys are heard from then on
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _is_fault(said: object) -> bool:
    """A refused change is an answer with a status of 4xx, which the console reports: that is no fault of the page."""
    kind, text = getattr(said, "type", ""), getattr(said, "text", "")
    return kind == "error" and "Failed to load resource" not in text and "Response Status Error Code 4" not in text
