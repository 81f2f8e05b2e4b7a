"""What was inspected leaves the cage once, by one of four ways, and its value goes with it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from aftersales import disposition
from aftersales.disposition import (
    AlreadyDisposed,
    BadDecision,
    BinMissing,
    Decision,
    Disposition,
    Facts,
    InspectionUnknown,
)
from aftersales.inspection import Finding, Grade
from forecasting.signals import DispositionFact
from scm.core.users import RoleMissing
from scm.finance.journal import Account
from scm.master.locations import LocationUnknown
from scm.stock import ledger
from scm.stock.effects import NotEnoughStock
from scm.stock.lots import find_or_create
from tests.aftersales.desk import Desk


def inspected(desk: Desk, item: int, quantity: int = 2) -> int:
    """This function will deliver five units, take some back and inspect them; it gives the id of the inspection."""
    [line] = desk.back(desk.authorize(desk.delivered(item, 5), quantity))
    [inspection_id] = desk.inspect(line, quantity)
    return inspection_id


@pytest.mark.parametrize("what", Disposition)
def test_each_disposition_moves_the_goods_and_their_value(desk: Desk, what: Disposition) -> None:
    setup, bolt = desk.world.setup, desk.world.item("bolt", unit_cost="4.00")
    inspection_id = inspected(desk, bolt)
    before = desk.value()
    assert (before[Account.INVENTORY], before[Account.COST_OF_SALES]) == (800, 1200), "two of five came back"
    [move] = desk.dispose(inspection_id, what).posted
    destination, account = {
        Disposition.RESTOCK: (setup.bin_ids[0], None),
        Disposition.REFURBISH: (setup.quarantine_id, None),
        Disposition.RETURN_TO_SUPPLIER: (setup.supplier_location_id, Account.SUPPLIER_RETURNS),
        Disposition.SCRAP: (setup.scrap_location_id, Account.SCRAP),
    }[what]
    assert (move.source_id, move.destination_id, move.quantity) == (setup.returns_id, destination, 2)
    assert desk.world.at(bolt, setup.returns_id) == 0
    assert desk.world.on_hand(bolt) == (2 if what is Disposition.RESTOCK else 0)
    after = desk.value()
    moved = 0 if account is None else 800
    assert after.get(Account.INVENTORY, 0) == 800 - moved
    assert account is None or after[account] == 800
    assert after[Account.COST_OF_SALES] == 1200
    assert desk.findings() == []


def test_restocked_units_are_worth_what_they_cost_when_they_left(desk: Desk) -> None:
    bolt = desk.world.item("bolt", unit_cost="4.00")
    line = desk.delivered(bolt, 5)
    desk.value()
    desk.supply(bolt, 5, unit_cost="9.00")
    assert desk.value()[Account.INVENTORY] == 4500
    [returned] = desk.back(desk.authorize(line, 2))
    [inspection_id] = desk.inspect(returned, 2)
    desk.dispose(inspection_id, Disposition.RESTOCK)
    assert desk.value()[Account.INVENTORY] == 4500 + 2 * 400


def test_units_are_disposed_of_once(desk: Desk) -> None:
    inspection_id = inspected(desk, desk.world.item("bolt"))
    desk.dispose(inspection_id, Disposition.SCRAP)
    with desk.world.refuses(AlreadyDisposed, match=f"inspection {inspection_id} is disposed of already"):
        desk.dispose(inspection_id, Disposition.RESTOCK)


def test_the_same_inspection_twice_in_one_call_is_refused(desk: Desk) -> None:
    inspection_id = inspected(desk, desk.world.item("bolt"))
    decision = Decision(inspection_id=inspection_id, disposition=Disposition.SCRAP, why="broken")
    with desk.world.refuses(AlreadyDisposed):
        disposition.dispose(
            desk.world.begin(),
            [decision, decision],
            actor=desk.world.user("returns"),
            now=desk.world.now,
            today=desk.world.today,
        )


def test_several_inspections_of_several_items_go_in_one_call(desk: Desk) -> None:
    bolt, nut, cog = (desk.world.item(name) for name in ("bolt", "nut", "cog"))
    wanted = {
        inspected(desk, cog): Disposition.SCRAP,
        inspected(desk, bolt): Disposition.RESTOCK,
        inspected(desk, nut): Disposition.RESTOCK,
        inspected(desk, bolt, 1): Disposition.REFURBISH,
    }
    result = desk.dispose_all(wanted)
    assert len(result.posted) == 4
    assert [desk.world.on_hand(item) for item in (bolt, nut, cog)] == [2, 2, 0]
    assert desk.awaiting().to_dispose == ()
    assert desk.findings() == []


def test_restocked_units_are_promised_to_who_waits_for_them(desk: Desk) -> None:
    bolt = desk.world.item("bolt")
    inspection_id = inspected(desk, bolt)
    waiting = desk.shop.order((bolt, 3))
    assert desk.shop.line(waiting).waiting == 3
    desk.dispose(inspection_id, Disposition.RESTOCK)
    assert (desk.shop.line(waiting).reserved, desk.shop.line(waiting).waiting) == (2, 1)


def test_restocking_names_a_bin_of_the_site(desk: Desk) -> None:
    setup, inspection_id = desk.world.setup, inspected(desk, desk.world.item("bolt"))
    with desk.world.refuses(BinMissing, match="no bin is named"):
        desk.dispose(inspection_id, Disposition.RESTOCK, bin_number=None)
    for place_id in (setup.area_id, setup.staging_id, setup.scrap_location_id):
        decision = Decision(inspection_id=inspection_id, disposition=Disposition.RESTOCK, why="sound", bin_id=place_id)
        with desk.world.refuses(BinMissing, match="is no bin of its site"):
            disposition.dispose(
                desk.world.begin(),
                [decision],
                actor=desk.world.user("returns"),
                now=desk.world.now,
                today=desk.world.today,
            )
    with desk.world.refuses(LocationUnknown):
        disposition.dispose(
            desk.world.begin(),
            [Decision(inspection_id=inspection_id, disposition=Disposition.RESTOCK, why="sound", bin_id=999999)],
            actor=desk.world.user("returns"),
            now=desk.world.now,
            today=desk.world.today,
        )


def test_unknown_inspections_missing_reasons_and_other_roles_are_refused(desk: Desk) -> None:
    inspection_id = inspected(desk, desk.world.item("bolt"))
    with desk.world.refuses(InspectionUnknown, match="999999"):
        desk.dispose(999999, Disposition.SCRAP)
    with desk.world.refuses(BadDecision, match="say why"):
        disposition.dispose(
            desk.world.begin(),
            [Decision(inspection_id=inspection_id, disposition=Disposition.SCRAP, why=" ")],
            actor=desk.world.user("returns"),
            now=desk.world.now,
            today=desk.world.today,
        )
    for username in ("planner", "buyer", "approver", "sales"):
        with desk.world.refuses(RoleMissing):
            disposition.dispose(
                desk.world.begin(),
                [Decision(inspection_id=inspection_id, disposition=Disposition.SCRAP, why="broken")],
                actor=desk.world.user(username),
                now=desk.world.now,
                today=desk.world.today,
            )


def test_goods_that_left_the_cage_some_other_way_cannot_be_disposed_of(desk: Desk) -> None:
    return_id = desk.authorize(desk.delivered(desk.world.item("bolt"), 5), 2)
    posted = desk.receive(return_id)
    [line] = desk.lines(return_id)
    [inspection_id] = desk.inspect(line, 2)
    ledger.reverse(
        desk.world.begin(),
        [move.id for move in posted],
        reason="somebody else's parcel",
        actor=desk.world.user("warehouse"),
        now=desk.world.now,
        today=desk.world.today,
    )
    with desk.world.refuses(NotEnoughStock):
        desk.dispose(inspection_id, Disposition.SCRAP)


def test_units_keep_their_lot_on_the_way_back_to_the_shelf(desk: Desk) -> None:
    yoghurt = desk.world.item("yoghurt", lot_tracked=True)
    lot_id = find_or_create(desk.world.begin(), item_id=yoghurt, code="L1")
    desk.world.stock(yoghurt, 5, lot_id=lot_id)
    order = desk.shop.order((yoghurt, 5))
    desk.shop.deliver(desk.shop.send_out(order))
    return_id = desk.authorize(desk.shop.line(order).line_id, 2)
    desk.receive(return_id, lot_code="L1")
    [line] = desk.lines(return_id)
    [inspection_id] = desk.inspect(line, 2)
    [move] = desk.dispose(inspection_id, Disposition.RESTOCK).posted
    assert move.lot_id == lot_id


def test_the_loop_learns_how_much_of_what_comes_back_is_sold_again(desk: Desk) -> None:
    bolt, nut = desk.world.item("bolt"), desk.world.item("nut")
    first, second = inspected(desk, bolt, 3), inspected(desk, nut, 2)
    desk.dispose_all({first: Disposition.RESTOCK, second: Disposition.REFURBISH})
    columns = (DispositionFact.item_id, DispositionFact.quantity, DispositionFact.resellable_quantity)
    rows = desk.world.begin().execute(sa.select(*columns).order_by(DispositionFact.id))
    assert [tuple(row) for row in rows] == [(bolt, 3, 3), (nut, 2, 0)]


@pytest.mark.parametrize(
    ("grade", "finding", "refurbish_cost", "weeks_of_cover", "expected"),
    [
        (Grade.A, Finding.NO_FAULT, 0, 200, Disposition.RESTOCK),
        (Grade.B, Finding.NO_FAULT, 0, 52, Disposition.RESTOCK),
        (Grade.B, Finding.NO_FAULT, 0, 53, Disposition.SCRAP),
        (Grade.B, Finding.SUPPLIER_DEFECT, 0, 5, Disposition.RESTOCK),
        (Grade.C, Finding.SUPPLIER_DEFECT, 0, 5, Disposition.RETURN_TO_SUPPLIER),
        (Grade.D, Finding.SUPPLIER_DEFECT, 0, 5, Disposition.RETURN_TO_SUPPLIER),
        (Grade.C, Finding.TRANSPORT_DAMAGE, 449, 5, Disposition.REFURBISH),
        (Grade.C, Finding.TRANSPORT_DAMAGE, 450, 5, Disposition.SCRAP),
        (Grade.D, Finding.CUSTOMER_DAMAGE, 1, 5, Disposition.SCRAP),
    ],
)
def test_a_disposition_follows_from_grade_cause_value_and_cover(
    grade: Grade, finding: Finding, refurbish_cost: int, weeks_of_cover: int, expected: Disposition
) -> None:
    proposed = disposition.decide(
        Facts(
            grade=grade,
            finding=finding,
            unit_cost=200,
            resale_value=450,
            refurbish_cost=refurbish_cost,
            weeks_of_cover=weeks_of_cover,
        )
    )
    assert proposed.disposition is expected
    assert f"grade {grade.name}" in proposed.why
