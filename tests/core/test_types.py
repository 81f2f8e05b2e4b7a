"""Column types keep values exact on both databases, and refuse what they could not keep."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import exc
from sqlalchemy.orm import Session

from scm.core import types
from scm.core.db import Database


class Colour(enum.Enum):
    """Two colours."""

    RED = "red"
    BLUE = "blue"


SAMPLE = sa.Table(
    "sample",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", types.UtcDateTime),
    sa.Column("price", types.UnitPrice),
    sa.Column("rate", types.Rate),
    sa.Column("colour", types.enum_column(Colour)),
    sa.Column("content", types.Json),
)

prices = st.decimals(min_value=-(10**12), max_value=10**12, places=6)
rates = st.decimals(min_value=-(10**8), max_value=10**8, places=9)
NAIVE = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
instants = st.datetimes(NAIVE.replace(year=1900), NAIVE.replace(year=2200), timezones=st.timezones())
texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"))
contents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def sample(session: Session) -> Iterator[Session]:
    """A session with a table of every type, gone with the transaction."""
    SAMPLE.create(session.connection())
    yield session


def stored(session: Session, **values: Any) -> Any:
    """This function will write one row and read it back."""
    session.execute(sa.delete(SAMPLE))
    session.execute(sa.insert(SAMPLE), [values])
    return session.execute(sa.select(*(SAMPLE.c[name] for name in values))).one()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(price=prices, rate=rates, at=instants, content=contents, colour=st.sampled_from(Colour))
def test_values_come_back_exactly(
    sample: Session, price: Decimal, rate: Decimal, at: datetime, content: Any, colour: Colour
) -> None:
    row = stored(sample, price=price, rate=rate, at=at, content=content, colour=colour)
    assert (row.price, row.rate, row.content, row.colour) == (price, rate, content, colour)
    assert row.at == at.astimezone(UTC)
    assert row.at.utcoffset() == timedelta(0)


def test_nothing_comes_back_as_nothing(sample: Session) -> None:
    assert tuple(stored(sample, price=None, rate=None, at=None, content=None, colour=None)) == (None,) * 5


def test_a_zone_is_kept_as_an_instant(sample: Session) -> None:
    berlin = timezone(timedelta(hours=2))
    assert stored(sample, at=datetime(2026, 7, 1, 1, 30, tzinfo=berlin)).at == datetime(2026, 6, 30, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": NAIVE},
        {"price": 1.5},
        {"price": Decimal("0.0000001")},
        {"rate": Decimal("0.0000000001")},
        {"content": float("nan")},
        {"colour": "green"},
    ],
)
def test_what_cannot_be_kept_exactly_is_refused(sample: Session, wrong: dict[str, Any]) -> None:
    with pytest.raises((exc.StatementError, LookupError)):
        stored(sample, **wrong)


def test_a_colour_that_does_not_exist_is_refused_by_the_database(database: Database) -> None:
    with database.unit_of_work(write=True) as session:
        SAMPLE.create(session.connection())
    with pytest.raises(exc.IntegrityError, match="colour"), database.unit_of_work(write=True) as session:
        session.execute(sa.text("INSERT INTO sample (id, colour) VALUES (1, 'green')"))
