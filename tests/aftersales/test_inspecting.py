"""What came back is looked at, each unit once; what was found is told to whoever learns from it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from aftersales import inspection
from aftersales.documents import ReturnLineUnknown
from aftersales.inspection import BadVerdict, Finding, Grade, MoreThanReceived, Verdict
from forecasting import signals
from forecasting.history import ReturnFact
from procurement import defects
from procurement.defects import DefectFact
from scm.core.db import table_of
from scm.core.users import RoleMissing
from tests.aftersales.desk import Desk


def facts(desk: Desk) -> list[tuple[object, ...]]:
    columns = (ReturnFact.item_id, ReturnFact.return_date, ReturnFact.sale_date, ReturnFact.quantity)
    return [tuple(row) for row in desk.world.begin().execute(sa.select(*columns).order_by(ReturnFact.id))]


def test_more_than_has_arrived_is_not_inspected(desk: Desk) -> None:
    return_id = desk.authorize(desk.delivered(desk.world.item("bolt"), 5), 5)
    [line] = desk.lines(return_id)
    with desk.world.refuses(MoreThanReceived, match="1 are more than the 0 of return line"):
        desk.inspect(line, 1)
    desk.receive(return_id, 3)
    desk.inspect(line, 2, grade=Grade.B)
    with desk.world.refuses(MoreThanReceived, match="2 are more than the 1 "):
        desk.inspect(line, 2)
    desk.inspect(line, 1, grade=Grade.D, finding=Finding.CUSTOMER_DAMAGE)
    assert desk.status(return_id).to_inspect == 0


def test_several_verdicts_in_one_call_count_together(desk: Desk) -> None:
    [line] = desk.back(desk.authorize(desk.delivered(desk.world.item("bolt"), 5), 3))
    verdicts = [Verdict(return_line_id=line, quantity=2, grade=Grade.A, finding=Finding.NO_FAULT)] * 2
    with desk.world.refuses(MoreThanReceived, match="verdict 2: 2 are more than the 1 "):
        inspection.record(
            desk.world.begin(),
            verdicts,
            actor=desk.world.user("returns"),
            now=desk.world.now,
            today=desk.world.today,
        )


def test_malformed_verdicts_are_refused(desk: Desk) -> None:
    [line] = desk.back(desk.authorize(desk.delivered(desk.world.item("bolt"), 5), 3))
    for quantity in (0, -1, 1.5):
        with desk.world.refuses(BadVerdict, match="whole number above 0"):
            desk.inspect(line, quantity)  # type: ignore[arg-type]
    with desk.world.refuses(ReturnLineUnknown, match="999999"):
        desk.inspect(999999, 1)
    with desk.world.refuses(BadVerdict, match="the note has 401 characters"):
        inspection.record(
            desk.world.begin(),
            [Verdict(return_line_id=line, quantity=1, grade=Grade.A, finding=Finding.NO_FAULT, note="x" * 401)],
            actor=desk.world.user("returns"),
            now=desk.world.now,
            today=desk.world.today,
        )


@pytest.mark.parametrize("username", ["planner", "buyer", "approver", "sales"])
def test_only_the_desk_and_the_warehouse_inspect(desk: Desk, username: str) -> None:
    [line] = desk.back(desk.authorize(desk.delivered(desk.world.item("bolt"), 5), 3))
    with desk.world.refuses(RoleMissing):
        inspection.record(
            desk.world.begin(),
            [Verdict(return_line_id=line, quantity=1, grade=Grade.A, finding=Finding.NO_FAULT)],
            actor=desk.world.user(username),
            now=desk.world.now,
            today=desk.world.today,
        )


def test_a_return_is_a_fact_of_the_day_it_arrived_and_of_the_day_it_was_shipped(desk: Desk) -> None:
    bolt, sold = desk.world.item("bolt"), desk.world.today
    line = desk.delivered(bolt, 5)
    desk.world.pass_days(9)
    came = desk.world.today
    return_id = desk.authorize(line, 3)
    desk.receive(return_id, 2)
    desk.world.pass_days(1)
    desk.receive(return_id)
    [return_line] = desk.lines(return_id)
    assert facts(desk) == [], "nobody has looked at it"
    desk.world.pass_days(4)
    desk.inspect(return_line, 2)
    desk.inspect(return_line, 1)
    assert facts(desk) == [(bolt, came, sold, 2), (bolt, came.replace(day=came.day + 1), sold, 1)]


def test_the_next_cycle_expects_more_of_an_item_that_came_back(desk: Desk) -> None:
    bolt, nut = desk.world.item("bolt"), desk.world.item("nut")
    sold = {item: desk.delivered(item, 10) for item in (bolt, nut)}
    desk.returned(sold[bolt], 4)
    rates = signals.return_rates(desk.world.begin(), site_id=desk.world.setup.site_id, as_of=desk.world.today)
    assert rates.overall == 0.2
    assert rates.by_item[bolt] > rates.overall > rates.by_item[nut]


def test_a_defect_stands_on_the_record_of_who_had_delivered_the_units(desk: Desk) -> None:
    world = desk.world
    bolt = world.item("bolt")
    early, late = world.supplier("early"), world.supplier("late")
    world.receive(world.sent_order((world.agreement(bolt, early), 10)))
    world.put_away()
    line = desk.delivered(bolt, 5)
    world.pass_days(1)
    world.receive(world.sent_order((world.agreement(bolt, late, priority=2), 40)))
    [returned] = desk.back(desk.authorize(line, 3))
    desk.inspect(returned, 2, grade=Grade.C, finding=Finding.SUPPLIER_DEFECT)
    desk.inspect(returned, 1, grade=Grade.C, finding=Finding.CUSTOMER_DAMAGE)
    rates = defects.defect_rates(world.begin(), until=world.today)
    assert (rates[early].defective, rates[early].received) == (2, 10)
    assert (rates[late].defective, rates[late].received) == (0, 40)
    assert [str(rates[one].rate) for one in (early, late)] == ["0.200", "0.000"]
    tomorrow = world.day(1)
    assert defects.defect_rates(world.begin(), until=tomorrow, since=tomorrow) == {}


def test_without_a_receipt_before_the_sale_the_preferred_supplier_is_to_blame(desk: Desk) -> None:
    bolt, nut = desk.world.item("bolt"), desk.world.item("nut")
    acme = desk.world.supplier("acme")
    desk.world.agreement(bolt, acme)
    for item in (bolt, nut):
        [returned] = desk.back(desk.authorize(desk.delivered(item, 2), 1))
        desk.inspect(returned, 1, grade=Grade.D, finding=Finding.SUPPLIER_DEFECT)
    rows = desk.world.begin().execute(sa.select(DefectFact.supplier_id, DefectFact.item_id)).all()
    assert [tuple(row) for row in rows] == [(acme, bolt)], "nobody supplies nuts"
    [rate] = defects.defect_rates(desk.world.begin(), until=desk.world.today).values()
    assert (rate.defective, rate.received, rate.rate) == (1, 0, None)


def test_an_inspection_never_changes(desk: Desk) -> None:
    [returned] = desk.back(desk.authorize(desk.delivered(desk.world.item("bolt"), 2), 1))
    desk.inspect(returned, 1)
    session = desk.world.begin()
    point = session.begin_nested()
    with pytest.raises(sa.exc.DBAPIError, match="an inspection never changes"):
        session.execute(sa.update(table_of(inspection.Inspection)).values(quantity=9))
    point.rollback()
