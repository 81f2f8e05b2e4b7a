"""All items with what each lacks, changed in place; new ones are added here."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from procurement import completeness
from scm.core.listing import Found
from scm.core.users import Role
from scm.master import cells
from scm.stock import base_units
from web.area import PEOPLE, Area
from web.desk import Desk, act, done
from web.i18n import Text
from web.listing import Column
from web.pages.master import inline, wording
from web.pages.master.inline import Edited, InlinePage, Input

area = Area("master_items", __name__)
CHANGERS = frozenset({Role.PLANNER, Role.ADMIN})
INPUTS = {
    "name": Input(),
    "english_name": Input(hint=_l("Shown to who reads English.")),
    "gtin": Input(longest=14, hint=_l("8, 12, 13 or 14 digits; the last one checks the others.")),
    "category": Input(longest=40, hint=_l("A new name is a new category.")),
    "status": Input(options=wording.statuses),
    "sale_price": Input(numeric=True, longest=20),
    "opening_unit_cost": Input(numeric=True, longest=20),
    "lot_tracked": Input(options=wording.yes_or_no, hint=_l("It can only change before the first move.")),
    "shelf_life_days": Input(numeric=True, longest=5),
}
NEW = ("sku", "name", "gtin", "category", "sale_price")


def heading(found: Found, desk: Desk) -> Text:
    """This function will say how many items are shown."""
    return ngettext("%(num)s item", "%(num)s items", found.matching)


def save(session: Session, desk: Desk, edits: Sequence[Edited]) -> None:
    """This function will change cells of items; whether lots are tracked, only the goods ledger may decide."""
    texts = [edit for edit in edits if edit.field != "lot_tracked"]
    if texts:
        cells.change_items(session, [one.as_text("sku") for one in texts], company_id=desk.company.id, actor=desk.actor)
    for edit in edits:
        if edit.field == "lot_tracked":
            base_units.track_lots(
                session,
                sku=str(edit.row["sku"]),
                believed=edit.believed == "yes",
                wanted=edit.wanted == "yes",
                company_id=desk.company.id,
                actor=desk.actor,
            )


PAGE: InlinePage = InlinePage(
    name="master_items",
    rule="/master/items",
    roles=PEOPLE,
    listing=lambda desk: completeness.listing(company_id=desk.company.id),
    columns=(
        Column(field="sku", label=_l("SKU"), link=lambda row: wording.item_address(row["sku"])),
        Column(field="name", label=_l("Name"), template="master/cell.html"),
        Column(field="english_name", label=_l("English name"), template="master/cell.html", shown=False),
        Column(field="gtin", label=_l("GTIN"), template="master/cell.html", on_phone=False),
        Column(field="category", label=_l("Category"), template="master/cell.html", filtered=True, on_phone=False),
        Column(
            field="status",
            label=_l("Status"),
            template="master/cell.html",
            names=wording.STATUS,
            filtered=True,
            on_phone=False,
        ),
        Column(field="sale_price", label=_l("Sale price"), template="master/cell.html", on_phone=False),
        Column(field="opening_unit_cost", label=_l("Opening cost"), template="master/cell.html", on_phone=False),
        Column(field="lacks", label=_l("Lacks"), template="master/lacks.html", filtered=True, sortable=False),
        Column(field="lot_tracked", label=_l("Lots tracked"), template="master/cell.html", shown=False, filtered=True),
        Column(field="shelf_life_days", label=_l("Shelf life, days"), template="master/cell.html", shown=False),
        Column(field="base_unit", label=_l("Unit"), shown=False),
        Column(field="is_assumed", label=_l("Assumed figures"), shown=False, filtered=True, hint=wording.ASSUMED_HINT),
        *(
            Column(field=f"lacks_{name}", label=words, shown=False, filtered=True)
            for name, (words, _) in wording.LACKS.items()
        ),
    ),
    identity="sku",
    heading=heading,
    why_empty=_l("Items come with the first file of sales, with a file of items, or one by one."),
    presets=(
        (_l("Something is missing"), "lacks.from=1"),
        (_l("Assumed figures"), "is_assumed=yes"),
        (_l("In use"), "status=active&status=phase_out"),
    ),
    actions="master/item_actions.html",
    editable=frozenset(INPUTS),
    apply=inline.applied(lambda: PAGE),
    changers=CHANGERS,
    inputs=INPUTS,
    save=save,
    adds="master/new_item.html",
)
inline.register(area, PAGE)


@area.action("/master/items/new", roles=CHANGERS)
def add(desk: Desk) -> ResponseReturnValue:
    """This function will add an item counted in pieces."""
    texts = {name: request.form.get(name, "") for name in NEW} | {"base_unit": request.form.get("base_unit", "pc")}
    act(
        "item.add",
        lambda session: cells.add_item(session, texts, company_id=desk.company.id, actor=desk.actor),
    )
    said = gettext("%(sku)s is added. Agree with a supplier on it, so that it can be planned.", sku=texts["sku"])
    return done(url_for("master_items.index", q=texts["sku"]), said)
