"""Writes many rows at once from columns, past the ORM: COPY on PostgreSQL, one prepared INSERT on SQLite.

For imports and fact tables only. It decides nothing; it writes in the session's transaction, and constraints and
triggers hold as for any other write.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Session

CHUNK = 20_000  # rows made into Python values at a time
NULL = -1

Integers = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Coded:
    """A column of few distinct values: row by row the place of its value in `values`, or -1 for NULL.

    The values are Python values of the column's type (an enum member, a date, an aware datetime, a Decimal, a str).
    """

    codes: Integers
    values: Sequence[Any]


@dataclass(frozen=True)
class Nullable:
    """A column of whole numbers above or at zero, in which -1 stands for NULL."""

    numbers: Integers


Column = Integers | Coded | Nullable
"""A bare array holds whole numbers exactly as they are stored (scaled prices already scaled)."""


def insert(
    session: Session,
    table: sa.Table,
    columns: Mapping[str, Column],
    *,
    advance: Callable[[int], None] | None = None,
) -> int:
    """This function will insert one row per position of the columns, which are of one length, and return how many.

    `advance` is told after each chunk how many rows it had. Raises `ValueError` when the lengths differ.
    """
    lengths = {name: len(_numbers(column)) for name, column in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"the columns of {table.name} differ in length: {lengths}")
    count = next(iter(lengths.values()))
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        _copy(connection, table, columns, _chunks(count, advance))
    else:
        _execute_many(connection, table, columns, _chunks(count, advance))
    return count


def insert_rows(session: Session, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """This function will insert rows of a table with a numbered `id` and return their ids in order.

    Every row names the same columns, all that have no default in the database. For thousands of rows: an INSERT with
    RETURNING spends several times as long on its parameters.
    """
    if not rows:
        return []
    ids = _draw_ids(session, table, len(rows))
    columns: dict[str, Column] = {"id": np.array(ids, dtype=np.int64)}
    places = np.arange(len(rows))
    for name in rows[0]:
        columns[name] = Coded(places, [row[name] for row in rows])
    insert(session, table, columns)
    return ids


def _draw_ids(session: Session, table: sa.Table, count: int) -> list[int]:
    if session.connection().dialect.name == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(table.name, "id")
        numbers = sa.select(sa.func.nextval(sequence)).select_from(sa.func.generate_series(1, count))
        return [int(number) for number in session.scalars(numbers)]
    last = session.scalar(sa.select(sa.func.max(table.c.id))) or 0  # a writer on SQLite is alone
    return list(range(last + 1, last + 1 + count))


def _numbers(column: Column) -> Integers:
    if isinstance(column, Coded):
        return column.codes
    return column.numbers if isinstance(column, Nullable) else column


def _execute_many(
    connection: sa.Connection, table: sa.Table, columns: Mapping[str, Column], chunks: Iterator[slice]
) -> None:
    stored = {name: _stored(connection, table.c[name], column) for name, column in columns.items()}
    names = ", ".join(connection.dialect.identifier_preparer.quote(name) for name in columns)
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"
    with _driver(connection, statement) as driver:
        for chunk in chunks:
            rows = zip(*(_values(column, stored[name], chunk) for name, column in columns.items()), strict=True)
            driver.executemany(statement, rows)


def _copy(connection: sa.Connection, table: sa.Table, columns: Mapping[str, Column], chunks: Iterator[slice]) -> None:
    stored = {
        name: None if values is None else [_escaped(value) for value in values]
        for name, values in ((name, _stored(connection, table.c[name], column)) for name, column in columns.items())
    }
    names = ", ".join(connection.dialect.identifier_preparer.quote(name) for name in columns)
    statement = f"COPY {table.name} ({names}) FROM STDIN"
    with _driver(connection, statement) as driver, driver.cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in chunks:
            texts = [_texts(column, stored[name], chunk) for name, column in columns.items()]
            copy.write("\n".join(map("\t".join, zip(*texts, strict=True))) + "\n")


@contextlib.contextmanager
def _driver(connection: sa.Connection, statement: str) -> Iterator[Any]:
    """The driver's own connection. Its errors become SQLAlchemy's, as everywhere, so that outages are recognised."""
    dbapi_error: type[Exception] = connection.dialect.loaded_dbapi.Error
    try:
        yield connection.connection.driver_connection
    except dbapi_error as error:
        wrapped = exc.DBAPIError.instance(statement, None, error, dbapi_error, dialect=connection.dialect)
        raise wrapped from error


def _chunks(count: int, advance: Callable[[int], None] | None) -> Iterator[slice]:
    for start in range(0, count, CHUNK):
        end = min(start + CHUNK, count)
        yield slice(start, end)
        if advance is not None:
            advance(end - start)


def _stored(connection: sa.Connection, described: sa.Column[Any], column: Column) -> list[Any] | None:
    """The distinct values as the driver takes them; the type's own conversion runs once per value, not per row."""
    if not isinstance(column, Coded):
        return None
    process = described.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return [*(value if process is None else process(value) for value in column.values), None]


def _values(column: Column, stored: list[Any] | None, chunk: slice) -> Sequence[Any]:
    if stored is not None:
        return list(map(stored.__getitem__, _numbers(column)[chunk].tolist()))  # -1 is the None at the end
    numbers: list[int] = _numbers(column)[chunk].tolist()
    return [None if n == NULL else n for n in numbers] if isinstance(column, Nullable) else numbers


def _texts(column: Column, stored: list[Any] | None, chunk: slice) -> list[str]:
    if stored is not None:
        return list(map(stored.__getitem__, _numbers(column)[chunk].tolist()))
    numbers: list[int] = _numbers(column)[chunk].tolist()
    if isinstance(column, Nullable):
        return ["\\N" if number == NULL else str(number) for number in numbers]
    return list(map(str, numbers))


def _escaped(value: Any) -> str:
    if value is None:
        return "\\N"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
