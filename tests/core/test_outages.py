"""A database that is gone, busy or full says so clearly, nothing is changed, and it works again afterwards."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Session

from scm.core import idempotency, outbox
from scm.core.db import Database, DatabaseBusy, DatabaseFull, DatabaseUnreachable
from scm.core.errors import Unavailable
from scm.core.outbox import OutboxMessage

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def write(session: Session, *, size: int = 10) -> None:
    outbox.put(session, topic="t", recipient="r", document_kind="d", document_id=1, payload={"x": "y" * size}, now=NOW)


def written(database: Database) -> int:
    with database.unit_of_work(write=False) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(OutboxMessage)) or 0


@pytest.fixture
def impatient(database_url: str) -> Iterator[Database]:
    """A database whose writers wait a fifth of a second for another, and of which one connection may be open."""
    opened = Database(database_url, lock_timeout_seconds=0.2, pool_size=1)
    yield opened
    opened.dispose()


@contextlib.contextmanager
def another_writer(database_url: str) -> Iterator[None]:
    """Somebody else holds what a writer needs: the whole file on SQLite, the row of a number series on PostgreSQL."""
    other = Database(database_url)
    with other.unit_of_work(write=True) as session:
        session.execute(sa.text("UPDATE outbox_message SET topic = 'held'"))
        yield
    other.dispose()


def test_a_database_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    missing = [
        f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'scm.db'}",
        "postgresql+psycopg://scm:secret@127.0.0.1:9/scm",
        f"postgresql+psycopg://scm@/scm?host={tmp_path}",
    ]
    for url in missing:
        with (
            pytest.raises(DatabaseUnreachable, match="cannot be reached") as refusal,
            Database(url).unit_of_work(write=True) as session,
        ):
            write(session)
        assert "nothing was changed" in str(refusal.value)
        assert "secret" not in str(refusal.value)


def test_a_file_that_is_no_database_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "scm.db").write_bytes(b"a letter to my aunt" * 100)
    with (
        pytest.raises(DatabaseUnreachable, match="not a database"),
        Database(f"sqlite:///{tmp_path / 'scm.db'}").unit_of_work(write=False) as session,
    ):
        session.execute(sa.text("SELECT 1"))


def test_a_writer_gives_up_waiting_for_another(database_url: str, impatient: Database) -> None:
    with impatient.unit_of_work(write=True) as session:
        write(session)
    with another_writer(database_url):
        started = time.monotonic()
        with (
            pytest.raises(DatabaseBusy, match="held by another writer: nothing was changed"),
            impatient.unit_of_work(write=True) as session,
        ):
            write(session)
            session.execute(sa.text("UPDATE outbox_message SET topic = 'mine'"))
        assert 0.15 < time.monotonic() - started < 3
        assert written(impatient) == 1
    with impatient.unit_of_work(write=True) as session:
        write(session)
    assert written(impatient) == 2


def test_readers_do_not_wait_for_a_writer(database_url: str, impatient: Database) -> None:
    with another_writer(database_url):
        assert written(impatient) == 0


@pytest.mark.parametrize("backend", ["postgresql"])
def test_an_exhausted_pool_is_busy_and_heals(impatient: Database) -> None:
    """SQLite opens a file as often as it likes."""
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(impatient.unit_of_work(write=False)).execute(sa.text("SELECT 1"))
        with (
            pytest.raises(DatabaseBusy, match=r"every connection .* is in use"),
            impatient.unit_of_work(write=False) as more,
        ):
            more.execute(sa.text("SELECT 1"))
    assert written(impatient) == 0


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_full_disk_says_so_reading_goes_on_and_it_recovers(database: Database) -> None:
    def allow(pages: int) -> None:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    with database.unit_of_work(write=True) as session:
        write(session)
    allow(1)  # SQLite takes the present size when less is asked for
    with (
        pytest.raises(DatabaseFull, match="full or failing: nothing was changed, free some space"),
        database.unit_of_work(write=True) as session,
    ):
        for _ in range(20):
            write(session, size=4000)
    assert written(database) == 1
    allow(1_000_000)
    with database.unit_of_work(write=True) as session:
        write(session, size=50_000)
    assert written(database) == 2


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_server_that_cuts_the_connection_is_unreachable_and_heals(database: Database, database_url: str) -> None:
    with database.unit_of_work(write=True) as session:
        write(session)
    with pytest.raises(DatabaseUnreachable, match="nothing was changed"), database.unit_of_work(write=True) as session:
        write(session)
        cut(database_url, session.scalar(sa.text("SELECT pg_backend_pid()")))
        write(session)
    assert written(database) == 1


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_connection_lost_at_the_commit_is_not_called_unchanged(database: Database, database_url: str) -> None:
    with pytest.raises(DatabaseUnreachable, match="not known"), database.unit_of_work(write=True) as session:
        write(session)
        session.flush()
        cut(database_url, session.scalar(sa.text("SELECT pg_backend_pid()")))
    assert written(database) == 0


@pytest.mark.parametrize("backend", ["postgresql"])
def test_a_read_unit_refuses_writes_by_itself(database: Database) -> None:
    with pytest.raises(exc.InternalError, match="read-only"), database.unit_of_work(write=False) as session:
        write(session)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_read_unit_refuses_writes_on_sqlite_too(database: Database) -> None:
    with pytest.raises(exc.OperationalError, match="readonly"), database.unit_of_work(write=False) as session:
        write(session)
    with database.unit_of_work(write=True) as session:
        write(session)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_on_sqlite_a_command_is_refused_when_any_writer_is_too_slow(database_url: str, impatient: Database) -> None:
    """There is one lock for everything, so a twin cannot be told from another writer: both answers are a repetition."""
    with another_writer(database_url), pytest.raises(idempotency.StillRunning, match="send it again with the same key"):
        idempotency.run_once(
            impatient, principal="p", command="c", key="k", body=None, now=NOW, work=lambda session: None
        )


def test_every_outage_is_one_family() -> None:
    assert {error.code for error in (DatabaseBusy, DatabaseFull, DatabaseUnreachable)} == {Unavailable.code}


def cut(url: str, backend: int | None) -> None:
    """This function will end a connection from the server's side, as an administrator or a restart does."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as administrator:
        administrator.execute("SELECT pg_terminate_backend(%s)", [backend])
