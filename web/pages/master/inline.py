"""Lists whose cells are changed in place: a click or Enter opens a field, Enter saves, a conflict shows both values.

What somebody believes stands in the cell is sent along. After a change its undo is offered, which is one more change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from flask import make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy.orm import Session

from scm.core import listing as lists
from scm.core.errors import Conflict, InvalidInput, ScmError
from scm.core.listing import WHOLE, Kind, Listing, Row
from scm.core.users import Role
from scm.finance import money
from scm.master import cells
from scm.master.cells import BadCell, ChangedMeanwhile, Edit
from web import errors, formats, i18n
from web.area import Area
from web.desk import Desk, act, done, is_partial, not_here, read
from web.i18n import Text
from web.listing import Change, ListPage, files, routes
from web.listing.cells import in_currency
from web.pages.master import wording


@dataclass(frozen=True, kw_only=True)
class Input:
    """How a cell is typed: `options` (value and word) make it a choice. `longest` is in characters."""

    options: Callable[[], Sequence[tuple[str, Text]]] | None = None
    numeric: bool = False
    longest: int = 200
    hint: Text = ""


@dataclass(frozen=True, kw_only=True)
class Edited:
    """One cell that somebody changes: its row as it is now, and the texts as `scm.master.cells.Edit` takes them."""

    row: Row
    field: str
    believed: str
    wanted: str
    assumed: bool = False

    def as_text(self, *key: str) -> Edit:
        """This function will give the edit as the room takes it; `key` are the fields that name the row there."""
        return Edit(
            key=tuple(str(self.row[name]) for name in key),
            column=self.field,
            believed=self.believed,
            wanted=self.wanted,
            assumed=self.assumed,
        )


@dataclass(frozen=True, kw_only=True)
class InlinePage(ListPage):
    """A list with cells to change. `save` carries all edits out in one verb; `adds` is a template with a form."""

    changers: frozenset[Role]
    inputs: Mapping[str, Input]
    save: Callable[[Session, Desk, Sequence[Edited]], None]
    adds: str | None = None
    template: str = "master/list.html"

    def may_change(self, desk: Desk, field: str = "") -> bool:
        """This function will tell whether somebody may change a cell of this field, or any."""
        return (not field or field in self.inputs) and desk.has(*self.changers)

    def is_assumed(self, row: Row, field: str) -> bool:
        """This function will tell whether a figure was assumed and nobody has confirmed it."""
        return cells.label_of(field) in (row.get("assumed") or ())

    def raw(self, listing: Listing, row: Row, field: str, desk: Desk) -> str:
        """This function will give the text that stands in the field when a cell is opened."""
        value = row[field]
        one = listing.field(field)
        return (
            str(value.value) if one.choices and value is not None else files.text_of(one, self.column(field), row, desk)
        )

    def shown(self, listing: Listing, row: Row, field: str, desk: Desk) -> Text:
        """This function will write a cell as people read it; here and not in a template, for a list has hundreds."""
        options, value, one = self.inputs[field].options, row[field], listing.field(field)
        if options is not None:
            raw = self.raw(listing, row, field, desk)
            return next((word for text, word in options() if text == raw), raw)
        if value is None:
            return formats.MISSING
        currency = str(row.get(one.beside or "") or desk.currency)
        if one.kind in (Kind.PRICE, Kind.MONEY):
            text = formats.price(value, currency) if one.kind is Kind.PRICE else formats.amount(value, currency)
            named = one.beside is None or self.column(one.beside).shown
            return text if named else in_currency(text, currency)
        if one.kind is Kind.RATE:
            return formats.percent(value)
        return formats.count(value) if one.kind in WHOLE else str(value)


def register(area: Area, page: InlinePage) -> None:
    """This function will give an area the routes of a list and of its cells. The area is called like the list."""

    def cell(desk: Desk, key: int, field: str) -> ResponseReturnValue:
        listing = page.listing(desk)
        with read() as session:
            row = _row(session, listing, key)
        if field not in page.inputs:
            not_here("column", field)
        opened = request.args.get("edit") == "yes" and page.may_change(desk, field)
        return _draw(page, listing, row, field, desk, opened=opened)

    def save_cell(desk: Desk) -> ResponseReturnValue:
        return _save(page, desk, area)

    routes.register(area, page)
    area.context_processor(_words)
    area.page(f"{page.rule}/cells/<int:key>/<field>", roles=page.roles)(cell)
    area.action(f"{page.rule}/cell", roles=page.changers)(save_cell)


def _words() -> dict[str, object]:
    """What the cells of a list say again and again, looked up once."""
    return {
        "lacks": wording.LACKS,
        "file_keepers": wording.FILE_KEEPERS,
        "change_word": gettext("Change"),
        "assumed_word": gettext("assumed"),
    }


def applied(page: Callable[[], InlinePage]) -> Callable[[Session, Desk, Sequence[Change]], None]:
    """This function will let a file that comes back change cells as the page does."""

    def apply(session: Session, desk: Desk, changes: Sequence[Change]) -> None:
        known = page()
        listing = known.listing(desk)
        rows = lists.by_keys(session, listing, [change.key for change in changes])
        edits = [
            Edited(
                row=rows[change.key],
                field=change.field,
                believed=_exact(known, listing, rows[change.key], change.field, change.before, desk),
                wanted=_exact(known, listing, rows[change.key], change.field, change.after, desk),
            )
            for change in changes
        ]
        known.save(session, desk, edits)

    return apply


def _save(page: InlinePage, desk: Desk, area: Area) -> ResponseReturnValue:
    form = request.form
    field, believed, wanted = form.get("field", ""), form.get("believed", ""), form.get("wanted", "")
    key = form.get("row", "")
    if len(form.getlist("row")) != 1 or not (key.isascii() and key.isdigit() and len(key) < 19):
        raise BadCell("one cell is changed at a time: close the other one first")
    if field not in page.inputs:
        not_here("column", field)
    listing = page.listing(desk)

    def change(session: Session) -> bool:
        row = _row(session, listing, int(key))
        texts = [_exact(page, listing, row, field, text, desk) for text in (believed, wanted)]
        assumed = form.get("assumed") == "yes"
        edit = Edited(row=row, field=field, believed=texts[0], wanted=texts[1], assumed=assumed)
        page.save(session, desk, [edit])
        return page.is_assumed(row, field)

    refusal, was_assumed = None, False
    try:
        was_assumed = act(f"{page.name}.cell", change)
    except (Conflict, InvalidInput) as error:
        refusal = error  # it is told beside the cell, where both values can be compared
    if not is_partial():
        if refusal is not None:
            raise refusal
        return done(url_for(f"{area.name}.index"))
    with read() as session:
        row = _row(session, listing, int(key))
    undo = None
    if refusal is None and (believed != wanted or was_assumed):
        undo = {"believed": wanted, "wanted": believed, "assumed": "yes" if was_assumed else ""}
    return _draw(page, listing, row, field, desk, opened=refusal is not None, refusal=refusal, wanted=wanted, undo=undo)


def _draw(
    page: InlinePage,
    listing: Listing,
    row: Row,
    field: str,
    desk: Desk,
    *,
    opened: bool,
    refusal: ScmError | None = None,
    wanted: str | None = None,
    undo: Mapping[str, str] | None = None,
) -> ResponseReturnValue:
    raw = page.raw(listing, row, field, desk)
    answer = make_response(
        render_template(
            "master/editor.html" if opened else "master/saved.html",
            page=page,
            listing=listing,
            column=page.column(field),
            row=row,
            raw=raw,
            wanted=raw if wanted is None else wanted,
            refusal=i18n.refusal(refusal) if refusal is not None else "",
            both=isinstance(refusal, ChangedMeanwhile),
            undo=undo,
        ),
        200 if refusal is None else errors.status_of(refusal),
    )
    answer.headers["HX-Retarget"] = f"#cell-{row['key']}-{field}"
    answer.headers["HX-Reswap"] = "outerHTML"
    return answer


def _row(session: Session, listing: Listing, key: int) -> Row:
    found = lists.by_keys(session, listing, [key])
    if key not in found:
        not_here("row", str(key))
    return found[key]


def _exact(page: InlinePage, listing: Listing, row: Row, field: str, text: str, desk: Desk) -> str:
    """A text as it is typed, or stands in a file, as the room reads it: values of choices, amounts in minor units."""
    one = listing.field(field)
    if one.choices is not None:
        names = {str(page.column(field).names.get(member, "")): member.value for member in one.choices}
        return str(names.get(text, text))
    if one.kind is not Kind.MONEY or text == "":
        return text
    currency = row.get(one.beside or "") or desk.currency
    try:
        minor = Decimal(text).scaleb(money.places(str(currency)))
    except InvalidOperation:
        raise BadCell(f"{field} cannot be {text[:40]!r}: write digits with a point, for example 12.50") from None
    if not minor.is_finite() or minor != minor.to_integral_value():
        raise BadCell(f"{field} cannot be {text[:40]}: {currency} has no such small amounts")
    return str(int(minor))
