"""What the address of a list says: search, filters, order, page and columns, read strictly and written back.

`q=…`, `sort=-value`, `page=3`, `columns=a,b`, and for a field `state=draft&state=sent`, `due_date.from=2026-10-01`,
`value.to=500`, `name.has=mug`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from scm.core import listing as lists
from scm.core.listing import BadListQuery, Condition, Field, Kind, Listing, ListQuery
from scm.finance import money
from web.desk import Desk
from web.listing import Column, ListPage

MOST_PAGES = 1_000_000
OWN = ("q", "sort", "page", "columns", "size")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A list's address, understood: the query, the shown columns, and the pairs that say the same again."""

    query: ListQuery
    columns: Sequence[Column]
    pairs: Sequence[tuple[str, str]]

    def write(self, *, without: Sequence[str] = (), **changed: str) -> str:
        """This function will write the query part of the address with some names changed or left out."""
        left_out = {*without, *changed, "page"} - ({"page"} & changed.keys())
        kept = [(name, text) for name, text in self.pairs if name not in left_out]
        return urlencode(kept + [(name, text) for name, text in changed.items() if text])

    def without_pair(self, name: str, text: str) -> str:
        """This function will write the query without one value of a filter."""
        kept = [pair for pair in self.pairs if pair != (name, text) and pair[0] != "page"]
        return urlencode(kept)

    @property
    def is_filtered(self) -> bool:
        """Whether anything but order and columns was asked."""
        return bool(self.query.search or self.query.conditions)


def read(page: ListPage, listing: Listing, desk: Desk, args: MultiDict[str, str]) -> Asked:
    """This function will read an address. Raises `BadListQuery` naming what cannot be."""
    known = {one.field for one in page.columns} | {one.name for one in listing.fields}
    for name in args:
        if name not in OWN and name.partition(".")[0] not in known:
            raise BadListQuery(f"this list has no filter {name[:40]!r}: leave it out of the address")
    conditions = []
    for one in listing.fields:
        condition = _condition(one, desk, args)
        if condition is not None:
            conditions.append(condition)
    search = args.get("q", "").strip()
    query = ListQuery(
        search=search,
        conditions=tuple(conditions),
        order=_order(listing, args.get("sort", "")),
        page=_page_number(args.get("page", "1")),
    )
    pairs = [(name, text) for name, texts in args.lists() for text in texts if text]
    return Asked(query=query, columns=_columns(page, args.get("columns", "")), pairs=pairs)


def _columns(page: ListPage, text: str) -> Sequence[Column]:
    if not text:
        return [one for one in page.columns if one.shown]
    by_name = {one.field: one for one in page.columns}
    wanted = [name for name in text.split(",") if name]
    for name in wanted:
        if name not in by_name:
            raise BadListQuery(f"this list has no column {name[:40]!r}: it has {', '.join(by_name)}")
    return [by_name[name] for name in dict.fromkeys(wanted)]


def _order(listing: Listing, text: str) -> tuple[str, bool] | None:
    if not text:
        return None
    name = text.removeprefix("-")
    listing.field(name)
    return name, text.startswith("-")


def _page_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and 1 <= int(text) <= MOST_PAGES):
        raise BadListQuery(f"page is {text[:20]!r}: it must be a whole number from 1 to {MOST_PAGES:,}")
    return int(text)


def _condition(one: Field, desk: Desk, args: MultiDict[str, str]) -> Condition | None:
    least, most = args.get(f"{one.name}.from", ""), args.get(f"{one.name}.to", "")
    if one.kind is Kind.INSTANT:
        return _instants(one, desk, least, most)
    if one.kind is Kind.MONEY:
        least, most = _minor(one, desk, least), _minor(one, desk, most)
    has = args.get(f"{one.name}.has", "")
    return lists.read_condition(one, raw=args.getlist(one.name), least=least, most=most, text=has)


def _instants(one: Field, desk: Desk, least: str, most: str) -> Condition | None:
    """Days of the site become the instants at which they begin and end."""
    if not least and not most:
        return None
    zone = ZoneInfo(desk.zone)
    first = datetime.combine(_day(one, least), time(), tzinfo=zone) if least else None
    last = datetime.combine(_day(one, most) + timedelta(days=1), time(), tzinfo=zone) if most else None
    return Condition(field=one.name, least=first, most=last - timedelta(microseconds=1) if last else None)


def _day(one: Field, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadListQuery(f"{one.name} is {text[:40]!r}: write the date as YYYY-MM-DD") from None


def _minor(one: Field, desk: Desk, text: str) -> str:
    if not text:
        return ""
    whole, _, rest = text.removeprefix("-").partition(".")
    places = money.places(desk.currency)
    good = whole.isascii() and whole.isdigit() and len(whole) <= 12 and len(rest) <= places
    if not good or not (rest == "" or (rest.isascii() and rest.isdigit())):
        raise BadListQuery(f"{one.name} is {text[:40]!r}: write an amount such as 1250 or 1250.50")
    sign = "-" if text.startswith("-") else ""
    return f"{sign}{whole}{rest.ljust(places, '0')}"
