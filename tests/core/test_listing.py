"""Lists read from the database: any page of any filter and order is what sorting in memory gives, on both databases."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from scm.core import listing
from scm.core.listing import BadListQuery, Condition, Field, Kind, Listing, ListQuery

metadata = sa.MetaData()
TABLE = sa.Table(
    "listed_thing",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("quantity", sa.Integer),
    sa.Column("due", sa.Date),
    prefixes=["TEMPORARY"],
)
FIRST = date(2026, 1, 1)


class Size(enum.Enum):
    """A choice that is computed."""

    SMALL = "small"
    LARGE = "large"


def things(where: sa.ColumnElement[bool] | None = None) -> Listing:
    return Listing(
        name="things",
        rows=sa.select(TABLE.c.id).where(sa.true() if where is None else where),
        key=TABLE.c.id,
        fields=(
            Field(name="code", kind=Kind.CODE, value=TABLE.c.code),
            Field(name="quantity", kind=Kind.QUANTITY, value=TABLE.c.quantity),
            Field(name="due", kind=Kind.DATE, value=TABLE.c.due),
        ),
        search=(TABLE.c.code,),
        order=("due", False),
    )


def fill(session: Session, rows: Sequence[tuple[str, int | None, int | None]]) -> None:
    session.execute(sa.text("DROP TABLE IF EXISTS listed_thing"))
    metadata.create_all(session.connection())
    values = [
        {"id": number, "code": code, "quantity": quantity, "due": None if day is None else FIRST + timedelta(days=day)}
        for number, (code, quantity, day) in enumerate(rows, start=1)
    ]
    if values:
        session.execute(sa.insert(TABLE), values)


ROWS = st.lists(
    st.tuples(
        st.text(alphabet="aB%_\\'é中", min_size=1, max_size=4),
        st.none() | st.integers(-5, 5),
        st.none() | st.integers(0, 9),
    ),
    max_size=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=ROWS, descending=st.booleans(), field=st.sampled_from(["quantity", "due"]), size=st.integers(1, 7))
def test_the_pages_together_are_the_sorted_list(
    session: Session, rows: list[tuple[str, int | None, int | None]], descending: bool, field: str, size: int
) -> None:
    fill(session, rows)
    place = {"quantity": 1, "due": 2}[field]
    numbered = list(enumerate(rows, start=1))
    wanted = sorted(numbered, key=lambda row: (row[1][place] is None, row[1][place] or 0, row[0]), reverse=descending)
    query = ListQuery(order=(field, descending), size=size)
    found = listing.fetch(session, things(), query)
    seen = []
    for page in range(1, found.pages + 1):
        part = listing.fetch(session, things(), ListQuery(order=(field, descending), size=size, page=page))
        assert part.matching == len(rows)
        seen += [row["key"] for row in part.rows]
    assert seen == [number for number, _ in wanted]
    assert [row["key"] for row in listing.stream(session, things(), query)] == seen
    assert listing.keys(session, things(), query, most=1000) == seen


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=ROWS, word=st.text(alphabet="aB%_\\'é中", min_size=1, max_size=2))
def test_a_search_finds_exactly_what_holds_the_text(
    session: Session, rows: list[tuple[str, int | None, int | None]], word: str
) -> None:
    fill(session, rows)
    found = {row["key"] for row in listing.stream(session, things(), ListQuery(search=word))}
    wanted = {number for number, (code, _, _) in enumerate(rows, start=1) if word.lower() in code.lower()}
    assert found == wanted


def test_filters_bound_choose_and_combine(session: Session) -> None:
    fill(session, [("a", 1, 0), ("b", 2, 1), ("c", 3, 2), ("d", None, None)])

    def codes(*conditions: Condition) -> list[str]:
        return [row["code"] for row in listing.stream(session, things(), ListQuery(conditions=conditions))]

    assert codes(Condition(field="quantity", least=2)) == ["b", "c"]
    assert codes(Condition(field="quantity", least=2, most=2)) == ["b"]
    assert codes(Condition(field="due", most=FIRST)) == ["a"]
    assert codes(Condition(field="code", values=("a", "d"))) == ["a", "d"]
    assert codes(Condition(field="code", values=("a", "d")), Condition(field="quantity", least=0)) == ["a"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=ROWS, word=st.text(alphabet="aB%é", max_size=1), least=st.none() | st.integers(-5, 5))
def test_little_that_matches_is_read_as_much_is(
    session: Session, rows: list[tuple[str, int | None, int | None]], word: str, least: int | None
) -> None:
    fill(session, rows)
    query = ListQuery(search=word, conditions=(Condition(field="quantity", least=least),), order=("due", True), size=3)
    found = []
    for few in (0, 2, 500):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(listing, "FEW", few)
            found.append(listing.fetch(session, things(), query, sums=("quantity",)))
    assert found[0] == found[1] == found[2]
    assert found[0].matching == len(listing.keys(session, things(), query, most=1000))


def test_a_flag_is_found_as_it_is_shown(session: Session) -> None:
    fill(session, [("a", 1, 0), ("b", 2, 1), ("c", None, 2)])
    flagged = things()
    late = Field(name="late", kind=Kind.FLAG, value=TABLE.c.quantity > 1)
    flagged = dataclasses.replace(flagged, fields=(*flagged.fields, late))
    for values, wanted in (((True,), [2]), ((False,), [1]), ((True, False), [1, 2])):
        query = ListQuery(conditions=(Condition(field="late", values=values),))
        assert listing.keys(session, flagged, query, most=10) == wanted


def test_a_field_may_say_itself_which_rows_a_filter_holds(session: Session) -> None:
    fill(session, [("a", 1, 0), ("b", 2, 1)])
    kind = Field(
        name="kind",
        kind=Kind.TEXT,
        value=sa.func.upper(TABLE.c.code),
        holds=lambda condition, contains: contains(TABLE.c.code) if condition.text else TABLE.c.code == "a",
    )
    own = dataclasses.replace(things(), fields=(kind,), search=(lambda contains: contains(TABLE.c.code),))
    for query, wanted in (
        (ListQuery(conditions=(Condition(field="kind", text="B"),), order=("kind", True)), [2]),
        (ListQuery(conditions=(Condition(field="kind", values=("A",)),), order=("kind", True)), [1]),
        (ListQuery(search="b", order=("kind", True)), [2]),
    ):
        assert listing.keys(session, own, query, most=10) == wanted


def test_what_is_summed_is_all_that_matches_and_not_the_page(session: Session) -> None:
    fill(session, [(str(number), number, 0) for number in range(1, 11)])
    found = listing.fetch(session, things(), ListQuery(size=3), sums=("quantity",))
    assert (len(found.rows), found.sums) == (3, {"quantity": 55})


def test_a_page_behind_the_last_is_the_last(session: Session) -> None:
    fill(session, [("a", 1, 0), ("b", 2, 1)])
    assert listing.fetch(session, things(), ListQuery(page=99, size=1)).page == 2


def test_rows_of_somebody_else_are_in_no_page_count_or_key(session: Session) -> None:
    fill(session, [("ours", 1, 0), ("theirs", 1, 0)])
    ours = things(TABLE.c.code == "ours")
    assert listing.fetch(session, ours, ListQuery()).matching == 1
    assert listing.by_keys(session, ours, [1, 2]).keys() == {1}


def test_every_page_takes_three_statements(session: Session) -> None:
    fill(session, [(str(number), number, 0) for number in range(100)])
    statements: list[str] = []
    engine = session.get_bind().engine
    note = lambda *given: statements.append(given[2])  # noqa: E731
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        for page in (1, 3, 10):
            listing.fetch(session, things(), ListQuery(page=page, size=10))
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert len(statements) == 9  # a count, the page's keys, and their fields


CHOICE = Field(name="size", kind=Kind.CHOICE, value=sa.literal("small"), choices=Size)
DAY = Field(name="due", kind=Kind.DATE, value=TABLE.c.due)
COUNT = Field(name="quantity", kind=Kind.QUANTITY, value=TABLE.c.quantity)
FLAG = Field(name="late", kind=Kind.FLAG, value=sa.true())


@pytest.mark.parametrize(
    ("field", "raw", "says"),
    [
        (CHOICE, "huge", "it must be one of small, large"),
        (DAY, "31.12.2026", "write the date as YYYY-MM-DD"),
        (COUNT, "1.5", "it must be a whole number"),
        (COUNT, "1" * 40, "it must be a whole number"),
        (COUNT, "٣", "it must be a whole number"),
        (FLAG, "maybe", "it must be yes or no"),
    ],
)
def test_a_filter_that_cannot_be_read_says_why(field: Field, raw: str, says: str) -> None:
    with pytest.raises(BadListQuery, match=says):
        listing.read_condition(field, raw=[raw], least="", most="", text="")


def test_an_unknown_field_is_named_with_those_there_are(session: Session) -> None:
    fill(session, [])
    with pytest.raises(BadListQuery, match="it has code, quantity, due"):
        listing.fetch(session, things(), ListQuery(order=("password", False)))
    assert listing.read_condition(COUNT, raw=[], least="", most="", text="") is None
