"""The returns desk in a real browser: on a phone, by taps and keys, with a photo, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from tests.aftersales import snapshots
from tests.browser.conftest import Opener, Site

DELIVERED = """
SELECT o.number FROM sales_order o JOIN stock_move m ON m.document_kind = 'sales_order' AND m.document_id = o.id
JOIN location l ON l.id = m.destination_id AND l.kind = 'customer' WHERE m.state = 'posted'
AND NOT EXISTS (SELECT 1 FROM return_line r JOIN sales_order_line s ON s.id = r.sales_order_line_id
WHERE s.order_id = o.id) ORDER BY o.id LIMIT 1
"""


def delivered_order(site: Site) -> str:
    with site.database.unit_of_work(write=False) as session:
        return str(session.execute(sa.text(DELIVERED)).scalar_one())


def scan(page: Page, text: str) -> None:
    """A scanner types what it reads and presses Enter."""
    box = page.locator("[name=code]")
    box.fill(text)
    box.press("Enter")


def press(page: Page) -> None:
    page.locator("main .btn-primary:visible").first.click()


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_parcel_comes_back_with_a_photo_and_is_refunded(
    open_as: Opener, site: Site, tmp_path: Path, language: str
) -> None:
    page = open_as("returns", language=language, phone=True)
    picture = tmp_path / "photo.png"
    picture.write_bytes(snapshots.png(40, 30))
    order = delivered_order(site)
    page.goto("/returns/scan")
    scan(page, order)
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
    expect(page.locator(".photo-pick img")).to_have_count(1)
    press(page)  # inspected
    expect(page.locator(".photos img")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    assert page.locator(".photos img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 40
    page.locator("summary.why").click()
    expect(page.locator(".why-more .facts")).to_be_visible()
    press(page)  # agreed
    press(page)  # refunded
    expect(page.locator(".answer.good")).to_be_visible()
    press(page)  # closed
    expect(page.locator(".timeline")).to_be_visible()
    expect(page.locator(".photos img")).to_have_count(1)
    expect(page.locator("[hx-get$=taught] .facts").first).to_be_visible()


def test_targets_are_large_enough_for_a_thumb(open_as: Opener, site: Site) -> None:
    page = open_as("returns", phone=True)
    page.goto(f"/returns/authorize/{delivered_order(site)}")
    for target in page.locator("main .btn:visible, main .choices label, main .form-control").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 48, target.evaluate("node => node.outerHTML.slice(0, 120)")


def test_a_file_that_is_no_photo_is_refused_in_place(open_as: Opener, site: Site, tmp_path: Path) -> None:
    page = open_as("returns", phone=True)
    wrong = tmp_path / "photo.png"
    wrong.write_bytes(b"<svg onload='alert(1)'/>")
    page.goto("/returns/parcels/new")
    page.locator("[name=contents]").fill("a mug")
    page.locator("[name=photo]").set_input_files(wrong)
    press(page)
    expect(page.locator("#messages [role=alert]")).to_contain_text("JPEG, PNG")
    expect(page.locator("[name=contents]")).to_have_value("a mug")
