"""Column types that keep a value exact on both databases: instants in UTC, scaled decimals, lower-case enums, JSON.

Money amounts and quantities need no type of their own: they are plain `BigInteger` columns holding the currency's
minor unit and the item's base unit.
"""

from __future__ import annotations

import enum
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

UNIT_PRICE_PLACES = 6
RATE_PLACES = 9


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored without a zone as UTC and given back as UTC. A naive value is refused."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        return dialect.type_descriptor(sa.DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no zone: instants are stored in UTC, pass an aware datetime")
        instant = value.astimezone(UTC)
        return instant if dialect.name == "postgresql" else instant.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _Scaled(TypeDecorator[Decimal]):
    """A decimal with a fixed number of places, stored as an integer so that SQLite keeps it exact."""

    impl = sa.BigInteger
    cache_ok = True
    places = 0

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError(f"{value!r} is {type(value).__name__}: pass a Decimal")
        scaled = value.scaleb(self.places)
        whole = int(scaled)
        if scaled != whole:
            raise ValueError(f"{value} has more than {self.places} decimal places: round it where the rule is known")
        return whole

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-self.places)


class UnitPrice(_Scaled):
    """A price or cost per base unit in major currency units, six places."""

    cache_ok = True
    places = UNIT_PRICE_PLACES


class Rate(_Scaled):
    """A share (0 to 1) or an exchange rate, nine places."""

    cache_ok = True
    places = RATE_PLACES


class Json(TypeDecorator[Any]):
    """A JSON value as canonical text: the same value is the same text on both databases, so it can be hashed."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def canonical_json(value: Any) -> str:
    """This function will write a JSON value as text with sorted keys and no spaces; NaN is refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def enum_column(members: type[enum.Enum], *, length: int = 24) -> sa.Enum:
    """This function will describe a column that stores an enum's lower-case value, guarded by a CHECK."""
    return sa.Enum(
        members,
        values_callable=lambda kind: [member.value for member in kind],
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=length,
        name=_snake(members.__name__),
    )


def _snake(name: str) -> str:
    return "".join(("_" + letter.lower()) if letter.isupper() else letter for letter in name).lstrip("_")
