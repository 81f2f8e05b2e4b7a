"""One cell of the master data at a time: what somebody believed is compared, and both values are told."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from scm.core import audit
from scm.core.audit import AuditRow
from scm.core.users import RoleMissing
from scm.master import cells, exchange
from scm.master.agreements import SupplierAgreement, SupplierTerms
from scm.master.cells import BadCell, ChangedMeanwhile, Edit, RowExists, RowUnknown
from scm.master.items import Item, ItemStatus
from scm.stock import base_units
from scm.stock.base_units import TrackingFrozen
from tests.world import World


@pytest.fixture
def stocked(world: World) -> World:
    """Two items of one supplier, some figures of which were assumed."""
    session = world.begin()
    here: dict[str, Any] = {"company_id": world.setup.company_id, "actor": world.user("system")}
    exchange.import_items(
        session,
        b"sku,name,base_unit,gtin,sale_price,lot_tracked,assumed\n"
        b"0042,bolt,pc,6291041500213,12.5,no,category_id;opening_unit_cost\n"
        b"12345678901234567890,nut,pc,,3,yes,\n",
        dry_run=False,
        **here,
    )
    exchange.import_suppliers(
        session,
        b"code,name,currency,review_period_days,assumed\n007,Acme,GBP,7,review_period_days\n",
        dry_run=False,
        **here,
    )
    exchange.import_agreements(
        session,
        b"supplier,sku,lead_time_days,unit_price,assumed\n007,0042,7,4.25,lead_time_days\n",
        dry_run=False,
        **here,
    )
    return world


def edit(key: str, column: str, believed: str, wanted: str) -> Edit:
    return Edit(key=tuple(key.split()), column=column, believed=believed, wanted=wanted)


def change_item(world: World, *edits: Edit, by: str = "planner") -> int:
    return cells.change_items(world.begin(), edits, company_id=world.setup.company_id, actor=world.user(by))


def item(world: World, sku: str) -> Item:
    return world.begin().scalars(sa.select(Item).where(Item.sku == sku)).one()


def test_a_cell_takes_what_somebody_enters_and_the_trail_says_what_was_there(stocked: World) -> None:
    assert (
        change_item(stocked, edit("0042", "name", "bolt", "bolt, long"), edit("0042", "sale_price", "12.5", "13")) == 1
    )
    changed = item(stocked, "0042")
    assert (changed.name, str(changed.sale_price), changed.gtin) == ("bolt, long", "13.000000", "6291041500213")
    assert trail(stocked, "item.change") == [
        {"row": "0042", "changes": {"name": ["bolt", "bolt, long"], "sale_price": ["12.5", "13"]}}
    ]


def test_a_cell_that_has_changed_meanwhile_is_refused_with_both_values(stocked: World) -> None:
    change_item(stocked, edit("0042", "sale_price", "12.5", "13"))
    with stocked.refuses(ChangedMeanwhile, "sale_price is 13 by now, no longer 12.5: nothing") as session:
        late = [edit("0042", "name", "bolt", "x"), edit("0042", "sale_price", "12.5", "14")]
        try:
            cells.change_items(session, late, company_id=stocked.setup.company_id, actor=stocked.user("planner"))
        except ChangedMeanwhile as error:
            assert (error.present, error.wanted) == ("13", "14")
            raise


def test_who_enters_an_assumed_figure_answers_for_it(stocked: World) -> None:
    change_item(stocked, edit("0042", "category", "", "fasteners"))
    assert item(stocked, "0042").assumed == ["opening_unit_cost"]
    change_item(stocked, edit("0042", "opening_unit_cost", "", ""))  # confirmed as it stands
    assert item(stocked, "0042").assumed == []


def test_what_takes_an_edit_back_puts_its_label_back(stocked: World) -> None:
    change_item(stocked, edit("0042", "category", "", "fasteners"))
    back = Edit(key=("0042",), column="category", believed="fasteners", wanted="", assumed=True)
    change_item(stocked, back)
    assert item(stocked, "0042").assumed == ["category_id", "opening_unit_cost"]


def test_terms_and_agreements_are_cells_too(stocked: World) -> None:
    here: dict[str, Any] = {"company_id": stocked.setup.company_id, "actor": stocked.user("buyer")}
    cells.change_suppliers(stocked.begin(), [edit("007", "review_weekday", "", "2")], **here)
    cells.change_suppliers(stocked.begin(), [edit("007", "email", "", "a@b.test")], **here)
    cells.change_agreements(stocked.begin(), [edit("007 0042", "lead_time_days", "7", "9")], **here)
    terms = stocked.begin().scalars(sa.select(SupplierTerms)).one()
    agreed = stocked.begin().scalars(sa.select(SupplierAgreement)).one()
    assert (terms.review_weekday, terms.review_period_days, terms.assumed) == (2, 7, ["review_period_days"])
    assert (agreed.lead_time_days, agreed.assumed) == (9, [])
    assert trail(stocked, "agreement.change") == [
        {"row": "007 0042", "changes": {"assumed": ["lead_time_days", ""], "lead_time_days": ["7", "9"]}}
    ]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (edit("0042", "gtin", "6291041500213", "6291041500214"), BadCell, "check digit"),
        (edit("12345678901234567890", "gtin", "", "6291041500213"), BadCell, "it belongs to 0042"),
        (edit("0042", "sale_price", "12.5", "-1"), BadCell, "no decimal number"),
        (edit("0042", "shelf_life_days", "", "30"), BadCell, "tracked by lot"),
        (edit("0042", "status", "active", "sold"), BadCell, "active, phase_out, retired"),
        (edit("0042", "name", "bolt", ""), BadCell, "fill it in"),
        (edit("0042", "sku", "0042", "0043"), BadCell, "no cell that can be changed"),
        (edit("0042", "lot_tracked", "no", "yes"), BadCell, "no cell that can be changed"),
        (edit("0042", "company_id", "1", "2"), BadCell, "no cell that can be changed"),
        (edit("42", "name", "bolt", "x"), RowUnknown, "there is no item 42"),
    ],
    ids=lambda value: value.column if isinstance(value, Edit) else "",
)
def test_what_cannot_stand_in_a_cell_is_refused_with_its_mend(
    stocked: World, change: Edit, error: type[Any], words: str
) -> None:
    with stocked.refuses(error, words) as session:
        cells.change_items(session, [change], company_id=stocked.setup.company_id, actor=stocked.user("planner"))


def test_who_may_change_what(stocked: World) -> None:
    with stocked.refuses(RoleMissing):
        change_item(stocked, edit("0042", "name", "bolt", "x"), by="warehouse")
    with stocked.refuses(RoleMissing) as session:
        cells.change_suppliers(session, [], company_id=stocked.setup.company_id, actor=stocked.user("planner"))


def test_rows_are_added_one_by_one_and_never_twice(stocked: World) -> None:
    here: dict[str, Any] = {"company_id": stocked.setup.company_id}
    bolt = {"sku": "007", "name": "a new one", "base_unit": "pc", "sale_price": "2.5"}
    cells.add_item(stocked.begin(), bolt, actor=stocked.user("planner"), **here)
    added = item(stocked, "007")
    assert (added.name, added.status, added.assumed) == ("a new one", ItemStatus.ACTIVE, [])
    agreed = {"supplier": "007", "sku": "007", "lead_time_days": "3", "unit_price": "1"}
    cells.add_agreement(stocked.begin(), agreed, actor=stocked.user("buyer"), **here)
    with stocked.refuses(RowExists, "there is item 007 already") as session:
        cells.add_item(session, bolt, actor=stocked.user("planner"), **here)
    with stocked.refuses(BadCell, "there is no such supplier") as session:
        cells.add_agreement(session, agreed | {"supplier": "8"}, actor=stocked.user("buyer"), **here)
    with stocked.refuses(BadCell, "there is no column") as session:
        cells.add_item(session, bolt | {"company_id": "2"}, actor=stocked.user("planner"), **here)


def test_lots_are_tracked_from_the_start_or_never(stocked: World) -> None:
    here: dict[str, Any] = {"company_id": stocked.setup.company_id, "actor": stocked.user("planner")}
    base_units.track_lots(stocked.begin(), sku="0042", believed=False, wanted=True, **here)
    assert item(stocked, "0042").lot_tracked
    with stocked.refuses(TrackingFrozen, "meanwhile") as session:
        base_units.track_lots(session, sku="0042", believed=False, wanted=False, **here)
    moved = stocked.item("moved")
    stocked.stock(moved, 5)
    with stocked.refuses(TrackingFrozen, "has moved without lots") as session:
        base_units.track_lots(session, sku="moved", believed=False, wanted=True, **here)


def test_a_file_does_not_change_whether_lots_are_tracked(stocked: World) -> None:
    data = b"sku,name,base_unit,lot_tracked\n0042,bolt,pc,yes\n"
    report = exchange.import_items(
        stocked.begin(), data, company_id=stocked.setup.company_id, dry_run=False, actor=stocked.user("planner")
    )
    assert [(error.row, error.column) for error in report.errors] == [(2, "lot_tracked")]


def trail(world: World, verb: str) -> list[dict[str, Any]]:
    session = world.begin()
    audit.write_pending(session)
    return list(session.scalars(sa.select(AuditRow.detail).where(AuditRow.verb == verb).order_by(AuditRow.id)))
