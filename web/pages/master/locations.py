"""The places of a site: bins are added in a row, moved along the pick path and retired when they are empty."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from scm.core.listing import Found
from scm.core.users import Role
from scm.master.cells import BadCell
from scm.stock import bin_records, bins
from scm.stock.bins import BadBin, BinRow
from web.area import PEOPLE, Area
from web.desk import Desk, act, done
from web.i18n import Text
from web.listing import Column
from web.pages.master import inline, wording
from web.pages.master.inline import Edited, InlinePage, Input

area = Area("master_locations", __name__)
CHANGERS = frozenset({Role.WAREHOUSE, Role.ADMIN})
INPUTS = {"pick_sequence": Input(numeric=True, longest=7), "retired": Input(options=wording.yes_or_no)}


def heading(found: Found, desk: Desk) -> Text:
    """This function will say how many places are shown."""
    return ngettext("%(num)s place", "%(num)s places", found.matching)


def save(session: Session, desk: Desk, edits: Sequence[Edited]) -> None:
    """This function will change bins, each as somebody believes it is."""
    for edit in edits:
        believed, wanted = (_bin(edit, text) for text in (edit.believed, edit.wanted))
        code = str(edit.row["code"])
        bins.change(session, code=code, site_id=desk.site_id, believed=believed, wanted=wanted, actor=desk.actor)


def whole(text: str, *, name: str) -> int:
    """This function will read a whole number of 0 or more. Raises `BadCell`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise BadCell(f"{name} cannot be {text[:20] or 'empty'}: write a whole number, for example 12")
    return int(text)


def _bin(edit: Edited, text: str) -> BinRow:
    sequence, retired = int(edit.row["pick_sequence"]), bool(edit.row["retired"])
    if edit.field == "pick_sequence":
        return BinRow(pick_sequence=whole(text, name="pick_sequence"), retired=retired)
    return BinRow(pick_sequence=sequence, retired=text == "yes")


PAGE: InlinePage = InlinePage(
    name="master_locations",
    rule="/master/locations",
    roles=PEOPLE,
    listing=lambda desk: bin_records.listing(site_id=desk.site_id),
    columns=(
        Column(field="code", label=_l("Place")),
        Column(field="kind", label=_l("Kind"), names=wording.PLACES, filtered=True, on_phone=False),
        Column(field="pick_sequence", label=_l("Pick path"), template="master/cell.html"),
        Column(field="items", label=_l("Items"), filtered=True, on_phone=False),
        Column(field="units", label=_l("Units"), filtered=True),
        Column(field="retired", label=_l("Retired"), template="master/cell.html", filtered=True),
    ),
    identity="code",
    heading=heading,
    why_empty=_l("A company begins with its bins; more are added here."),
    presets=((_l("Bins"), "kind=storage&retired=no"), (_l("Empty bins"), "kind=storage&units.to=0&retired=no")),
    actions="master/location_actions.html",
    editable=frozenset(INPUTS),
    apply=inline.applied(lambda: PAGE),
    changers=CHANGERS,
    inputs=INPUTS,
    save=save,
    adds="master/new_bins.html",
)
inline.register(area, PAGE)


@area.action("/master/locations/new", roles=CHANGERS)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will add bins numbered from the first code on."""
    codes = numbered(request.form.get("code", ""), whole(request.form.get("count", "1"), name="count"))
    first = whole(request.form.get("pick_sequence", ""), name="pick_sequence")
    act(
        "bin.add",
        lambda session: bins.add(
            session, codes, first_sequence=first, site_id=desk.site_id, company_id=desk.company.id, actor=desk.actor
        ),
    )
    said = ngettext("%(num)s bin is added.", "%(num)s bins are added.", len(codes))
    return done(url_for("master_locations.index", q=codes[0]), said)


def numbered(first: str, count: int) -> list[str]:
    """This function will count a code on at its last digits. Raises `BadBin`.

    >>> numbered("A-08", 3)
    ['A-08', 'A-09', 'A-10']
    """
    digits = first[len(first.rstrip("0123456789")) :]
    if not 1 <= count <= bins.MOST_AT_ONCE or (count > 1 and not digits):
        raise BadBin(f"{count} bins from {first[:40]!r} on: end the code in digits, and add 1 to {bins.MOST_AT_ONCE}")
    if count == 1:
        return [first]
    head = first[: len(first) - len(digits)]
    return [f"{head}{int(digits) + place:0{len(digits)}d}" for place in range(count)]
