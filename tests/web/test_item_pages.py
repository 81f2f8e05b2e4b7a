"""The pages of items: the list with its standings, and one item's page with chart, table, account and supply."""

from __future__ import annotations

import html
import json
import re

import sqlalchemy as sa

from procurement.proposals import Proposal
from scm.loop.item_page import story
from scm.master.items import Item
from tests.loop.company import Company
from tests.web.visitor import Visitor, signed_in, text_of


def test_the_list_shows_every_item_and_how_it_stands(browser: Visitor) -> None:
    page = text_of(browser.get("/items"))
    assert "25 items" in page and "out of stock" in page
    assert "KT-001" in text_of(browser.get("/items?standing=out&q=KT-001"))
    assert "Nothing matches" in text_of(browser.get("/items?standing=excess&q=KT-001"))


def test_an_item_tells_its_whole_story(browser: Visitor, shown: Company) -> None:
    page = browser.get("/items/KT-001")
    said = text_of(page)
    for words in ("Demand and stock", "Account of", "adds up", "What returns taught", "Open supply", "Suppliers"):
        assert words in said
    chart = json.loads(html.unescape(re.search(r"data-chart='([^']*)'", page)[1]))  # type: ignore[index]
    assert len(chart["past"]) == story.HISTORY_DAYS // 7
    assert len(chart["ahead"]) >= 12
    assert all(week["low"] <= week["mean"] <= week["high"] for week in chart["ahead"])
    proposal = shown.proposals()["KT-001"]
    assert isinstance(proposal, Proposal)
    assert f"Buy {proposal.quantity}" in said


def test_the_table_beside_the_chart_says_the_same(browser: Visitor) -> None:
    page = browser.get("/items/KT-001")
    chart = json.loads(html.unescape(re.search(r"data-chart='([^']*)'", page)[1]))  # type: ignore[index]
    table = re.search(r'<table class="table" id="item-weeks">.*?</table>', page, re.DOTALL)
    assert table is not None
    cells = re.findall(r'<td class="num">([^<]*)</td>', table[0])
    asked = [int(cell.replace(",", "")) for cell in cells[::4]]
    assert asked == [week["asked"] for week in chart["past"]]


def test_whoever_may_not_answer_sees_no_buttons(shown: Company) -> None:
    page = signed_in(shown.database, "warehouse").get("/items/KT-001")
    assert "Accept" not in page and "Reject…" not in page


def test_an_item_that_is_not_there_is_not_found(browser: Visitor) -> None:
    browser.get("/items/NOTHING", status=404)
    browser.get("/items/%3Cb%3E", status=404)


def test_an_item_is_called_by_its_english_name_in_english_and_found_by_both(shown: Company) -> None:
    with shown.writing() as session:
        named = sa.update(Item).where(Item.sku == "KT-001")
        session.execute(named.values(name="粗陶马克杯", english_name="Stoneware cup"))
    planner = signed_in(shown.database, "planner")
    for locale, own, other in (("zh_CN", "粗陶马克杯", "Stoneware cup"), ("en", "Stoneware cup", "粗陶马克杯")):
        planner.post("/account/preferences", locale=locale, status=303)
        for address in ("/items/KT-001", "/items?q=粗陶马克杯", "/items?q=stoneware+cup", "/cover"):
            page = text_of(planner.get(address))
            assert own in page, f"{address} in {locale}"
            assert "q=" in address or other not in page, f"{address} in {locale}"
        assert own in text_of(planner.get("/find?q=粗陶"))
        assert own in planner.get("/items/export.csv?q=KT-001")
    assert "粗陶马克杯" in planner.get("/master/items?q=KT-001"), "whoever keeps the names sees them as they are kept"
