"""The list of returns says of each what its page says."""

from __future__ import annotations

from aftersales import return_list, return_sheet, returns
from aftersales.disposition import Disposition
from aftersales.documents import ReturnReason
from aftersales.return_sheet import Step
from scm.core import listing as lists
from scm.core.listing import Condition, ListQuery, Row
from tests.aftersales.desk import Desk


def fetch(desk: Desk, *conditions: Condition) -> dict[int, Row]:
    listing = return_list.listing(site_id=desk.world.setup.site_id)
    found = lists.fetch(desk.world.begin(), listing, ListQuery(conditions=conditions))
    return {row["key"]: row for row in found.rows}


def every_step(desk: Desk) -> dict[Step, list[int]]:
    sold = desk.delivered(desk.world.item("mug"), 20)
    actor = desk.world.user("returns")
    coming, here, looked_at, decided, done, closed, gone = (desk.authorize(sold, 2) for _ in range(7))
    lines = {one: desk.back(one)[0] for one in (here, looked_at, decided, done, closed)}
    for one in (looked_at, decided, done, closed):
        [inspection_id] = desk.inspect(lines[one], 2)
        if one is not looked_at:
            desk.dispose(inspection_id, Disposition.SCRAP)
        if one in (done, closed):
            desk.refund(lines[one], 2)
    returns.close(desk.world.begin(), [closed], reason="-", actor=actor)
    returns.cancel(desk.world.begin(), [gone], reason="-", actor=actor)
    return {
        Step.RECEIVE: [coming],
        Step.INSPECT: [here],
        Step.DISPOSE: [looked_at],
        Step.REFUND: [decided],
        Step.CLOSE: [done],
        Step.NOTHING: [gone, closed],
    }


def test_every_step_is_that_of_the_returns_page_and_can_be_filtered(desk: Desk) -> None:
    wanted = every_step(desk)
    rows = fetch(desk)
    for step, return_ids in wanted.items():
        for return_id in return_ids:
            row = rows[return_id]
            sheet = return_sheet.read(desk.world.begin(), number=row["number"], site_id=desk.world.setup.site_id)
            assert row["step"] is sheet.step is step
            assert row["units"] == sum(line.status.authorized for line in sheet.lines)
            assert row["received"] == sum(line.status.received for line in sheet.lines)
            assert row["refunded"] == sum(line.status.refunded_amount for line in sheet.lines)
            assert row["reason"] is ReturnReason.UNWANTED
        assert sorted(fetch(desk, Condition(field="step", values=(step,)))) == sorted(return_ids)


def test_another_sites_returns_are_not_listed(desk: Desk) -> None:
    every_step(desk)
    listing = return_list.listing(site_id=desk.world.setup.site_id + 1)
    assert lists.fetch(desk.world.begin(), listing, ListQuery()).rows == []
