"""The words of sales orders: how far one is, and on what a line's date was promised."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from scm.sales.order_sheet import Progress, SheetLine
from scm.sales.status import LineStatus
from web import formats
from web.i18n import Text

PROGRESS: Mapping[enum.Enum, Text] = {
    Progress.DRAFT: _l("Draft"),
    Progress.WAITING: _l("Waits for supply"),
    Progress.RESERVED: _l("Reserved"),
    Progress.PICKED: _l("Picked"),
    Progress.ON_THE_WAY: _l("On the way"),
    Progress.DELIVERED: _l("Delivered"),
    Progress.CANCELLED: _l("Cancelled"),
}
MEANINGS: Mapping[enum.Enum, str] = {
    Progress.DRAFT: "idle",
    Progress.WAITING: "watch",
    Progress.RESERVED: "idle",
    Progress.PICKED: "idle",
    Progress.ON_THE_WAY: "good",
    Progress.DELIVERED: "good",
    Progress.CANCELLED: "idle",
}
NEXT: Mapping[enum.Enum, Text] = {
    Progress.DRAFT: _l("sales confirms the order"),
    Progress.WAITING: _l("supply is awaited"),
    Progress.RESERVED: _l("the warehouse releases a wave"),
    Progress.PICKED: _l("the warehouse packs and ships"),
    Progress.ON_THE_WAY: _l("the carrier delivers"),
    Progress.DELIVERED: "",
    Progress.CANCELLED: "",
}


def parts(line: LineStatus) -> list[Text]:
    """This function will say where the units of a line are that have not arrived."""
    shares = (
        (line.waiting, _l("%(units)s waiting")),
        (line.reserved, _l("%(units)s reserved")),
        (line.picked - line.shipped, _l("%(units)s picked")),
        (line.shipped - line.delivered, _l("%(units)s on the way")),
        (line.cancelled, _l("%(units)s cancelled")),
    )
    return [str(said) % {"units": formats.count(units)} for units, said in shares if units]


def why_promised(line: SheetLine, numbers: Mapping[int, str]) -> Text:
    """This function will say on what a line's promised date rests. `numbers` names purchase orders by their ids."""
    if line.progress in (Progress.CANCELLED, Progress.DRAFT, Progress.DELIVERED, Progress.ON_THE_WAY):
        return ""
    if line.waits:
        awaited = [one for one in line.bought if not one.arrived and not one.orphaned]
        if awaited:
            last = awaited[-1]
            return gettext(
                "%(waiting)s wait for %(number)s, due %(day)s.",
                waiting=formats.count(line.waits),
                number=numbers.get(last.document_id, "–"),
                day=formats.day(last.due_date),
            )
        if line.status.promised_date is None:
            return gettext("%(waiting)s wait, and nobody supplies them.", waiting=formats.count(line.waits))
        return gettext(
            "%(waiting)s wait; nothing is on order for them, the agreed lead time was promised.",
            waiting=formats.count(line.waits),
        )
    if line.leaves_date is not None:
        return gettext("In stock and set aside: leaves on %(day)s.", day=formats.day(line.leaves_date))
    return gettext("Picked: it leaves with the next shipment.")
