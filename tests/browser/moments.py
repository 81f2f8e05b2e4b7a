"""What the tour sees beside whole pages: signing in, refusals, dialogs, the palette, other sizes, paper.

A moment is a page that somebody has done something on. Those that change the books come last and take, in each
language, an order or a shipment of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Page, ViewportSize

from tests.browser.conftest import DESK, PHONE

LAPTOP: ViewportSize = {"width": 1280, "height": 720}
TABLET: ViewportSize = {"width": 820, "height": 1180}
A4: ViewportSize = {"width": 794, "height": 1123}  # 210 by 297 mm at 96 dots an inch
SETTLED = 900  # milliseconds for charts and parts that are loaded when a page stands


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One picture: who is signed in (nobody: ""), in which size, and what is done until it is taken."""

    name: str
    said: str
    username: str
    reach: Callable[[Page], None]
    size: ViewportSize = field(default_factory=lambda: DESK)
    printed: bool = False


def _at(address: str, *, opened: str = "") -> Callable[[Page], None]:
    def reach(page: Page) -> None:
        page.goto(address)
        if opened:
            page.locator(opened).first.click()
        page.wait_for_timeout(SETTLED)

    return reach


def _put_off(page: Page) -> None:
    _at("/", opened="[data-open]")(page)
    page.locator("tr.detail:not([hidden]) [data-opens$=snooze]").click()
    page.locator("dialog[open]").wait_for()


def _take_apart(page: Page) -> None:
    page.goto("/warehouse/shipments?state=packed")
    page.locator("tbody a.code").first.click()
    page.locator("[data-opens=unpack]").click()
    page.locator("dialog[open]").wait_for()


def _find(page: Page) -> None:
    page.goto("/")
    page.wait_for_load_state("networkidle")  # keys are heard from then on
    page.keyboard.press("Control+k")
    page.locator("#palette-text").fill("PO-2026-00001")
    page.locator("#palette-found a").first.wait_for()


def _keys(page: Page) -> None:
    page.goto("/proposals")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("?")
    page.locator("dialog#keys[open]").wait_for()


def _first(listed: str, paper: str) -> Callable[[Page], None]:
    """The paper of the first document of a list."""

    def reach(page: Page) -> None:
        page.goto(listed)
        page.locator("tbody a.code").first.click()
        page.locator(f".head a[href$='/{paper}']").click()
        page.wait_for_url(f"**/{paper}")

    return reach


def _too_late(page: Page) -> None:
    """Somebody approves an order that a colleague has approved since the page was opened."""
    page.goto("/approvals")
    page.locator("[data-row] a.code").first.wait_for()
    order = page.locator("[data-row] a.code").first.get_attribute("href")
    with page.context.expect_page() as opened:
        page.evaluate("address => window.open(address)", order)
    colleague = opened.value
    colleague.locator(".head-actions form[action$='/approve'] button").click()
    colleague.locator("#messages .notice-good").wait_for()
    colleague.close()
    page.locator("[data-row] button[form]").first.click()
    page.locator("#messages .notice").wait_for()


MOMENTS = (
    Moment(name="sign-in", said="Signing in", username="", reach=_at("/login")),
    Moment(name="sign-in-phone", said="Signing in on a phone", username="", reach=_at("/login"), size=PHONE),
    Moment(name="not-found", said="An address of nothing", username="planner", reach=_at("/items/NO-SUCH-ITEM")),
    Moment(name="not-allowed", said="A page of another desk", username="sales", reach=_at("/approvals")),
    Moment(name="palette", said="The palette, Ctrl K", username="planner", reach=_find),
    Moment(name="keys", said="The keys, ?", username="planner", reach=_keys),
    Moment(name="put-off", said="An exception is put off", username="planner", reach=_put_off),
    Moment(name="take-apart", said="A question before a change", username="warehouse", reach=_take_apart),
    Moment(name="nothing-matches", said="A search without a find", username="planner", reach=_at("/items?q=zeppelin")),
    Moment(
        name="home-laptop",
        said="Home, small laptop",
        username="planner",
        reach=_at("/", opened="[data-open]"),
        size=LAPTOP,
    ),
    Moment(
        name="home-tablet", said="Home, tablet", username="planner", reach=_at("/", opened="[data-open]"), size=TABLET
    ),
    Moment(name="home-phone", said="Home, phone", username="planner", reach=_at("/"), size=PHONE),
    Moment(
        name="proposals-laptop",
        said="Proposals, small laptop",
        username="planner",
        reach=_at("/proposals", opened="[data-open]"),
        size=LAPTOP,
    ),
    Moment(
        name="proposals-tablet",
        said="Proposals, tablet",
        username="planner",
        reach=_at("/proposals", opened="[data-open]"),
        size=TABLET,
    ),
    Moment(name="proposals-phone", said="Proposals, phone", username="planner", reach=_at("/proposals"), size=PHONE),
    Moment(name="items-phone", said="Items, phone", username="planner", reach=_at("/items"), size=PHONE),
    Moment(name="approvals-phone", said="Approvals, phone", username="approver", reach=_at("/approvals"), size=PHONE),
    Moment(
        name="order-on-paper",
        said="A purchase order on paper",
        username="buyer",
        reach=_first("/purchase-orders?stage=sent", "print"),
        size=A4,
        printed=True,
    ),
    Moment(
        name="slip-on-paper",
        said="A parcel's label and packing slip on paper",
        username="warehouse",
        reach=_first("/warehouse/shipments?state=packed", "print"),
        size=A4,
        printed=True,
    ),
    Moment(name="conflict", said="Somebody was quicker", username="approver", reach=_too_late),
)
