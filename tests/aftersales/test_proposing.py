"""What to do with inspected units is proposed from facts; a person agrees, or decides otherwise and says why."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from aftersales import proposing, quoting
from aftersales.disposition import BinMissing, Cause, Disposal, Disposition, InspectionUnknown
from aftersales.inspection import Finding, Grade
from aftersales.proposing import Choice, ReasonNeeded
from aftersales.refunds import MoreThanInvoiced, RefundRequest
from scm.core.users import RoleMissing
from tests.aftersales.desk import Desk


def settle(desk: Desk, *choices: Choice, username: str = "returns") -> None:
    proposing.settle(
        desk.world.begin(), choices, actor=desk.world.user(username), now=desk.world.now, today=desk.world.today
    )


def inspected(desk: Desk, grade: Grade, finding: Finding = Finding.NO_FAULT, *, quantity: int = 1) -> int:
    [line] = desk.back(desk.authorize(desk.delivered(desk.world.item(f"mug {grade.name}"), 4), quantity))
    [inspection_id] = desk.inspect(line, quantity, grade=grade, finding=finding)
    return inspection_id


def disposal(desk: Desk, inspection_id: int) -> tuple[Disposition, str, bool]:
    row = desk.world.begin().execute(
        sa.select(Disposal.disposition, Disposal.why, Disposal.overridden).where(
            Disposal.inspection_id == inspection_id
        )
    )
    disposition, why, overridden = row.one()
    return disposition, why, overridden


def test_a_suggestion_rests_on_cost_price_and_stock(desk: Desk) -> None:
    inspection_id = inspected(desk, Grade.A)
    desk.value()
    suggestion = proposing.suggest(desk.world.begin(), [inspection_id])[inspection_id]
    assert suggestion.proposed.disposition is Disposition.RESTOCK
    assert suggestion.proposed.cause is Cause.SELLS_AGAIN
    assert (suggestion.facts.resale_value, suggestion.facts.refurbish_cost) == (1000, 333)
    assert suggestion.currency == "GBP"
    assert suggestion.bin_id in desk.world.setup.bin_ids
    assert suggestion.assumed == ("refurbish_cost",)


@pytest.mark.parametrize(
    ("grade", "finding", "disposition", "cause"),
    [
        (Grade.B, Finding.NO_FAULT, Disposition.RESTOCK, Cause.SELLS_AGAIN),
        (Grade.C, Finding.CUSTOMER_DAMAGE, Disposition.REFURBISH, Cause.MENDING_PAYS),
        (Grade.C, Finding.SUPPLIER_DEFECT, Disposition.RETURN_TO_SUPPLIER, Cause.SUPPLIER_OWES),
        (Grade.D, Finding.CUSTOMER_DAMAGE, Disposition.SCRAP, Cause.NOT_WORTH_MENDING),
    ],
)
def test_agreeing_carries_the_suggestion_out(
    desk: Desk, grade: Grade, finding: Finding, disposition: Disposition, cause: Cause
) -> None:
    inspection_id = inspected(desk, grade, finding)
    suggestion = proposing.suggest(desk.world.begin(), [inspection_id])[inspection_id]
    assert (suggestion.proposed.disposition, suggestion.proposed.cause) == (disposition, cause)
    settle(desk, Choice(inspection_id=inspection_id, disposition=disposition))
    assert disposal(desk, inspection_id) == (disposition, suggestion.proposed.why, False)


def test_deciding_otherwise_needs_a_reason_and_is_noted(desk: Desk) -> None:
    inspection_id = inspected(desk, Grade.A)
    with desk.world.refuses(ReasonNeeded, match="restock was proposed"):
        settle(desk, Choice(inspection_id=inspection_id, disposition=Disposition.SCRAP, why=" "))
    settle(desk, Choice(inspection_id=inspection_id, disposition=Disposition.SCRAP, why="smells of smoke"))
    assert disposal(desk, inspection_id) == (Disposition.SCRAP, "smells of smoke", True)


def test_a_scanned_bin_takes_the_goods(desk: Desk) -> None:
    item = desk.world.item("plate")
    [line] = desk.back(desk.authorize(desk.delivered(item, 3), 2))
    [inspection_id] = desk.inspect(line, 2)
    bin_id = desk.world.setup.bin_ids[3]
    code = desk.world.begin().scalar(sa.text(f"SELECT code FROM location WHERE id = {bin_id}"))
    with desk.world.refuses(BinMissing, match="there is no bin XX-99"):
        settle(desk, Choice(inspection_id=inspection_id, disposition=Disposition.RESTOCK, bin_code="XX-99"))
    settle(desk, Choice(inspection_id=inspection_id, disposition=Disposition.RESTOCK, bin_code=code))
    assert desk.world.at(item, bin_id) == 2


def test_unknown_inspections_and_strangers_are_refused(desk: Desk) -> None:
    with desk.world.refuses(InspectionUnknown, match="999999"):
        proposing.suggest(desk.world.begin(), [999999])
    inspection_id = inspected(desk, Grade.A)
    with desk.world.refuses(RoleMissing):
        settle(desk, Choice(inspection_id=inspection_id, disposition=Disposition.RESTOCK), username="planner")


def test_a_quote_is_what_the_refund_gives(desk: Desk) -> None:
    sold = desk.delivered(desk.world.item("mug"), 3, unit_price="3.33", paid=False)
    desk.pay(sold, 400)
    line = desk.returned(sold, 2)
    request = RefundRequest(return_line_id=line, quantity=2)
    quote = quoting.quote(desk.world.begin(), [request])[line]
    assert (quote.amount, quote.credited, quote.paid_back, quote.currency) == (666, 599, 67, "GBP")
    desk.refund(line, 2)
    [standing] = desk.invoices(sold)
    assert (standing.credited, standing.refunded) == (666, 67), "a refund is credited, too"
    with desk.world.refuses(MoreThanInvoiced):
        quoting.quote(desk.world.begin(), [request])
    assert quoting.quote(desk.world.begin(), []) == {}
