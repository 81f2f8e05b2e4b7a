"""The words of bills, routings and work centres, and how their pages write ratios and read fields."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from flask_babel import lazy_gettext as _l

from scm.core.approval import Decision
from scm.core.users import Role
from scm.master import sheets
from scm.master.bom import BomKind, BomState
from scm.master.bom_content import BadBom
from web import formats
from web.i18n import Text

EDITORS = frozenset({Role.PLANNER, Role.ADMIN})
MOST_PLACES = 4  # of a ratio on a page; files and reckoning have it exactly

STATES: Mapping[enum.Enum, Text] = {
    BomState.DRAFT: _l("Draft"),
    BomState.SUBMITTED: _l("Waits for approval"),
    BomState.APPROVED: _l("Approved"),
    BomState.RETIRED: _l("Retired"),
}
MEANINGS: Mapping[enum.Enum, str] = {
    BomState.DRAFT: "idle",
    BomState.SUBMITTED: "watch",
    BomState.APPROVED: "good",
    BomState.RETIRED: "idle",
}
KINDS: Mapping[enum.Enum, Text] = {
    BomKind.MAKE: _l("Made here"),
    BomKind.SUBCONTRACT: _l("Made by a subcontractor"),
    BomKind.PHANTOM: _l("Phantom"),
    BomKind.KIT: _l("Kit"),
}
KIND_HINTS: Mapping[enum.Enum, Text] = {
    BomKind.MAKE: _l("A work order makes it at this site."),
    BomKind.SUBCONTRACT: _l("A partner makes it of components that are sent there."),
    BomKind.PHANTOM: _l("It is never ordered: its components stand in its place."),
    BomKind.KIT: _l("It is sold as one and picked as its components."),
}
DECISIONS: Mapping[enum.Enum, Text] = {
    Decision.PENDING: _l("waits"),
    Decision.APPROVED: _l("approved"),
    Decision.REJECTED: _l("rejected"),
    Decision.VOID: _l("taken back"),
}


def kinds() -> Sequence[tuple[str, Text]]:
    """This function will give the choices of a kind."""
    return [(str(kind.value), word) for kind, word in KINDS.items()]


def kind(text: str) -> BomKind:
    """This function will read a kind of a form. Raises `BadBom`."""
    if text not in {one.value for one in BomKind}:
        raise BadBom(f"the kind cannot be {text[:20] or 'empty'}: choose one of the list")
    return BomKind(text)


def ratio(value: Fraction) -> str:
    """This function will write a ratio with as many places as it needs, up to `MOST_PLACES`."""
    rounded = round(value, MOST_PLACES)
    places = next(places for places in range(MOST_PLACES + 1) if round(value, places) == rounded)
    exact = Decimal(rounded.numerator) / Decimal(rounded.denominator)
    return formats.decimal(exact, places)


def percent_of(share: Decimal) -> str:
    """This function will write a share as the per cent that `rate` reads.

    >>> percent_of(Decimal("0.025"))
    '2.5'
    """
    return sheets.show_plain(share.scaleb(2))


def whole(text: str, *, name: str, empty: int | None = None) -> int:
    """This function will read a whole number of a form; nothing is `empty`. Raises `BadBom`."""
    plain = text.strip()
    if not plain and empty is not None:
        return empty
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 12):
        raise BadBom(f"{name} cannot be {plain[:40] or 'empty'}: write a whole number, for example 12")
    return int(plain)


def rate(text: str, *, name: str, empty: Decimal) -> Decimal:
    """This function will read per cent as a share; nothing is `empty`. Raises `BadBom`."""
    plain = text.strip()
    if not plain:
        return empty
    try:
        share = Decimal(plain).scaleb(-2)
    except InvalidOperation:
        share = Decimal("NaN")
    if not share.is_finite() or share != share.quantize(Decimal("0.000000001")):
        raise BadBom(f"{name} cannot be {plain[:40]}: write per cent with a point, for example 2.5")
    return share


def day(text: str, *, name: str) -> date:
    """This function will read a day of a form. Raises `BadBom`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadBom(f"{name} cannot be {text[:20] or 'empty'}: write it as YYYY-MM-DD") from None


def clock_time(text: str) -> time:
    """This function will read a time of day to the minute. Raises `BadBom`."""
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise BadBom(f"a shift cannot begin or end at {text[:20] or 'no time'}: write it as 06:00") from None
