"""One way to a transaction, on two databases that then behave alike.

`Database.unit_of_work(write=…)` is the only place that begins, commits or rolls back. SQLite writers begin with
BEGIN IMMEDIATE, because a deferred transaction that has read is refused when it wants to write after somebody else
did, however long it is willing to wait; PostgreSQL runs READ COMMITTED with a lock timeout, and whoever needs a
stable figure locks the row first and reads it in a later statement.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.orm import DeclarativeBase, Session

from scm.core.errors import Unavailable

T = TypeVar("T")

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
RETRY_STATES = frozenset({"40001", "40P01"})  # serialization failure, deadlock detected
_open_units: ContextVar[int] = ContextVar("open_units", default=0)


class Base(DeclarativeBase):
    """The base of every table. Names of constraints are fixed so that both databases migrate alike."""

    metadata = sa.MetaData(naming_convention=NAMING)


def table_of(model: type[Base]) -> sa.Table:
    """This function will give the table behind a model, for statements that bypass the ORM."""
    table = model.__table__
    assert isinstance(table, sa.Table), f"{model.__name__} is not mapped to a table"
    return table


# SQLite only numbers rows by itself when the key is exactly INTEGER; elsewhere ids are 64 bits.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class DatabaseBusy(Unavailable):
    """Another writer held what was needed for longer than the lock timeout."""


class DatabaseFull(Unavailable):
    """The disk under the database is full."""


class DatabaseUnreachable(Unavailable):
    """The database cannot be opened or connected to."""


def in_transaction() -> bool:
    """This function will tell whether a unit of work is open here; nothing may use the network while it is."""
    return _open_units.get() > 0


class Database:
    """The engine of one database and the units of work on it."""

    def __init__(self, url: str, *, lock_timeout_seconds: float = 10.0, pool_size: int = 5) -> None:
        self.url = sa.make_url(url)
        self.lock_timeout_seconds = lock_timeout_seconds
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = self._sqlite_engine() if self.is_sqlite else self._postgresql_engine(pool_size)

    def dispose(self) -> None:
        """This function will close every pooled connection."""
        self.engine.dispose()

    @contextlib.contextmanager
    def unit_of_work(self, *, write: bool) -> Iterator[Session]:
        """This function will give a session whose work is committed at the end of the block, or wholly undone.

        `write=False` opens a transaction in which the database itself refuses writes. Raises `DatabaseBusy`,
        `DatabaseFull` or `DatabaseUnreachable` in place of the driver's error when the database, not the
        work, is the cause. Nothing is changed then, unless the text says that it is not known: a connection was
        lost while PostgreSQL committed.
        """
        token = _open_units.set(_open_units.get() + 1)
        outcome = "nothing was changed"
        try:
            with (
                self._connection(write=write) as connection,
                Session(connection, expire_on_commit=False) as session,
            ):
                session.info["write"] = write
                yield session
                if write:
                    session.flush()
                    if not self.is_sqlite:
                        outcome = "whether the change was made is not known"  # the answer to COMMIT may be lost
                    session.commit()
                else:
                    # What was read stays readable after the end; a rollback would empty it.
                    session.expunge_all()
                    session.rollback()
        except exc.DBAPIError as error:
            outage = _translated(error, self.url, outcome)
            if outage is None:
                raise
            raise outage from error
        except exc.TimeoutError as error:
            raise DatabaseBusy(
                f"every connection to {self._place} is in use: nothing was changed, try again"
            ) from error
        finally:
            _open_units.reset(token)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """This function will give a connection that reads one state of the whole database, whatever others commit.

        For copying all of it out. It can write nothing, and is no place to lock or to decide anything.
        """
        token = _open_units.set(_open_units.get() + 1)
        try:
            with self._connection(write=False) as connection:
                if not self.is_sqlite:
                    connection = connection.execution_options(isolation_level="REPEATABLE READ")
                with connection.begin():
                    yield connection
        except exc.DBAPIError as error:
            outage = _translated(error, self.url, "nothing was changed")
            if outage is None:
                raise
            raise outage from error
        finally:
            _open_units.reset(token)

    def refresh_statistics(self) -> None:
        """This function will let the database see how its rows are spread, by which it finds the short ways to them.

        Without it SQLite takes any indexed column for a rare one. PostgreSQL sees for itself, but a while after a
        bulk load. Half a second of a write transaction for a million rows. Raises `DatabaseBusy`.
        """
        with self.unit_of_work(write=True) as session:
            session.execute(sa.text("ANALYZE"))

    @property
    def _place(self) -> str:
        return self.url.render_as_string(hide_password=True)

    def run(self, work: Callable[[Session], T], *, attempts: int = 5) -> T:
        """This function will run `work` in a write unit, and again when PostgreSQL chose it as a deadlock's victim.

        `work` must be repeatable: it gets a fresh session each time. Raises `DatabaseBusy` after the last attempt.
        """
        for attempt in range(1, attempts + 1):
            try:
                with self.unit_of_work(write=True) as session:
                    return work(session)
            except exc.DBAPIError as error:
                if _sqlstate(error) not in RETRY_STATES:
                    raise
                if attempt == attempts:
                    raise DatabaseBusy(f"{self._place} is too busy: nothing was changed, try again") from error
                time.sleep(random.uniform(0, 0.02 * 2**attempt))
        raise AssertionError("unreachable: the loop returns or raises")

    @contextlib.contextmanager
    def _connection(self, *, write: bool) -> Iterator[sa.Connection]:
        with self.engine.connect() as connection:
            if self.is_sqlite:
                connection = connection.execution_options(scm_write=write)
            elif not write:
                connection = connection.execution_options(postgresql_readonly=True)
            yield connection

    def _sqlite_engine(self) -> sa.Engine:
        engine = sa.create_engine(
            self.url, connect_args={"timeout": self.lock_timeout_seconds, "isolation_level": None}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _postgresql_engine(self, pool_size: int) -> sa.Engine:
        milliseconds = int(self.lock_timeout_seconds * 1000)
        return sa.create_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_pre_ping=False,
            pool_timeout=self.lock_timeout_seconds,
            isolation_level="READ COMMITTED",
            connect_args={
                "options": f"-c lock_timeout={milliseconds} -c timezone=UTC",
                "connect_timeout": 10,
            },
        )


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    # FULL, not NORMAL: with NORMAL a power cut loses commits that were already acknowledged.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "recursive_triggers=ON",  # or REPLACE would delete a posted move without firing its trigger
        "cache_size=-65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get("scm_write", True)
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if write else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _sqlstate(error: exc.DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def _translated(error: exc.DBAPIError, url: sa.URL, outcome: str) -> Unavailable | None:
    """Only outages are translated; a violated constraint stays what it is, a fault of the calling verb."""
    place = url.render_as_string(hide_password=True)
    text = str(error.orig)
    state = _sqlstate(error)
    if "database is locked" in text or state == "55P03":
        return DatabaseBusy(f"{place} is held by another writer: nothing was changed, try again")
    if "disk is full" in text or "disk I/O error" in text or state == "53100":
        return DatabaseFull(
            f"the disk under {place} is full or failing: nothing was changed, free some space and try again"
        )
    if _is_unreachable(error, text, state):
        return DatabaseUnreachable(f"{place} cannot be reached ({text.splitlines()[0]}): {outcome}")
    return None


def _is_unreachable(error: exc.DBAPIError, text: str, state: str | None) -> bool:
    if "unable to open database file" in text or "file is not a database" in text:
        return True
    if state is not None:
        return state.startswith(("08", "57P"))
    return isinstance(error, exc.OperationalError) and (error.connection_invalidated or "connection" in text)


def dialect_insert(session: Session, table: Any) -> Any:
    """This function will start an INSERT that knows ON CONFLICT, in the dialect of the session's database."""
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
