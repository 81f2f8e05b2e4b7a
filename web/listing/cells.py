"""The cells of a list, as HTML: what each kind of field looks like. A page of fifty rows has hundreds of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from flask_babel import gettext
from markupsafe import Markup, escape

from scm.core.listing import Field, Kind, Listing, Row
from web import formats, i18n
from web.desk import Desk
from web.listing import Column

RIGHT = frozenset({Kind.QUANTITY, Kind.NUMBER, Kind.MONEY, Kind.PRICE, Kind.RATE})
ONE_LINE = frozenset({Kind.CODE, Kind.DATE, Kind.INSTANT, Kind.CHOICE})
NAMES = frozenset({Kind.CODE, Kind.TEXT})  # what things are called is not translated
SIGNS = {"risk": "risk", "watch": "watch", "good": "good", "machine": "loop", "hand": "hand", "idle": "idle"}


def classes(column: Column, field: Field) -> str:
    """This function will give the classes of a column's cells."""
    found = ["num"] if field.kind in RIGHT else []
    if field.kind in ONE_LINE:
        found.append("nowrap")
    if field.kind is Kind.TEXT:
        found.append("name")
    if not column.on_phone:
        found.append("only-wide")
    return " ".join(found)


def opening(column: Column, field: Field) -> Markup:
    """This function will give the start tag of a column's cells."""
    names = classes(column, field)
    css = f' class="{names}"' if names else ""
    name = ' translate="no"' if field.kind in NAMES else ""
    return Markup(f"<td{css}{name}>")  # nothing in it comes from outside


def writer(column: Column, listing: Listing, desk: Desk) -> Callable[[Row], Markup]:
    """This function will give what writes a column's cell for a row, its decisions made once for all rows."""
    field = listing.field(column.field)
    write = _writer(field, column, desk)
    link, is_code = column.link, field.kind is Kind.CODE

    def cell(row: Row) -> Markup:
        value = row[field.name]
        if value is None:
            return Markup(formats.MISSING)
        text = write(row, value)
        if link is None:
            return text
        css = Markup(' class="code"') if is_code else ""
        return Markup('<a{} href="{}">{}</a>').format(css, link(row), text)

    return cell


def plain(column: Column, listing: Listing, row: Row, desk: Desk) -> Markup:
    """This function will write a single cell without its link, for pages that draw it in a way of their own."""
    return writer(dataclasses.replace(column, link=None, template=None), listing, desk)(row)


def status(meaning: str, text: str) -> Markup:
    """This function will write a status: a shape, a word and a hue."""
    return Markup('<span class="st st-{}"><svg class="ic" aria-hidden="true"><use href="#{}"/></svg>{}</span>').format(
        meaning, SIGNS[meaning], text
    )


def _writer(field: Field, column: Column, desk: Desk) -> Callable[[Row, Any], Markup]:
    beside = field.beside
    if field.kind is Kind.CHOICE:
        words = _choices(column, field)
        return lambda row, value: words.get(value) or escape(str(value))
    if field.kind is Kind.QUANTITY and beside is not None:
        return lambda row, value: _with_unit(value, row[beside])
    if field.kind is Kind.MONEY:
        return _of_currency(formats.amount, beside, desk.currency)
    if field.kind is Kind.PRICE:
        return _of_currency(formats.price, beside, desk.currency)
    if field.kind is Kind.FLAG:
        yes, no = escape(gettext("yes")), escape(gettext("no"))
        return lambda row, value: yes if value else no
    plain = PLAIN.get(field.kind, str)
    return lambda row, value: escape(plain(value))


def _choices(column: Column, field: Field) -> Mapping[Any, Markup]:
    members: list[Enum] = list(field.choices) if field.choices is not None else list(column.names)
    found = {}
    for member in members:
        word = str(column.names.get(member, member.value))
        meaning = column.meanings.get(member)
        found[member] = status(meaning, word) if meaning else escape(word)
    return found


def _of_currency(write: Callable[[Any, str], str], beside: str | None, usual: str) -> Callable[[Row, Any], Markup]:
    """An amount whose currency differs from row to row has it beside it; else the head of the column names it."""
    if beside is None:
        return lambda row, value: escape(write(value, usual))
    return lambda row, value: in_currency(write(value, row[beside]), row[beside])


def in_currency(text: str, currency: str) -> Markup:
    """This function will write an amount with its currency small beside it."""
    return Markup('{} <span class="unit">{}</span>').format(text, formats.symbol(currency))


def _with_unit(value: int, unit: str | None) -> Markup:
    if not unit:
        return escape(formats.count(value))
    return Markup('{} <span class="unit">{}</span>').format(formats.count(value), i18n.unit(unit))


PLAIN: Mapping[Kind, Callable[[Any], str]] = {
    Kind.QUANTITY: formats.count,
    Kind.NUMBER: formats.count,
    Kind.RATE: formats.percent,
    Kind.DATE: formats.day,
    Kind.INSTANT: formats.instant,
}
