"""What each kind of exception is called, what its sum means, its sign, and when its rows close themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from scm.loop.exceptions.findings import Kind
from web.i18n import Text


@dataclass(frozen=True, kw_only=True)
class KindWords:
    """The head of a group: its name, what its sum means, its sign and hue, and when its rows close themselves."""

    title: Text
    note: Text
    closes: Text
    sign: str
    meaning: str = "watch"


def _words(title: Text, note: Text, closes: Text, sign: str, meaning: str = "watch") -> KindWords:
    return KindWords(title=title, note=note, closes=closes, sign=sign, meaning=meaning)


KINDS: Mapping[Kind, KindWords] = {
    Kind.STOCK_OUT: _words(
        _l("Stock-out risk"),
        _l("demand that cannot be shipped, at selling price"),
        _l("Closes itself when projected stock stays above 0"),
        "risk",
        "risk",
    ),
    Kind.LATE_SUPPLY: _words(
        _l("Late supply"),
        _l("selling price of the demand that waits for the late lines"),
        _l("Closes itself when the goods arrive or the order is cancelled"),
        "clock",
    ),
    Kind.PROPOSALS_DUE: _words(
        _l("Proposals to order today"),
        _l("what the open proposals come to"),
        _l("Closes itself when every proposal is answered"),
        "loop",
        "machine",
    ),
    Kind.FORECAST_BREAK: _words(
        _l("Forecast break"),
        _l("sales outside the band, at selling price"),
        _l("Closes itself when sales are back inside the band"),
        "break",
    ),
    Kind.LATE_SUPPLIER: _words(
        _l("Late supplier"),
        _l("cost of what the supplier still owes"),
        _l("Closes itself when deliveries take no longer than agreed"),
        "truck",
    ),
    Kind.EXCESS: _words(
        _l("Excess"),
        _l("stock beyond half a year of demand, at cost"),
        _l("Closes itself when cover falls below 180 days"),
        "box",
        "idle",
    ),
    Kind.TO_APPROVE: _words(
        _l("Orders to approve"),
        _l("value of the orders that wait for approval"),
        _l("Closes itself when the order is approved or sent back"),
        "clock",
    ),
    Kind.TO_DRAFT: _words(
        _l("Accepted, not ordered"),
        _l("value of accepted proposals that stand on no order"),
        _l("Closes itself when the order is drafted"),
        "clock",
    ),
    Kind.TO_SUBMIT: _words(
        _l("Drafts to submit"),
        _l("value of the drafts"),
        _l("Closes itself when the draft is submitted or cancelled"),
        "clock",
    ),
    Kind.TO_SEND: _words(
        _l("Approved, not sent"),
        _l("value of the approved orders"),
        _l("Closes itself when the order is sent"),
        "clock",
    ),
    Kind.PRICE_MOVED: _words(
        _l("Prices that moved"),
        _l("difference to the agreed price since the order was written"),
        _l("Closes itself when the order has the agreed price again, or is sent"),
        "watch",
    ),
    Kind.UNCONFIRMED: _words(
        _l("Unconfirmed orders"),
        _l("cost of what was ordered and nobody confirmed"),
        _l("Closes itself when the supplier confirms or delivers"),
        "clock",
    ),
    Kind.PAST_CUT_OFF: _words(
        _l("Past cut-off"),
        _l("promised goods that missed their carrier, at selling price"),
        _l("Closes itself when the goods leave the building"),
        "risk",
        "risk",
    ),
    Kind.SHIP_BY_RISK: _words(
        _l("Ship-by clocks running out"),
        _l("goods a channel has promised to ship by then, at selling price"),
        _l("Closes itself when the goods leave the building"),
        "risk",
        "risk",
    ),
    Kind.INBOUND_DUE: _words(
        _l("Inbound due"),
        _l("goods expected at the dock by today"),
        _l("Closes itself when the goods are received"),
        "truck",
    ),
    Kind.SHORT_PICK: _words(
        _l("Short picks"),
        _l("promised goods that were not in their bin, at selling price"),
        _l("Closes itself when the rest is picked from another bin"),
        "watch",
    ),
    Kind.TO_PUT_AWAY: _words(
        _l("Put-away waiting"),
        _l("goods at the dock, at cost"),
        _l("Closes itself when the goods are on their shelf"),
        "box",
    ),
    Kind.COUNT_TO_APPROVE: _words(
        _l("Counts to approve"),
        _l("difference between count and books, at cost"),
        _l("Closes itself when somebody else approves or rejects the count"),
        "clock",
    ),
    Kind.QUARANTINED: _words(
        _l("In quarantine"),
        _l("goods nobody may promise, at cost"),
        _l("Closes itself when the goods are released or written off"),
        "watch",
    ),
    Kind.TRANSFER_LATE: _words(
        _l("Late transfers"),
        _l("goods that should have left or arrived, at cost"),
        _l("Closes itself when the goods leave, arrive or are written off"),
        "clock",
    ),
    Kind.TRANSFER_SHORT: _words(
        _l("Short transfers"),
        _l("goods left behind or not yet there, at cost"),
        _l("Closes itself when the rest arrives or is written off"),
        "watch",
    ),
    Kind.TO_INSPECT: _words(
        _l("Parcels to inspect"), _l("returned goods nobody looked at"), _l("Closes itself when it is inspected"), "box"
    ),
    Kind.TO_DISPOSE: _words(
        _l("Returns to decide on"),
        _l("inspected goods that wait for a disposition"),
        _l("Closes itself when it is decided where the goods go"),
        "watch",
    ),
    Kind.TO_REFUND: _words(
        _l("Refunds to give"),
        _l("customers who wait for their money"),
        _l("Closes itself when the refund is given"),
        "clock",
    ),
    Kind.RETURN_OVERDUE: _words(
        _l("Parcels that never came"),
        _l("authorized two weeks ago or longer"),
        _l("Closes itself when the parcel arrives or the return is closed"),
        "idle",
        "idle",
    ),
    Kind.ORDER_LATE: _words(
        _l("Orders past their promise"),
        _l("goods customers should have by now, at selling price"),
        _l("Closes itself when the goods leave the building or the order is cancelled"),
        "risk",
        "risk",
    ),
    Kind.ORDER_WAITS: _words(
        _l("Orders waiting for supply"),
        _l("goods customers wait for, at selling price"),
        _l("Closes itself when the goods are reserved or leave, or the line is cancelled"),
        "clock",
    ),
    Kind.JOB_FAILED: _words(
        _l("Failed jobs"),
        _l("nothing of them succeeded since"),
        _l("Closes itself when the job succeeds"),
        "risk",
        "risk",
    ),
    Kind.MESSAGE_DEAD: _words(
        _l("Undelivered messages"),
        _l("tried as often as they may be"),
        _l("Closes itself when the message is sent again and arrives"),
        "risk",
        "risk",
    ),
    Kind.FIGURES_ASSUMED: _words(
        _l("Suppliers with assumed figures"),
        _l("what is on order at figures nobody confirmed"),
        _l("Closes itself when the figures are confirmed"),
        "watch",
    ),
}
