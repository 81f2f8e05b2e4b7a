"""Cells are changed in place in a real browser: by a click or a key, with undo, and with both values in a conflict."""

from __future__ import annotations

import sqlalchemy as sa
from playwright.sync_api import Locator, Page, expect

from scm.core.users import Role
from scm.master import cells, companies, setup
from scm.master.cells import Edit
from tests.browser.conftest import Opener, Site

SKU = "BT-001"


def cell(page: Page, field: str) -> Locator:
    """The cell of the first row that shows a field."""
    row = page.locator("tr", has=page.get_by_role("link", name=SKU, exact=True))
    return row.locator(f"[id$='-{field}']")


def somebody_renames(site: Site, believed: str, wanted: str) -> None:
    with site.database.unit_of_work(write=True) as session:
        edit = Edit(key=(SKU,), column="name", believed=believed, wanted=wanted)
        actor = setup.load(session).users["admin"]
        assert Role.ADMIN in actor.roles
        cells.change_items(session, [edit], company_id=companies.only(session).id, actor=actor)


def name_of(site: Site) -> str:
    with site.database.unit_of_work(write=False) as session:
        return str(session.scalar(sa.text("SELECT name FROM item WHERE sku = 'BT-001'")))


def test_a_cell_is_changed_by_keys_and_the_change_is_taken_back(site: Site, open_as: Opener) -> None:
    page, before = open_as("planner"), name_of(site)
    page.goto(f"/master/items?q={SKU}")
    cell(page, "name").locator("button").focus()
    page.keyboard.press("Enter")
    field = cell(page, "name").locator("input[name=wanted]")
    expect(field).to_be_focused()
    field.fill("Hand towel, woven")
    page.keyboard.press("Enter")
    expect(cell(page, "name")).to_contain_text("Hand towel, woven")
    assert name_of(site) == "Hand towel, woven"
    page.get_by_role("button", name="Undo").click()
    expect(cell(page, "name")).to_contain_text(before)
    assert name_of(site) == before


def test_escape_leaves_a_cell_as_it_is_and_only_one_is_open(site: Site, open_as: Opener) -> None:
    page, before = open_as("planner"), name_of(site)
    page.goto(f"/master/items?q={SKU}")
    cell(page, "name").locator("button").click()
    cell(page, "name").locator("input[name=wanted]").fill("never mind")
    page.keyboard.press("Escape")
    expect(cell(page, "name")).to_contain_text(before)
    cell(page, "category").locator("button").click()
    expect(page.locator("[data-editor]")).to_have_count(1)
    cell(page, "name").locator("button").click()
    expect(cell(page, "name").locator("input[name=wanted]")).to_be_focused()
    expect(page.locator("[data-editor]")).to_have_count(1)
    assert name_of(site) == before


def test_a_conflict_shows_both_values_and_mine_can_still_be_put_there(site: Site, open_as: Opener) -> None:
    page, before = open_as("planner"), name_of(site)
    page.goto(f"/master/items?q={SKU}")
    cell(page, "name").locator("button").click()
    somebody_renames(site, before, "Theirs")
    cell(page, "name").locator("input[name=wanted]").fill("Mine")
    cell(page, "name").get_by_role("button", name="Save").click()
    expect(cell(page, "name").get_by_role("alert")).to_contain_text("It is now Theirs; yours is Mine.")
    assert name_of(site) == "Theirs"
    cell(page, "name").get_by_role("button", name="Save").click()
    expect(cell(page, "name")).to_contain_text("Mine")
    expect(page.locator("[data-editor]")).to_have_count(0)
    assert name_of(site) == "Mine"


def test_a_new_person_gets_a_password_that_is_shown_once(site: Site, open_as: Opener) -> None:
    page = open_as("admin")
    page.goto("/admin/users")
    page.get_by_role("button", name="New user").click()
    page.locator("[name=username]").fill("ada")
    page.locator("[name=display_name]").fill("Ada Hill")
    page.get_by_label("Buyer").check()
    page.get_by_role("button", name="Add the user").click()
    expect(page.locator("[data-shown-once] code")).to_be_visible()
    expect(page.locator("dialog[open]")).to_have_count(0)
