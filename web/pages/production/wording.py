"""The words of production: how far an order is, whether everything is there, and why something was scrapped."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from scm.master.bom import BomKind
from scm.production import snapshot
from scm.production.completeness import Availability, ComponentLine
from scm.production.documents import ScrapReason, WorkOrderState
from scm.production.order_sheet import OrderSheet
from web.i18n import Text

STATES: Mapping[WorkOrderState, Text] = {
    WorkOrderState.PLANNED: _l("Planned"),
    WorkOrderState.RELEASED: _l("Released"),
    WorkOrderState.STARTED: _l("In work"),
    WorkOrderState.COMPLETED: _l("Completed"),
    WorkOrderState.CLOSED: _l("Closed"),
    WorkOrderState.CANCELLED: _l("Cancelled"),
}
STATE_MEANINGS: Mapping[WorkOrderState, str] = {
    WorkOrderState.PLANNED: "idle",
    WorkOrderState.RELEASED: "machine",
    WorkOrderState.STARTED: "machine",
    WorkOrderState.COMPLETED: "good",
    WorkOrderState.CLOSED: "idle",
    WorkOrderState.CANCELLED: "idle",
}
KINDS: Mapping[BomKind, Text] = {
    BomKind.MAKE: _l("Made here"),
    BomKind.SUBCONTRACT: _l("Made by a partner"),
}
AVAILABILITIES: Mapping[Availability, tuple[str, Text]] = {
    Availability.ISSUED: ("good", _l("Issued")),
    Availability.READY: ("good", _l("There")),
    Availability.EXPECTED: ("watch", _l("Expected in time")),
    Availability.LATE: ("risk", _l("Expected too late")),
    Availability.MISSING: ("risk", _l("Missing")),
}
SCRAP_REASONS: Mapping[ScrapReason, Text] = {
    ScrapReason.MATERIAL: _l("Bad material"),
    ScrapReason.SETUP: _l("Setting up"),
    ScrapReason.MACHINE: _l("Machine"),
    ScrapReason.HANDLING: _l("Handling"),
    ScrapReason.OTHER: _l("Something else"),
}
# Steps that an order gets when its bill has no routing; the others are called as people wrote them.
OWN_STEPS: Mapping[str, Text] = {
    snapshot.ONE_STEP: _l("Make"),
    snapshot.AT_THE_PARTNER: _l("At the partner's"),
}
NEXT: Mapping[WorkOrderState, Text] = {
    WorkOrderState.PLANNED: _l("Release it when everything is there."),
    WorkOrderState.RELEASED: _l("Issue its components and report the work."),
    WorkOrderState.STARTED: _l("Report the work and complete what is good."),
    WorkOrderState.COMPLETED: _l("Bring back what is left over and close it."),
    WorkOrderState.CLOSED: "",
    WorkOrderState.CANCELLED: "",
}


def complete_set(sheet: OrderSheet) -> tuple[str, str]:
    """This function will give meaning and words for whether everything an order needs is there."""
    if not sheet.open:
        return "idle", str(STATES[sheet.state])
    short = sheet.short
    if not short:
        return "good", str(gettext("Everything is there"))
    worst = "risk" if any(line.availability is not Availability.EXPECTED for line in short) else "watch"
    said = ngettext("%(num)s component is short", "%(num)s components are short", len(short))
    return worst, str(said)


def substitutes(line: ComponentLine) -> str:
    """This function will say which substitutes have some that is free."""
    free = [
        gettext("%(units)s of %(sku)s", units=other.free, sku=other.sku) for other in line.substitutes if other.free
    ]
    return str(gettext("Free instead: %(named)s", named=", ".join(free))) if free else ""


def scrap_reasons() -> list[tuple[str, Text]]:
    """This function will give the choices of a form; the first is for no scrap."""
    return [("", "–"), *((reason.value, text) for reason, text in SCRAP_REASONS.items())]
