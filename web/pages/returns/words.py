"""The words of the returns desk: steps, reasons, grades, findings, dispositions, and why one is proposed."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from flask_babel import lazy_gettext as _l

from aftersales.disposition import Cause, Disposition
from aftersales.documents import ReturnReason, ReturnState
from aftersales.inspection import Finding, Grade
from aftersales.parcels import ParcelState
from aftersales.proposing import Suggestion
from aftersales.return_sheet import Step
from web import formats
from web.i18n import Text

STEPS: Mapping[enum.Enum, Text] = {
    Step.INSPECT: _l("To inspect"),
    Step.DISPOSE: _l("To dispose of"),
    Step.REFUND: _l("To refund"),
    Step.RECEIVE: _l("On its way back"),
    Step.CLOSE: _l("To close"),
    Step.NOTHING: _l("Done"),
}
STEP_MEANINGS: Mapping[enum.Enum, str] = {
    Step.INSPECT: "watch",
    Step.DISPOSE: "watch",
    Step.REFUND: "watch",
    Step.RECEIVE: "idle",
    Step.CLOSE: "good",
    Step.NOTHING: "good",
}
NEXT: Mapping[enum.Enum, Text] = {
    Step.INSPECT: _l("look at what came back"),
    Step.DISPOSE: _l("decide what becomes of it"),
    Step.REFUND: _l("refund the customer"),
    Step.RECEIVE: _l("the parcel is expected"),
    Step.CLOSE: _l("everything is done: close the return"),
    Step.NOTHING: "",
}
STATES: Mapping[enum.Enum, Text] = {
    ReturnState.AUTHORIZED: _l("Authorized"),
    ReturnState.CLOSED: _l("Closed"),
    ReturnState.CANCELLED: _l("Cancelled"),
}
REASONS: Mapping[enum.Enum, Text] = {
    ReturnReason.UNWANTED: _l("Not wanted"),
    ReturnReason.DAMAGED: _l("Arrived damaged"),
    ReturnReason.DEFECTIVE: _l("Does not work"),
    ReturnReason.WRONG_ITEM: _l("Wrong item"),
    ReturnReason.LATE: _l("Came too late"),
}
GRADES: Mapping[Grade, Text] = {
    Grade.A: _l("A: as new, sealed"),
    Grade.B: _l("B: opened, complete, sound"),
    Grade.C: _l("C: damaged, can be mended"),
    Grade.D: _l("D: worthless"),
}
FINDINGS: Mapping[Finding, Text] = {
    Finding.NO_FAULT: _l("No fault found"),
    Finding.CUSTOMER_DAMAGE: _l("Damaged by the customer"),
    Finding.TRANSPORT_DAMAGE: _l("Damaged on the way"),
    Finding.SUPPLIER_DEFECT: _l("Supplier's defect"),
    Finding.OUR_MISTAKE: _l("Our mistake"),
}
DISPOSITIONS: Mapping[Disposition, Text] = {
    Disposition.RESTOCK: _l("Back to the shelf"),
    Disposition.REFURBISH: _l("Mend it"),
    Disposition.RETURN_TO_SUPPLIER: _l("Back to the supplier"),
    Disposition.SCRAP: _l("Scrap it"),
}
PARCELS: Mapping[ParcelState, Text] = {
    ParcelState.WAITING: _l("Belongs to nobody yet"),
    ParcelState.MATCHED: _l("Matched"),
    ParcelState.DISPOSED: _l("Taken off the queue"),
}


SENTENCES: Mapping[Cause, Text] = {
    Cause.SELLS_AGAIN: _l("Grade %(grade)s: it sells again for %(price)s."),
    Cause.MENDING_PAYS: _l("Grade %(grade)s: mending costs %(mend)s, it then sells for %(price)s."),
    Cause.SUPPLIER_OWES: _l("Grade %(grade)s by the supplier's defect: the supplier owes %(cost)s a piece."),
    Cause.NOT_SOLD_WITHIN_A_YEAR: _l(
        "Grade %(grade)s and %(weeks)s weeks of stock at hand: it would not be sold within a year."
    ),
    Cause.NOT_WORTH_MENDING: _l("Grade %(grade)s: mending for %(mend)s is not worth %(price)s."),
}


def why(suggestion: Suggestion) -> str:
    """This function will say in one sentence why a disposition is proposed. A † marks what is assumed."""
    facts, currency = suggestion.facts, suggestion.currency
    return str(SENTENCES[suggestion.proposed.cause]) % {
        "grade": facts.grade.name,
        "price": formats.shown_money(facts.resale_value, currency),
        "mend": f"{formats.shown_money(facts.refurbish_cost, currency)}†",
        "cost": formats.shown_money(facts.unit_cost, currency),
        "weeks": formats.count(facts.weeks_of_cover),
    }
