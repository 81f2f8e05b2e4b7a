"""Backup and restore of a PostgreSQL database: every table by COPY, out of one state, back in one transaction."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import sqlalchemy as sa

from scm.core.db import Database
from web import migrations
from web.backup import Manifest, RestoreFailed
from web.backup.archive import CHUNK, Writing

VERSION = "alembic_version"


def write(
    database: Database, writing: Writing, *, advance: Callable[[], None]
) -> tuple[dict[str, int], str | None, dict[str, int | None]]:
    """This function will write every table as one part; gives their counts, the revision and the sequences."""
    counts: dict[str, int] = {}
    with database.snapshot() as connection:
        cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
        for name, columns, keys in _tables(connection):
            order = f" ORDER BY {keys}" if keys else ""
            with writing.part(_part(name)) as part:
                rows = 0
                with cursor.copy(f'COPY (SELECT {columns} FROM "{name}"{order}) TO STDOUT') as copy:
                    for block in copy:
                        data = bytes(block)
                        rows += data.count(b"\n")  # a line end inside a value is escaped
                        part.write(data)
            counts[name] = rows
            advance()
        revision = connection.scalar(sa.text(f"SELECT version_num FROM {VERSION}"))
        # Sequences obey no transaction. Read after the tables they can only be ahead of them, which is right.
        sequences = {
            str(row.sequencename): row.last_value
            for row in connection.execute(
                sa.text("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()")
            )
        }
    return counts, revision, sequences


def restore(database: Database, archive: zipfile.ZipFile, manifest: Manifest, *, advance: Callable[[], None]) -> None:
    """This function will put the backup in place of what the tables hold: all of it, or nothing.

    The triggers that keep the past, and those that note new moves, rest meanwhile; every other constraint holds.
    Raises `RestoreFailed`.
    """
    with _refusals(), database.unit_of_work(write=True) as session:
        connection = session.connection()
        cursor = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
        tables = _tables(connection)
        if {name for name, _, _ in tables} != set(manifest.rows):
            raise RestoreFailed("the tables of the database are not those of the backup: nothing was changed")
        _each(cursor, tables, 'ALTER TABLE "{}" DISABLE TRIGGER USER')
        cursor.execute("TRUNCATE " + ", ".join(f'"{name}"' for name, _, _ in tables))
        for name, columns, _ in tables:
            with archive.open(_part(name)) as stream, cursor.copy(f'COPY "{name}" ({columns}) FROM STDIN') as copy:
                while chunk := stream.read(CHUNK):
                    copy.write(chunk)
            found = cursor.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            if found != manifest.rows[name]:
                raise RestoreFailed(
                    f"{name} would have {found} rows, the backup has {manifest.rows[name]}: nothing was changed"
                )
            advance()
        for sequence, last in manifest.sequences.items():
            cursor.execute("SELECT setval(%s::regclass, %s, %s)", (f'"{sequence}"', last or 1, last is not None))
        _each(cursor, tables, 'ALTER TABLE "{}" ENABLE TRIGGER USER')


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """COPY passes SQLAlchemy by: what the server refuses arrives as the driver's own error."""
    try:
        yield
    except psycopg.Error as error:
        words = str(error).splitlines()[0]
        raise RestoreFailed(f"the server refuses what the backup holds ({words}): nothing was changed") from error


def _tables(connection: sa.Connection) -> list[tuple[str, str, str]]:
    """Name, columns and key of every table that is there, those that are referred to first."""
    there = sa.inspect(connection)
    names = set(there.get_table_names())
    known = [table.name for table in migrations.metadata().sorted_tables if table.name in names]
    order = [*known, *sorted(names - set(known))]
    return [
        (
            name,
            ", ".join(f'"{column["name"]}"' for column in there.get_columns(name)),
            ", ".join(f'"{key}"' for key in there.get_pk_constraint(name)["constrained_columns"]),
        )
        for name in order
    ]


def _each(cursor: Any, tables: list[tuple[str, str, str]], statement: str) -> None:
    for name, _, _ in tables:
        cursor.execute(statement.format(name))


def _part(name: str) -> str:
    return f"tables/{name}.copy"
