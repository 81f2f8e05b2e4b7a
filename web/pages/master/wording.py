"""The words of master data: states, places, weekdays, and what items lack."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from flask_babel import lazy_gettext as _l

from scm.core.users import Role
from scm.master.items import ItemStatus
from scm.master.locations import LocationKind
from web.i18n import Text

STATUS: Mapping[enum.Enum, Text] = {
    ItemStatus.ACTIVE: _l("Active"),
    ItemStatus.PHASE_OUT: _l("Phase-out"),
    ItemStatus.RETIRED: _l("Retired"),
}
WEEKDAYS = (
    _l("Monday"),
    _l("Tuesday"),
    _l("Wednesday"),
    _l("Thursday"),
    _l("Friday"),
    _l("Saturday"),
    _l("Sunday"),
)
PLACES: Mapping[enum.Enum, Text] = {
    LocationKind.STORAGE: _l("Bin"),
    LocationKind.DOCK: _l("Dock"),
    LocationKind.STAGING: _l("Staging"),
    LocationKind.TRANSIT: _l("In transit"),
    LocationKind.DELIVERY: _l("On delivery"),
    LocationKind.SUPPLIER: _l("Supplier"),
    LocationKind.CUSTOMER: _l("Customer"),
    LocationKind.PRODUCTION: _l("Production"),
    LocationKind.PARTNER: _l("At a partner"),
    LocationKind.RETURNS: _l("Returns cage"),
    LocationKind.QUARANTINE: _l("Quarantine"),
    LocationKind.SCRAP: _l("Scrap"),
    LocationKind.ADJUSTMENT: _l("Adjustments"),
}
# By the name of the lack: what is missing, and what cannot be done without it.
LACKS = {
    "agreement": (_l("No supplier"), _l("It cannot be planned or ordered: agree with a supplier on it.")),
    "terms": (_l("No terms of order"), _l("The plan stops at a supplier without currency and review period.")),
    "price": (_l("No sale price"), _l("Its risk and its returns cannot be weighed.")),
    "cost": (_l("No cost"), _l("Its stock has no value until the first receipt.")),
    "email": (_l("No supplier e-mail"), _l("Its orders have no address to be sent to.")),
    "lead_time": (_l("Lead time not measured"), _l("No delivery was counted yet: the plan relies on the agreed days.")),
    "category": (_l("No category"), _l("It cannot borrow a season from its family.")),
    "gtin": (_l("No GTIN"), _l("It cannot be scanned by the label of its maker.")),
}
# Who may bring and take files of whole rows.
FILE_KEEPERS = frozenset({Role.PLANNER, Role.BUYER, Role.ADMIN})
ASSUMED_HINT = _l("Nobody has told this figure: it was made up from the rest. Saving it confirms it.")


def item_address(sku: str) -> str:
    """This function will give the address of an item's page."""
    return f"/items/{quote(sku, safe='')}"


def supplier_address(code: str) -> str:
    """This function will give the address of a supplier's page."""
    return f"/suppliers/{quote(code, safe='')}"


def yes_or_no() -> Sequence[tuple[str, Text]]:
    """This function will give the choices of a flag."""
    return (("yes", _l("yes")), ("no", _l("no")))


def statuses() -> Sequence[tuple[str, Text]]:
    """This function will give the choices of an item's status."""
    return [(str(status.value), word) for status, word in STATUS.items()]


def weekdays() -> Sequence[tuple[str, Text]]:
    """This function will give the weekdays on which a supplier may be ordered from."""
    return [("", _l("any day")), *((str(number), word) for number, word in enumerate(WEEKDAYS))]
