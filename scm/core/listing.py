"""Lists as data: a room says which rows and fields a list has, and this reads any page, filter or order of it.

A `Listing` is a SELECT with named fields; a `ListQuery` is what a person asked for. Both databases get the same
statement. The keys of the wanted page are found first and the fields are computed for those rows only, so a deep page
costs a walk along keys and not the computation of every row before it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from scm.core.errors import InvalidInput

MOST_ROWS = 200  # on a page
LONGEST_SEARCH = 100
MOST_VALUES = 200  # of one filter
CHUNK = 2_000  # rows read at a time for an export
FEW = 3_000  # so many matching rows are looked for once; where there are more, they are counted and ordered apart

Row = Mapping[str, Any]
Contains = Callable[[sa.SQLColumnExpression[str]], sa.ColumnElement[bool]]
"""Whether a text contains the word that is searched for."""


class Kind(enum.Enum):
    """What a field holds; it decides how it is filtered, aligned, written and exported."""

    TEXT = "text"
    CODE = "code"
    CHOICE = "choice"
    QUANTITY = "quantity"
    NUMBER = "number"
    MONEY = "money"
    PRICE = "price"
    RATE = "rate"
    DATE = "date"
    INSTANT = "instant"
    FLAG = "flag"


WHOLE = frozenset({Kind.QUANTITY, Kind.NUMBER, Kind.MONEY})


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a list. `beside` names the field with its unit or currency.

    `holds` makes the condition of a filter where rows can be found faster than by working out the value of each.
    """

    name: str
    kind: Kind
    value: sa.SQLColumnExpression[Any]
    choices: type[enum.Enum] | None = None
    beside: str | None = None
    holds: Callable[[Condition, Contains], sa.ColumnElement[bool]] | None = None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Rows and fields of one list. `rows` selects from the tables with every join and the site's condition;
    `key` is unique in it and whole; `search` are the texts that the search box looks in. A text of another table may
    stand there as the condition it makes: `lambda contains: Order.customer_id.in_(select(…).where(contains(name)))`.
    """

    name: str
    rows: sa.Select[Any]
    key: sa.SQLColumnExpression[int]
    fields: Sequence[Field]
    search: Sequence[sa.SQLColumnExpression[str] | Callable[[Contains], sa.ColumnElement[bool]]] = ()
    order: tuple[str, bool] = ("", False)  # field and whether descending; the key decides between equals

    def field(self, name: str) -> Field:
        """This function will find a field. Raises `BadListQuery`."""
        for one in self.fields:
            if one.name == name:
                return one
        raise BadListQuery(f"this list has no field {name[:40]!r}: it has {', '.join(f.name for f in self.fields)}")


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One filter: any of `values`, or from `least` to `most` (both included), or containing `text`."""

    field: str
    values: tuple[Any, ...] = ()
    least: Any = None
    most: Any = None
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    """What a person asked of a list. Without `order`, the list's own."""

    search: str = ""
    conditions: tuple[Condition, ...] = ()
    order: tuple[str, bool] | None = None
    page: int = 1
    size: int = 50


@dataclass(frozen=True, kw_only=True)
class Found:
    """One page: its rows (`key` and the fields), and how many rows match in all."""

    rows: Sequence[Row]
    matching: int
    page: int
    pages: int
    sums: Mapping[str, int] = field(default_factory=dict)


class BadListQuery(InvalidInput):
    """A filter, an order or a page that cannot be."""


def fetch(session: Session, listing: Listing, query: ListQuery, *, sums: Sequence[str] = ()) -> Found:
    """This function will read one page in two to four queries. A page behind the last one is the last one.

    `sums` names whole-number fields to add up over all that matches. Raises `BadListQuery`.
    """
    if not 1 <= query.size <= MOST_ROWS:
        raise BadListQuery(f"a page has {query.size} rows: ask for 1 to {MOST_ROWS}")
    if query.order is not None:
        listing.field(query.order[0])  # refused also where nothing matches
    matching_rows = _matching(session, listing, query)
    if query.search or query.conditions:
        few = _few(session, listing, query, matching_rows)
        if few is not None:
            return _page_of(session, listing, query, few, sums=sums)
    totals = [sa.func.count()] + [sa.func.sum(listing.field(name).value) for name in sums]
    counted = session.execute(matching_rows.with_only_columns(*totals, maintain_column_froms=True).order_by(None)).one()
    matching = int(counted[0])
    pages = max(1, -(-matching // query.size))
    page = min(max(query.page, 1), pages)
    rows = _page(session, listing, query, matching_rows, first=(page - 1) * query.size, matching=matching)
    return Found(
        rows=rows,
        matching=matching,
        page=page,
        pages=pages,
        sums={name: int(total or 0) for name, total in zip(sums, counted[1:], strict=True)},
    )


def keys(session: Session, listing: Listing, query: ListQuery, *, most: int) -> list[int]:
    """This function will list the keys of all that matches, for a change in bulk. Raises `BadListQuery` over `most`."""
    statement = _ordered(
        listing, query, _matching(session, listing, query).with_only_columns(listing.key, maintain_column_froms=True)
    )
    found = list(session.scalars(statement.limit(most + 1)))
    if len(found) > most:
        raise BadListQuery(f"more than {most:,} rows match: narrow the filter and do it in parts")
    return found


def stream(session: Session, listing: Listing, query: ListQuery) -> Iterator[Row]:
    """This function will read every matching row in order, a chunk at a time."""
    columns = _columns(listing)
    statement = _ordered(
        listing, query, _matching(session, listing, query).with_only_columns(*columns, maintain_column_froms=True)
    )
    result = session.execute(statement.execution_options(yield_per=CHUNK))
    for row in result.mappings():
        yield dict(row)


def by_keys(session: Session, listing: Listing, wanted: Sequence[int]) -> dict[int, Row]:
    """This function will read rows by their keys; keys that are not in the list are missing from the answer."""
    found: dict[int, Row] = {}
    for start in range(0, len(wanted), CHUNK // 4):
        part = list(wanted[start : start + CHUNK // 4])
        statement = listing.rows.with_only_columns(*_columns(listing), maintain_column_froms=True).where(
            listing.key.in_(part)
        )
        found |= {row["key"]: dict(row) for row in session.execute(statement).mappings()}
    return found


def _page(
    session: Session, listing: Listing, query: ListQuery, matching_rows: sa.Select[Any], *, first: int, matching: int
) -> list[Row]:
    size = min(query.size, matching - first)
    if size <= 0:
        return []
    wanted: sa.Select[Any] = matching_rows.with_only_columns(listing.key.label("key"), maintain_column_froms=True)
    backwards = first > matching // 2  # the far half is nearer from the end
    offset = matching - first - size if backwards else first
    wanted = _ordered(listing, query, wanted, backwards=backwards).limit(size).offset(offset)
    found = list(session.scalars(wanted))
    by_key = by_keys(session, listing, found)
    in_order = [by_key[key] for key in found if key in by_key]
    return in_order[::-1] if backwards else in_order


def _columns(listing: Listing) -> list[sa.ColumnElement[Any]]:
    return [listing.key.label("key"), *(one.value.label(one.name) for one in listing.fields)]


def _ordered(
    listing: Listing, query: ListQuery, statement: sa.Select[Any], *, backwards: bool = False
) -> sa.Select[Any]:
    name, descending = query.order or listing.order
    descending = descending != backwards
    by_key = listing.key.desc() if descending else listing.key.asc()
    if not name:
        return statement.order_by(by_key)
    value = listing.field(name).value
    if isinstance(value, sa.Column) and not value.nullable:  # an index of it can give the order
        return statement.order_by(value.desc() if descending else value.asc(), by_key)
    # Both databases put what is missing last in an ascending order, first in a descending one.
    missing = sa.case((value.is_(None), 1), else_=0)
    if descending:
        return statement.order_by(missing.desc(), value.desc(), by_key)
    return statement.order_by(missing, value.asc(), by_key)


def _few(session: Session, listing: Listing, query: ListQuery, matching_rows: sa.Select[Any]) -> list[int] | None:
    """The keys of all that matches, in order, when it is little: search and filters are then gone through once."""
    found = matching_rows.with_only_columns(listing.key, maintain_column_froms=True).limit(FEW).correlate(None)
    rows = listing.rows.with_only_columns(listing.key, maintain_column_froms=True).where(listing.key.in_(found))
    keys_in_order = list(session.scalars(_ordered(listing, query, rows)))
    return keys_in_order if len(keys_in_order) < FEW else None


def _page_of(
    session: Session, listing: Listing, query: ListQuery, found: Sequence[int], *, sums: Sequence[str]
) -> Found:
    """One page of rows whose keys are known."""
    pages = max(1, -(-len(found) // query.size))
    page = min(max(query.page, 1), pages)
    part = found[(page - 1) * query.size : page * query.size]
    by_key = by_keys(session, listing, part) if part else {}
    totals: Sequence[Any] = [0] * len(sums)
    if sums and found:
        wanted = [sa.func.sum(listing.field(name).value) for name in sums]
        rows = listing.rows.with_only_columns(*wanted, maintain_column_froms=True).where(listing.key.in_(found))
        totals = session.execute(rows.order_by(None)).one()
    return Found(
        rows=[by_key[key] for key in part if key in by_key],
        matching=len(found),
        page=page,
        pages=pages,
        sums={name: int(total or 0) for name, total in zip(sums, totals, strict=True)},
    )


def _matching(session: Session, listing: Listing, query: ListQuery) -> sa.Select[Any]:
    statement = listing.rows
    # SQLite's LIKE folds the letters that its lower() folds, and does it while it compares.
    folded = session.get_bind().dialect.name == "sqlite"
    for condition in query.conditions:
        statement = statement.where(_holds(listing.field(condition.field), condition, folded=folded))
    words = query.search.split()
    if len(query.search) > LONGEST_SEARCH or "\0" in query.search:
        raise BadListQuery(
            f"the search has {len(query.search)} characters: it may have {LONGEST_SEARCH}, none of code 0"
        )
    for word in words:
        contains = _contains(word, folded=folded)
        statement = statement.where(
            sa.or_(*(text(contains) if callable(text) else contains(text) for text in listing.search))
        )
    return statement


def _contains(word: str, *, folded: bool) -> Contains:
    pattern = f"%{_escaped(word.lower())}%"
    return lambda text: (text if folded else sa.func.lower(text)).like(pattern, escape="\\")


def _holds(one: Field, condition: Condition, *, folded: bool) -> sa.ColumnElement[bool]:
    if len(condition.values) > MOST_VALUES:
        raise BadListQuery(f"{one.name} is compared with {len(condition.values)} values: {MOST_VALUES} are possible")
    contains = _contains(condition.text, folded=folded)
    if one.holds is not None:
        return one.holds(condition, contains)
    parts: list[sa.ColumnElement[bool]] = []
    if one.kind is Kind.FLAG and len(condition.values) == 1:
        # As the condition it is: an index may help where none helps to find its value.
        flag: Any = one.value
        parts.append(flag if condition.values[0] else sa.not_(flag))
    elif condition.values:
        parts.append(one.value.in_(condition.values))
    if condition.least is not None:
        parts.append(one.value >= condition.least)
    if condition.most is not None:
        parts.append(one.value <= condition.most)
    if condition.text:
        parts.append(contains(one.value))
    return sa.and_(sa.true(), *parts)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def read_condition(one: Field, *, raw: Sequence[str], least: str, most: str, text: str) -> Condition | None:
    """This function will read a filter from texts, as an address carries them. Raises `BadListQuery`."""
    values = tuple(_value(one, item) for item in raw if item != "")
    condition = Condition(
        field=one.name,
        values=values,
        least=_value(one, least) if least else None,
        most=_value(one, most) if most else None,
        text=text.strip()[:LONGEST_SEARCH].replace("\0", ""),
    )
    empty = not values and condition.least is None and condition.most is None and not condition.text
    return None if empty else condition


def _value(one: Field, text: str) -> Any:
    if one.choices is not None:
        known = {member.value: member for member in one.choices}
        if text not in known:
            raise BadListQuery(f"{one.name} is {text[:40]!r}: it must be one of {', '.join(known)}")
        return known[text]
    if one.kind is Kind.DATE:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise BadListQuery(f"{one.name} is {text[:40]!r}: write the date as YYYY-MM-DD") from None
    if one.kind is Kind.FLAG:
        if text not in ("yes", "no"):
            raise BadListQuery(f"{one.name} is {text[:40]!r}: it must be yes or no")
        return text == "yes"
    if one.kind in WHOLE:
        body = text.removeprefix("-")
        if not (body.isascii() and body.isdigit() and len(body) <= 15):
            raise BadListQuery(f"{one.name} is {text[:40]!r}: it must be a whole number")
        return int(text)
    if len(text) > LONGEST_SEARCH or "\0" in text:
        raise BadListQuery(f"{one.name} has {len(text)} characters: it may have {LONGEST_SEARCH}, none of code 0")
    return text
