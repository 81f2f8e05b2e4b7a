"""Takes the pictures of the tour: every page in English and light, in Chinese and dark; handheld pages as a phone.

After the pages come the moments of `tests.browser.moments`: dialogs, refusals, other sizes, paper.

    python -m tests.browser.tour docs/tour

It makes a demo company, serves it, walks along the links as each person, and writes `<page>.en.jpg` and `<page>.zh.jpg`
with an index, `every-page.md`. The pages are named by their endpoints.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from scm.core.db import Database
from tests import databases
from tests.browser import moments
from tests.browser.conftest import CHROMIUM, DESK, LANGUAGES, PHONE, served
from tests.web.visitor import PASSWORD, give_passwords
from tests.web.walking import walked
from web.app import create_app

PEOPLE = ("planner", "approver", "buyer", "warehouse", "production", "returns", "sales", "admin")
LOOKS = (("en", "light"), ("zh_CN", "dark"))
NO_PAGES = ("/health", "/metrics", "/find")
QUALITY = 72
# Lists whose rows open in place, and pages with a dialog worth seeing: what is clicked before the picture is taken.
OPENED = {"home.show": "[data-open]", "proposals.index": "[data-open]", "cover.index": "[data-open]"}


@dataclass(frozen=True)
class Stop:
    """One page of the tour: who opens it, where it is, and whether it is made for a phone."""

    name: str
    username: str
    address: str
    handheld: bool


def stops(database: Database) -> Iterator[Stop]:
    """This function will find one address of every page, with the first person who may open it."""
    app = create_app(database)
    seen: set[str] = set()
    for username in PEOPLE:
        for endpoint, address, html in walked(app, username):
            own = f"{endpoint}-{username}" if endpoint == "home.show" else endpoint
            if not html or "<html" not in html or own in seen or address.startswith(NO_PAGES):
                continue
            seen.add(own)
            yield Stop(own.replace(".", "-"), username, address, handheld="hand-page" in html)


def main(folder: Path) -> int:
    """This function will take all pictures into a folder and write the index."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        url = f"sqlite:///{scratch}/tour.db"
        subprocess.run(
            [sys.executable, "-m", "web.cli", "demo", "--no-serve"],
            cwd=databases.ROOT,
            env=os.environ | {"SCM_DATABASE_URL": url},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        database = Database(url)
        give_passwords(database, *PEOPLE)
        found = sorted(stops(database), key=lambda stop: stop.name)
        database.dispose()
        with served(url) as site, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for language, theme in LOOKS:
                _walk(browser, site.address, found, folder, language=language, theme=theme)
            for language, theme in LOOKS:
                _live(browser, site.address, folder, language=language, theme=theme)
            browser.close()
    (folder / "every-page.md").write_text(_index(found))
    taken = (len(found) + len(moments.MOMENTS)) * len(LOOKS)
    print(f"{len(found)} pages, {len(moments.MOMENTS)} moments, {taken} pictures in {folder}")
    return 0


def _walk(browser: Browser, address: str, found: list[Stop], folder: Path, *, language: str, theme: str) -> None:
    for username in PEOPLE:
        for handheld in (False, True):
            mine = [stop for stop in found if stop.username == username and stop.handheld is handheld]
            if not mine:
                continue
            page = _opened(browser, address, username, language, theme, PHONE if handheld else DESK)
            for stop in mine:
                _take(page, stop, _file(folder, stop.name, language))
            page.context.close()


def _live(browser: Browser, address: str, folder: Path, *, language: str, theme: str) -> None:
    for moment in moments.MOMENTS:
        page = _opened(browser, address, moment.username, language, theme, moment.size)
        moment.reach(page)
        if moment.printed:
            page.emulate_media(media="print", color_scheme="light")
            page.evaluate("document.body.style.padding = '15mm'")  # a sheet's margin, which no screen has
        page.screenshot(path=_file(folder, moment.name, language), type="jpeg", quality=QUALITY)
        page.context.close()


def _opened(browser: Browser, address: str, username: str, language: str, theme: str, size: ViewportSize) -> Page:
    """A page of somebody who is signed in, or of nobody."""
    context = browser.new_context(
        base_url=address,
        locale=LANGUAGES[language],
        color_scheme="dark" if theme == "dark" else "light",
        viewport=size,
        reduced_motion="reduce",
    )
    page = context.new_page()
    if username:
        page.goto("/login")
        page.locator("[name=username]").fill(username)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("button.btn-primary").click()
        page.locator(".rail, .hand-page").first.wait_for()
    return page


def _file(folder: Path, name: str, language: str) -> Path:
    return folder / f"{name}.{'zh' if language == 'zh_CN' else language}.jpg"


def _take(page: Page, stop: Stop, file: Path) -> None:
    page.goto(stop.address)
    opener = next((selector for name, selector in OPENED.items() if stop.name.startswith(name.replace(".", "-"))), None)
    if opener and page.locator(opener).count():
        page.locator(opener).first.click()
        page.wait_for_timeout(600)
    page.wait_for_timeout(900 if page.locator(".js-plotly-plot, [data-chart]").count() else 150)
    page.screenshot(path=file, type="jpeg", quality=QUALITY)


def _index(found: list[Stop]) -> str:
    lines = [
        "# Every page",
        "",
        "Each page in English and light, in Chinese and dark; pages for the scanner as a phone shows them. Taken by",
        "`python -m tests.browser.tour docs/tour` from the generated company. What stands in empty fields for days and",
        "files is the browser's own.",
        "",
    ]
    for stop in found:
        lines += [f"## {stop.name}", "", f"Opened by: {stop.username}.", ""]
        lines += [f"![{stop.name}, English]({stop.name}.en.jpg) ![{stop.name}, 中文]({stop.name}.zh.jpg)", ""]
    for moment in moments.MOMENTS:
        lines += [f"## {moment.name}", "", f"{moment.said}.", ""]
        lines += [f"![{moment.said}, English]({moment.name}.en.jpg) ![{moment.said}, 中文]({moment.name}.zh.jpg)", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
