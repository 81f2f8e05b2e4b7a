"""The planner's morning in a real browser: keys, effects seen before saving, answers in bulk, charts in both themes."""

from __future__ import annotations

import re

import sqlalchemy as sa
from playwright.sync_api import Page, expect

from procurement.proposals import Proposal, ProposalState
from scm.master.items import Item
from tests.browser.conftest import Opener, Site


def count(site: Site, state: ProposalState) -> int:
    with site.database.unit_of_work(write=False) as session:
        return int(session.scalar(sa.select(sa.func.count()).where(Proposal.state == state)) or 0)


def first_open(site: Site) -> tuple[int, str, int, int]:
    """Id, SKU, quantity and order multiple of the proposal that stands first in the list."""
    with site.database.unit_of_work(write=False) as session:
        row = session.execute(
            sa.select(Proposal.id, Item.sku, Proposal.quantity, Proposal.inputs)
            .join(Item, Item.id == Proposal.item_id)
            .where(Proposal.state == ProposalState.OPEN)
            .order_by(Proposal.id)
            .limit(1)
        ).one()
        return row.id, row.sku, row.quantity, row.inputs["order_multiple"]


def test_a_proposal_is_changed_with_its_effect_seen_first(site: Site, open_as: Opener) -> None:
    proposal, sku, quantity, multiple = first_open(site)
    page: Page = open_as("planner")
    page.goto(f"/proposals?state=open&q={sku}")
    page.locator("[data-open]").first.click()
    detail = page.locator(f"#detail-{proposal}")
    detail.locator("[name=quantity]").fill(str(quantity + 10 * multiple))
    expect(detail.locator(f"#effect-{proposal}")).to_contain_text("adds")
    detail.get_by_label("Reason for the change").fill("a fair in March")
    detail.get_by_role("button", name="Save the change").click()
    expect(page.locator("#messages")).to_contain_text("The proposal is changed")
    page.locator("[data-open]").first.click()
    expect(page.locator(f"#detail-{proposal}")).to_contain_text("a fair in March")
    page.locator(f"#detail-{proposal}").get_by_role("button", name="Undo the change").click()
    expect(page.locator("#messages")).to_contain_text("taken back")


def test_keys_walk_pick_and_accept_and_a_click_takes_it_back(site: Site, open_as: Opener) -> None:
    page = open_as("planner", language="zh_CN", theme="dark")
    before = count(site, ProposalState.ACCEPTED)
    page.goto("/proposals?state=open")
    for key in "jxjx":
        page.keyboard.press(key)
    expect(page.locator(".bulk [data-count]")).to_have_text("2")
    page.keyboard.press("a")
    expect(page.locator("h1")).to_contain_text("已接受 2")
    assert count(site, ProposalState.ACCEPTED) == before + 2
    page.get_by_role("button", name="撤销").click()
    expect(page.locator("h1")).to_contain_text("已撤回 2")
    assert count(site, ProposalState.ACCEPTED) == before
    page.goto("/proposals?state=accepted")
    page.locator("input[name=row]").first.check()
    expect(page.locator(".bulk [data-remarks]")).to_contain_text("1 条")


def test_a_rejection_asks_for_its_reason(site: Site, open_as: Opener) -> None:
    _, sku, _, _ = first_open(site)
    page = open_as("planner")
    page.goto(f"/items/{sku}")
    page.get_by_role("button", name="Reject…").first.click()
    dialog = page.locator("dialog[open]")
    dialog.locator("textarea").fill("no room until April")
    dialog.get_by_role("button", name="Reject", exact=True).click()
    expect(page.locator("#messages")).to_contain_text(f"Rejected: {sku}")
    expect(page.locator(".timeline")).to_contain_text("no room until April")
    assert count(site, ProposalState.REJECTED) == 1


def test_the_chart_is_drawn_in_the_readers_language_and_theme(site: Site, open_as: Opener) -> None:
    _, sku, _, _ = first_open(site)
    colours = set()
    for language, theme, words in (("en", "light", "Projected stock"), ("zh_CN", "dark", "预计库存")):
        page = open_as("planner", language=language, theme=theme)
        page.goto(f"/items/{sku}")
        chart = page.locator("#item-chart")
        expect(chart.locator(".annotation-text", has_text=words)).to_be_visible()
        expect(chart.locator(".barlayer .point").first).to_be_attached()
        colours.add(chart.locator(".annotation-text", has_text=words).evaluate("one => getComputedStyle(one).fill"))
    assert len(colours) == 2


def test_a_phone_drops_the_labels_that_find_no_room(site: Site, open_as: Opener) -> None:
    _, sku, _, _ = first_open(site)
    wide, narrow = open_as("planner"), open_as("planner", phone=True)
    labels = []
    for page in (wide, narrow):
        page.goto(f"/items/{sku}")
        expect(page.locator("#item-chart .annotation-text").first).to_be_attached()
        labels.append(page.locator("#item-chart .annotation-text").count())
        boxes = page.locator("#item-chart .annotation").evaluate_all(
            "all => all.map((one) => one.getBoundingClientRect())"
            ".map((box) => [box.left, box.right, box.top, box.bottom])"
        )
        assert all(apart(one, other) for at, one in enumerate(boxes) for other in boxes[at + 1 :])
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0
    assert labels[1] <= labels[0]


def apart(one: list[float], other: list[float]) -> bool:
    """Whether two boxes share no area, a pixel of rounding aside."""
    return one[1] <= other[0] + 1 or other[1] <= one[0] + 1 or one[3] <= other[2] + 1 or other[3] <= one[2] + 1


def test_the_list_on_a_phone_fits_its_screen(open_as: Opener) -> None:
    page = open_as("planner", phone=True)
    page.goto("/proposals?state=open")
    heads = page.locator("table thead th:visible").count()
    cells = page.locator("table tbody tr[data-row]").first.locator("td:visible").count()
    assert heads == cells
    assert re.search(r"\d", page.locator("h1").inner_text())
