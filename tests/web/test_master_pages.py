"""Master data on pages: cells change in place for who may, files are checked before they are taken."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.items import Item, ItemStatus
from scm.master.lanes import CarrierService
from scm.master.locations import Location
from tests.loop.company import Company
from tests.web.visitor import Visitor, signed_in, text_of
from web.app import create_app

LISTS = ("items", "suppliers", "agreements", "locations", "carriers")
Enter = Callable[[str], Visitor]


@pytest.fixture
def enter(company: Company) -> Enter:
    """A call that signs somebody in."""
    app = create_app(company.database)
    return lambda username: signed_in(company.database, username, app=app)


def one(company: Company, statement: Any) -> Any:
    with company.reading() as session:
        return session.scalars(statement.limit(1)).one()


def first_item(company: Company) -> Item:
    found: Item = one(company, sa.select(Item).where(Item.status == ItemStatus.ACTIVE).order_by(Item.sku))
    return found


def change(
    visitor: Visitor, kind: str, key: int, field: str, believed: str, wanted: str, *, again: str | None = None
) -> Any:
    fields = {"row": str(key), "field": field, "believed": believed, "wanted": wanted}
    return visitor.post(f"/master/{kind}/cell", key=again, partial=True, data=fields)


def test_the_overview_leads_to_exactly_the_items_it_counts(enter: Enter) -> None:
    visitor = enter("sales")
    page = visitor.get("/master")
    [(address, number)] = re.findall(r'href="([^"]+lacks_gtin=yes)".*?</td>.*?<td class="num">(\d+)</td>', page, re.S)
    assert text_of(visitor.get(address)).count("No GTIN") >= int(number) > 0


@pytest.mark.parametrize("kind", LISTS)
def test_everybody_reads_the_lists_and_only_keepers_change_them(enter: Enter, kind: str) -> None:
    assert "cell-button" not in enter("approver").get(f"/master/{kind}")
    assert "cell-button" in enter("admin").get(f"/master/{kind}")
    assert enter("approver").post(f"/master/{kind}/cell", row="1", field="name").status_code == 403


def test_a_cell_is_opened_changed_and_undone(enter: Enter, company: Company) -> None:
    visitor, item = enter("planner"), first_item(company)
    editor = visitor.get(f"/master/items/cells/{item.id}/name?edit=yes")
    assert f'value="{item.name}"' in editor and 'form="cell-form"' in editor
    answer = change(visitor, "items", item.id, "name", item.name, "A better name")
    assert answer.status_code == 200 and answer.headers["HX-Retarget"] == f"#cell-{item.id}-name"
    said = text_of(answer.text)
    assert f"was {item.name} and is A better name" in said and "Undo" in said
    assert first_item(company).name == "A better name"
    assert change(visitor, "items", item.id, "name", "A better name", item.name).status_code == 200
    assert first_item(company).name == item.name


def test_a_conflict_shows_both_values_and_changes_nothing(enter: Enter, company: Company) -> None:
    planner, admin, item = enter("planner"), enter("admin"), first_item(company)
    assert change(admin, "items", item.id, "name", item.name, "Theirs").status_code == 200
    answer = change(planner, "items", item.id, "name", item.name, "Mine")
    assert answer.status_code == 409
    said = text_of(answer.text)
    assert "It is now Theirs; yours is Mine" in said
    assert first_item(company).name == "Theirs"
    # Saving again sends along what is there now.
    assert 'name="believed" value="Theirs"' in answer.text and 'value="Mine"' in answer.text
    assert change(planner, "items", item.id, "name", "Theirs", "Mine").status_code == 200


def test_a_cell_sent_twice_changes_once(enter: Enter, company: Company) -> None:
    visitor, item = enter("planner"), first_item(company)
    for _ in range(2):
        answer = change(visitor, "items", item.id, "name", item.name, "Once", again="the same key")
        assert answer.status_code == 200
    assert first_item(company).name == "Once"


def test_what_cannot_be_is_told_beside_the_cell(enter: Enter, company: Company) -> None:
    visitor, item = enter("planner"), first_item(company)
    answer = change(visitor, "items", item.id, "gtin", item.gtin or "", "6291041500214")
    assert answer.status_code == 400 and "check digit" in text_of(answer.text)
    for column in ("company_id", "sku", "base_unit", "lacks"):
        assert change(visitor, "items", item.id, column, "", "2").status_code == 404
    assert change(visitor, "items", 987654321, "name", "", "x").status_code == 404
    assert visitor.post("/master/items/cell", data={"row": ["1", "2"]}, field="name").status_code == 400


def test_choices_amounts_and_flags_are_written_as_they_are_read(enter: Enter, company: Company) -> None:
    planner, buyer, item = enter("planner"), enter("buyer"), first_item(company)
    assert change(planner, "items", item.id, "status", "active", "phase_out").status_code == 200
    with company.reading() as session:
        assert session.get_one(Item, item.id).status is ItemStatus.PHASE_OUT
    terms = one(company, sa.select(SupplierTerms).order_by(SupplierTerms.partner_id))
    amount = f"{terms.minimum_order_value / 100:.2f}"
    assert change(buyer, "suppliers", terms.partner_id, "minimum_order_value", amount, "123.45").status_code == 200
    refused = change(buyer, "suppliers", terms.partner_id, "minimum_order_value", "123.45", "1.234")
    assert refused.status_code == 400 and "no such small amounts" in text_of(refused.text)
    agreed = one(company, sa.select(SupplierAgreement).order_by(SupplierAgreement.id))
    assert change(buyer, "agreements", agreed.id, "needs_inspection", "no", "yes").status_code == 200
    with company.reading() as session:
        assert session.get_one(SupplierTerms, terms.partner_id).minimum_order_value == 12345
        assert session.get_one(SupplierAgreement, agreed.id).needs_inspection


def test_an_assumed_figure_is_confirmed_by_saving_it(enter: Enter, company: Company) -> None:
    buyer = enter("buyer")
    agreed = one(company, sa.select(SupplierAgreement).order_by(SupplierAgreement.id))
    days = str(agreed.lead_time_days)
    assert "assumed" in text_of(buyer.get(f"/master/agreements/cells/{agreed.id}/lead_time_days"))
    assert change(buyer, "agreements", agreed.id, "lead_time_days", days, days).status_code == 200
    assert "assumed" not in text_of(buyer.get(f"/master/agreements/cells/{agreed.id}/lead_time_days"))


def test_bins_and_services_change_in_place_too(enter: Enter, company: Company) -> None:
    visitor = enter("warehouse")
    place = one(company, sa.select(Location).where(Location.id == company.setup.bin_ids[-1]))
    believed = str(place.pick_sequence)
    assert change(visitor, "locations", place.id, "pick_sequence", believed, "7").status_code == 200
    assert change(visitor, "locations", place.id, "pick_sequence", believed, "8").status_code == 409
    service = one(company, sa.select(CarrierService))
    assert change(visitor, "carriers", service.id, "cut_off", "16:00:00", "15:30").status_code == 200
    assert change(visitor, "carriers", service.id, "cut_off", "15:30:00", "late").status_code == 400
    assert visitor.post("/master/locations/new", code="Z-08", count="3", pick_sequence="900").status_code == 303
    assert text_of(visitor.get("/master/locations?q=Z-")).count("Z-0") >= 2


def test_rows_are_added_by_a_form(enter: Enter, company: Company) -> None:
    planner, buyer = enter("planner"), enter("buyer")
    planner.post("/master/items/new", status=303, sku="00042", name="A new one", sale_price="2.50")
    planner.post("/master/items/new", status=409, sku="00042", name="Again")
    buyer.post("/master/suppliers/new", status=303, code="S1", name="One", currency="GBP", review_period_days="7")
    agreed: dict[str, Any] = {"supplier": "S1", "sku": "00042", "lead_time_days": "5", "unit_price": "1.10"}
    terms: dict[str, Any] = {"minimum_order_quantity": "10", "order_multiple": "5"}
    buyer.post("/master/agreements/new", status=303, **agreed, **terms)
    assert "S1" in buyer.get("/master/agreements?sku=00042")


def test_the_calendar_is_kept_by_buttons(enter: Enter) -> None:
    visitor = enter("planner")
    visitor.post("/master/calendar/weekdays/6", status=303, believed="yes", works="no")
    assert "6 working days a week" in text_of(visitor.get("/master/calendar"))
    visitor.post("/master/calendar/weekdays/6", status=409, believed="yes", works="no")
    visitor.post("/master/calendar/close", status=303, first="2026-12-24", last="2026-12-26", reason="Christmas")
    assert visitor.get("/master/calendar").count("Christmas") == 3
    visitor.post("/master/calendar/reopen", status=303, day="2026-12-24")
    visitor.post("/master/calendar/close", status=400, first="2026-12-26", last="2026-12-24", reason="backwards")
    visitor.post("/master/calendar/close", status=400, first="soon", last="later", reason="x")


@pytest.mark.parametrize(("kind", "who"), [("items", "planner"), ("suppliers", "buyer"), ("agreements", "buyer")])
def test_a_whole_file_comes_back_unchanged_and_changes_nothing(enter: Enter, kind: str, who: str) -> None:
    visitor = enter(who)
    sent = visitor.client.get(f"/master/files/{kind}/rows.csv").data
    said = text_of(bring(visitor, kind, sent).text)
    assert "there is nothing to take" in said and "New 0 Changed 0" in said


def test_a_file_is_checked_then_taken_whole_or_not_at_all(enter: Enter, company: Company) -> None:
    visitor = enter("planner")
    wrong = text_of(bring(visitor, "items", b"sku,name,base_unit\n007,one,pc\n007,two,pc\n").text)
    assert "it stands in row 2 already" in wrong and "Nothing is taken" in wrong
    data = b'sku,name,base_unit\n00700,"=1+1",pc\n12345678901234567890,"two\nlines",pc\n'
    checked = bring(visitor, "items", data).text
    assert "Take 2 rows" in checked and "New 2" in text_of(checked)
    [content] = re.findall(r'name="content" value="([^"]+)"', checked)
    visitor.post("/master/files/items", status=303, content=content)
    with company.reading() as session:
        names = {row.sku: row.name for row in session.execute(sa.select(Item.sku, Item.name))}
    assert (names["00700"], names["12345678901234567890"]) == ("=1+1", "two\nlines")
    assert b"'=1+1" in visitor.client.get("/master/files/items/rows.csv").data


def test_files_are_for_their_keepers_and_of_a_known_kind_and_size(enter: Enter) -> None:
    assert bring(enter("planner"), "suppliers", b"code\n1\n").status_code == 403
    assert bring(enter("buyer"), "orders", b"x").status_code == 404
    assert bring(enter("planner"), "items", b"x" * (4 * 1024 * 1024 + 1)).status_code in (400, 413)
    assert "larger than" in text_of(bring(enter("planner"), "items", b"x" * (4 * 1024 * 1024 + 1)).text)
    enter("planner").post("/master/files/items", status=400, content="no base64!")


def test_an_exported_view_comes_back_and_changes_what_was_changed_in_it(enter: Enter, company: Company) -> None:
    visitor, item = enter("planner"), first_item(company)
    sent = visitor.client.get(f"/master/items/export.csv?q={item.sku}&columns=sku,name,status").data
    mended = sent.replace(item.name.encode(), b"Mended").replace(b"Active", b"Phase-out")
    visitor.get("/master/items")
    form = {"csrf_token": visitor._token, "file": (io.BytesIO(mended), "view.csv")}
    checked = visitor.client.post("/master/items/file/check", data=form)
    assert "Change 2 cells" in checked.text
    visitor.post("/master/items/file", status=303, content=mended.decode("utf-8-sig"))
    with company.reading() as session:
        changed = session.get_one(Item, item.id)
    assert (changed.name, changed.status) == ("Mended", ItemStatus.PHASE_OUT)


def bring(visitor: Visitor, kind: str, data: bytes) -> Any:
    """What comes of uploading a file for a check."""
    visitor.get("/master")
    visitor.get("/account")
    form = {"csrf_token": visitor._token, "file": (io.BytesIO(data), f"{kind}.csv")}
    return visitor.client.post(f"/master/files/{kind}/check", data=form)
